"""Make a graph that others exported take what we have and give what we want.

Networks come in as many forms as there are exporters: channels first or last, floats or bytes, a vector an
image, or one a token, or one a place of the image, or only the scores of a classifier. This module reads
which of these a graph is, and puts nodes before and behind it, so that all end up in one form:

    images (n, s, s, 3) uint8 → normalise → the graph → first token, or mean over the positions
        → features (n, d) float32

What cannot be brought into that form is refused in words, before anything is embedded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.embed.models import GraphUse
from lookalike.errors import ModelDamagedError, ModelInputError

if TYPE_CHECKING:
    import onnx

DEFAULT_SIZE = 224
"""Side of the input, pixels, where neither the graph nor its user says."""

LARGEST_SIZE = 4096
"""Side of the input, pixels; what is larger is a slip of the pen, or a bomb."""

EMBEDDING_OUTPUTS = (
    "image_embeds",
    "embedding",
    "embeddings",
    "features",
    "pooler_output",
    "last_hidden_state",
)
"""Names that mean the embedding, where a graph has several outputs; the first that is there."""

_OLDEST_OPSET = 7  # from here on Sub and Mul stretch their operands as numpy does
_PREFIX = "lookalike/"
_AFTER_CLASSIFIER = frozenset({"Softmax", "LogSoftmax", "Sigmoid", "Identity", "Cast", "Flatten", "Squeeze"})


@dataclass(frozen=True, slots=True)
class Adapted:
    """A graph in our form.

    Attributes
    ----------
    graph : bytes
        Input ``images`` (n, size, size, 3) uint8, RGB; output ``features`` (n, d) float32.
    size : int
        Side of the input, pixels.
    takes_one : bool
        Whether it takes one image a call, no more.
    """

    graph: bytes
    size: int
    takes_one: bool


@dataclass(frozen=True, slots=True)
class _Input:
    name: str
    dtype: int  # of TensorProto
    is_channels_first: bool
    size: int | None  # None where the graph takes any
    takes_one: bool


def adapt(data: bytes, name: str, use: GraphUse, size: int | None = None) -> Adapted:
    """Bring a graph into our form.

    Parameters
    ----------
    data : bytes
        The ONNX file.
    name : str
        What to call it in errors.
    use : GraphUse
    size : int, optional
        Side of the input where the graph takes any; 224 by default.

    Raises
    ------
    ModelError
        If it is no ONNX file, keeps its weights elsewhere, or has another form than those known here.
    """
    model = parse(data, name)
    seen = _image_input(model, name)
    if size is not None and seen.size is not None and size != seen.size:
        raise ModelInputError(
            f"the model {name} takes images of {seen.size} × {seen.size} pixels; expected {size} × {size}"
        )
    side = seen.size or size or DEFAULT_SIZE
    if side > LARGEST_SIZE:
        raise ModelInputError(
            f"the model {name} takes images of {side:,} × {side:,} pixels; expected at most"
            f" {LARGEST_SIZE:,} × {LARGEST_SIZE:,}"
        )
    output, rank = _embedding(model, name, use)
    if rank not in (2, 3, 4):
        raise ModelInputError(
            f"the output {output!r} of {name} has {'no known' if rank is None else rank} dimensions; expected"
            " (n, d), (n, tokens, d) or (n, d, height, width)"
        )
    _prepend(model.graph, seen, use, side)
    _append(model.graph, output, rank)
    return Adapted(bytes(model.SerializeToString()), side, seen.takes_one)


def parse(data: bytes, name: str) -> onnx.ModelProto:
    """Read an ONNX file.

    Raises
    ------
    ModelError
        If it is none, is too old, or keeps its weights in other files.
    """
    import onnx

    try:
        model = onnx.ModelProto.FromString(data)
    except Exception as error:  # protobuf's own classes, which differ between its versions
        raise ModelDamagedError(f"{name} is not an ONNX file, or is cut short") from error
    if not model.graph.node or not model.graph.output:
        raise ModelDamagedError(f"{name} is not an ONNX file, or is empty: it has no graph")
    files = sorted({place for tensor in model.graph.initializer if (place := _outside(tensor))})
    if files:
        raise ModelInputError(
            f"{name} keeps its weights in other files ({', '.join(files)})",
            hint="make it one file with onnx.save_model(onnx.load(…), …)",
        )
    opset = max((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=0)
    if opset < _OLDEST_OPSET:
        raise ModelInputError(
            f"{name} is of ONNX opset {opset}; expected {_OLDEST_OPSET} or newer: export it again"
        )
    return model


def _outside(tensor: onnx.TensorProto) -> str:
    """Return the file that a tensor's values lie in; empty where they are in the graph."""
    if tensor.data_location != tensor.EXTERNAL:
        return ""
    return next((entry.value for entry in tensor.external_data if entry.key == "location"), "?")


