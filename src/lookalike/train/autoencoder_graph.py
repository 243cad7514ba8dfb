"""The encoder as an ONNX graph, built from its weights: no torch is needed to run it.

    images (n, s, s, 3) uint8 → / 255 → grey, if it was trained so → convolutions → features (n, d) float32

Each batch normalisation is folded into the convolution before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.train.autoencoder_shape import AutoencoderShape

_GREY = (0.299, 0.587, 0.114)
_EPSILON = 1e-5  # of torch's batch normalisations
_OPSET = 17
_IR_VERSION = 8


def build_encoder(weights: Mapping[str, npt.NDArray[Any]], shape: AutoencoderShape) -> bytes:
    """Build the ONNX file of an encoder.

    Parameters
    ----------
    weights : mapping of str to array
        The state dict of `autoencoder_network.Autoencoder`.
    shape : AutoencoderShape

    Returns
    -------
    bytes
        Input ``images`` (n, side, side, 3) uint8, RGB; output ``features`` (n, dimension) float32.
    """
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes: list[Any] = []
    constants: list[Any] = []

    def constant(name: str, value: npt.ArrayLike) -> str:
        constants.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def add(kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        output = output or f"{kind.lower()}_{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    x = add("Cast", "images", to=TensorProto.FLOAT)
    x = add("Transpose", x, perm=[0, 3, 1, 2])
    x = add("Div", x, constant("white", np.float32(255)))
    if shape.channels == 1:
        x = add("Conv", x, constant("grey", np.reshape(_GREY, (1, 3, 1, 1))), kernel_shape=[1, 1])
    for number in range(len(shape.widths)):
        conv, norm = f"halvings.{3 * number}", f"halvings.{3 * number + 1}"
        gamma, beta, mean, variance = (
            np.asarray(weights[f"{norm}.{part}"], np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + _EPSILON)
        kernel = constant(f"{conv}.weight", weights[f"{conv}.weight"] * scale[:, None, None, None])
        bias = constant(f"{conv}.bias", beta - mean * scale)
        x = add("Conv", x, kernel, bias, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        x = add("Relu", x)
    x = add("Flatten", x, axis=1)
    matrix, bias = (constant(f"to_code.{part}", weights[f"to_code.{part}"]) for part in ("weight", "bias"))
    add("Gemm", x, matrix, bias, output="features", transB=1)

    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", shape.side, shape.side, 3])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", shape.dimension])
    graph = helper.make_graph(nodes, "autoencoder", [images], [features], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
    model.ir_version = _IR_VERSION
    model.producer_name = "lookalike"
    model.producer_version = ""
    checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))
