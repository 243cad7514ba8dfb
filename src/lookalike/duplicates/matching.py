"""Verifies candidates: pairs of pictures, many at once, each picture read once for most of its pairs.

Pairs wait in the order of the candidates, some thousand at a time, and are taken in rounds: of those that
wait, each that has a picture that is new to the round. These are a forest, and each tells something about the
others: a pair is *settled*, and passed over,

- where its pictures are of one family already, being joined by pictures of which each is surely the next
  one, edited, and each was laid on one that is nearly as close (of a family of 37, some 45 to 80 pairs are
  verified, not 666);
- where a pair of their families was verified that is about as close, and surely is not one picture: pages of
  one form, each with its copies, are not all laid on one another.

Whoever makes groups verifies what is missing of them. What is sure is what the trees say (`trees`): by how
well pictures fit alone, pages of one form would be joined, and drawings could not be.

Threads share the pairs of a round; decoding and the kernels run side by side. Pictures that were read are
kept, the last used ones, some 60 KB each. Evidence is handed on after some seconds, or some thousand pairs.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, TypeAlias

import numpy as np

from lookalike.duplicates.candidates import Candidates
from lookalike.duplicates.evidence import Evidence, nothing
from lookalike.duplicates.looks import Look
from lookalike.duplicates.trees import numbers_of, one_picture
from lookalike.duplicates.verifying import verify as verify_pair
from lookalike.system.progress import UNWATCHED, Progress, Watch
from lookalike.types import Ids

Looks: TypeAlias = Callable[[Sequence[int]], Mapping[int, bytes]]
"""Gives thumbnails by the ids of their images; those that are not there are left out."""

Verify: TypeAlias = Callable[[Look, Look, int, tuple[int, int]], Evidence]
"""As `verifying.verify`."""

_SURE = math.log(0.95 / 0.05)  # log-odds: one picture at a chance of 0.95, none at 0.05
_NEARLY = 0.3  # as close as a pair is, to be nearly as close: six bits of a hash
_ABOUT = 0.05  # to be about as close

_WAITING = 4_096  # pairs
_GROUP = 128  # pairs whose pictures are read together
_TASK = 8  # pairs that a thread takes
_MOST_PICTURES = 4_096  # that are kept: 250 MB
_BLOCK_ROWS, _BLOCK_SECONDS = 2_048, 5.0  # after which evidence is handed on
_ASKED_AGAIN = 0.3  # seconds that are waited before it is asked whether to go on


class _Pair(NamedTuple):
    """The ids of two pictures, the turn, the closeness."""

    a: int
    b: int
    turn: int
    closeness: float


@dataclass(slots=True)
class Matching:
    """What verifies candidates, which may come part by part.

    Attributes
    ----------
    looks : callable
        Gives thumbnails, some hundred at a time; called in the thread that matches. Pairs of an image without
        one that can be read are passed over.
    keep : callable
        Given evidence, block after block, in that thread; also when the work is stopped.
    jobs : int
        Threads.
    verify : callable
        What lays one picture on another.
    families : Families
        What was found so far.
    """

    looks: Looks
    keep: Callable[[Evidence], None]
    jobs: int
    verify: Verify = verify_pair
    families: Families = field(default_factory=lambda: Families())

    def match(self, ids: Ids, candidates: Candidates, watch: Watch = UNWATCHED) -> None:
        """Verify candidates.

        Parameters
        ----------
        ids : (n,) int64
            Of the images that rows of the candidates are numbers of.
        candidates : Candidates
            In the order in which they are to be taken.
        watch : Watch
        """
        n, coming = len(candidates.a), _pairs(ids, candidates)
        block = _Block(self.keep)
        waiting: list[_Pair] = []
        n_done = 0
        with ThreadPoolExecutor(self.jobs) as pool:
            work = _Work(_Pictures(self.looks, pool), self.verify, pool)
            try:
                while waiting := waiting + list(islice(coming, _WAITING - len(waiting))):
                    chosen, left = _next_round(waiting, self.families)
                    n_done += len(waiting) - len(chosen) - len(left)
                    for pair, evidence in work.verified(chosen, watch):
                        watch(Progress("comparing", n_done, n, "comparing pairs", unit="pairs"))
                        self.families.add(pair, evidence)
                        block.add(evidence)
                        n_done += 1
                    waiting = left
            finally:
                pool.shutdown(cancel_futures=True)
                block.hand_on()
        watch(Progress("comparing", n, n, "comparing pairs", unit="pairs"))


def _pairs(ids: Ids, candidates: Candidates) -> Iterator[_Pair]:
    """Give all pairs, some thousand as Python's numbers at a time."""
    for start in range(0, len(candidates.a), _WAITING):
        part = slice(start, start + _WAITING)
        a, b = ids[candidates.a[part]], ids[candidates.b[part]]
        columns = a, b, candidates.turn[part], candidates.closeness[part]
        yield from map(_Pair, *(column.tolist() for column in columns))


def _next_round(waiting: list[_Pair], laid: Families) -> tuple[list[_Pair], list[_Pair]]:
    """Return the pairs to be verified next, and those that are left; settled ones are in neither."""
    seen: set[int] = set()
    chosen, left = [], []
    for pair in waiting:
        if laid.settle(pair):
            continue
        if pair.a in seen and pair.b in seen:
            left.append(pair)
        else:
            seen.update(pair[:2])
            chosen.append(pair)
    return chosen, left


