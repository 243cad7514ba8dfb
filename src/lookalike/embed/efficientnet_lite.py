"""EfficientNet-Lite as an ONNX graph, built from its published weights.

EfficientNet without squeeze-and-excitation and with ReLU6, made for integer hardware, which is also what
makes it fast on a processor. The graph takes pixels as they are decoded and gives the 1,280 pooled
features:

    images (n, s, s, 3) uint8 → (x - 127) / 128 → stem → 16 to 21 inverted residual blocks → head
        → mean over the positions → features (n, 1280) float32

Each batch normalisation is folded into the convolution before it. The weights came from TensorFlow, so
strided convolutions pad as TensorFlow does ('SAME': the odd pixel goes to the right and the bottom).

References
----------
M. Tan, Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019.
R. Liu, "Higher accuracy on vision models with EfficientNet-Lite", TensorFlow blog, 2020.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import onnx

DIMENSION = 1280
EPSILON = 1e-3
"""Of the batch normalisations."""

_OPSET = 17
_IR_VERSION = 8  # what opset 17 came with; newer ones would shut out older runtimes


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


def build(weights: Mapping[str, npt.NDArray[Any]], variant: Variant) -> bytes:
    """Build the ONNX model of a variant.

    Parameters
    ----------
    weights : mapping of str to array
        As ``torch_weights.read_state_dict`` gives them.
    variant : Variant
        Which size.

    Returns
    -------
    bytes
        The ONNX file: input ``images`` (n, size, size, 3) uint8, RGB; output ``features`` (n, 1280) float32.

    Raises
    ------
    KeyError, ValueError
        If the weights are those of another network.
    """
    return _Graph(weights).build(variant)


class _Graph:
    """The graph under construction: nodes and constants, in order."""

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]]) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def build(self, variant: Variant) -> bytes:
        from onnx import TensorProto, checker, helper

        x = self._normalise("images")
        side = variant.size
        x, side = self._conv(x, side, "_conv_stem", "_bn0", stride=2)
        for number, block in enumerate(blocks(variant)):
            x, side = self._block(x, side, f"_blocks.{number}.", block)
        x, side = self._conv(x, side, "_conv_head", "_bn1")
        x = self._add("GlobalAveragePool", [x])
        self._add("Flatten", [x], output="features", axis=1)

        shape = ["n", variant.size, variant.size, 3]
        images = helper.make_tensor_value_info("images", TensorProto.UINT8, shape)
        features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", DIMENSION])
        graph = helper.make_graph(self._nodes, "efficientnet_lite", [images], [features], self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
        model.ir_version = _IR_VERSION
        model.producer_name = "lookalike"
        model.producer_version = ""
        checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))

    def _normalise(self, images: str) -> str:
        from onnx import TensorProto

        x = self._add("Cast", [images], to=TensorProto.FLOAT)
        x = self._add("Transpose", [x], perm=[0, 3, 1, 2])
        x = self._add("Sub", [x, self._constant("mean", np.float32(127))])
        return self._add("Mul", [x, self._constant("scale", np.float32(1 / 128))])

    def _block(self, x: str, side: int, prefix: str, block: Block) -> tuple[str, int]:
        shortcut = x
        if block.expansion != 1:
            x, side = self._conv(x, side, prefix + "_expand_conv", prefix + "_bn0")
        x, side = self._conv(
            x, side, prefix + "_depthwise_conv", prefix + "_bn1", stride=block.stride, depthwise=True
        )
        x, side = self._conv(x, side, prefix + "_project_conv", prefix + "_bn2", relu6=False)
        if block.has_shortcut:
            x = self._add("Add", [x, shortcut])
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
        """Add a convolution with its batch normalisation folded in; return its output and that one's side."""
        kernel = self._weights[conv + ".weight"]  # (out, in / groups, k, k)
        gamma, beta, mean, variance = (
            self._weights[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + EPSILON)
        folded = self._constant(conv + ".weight", (kernel * scale[:, None, None, None]).astype(np.float32))
        bias = self._constant(conv + ".bias", (beta - mean * scale).astype(np.float32))

        size = kernel.shape[-1]
        out = -(-side // stride)
        missing = max((out - 1) * stride + size - side, 0)
        before, after = missing // 2, missing - missing // 2
        x = self._add(
            "Conv",
            [x, folded, bias],
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=kernel.shape[0] if depthwise else 1,
        )
        if relu6:
            # The bounds must be 0-d, or the runtime does not fuse them into the convolution.
            x = self._add("Clip", [x, self._constant("0", np.float32(0)), self._constant("6", np.float32(6))])
        return x, out

    def _constant(self, name: str, value: npt.NDArray[np.float32] | np.float32) -> str:
        from onnx import numpy_helper

        if all(constant.name != name for constant in self._constants):
            self._constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def _add(self, kind: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        from onnx import helper

        output = output or f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output
