"""EfficientNet-Lite as an ONNX graph, built from its published weights.

EfficientNet without squeeze-and-excitation and with ReLU6, made for integer hardware, which is also what
makes it fast on a processor. The graph takes pixels as they are decoded and gives the 1,280 pooled
features:

    images (n, s, s, 3) uint8 → (x - 127) / 128 → stem → 16 to 21 inverted residual blocks → head
        → mean over the positions → features (n, 1280) float32 → last layer → classes (n, 1000) float32

The last layer is that of the network's training, on the classes of ImageNet; it is there if asked for.

Or three depths of it, and the mean beside them, in one pass (`build_depths`):

    block 10 of lite0, after its sum (112 × 14 × 14) → low   means of 4 × 4 windows, 5 × 5 each, (n, 1792)
    the last block (320 × 7 × 7)                     → mid   means of 2 × 2 windows, 4 × 4 each, (n, 1280)
    head (1280 × 7 × 7)                              → gem   cube root of the mean of the cubes, (n, 1280)
                                                     → head  their mean, (n, 1280)

The published classifier takes ``head``. Windows overlap; their numbers are in the order channel, row, column.

Each batch normalisation is folded into the convolution before it. The weights came from TensorFlow, so
strided convolutions pad as TensorFlow does ('SAME': the odd pixel goes to the right and the bottom).

References
----------
M. Tan, Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019.
R. Liu, "Higher accuracy on vision models with EfficientNet-Lite", TensorFlow blog, 2020.
F. Radenović, G. Tolias, O. Chum, "Fine-tuning CNN Image Retrieval with No Human Annotation", TPAMI 2019
(the generalised mean).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.embed.convolutional_graph import ConvolutionalGraph

DIMENSION = 1280

DEPTHS = {"gem": 1280, "mid": 1280, "low": 1792}
"""What `build_depths` pools at three depths of lite0, and how many numbers each has."""

_LOW_BLOCK = 10  # counted from 0: the last of 14 × 14 positions and 112 channels

HEAD = "head"
"""What it gives beside them: the plain mean of the head, which the published classifier takes."""

EPSILON = 1e-3
"""Of the batch normalisations."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One size of the family.

    Attributes
    ----------
    size : int
        Side of the input, pixels.
    width, depth : float
        Factors on the channels and on the number of blocks.
    """

    size: int
    width: float = 1.0
    depth: float = 1.0


VARIANTS = {
    "lite0": Variant(224),
    "lite1": Variant(240, depth=1.1),
    "lite2": Variant(260, width=1.1, depth=1.2),
}

# repeats, kernel, stride, expansion, channels in, channels out (Tan and Le 2019, table 1)
_STAGES = (
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)


@dataclass(frozen=True, slots=True)
class Block:
    """One inverted residual block: expand (1 × 1), filter each channel (k × k), project (1 × 1)."""

    kernel: int
    stride: int
    expansion: int
    channels_in: int
    channels_out: int

    @property
    def has_shortcut(self) -> bool:
        """Whether the block's input is added to its output."""
        return self.stride == 1 and self.channels_in == self.channels_out


def blocks(variant: Variant) -> list[Block]:
    """List the blocks of a variant, first to last."""
    listed = []
    for number, (repeats, kernel, stride, expansion, first_in, out) in enumerate(_STAGES):
        # The Lite models leave the depth of the first and last stage, and the width of the stem, alone.
        deepened = 0 < number < len(_STAGES) - 1
        count = math.ceil(repeats * variant.depth) if deepened else repeats
        channels_in = first_in if number == 0 else _widen(first_in, variant.width)
        channels_out = _widen(out, variant.width)
        for repeat in range(count):
            listed.append(Block(kernel, stride if repeat == 0 else 1, expansion, channels_in, channels_out))
            channels_in = channels_out
    return listed


def _widen(channels: int, factor: float) -> int:
    """Scale a channel count to a multiple of 8, never losing more than a tenth."""
    if factor == 1.0:
        return channels
    wanted = channels * factor
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


def build(weights: Mapping[str, npt.NDArray[Any]], variant: Variant, sides: tuple[str, ...] = ()) -> bytes:
    """Build the ONNX model of a variant.

    Parameters
    ----------
    weights : mapping of str to array
        As ``torch_weights.read_state_dict`` gives them.
    variant : Variant
        Which size.
    sides : tuple of str
        ``classes``, to have these as an output, too.

    Returns
    -------
    bytes
        The ONNX file: input ``images`` (n, size, size, 3) uint8, RGB; output ``features`` (n, 1280) float32,
        and where they are wanted, the log-odds ``classes`` (n, 1000) float32.

    Raises
    ------
    KeyError, ValueError
        If the weights are those of another network.
    """
    return _Graph(weights, EPSILON).build(variant, sides)


