"""Near pairs are those that comparing all with all finds, in both ways; what is kept is bounded."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.duplicates import near_hashes, near_hashes_kernels
from lookalike.duplicates.near_hashes import RADIUS_PLAIN, RADIUS_TRIMMED, near_pairs
from lookalike.errors import CancelledError
from lookalike.system.progress import CancelToken, Watch

WAYS = pytest.mark.parametrize("by_chunks", [False, True])


def some_hashes(n, seed, most_flipped=14):
    """Hashes around few centers, in turns of their own, so that many pairs lie near the radius."""
    random = np.random.default_rng(seed)
    centers = random.integers(0, 2**64, (max(1, n // 6), 2, 8), np.uint64)
    hashes = centers[random.integers(0, len(centers), n)]
    for turns in hashes.reshape(-1, 8):
        random.shuffle(turns)
        for place in range(8):
            for bit in random.choice(64, random.integers(0, most_flipped), replace=False):
                turns[place] ^= np.uint64(1) << np.uint64(bit)
    has_no_margins = random.random(n) < 0.6
    hashes[has_no_margins, 1] = hashes[has_no_margins, 0]
    return hashes


def plainly(hashes, is_new):
    """All near pairs: (a, b) to (distance, is_trimmed, turn)."""
    found = {}
    for a in range(len(hashes)):
        for b in range(a + 1, len(hashes)):
            if not (is_new[a] or is_new[b]):
                continue
            ways = []
            for row, radius in ((0, RADIUS_PLAIN), (1, RADIUS_TRIMMED)):
                counts = [(int(hashes[a, row, 0]) ^ int(hashes[b, row, t])).bit_count() for t in range(8)]
                if min(counts) <= radius:
                    ways.append((min(counts), bool(row), counts.index(min(counts)) + 1))
            if ways:
                found[a, b] = min(ways)
    return found


def as_dict(pairs):
    return {
        (int(a), int(b)): (int(distance), bool(is_trimmed), int(turn))
        for a, b, turn, distance, is_trimmed in zip(*pairs[:5], strict=True)
    }


@WAYS
def test_by_hand(by_chunks):
    hashes = np.full((4, 2, 8), 0, np.uint64)
    hashes[0] = 0xFFFF_0000_FFFF_0000
    hashes[1] = 0x0F0F_0F0F_0F0F_0F0F
    hashes[1, :, 5] = 0xFFFF_0000_FFFF_0007  # 3 bits from the first, in turn 6
    hashes[2] = 0x0000_FFFF_0000_FFFF
    hashes[3] = 0x0000_FFFF_0000_FFFF ^ 0x7FF  # 11 bits: too many
    found = near_pairs(hashes, np.ones(4, bool), by_chunks=by_chunks)
    assert as_dict(found) == {(0, 1): (3, False, 6)}
    assert not found.is_bounded.any()


@WAYS
@settings(max_examples=40)
@given(n=st.integers(0, 60), seed=st.integers(0, 2**32), share=st.sampled_from([0.0, 0.2, 0.9, 1.0]))
def test_pairs_are_those_of_all_with_all(by_chunks, n, seed, share):
    hashes = some_hashes(n, seed)
    is_new = np.random.default_rng(seed + 1).random(n) < share
    found = near_pairs(hashes, is_new, by_chunks=by_chunks)
    assert as_dict(found) == plainly(hashes, is_new)
    assert (found.a < found.b).all()


def test_both_ways_agree_on_many():
    hashes = some_hashes(3_000, 5)
    is_new = np.random.default_rng(6).random(3_000) < 0.5
    one, other = (near_pairs(hashes, is_new, by_chunks=way) for way in (False, True))
    assert len(one.a) > 1_000
    for column, again in zip(one, other, strict=True):
        np.testing.assert_array_equal(column, again)


@WAYS
def test_of_pictures_that_are_all_alike_each_keeps_its_nearest(by_chunks):
    hashes = np.full((3_000, 2, 8), 0x8000_0000_0000_0000, np.uint64)
    found = near_pairs(hashes, np.ones(3_000, bool), most=5, by_chunks=by_chunks)
    assert found.is_bounded.all()
    assert (found.turn == 1).all()
    # Of equal ones, those of the lowest rows are kept.
    assert set(found.a.tolist()) == set(range(5))
    assert len(found.a) == 5 * 2_995 + 10


@WAYS
def test_bounded_are_those_that_have_more(by_chunks):
    hashes = np.random.default_rng(0).integers(0, 2**64, (40, 2, 8), np.uint64)
    hashes[:, 1] = hashes[:, 0]
    hashes[:8] = hashes[0]
    for row in range(8):  # the farther, the later
        hashes[row, :, :] ^= np.uint64((1 << row) - 1)
    found = near_pairs(hashes, np.ones(40, bool), most=6, by_chunks=by_chunks)
    assert found.is_bounded[:8].all()
    assert not found.is_bounded[8:].any()
    kept = set(zip(found.a.tolist(), found.b.tolist(), strict=True))
    assert (0, 7) not in kept, "for each of the two there are six that are nearer"
    assert len(kept) == 8 * 7 // 2 - 1
    assert not near_pairs(hashes, np.ones(40, bool), most=7, by_chunks=by_chunks).is_bounded.any()


@WAYS
def test_a_full_buffer_is_emptied_and_gone_on_with(by_chunks, monkeypatch):
    hashes = some_hashes(400, 11, most_flipped=4)
    is_new = np.ones(400, bool)
    at_once = near_pairs(hashes, is_new, by_chunks=by_chunks)
    monkeypatch.setattr(near_hashes, "_ROOM", 2_049)
    piecemeal = near_pairs(hashes, is_new, by_chunks=by_chunks)
    for column, again in zip(at_once, piecemeal, strict=True):
        np.testing.assert_array_equal(column, again)


@pytest.mark.parametrize("radius", range(12))
def test_of_hashes_within_the_radius_one_chunk_is_within_its_limit(radius):
    limits = near_hashes._limits(radius)
    assert (limits + 1).sum() == radius + 1
    for limit in limits:
        masks = near_hashes._masks(int(limit))
        counted = [int(mask).bit_count() for mask in masks]
        assert len(set(masks.tolist())) == len(masks)
        assert all(count <= limit for count in counted)


def test_many_hashes_are_compared_by_chunks_unless_they_crowd():
    spread = np.random.default_rng(0).integers(0, 2**64, 60_000, np.uint64)
    crowded = spread.copy()
    crowded[:20_000] = 0x8000_0000_0000_0000  # a third are white pages
    assert near_hashes._is_better_joined(spread, 1.8e9)
    assert not near_hashes._is_better_joined(spread[:9_000], 4e7)
    assert not near_hashes._is_better_joined(crowded, 1.8e9)
    assert near_hashes._is_better_joined(crowded, 5e11)


def test_there_is_an_end_to_it_when_it_is_cancelled():
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        near_pairs(some_hashes(100, 1), np.ones(100, bool), watch=Watch(cancel=token))


def test_hashes_that_are_sorted_by_a_chunk_are_all_there():
    hashes = some_hashes(50, 3)[:, 1]
    rows = np.arange(0, 50, 3, dtype=np.uint32)
    for chunk in range(4):
        buckets = near_hashes_kernels.sort(hashes, rows, 8, chunk)
        assert len(buckets.sorted) == 8 * len(rows) == buckets.starts[-1]
        chunks = buckets.sorted >> np.uint64(16 * chunk) & np.uint64(0xFFFF)
        assert (np.diff(chunks.astype(int)) >= 0).all()
        for hashed, named in zip(buckets.sorted, buckets.named.tolist(), strict=True):
            assert hashed == hashes[named // 8, named % 8]
