"""ONNX files that do what no model should: numbers that are not finite, loops without end, and the like.

All take (n, 3, 8, 8) floats and are named for what they do.
"""

import numpy as np
from onnx import TensorProto, helper

from standin_models import save

SIDE = 8


def mean_of(*nodes, shape=("n", 3), constants=None, before=()):
    """Return a graph whose output comes of ``colour``, (n, 3), the mean of all pixels, 0 to 1."""
    return save(
        [
            *before,
            helper.make_node("ReduceMean", ["pixels"], ["normalized"], axes=[2, 3], keepdims=0),
            helper.make_node("Mul", ["normalized", "std"], ["scaled"]),
            helper.make_node("Add", ["scaled", "mean"], ["colour"]),
            *nodes,
        ],
        [("pixels", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
        [("out", TensorProto.FLOAT, list(shape))],
        {
            "std": np.array([0.229, 0.224, 0.225], np.float32),
            "mean": np.array([0.485, 0.456, 0.406], np.float32),
            **(constants or {}),
        },
    )


def colour() -> bytes:
    """Give the mean color, and nothing strange."""
    return mean_of(helper.make_node("Identity", ["colour"], ["out"]))


def not_finite_for_dark() -> bytes:
    """Give NaN for images darker than a fifth, and infinity for some channel below it."""
    return mean_of(
        helper.make_node("Sub", ["colour", "fifth"], ["above"]),
        helper.make_node("Sqrt", ["above"], ["out"]),
        constants={"fifth": np.float32(0.2)},
    )


def zeros_for_dark() -> bytes:
    """Give only zeros for images darker than a fifth."""
    return mean_of(
        helper.make_node("Sub", ["colour", "fifth"], ["above"]),
        helper.make_node("Relu", ["above"], ["out"]),
        constants={"fifth": np.float32(0.2)},
    )


def fails_for_dark() -> bytes:
    """Fail for images darker than a fifth: it takes a row that is not there."""
    return mean_of(
        helper.make_node("ReduceMin", ["colour"], ["least"], keepdims=0),
        helper.make_node("Less", ["least", "fifth"], ["is_dark"]),
        helper.make_node("Cast", ["is_dark"], ["row"], to=TensorProto.INT64),
        helper.make_node("Mul", ["row", "far"], ["there"]),
        helper.make_node("Gather", ["colour", "there"], ["taken"], axis=0),
        helper.make_node("Unsqueeze", ["taken", "first"], ["out"]),
        constants={"fifth": np.float32(0.2), "far": np.int64(99), "first": np.array([0])},
    )
