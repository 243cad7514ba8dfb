"""Nearest neighbours: one contract, and the indexes that keep it."""

from lookalike.index.contract import Index
from lookalike.index.exact import Exact

__all__ = ["Exact", "Index"]
