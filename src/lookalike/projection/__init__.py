"""Maps: vectors as points in the plane, near where images look alike."""

from lookalike.projection.contract import METHODS, Method, Projection, Report
from lookalike.projection.projecting import place, project

__all__ = ["METHODS", "Method", "Projection", "Report", "place", "project"]
