import hashlib

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto, helper, numpy_helper

from caltech101_sample import classes_by_lot
from lookalike.embed import OnnxEmbedder, get_model
from lookalike.embed.efficientnet_lite import VARIANTS, blocks, build
from lookalike.embed.loading import _read_weights
from lookalike.embed.quantize import BOUNDS, quantize, round_weights, weight_steps
from lookalike.embed.torch_weights import read_state_dict
from lookalike.errors import ModelError
from lookalike.evaluate import leave_one_out
from lookalike.images import read_image


@pytest.fixture(scope="module")
def exact():
    """The float graph."""
    source = get_model("lite0").weights
    return build(read_state_dict(_read_weights(source), source.file), VARIANTS["lite0"])


@pytest.fixture(scope="module")
def quantised(exact):
    return quantize(exact, BOUNDS["lite0"])


@pytest.fixture(scope="module")
def parts(quantised):
    """Its nodes, by what they make, and its constants."""
    graph = onnx.load_from_string(quantised).graph
    constants = {row.name: numpy_helper.to_array(row) for row in graph.initializer}
    return {node.output[0]: node for node in graph.node}, constants


def run(graph, images, **settings):
    options = onnxruntime.SessionOptions()
    for name, value in settings.items():
        setattr(options, name, value)
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return session.run(None, {"images": images})[0]


