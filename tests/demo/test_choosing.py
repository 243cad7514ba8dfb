"""What the demo shows: chosen for what it tells, whatever the order of the images."""

import numpy as np
import pytest

from lookalike.demo.choosing import (
    SAME,
    choose_distinct,
    choose_groups,
    choose_members,
    choose_mosaic,
    choose_queries,
    colorfulness,
    nearest,
)
from lookalike.query.embedding import NEGATIVE_WEIGHT

K = 4


def unit(rows) -> np.ndarray:
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def clouds(sizes, spread=0.5, seed=0) -> tuple[np.ndarray, np.ndarray]:
    """Return groups of unit vectors around axes, and the number of each one's group."""
    random = np.random.default_rng(seed)
    numbers = np.repeat(np.arange(len(sizes)), sizes)
    vectors = 3 * np.eye(16)[numbers] + spread * random.normal(size=(len(numbers), 16))
    return unit(vectors), numbers


def plain(rows) -> list[float]:
    return [0.5] * len(rows)


def test_queries_are_of_different_labels_and_find_their_own():
    vectors, numbers = clouds([12] * 6)
    labels = [f"label {number}" for number in numbers]
    chosen = choose_queries(vectors, labels, plain, 4, K)
    assert len({labels[row] for row in chosen.alone}) == 4
    hits, _ = nearest(vectors, np.array(chosen.alone), K)
    assert all(
        labels[hit] == labels[row] for row, found in zip(chosen.alone, hits, strict=True) for hit in found
    )


@pytest.mark.parametrize("seed", range(8))
def test_without_labels_queries_are_of_different_groups(seed):
    vectors, numbers = clouds([12] * 6, seed=seed)
    chosen = choose_queries(vectors, [None] * len(vectors), plain, 4, K)
    assert len(set(numbers[list(chosen.alone)])) == 4
    assert chosen.both is None or len(set(numbers[list(chosen.both)])) == 2


def test_a_label_is_shown_once_even_where_its_kinds_differ():
    vectors, numbers = clouds([12] * 4)
    labels = [("a", "a", "b", "c")[number] for number in numbers]
    chosen = choose_queries(vectors, labels, lambda rows: [labels[row] == "a" for row in rows], 3, K)
    assert sorted(labels[row] for row in chosen.alone) == ["a", "b", "c"]


def test_queries_that_find_nothing_but_copies_come_last():
    vectors, numbers = clouds([10, 10])
    vectors[:10] = unit(vectors[:1] + 0.01 * np.random.default_rng(1).normal(size=(10, 16)))
    chosen = choose_queries(vectors, [str(number) for number in numbers], plain, 1, K)
    assert numbers[chosen.alone[0]] == 1


def test_labels_that_mix_are_passed_over():
    vectors, numbers = clouds([12] * 4)
    labels = ["ab"[row % 2] if number == 0 else str(number) for row, number in enumerate(numbers)]
    chosen = choose_queries(vectors, labels, plain, 3, K)
    assert {labels[row] for row in chosen.alone} == {"1", "2", "3"}


def test_the_colorful_one_of_a_label_is_taken():
    vectors, numbers = clouds([12] * 4, spread=0.1)
    colorful = {3, 15, 27, 39}
    chosen = choose_queries(
        vectors,
        [str(number) for number in numbers],
        lambda rows: [float(row in colorful) for row in rows],
        4,
        4,
    )
    # Among the few of each label that agree best, all of them nearly as well.
    by_colors = choose_queries(vectors, [str(number) for number in numbers], plain, 4, 4)
    assert len(chosen.alone) == len(by_colors.alone) == 4
    assert sum(row in colorful for row in chosen.alone) >= sum(row in colorful for row in by_colors.alone)


def test_both_are_two_kinds_of_which_each_is_found():
    vectors, numbers = clouds([12] * 6)
    labels = [str(number) for number in numbers]
    one, other = choose_queries(vectors, labels, plain, 2, K).both
    assert labels[one] != labels[other]
    likeness = vectors @ (vectors[one] + vectors[other])
    likeness[[one, other]] = -np.inf
    found = {labels[row] for row in np.argsort(-likeness)[:K]}
    assert found == {labels[one], labels[other]}


@pytest.mark.parametrize("are_labelled", [True, False])
def test_what_is_not_wanted_is_found_is_no_copy_and_takes_others_away(are_labelled):
    # The last one finds four of another kind before eight of its own, from which the others lie apart.
    apart, _ = clouds([12], spread=0.35)
    vectors = np.zeros((25, 32), np.float32)
    vectors[:12, 16:] = apart
    vectors[12:20, 0], vectors[12:20, 4:12] = 1, 0.9 * np.eye(8)
    vectors[20:24, 0], vectors[20:24, 1], vectors[20:24, 12:16] = 0.55, 1, 0.6 * np.eye(4)
    vectors[24, :2] = 1, 0.6
    vectors = unit(vectors)
    labels = ["c"] * 12 + ["a"] * 8 + ["b"] * 4 + ["a"]
    chosen = choose_queries(vectors, labels if are_labelled else [None] * 25, plain, 1, 6)
    assert chosen.unlike is not None
    row, unwanted = chosen.unlike
    assert (row, labels[unwanted]) == (24, "b")
    likeness = vectors @ (vectors[row] - NEGATIVE_WEIGHT * vectors[unwanted])
    likeness[[row, unwanted]] = -np.inf
    assert {labels[hit] for hit in np.argsort(-likeness)[:6]} == {"a"}


