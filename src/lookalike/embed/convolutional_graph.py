"""What the ONNX graphs of convolutional networks that are built here share.

A graph takes pixels as they are decoded, and gives one vector an image, or some. Each batch normalisation is
folded into the convolution before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import onnx

OPSET = 17
IR_VERSION = 8  # what opset 17 came with; newer ones would shut out older runtimes


class ConvolutionalGraph:
    """A graph under construction: nodes and constants, in order.

    Parameters
    ----------
    weights : mapping of str to array
    epsilon : float
        Of the batch normalisations.
    """

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]], epsilon: float) -> None:
        self._weights = weights
        self._epsilon = epsilon
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def normalize(
        self, mean: npt.NDArray[np.float32] | np.float32, scale: npt.NDArray[np.float32] | np.float32
    ) -> str:
        """Turn the input into (n, 3, side, side) float32, ``(value - mean) * scale``; return its name."""
        from onnx import TensorProto

        x = self.add("Cast", ["images"], to=TensorProto.FLOAT)
        x = self.add("Transpose", [x], perm=[0, 3, 1, 2])
        x = self.add("Sub", [x, self.constant("mean", mean)])
        return self.add("Mul", [x, self.constant("scale", scale)])

    def convolve(
        self, x: str, conv: str, norm: str, stride: int, pads: tuple[int, int], depthwise: bool = False
    ) -> str:
        """Add a convolution with its batch normalisation folded in; return its output.

        Parameters
        ----------
        x : str
        conv, norm : str
            What the names of their weights begin with.
        stride : int
        pads : (int, int)
            Zeros before and after each line and column.
        depthwise : bool
            Whether each channel has a filter of its own.
        """
        kernel = self._weights[conv + ".weight"]  # (out, in / groups, k, k)
        gamma, beta, mean, variance = (
            self._weights[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + self._epsilon)
        folded = self.constant(conv + ".weight", (kernel * scale[:, None, None, None]).astype(np.float32))
        bias = self.constant(conv + ".bias", (beta - mean * scale).astype(np.float32))
        size, (before, after) = kernel.shape[-1], pads
        return self.add(
            "Conv",
            [x, folded, bias],
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=kernel.shape[0] if depthwise else 1,
        )

    def kernel_side(self, conv: str) -> int:
        """Return the side of a convolution's kernel."""
        return int(self._weights[conv + ".weight"].shape[-1])

    def constant(self, name: str, value: npt.NDArray[np.float32] | np.float32) -> str:
        """Keep a constant, once; return its name."""
        from onnx import numpy_helper

        if all(constant.name != name for constant in self._constants):
            self._constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, kind: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        """Add a node; return its output."""
        from onnx import helper

        output = output or f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def pool(self, x: str, name: str, side: int, dimension: int) -> bytes:
        """End with the mean over the positions; return the ONNX file of that name."""
        self.mean(x)
        return self.file(name, side, {"features": dimension})

    def mean(self, x: str, output: str = "features") -> str:
        """Add the mean over the positions, (n, channels); return its name."""
        return self.add("Flatten", [self.add("GlobalAveragePool", [x])], output=output, axis=1)

    def classify(self, x: str, layer: str, output: str) -> int:
        """Add a linear layer, by what the names of its weights begin with; return how many classes it has."""
        weight, bias = (self._weights[f"{layer}.{part}"] for part in ("weight", "bias"))
        names = [self.constant(layer + ".weight", weight), self.constant(layer + ".bias", bias)]
        self.add("Gemm", [x, *names], output=output, transB=1)
        return len(bias)

    def file(self, name: str, side: int, outputs: Mapping[str, int]) -> bytes:
        """Return the ONNX file, once there are tensors called as the outputs, of so many numbers each."""
        from onnx import TensorProto, checker, helper

        images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", side, side, 3])
        given = [
            helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", length])
            for output, length in outputs.items()
        ]
        graph = helper.make_graph(self._nodes, name, [images], given, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        model.producer_name = "lookalike"
        model.producer_version = ""
        checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))
