"""ResNet as an ONNX graph, built from its published weights.

Bottleneck blocks around shortcuts, in four stages, each of half the side and twice the channels of the one
before. The graph takes pixels as they are decoded and gives the pooled features, of ResNet-50 2,048:

    images (n, s, s, 3) uint8 → (x / 255 - mean) / std → 7 × 7 and maximum → bottleneck blocks
        → mean over the positions → features (n, dimension) float32

It is the later form of the network (v1.5, as torchvision and the hub have it): a stage's first block halves
the side in its 3 × 3 convolution, not in the 1 × 1 before it. Nothing in the weights tells the two forms
apart. They come under two sorts of names, torchvision's, which timm shares, and those of transformers; the
first are kept.

References
----------
K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, table 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.embed.convolutional_graph import ConvolutionalGraph
from lookalike.embed.models import IMAGENET_MEAN, IMAGENET_STD
from lookalike.errors import ModelInputError

EPSILON = 1e-5
"""Of the batch normalisations."""

_WIDER = 4  # how many times the channels inside a block come out of it
_STATISTICS = ("weight", "bias", "running_mean", "running_var")


@dataclass(frozen=True, slots=True)
class Shape:
    """One size of the family.

    Attributes
    ----------
    depths : tuple of int
        Blocks of each stage.
    width : int
        Channels of the stem, and inside the blocks of the first stage.
    """

    depths: tuple[int, ...]
    width: int = 64

    @property
    def dimension(self) -> int:
        """Numbers that come out."""
        return (self.width << len(self.depths) - 1) * _WIDER


RESNET50 = Shape((3, 4, 6, 3))


@dataclass(frozen=True, slots=True)
class Block:
    """One bottleneck block: narrow (1 × 1), filter (3 × 3), widen (1 × 1).

    Attributes
    ----------
    stage, number : int
        Where it is, from 0.
    channels_in, inside, channels_out : int
    stride : int
        Of the filter.
    """

    stage: int
    number: int
    channels_in: int
    inside: int
    channels_out: int
    stride: int

    @property
    def prefix(self) -> str:
        """What the names of its weights begin with."""
        return f"layer{self.stage + 1}.{self.number}."

    @property
    def projects(self) -> bool:
        """Whether the shortcut has a convolution, since input and output differ."""
        return self.number == 0


def blocks(shape: Shape) -> list[Block]:
    """List the blocks, first to last."""
    listed, channels_in = [], shape.width
    for stage, count in enumerate(shape.depths):
        inside = shape.width * 2**stage
        for number in range(count):
            stride = 2 if number == 0 and stage > 0 else 1
            listed.append(Block(stage, number, channels_in, inside, inside * _WIDER, stride))
            channels_in = inside * _WIDER
    return listed


@dataclass(frozen=True, slots=True)
class _Layer:
    """A convolution and its normalisation: their names, and what transformers calls the two together."""

    conv: str
    norm: str
    transformers: str
    kernel: tuple[int, int, int, int]


def _layers(shape: Shape) -> list[_Layer]:
    listed = [_Layer("conv1", "bn1", "embedder.embedder", (shape.width, 3, 7, 7))]
    for block in blocks(shape):
        inside, prefix = block.inside, block.prefix
        place = f"encoder.stages.{block.stage}.layers.{block.number}"
        kernels = (
            (inside, block.channels_in, 1, 1),
            (inside, inside, 3, 3),
            (block.channels_out, inside, 1, 1),
        )
        listed += [
            _Layer(f"{prefix}conv{row + 1}", f"{prefix}bn{row + 1}", f"{place}.layer.{row}", kernel)
            for row, kernel in enumerate(kernels)
        ]
        if block.projects:
            kernel = (block.channels_out, block.channels_in, 1, 1)
            listed.append(
                _Layer(f"{prefix}downsample.0", f"{prefix}downsample.1", f"{place}.shortcut", kernel)
            )
    return listed


def take_weights(
    tensors: Mapping[str, npt.NDArray[Any]], name: str, shape: Shape = RESNET50
) -> dict[str, npt.NDArray[Any]]:
    """Pick the network's weights out of a file of torchvision's, timm's or transformers' names.

    Parameters
    ----------
    tensors : mapping of str to array
        As the file has them; those of the classifier are left out.
    name : str
        What to call the file in errors.
    shape : Shape

    Returns
    -------
    dict of str to array
        By torchvision's names.

    Raises
    ------
    ModelError
        If they are those of another network.
    """
    layers = _layers(shape)
    if "conv1.weight" in tensors:
        classifier, pairs = "fc.", [(layer, layer.conv, layer.norm) for layer in layers]
    else:
        prefix = next(
            (p for p in ("resnet.", "") if f"{p}embedder.embedder.convolution.weight" in tensors), None
        )
        if prefix is None:
            first = next(iter(tensors), None)
            raise ModelInputError(
                f"{name} does not hold a ResNet-50: "
                + ("it has no tensor" if first is None else f"its first tensor is {first}")
                + "; expected names like conv1.weight (torchvision, timm) or"
                " resnet.embedder.embedder.convolution.weight (transformers)"
            )
        classifier = "classifier."
        pairs = [
            (layer, f"{place}.convolution", f"{place}.normalization")
            for layer in layers
            for place in [prefix + layer.transformers]
        ]
    names: dict[str, tuple[str, tuple[int, ...]]] = {}  # ours: the file's, and the shape
    for layer, conv, norm in pairs:
        names[f"{layer.conv}.weight"] = (f"{conv}.weight", layer.kernel)
        for part in _STATISTICS:
            names[f"{layer.norm}.{part}"] = (f"{norm}.{part}", layer.kernel[:1])
    taken = {ours: _checked(tensors, theirs, expected, name) for ours, (theirs, expected) in names.items()}
    known = {theirs for theirs, _ in names.values()}
    for key in tensors:
        if key not in known and not key.startswith(classifier) and not key.endswith(".num_batches_tracked"):
            raise ModelInputError(
                f"{name} does not hold a ResNet-50: it has a tensor {key}, which that has not"
            )
    return taken


def _checked(
    tensors: Mapping[str, npt.NDArray[Any]], key: str, expected: tuple[int, ...], name: str
) -> npt.NDArray[Any]:
    value = tensors.get(key)
    if value is None:
        raise ModelInputError(f"{name} does not hold a ResNet-50: it has no tensor {key}")
    if value.shape != expected:
        raise ModelInputError(
            f"{name} does not hold a ResNet-50: its {key} has the shape {value.shape}; expected {expected}"
        )
    if value.dtype != np.float32 or not np.isfinite(value).all():
        wrong = "numbers that are not finite" if value.dtype == np.float32 else f"{value.dtype} numbers"
        raise ModelInputError(f"{name} cannot be used: its {key} has {wrong}; expected floats")
    return value


def build(weights: Mapping[str, npt.NDArray[Any]], shape: Shape, side: int) -> bytes:
    """Build the ONNX model.

    Parameters
    ----------
    weights : mapping of str to array
        As `take_weights` gives them.
    shape : Shape
        Which size of the family.
    side : int
        Of the input, pixels.

    Returns
    -------
    bytes
        The ONNX file: input ``images`` (n, side, side, 3) uint8, RGB; output ``features`` (n, dimension)
        float32.

    Raises
    ------
    KeyError
        If the weights are those of another network.
    """
    graph = _Graph(weights, EPSILON)
    mean, std = (255 * np.reshape(values, (3, 1, 1)) for values in (IMAGENET_MEAN, IMAGENET_STD))
    x = graph.normalize(mean.astype(np.float32), (1 / std).astype(np.float32))
    x = graph.convolve(x, "conv1", "bn1", 2, (3, 3))
    x = graph.add("Relu", [x])
    x = graph.add("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for block in blocks(shape):
        x = graph.block(x, block)
    return graph.pool(x, "resnet", side, shape.dimension)


class _Graph(ConvolutionalGraph):
    """The graph under construction."""

    def block(self, x: str, block: Block) -> str:
        shortcut, prefix = x, block.prefix
        x = self.add("Relu", [self.convolve(x, prefix + "conv1", prefix + "bn1", 1, (0, 0))])
        x = self.add("Relu", [self.convolve(x, prefix + "conv2", prefix + "bn2", block.stride, (1, 1))])
        x = self.convolve(x, prefix + "conv3", prefix + "bn3", 1, (0, 0))
        if block.projects:
            shortcut = self.convolve(
                shortcut, prefix + "downsample.0", prefix + "downsample.1", block.stride, (0, 0)
            )
        return self.add("Relu", [self.add("Add", [x, shortcut])])
