import itertools

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from lookalike.embed import efficientnet_lite, get_model
from lookalike.embed.efficientnet_lite import VARIANTS, Block, Variant, blocks, build
from lookalike.embed.loading import _read_weights
from lookalike.embed.torch_weights import read_state_dict


@pytest.fixture(scope="module")
def weights():
    source = get_model("lite0").weights
    return read_state_dict(_read_weights(source), source.file)


def random_weights(variant, seed=0):
    """Weights of the right shapes, with which activations neither vanish nor all saturate."""
    rng = np.random.default_rng(seed)
    made = {}

    def conv(name, norm, shape):
        made[f"{name}.weight"] = rng.normal(scale=np.prod(shape[1:]) ** -0.5, size=shape).astype(np.float32)
        for part, low, high in [
            ("weight", 0.8, 1.6),
            ("bias", -0.3, 0.6),
            ("running_mean", -0.2, 0.2),
            ("running_var", 0.2, 1.0),
        ]:
            made[f"{norm}.{part}"] = rng.uniform(low, high, shape[0]).astype(np.float32)

    conv("_conv_stem", "_bn0", (32, 3, 3, 3))
    for number, block in enumerate(blocks(variant)):
        prefix, inner = f"_blocks.{number}.", block.channels_in * block.expansion
        if block.expansion != 1:
            conv(prefix + "_expand_conv", prefix + "_bn0", (inner, block.channels_in, 1, 1))
        conv(prefix + "_depthwise_conv", prefix + "_bn1", (inner, 1, block.kernel, block.kernel))
        conv(prefix + "_project_conv", prefix + "_bn2", (block.channels_out, inner, 1, 1))
    conv("_conv_head", "_bn1", (1280, block.channels_out, 1, 1))
    return made


# --- a second implementation: numpy, float64, nothing folded


def same_padding(side, kernel, stride):
    """TensorFlow's rule: as many outputs as strides fit, the odd pixel behind."""
    outputs = (side + stride - 1) // stride
    total = max(0, (outputs - 1) * stride + kernel - side)
    return total // 2, total - total // 2


def convolve(x, kernel, stride, depthwise):
    """`x` (channels, h, w), `kernel` (out, in or 1, k, k)."""
    size = kernel.shape[-1]
    padding = [(0, 0)] + [same_padding(side, size, stride) for side in x.shape[1:]]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, padding), (size, size), axis=(1, 2))
    windows = windows[:, ::stride, ::stride]  # (channels, h, w, k, k)
    if depthwise:
        return np.einsum("chwij,cij->chw", windows, kernel[:, 0])
    return np.tensordot(kernel, windows, axes=([1, 2, 3], [0, 3, 4]))


def forward(weights, variant, image):
    """The features of one (h, w, 3) uint8 image."""

    def layer(x, conv, norm, stride=1, depthwise=False, relu6=True):
        w = {key: np.float64(weights[key]) for key in weights if key.startswith((conv + ".", norm + "."))}
        x = convolve(x, w[conv + ".weight"], stride, depthwise)
        x = (x - w[norm + ".running_mean"][:, None, None]) / np.sqrt(
            w[norm + ".running_var"][:, None, None] + 1e-3
        )
        x = x * w[norm + ".weight"][:, None, None] + w[norm + ".bias"][:, None, None]
        return np.clip(x, 0, 6) if relu6 else x

    x = (image.transpose(2, 0, 1).astype(np.float64) - 127) / 128
    x = layer(x, "_conv_stem", "_bn0", 2)
    for number, block in enumerate(blocks(variant)):
        prefix, before = f"_blocks.{number}.", x
        if block.expansion != 1:
            x = layer(x, prefix + "_expand_conv", prefix + "_bn0")
        x = layer(x, prefix + "_depthwise_conv", prefix + "_bn1", block.stride, depthwise=True)
        x = layer(x, prefix + "_project_conv", prefix + "_bn2", relu6=False)
        if block.stride == 1 and block.channels_in == block.channels_out:
            x = x + before
    return layer(x, "_conv_head", "_bn1").mean(axis=(1, 2))


def run(graph, images):
    return onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(
        ["features"], {"images": images}
    )[0]


def test_the_second_implementation_pads_as_tensorflow_does():
    # By hand: a 3-wide kernel of ones over 1 2 3 4, every second place. 'SAME' pads one zero, behind:
    # 1 + 2 + 3 and 3 + 4 + 0. Padding both sides, as torch does, would give 0 + 1 + 2 and 2 + 3 + 4.
    x = np.array([[[1, 2, 3, 4]]], float)
    kernel = np.zeros((1, 1, 3, 3))
    kernel[0, 0, 1] = 1
    # Of the one row, the middle row of the kernel sees it: stride 2 leaves one row.
    assert convolve(x, kernel, 2, depthwise=True).tolist() == [[[6, 7]]]


def images(side, count=2):
    return np.random.default_rng(1).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize("side", [32, 45, 64])
