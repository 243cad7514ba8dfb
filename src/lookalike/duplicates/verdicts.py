"""What two pictures are to each other, and how sure that is, from the evidence of all pairs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.duplicates.evidence import Evidence, detail
from lookalike.duplicates.kinds import KINDS
from lookalike.duplicates.series import in_series

_SAME, _EDITED, _TOGETHER, _SERIES = (KINDS.index(kind) for kind in ("same", "edited", "together", "series"))

MOST_APART = 30.0
"""Seconds between two pictures that were taken together, at most."""


class ImageFacts(NamedTuple):
    """What is known of images beside their pixels.

    Attributes
    ----------
    ids : (m,) int64
        Rising.
    times : (m,) float64
        When each was taken, seconds; NaN where nobody knows.
    cameras : (m,) int32
        A number for each camera; minus 1 where nobody knows.
    """

    ids: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    cameras: npt.NDArray[np.int32]


class Verdicts(NamedTuple):
    """What pairs are.

    Attributes
    ----------
    kinds : (n,) uint8
        Places in `KINDS`.
    probabilities : (n,) float32
        That each is what its kind says.
    """

    kinds: npt.NDArray[np.uint8]
    probabilities: npt.NDArray[np.float32]


def verdicts(evidence: Evidence, facts: ImageFacts | None = None) -> Verdicts:
    """Return what the pairs of all evidence are; some of it only gives other answers about series."""
    score = np.arctanh(np.clip(np.maximum(evidence["score"], detail(evidence, "coarse_score")), 0, 0.999))
    slope = np.minimum(score, 9.68 / 3.4)
    chance = 1 / (1 + np.exp(-(9.68 * slope - 1.70 * slope**2 - 8.68)))
    is_same = (evidence["score"] > 0.95) & (evidence["turn"] == 1) & (detail(evidence, "share") > 0.98)
    kinds = np.where(is_same, _SAME, _EDITED).astype(np.uint8)
    kinds[in_series(evidence)] = _SERIES
    if facts is not None:
        kinds[_together(evidence, facts)] = _TOGETHER
    return Verdicts(kinds, chance.astype(np.float32))


def _together(evidence: Evidence, facts: ImageFacts) -> npt.NDArray[np.bool_]:
    """Return which pairs were taken within seconds of each other, by one camera if both are known."""
    if not len(facts.ids):
        return np.zeros(len(evidence), bool)
    places, known = [], np.ones(len(evidence), bool)
    for name in ("a", "b"):
        place = np.minimum(np.searchsorted(facts.ids, evidence[name]), len(facts.ids) - 1)
        known &= facts.ids[place] == evidence[name]
        places.append(place)
    apart = np.abs(facts.times[places[0]] - facts.times[places[1]])
    one, other = facts.cameras[places[0]], facts.cameras[places[1]]
    is_one_camera = (one == other) | (one < 0) | (other < 0)
    with np.errstate(invalid="ignore"):
        found: npt.NDArray[np.bool_] = known & is_one_camera & (apart > 0) & (apart <= MOST_APART)
    return found
