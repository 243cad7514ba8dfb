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


def not_finite() -> bytes:
    """Give NaN, always."""
    return mean_of(
        helper.make_node("Sub", ["colour", "much"], ["below"]),
        helper.make_node("Sqrt", ["below"], ["out"]),
        constants={"much": np.float32(99)},
    )


def infinite() -> bytes:
    """Give infinity, always."""
    return mean_of(
        helper.make_node("Add", ["colour", "one"], ["above"]),
        helper.make_node("Div", ["above", "zero"], ["out"]),
        constants={"one": np.float32(1), "zero": np.float32(0)},
    )


def constant() -> bytes:
    """Give the same for every image."""
    return mean_of(
        helper.make_node("Mul", ["colour", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "one"], ["out"]),
        constants={"one": np.float32(1), "zero": np.float32(0)},
    )


def only_zeros() -> bytes:
    """Give zeros for every image."""
    return mean_of(helper.make_node("Mul", ["colour", "zero"], ["out"]), constants={"zero": np.float32(0)})


def huge_input() -> bytes:
    """Take images of a million by a million pixels."""
    return save(
        [helper.make_node("ReduceMean", ["pixels"], ["out"], axes=[2, 3], keepdims=0)],
        [("pixels", TensorProto.FLOAT, ["n", 3, 1_000_000, 1_000_000])],
        [("out", TensorProto.FLOAT, ["n", 3])],
        {"one": np.float32(1)},
    )


def endless() -> bytes:
    """Loop for ever: a condition that is always true, and as many rounds as fit into 63 bits."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Identity", ["x"], ["x_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x_out", TensorProto.FLOAT, None),
        ],
    )
    return mean_of(
        helper.make_node("Loop", ["rounds", "true", "colour"], ["out"], body=body),
        constants={"rounds": np.int64(2**62), "true": np.array(True)},
    )


def grown(rows: int) -> bytes:
    """Stretch each image to so many rows before the mean is taken."""
    return mean_of(
        helper.make_node("Mul", ["colour", "many"], ["none"]),
        helper.make_node("ConstantOfShape", ["shape"], ["big"]),
        helper.make_node("ReduceMax", ["big"], ["most"], keepdims=0),
        helper.make_node("Add", ["none", "most"], ["out"]),
        constants={"many": np.float32(1), "shape": np.array([rows, 1 << 20], np.int64)},
    )


def giant() -> bytes:
    """Fill a tensor of 4 TB."""
    return grown(1 << 20)


def of_other_size() -> bytes:
    """Give more numbers the brighter the image is."""
    return mean_of(
        helper.make_node("ReduceMax", ["colour"], ["brightest"], keepdims=0),
        helper.make_node("Mul", ["brightest", "ten"], ["much"]),
        helper.make_node("Cast", ["much"], ["n"], to=TensorProto.INT64),
        helper.make_node("Add", ["n", "one"], ["length"]),
        helper.make_node("Unsqueeze", ["length", "first"], ["lengths"]),
        helper.make_node("Concat", ["row", "lengths"], ["repeats"], axis=0),
        helper.make_node("Tile", ["colour", "repeats"], ["out"]),
        shape=("n", None),
        constants={
            "ten": np.float32(10),
            "one": np.int64(1),
            "first": np.array([0]),
            "row": np.array([1], np.int64),
        },
    )


def of_its_neighbors() -> bytes:
    """Give each image its difference from the mean of all that are embedded with it, and a bit of itself."""
    return mean_of(
        helper.make_node("ReduceMean", ["colour"], ["all"], axes=[0], keepdims=1),
        helper.make_node("Sub", ["colour", "all"], ["apart"]),
        helper.make_node("Mul", ["colour", "bit"], ["itself"]),
        helper.make_node("Add", ["apart", "itself"], ["out"]),
        constants={"bit": np.float32(0.1)},
    )


def unknown_operator() -> bytes:
    """Use an operator that nobody has."""
    return mean_of(helper.make_node("Telepathy", ["colour"], ["out"], domain="org.example"))


REFUSED = {
    not_finite: "not finite",
    infinite: "not finite",
    constant: "the same numbers for every image",
    only_zeros: "only zeros",
    huge_input: "1,000,000 × 1,000,000 pixels; expected at most 4,096",
    endless: "did not come to an end",
    giant: "memory",
    of_other_size: r"gives the shape|cannot be|\(1, \d+\) numbers",
    of_its_neighbors: "alone than beside others",
    unknown_operator: "cannot be loaded",
}
"""What no collection takes, and what is said of it."""
