import itertools

import numpy as np
import onnx
import onnxruntime
import pytest

from lookalike.embed.resnet import RESNET50, Shape, blocks, build, take_weights
from lookalike.errors import ModelError
from standin_models import resnet_tensors, transformers_name

TINY = Shape((1, 2), width=4)


@pytest.fixture(scope="module")
def tensors():
    return resnet_tensors(TINY.depths, TINY.width)


# --- a second implementation: numpy, float64, nothing folded


def convolve(x, kernel, stride):
    """`x` (channels, h, w), `kernel` (out, in, k, k); zeros all around."""
    size = kernel.shape[-1]
    padded = np.pad(x, [(0, 0)] + [(size // 2, size // 2)] * 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    return np.tensordot(kernel, windows[:, ::stride, ::stride], axes=([1, 2, 3], [0, 3, 4]))


def forward(weights, depths, image):
    """The features of one (h, w, 3) uint8 image."""

    def layer(x, conv, norm, stride=1):
        gamma, beta, mean, variance = (
            np.float64(weights[f"{norm}.{part}"])[:, None, None]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        x = convolve(x, np.float64(weights[f"{conv}.weight"]), stride)
        return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta

    x = (image / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    x = np.maximum(layer(x.transpose(2, 0, 1), "conv1", "bn1", 2), 0)
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1)], constant_values=-np.inf)
    x = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2].max(axis=(3, 4))
    for stage, depth in enumerate(depths):
        for number in range(depth):
            prefix, stride = f"layer{stage + 1}.{number}.", 2 if stage and not number else 1
            shortcut = (
                layer(x, prefix + "downsample.0", prefix + "downsample.1", stride) if number == 0 else x
            )
            x = np.maximum(layer(x, prefix + "conv1", prefix + "bn1"), 0)
            x = np.maximum(layer(x, prefix + "conv2", prefix + "bn2", stride), 0)
            x = np.maximum(layer(x, prefix + "conv3", prefix + "bn3") + shortcut, 0)
    return x.mean(axis=(1, 2))


@pytest.mark.parametrize("side", [32, 45])
def test_the_graph_agrees_with_a_second_implementation(tensors, side):
    images = np.random.default_rng(1).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    graph = build(take_weights(tensors, "x", TINY), TINY, side)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    found = session.run(["features"], {"images": images})[0]
    expected = np.stack([forward(tensors, TINY.depths, image) for image in images])
    assert found.shape == (2, TINY.dimension) == (2, 32)
    assert expected.std() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-4)


# --- the shape of the family


def test_resnet50_is_that_of_its_paper():
    listed = blocks(RESNET50)
    assert RESNET50.dimension == 2048
    assert [block.inside for block in listed] == [64] * 3 + [128] * 4 + [256] * 6 + [512] * 3
    assert [number for number, block in enumerate(listed) if block.stride == 2] == [3, 7, 13]
    assert listed[0].channels_in == 64
    for before, after in itertools.pairwise(listed):
        assert after.channels_in == before.channels_out == 4 * before.inside


def test_resnet50_has_as_many_weights_as_torchvisions():
    # 25,557,032 with the classifier, of 2,049,000.
    empty = {
        name: np.broadcast_to(np.float32(0), value.shape)
        for name, value in resnet_tensors(RESNET50.depths, RESNET50.width).items()
        if "num_batches" not in name
    }
    taken = take_weights(empty, "x")
    assert sum(value.size for name, value in taken.items() if "running" not in name) == 23_508_032
    assert (
        len([name for name in taken if name.endswith(("conv1.weight", "conv2.weight", "conv3.weight"))]) == 49
    )


# --- names


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("conv1.weight", "resnet.embedder.embedder.convolution.weight"),
        ("bn1.running_var", "resnet.embedder.embedder.normalization.running_var"),
        ("layer1.0.conv1.weight", "resnet.encoder.stages.0.layers.0.layer.0.convolution.weight"),
        ("layer2.1.bn3.bias", "resnet.encoder.stages.1.layers.1.layer.2.normalization.bias"),
        ("layer2.0.downsample.0.weight", "resnet.encoder.stages.1.layers.0.shortcut.convolution.weight"),
        (
            "layer2.0.downsample.1.running_mean",
            "resnet.encoder.stages.1.layers.0.shortcut.normalization.running_mean",
        ),
    ],
)
def test_names_of_transformers_are_those_of_torchvision_by_other_words(tensors, ours, theirs):
    assert transformers_name(ours) == theirs
    # That one differs is seen in that one, and in no other.
    renamed = {transformers_name(name): value for name, value in tensors.items()}
    plain = take_weights(renamed, "x", TINY)
    changed = take_weights({**renamed, theirs: renamed[theirs] + 1}, "x", TINY)
    assert [name for name in plain if (plain[name] != changed[name]).any()] == [ours]


