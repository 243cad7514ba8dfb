"""The network of three depths, and how these are whitened."""

import dataclasses

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from lookalike.embed import get_model, load_model, read_packaged, unit_rows
from lookalike.embed.efficientnet_lite import DEPTHS, build_depths
from lookalike.embed.quantize import BOUNDS, quantize
from lookalike.embed.whitening import AXES, WEIGHTS, Part, Whitening, load_whitening, write_parts
from lookalike.errors import ModelDamagedError
from lookalike.four_bits import rounded


@pytest.fixture(scope="module")
def graph():
    return build_depths(read_packaged(get_model("lite0").weights))


@pytest.fixture(scope="module")
def images():
    small = np.random.default_rng(0).integers(0, 256, (3, 7, 7, 3), np.uint8)
    return small.repeat(32, axis=1).repeat(32, axis=2)


def run(graph, images, *outputs):
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return session.run(list(outputs) or None, {"images": images})


def cosines(one, other):
    return (unit_rows(one) * unit_rows(other)).sum(axis=1)


def with_maps(graph):
    """Return the graph with what its poolings take as outputs, and the names of these by what they make."""
    model = onnx.load_from_string(graph)
    made_by = {node.output[0]: node for node in model.graph.node}
    blocks = {name: made_by[made_by[name].input[0]].input[0] for name in ("mid", "low", "head")}
    for name in blocks.values():
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    return model.SerializeToString(), blocks


def test_each_depth_is_pooled_as_it_says(graph, images):
    watched, blocks = with_maps(graph)
    gem, mid, low, *found = run(watched, images, *DEPTHS, *blocks.values())
    maps = dict(zip(blocks, found, strict=True))
    assert maps["mid"].shape == (3, 320, 7, 7) and maps["low"].shape == (3, 112, 14, 14)
    assert maps["head"].shape == (3, 1280, 7, 7)
    cubes = maps["head"].astype(np.float64) ** 3
    assert np.allclose(gem, np.cbrt(cubes.mean(axis=(2, 3))), rtol=1e-4, atol=1e-5)
    windows = [maps["mid"][:, :, y : y + 4, x : x + 4].mean(axis=(2, 3)) for y in (0, 3) for x in (0, 3)]
    assert np.allclose(mid, np.stack(windows, axis=2).reshape(3, -1), atol=1e-4)
    places = (0, 3, 6, 9)
    windows = [maps["low"][:, :, y : y + 5, x : x + 5].mean(axis=(2, 3)) for y in places for x in places]
    assert np.allclose(low, np.stack(windows, axis=2).reshape(3, -1), atol=1e-4)


def test_depths_in_8_bits_are_nearly_the_exact_ones(graph, images):
    exact, integer = (run(each, images, *DEPTHS) for each in (graph, quantize(graph, BOUNDS["lite0"])))
    for one, other in zip(exact, integer, strict=True):
        assert cosines(one, other).min() > 0.98


def test_a_part_is_whitened_as_the_formula_says():
    random = np.random.default_rng(0)
    rows = (random.normal(size=(80, 12)) * np.linspace(3, 0.5, 12) + 1).astype(np.float32)
    weights = random.uniform(0.5, 2, 80)
    part = Part.fit(rows, weights, n_axes=6)
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    mean = np.average(units, axis=0, weights=weights)
    covariance = np.cov(units.T, aweights=weights, ddof=0)
    variances, axes = np.linalg.eigh(covariance)
    axes = axes[:, ::-1][:, :6] * (variances[::-1][:6] + 0.1 * np.trace(covariance) / 12) ** -0.25
    expected = (units - mean) @ axes
    found = (units - part.mean) @ (part.axes * part.steps)
    # The rotation leaves all products as they were; what is left is the rounding to 8 bits.
    assert np.allclose(found @ found.T, expected @ expected.T, atol=0.02 * (expected**2).sum(axis=1).max())
    assert part.axes.dtype == np.int8 and np.abs(part.axes).max(axis=0).tolist() == [127] * 6


def test_the_parts_are_weighed_and_joined(images):
    whitening = load_whitening(get_model("lite0-deep").whitening)
    depths = load_model("lite0-deep").depths(images)
    vectors = whitening.apply(depths)
    assert vectors.shape == (3, AXES * len(WEIGHTS)) and np.allclose(np.linalg.norm(vectors, axis=1), 1)
    for number, (name, weight) in enumerate(WEIGHTS.items()):
        part = whitening.parts[name]
        rows = depths[name] / np.linalg.norm(depths[name], axis=1, keepdims=True)
        expected = unit_rows((rows - part.mean) @ (part.axes * part.steps))
        some = vectors[:, AXES * number : AXES * (number + 1)]
        assert np.allclose(some, expected * (weight / sum(WEIGHTS.values())) ** 0.5, atol=1e-4)


@pytest.mark.parametrize("name", ["lite0-deep", "lite0-deep-int8"])
def test_a_vector_does_not_depend_on_what_it_is_asked_with(name, images):
    embedder = load_model(name)
    together = embedder.embed(images)
    assert together.shape == (3, 1536)
    for row in range(3):
        assert np.array_equal(embedder.embed(images[row : row + 1])[0], together[row])
    assert np.array_equal(rounded(together), together)  # as it is kept


def test_one_whitening_serves_both_precisions(images):
    assert get_model("lite0-deep").whitening == get_model("lite0-deep-int8").whitening
    exact, integer = (load_model(name).embed(images) for name in ("lite0-deep", "lite0-deep-int8"))
    assert (exact * integer).sum(axis=1).min() > 0.93


def test_a_long_strip_counts_whole():
    strip = np.zeros((40, 400, 3), np.uint8)
    strip[:, :130] = 220, 30, 30  # beyond the middle square
    other = np.zeros_like(strip)
    other[:, :130] = 30, 30, 220
    for name, is_seen in (("lite0-deep-int8", True), ("lite0-int8", False)):
        embedder = load_model(name)
        one, two = (embedder.prepare(Image.fromarray(each)) for each in (strip, other))
        assert one.shape == (224, 224, 3)
        assert (not np.array_equal(one, two)) == is_seen


def test_no_images_give_no_rows():
    assert load_model("lite0-deep-int8").embed(np.empty((0, 224, 224, 3), np.uint8)).shape == (0, 1536)


def test_a_damaged_or_missing_whitening_is_a_clear_error():
    frozen = get_model("lite0-deep").whitening
    with pytest.raises(ModelDamagedError, match=r"lite0_whitening\.npz is damaged: expected sha256 00"):
        load_whitening(dataclasses.replace(frozen, sha256="00"))
    with pytest.raises(ModelDamagedError, match=r"cannot read .*nothing\.npz.*\n.*install lookalike again"):
        load_whitening(dataclasses.replace(frozen, file="nothing.npz"))


def test_the_same_parts_are_the_same_bytes():
    parts = load_whitening(get_model("lite0-deep").whitening).parts
    assert write_parts(parts) == write_parts(parts)
    assert np.array_equal(Whitening(parts).parts["gem"].axes, parts["gem"].axes)