def _image_input(model: onnx.ModelProto, name: str) -> _Input:
    """Find the one input, and read how it wants an image."""
    from onnx import TensorProto

    constants = {tensor.name for tensor in model.graph.initializer}  # old files list these as inputs, too
    inputs = [value for value in model.graph.input if value.name not in constants]
    if len(inputs) != 1:
        listed = ", ".join(value.name for value in inputs) or "none"
        raise ModelInputError(
            f"the model {name} has {len(inputs)} inputs ({listed}); expected one, the image"
        )
    tensor = inputs[0].type.tensor_type
    shape = _shape(tensor)
    if tensor.elem_type not in (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8):
        kind = TensorProto.DataType.Name(tensor.elem_type)
        raise ModelInputError(f"the input of {name} is {kind.lower()}; expected float, float16 or uint8")
    written = f"({', '.join('?' if length is None else str(length) for length in shape)})"
    expected = "expected (n, 3, height, width) or (n, height, width, 3)"
    if len(shape) != 4:
        raise ModelInputError(f"the input of {name} has the shape {written}; {expected}")
    if shape[1] == 3 or (shape[1] is None and shape[3] != 3):  # nearly all exports are channels first
        is_channels_first, height, width = True, shape[2], shape[3]
    elif shape[3] == 3:
        is_channels_first, height, width = False, shape[1], shape[2]
    else:
        raise ModelInputError(f"the input of {name} has the shape {written}; {expected}")
    if height is not None and width is not None and height != width:
        raise ModelInputError(f"the input of {name} has the shape {written}; expected a square")
    if shape[0] not in (None, 1):
        raise ModelInputError(
            f"the model {name} takes exactly {shape[0]} images a call; expected any number, or one:"
            " export it again with a batch of 1"
        )
    return _Input(inputs[0].name, tensor.elem_type, is_channels_first, height or width, shape[0] == 1)


def _shape(tensor: Any) -> list[int | None]:
    """Return the lengths of a TypeProto.Tensor's dimensions, None where any is allowed."""
    return [
        length.dim_value if length.HasField("dim_value") and length.dim_value > 0 else None
        for length in tensor.shape.dim
    ]


def _embedding(model: onnx.ModelProto, name: str, use: GraphUse) -> tuple[str, int | None]:
    """Return the tensor that is the embedding, and how many dimensions it has, if that can be told."""
    outputs = {value.name: value for value in model.graph.output}
    if use.output is not None and use.output not in outputs:
        raise ModelInputError(
            f"the model {name} has no output {use.output!r}; there are: {', '.join(outputs)}"
        )
    if use.output is not None:
        chosen = use.output
    elif len(outputs) == 1:
        chosen = next(iter(outputs))
    else:
        known = [output for output in EMBEDDING_OUTPUTS if output in outputs]
        if not known:
            raise ModelInputError(
                f"the model {name} has {len(outputs)} outputs ({', '.join(outputs)}); name the one that"
                ' is the embedding in the JSON file beside it: {"output": …}'
            )
        chosen = known[0]
    tensor = outputs[chosen].type.tensor_type
    rank = len(tensor.shape.dim) if tensor.HasField("shape") else None
    if use.cut_classifier:
        return _before_classifier(model, name, chosen, rank)
    return chosen, rank


