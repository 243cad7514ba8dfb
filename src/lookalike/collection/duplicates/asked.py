"""What groups are asked for: of which kinds, among which files, and by which rules one is kept."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

import numpy as np
import numpy.typing as npt

from lookalike.collection.coding import Mask
from lookalike.collection.columns import FileColumns, are_in
from lookalike.collection.places import Places
from lookalike.duplicates.keeping import Preference, read_preferences
from lookalike.duplicates.kinds import USUAL, DuplicateKind
from lookalike.errors import InvalidInputError, QueryNotFoundError
from lookalike.system.checked_calls import shown
from lookalike.types import Ids

MIN_PROBABILITY = 0.25
"""Pairs that are less sure are not shown unless it is asked for. There are few between this and 0.5, in most
folders, and half of them are pictures that went through several edits at once."""

PLANNED_PROBABILITY = 0.9
"""What a plan made on the command line puts away has to be as sure as this, unless something else is said."""

SPLITS = ("train", "val", "test")
"""As folders of data sets are called; others, see `_SPLIT_OF`, are these."""

_SPLIT_OF = {
    **dict.fromkeys(("train", "training", "trainset"), 0),
    **dict.fromkeys(("val", "valid", "validation", "dev"), 1),
    **dict.fromkeys(("test", "testing", "testset"), 2),
}
_KNOWN = frozenset(get_args(DuplicateKind))


@dataclass(frozen=True, slots=True)
class GroupsRequest:
    """What groups are asked for; see `Duplicates.groups`.

    Raises
    ------
    InvalidInputError
        If there is no such kind or rule, or the probability is none.
    """

    kinds: tuple[str, ...] = USUAL
    min_probability: float = MIN_PROBABILITY
    folder: str | None = None
    against: str | None = None
    across_splits: bool = False
    preferences: tuple[Preference, ...] = ()
    decided: bool = False

    @classmethod
    def of(
        cls,
        kinds: str | Iterable[str] | None = None,
        min_probability: float = MIN_PROBABILITY,
        *,
        folder: str | os.PathLike[str] | None = None,
        against: str | os.PathLike[str] | None = None,
        across_splits: bool = False,
        prefer: str | Iterable[str] | None = None,
        decided: bool = False,
    ) -> GroupsRequest:
        """Return what was asked for, checked."""
        named = USUAL if kinds is None else (kinds,) if isinstance(kinds, str) else tuple(kinds)
        for each in named:
            if each not in _KNOWN:
                raise InvalidInputError(
                    f"kinds has {shown(each)}; expected {', '.join(get_args(DuplicateKind))}", field="kinds"
                )
        if not named:
            raise InvalidInputError("kinds is empty; expected some", field="kinds")
        if not 0 <= min_probability <= 1:
            raise InvalidInputError(
                f"min_probability is {min_probability}; expected a number from 0 to 1",
                field="min_probability",
            )
        if against is not None and across_splits:
            raise InvalidInputError(
                "against and across_splits are two ways to hold files apart; give one", field="across_splits"
            )
        return cls(
            named,
            float(min_probability),
            None if folder is None else os.fspath(folder),
            None if against is None else os.fspath(against),
            across_splits,
            read_preferences(prefer),
            decided,
        )


@dataclass(frozen=True)
class Among:
    """The files that groups are made of.

    Attributes
    ----------
    files : FileColumns
    is_in : (n_files,) bool or None
        Which count; None for all.
    is_kept : (n_files,) bool or None
        Which of these others are held against, and stay; None if no two kinds are held apart.
    splits : (n_files,) int8 or None
        Which of `SPLITS` each is of, where only groups count that lie in several.
    """

    files: FileColumns
    is_in: Mask | None = None
    is_kept: Mask | None = None
    splits: npt.NDArray[np.int8] | None = None

    @cached_property
    def order(self) -> npt.NDArray[np.intp]:
        """The rows that count, by image."""
        by_id = self.files.by_id
        return by_id if self.is_in is None else by_id[self.is_in[by_id]]

    @cached_property
    def ids(self) -> Ids:
        """The images of these rows, rising, each as often as it has files."""
        found: Ids = self.files.ids[self.order]
        return found

    def rows_of(self, image: int) -> npt.NDArray[np.intp]:
        """Return the rows that count of an image."""
        first, last = np.searchsorted(self.ids, image, "left"), np.searchsorted(self.ids, image, "right")
        return self.order[first:last]

    def has(self, images: Ids) -> Mask:
        """Tell which images have a file that counts."""
        if not len(self.ids):
            return np.zeros(len(images), bool)
        at = np.minimum(np.searchsorted(self.ids, images), len(self.ids) - 1)
        found: Mask = self.ids[at] == images
        return found

    def sides(self, images: Ids) -> tuple[Mask, Mask]:
        """Tell which images have a file that counts, and which have one that is held against: (n,) each."""
        if self.is_kept is None:
            return self.has(images), self.has(images)
        of_order = self.is_kept[self.order]
        some = (np.unique(self.ids[chosen]) for chosen in (~of_order, of_order))
        mine, others = (are_in(images, ids) for ids in some)
        return mine, others

    def may_pair(self, a: Ids, b: Ids) -> Mask:
        """Tell which pairs of images count: any two with files; one of either side, where sides are told."""
        (a_mine, a_kept), (b_mine, b_kept) = self.sides(a), self.sides(b)
        return (a_mine & b_kept) | (a_kept & b_mine)

    def spans(self, rows: npt.NDArray[np.intp]) -> bool:
        """Tell whether files are of several splits, where it is asked for that."""
        return self.splits is None or len(np.unique(self.splits[rows])) > 1


def among(places: Places, request: GroupsRequest) -> Among:
    """Return the files that are asked for.

    Raises
    ------
    QueryError
        If a folder holds no image of the collection, or there are no splits.
    """
    files = places.snapshot.files
    is_in = None if request.folder is None else places.below(request.folder)
    is_kept = None
    if request.against is not None:
        against = places.below(request.against)
        if is_in is None:
            is_in = ~against
        is_kept = against & ~is_in
        is_in = is_in | is_kept
    splits = None
    if request.across_splits:
        splits = splits_of(files)
        is_in = splits >= 0 if is_in is None else is_in & (splits >= 0)
        if len(np.unique(splits[is_in])) < 2:
            raise QueryNotFoundError(
                "there are no two splits to compare: no data set of train and test, and no folders called"
                f" {', '.join(SPLITS)}"
            )
    return Among(files, is_in, is_kept, splits)


def splits_of(files: FileColumns) -> npt.NDArray[np.int8]:
    """Return which of `SPLITS` each file is of: by its data set, else by the first folder of such a name."""
    by_dataset = _codes(files.splits.values)[files.splits.codes]
    by_folder = _codes(files.folders.to_pylist())[files.folder_codes]
    return np.where(by_dataset >= 0, by_dataset, by_folder).astype(np.int8)


def _codes(words: Sequence[str]) -> npt.NDArray[np.int8]:
    """Return which split each word names; one more, -1, for none."""
    found = (
        next((_SPLIT_OF[part] for part in re.split("[:/]", word.lower()) if part in _SPLIT_OF), -1)
        for word in words
    )
    return np.array([*found, -1], np.int8)