class Families:
    """Which pictures are surely of one family, and which families surely are not one."""

    def __init__(self) -> None:
        self._parents: dict[int, int] = {}
        self._closest: dict[int, float] = {}  # how close the closest of its family is that it was laid on
        self._apart: dict[
            tuple[int, int], float
        ] = {}  # how close the closest of two families is, not being one

    def add(self, pair: _Pair, evidence: Evidence) -> None:
        """Take in what was found of a pair; nothing, where the two are unlike."""
        odds = float(one_picture().ask(numbers_of(evidence))[0]) if len(evidence) else -math.inf
        if odds >= _SURE:
            one, other = self._families_of(pair)
            self._parents[one] = other
            for picture in pair[:2]:
                closest = self._closest.get(picture, pair.closeness)
                self._closest[picture] = min(closest, pair.closeness)
        elif odds <= -_SURE:
            two = self._families_of(pair)
            self._apart[two] = min(self._apart.get(two, pair.closeness), pair.closeness)

    def settle(self, pair: _Pair) -> bool:
        """Tell whether a pair need not be verified."""
        one, other = self._families_of(pair)
        if one == other:
            return max(self._closest[pair.a], self._closest[pair.b]) <= pair.closeness + _NEARLY
        return self._apart.get((one, other), math.inf) <= pair.closeness + _ABOUT

    def _families_of(self, pair: _Pair) -> tuple[int, int]:
        one, other = self._first_of(pair.a), self._first_of(pair.b)
        return min(one, other), max(one, other)

    def _first_of(self, picture: int) -> int:
        """Return what stands for the family of a picture."""
        parents = self._parents
        while (parent := parents.get(picture, picture)) != picture:
            parents[picture] = parents.get(parent, parent)
            picture = parent
        return picture


class _Block:
    """Evidence that is not handed on yet."""

    def __init__(self, keep: Callable[[Evidence], None]) -> None:
        self._keep = keep
        self._parts: list[Evidence] = []
        self._since = time.monotonic()

    def add(self, evidence: Evidence) -> None:
        if len(evidence):
            self._parts.append(evidence)
        if len(self._parts) >= _BLOCK_ROWS or time.monotonic() - self._since > _BLOCK_SECONDS:
            self.hand_on()

    def hand_on(self) -> None:
        parts, self._parts = self._parts, []
        self._since = time.monotonic()
        if parts:
            self._keep(np.concatenate(parts))


class _Pictures:
    """Pictures that are decoded, or about to be; the last used ones."""

    def __init__(self, looks: Looks, pool: ThreadPoolExecutor) -> None:
        self._looks, self._pool = looks, pool
        self._there: OrderedDict[int, Future[Look | None]] = OrderedDict()

    def of(self, ids: Sequence[int]) -> dict[int, Future[Look | None]]:
        """Return some; what is not there yet is read, and given to the threads to decode."""
        missing = [image for image in ids if image not in self._there]
        thumbnails = self._looks(missing) if missing else {}
        for image in missing:
            self._there[image] = self._pool.submit(_look, thumbnails.get(image))
        for image in ids:
            self._there.move_to_end(image)
        found = {image: self._there[image] for image in ids}
        while len(self._there) > _MOST_PICTURES:
            self._there.popitem(last=False)
        return found


def _look(thumbnail: bytes | None) -> Look | None:
    """Return a picture; None where there is none that can be read."""
    try:
        return None if thumbnail is None else Look.of(thumbnail)
    except OSError:
        return None


class _Work(NamedTuple):
    """What verifies the pairs of a round."""

    pictures: _Pictures
    verify: Verify
    pool: ThreadPoolExecutor

    def verified(self, pairs: list[_Pair], watch: Watch) -> Iterator[tuple[_Pair, Evidence]]:
        """Give each pair with its evidence, in order; while some are verified, the next are read."""
        running: deque[tuple[list[_Pair], Future[list[Evidence]]]] = deque()
        for start in range(0, len(pairs), _GROUP):
            group = pairs[start : start + _GROUP]
            # Tasks begin in the order in which they are given: none waits for one that comes after it.
            looks = self.pictures.of(list(dict.fromkeys(image for pair in group for image in pair[:2])))
            before = len(running)
            for first in range(0, len(group), _TASK):
                some = group[first : first + _TASK]
                running.append((some, self.pool.submit(self._verify, some, looks)))
            for _ in range(before):
                yield from _answered(*running.popleft(), watch)
        while running:
            yield from _answered(*running.popleft(), watch)

    def _verify(self, pairs: list[_Pair], looks: Mapping[int, Future[Look | None]]) -> list[Evidence]:
        found = []
        for pair in pairs:
            one, other = looks[pair.a].result(), looks[pair.b].result()
            if one is None or other is None:
                found.append(nothing())
            else:
                found.append(self.verify(one, other, pair.turn, (pair.a, pair.b)))
        return found


def _answered(
    pairs: list[_Pair], future: Future[list[Evidence]], watch: Watch
) -> Iterator[tuple[_Pair, Evidence]]:
    while not wait([future], _ASKED_AGAIN).done:
        watch.check()
    yield from zip(pairs, future.result(), strict=True)
