"""Candidates are verified once, in order, but for those that are settled; what is found is not lost."""

import threading
import time
from functools import cache

import numpy as np
import pytest
from PIL import Image

from lookalike.duplicates import matching
from lookalike.duplicates.candidates import Candidates
from lookalike.duplicates.evidence import nothing
from lookalike.duplicates.looks import Look
from lookalike.duplicates.matching import Matching
from lookalike.duplicates.trees import numbers_of, one_picture
from lookalike.duplicates.verifying import verify
from lookalike.errors import CancelledError
from lookalike.images.thumbnails import encode_thumbnail
from lookalike.system.progress import CancelToken, Watch

JPEG = encode_thumbnail(Image.new("RGB", (40, 30), "gray"))


def candidates_of(pairs):
    """Candidates, of pairs (a, b, closeness)."""
    a, b, closeness = (np.array(column) for column in zip(*pairs, strict=True)) if pairs else ([], [], [])
    return Candidates(
        np.asarray(a, np.intp),
        np.asarray(b, np.intp),
        np.ones(len(a), np.uint8),
        np.asarray(closeness, np.float32),
        0,
    )


def looked_at(one, other):
    """What is measured of two pictures, really."""
    return verify(Look.of(encode_thumbnail(one)), Look.of(encode_thumbnail(other)))


def chance_of(evidence):
    return float(1 / (1 + np.exp(-one_picture().ask(numbers_of(evidence))[0])))


@cache
def sorts():
    """What is measured of two that surely are one picture, surely none, and of which nobody can be sure."""
    random = np.random.default_rng(0)
    spots, others = (
        Image.fromarray(random.integers(0, 256, (9, 12, 3), np.uint8)).resize(
            (256, 192), Image.Resampling.BICUBIC
        )
        for _ in range(2)
    )
    surely = looked_at(spots, spots.resize((200, 150)))
    none = looked_at(spots, Image.blend(spots, others, 0.55))
    found = {"one": surely, "none": none}
    for share in np.linspace(0, 1, 400):
        row = surely.copy()
        for name in ("score", "details"):
            row[name] = share * surely[name] + (1 - share) * none[name]
        if 0.2 < chance_of(row) < 0.8:
            found["doubtful"] = row
    return found


def evidence_of(ids, sort="one"):
    row = sorts()[sort].copy()
    row["a"], row["b"] = ids
    return row


def test_what_the_stand_in_says_is_what_it_is_called():
    chances = {sort: chance_of(row) for sort, row in sorts().items()}
    assert chances["one"] > 0.95
    assert chances["none"] < 0.05
    assert 0.2 < chances["doubtful"] < 0.8


