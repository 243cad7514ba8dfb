"""How much labels agree with what lies near each other."""

import numpy as np
import pytest

from lookalike.evaluate.agreement import draw_sample, measure_agreement, most_images


def agreement(vectors, codes, metric="cosine"):
    precision, chance = measure_agreement(vectors, np.asarray(codes), metric)
    return (precision - chance) / (1 - chance)


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def slow(vectors, codes, metric):
    """The same, word for word."""
    found = []
    for row in range(len(codes)):
        others = np.delete(np.arange(len(codes)), row)
        far = (
            -vectors[others] @ vectors[row]
            if metric == "cosine"
            else np.linalg.norm(vectors[others] - vectors[row], axis=1)
        )
        n = int((codes[others] == codes[row]).sum())
        found.append((codes[others][np.argsort(far)[:n]] == codes[row]).mean())
    return float(np.mean(found))


def test_on_a_line_by_hand():
    vectors = np.array([[0], [1], [10], [11], [2]], np.float32)
    precision, chance = measure_agreement(vectors, np.array([0, 0, 1, 1, 0]), "euclidean")
    assert precision == 1.0
    assert chance == pytest.approx((3 * 2 + 2 * 1) / 5 / 4)
    # Of 0, 10 and 2, which have two others, one of the two nearest is right; of 1 and 11, none.
    mixed, _ = measure_agreement(vectors, np.array([0, 1, 0, 1, 0]), "euclidean")
    assert mixed == pytest.approx((0.5 + 0 + 0.5 + 0 + 0.5) / 5)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_as_it_is_defined(metric):
    random = np.random.default_rng(0)
    vectors, codes = unit(random.normal(size=(300, 8))), random.integers(0, 7, 300)
    vectors = vectors if metric == "cosine" else 3 * vectors + random.normal(size=(300, 8)).astype(np.float32)
    found, _ = measure_agreement(vectors, codes, metric)
    assert found == pytest.approx(slow(vectors, codes, metric), abs=1e-6)


@pytest.mark.parametrize("n_labels", [2, 12, 60])
def test_labels_dealt_out_at_random_are_chance_and_true_ones_are_not(n_labels):
    random = np.random.default_rng(n_labels)
    centers = random.normal(size=(n_labels, 32))
    codes = random.integers(0, n_labels, 600)
    vectors = unit(centers[codes] + 0.3 * random.normal(size=(600, 32)))
    assert agreement(vectors, codes) > 0.8
    assert abs(agreement(vectors, random.permutation(codes))) < 0.02


def test_series_in_folders_that_say_nothing_are_no_agreement():
    random = np.random.default_rng(1)
    scenes = unit(random.normal(size=(600, 32)))
    series = unit(np.repeat(scenes, 3, axis=0) + 0.01 * random.normal(size=(1_800, 32)))
    months = np.repeat(random.integers(0, 60, 600), 3)
    nearest = np.argsort(-(series @ series.T), axis=1)[:, 1]
    assert (months[nearest] == months).mean() > 0.99  # by precision at 1 they would tell everything
    assert agreement(series, months) < 0.1


def test_images_that_nothing_tells_apart_are_chance():
    assert agreement(np.ones((40, 4), np.float32) / 2, np.arange(40) % 4) == pytest.approx(0)


def test_sample_is_of_labels_that_others_have_too_and_of_none_much_more():
    codes = np.array([-1, -1, 0, 1, 1, 2, *[3] * 50])
    assert draw_sample(codes).tolist() == [3, 4, *range(6, 56)]
    large = np.concatenate([np.zeros(10_000, int), np.repeat(np.arange(1, 200), 10)])
    rows = draw_sample(large, 500)
    counts = np.bincount(large[rows])
    assert len(rows) <= 500
    assert set(counts[counts > 0].tolist()) <= {10, 16}  # whole, or as many as there is room for
    assert rows.tolist() == draw_sample(large, 500).tolist()
    assert rows.tolist() != draw_sample(large, 500, random_state=1).tolist()
    assert len(draw_sample(np.full(5, -1))) == 0


def test_sample_of_many_dimensions_stays_within_bounds():
    assert most_images(1_280) == 2_000
    assert most_images(786_432) * 786_432 <= 40_000_000
