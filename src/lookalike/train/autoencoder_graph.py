"""The encoder as an ONNX graph, built from its weights: no torch is needed to run it.

    images (n, s, s, 3) uint8 → / 255 → grey, if it was trained so → convolutions → features (n, d) float32

Each batch normalisation is folded into the convolution before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.embed.convolutional_graph import ConvolutionalGraph
from lookalike.train.autoencoder_shape import AutoencoderShape
from lookalike.train.images import GREY

_EPSILON = 1e-5  # of torch's batch normalisations


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
    graph = ConvolutionalGraph(weights, _EPSILON)
    x = graph.normalize(np.float32(0), np.float32(1 / 255))
    if shape.channels == 1:
        grey = graph.constant("grey", np.array(GREY, np.float32).reshape(1, 3, 1, 1))
        x = graph.add("Conv", [x, grey], kernel_shape=[1, 1])
    for number in range(len(shape.widths)):
        x = graph.convolve(x, f"halvings.{3 * number}", f"halvings.{3 * number + 1}", 2, (1, 1))
        x = graph.add("Relu", [x])
    x = graph.add("Flatten", [x], axis=1)
    matrix, bias = (
        graph.constant(f"to_code.{part}", weights[f"to_code.{part}"]) for part in ("weight", "bias")
    )
    graph.add("Gemm", [x, matrix, bias], output="features", transB=1)
    return graph.file("autoencoder", shape.side, {"features": shape.dimension})
