"""Maps: vectors as points in the plane, near where images look alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.system.on_demand import public_names

if TYPE_CHECKING:
    from lookalike.projection.contract import Projection
    from lookalike.projection.methods import MAP_METHODS
    from lookalike.projection.projecting import place, project

__all__ = [
    "MAP_METHODS",
    "Projection",
    "place",
    "project",
]

__getattr__, __dir__ = public_names(
    __name__,
    {
        "MAP_METHODS": "methods",
        "Projection": "contract",
        "place": "projecting",
        "project": "projecting",
    },
    former={
        "METHODS": "lookalike.projection.methods:method_names()",
        "Method": "builtins:str",
        "Report": "lookalike.system.progress:ProgressReport",
    },
)
