"""Which images are one picture, by the duplicates that were found: for whoever counts each picture once.

Two images are copies here if they were found to be identical, the same, or edited, with a probability of
0.9 or more, and nobody decided otherwise. Nothing is compared: what was not looked for is not known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.collection.duplicates.decided import read_decided
from lookalike.collection.duplicates.grouping import near_of
from lookalike.collection.resources import Resources
from lookalike.duplicates.kinds import KINDS
from lookalike.errors import CollectionConflictError
from lookalike.hints import Hint, Sentence
from lookalike.types import Ids

LEAST_PROBABILITY = 0.9
"""From which on two images count as one picture."""

_ONE_PICTURE = tuple(KINDS.index(kind) for kind in ("identical", "same", "edited"))


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """Pairs of images that are one picture.

    Attributes
    ----------
    of_these, copies : (m,) int64
        Each pair both ways, by rising `of_these`.
    are_known : bool
        Whether duplicates were looked for at all.
    """

    of_these: Ids
    copies: Ids
    are_known: bool

    @classmethod
    def found(cls, resources: Resources) -> Copies:
        """Return those that were found in a collection."""
        pairs = near_of(resources)
        is_one = np.isin(pairs.kinds, _ONE_PICTURE) & (pairs.probabilities >= LEAST_PROBABILITY)
        apart = read_decided(resources.places.snapshot.said).images.apart
        if apart:
            both = zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)
            is_one &= np.fromiter((pair not in apart for pair in both), bool, len(pairs.a))
        return cls.of_pairs(pairs.a[is_one], pairs.b[is_one], pairs.n_compared > 0)

    @classmethod
    def needed(cls, resources: Resources) -> Copies:
        """Return those that were found.

        Raises
        ------
        CollectionConflictError
            If they were not looked for.
        """
        found = cls.found(resources)
        if not found.are_known:
            raise CollectionConflictError(
                "nothing can be folded, as duplicates were not looked for in this collection yet",
                hint=Hint("find_duplicates"),
            )
        return found

    @classmethod
    def of_pairs(cls, a: Ids, b: Ids, are_known: bool = True) -> Copies:
        """Return pairs, each given once."""
        both = np.concatenate([a, b]).astype(np.int64), np.concatenate([b, a]).astype(np.int64)
        order = np.lexsort(both[::-1])
        return cls(both[0][order], both[1][order], are_known)

    def __len__(self) -> int:
        return len(self.of_these) // 2

    def of(self, image: int) -> Ids:
        """Return the copies of an image, rising."""
        begin, end = np.searchsorted(self.of_these, (image, image + 1))
        return self.copies[begin:end]

    def notes(self) -> list[Sentence]:
        """Say that nothing can be folded, if duplicates were not looked for."""
        if self.are_known:
            return []
        words = "nothing is folded, as duplicates were not looked for in this collection yet"
        return [Sentence(words, Hint("find_duplicates"))]

    def stand_ins(self, ids: Ids) -> Ids:
        """Return for each of some images the one that stands for it: itself, or one that it is a copy of.

        Those with the most copies stand for these, so that no chain joins two that are no copies.

        Parameters
        ----------
        ids : (n,) int64
            Rising.

        Returns
        -------
        (n,) int64
        """
        found = ids.copy()
        is_meant = np.isin(self.of_these, ids) & np.isin(self.copies, ids)
        of_these, copies = self.of_these[is_meant], self.copies[is_meant]
        images, begins, counts = np.unique(of_these, return_index=True, return_counts=True)
        taken: set[int] = set()
        for at in np.lexsort((images, -counts)).tolist():
            image = int(images[at])
            if image in taken:
                continue
            members = [
                each for each in copies[begins[at] : begins[at] + counts[at]].tolist() if each not in taken
            ]
            taken.update([image, *members])
            found[np.searchsorted(ids, members)] = image
        return found


class Fold:
    """Folds the copies of hits into them, nearest first: each image into the first hit that it is a copy of.

    Parameters
    ----------
    copies : Copies
    could_be : callable
        Tells which of some images could have been hits: only these are counted.
    """

    def __init__(self, copies: Copies, could_be: Callable[[Ids], npt.NDArray[np.bool_]]) -> None:
        self._copies, self._could_be = copies, could_be

    def choose(self, ids: Ids, k: int) -> tuple[npt.NDArray[np.intp], dict[int, int]]:
        """Return which of the images found stay hits, the first k of them, and how many are folded into each.

        Parameters
        ----------
        ids : (n,) int64
            Nearest first.
        """
        folded: set[int] = set()
        kept: list[int] = []
        counts: dict[int, int] = {}
        for at, image in enumerate(ids.tolist()):
            if len(kept) == k:
                break
            if image in folded:
                continue
            kept.append(at)
            copies = self._copies.of(image)
            new = set(copies[self._could_be(copies)].tolist()) if len(copies) else set()
            new -= folded | {image} | counts.keys()
            folded |= new
            counts[image] = len(new)
        return np.asarray(kept, np.intp), counts


def folded_ids(copies: Copies, ids: Ids) -> tuple[Ids, npt.NDArray[np.intp]]:
    """Return the images that stand for all of some, rising, and which of them stands for each.

    Parameters
    ----------
    ids : (n,) int64
        Rising.

    Returns
    -------
    chosen : (m,) int64
    places : (n,) int
        Of `chosen`.
    """
    chosen, places = np.unique(copies.stand_ins(ids), return_inverse=True)
    return chosen, places.astype(np.intp)
