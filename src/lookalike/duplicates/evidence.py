"""What is measured of two pictures that are alike: a row for a pair, from which kind and probability follow.

Only this is stored. What two pictures are to each other is said when it is read, by `verdicts`: a better
judgment needs no new comparing.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

VERSION = 1
"""Counted up when what is measured changes, so that evidence of before is measured again."""

LEAST_SCORE = 0.35
"""Pairs that fit worse are unlike: nothing is kept of them."""

DETAILS: tuple[str, ...] = (
    "coarse_score", "correlation", "fine_score", "gain", "lighter", "share", "other_share", "enlarged",
    "stretched", "tilted", "perspective",
    "worst_1", "worst_5", "worst_10", "worst_25", "median", "textured", "alike", "unlike", "unlike_flat",
    "textured_5", "textured_10", "textured_25", "textured_50", "exact", "left_50", "left_90", "left_75",
    "cells_unlike", "cells_largest", "rows_unlike", "columns_unlike", "box_unlike",
    "sharper", "detail", "flat", "other_flat", "both_textured", "blocks", "is_turned",
    "color_difference", "colorful", "other_colorful", "color_correlation",
)  # fmt: skip
"""What `details` holds, in this order; native/verifying.cpp makes them."""

EVIDENCE: np.dtype[Any] = np.dtype(
    [
        ("a", "<i8"),
        ("b", "<i8"),
        ("turn", "u1"),
        ("score", "<f4"),
        ("details", "<f4", (len(DETAILS),)),
        ("cells_a", "u1", (32,)),
        ("cells_b", "u1", (32,)),
    ]
)
"""A row: the ids of the images, a < b; how b is to be turned to stand as a does, as EXIF says it; how well
the two fit, 1 at best; `DETAILS`; and the cells, 16 × 16 of each picture, that differ: bit i % 8 of byte
i // 8."""

Evidence: TypeAlias = npt.NDArray[np.void]


def nothing() -> Evidence:
    """Return no rows."""
    return np.empty(0, EVIDENCE)


def detail(evidence: Evidence, name: str) -> npt.NDArray[np.float32]:
    """Return one of `DETAILS` of every row."""
    found: npt.NDArray[np.float32] = evidence["details"][:, DETAILS.index(name)]
    return found