class Verifier:
    """Stands for `verify`: says what it is told of each pair, and notes what it was asked."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []
        self._lock = threading.Lock()

    def __call__(self, a, b, turn, ids):
        with self._lock:
            self.asked.append(ids)
        return self.answer(ids)


def run(pairs, verifier, n=None, jobs=2, looks=None, keep=None, **more):
    kept = []
    ids = 100 + np.arange(n or 1 + max((b for _, b, _ in pairs), default=0))
    matching = Matching(
        looks or (lambda some: dict.fromkeys(some, JPEG)), keep or kept.append, jobs, verifier
    )
    matching.match(ids, candidates_of(pairs), **more)
    return {(int(row["a"]), int(row["b"])) for block in kept for row in block}


def family(members, closeness=0.1):
    return [(a, b, closeness) for b in members for a in members if a < b]


def test_every_pair_of_strangers_is_verified_once():
    pairs = family(range(12))
    verifier = Verifier(lambda ids: nothing())
    assert run(pairs, verifier) == set()
    assert sorted(verifier.asked) == [(100 + a, 100 + b) for a in range(12) for b in range(a + 1, 12)]


@pytest.mark.parametrize("jobs", [1, 3])
def test_of_a_family_each_is_laid_on_the_first(jobs):
    verifier = Verifier(evidence_of)
    found = run(family(range(37)), verifier, jobs=jobs)
    assert found == {(100, 100 + member) for member in range(1, 37)}
    assert len(verifier.asked) == 36


def test_a_family_is_of_pictures_of_which_each_fits_the_next():
    chain = [(first, first + 1, 0.1) for first in range(9)]
    verifier = Verifier(evidence_of)
    run([*chain, (0, 9, 0.1), (2, 7, 0.1)], verifier, n=10)
    assert sorted(verifier.asked) == [(100 + a, 100 + b) for a, b, _ in chain]


def test_the_closest_of_a_family_are_verified_also_when_they_come_late():
    pairs = [(0, 1, 0.5), (0, 2, 0.5), (1, 2, 0.1), (0, 3, 0.5), (1, 3, 0.5)]
    assert run(pairs, Verifier(evidence_of)) == {(100, 101), (100, 102), (101, 102), (100, 103)}


@pytest.mark.parametrize("sort", ["doubtful", "none"])
def test_what_is_not_surely_one_picture_joins_no_family(sort):
    verifier = Verifier(lambda ids: evidence_of(ids, sort))
    assert len(run(family(range(8)), verifier)) == 28


def of_two_families(ids):
    """Pictures 100, 102, … are one, and 101, 103, …; the two are pages of one form."""
    return evidence_of(ids, "one" if (ids[0] - ids[1]) % 2 == 0 else "none")


def test_of_two_families_not_all_are_laid_on_one_another():
    within = [(a, b, 0.1) for a, b, _ in family(range(20)) if (a - b) % 2 == 0]
    between = [(a, b, 0.3) for a, b, _ in family(range(20)) if (a - b) % 2]
    found = run(within + between, Verifier(of_two_families))
    assert 1 <= len([pair for pair in found if (pair[0] - pair[1]) % 2]) <= 20 < len(between)


def test_of_two_families_a_pair_that_is_closer_than_those_seen_is_verified():
    families = matching.Families()
    for a, b, closeness in [(0, 2, 0.1), (1, 3, 0.1), (0, 1, 0.3)]:
        families.add(matching._Pair(a, b, 1, closeness), of_two_families((a, b)))
    assert families.settle(matching._Pair(0, 3, 1, 0.26))
    assert not families.settle(matching._Pair(2, 3, 1, 0.2))


def test_two_families_of_which_a_pair_is_doubtful_are_not_told_apart():
    def answer(ids):
        return evidence_of(ids, "one" if (ids[0] - ids[1]) % 2 == 0 else "doubtful")

    within = [(a, b, 0.1) for a, b, _ in family(range(6)) if (a - b) % 2 == 0]
    between = [(a, b, 0.3) for a, b, _ in family(range(6)) if (a - b) % 2]
    found = run(within + between, Verifier(answer))
    assert len([pair for pair in found if (pair[0] - pair[1]) % 2]) == 9


def test_each_is_told_the_turn_and_the_ids():
    told = []

    def verify(a, b, turn, ids):
        told.append((turn, ids))
        return nothing()

    some = candidates_of([(0, 2, 0.1)])._replace(turn=np.array([6], np.uint8))
    Matching(lambda ids: dict.fromkeys(ids, JPEG), list, 1, verify).match(np.array([5, 7, 9]), some)
    assert told == [(6, (5, 9))]


def test_pairs_without_a_thumbnail_that_can_be_read_are_passed_over():
    def looks(some):
        return {each: b"broken" if each == 102 else JPEG for each in some if each != 101}

    verifier = Verifier(evidence_of)
    pairs = [(0, 1, 0.1), (0, 2, 0.1), (0, 3, 0.1), (1, 2, 0.1)]
    assert run(pairs, verifier, looks=looks) == {(100, 103)}


def test_each_thumbnail_is_read_once_for_pairs_that_are_near_in_order():
    read = []

    def looks(some):
        read.extend(some)
        return dict.fromkeys(some, JPEG)

    pairs = [pair for first in range(0, 600, 6) for pair in family(range(first, first + 6))]
    run(pairs, Verifier(lambda ids: nothing()), looks=looks)
    assert len(read) == len(set(read)) == 600


def test_only_so_many_pictures_are_kept(monkeypatch):
    monkeypatch.setattr(matching, "_MOST_PICTURES", 8)
    monkeypatch.setattr(matching, "_GROUP", 4)
    read = []

    def looks(some):
        read.extend(some)
        return dict.fromkeys(some, JPEG)

    pairs = [(first, first + 50, 0.1) for _ in range(2) for first in range(50)]
    run(pairs, Verifier(lambda ids: evidence_of(ids, "doubtful")), looks=looks)
    assert len(read) == 200, "those that were given up are read again"


def test_blocks_of_evidence_come_while_it_works(monkeypatch):
    monkeypatch.setattr(matching, "_BLOCK_ROWS", 10)
    blocks = []
    run([(first, first + 100, 0.1) for first in range(100)], Verifier(evidence_of), keep=blocks.append)
    assert [len(block) for block in blocks] == [10] * 10


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_was_found_before_it_is_cancelled_is_handed_on(jobs):
    token = CancelToken()
    blocks, counted = [], []

    def answer(ids):
        counted.append(ids)
        if len(counted) == 500:
            token.cancel()
        return evidence_of(ids)

    pairs = [(first, first + 3_000, 0.1) for first in range(3_000)]
    with pytest.raises(CancelledError):
        run(pairs, Verifier(answer), keep=blocks.append, jobs=jobs, watch=Watch(cancel=token))
    assert 0 < sum(map(len, blocks)) <= len(counted) < 1_500


def test_it_is_cancelled_while_a_pair_takes_long():
    token = CancelToken()
    released = threading.Event()

    def slow(ids):
        token.cancel()
        released.wait(1.5)
        return nothing()

    began = time.monotonic()
    with pytest.raises(CancelledError):
        run([(0, 1, 0.1)], Verifier(slow), watch=Watch(cancel=token))
    assert time.monotonic() - began < 10
    released.set()


def test_an_error_of_who_keeps_is_not_hidden():
    calls = []

    def keep(block):
        calls.append(len(block))
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        run([(0, 1, 0.1)], Verifier(evidence_of), keep=keep)
    assert calls == [1]


def test_progress_counts_settled_pairs_too():
    told = []
    run(family(range(30)), Verifier(evidence_of), watch=Watch(told.append))
    assert {each.phase for each in told} == {"comparing"}
    done = [each.done for each in told]
    assert done == sorted(done)
    assert (told[-1].done, told[-1].total, told[-1].unit) == (435, 435, "pairs")


def test_without_candidates_nothing_is_done():
    verifier = Verifier(evidence_of)
    assert run([], verifier, n=3) == set()
    assert verifier.asked == []


def test_the_same_is_found_with_any_number_of_threads():
    random = np.random.default_rng(0)
    pairs = sorted({(int(min(a, b)), int(max(a, b))) for a, b in random.integers(0, 60, (700, 2)) if a != b})
    weighed = [(a, b, float(random.choice([0.1, 0.2, 0.3]))) for a, b in pairs]
    alike = {pair: bool(random.random() < 0.5) for pair in pairs}

    def answer(ids):
        return evidence_of(ids) if alike[ids[0] - 100, ids[1] - 100] else nothing()

    one, three = Verifier(answer), Verifier(answer)
    assert run(weighed, one, jobs=1) == run(weighed, three, jobs=3)
    assert sorted(one.asked) == sorted(three.asked)
    assert len(one.asked) < len(pairs)
