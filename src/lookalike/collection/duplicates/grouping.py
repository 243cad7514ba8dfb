"""Groups of duplicates, made of the pairs that were found, of what was decided, and of what is asked for.

Pictures of one content come from the table of files alone. Of others, first those that are the same or edited
are grouped; of what is left, those that were taken together, or are of a series. So every picture is in one
group at most, and the copy of one of a burst stands with its original. See `stars` for what a group is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.collection.columns import are_in
from lookalike.collection.duplicates.asked import Among, GroupsRequest, among
from lookalike.collection.duplicates.decided import Decided, read_decided
from lookalike.collection.duplicates.stars import Known, Pair, make_stars, pair_of
from lookalike.collection.resources import Resources
from lookalike.collection.snapshot import Snapshot
from lookalike.collection.stored.duplicates import StoredDuplicates
from lookalike.duplicates.keeping import FileFacts, rank
from lookalike.duplicates.kinds import KINDS
from lookalike.duplicates.turns import INVERSE, then
from lookalike.duplicates.verdicts import ImageFacts, verdicts
from lookalike.types import Ids

DUPLICATES = ("same", "edited")
ALIKE = ("together", "series")

_LINKED = 0.5  # how probable pairs are by which others are looked for
_NOWHERE = np.iinfo(np.int64).max  # the rank of an image without files that count

Small = npt.NDArray[np.uint8]


class DuplicatePairs(NamedTuple):
    """Pairs of images that are alike.

    Attributes
    ----------
    a, b : (n,) int64
        Ids, a < b.
    kinds : (n,) uint8
        Into `lookalike.duplicates.kinds.KINDS`.
    probabilities : (n,) float32
    turns : (n,) uint8
        EXIF's orientation, 1 to 8: how b is to be turned to stand as a does.
    n_compared : int
        How many images of the collection were compared with all others.
    """

    a: Ids
    b: Ids
    kinds: Small
    probabilities: npt.NDArray[np.float32]
    turns: Small
    n_compared: int = 0


def _taken(pairs: DuplicatePairs, chosen: npt.NDArray[np.bool_]) -> DuplicatePairs:
    """Return some of the pairs."""
    return DuplicatePairs(
        pairs.a[chosen],
        pairs.b[chosen],
        pairs.kinds[chosen],
        pairs.probabilities[chosen],
        pairs.turns[chosen],
        pairs.n_compared,
    )


def near_of(resources: Resources) -> DuplicatePairs:
    """Return the pairs of a collection's images that are alike, as far as they were compared.

    They are made once for a state of the collection, and of what is kept; nothing is compared.

    Raises
    ------
    StoreError
        If the system does not let them be read.
    """
    snapshot = resources.places.snapshot
    stored = StoredDuplicates(resources.store.folder)
    return snapshot.keep(("duplicates", stored.look()), lambda: _read_pairs(snapshot, stored))


def _read_pairs(snapshot: Snapshot, stored: StoredDuplicates) -> DuplicatePairs:
    _, rows = stored.with_rows("evidence", "compared")
    there = snapshot.images.ids[snapshot.joined.is_there]
    evidence = rows["evidence"]
    a, b = (np.ascontiguousarray(evidence[side]) for side in "ab")
    is_there = are_in(a, there) & are_in(b, there)
    if not is_there.all():
        evidence, a, b = evidence[is_there], a[is_there], b[is_there]
    found = verdicts(evidence, image_facts(snapshot))
    n_compared = int(are_in(np.ascontiguousarray(rows["compared"]["id"]), there).sum())
    turns = np.ascontiguousarray(evidence["turn"])
    return DuplicatePairs(a, b, found.kinds, found.probabilities, turns, n_compared)


def image_facts(snapshot: Snapshot) -> ImageFacts:
    """Return what tells pictures that were taken together."""
    images = snapshot.images
    taken = images.taken.astype("datetime64[us]")
    times = np.where(np.isnat(taken), np.nan, taken.astype(np.int64) / 1e6)
    return ImageFacts(images.ids, times, images.cameras.codes.astype(np.int32))


class Member(NamedTuple):
    """An image of a group: its id, and what it is to the keeper."""

    id: int
    kind: int
    probability: float
    turn: int


@dataclass(frozen=True)
class Grouping:
    """The groups that are asked for, as ids.

    Attributes
    ----------
    stars : list of list of Member
        The keeper first.
    missing : list of (int, int, int)
        Pairs, the smaller id first, that have to be compared before these groups hold, and the turn in which
        the second probably stands as the first does.
    files : FilesOf
        The files of the images that are in any.
    """

    stars: list[list[Member]]
    missing: list[tuple[int, int, int]]
    files: FilesOf


class FilesOf:
    """The files of some images, and their order: which is kept before which.

    Attributes
    ----------
    ids : (m,) int64
        The images, rising.
    rows : (n,) int64
        Of files that count, by image.
    facts : FileFacts
        Of these.
    ranks : (n,) int
        0 for the one to keep before all others.
    is_kept : (n,) bool
        Which are held against, and stay.
    """

    def __init__(self, resources: Resources, ids: Ids, files: Among, request: GroupsRequest) -> None:
        self.ids = ids
        self._among = files
        is_wanted = are_in(files.ids, ids)
        self.rows = files.order[is_wanted]
        self._of = files.ids[is_wanted]
        self.facts = _facts_of(resources, self.rows)
        self.is_kept = np.zeros(len(self.rows), bool) if files.is_kept is None else files.is_kept[self.rows]
        places = rank(self.facts, request.preferences)
        self.ranks = np.where(self.is_kept, places, places + len(places))
        self.at: npt.NDArray[np.intp] = np.searchsorted(self._of, ids)
        self.end = np.searchsorted(self._of, ids, side="right")

    @cached_property
    def image_ranks(self) -> npt.NDArray[np.intp]:
        """Of each image that of its best file: (m,)."""
        if not len(self.ids):
            return np.empty(0, np.intp)
        found: npt.NDArray[np.intp] = np.minimum.reduceat(self.ranks, self.at)
        return found

    @property
    def counts(self) -> npt.NDArray[np.intp]:
        """How many files each image has: (m,)."""
        return self.end - self.at

    def of(self, image: int) -> list[int]:
        """Return where the files of an image stand among `rows`, the best first."""
        row = int(np.searchsorted(self.ids, image))
        return sorted(range(int(self.at[row]), int(self.end[row])), key=lambda file: int(self.ranks[file]))


def _facts_of(resources: Resources, rows: npt.NDArray[np.intp]) -> FileFacts:
    snapshot = resources.places.snapshot
    files, images = snapshot.files, snapshot.images
    table = resources.store.files.read(["size", "mtime_ns"])
    at = images.rows_of(files.ids[rows])
    taken = images.taken[at]
    ratings = images.ratings[at].astype(np.float64)
    return FileFacts(
        paths=[files.path(row) for row in rows.tolist()],
        pixels=images.widths[at].astype(np.float64) * images.heights[at],
        formats=[images.formats[code] if code >= 0 else "" for code in images.format_codes[at].tolist()],
        sharpness=images.sharpness[at].astype(np.float64),
        taken=np.where(np.isnat(taken), np.nan, taken.astype(np.int64) / 1e6),
        written=np.asarray(table["mtime_ns"].to_numpy())[rows] / 1e9,
        sizes=np.asarray(table["size"].to_numpy())[rows].astype(np.float64),
        ratings=np.where(ratings < -1, np.nan, ratings),
        is_labeled=snapshot.file_labels.codes[rows] >= 0,
    )


@dataclass(frozen=True)
class Linked:
    """All pairs that are alike as is asked for, wherever they lie, by rows.

    Attributes
    ----------
    ids : (n,) int64
        Rising: the images that have any, and those that lie in several files that count.
    pairs : DuplicatePairs
    a, b : (m,) intp
        Rows of the ids.
    is_edge : (m,) bool
        Which may stand in a group: the others are less sure, or lie elsewhere.
    """

    ids: Ids
    pairs: DuplicatePairs
    a: npt.NDArray[np.intp]
    b: npt.NDArray[np.intp]
    is_edge: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, pairs: DuplicatePairs, files: Among, request: GroupsRequest) -> Linked:
        """Return those that are asked for."""
        wanted = np.array([name in request.kinds for name in KINDS])
        least = min(_LINKED, request.min_probability)
        found = _taken(pairs, (pairs.probabilities >= least) & wanted[pairs.kinds])
        several = np.unique(files.ids[1:][files.ids[1:] == files.ids[:-1]])
        ids = np.unique(
            np.concatenate([found.a, found.b, several if "identical" in request.kinds else several[:0]])
        )
        a, b = np.searchsorted(ids, found.a), np.searchsorted(ids, found.b)
        is_edge = (found.probabilities >= request.min_probability) & files.may_pair(found.a, found.b)
        return cls(ids, found, a, b, is_edge)

    @cached_property
    def turns(self) -> dict[Pair, int]:
        """By two rows, either way round: how the second is to be turned to stand as the first does."""
        found = {}
        for a, b, turn in zip(self.a.tolist(), self.b.tolist(), self.pairs.turns.tolist(), strict=True):
            found[a, b], found[b, a] = turn, INVERSE[turn]
        return found


def group(resources: Resources, request: GroupsRequest, unlike: Callable[[], set[Pair]] = set) -> Grouping:
    """Group the images of a collection.

    Parameters
    ----------
    unlike : callable
        Gives the pairs of ids that were laid on each other and are not alike at all.
    """
    files = among(resources.places, request)
    decided = read_decided(resources.places.snapshot.said)
    pairs = near_of(resources)
    linked = Linked.of(pairs, files, request)
    found = FilesOf(resources, linked.ids[files.has(linked.ids)], files, request)
    stars, missing = _stars(linked, pairs, files, found, decided, unlike)
    if "identical" in request.kinds:
        placed = {member.id for star in stars for member in star}
        mine, others = files.sides(found.ids)
        several = found.ids[(found.counts > 1) & mine & others].tolist()
        stars += [[Member(image, 0, 1.0, 1)] for image in several if image not in placed]
    return Grouping(stars, missing, found)


def _stars(
    linked: Linked,
    pairs: DuplicatePairs,
    among_: Among,
    files: FilesOf,
    decided: Decided,
    unlike: Callable[[], set[Pair]],
) -> tuple[list[list[Member]], list[tuple[int, int, int]]]:
    """Return the stars of images, and the pairs that have to be compared first, as ids."""
    ids = linked.ids
    if not len(linked.a):
        return [], []
    ranks = _with_decisions(ids, files, decided)
    apart = {
        pair_of(*np.searchsorted(ids, pair).tolist())
        for pair in decided.images.apart
        if are_in(np.array(pair, np.int64), ids).all()
    }
    compared = _within(pairs, ids)
    mine, others = among_.sides(ids)

    def is_open(pair: Pair) -> bool:
        a, b = pair
        return pair not in compared and bool((mine[a] and others[b]) or (mine[b] and others[a]))

    found: list[list[Member]] = []
    missing: dict[Pair, int] = {}
    placed = np.zeros(len(ids), bool)
    for names in (DUPLICATES, ALIKE):
        codes = [KINDS.index(name) for name in names]
        is_kind = np.isin(linked.pairs.kinds, codes)
        rows = np.flatnonzero(is_kind & linked.is_edge & ~placed[linked.a] & ~placed[linked.b])
        numbers = {(int(linked.a[row]), int(linked.b[row])): int(row) for row in rows}
        numbers = {pair: row for pair, row in numbers.items() if pair not in apart}
        links = _partners(linked, is_kind)
        weights = {pair: float(linked.pairs.probabilities[row]) for pair, row in numbers.items()}
        made = make_stars(Known(weights, links, apart, is_open, lambda row: bool(others[row])), ranks)
        if (
            names is DUPLICATES
        ):  # to lay pictures on each other that were only taken together tells nothing new
            missing = made.missing | _by_others(links, ranks, is_open, apart)
        for star in made.groups:
            placed[star] = True
            found.append(_members(star, numbers, linked))
    tried = _as_rows(unlike(), ids) if missing else set()
    turns = linked.turns
    return found, [
        (int(ids[a]), int(ids[b]), then(turns[middle, b], turns[a, middle]))
        for (a, b), middle in sorted(missing.items())
        if (a, b) not in tried
    ]


def _partners(linked: Linked, chosen: npt.NDArray[np.bool_]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for a, b in zip(linked.a[chosen].tolist(), linked.b[chosen].tolist(), strict=True):
        found.setdefault(a, set()).add(b)
        found.setdefault(b, set()).add(a)
    return found


def _by_others(
    links: dict[int, set[int]], ranks: list[int], is_open: Callable[[Pair], bool], apart: set[Pair]
) -> dict[Pair, int]:
    """Return pairs of images that are both like one that may not stand with them, as it lies elsewhere."""
    found: dict[Pair, int] = {}
    for middle, around in links.items():
        if ranks[middle] == _NOWHERE and len(around) > 1:
            first, *rest = sorted(around, key=lambda row: ranks[row])
            asked = (pair_of(first, row) for row in rest)
            found.update((pair, middle) for pair in asked if pair not in apart and is_open(pair))
    return found


def _members(star: list[int], numbers: dict[Pair, int], linked: Linked) -> list[Member]:
    keeper = star[0]
    made = []
    for row in star[1:]:
        number = numbers[pair_of(keeper, row)]
        turn = int(linked.pairs.turns[number])
        made.append(
            Member(
                int(linked.ids[row]),
                int(linked.pairs.kinds[number]),
                float(linked.pairs.probabilities[number]),
                turn if keeper < row else INVERSE[turn],
            )
        )
    return [Member(int(linked.ids[keeper]), max(each.kind for each in made), 1.0, 1), *made]


def _with_decisions(ids: Ids, files: FilesOf, decided: Decided) -> list[int]:
    """Return the ranks of images: those come last of which it was decided that they go."""
    ranks = np.full(len(ids), _NOWHERE, np.int64)
    ranks[np.searchsorted(ids, files.ids)] = files.image_ranks
    for image in decided.images.removed():
        row = int(np.searchsorted(ids, image))
        if row < len(ids) and ids[row] == image and ranks[row] != _NOWHERE:
            ranks[row] += 2 * len(files.rows) + 1
    found: list[int] = ranks.tolist()
    return found


def _within(pairs: DuplicatePairs, ids: Ids) -> set[Pair]:
    """Return the pairs among some images of which anything is known, as rows of these."""
    is_in = are_in(pairs.a, ids) & are_in(pairs.b, ids)
    a, b = (np.searchsorted(ids, side[is_in]).tolist() for side in (pairs.a, pairs.b))
    return set(zip(a, b, strict=True))


def _as_rows(pairs: set[Pair], ids: Ids) -> set[Pair]:
    if not pairs:
        return set()
    a, b = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    is_in = are_in(a, ids) & are_in(b, ids)
    rows = (np.searchsorted(ids, side[is_in]).tolist() for side in (a, b))
    return set(zip(*rows, strict=True))
