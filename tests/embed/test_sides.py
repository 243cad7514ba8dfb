"""What a model gives beside the vector, from its graph to `embed_each`."""

import numpy as np
import onnxruntime
import pytest

from lookalike.embed import embed_each, get_model, load_model, outputs_of
from lookalike.embed.efficientnet_lite import VARIANTS, build
from lookalike.embed.loading import read_packaged
from lookalike.embed.quantize import BOUNDS, quantize
from lookalike.embed.sides import SIDES
from lookalike.embed.sides.classes import decode


@pytest.fixture(scope="module")
def weights():
    return read_packaged(get_model("lite0").weights)


@pytest.fixture(scope="module")
def graph(weights):
    return build(weights, VARIANTS["lite0"], ("classes",))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), np.uint8)


def run(graph, images):
    return onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(
        None, {"images": images}
    )


def test_last_layer_is_that_of_the_weights(weights, graph, images):
    features, classes = run(graph, images)
    assert np.allclose(features @ weights["_fc.weight"].T + weights["_fc.bias"], classes, atol=1e-3)


def test_features_are_those_of_the_graph_without_a_last_layer(weights, graph, images):
    assert np.array_equal(run(graph, images)[0], run(build(weights, VARIANTS["lite0"]), images)[0])


def test_last_layer_in_8_bits_says_what_the_exact_one_says_of_the_same_features(weights, graph, images):
    features, classes = run(quantize(graph, BOUNDS["lite0"]), images)
    exact = features @ weights["_fc.weight"].T + weights["_fc.bias"]
    assert np.abs(exact - classes).max() < 0.1  # measured: 0.058
    assert exact.std(axis=1).min() > 0.6
    assert np.array_equal(exact.argmax(axis=1), classes.argmax(axis=1))


def test_embedder_gives_both_in_one_pass_as_each_alone(images):
    embedder = load_model("lite0-int8")
    outputs, reasons = embed_each(embedder, images)
    assert not reasons and list(outputs.sides) == ["classes"]
    assert np.array_equal(outputs.vectors, embedder.embed(images))
    assert outputs.sides["classes"].shape == (3, SIDES["classes"].width)
    again = type(outputs).stack([outputs.of(row) for row in range(3)])
    assert np.array_equal(again.sides["classes"], outputs.sides["classes"])
    assert np.array_equal(again.vectors, outputs.vectors)
    _, probabilities = decode(outputs.sides["classes"])
    assert (probabilities.sum(axis=1) > 0).all() and (probabilities.sum(axis=1) < 1.1).all()


def test_no_images_give_no_rows():
    outputs = load_model("lite0-int8").embed_with_sides(np.empty((0, 224, 224, 3), np.uint8))
    assert outputs.vectors.shape == (0, 1280) and outputs.sides["classes"].shape == (0, 60)


def test_model_without_sides_gives_none():
    outputs = outputs_of(load_model("pixels-8-rgb"), np.zeros((2, 8, 8, 3), np.uint8))
    assert outputs.vectors.shape == (2, 192) and outputs.sides == {}