def test_the_graph_agrees_with_a_second_implementation(weights, side):
    # Even and odd sides, so that every way to pad occurs. Real weights are strided, and meet all of ReLU6.
    variant = Variant(side)
    features = run(build(weights, variant), images(side))
    expected = np.stack([forward(weights, variant, image) for image in images(side)])
    assert expected.std() > 0.02
    assert np.abs(features - expected).max() < 1e-3


@pytest.mark.parametrize("name", ["lite1", "lite2"])
def test_deeper_and_wider_graphs_agree_too(name):
    variant = Variant(33, VARIANTS[name].width, VARIANTS[name].depth)
    weights = random_weights(variant)
    features = run(build(weights, variant), images(33, 1))
    expected = forward(weights, variant, images(33, 1)[0])
    assert expected.std() > 0.02
    assert np.abs(features[0] - expected).max() < 1e-3


# --- the shape of the family


@pytest.mark.parametrize(
    ("name", "size", "count", "channels"),
    [
        ("lite0", 224, 16, [16, 24, 40, 80, 112, 192, 320]),
        ("lite1", 240, 21, [16, 24, 40, 80, 112, 192, 320]),
        ("lite2", 260, 21, [16, 24, 48, 88, 120, 208, 352]),
    ],
)
def test_each_variant_has_its_blocks(name, size, count, channels):
    listed = blocks(VARIANTS[name])
    assert VARIANTS[name].size == size
    assert len(listed) == count
    assert list(dict.fromkeys(block.channels_out for block in listed)) == channels


def test_lite0_has_the_blocks_of_the_paper():
    listed = blocks(VARIANTS["lite0"])
    assert [block.kernel for block in listed] == [3, 3, 3, 5, 5, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 3]
    assert [block.stride for block in listed] == [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]
    assert [block.expansion for block in listed] == [1] + [6] * 15
    assert listed[0] == Block(3, 1, 1, 32, 16)


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_each_block_takes_what_the_one_before_gives(variant):
    listed = blocks(variant)
    assert listed[0].channels_in == 32
    for before, after in itertools.pairwise(listed):
        assert after.channels_in == before.channels_out


def test_channels_are_multiples_of_8_and_lose_at_most_a_tenth():
    for channels in (16, 24, 32, 40, 80, 112, 192, 320):
        for factor in (1.0, 1.1, 1.2, 1.4):
            widened = efficientnet_lite._widen(channels, factor)
            assert widened % 8 == 0
            assert widened >= 0.9 * channels * factor


# --- the file


@pytest.fixture(scope="module")
def graph(weights):
    return onnx.load_from_string(build(weights, VARIANTS["lite0"]))


def test_every_normalisation_is_folded_away(graph):
    kinds = {node.op_type for node in graph.graph.node}
    assert kinds == {
        "Cast",
        "Transpose",
        "Sub",
        "Mul",
        "Conv",
        "Clip",
        "Add",
        "GlobalAveragePool",
        "Flatten",
    }


def test_strided_convolutions_pad_the_odd_pixel_behind(graph):
    pads = {}
    for node in graph.graph.node:
        attributes = {attribute.name: list(attribute.ints) for attribute in node.attribute}
        if attributes.get("strides") == [2, 2]:
            pads[node.input[1]] = attributes["pads"]
    assert pads == {
        "_conv_stem.weight": [0, 0, 1, 1],
        "_blocks.1._depthwise_conv.weight": [0, 0, 1, 1],
        "_blocks.3._depthwise_conv.weight": [1, 1, 2, 2],
        "_blocks.5._depthwise_conv.weight": [0, 0, 1, 1],
        "_blocks.11._depthwise_conv.weight": [1, 1, 2, 2],
    }


def test_the_bounds_of_relu6_are_0d_so_that_the_runtime_fuses_them(graph):
    constants = {row.name: numpy_helper.to_array(row) for row in graph.graph.initializer}
    bounds = {name for node in graph.graph.node if node.op_type == "Clip" for name in node.input[1:]}
    assert {(constants[name].shape, float(constants[name])) for name in bounds} == {((), 0.0), ((), 6.0)}


def test_input_and_output_are_as_documented(graph):
    (taken,), (given,) = graph.graph.input, graph.graph.output
    assert taken.name == "images"
    assert taken.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert [axis.dim_value for axis in taken.type.tensor_type.shape.dim] == [0, 224, 224, 3]
    assert given.name == "features"
    assert [axis.dim_value for axis in given.type.tensor_type.shape.dim] == [0, 1280]


def test_the_file_is_the_same_each_time(weights):
    assert build(weights, VARIANTS["lite0"]) == build(dict(weights), VARIANTS["lite0"])


def test_weights_of_another_network_are_refused(weights):
    with pytest.raises(KeyError):
        build({}, VARIANTS["lite0"])
    with pytest.raises(KeyError):
        build(weights, VARIANTS["lite1"])