def _before_classifier(
    model: onnx.ModelProto, name: str, output: str, rank: int | None
) -> tuple[str, int | None]:
    """Walk back from an output to the matrix product that makes the scores, and return what goes into it."""
    made_by = {result: node for node in model.graph.node for result in node.output}
    constants = {tensor.name for tensor in model.graph.initializer} | {
        result for result, node in made_by.items() if node.op_type == "Constant"
    }
    node = made_by.get(output)
    while node is not None and (node.op_type in _AFTER_CLASSIFIER or _adds_bias(node, constants)):
        node = made_by.get(next(word for word in node.input if word not in constants))
    if node is None or node.op_type not in ("Gemm", "MatMul") or node.input[0] in constants:
        found = "none" if node is None else node.op_type
        raise ModelInputError(
            f"the model {name} does not end in a classifier that can be cut off: expected a matrix product"
            f" before {output!r}, got {found}"
        )
    return node.input[0], 2 if node.op_type == "Gemm" else rank


def _adds_bias(node: onnx.NodeProto, constants: set[str]) -> bool:
    return node.op_type == "Add" and sum(word in constants for word in node.input) == 1


def _prepend(graph: onnx.GraphProto, seen: _Input, use: GraphUse, side: int) -> None:
    """Put nodes in front, from ``images`` to what the graph calls its input."""
    from onnx import TensorProto, helper

    images = _PREFIX + "images"
    nodes: list[onnx.NodeProto] = []

    def add(kind: str, *inputs: str, **attributes: Any) -> str:
        result = f"{_PREFIX}in/{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [result], name=result, **attributes))
        return result

    x = images
    if seen.is_channels_first:  # before the cast: a quarter of the bytes to move
        x = add("Transpose", x, perm=[0, 3, 1, 2])
    if seen.dtype != TensorProto.UINT8:
        x = add("Cast", x, to=TensorProto.FLOAT)
        shape = (3, 1, 1) if seen.is_channels_first else (3,)
        mean = 255 * np.asarray(use.mean, np.float64).reshape(shape)
        scale = 1 / (255 * np.asarray(use.std, np.float64).reshape(shape))
        x = add("Sub", x, _constant(graph, "mean", mean.astype(np.float32)))
        x = add("Mul", x, _constant(graph, "scale", scale.astype(np.float32)))
    if seen.dtype == TensorProto.FLOAT16:
        x = add("Cast", x, to=TensorProto.FLOAT16)
    nodes.append(helper.make_node("Identity", [x], [seen.name], name=_PREFIX + "in/image"))

    others = list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes + others)
    kept = [value for value in graph.input if value.name != seen.name]
    del graph.input[:]
    graph.input.extend(
        [helper.make_tensor_value_info(images, TensorProto.UINT8, ["n", side, side, 3]), *kept]
    )


def _append(graph: onnx.GraphProto, output: str, rank: int) -> None:
    """Put nodes behind, from one tensor of the graph to ``features``, now the only output."""
    from onnx import TensorProto, helper

    pooled = output
    if rank == 3:  # the first token, which stands for the image
        pooled = _PREFIX + "out/token"
        first = _constant(graph, "first", np.int64(0))
        graph.node.append(helper.make_node("Gather", [output, first], [pooled], name=pooled, axis=1))
    elif rank == 4:
        mean, pooled = _PREFIX + "out/mean", _PREFIX + "out/pooled"
        graph.node.append(helper.make_node("GlobalAveragePool", [output], [mean], name=mean))
        graph.node.append(helper.make_node("Flatten", [mean], [pooled], name=pooled, axis=1))
    features = _PREFIX + "features"
    graph.node.append(helper.make_node("Cast", [pooled], [features], name=features, to=TensorProto.FLOAT))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(features, TensorProto.FLOAT, ["n", None]))


def _constant(graph: onnx.GraphProto, name: str, value: Any) -> str:
    from onnx import numpy_helper

    graph.initializer.append(numpy_helper.from_array(np.asarray(value), _PREFIX + name))
    return _PREFIX + name