@pytest.mark.parametrize("prefix", ["resnet.", ""])
def test_both_sorts_of_names_give_the_same_graph_without_the_classifier(tensors, prefix):
    renamed = {
        transformers_name(name).replace("resnet.", prefix): value
        for name, value in tensors.items()
        if prefix or not name.startswith("fc.")
    }
    taken, again = take_weights(tensors, "x", TINY), take_weights(renamed, "x", TINY)
    assert list(taken) == list(again)
    assert not [name for name in taken if "fc" in name or "num_batches" in name]
    assert build(taken, TINY, 32) == build(again, TINY, 32)


# --- what is not a ResNet-50


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layer2.1.conv3.weight": None}, r"does not hold a ResNet-50: it has no tensor layer2\.1\.conv3\.w"),
        (
            {"layer1.0.conv1.weight": np.zeros((4, 4, 3, 3), np.float32)},
            r"its layer1\.0\.conv1\.weight has the shape \(4, 4, 3, 3\); expected \(4, 4, 1, 1\)",
        ),
        ({"layer1.1.conv1.weight": np.zeros(3, np.float32)}, r"has a tensor layer1\.1\.conv1\.weight, which"),
        ({"bn1.bias": np.array([0, 0, np.nan, 0], np.float32)}, r"bn1\.bias has numbers that are not finite"),
        ({"bn1.bias": np.zeros(4, np.int64)}, r"its bn1\.bias has int64 numbers; expected floats"),
        ({"conv1.weight": None}, r"its first tensor is .*; expected names like conv1\.weight \(torchvision"),
    ],
)
def test_weights_of_another_network_are_one_clear_line(tensors, change, message):
    changed = {name: value for name, value in {**tensors, **change}.items() if value is not None}
    with pytest.raises(ModelError, match=rf"^net\.safetensors .*{message}") as caught:
        take_weights(changed, "net.safetensors", TINY)
    assert "\n" not in str(caught.value)


def test_what_transformers_names_wrong_is_told_by_its_names(tensors):
    renamed = {transformers_name(name): value for name, value in tensors.items()}
    del renamed["resnet.encoder.stages.0.layers.0.shortcut.convolution.weight"]
    with pytest.raises(ModelError, match=r"no tensor resnet\.encoder\.stages\.0\.layers\.0\.shortcut\.conv"):
        take_weights(renamed, "x", TINY)
    with pytest.raises(ModelError, match="it has no tensor; expected names like"):
        take_weights({}, "x", TINY)


def test_tiny_weights_are_not_taken_for_those_of_resnet50(tensors):
    with pytest.raises(
        ModelError, match=r"conv1\.weight has the shape \(4, 3, 7, 7\); expected \(64, 3, 7, 7\)"
    ):
        take_weights(tensors, "x")


# --- the file


def test_input_and_output_are_as_documented(tensors):
    graph = onnx.load_from_string(build(take_weights(tensors, "x", TINY), TINY, 40)).graph
    (taken,), (given,) = graph.input, graph.output
    assert taken.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert [axis.dim_value for axis in taken.type.tensor_type.shape.dim] == [0, 40, 40, 3]
    assert [axis.dim_value for axis in given.type.tensor_type.shape.dim] == [0, 32]
    assert "BatchNormalization" not in {node.op_type for node in graph.node}
    # The later form of the network: the stride is in the 3 × 3 convolution, and in the shortcut.
    strided = {
        node.input[1]
        for node in graph.node
        if any(one.name == "strides" and list(one.ints) == [2, 2] for one in node.attribute)
        if node.op_type == "Conv"
    }
    assert strided == {"conv1.weight", "layer2.0.conv2.weight", "layer2.0.downsample.0.weight"}