def small_graph(weights, biases, relu6=True, shortcut=False, kind="GlobalAveragePool"):
    """Pixels, one convolution, its ReLU6 or not, perhaps the sum with itself, and the mean."""
    constants = [
        numpy_helper.from_array(np.asarray(value, np.float32), name)
        for name, value in [
            ("mean", 127), ("scale", 1 / 128), ("w", weights), ("b", biases), ("0", 0), ("6", 6),
        ]
    ]  # fmt: skip
    nodes = [
        helper.make_node("Cast", ["images"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["cast"], ["moved"], perm=[0, 3, 1, 2]),
        helper.make_node("Sub", ["moved", "mean"], ["centred"]),
        helper.make_node("Mul", ["centred", "scale"], ["x"]),
        helper.make_node("Conv", ["x", "w", "b"], ["conv"]),
    ]
    last = "conv"
    if relu6:
        nodes.append(helper.make_node("Clip", [last, "0", "6"], ["clip"]))
        last = "clip"
    if shortcut:
        nodes.append(helper.make_node("Add", [last, last], ["add"]))
        last = "add"
    nodes.append(helper.make_node(kind, [last], ["pooled"]))
    nodes.append(helper.make_node("Flatten", ["pooled"], ["features"], axis=1))
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", 1, 1, 3])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", len(biases)])
    graph = helper.make_graph(nodes, "small", [images], [features], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model.SerializeToString()


def constants_of(graph):
    return {row.name: numpy_helper.to_array(row) for row in onnx.load_from_string(graph).graph.initializer}


# --- by hand


# One pixel: 255, 127, 63 are 1, 0 and -0.5 to the network.
PIXEL = np.array([[[[255, 127, 63]]]], np.uint8)
# Two filters over its three colours.
WEIGHTS = np.array([[2, -1, 0.5], [0.25, 0.25, -3]], np.float32)[:, :, None, None]
BIASES = np.array([0.5, -1], np.float32)


def test_weights_of_one_convolution_by_hand():
    # First filter: neighbours 2 and -1 have other signs and cannot add up, the last has no neighbour. So 2
    # may be 126.9 steps, -1 is -63.45 and 0.5 is 31.725. Nearest: 127, -63, 32. Together 96; exactly 95.175.
    # So one must go down, the one nearest to a half: -63.45 to -64. Second: 3 is 126.9, 0.25 is 10.575.
    # Nearest: 11, 11, -127; together -105, exactly -105.75. The first 11 goes down.
    constants = constants_of(quantize(small_graph(WEIGHTS, BIASES), []))
    assert constants["w.step"] == pytest.approx([2 / 126.9, 3 / 126.9])
    assert constants["w.q"].dtype == np.int8
    assert constants["w.q"][:, :, 0, 0].tolist() == [[127, -64, 32], [10, 11, -127]]
    # Sums come in steps of 1/128 × the weight's: 0.5 is 0.5 × 128 × 126.9/2 = 4060.8, -1 is -5414.4.
    assert constants["x.step"] == 1 / 128
    assert constants["x.zero"] == 127
    assert constants["b.q"].dtype == np.int32
    assert constants["b.q"].tolist() == [4061, -5414]


def test_neighbours_that_add_up_get_a_larger_step():
    # 2 + 1.5 may be 126.9 steps: 2 is 72.51, 1.5 is 54.39, -0.5 is -18.13. Nearest: 73, 54 and -18: 109, and
    # exactly 108.77, so all stay.
    weights = np.array([[2, 1.5, -0.5], [-2, -1.5, 0.5]], np.float32)[:, :, None, None]
    assert weight_steps(weights) == pytest.approx([3.5 / 126.9] * 2)
    constants = constants_of(quantize(small_graph(weights, BIASES), []))
    assert constants["w.q"][:, :, 0, 0].tolist() == [[73, 54, -18], [-73, -54, 18]]


def test_neighbours_are_those_of_the_same_pixel():
    # A 1 × 2 filter over two colours: 3 and 4 are of one place, 3 and 1 of one colour.
    weights = np.array([[[[3, 1]], [[4, 2]]]], np.float32)
    assert weight_steps(weights) == pytest.approx([7 / 126.9])
    # Depthwise filters see one colour each, and are not limited.
    assert weight_steps(weights[:, :1]) == pytest.approx([3 / 126.9])


def test_rounding_keeps_the_sum_of_a_channel():
    # 1.4 four times is 5.6: two of them, the first, go up. 1.5 rounds to the even 2, then the first goes
    # down.
    weights = np.array([[1.4, 1.4, 1.4, 1.4], [1.5, 1.5, 3, 0], [-1.4, -1.4, -1.4, -1.4]], np.float32)
    rounded = round_weights(weights[:, :, None, None], np.ones(3, np.float32))[:, :, 0, 0]
    assert rounded.tolist() == [[2, 2, 1, 1], [1, 2, 3, 0], [-2, -2, -1, -1]]


@given(
    arrays(np.float32, (3, 5, 1, 3), elements=st.floats(-4, 4, width=32)),
    st.integers(1, 5),
)
def test_any_weights_are_rounded_to_neighbours_that_fit(weights, channels):
    weights = weights[:, :channels]
    steps = np.maximum(weight_steps(weights), np.float32(1e-6))
    rounded = round_weights(weights, steps).astype(int)
    exact = weights.astype(float) / steps[:, None, None, None]
    assert (np.abs(rounded - exact) < 1).all()
    assert (np.abs(rounded.sum(axis=(1, 2, 3)) - exact.sum(axis=(1, 2, 3))) < 0.5 + 1e-9).all()
    assert np.abs(rounded).max() <= 127
    if channels > 1:
        assert np.abs(neighbour_sums(rounded)).max() <= 128


def neighbour_sums(weights):
    """Of two products side by side, positive ones together and negative ones together."""
    flat = weights.astype(int).transpose(0, 2, 3, 1).reshape(len(weights), -1)
    pairs = np.pad(flat, ((0, 0), (0, flat.shape[1] % 2))).reshape(len(flat), -1, 2)
    return np.stack([np.maximum(pairs, 0).sum(axis=2), np.minimum(pairs, 0).sum(axis=2)])


def test_outputs_of_one_convolution_by_hand():
    # Pixels in steps of 1/128: 128, 0, -64. 128 × 127 - 64 × 32 + 4061 = 18269 steps of 1/128 × 2/126.9:
    # 2.249, or 95.6 steps of 6/255. Second: 128 × 10 + 64 × 127 - 5414 = 3994 of
    # 1/128 × 3/126.9: 0.738, 31.3 steps.
    features = run(quantize(small_graph(WEIGHTS, BIASES), []), PIXEL)
    assert features[0] == pytest.approx([96 * 6 / 255, 31 * 6 / 255], abs=1e-6)


def test_relu6_is_kept_without_its_node():
    black, white = np.zeros_like(PIXEL), np.full_like(PIXEL, 255)
    weights = np.eye(3, dtype=np.float32)[:, :, None, None] * 50
    graph = quantize(small_graph(weights, np.zeros(3)), [])
    assert "Clip" not in {node.op_type for node in onnx.load_from_string(graph).graph.node}
    assert run(graph, black)[0].tolist() == [0, 0, 0]
    assert run(graph, white)[0].tolist() == [6, 6, 6]


def test_what_no_relu6_bounds_is_rounded_within_its_bound():
    # In steps of 4/127.5: 2.249 is 71.7, and -0.512 (of which -0.5 would be exact) is -16.3.
    graph = quantize(small_graph(WEIGHTS, [0.5, -2.25], relu6=False), [4])
    assert run(graph, PIXEL)[0] == pytest.approx(np.array([72, -16]) * 4 / 127.5, abs=1e-6)
    assert constants_of(graph)["conv.zero"] == 128
    # A bound that is too small saturates.
    assert run(quantize(small_graph(WEIGHTS, BIASES, relu6=False), [1]), PIXEL)[0, 0] == pytest.approx(
        127 / 127.5
    )


def test_sums_are_rounded_within_their_own_bound():
    graph = quantize(small_graph(WEIGHTS, BIASES, relu6=False, shortcut=True), [4, 8])
    constants = constants_of(graph)
    assert constants["conv.step"] == pytest.approx(4 / 127.5)
    assert constants["add.step"] == pytest.approx(8 / 127.5)
    assert run(graph, PIXEL)[0] == pytest.approx([4.5, 1.5], abs=0.05)


def test_dead_channels_keep_their_bias():
    weights = np.zeros((3, 3, 1, 1), np.float32)
    weights[1] = 1e-12
    graph = quantize(small_graph(weights, [1.5, 2.5, 0]), [])
    assert run(graph, PIXEL)[0] == pytest.approx([1.5, 2.5, 0], abs=6 / 255)
    assert all(np.isfinite(value).all() for value in constants_of(graph).values())


# --- the network


def test_the_file_is_the_same_on_every_machine(quantised, exact):
    assert hashlib.sha256(quantised).hexdigest() == (
        "fa885140edea929f2903aa1ce033149c94c9e5c2a7f5a961e4dda39780bf35b2"
    )
    assert quantize(exact, BOUNDS["lite0"]) == quantised


def test_every_convolution_and_sum_is_between_integers(parts):
    nodes, constants = parts
    computed = [node for node in nodes.values() if node.op_type in ("Conv", "Add")]
    assert len(computed) == 49 + 9
    readers = {name: node for node in nodes.values() for name in node.input}
    for node in computed:
        assert all(nodes[name].op_type == "DequantizeLinear" for name in node.input)
        assert readers[node.output[0]].op_type == "QuantizeLinear"
    kinds = {node.op_type for node in nodes.values()}
    assert kinds == {
        "Transpose", "DequantizeLinear", "Conv", "QuantizeLinear", "Add", "GlobalAveragePool", "Flatten",
    }  # fmt: skip
    # What remains in float: steps, of which there is one a tensor or one a channel.
    assert all(name.endswith(".step") for name, value in constants.items() if value.dtype == np.float32)


def test_the_runtime_computes_in_integers(quantised, tmp_path):
    file = tmp_path / "optimised.onnx"
    run(
        quantised,
        np.zeros((1, 224, 224, 3), np.uint8),
        optimized_model_filepath=str(file),
        log_severity_level=4,
    )
    kinds = [node.op_type for node in onnx.load(file).graph.node]
    assert kinds.count("QLinearConv") == 49
    assert kinds.count("QLinearAdd") == 9
    assert not {"Conv", "Add", "QuantizeLinear"} & set(kinds)


def test_no_two_neighbouring_products_can_saturate(parts):
    _, constants = parts
    sums = [
        neighbour_sums(weights)
        for name, weights in constants.items()
        if name.endswith(".weight.q") and weights.shape[1] > 1
    ]
    assert len(sums) == 33
    assert max(255 * row.max() for row in sums) < 2**15
    assert min(255 * row.min() for row in sums) >= -(2**15)


def test_input_and_output_are_those_of_the_float_graph(quantised, exact):
    before, after = (onnx.load_from_string(graph).graph for graph in (exact, quantised))
    assert list(after.input) == list(before.input)
    assert list(after.output) == list(before.output)


def test_the_file_is_less_than_a_third(quantised, exact):
    assert len(quantised) < len(exact) / 3


def pictures():
    """Twelve scenes: gradients, stripes, blobs and noise of several scales, as the network sees them."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:224, :224] / 223
    made = []
    for number in range(12):
        scene = np.zeros((224, 224, 3))
        for channel in range(3):
            angle, waves = rng.uniform(0, np.pi), rng.uniform(0.5, 20)
            scene[..., channel] = 127 + 90 * np.sin(
                waves * 2 * np.pi * (x * np.cos(angle) + y * np.sin(angle))
            )
        for _ in range(number):
            left, top, size = *rng.uniform(0, 1, 2), rng.uniform(0.05, 0.3)
            scene[(x - left) ** 2 + (y - top) ** 2 < size**2] = rng.uniform(0, 255, 3)
        made.append(scene + rng.normal(scale=number, size=scene.shape))
    return np.clip(made, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def embedders(exact, quantised):
    model = get_model("lite0")
    return OnnxEmbedder(model, exact), OnnxEmbedder(model, quantised)


def test_vectors_stay_near_those_of_the_float_network(embedders):
    exact, quantised = (embedder.embed(pictures()) for embedder in embedders)
    cosines = (exact * quantised).sum(axis=1)
    assert cosines.min() > 0.99  # measured: 0.9952
    assert cosines.mean() > 0.995  # measured: 0.9971


def test_a_vector_does_not_depend_on_what_it_was_batched_with(embedders):
    images, (_, quantised) = pictures()[:4], embedders
    alone = np.concatenate([quantised.embed(image[None]) for image in images])
    assert np.array_equal(quantised.embed(images), alone)
    assert quantised.embed(images[:0]).shape == (0, 1280)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_network_has_its_bounds(name):
    listed = blocks(VARIANTS[name])
    assert len(BOUNDS[name]) == len(listed) + sum(block.has_shortcut for block in listed)
    assert all(5 < bound < 100 for bound in BOUNDS[name])


# --- what is refused


def test_another_network_is_refused():
    with pytest.raises(ModelError, match=r"made of Cast, .*GlobalMaxPool, Flatten; expected .* as in Eff"):
        quantize(small_graph(WEIGHTS, BIASES, kind="GlobalMaxPool"), [])
    plain = onnx.load_from_string(small_graph(WEIGHTS, BIASES))
    del plain.graph.node[2:4]
    with pytest.raises(ModelError, match="cannot be made 8-bit"):
        quantize(plain.SerializeToString(), [])
    with pytest.raises(ModelError, match="made of nothing"):
        quantize(onnx.ModelProto().SerializeToString(), [])


def test_bounds_of_another_network_are_refused(exact):
    with pytest.raises(ModelError, match=r"expected 25 positive numbers.* got 35"):
        quantize(exact, BOUNDS["lite1"])
    with pytest.raises(ModelError, match="expected 25 positive numbers"):
        quantize(exact, [0.0, *BOUNDS["lite0"][1:]])


def test_what_is_no_graph_is_refused():
    with pytest.raises(ModelError, match="is no ONNX graph"):
        quantize(b"not a graph", BOUNDS["lite0"])


# --- the claim


@pytest.mark.data
def test_int8_finds_what_float_finds(embedders):
    """On all 8,677 images mAP is 0.7328 with INT8, 0.7336 with float; here on 12 classes of 30 images."""
    photos = classes_by_lot(12, 30)
    labels = [name for _, name in photos]
    resize = embedders[0].model.resize
    images = [embedders[0].prepare(read_image(path, resize).image) for path, _ in photos]
    exact, quantised = (
        leave_one_out(np.concatenate([embedder.embed(image[None]) for image in images]), labels)
        for embedder in embedders
    )
    assert quantised.mean_average_precision >= exact.mean_average_precision - 0.005
    assert quantised.precision[10] >= exact.precision[10] - 0.005
