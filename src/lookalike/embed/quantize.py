"""The networks in 8-bit integers: more than twice the images a second, and practically the same answers.

A real number x is kept as an integer q of 8 bits, x = step × (q - zero). Products of such integers, summed
in 32 bits, are what processors multiply fastest. This module rewrites a graph of ``efficientnet_lite`` so
that every convolution and every sum runs on them:

    images uint8 → Transpose → Dequantize → (Conv → Quantize → Dequantize) … → mean over positions → features

Whatever else is pooled on the way, at other depths, is pooled so, too: in float, of what the integers stand
for.

That is QDQ form: standard operators say where numbers are rounded, and the runtime fuses each Dequantize,
Conv, Quantize into one integer kernel. How each number is kept:

- Pixels are integers already: (x - 127) / 128 *is* a step of 1/128 and a zero of 127. Nothing is computed.
- After ReLU6 all values lie in [0, 6]: the step is 6/255, the zero 0. Rounding saturates, so Clip goes.
- Projections and shortcut sums have no bound of their own. Theirs, [-b, b], stand in `BOUNDS`: measured once
  and frozen, so that the same weights give the same file on every machine, and no images are needed.
- Weights are symmetric (zero 0), with one step an output channel; biases are int32, in steps of the sums.
- The features are means of 8-bit values taken in float, and so of a finer grain than those. The last layer,
  where there is one, takes them rounded to 8 bits from 0 to the image's largest, and answers in float.

**Errors that do not add up.** What enters a convolution is mostly positive, so when the rounding errors of a
channel's weights have a sum, its output shifts. Weights are therefore rounded down or up so that their sum is
kept, those nearest to a half giving way (a bias correction that needs no data). Cosine to the float vectors
on Caltech-101, without and with: 0.9904 and 0.9967 in the mean, 0.81 and 0.98 at worst.

**The same vectors with and without VNNI.** Processors without this instruction add two neighbouring products
(uint8 × int8) in 16 bits, and saturate: with plain 8-bit weights, a picture's vectors on two processors were
up to 0.08 apart (1 - cosine). The usual cure is 7-bit weights. Here a channel's step is just so large that no
two neighbouring weights add up to more than 128. As 128 × 255 fits into 16 bits, nothing can saturate, and
most weights keep nearly 8 bits. Depthwise convolutions use other instructions, of 32 bits, and keep all 8.
The vectors of five pictures were the same, bit for bit, with VNNI and with AVX2 alone (in QEMU);
with SSE4.1 alone, 0.0002 apart.

References
----------
B. Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018.
M. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019.
R. Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference: A whitepaper", 2018.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import ModelInputError

if TYPE_CHECKING:
    import onnx

BOUNDS: Mapping[str, tuple[float, ...]] = {
    "lite0": (
        *(38.8,),
        *(46.7, 39.4, 49.5),
        *(34.5, 21.7, 38.1),
        *(28.2, 16.6, 29.1, 13.6, 30.3),
        *(28.4, 18.1, 29.8, 17.8, 35.1),
        *(25.3, 17.7, 27.9, 16.4, 31.9, 18.2, 38.3),
        *(14.1,),
    ),
    "lite1": (
        *(54.4,),
        *(48.2, 37.6, 47.6, 27.0, 58.0),
        *(38.3, 31.2, 41.0, 19.2, 44.2),
        *(29.6, 15.1, 29.6, 12.0, 30.7, 10.2, 31.4),
        *(29.8, 18.3, 30.8, 15.5, 33.7, 14.7, 37.8),
        *(23.7, 15.7, 25.6, 13.2, 29.6, 15.2, 33.6, 18.1, 39.4),
        *(13.8,),
    ),
    "lite2": (
        *(38.5,),
        *(45.0, 40.9, 43.2, 23.2, 50.7),
        *(35.3, 28.9, 36.5, 18.9, 40.8),
        *(29.1, 14.5, 29.6, 12.6, 29.6, 15.2, 30.7),
        *(28.0, 15.9, 28.2, 14.8, 30.8, 13.5, 34.6),
        *(23.2, 13.6, 24.9, 13.9, 29.2, 15.7, 33.5, 19.5, 42.0),
        *(13.4,),
    ),
}
"""For each network, the bounds of what no ReLU6 bounds, in the order of the graph: a row a stage, and in it
for each block its projection and, where it has a shortcut, the sum. Each is the b for which rounding to 8
bits over [-b, b] had the least squared error on 300 photographs, every 29th of Caltech-101. They are not
delicate: all of them larger by a quarter gave the same mAP within 0.0005."""

_REACH = 126.9
"""How many steps a weight, or the sum of two neighbours, may have: rounded up, 127, or 128 for the two."""
_POOLING = frozenset({"AveragePool", "GlobalAveragePool", "Mul", "Pow", "Flatten", "Concat"})
"""What comes after the integers: it takes what they stand for, in float."""

_PIXELS = ["Cast", "Transpose", "Sub", "Mul"]
_REST = {"Conv", "Clip", "Add", "Gemm", *_POOLING}


def quantize(graph: bytes, bounds: Sequence[float]) -> bytes:
    """Make the 8-bit version of a network.

    Parameters
    ----------
    graph : bytes
        The ONNX file that ``efficientnet_lite.build`` gave.
    bounds : sequence of float
        The network's row of `BOUNDS`.

    Returns
    -------
    bytes
        An ONNX file with the same input and output; the same bytes on every machine.

    Raises
    ------
    ModelError
        If the graph is of another kind, or the bounds are another network's.
    """
    import onnx

    try:
        model = onnx.load_from_string(graph)
    except Exception as error:  # protobuf raises its own classes, which differ between its versions
        raise ModelInputError(f"what should be made 8-bit is no ONNX graph: {error}") from error
    kinds = [node.op_type for node in model.graph.node]
    if kinds[:4] != _PIXELS or not set(kinds[4:]) <= _REST:
        raise ModelInputError(
            f"the network cannot be made 8-bit: it is made of {', '.join(dict.fromkeys(kinds)) or 'nothing'};"
            f" expected {', '.join(_PIXELS)}, then only {', '.join(sorted(_REST))}, as in EfficientNet-Lite"
        )
    rewritten = _Rewritten(model.graph, bounds)
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(rewritten.nodes)
    model.graph.initializer.extend(rewritten.constants.values())
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


class _Rewritten:
    """The 8-bit graph under construction.

    An integer tensor is named as the float one it stands for, with ``.q``; what comes out of a convolution or
    sum before it is rounded, with ``.exact``.
    """

    def __init__(self, graph: onnx.GraphProto, bounds: Sequence[float]) -> None:
        from onnx import numpy_helper

        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self._values = {row.name: numpy_helper.to_array(row) for row in graph.initializer}
        self._steps: dict[str, np.float32] = {}  # of each tensor that is kept in 8 bits
        unbounded = unbounded_tensors(graph)
        if len(bounds) != len(unbounded) or not all(bound > 0 for bound in bounds):
            raise ModelInputError(
                f"the 8-bit bounds do not fit the network: expected {len(unbounded)} positive numbers, one"
                f" for each convolution without ReLU6 and each sum; got {len(bounds)}: {list(bounds)}"
            )
        self._bounds = dict(zip(unbounded, bounds, strict=True))
        self._pixels(*graph.node[:4])
        for node in graph.node[4:]:
            self._rewrite(node)

    def _pixels(
        self,
        cast: onnx.NodeProto,
        transpose: onnx.NodeProto,
        subtract: onnx.NodeProto,
        multiply: onnx.NodeProto,
    ) -> None:
        """Drop the nodes that make real numbers of the pixels, which stay the integers they are."""
        mean, scale = self._values[subtract.input[1]], self._values[multiply.input[1]]
        name = multiply.output[0]
        self._add("Transpose", [cast.input[0]], name + ".q", list(transpose.attribute))
        self._dequantize(name, np.float32(scale), np.uint8(mean))

    def _rewrite(self, node: onnx.NodeProto) -> None:
        name = node.output[0]
        if node.op_type in ("Conv", "Add"):
            inputs = self._weights(node) if node.op_type == "Conv" else list(node.input)
            self._add(node.op_type, inputs, name + ".exact", list(node.attribute))
            if name in self._bounds:
                self._round(name + ".exact", name, np.float32(self._bounds[name] / 127.5), np.uint8(128))
        elif node.op_type == "Clip":
            high = float(self._values[node.input[2]])  # from 0
            self._round(node.input[0] + ".exact", name, np.float32(high / 255), np.uint8(0))
        elif node.op_type == "Gemm":
            self._classify(node)
        else:
            for constant in node.input:
                if constant in self._values:
                    self._constant(constant, self._values[constant])
            self.nodes.append(node)

    def _classify(self, node: onnx.NodeProto) -> None:
        """Multiply the features by the weights of a last layer in integers: 1.3 MB to read instead of 5.1."""
        from onnx import TensorProto, helper

        x, kernel, bias = node.input
        name, weights = node.output[0], self._values[kernel][:, :, None, None]  # (out, in, 1, 1)
        steps = weight_steps(weights)
        steps[steps == 0] = 1
        integers = self._constant(kernel + ".q", round_weights(weights, steps)[:, :, 0, 0].T.copy())
        rounded = [f"{name}.x{ending}" for ending in (".q", ".step", ".zero")]
        self.nodes.append(helper.make_node("DynamicQuantizeLinear", [x], rounded, name=f"{name}.x.q"))
        self._add("MatMulInteger", [rounded[0], integers, rounded[2]], f"{name}.sums")
        self._add("Cast", [f"{name}.sums"], f"{name}.whole", [helper.make_attribute("to", TensorProto.FLOAT)])
        self._add("Mul", [f"{name}.whole", rounded[1]], f"{name}.exact")
        self._add("Mul", [f"{name}.exact", self._constant(kernel + ".step", steps)], f"{name}.product")
        self._add("Add", [f"{name}.product", self._constant(bias, self._values[bias])], name)

    def _weights(self, node: onnx.NodeProto) -> list[str]:
        """Round the weights and biases of a convolution; return its inputs."""
        x, kernel, bias = node.input
        weights, biases = self._values[kernel], self._values[bias]
        steps = weight_steps(weights)
        # The bias of a channel that is all but dead, in its tiny steps, would not fit into 32 bits.
        steps = np.maximum(steps, np.abs(biases) / (self._steps[x] * np.float32(2**30)))
        steps[steps == 0] = 1
        self._constant(kernel + ".q", round_weights(weights, steps))
        self._dequantize(kernel, steps, np.zeros(len(steps), np.int8), axis=0)
        steps = steps * self._steps[x]
        self._constant(bias + ".q", np.rint(biases.astype(np.float64) / steps).astype(np.int32))
        self._dequantize(bias, steps, np.zeros(len(steps), np.int32), axis=0)
        return [x, kernel, bias]

    def _round(self, exact: str, name: str, step: np.float32, zero: np.uint8) -> None:
        parameters = [self._constant(name + ".step", step), self._constant(name + ".zero", zero)]
        self._add("QuantizeLinear", [exact, *parameters], name + ".q")
        self._dequantize(name, step, zero)

    def _dequantize(self, name: str, step: Any, zero: Any, **attributes: int) -> None:
        """Make `name` of ``name.q``."""
        from onnx import helper

        parameters = [self._constant(name + ".step", step), self._constant(name + ".zero", zero)]
        made = [helper.make_attribute(key, value) for key, value in attributes.items()]
        self._add("DequantizeLinear", [name + ".q", *parameters], name, made)
        if np.ndim(step) == 0:
            self._steps[name] = step

    def _constant(self, name: str, value: npt.ArrayLike) -> str:
        from onnx import numpy_helper

        self.constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def _add(
        self, kind: str, inputs: list[str], output: str, attributes: Sequence[onnx.AttributeProto] = ()
    ) -> None:
        from onnx import helper

        node = helper.make_node(kind, inputs, [output], name=output)
        node.attribute.extend(attributes)
        self.nodes.append(node)


def unbounded_tensors(graph: onnx.GraphProto) -> list[str]:
    """Return the names of what no ReLU6 bounds, in the order of the graph: what `BOUNDS` has numbers for."""
    clipped = {node.input[0] for node in graph.node if node.op_type == "Clip"}
    return [
        node.output[0]
        for node in graph.node
        if node.op_type in ("Conv", "Add") and node.output[0] not in clipped
    ]


def weight_steps(weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return how large a step each output channel's weights need; 0 where all are 0.

    Parameters
    ----------
    weights : (out, in / groups, k, k) float32

    Returns
    -------
    (out,) float32
    """
    flat = weights.transpose(0, 2, 3, 1).reshape(len(weights), -1)  # in the order of the runtime's products
    largest = np.abs(flat).max(axis=1)
    if weights.shape[1] > 1:  # not depthwise
        pairs = np.pad(flat, ((0, 0), (0, flat.shape[1] % 2))).reshape(len(flat), -1, 2)
        above = np.maximum(pairs, 0).sum(axis=2).max(axis=1)
        below = np.maximum(-pairs, 0).sum(axis=2).max(axis=1)
        largest = np.maximum(above, below)  # no less than the largest alone
    steps: npt.NDArray[np.float32] = largest / np.float32(_REACH)
    return steps


def round_weights(weights: npt.NDArray[np.float32], steps: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
    """Round each weight to the whole steps below or above, so that each channel keeps its sum.

    Parameters
    ----------
    weights : (out, in / groups, k, k) float32
    steps : (out,) float32

    Returns
    -------
    (out, in / groups, k, k) int8
    """
    exact = weights.reshape(len(weights), -1).astype(np.float64) / steps[:, None]
    nearest = np.rint(exact)
    # In integers, whose sums do not depend on the order in which a machine adds.
    left = np.rint((exact - nearest) * 2**40).astype(np.int64)
    missing = (left.sum(axis=1, keepdims=True) + 2**39) >> 40  # (out, 1) steps
    sign = np.sign(missing)
    place = np.argsort(np.argsort(-left * sign, axis=1, kind="stable"), axis=1)  # those left with most first
    nearest += sign * (place < np.abs(missing))
    return nearest.reshape(weights.shape).astype(np.int8)
