"""A word for many pictures: the narrowest noun that most of what they show falls under."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lookalike.vocabulary.classes import class_name
from lookalike.vocabulary.nouns import all_nouns

MOST = 0.5
"""What share of the probability must fall under a word."""

_BROADEST = 120  # classes of a noun that says anything: dogs are 118, and above come mammals and devices


def name_for(probabilities: npt.NDArray[np.floating]) -> tuple[str, float] | None:
    """Return the noun of the fewest classes that together have most of the probability, and how much.

    Parameters
    ----------
    probabilities : (1000,) float
        Of each class; the mean over some pictures.

    Returns
    -------
    (str, float) or None
        None where even broad nouns have too little of it.

    Examples
    --------
    >>> beagle_and_pug = np.zeros(1000)
    >>> beagle_and_pug[[162, 254]] = 0.4
    >>> name_for(beagle_and_pug)
    ('dog', 0.8)
    """
    words, sizes, starts, classes = _sets()
    shares = np.add.reduceat(probabilities[classes], starts)
    enough = np.flatnonzero(shares >= MOST)
    if not len(enough):
        return None
    best = min(enough.tolist(), key=lambda at: (sizes[at], -shares[at]))
    return words[best], round(float(shares[best]), 4)


@functools.cache
def _sets() -> tuple[Sequence[str], Sequence[int], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the nouns, one for each set of classes: the shortest, or what people call the one class."""
    words: dict[tuple[int, ...], str] = {(number,): class_name(number) for number in range(1_000)}
    for noun in sorted(all_nouns(), key=lambda noun: (len(noun.word), noun.word)):
        if noun.is_usual and len(noun.classes) <= _BROADEST:
            words.setdefault(noun.classes, noun.word)
    sizes = [len(classes) for classes in words]
    starts = np.cumsum([0, *sizes[:-1]])
    return list(words.values()), sizes, starts, np.concatenate([np.array(each) for each in words])