def build_depths(weights: Mapping[str, npt.NDArray[Any]], sides: tuple[str, ...] = ()) -> bytes:
    """Build the ONNX model of lite0 that gives three depths of one pass.

    Parameters
    ----------
    weights : mapping of str to array
        As ``torch_weights.read_state_dict`` gives them.
    sides : tuple of str
        What it gives beside the depths, as ``Model.sides``.

    Returns
    -------
    bytes
        The ONNX file: input ``images`` (n, 224, 224, 3) uint8, RGB; outputs ``gem``, ``mid``, ``low`` and
        ``head``, (n, d) float32 each, d of `DEPTHS`; none is whitened or of unit length.

    Raises
    ------
    KeyError, ValueError
        If the weights are those of another network.
    """
    return _Graph(weights, EPSILON).build_depths(VARIANTS["lite0"], sides)


class _Graph(ConvolutionalGraph):
    """The graph under construction."""

    def build(self, variant: Variant, sides: tuple[str, ...]) -> bytes:
        *_, head = self._run(variant)
        features = self.mean(head)
        beside = self._beside(features, sides)
        return self.file("efficientnet_lite", variant.size, {"features": DIMENSION, **beside})

    def build_depths(self, variant: Variant, sides: tuple[str, ...]) -> bytes:
        *outputs, head = self._run(variant)
        self._windows(outputs[_LOW_BLOCK], "low", 5)
        self._windows(outputs[-1], "mid", 4)
        # Two products, as the runtime's general power is slower than the convolution before it.
        cubes = self.add("Mul", [self.add("Mul", [head, head]), head])
        cubed = self.add("Flatten", [self.add("GlobalAveragePool", [cubes])], axis=1)
        self.add("Pow", [cubed, self.constant("third", np.float32(1 / 3))], output="gem")
        beside = self._beside(self.mean(head, HEAD), sides)
        return self.file("efficientnet_lite_depths", variant.size, {**DEPTHS, HEAD: DIMENSION, **beside})

    def _beside(self, features: str, sides: tuple[str, ...]) -> dict[str, int]:
        """Add what is given beside the vectors; return how many numbers an image each has."""
        return {"classes": self.classify(features, "_fc", "classes")} if "classes" in sides else {}

    def _run(self, variant: Variant) -> list[str]:
        """Add the network; return the output of each block, and the head's."""
        side = variant.size
        x = self.normalize(np.float32(127), np.float32(1 / 128))
        x, side = self._conv(x, side, "_conv_stem", "_bn0", stride=2)
        outputs = []
        for number, block in enumerate(blocks(variant)):
            x, side = self._block(x, side, f"_blocks.{number}.", block)
            outputs.append(x)
        head, _ = self._conv(x, side, "_conv_head", "_bn1")
        return [*outputs, head]

    def _windows(self, x: str, output: str, kernel: int) -> None:
        """Add the means of square windows, one every three positions."""
        pooled = self.add("AveragePool", [x], kernel_shape=[kernel, kernel], strides=[3, 3])
        self.add("Flatten", [pooled], output=output, axis=1)

    def _block(self, x: str, side: int, prefix: str, block: Block) -> tuple[str, int]:
        shortcut = x
        if block.expansion != 1:
            x, side = self._conv(x, side, prefix + "_expand_conv", prefix + "_bn0")
        x, side = self._conv(
            x, side, prefix + "_depthwise_conv", prefix + "_bn1", stride=block.stride, depthwise=True
        )
        x, side = self._conv(x, side, prefix + "_project_conv", prefix + "_bn2", relu6=False)
        if block.has_shortcut:
            x = self.add("Add", [x, shortcut])
        return x, side

    def _conv(
        self,
        x: str,
        side: int,
        conv: str,
        norm: str,
        stride: int = 1,
        depthwise: bool = False,
        relu6: bool = True,
    ) -> tuple[str, int]:
        """Add a convolution that pads as TensorFlow does; return its output and that one's side."""
        out = -(-side // stride)
        missing = max((out - 1) * stride + self.kernel_side(conv) - side, 0)
        x = self.convolve(x, conv, norm, stride, (missing // 2, missing - missing // 2), depthwise)
        if relu6:
            # The bounds must be 0-d, or the runtime does not fuse them into the convolution.
            x = self.add("Clip", [x, self.constant("0", np.float32(0)), self.constant("6", np.float32(6))])
        return x, out
