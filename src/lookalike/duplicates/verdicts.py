"""What two pictures are to each other, and how sure that is, from the evidence of all pairs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.duplicates.evidence import Evidence, detail
from lookalike.duplicates.kinds import KINDS
from lookalike.duplicates.series import LEAST_SCORE, in_series
from lookalike.duplicates.trees import numbers_of, one_picture, unedited

_SAME, _EDITED, _TOGETHER, _SERIES = (KINDS.index(kind) for kind in ("same", "edited", "together", "series"))

MOST_APART = 30.0
"""Seconds between two pictures that were taken together, at most. An edit keeps the time to the second."""

_FLAT = 0.55  # the share of two neighboring bins, of 32, of the grey levels of a document, at least
_RATHER = 0.5
_ALIKE, _STEEP = 0.5, 15.0  # frames a second apart align at 0.73 to 0.87; strangers below 0.6, but for few


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
    """Return what the pairs of all evidence are; of some of it, what is said of series may be missing.

    Probabilities are those of trees (`trees`), as they are in a library in which a quarter of the pictures
    has a copy: where fewer have one, they are somewhat too high. A pair that is rather none, though it
    aligns, is of a series where it differs as other pairs do, or where both are documents; its probability
    is what is left.
    """
    numbers = numbers_of(evidence)
    chance = _logistic(one_picture().ask(numbers))
    kinds = np.where(unedited().ask(numbers) > 0, _SAME, _EDITED).astype(np.uint8)
    is_document = np.minimum(detail(evidence, "flat"), detail(evidence, "other_flat")) >= _FLAT
    aligns = evidence["score"] >= LEAST_SCORE
    is_series = aligns & (chance < _RATHER) & (is_document | in_series(evidence))
    kinds[is_series] = _SERIES
    chance[is_series] = 1 - chance[is_series]
    if facts is not None:
        of_a_moment = _together(evidence, facts)
        kinds[of_a_moment] = _TOGETHER
        best = np.maximum(evidence["score"], detail(evidence, "coarse_score"))[of_a_moment]
        chance[of_a_moment] = _logistic(_STEEP * (best - _ALIKE))
    return Verdicts(kinds, chance.astype(np.float32))


def _logistic(odds: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = 1 / (1 + np.exp(-np.asarray(odds, np.float64)))
    return found


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