def test_copies_are_never_a_pair_nor_a_query_with_what_is_not_wanted():
    # Pairs of one picture, as of a library that was copied: nothing else is alike.
    random = np.random.default_rng(0)
    originals = random.normal(size=(30, 16))
    vectors = unit(np.concatenate([originals, originals + 0.01 * random.normal(size=(30, 16))]))
    chosen = choose_queries(vectors, [None] * 60, plain, 4, K)
    pairs = [pair for pair in (chosen.both, chosen.unlike) if pair is not None]
    assert all(float(vectors[one] @ vectors[other]) < SAME for one, other in pairs)
    assert len({row % 30 for row in chosen.alone}) == 4


@pytest.mark.parametrize("n", [2, 3])
def test_two_or_three_images_are_enough(n):
    vectors = unit(np.eye(16)[:n])
    chosen = choose_queries(vectors, [None] * n, plain, 4, min(K, n - 1))
    assert len(chosen.alone) == n
    assert len(set(chosen.alone)) == n
    assert sorted(choose_mosaic(vectors, plain, 8)) == list(range(n))


def test_of_look_alikes_the_first_in_order_is_shown():
    vectors = unit([[1, 0, 0], [1, 0.1, 0], [0, 1, 0], [0, 1, 0.1], [0, 0, 1]])
    assert choose_distinct(vectors, [1, 0, 3, 2, 4], 5) == [1, 3, 4]
    assert choose_distinct(vectors, range(5), 2) == [0, 2]


def test_a_mosaic_holds_one_of_each_kind_the_colorful_first_in_mixed_order():
    vectors, numbers = clouds([9] * 12, spread=0.02)
    chosen = choose_mosaic(vectors, lambda rows: [numbers[row] / 12 for row in rows], 6)
    assert sorted(numbers[chosen]) == [6, 7, 8, 9, 10, 11]
    assert list(numbers[chosen]) != sorted(numbers[chosen])


def test_members_are_the_nearest_to_the_middle_each_once():
    vectors = unit([[1, 0.3], [1, 0.3], [1, -0.3], [1, 0], [0, 1]])
    assert choose_members(vectors, np.array([0, 1, 2, 3]), 3)[0] == 3
    assert len(choose_members(unit([[1, 0], [1, 0], [1, 0]]), np.array([0, 1, 2]), 3)) == 1


def test_groups_are_those_that_hold_together_not_the_largest():
    tight, _ = clouds([8, 8, 8], spread=0.3)
    loose = unit(np.random.default_rng(1).normal(size=(60, 16)))
    vectors = np.concatenate([loose, tight])
    groups = [np.arange(60), np.arange(60, 68), np.arange(68, 76), np.arange(76, 84)]
    assert set(choose_groups(vectors, [None] * 84, groups, plain, 3, 6)) == {1, 2, 3}


def test_of_two_groups_alike_one_is_shown():
    vectors, _ = clouds([8, 8], spread=0.3)
    twins = unit(vectors[:8] + 0.05)
    groups = [np.arange(8), np.arange(16, 24), np.arange(8, 16)]
    chosen = choose_groups(
        np.concatenate([vectors, twins]),
        [None] * 24,
        groups,
        lambda rows: [float(not 8 <= row < 16) for row in rows],
        2,
        6,
    )
    assert 2 in chosen
    assert len(chosen) == 2


def test_groups_of_copies_and_empty_ones_come_last():
    vectors, _ = clouds([6, 6], spread=0.3)
    copies = np.repeat(vectors[:1], 9, axis=0)
    groups = [np.arange(12, 21), np.array([], np.intp), np.arange(6), np.arange(6, 12)]
    assert set(choose_groups(np.concatenate([vectors, copies]), [None] * 21, groups, plain, 4, 5)) == {2, 3}
    assert choose_groups(copies, [None] * 9, [np.arange(9)], plain, 4, 5) == [0]


def test_colors_are_from_grey_to_one():
    grey = np.full((4, 4, 3), 128, np.uint8)
    red_and_blue = np.zeros((4, 4, 3), np.uint8)
    red_and_blue[:2, :, 0] = red_and_blue[2:, :, 2] = 255
    dull = (grey + red_and_blue // 8).astype(np.uint8)
    assert colorfulness(grey) == 0 < colorfulness(dull) < colorfulness(red_and_blue) == 1
