"""How far a sync has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Step = Literal["comparing", "headers", "embedding"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step of a sync has come.

    Attributes
    ----------
    done, total : int
        Files read, of those to be read.
    failed : int
        How many of them could not be.
    step : {"comparing", "headers", "embedding"}
        What they are read for.
    """

    done: int
    total: int
    failed: int
    step: Step = "embedding"
