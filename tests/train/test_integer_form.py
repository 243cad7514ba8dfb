"""The 8-bit form of a fine-tuned network: which is used, and how its bounds are found. Without torch."""

import numpy as np
import pytest

from lookalike.embed import efficientnet_lite as lite
from lookalike.embed import get_model, read_packaged
from lookalike.embed.bounds import best_bound, measure_bounds
from lookalike.embed.quantize import BOUNDS
from lookalike.train.integer_form import is_as_good
from pictures import picture


def test_a_bound_is_the_one_of_least_error():
    sizes = np.abs(np.random.default_rng(0).normal(size=50_000)).astype(np.float32)

    def error(bound):
        step = bound / 127.5
        return float(np.square(sizes - np.clip(np.rint(sizes / step), 0, 127) * step).mean())

    found = best_bound(sizes, float(sizes.max()))
    finest = min(error(bound) for bound in np.linspace(0.5, sizes.max(), 400))
    assert error(found) <= 1.05 * finest


def test_one_rare_number_is_cut_off_where_it_would_cost_the_others():
    sizes = np.append(np.random.default_rng(0).uniform(0, 0.1, 1_000_000), 1).astype(np.float32)
    assert best_bound(sizes, 1.0) < 0.6  # to round all in steps of 1/128 would cost more than the one does


def test_nothing_at_all_has_a_bound():
    assert best_bound(np.zeros(5, np.float32), 0.0) == 1.0


def test_bounds_of_the_published_network_are_about_those_that_are_frozen():
    weights = read_packaged(get_model("lite0").weights)
    graph = lite.build(weights, lite.VARIANTS["lite0"])
    images = [np.asarray(picture(seed, 224).convert("RGB").resize((224, 224))) for seed in range(4)]
    found = np.array(measure_bounds(graph, images, "lite0"))
    frozen = np.array(BOUNDS["lite0"])
    assert len(found) == len(frozen)
    assert np.median(np.abs(np.log(found / frozen))) < np.log(2)  # of other images: 1.3 times apart


@pytest.mark.parametrize(("rounded", "is_good"), [(0.795, True), (0.794, False), (0.9, True)])
def test_what_loses_more_than_half_a_hundredth_is_not_used(rounded, is_good):
    assert is_as_good({"a": {"mAP": 0.8}, "a-int8": {"mAP": rounded}}, "a") is is_good
    assert is_as_good({}, "a")
