"""Pictures that are there twice: found by hashes and neighbors, proved by laying one on the other.

What a collection has of them is `Collection.duplicates`; `compare` is for two pictures without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.system.on_demand import public_names

if TYPE_CHECKING:
    from lookalike.duplicates.comparing import compare
    from lookalike.duplicates.comparison import ComparedImage, Comparison
    from lookalike.duplicates.kinds import KINDS, USUAL, DuplicateKind
    from lookalike.duplicates.verifying import Alignment

__all__ = ["KINDS", "USUAL", "Alignment", "ComparedImage", "Comparison", "DuplicateKind", "compare"]

__getattr__, __dir__ = public_names(
    __name__,
    {
        "Alignment": "verifying",
        "ComparedImage": "comparison",
        "Comparison": "comparison",
        "DuplicateKind": "kinds",
        "KINDS": "kinds",
        "USUAL": "kinds",
        "compare": "comparing",
    },
)
