"""Boosted trees of depth three: what pairs are, learned from made-up copies of known pictures.

A tree asks three questions, each whether one number of the evidence is above a bound, and adds one of eight
values to a sum; the logistic function of the sum of all is a probability. They were fitted by
``python -m benchmarks duplicates_fit`` and are kept as text in `tree_tables`, which that wrote.

J. H. Friedman, "Greedy Function Approximation: A Gradient Boosting Machine", Annals of Statistics 29, 2001.
"""

from __future__ import annotations

import base64
import zlib
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.duplicates import tree_tables
from lookalike.duplicates.evidence import DETAILS, Evidence
from lookalike.system.native import at, kernel

_ask = kernel("verifying_ask_trees", "aii aaa ia")

NUMBERS = 1 + len(DETAILS)
"""Of a pair that trees ask for: its score, and its details."""


class Trees(NamedTuple):
    """Some trees.

    Attributes
    ----------
    start : float
        What the sum begins with.
    of : (n, 7) uint8
        Which number each question is about; those that follow question i are 2 i + 1, and 2 i + 2 where the
        number is above the bound.
    than : (n, 7) float32
        The bounds.
    values : (n, 8) float32
        What is added.
    """

    start: float
    of: npt.NDArray[np.uint8]
    than: npt.NDArray[np.float32]
    values: npt.NDArray[np.float32]

    def to_text(self) -> str:
        """Return it as a text, which `from_text` reads."""
        parts = (np.float64(self.start), self.of, self.than, self.values)
        return base64.b85encode(zlib.compress(b"".join(part.tobytes() for part in parts), 9)).decode()

    @classmethod
    def from_text(cls, text: str) -> Trees:
        """Return what `to_text` wrote."""
        held = zlib.decompress(base64.b85decode(text))
        n = (len(held) - 8) // (7 + 28 + 32)
        return cls(
            float(np.frombuffer(held, np.float64, 1)[0]),
            np.frombuffer(held, np.uint8, 7 * n, 8).reshape(n, 7).copy(),
            np.frombuffer(held[8 + 7 * n :], np.float32, 7 * n).reshape(n, 7).copy(),
            np.frombuffer(held[8 + 35 * n :], np.float32, 8 * n).reshape(n, 8).copy(),
        )

    def ask(self, numbers: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return the sums, the logarithms of odds, of pairs: (n, NUMBERS) to (n,)."""
        sums = np.full(len(numbers), self.start)
        _ask(
            at(numbers, np.float32), *numbers.shape, at(self.of, np.uint8), at(self.than, np.float32),
            at(self.values, np.float32), len(self.of), at(sums, np.float64),
        )  # fmt: skip
        return sums


def numbers_of(evidence: Evidence) -> npt.NDArray[np.float32]:
    """Return what trees ask for, (n, NUMBERS)."""
    found = np.empty((len(evidence), NUMBERS), np.float32)
    found[:, 0] = evidence["score"]
    found[:, 1:] = evidence["details"]
    return found


@cache
def one_picture() -> Trees:
    """Return those that tell whether two pictures are one, edited or not."""
    return Trees.from_text("".join(tree_tables.ONE_PICTURE))


@cache
def unedited() -> Trees:
    """Return those that tell whether two pictures that are one differ in encoding, size and turn only."""
    return Trees.from_text("".join(tree_tables.UNEDITED))
