"""Graphs in all the forms that exporters give them, brought into one, which is worked by hand."""

import dataclasses

import numpy as np
import pytest
from onnx import TensorProto, helper

from lookalike.embed.adapted import AdaptedEmbedder
from lookalike.embed.graph import adapt
from lookalike.embed.models import GraphUse, LocalGraph, Model
from lookalike.errors import ModelError
from standin_models import image_graph, projection, save, wall

USE = GraphUse(mean=(0.5, 0.25, 0.1), std=(0.5, 0.4, 0.3))


def model(dimension=8, size=32, use=USE, **facts):
    row = Model(
        name="tiny",
        title="",
        architecture="onnx",
        precision="float32",
        weights=LocalGraph(""),
        size=size,
        resize=size,
        dimension=dimension,
        metric="cosine",
        licence="",
        use=use,
    )
    return dataclasses.replace(row, **facts)


def expected(pixels, use=USE):
    """The embedding worked by hand: (n, 8)."""
    colour = ((pixels / 255 - use.mean) / use.std).mean(axis=(1, 2))
    rows = np.column_stack([colour, np.ones(len(colour))]) @ projection(8)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"channels_first": False},
        {"size": "side"},
        {"size": "side", "channels_first": False},
        {"batch": 1},
        {"batch": 1, "size": 32, "form": "tokens"},
        {"form": "tokens"},
        {"form": "map"},
        {"batch": 1, "form": "map", "channels_first": False},
        {"output": "anything"},
        {"dtype": TensorProto.FLOAT16},
    ],
    ids=str,
)
def test_every_form_gives_the_same_vectors(pixels, form):
    embedder = AdaptedEmbedder(model(), image_graph(**{"size": 32, **form}))
    vectors = embedder.embed(pixels)
    assert vectors.dtype == np.float32
    tolerance = 1e-5 if "dtype" not in form else 2e-3
    np.testing.assert_allclose(vectors, expected(pixels), atol=tolerance)


def test_a_graph_that_takes_bytes_gets_bytes(pixels):
    graph = image_graph(size=32, dtype=TensorProto.UINT8)
    vectors = AdaptedEmbedder(model(), graph).embed(pixels)
    np.testing.assert_allclose(
        vectors, expected(pixels, GraphUse(mean=(0, 0, 0), std=(1 / 255,) * 3)), atol=1e-5
    )


def test_a_classifier_is_cut_off(pixels):
    use = dataclasses.replace(USE, cut_classifier=True)
    vectors = AdaptedEmbedder(model(use=use), image_graph(size=32, classifier=5)).embed(pixels)
    colour = ((pixels / 255 - USE.mean) / USE.std).mean(axis=(1, 2))
    rows = np.maximum(np.column_stack([colour, np.ones(3)]) @ projection(8), 0)
    np.testing.assert_allclose(vectors, rows / np.linalg.norm(rows, axis=1, keepdims=True), atol=1e-5)


def test_a_product_and_a_sum_are_a_classifier_too(pixels):
    constants = {"w": np.ones((3, 2), np.float32), "b": np.ones(2, np.float32)}
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["colour"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["colour", "w"], ["product"]),
        helper.make_node("Add", ["b", "product"], ["scores"]),
    ]
    graph = save(
        nodes,
        [("x", TensorProto.FLOAT, ["n", 3, 32, 32])],
        [("scores", TensorProto.FLOAT, ["n", 2])],
        constants,
    )
    use = dataclasses.replace(USE, cut_classifier=True)
    assert AdaptedEmbedder(model(3, use=use), graph).embed(pixels).shape == (3, 3)


def test_a_graph_without_a_classifier_says_so():
    nodes = [helper.make_node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=0)]
    graph = save(nodes, [("x", TensorProto.FLOAT, ["n", 3, 8, 8])], [("y", TensorProto.FLOAT, ["n", 3])], {})
    with pytest.raises(ModelError, match=r"does not end in a classifier .* got ReduceMean"):
        adapt(graph, "net", GraphUse(cut_classifier=True))


def graph_of(shape, dtype=TensorProto.FLOAT, outputs=(("y", ["n", 3]),), extra=()):
    nodes = [helper.make_node("Identity", ["x"], [name]) for name, _ in outputs]
    return save(
        nodes,
        [("x", dtype, shape), *((name, TensorProto.FLOAT, [1]) for name in extra)],
        [(name, dtype, shape) for name, shape in outputs],
        {},
    )


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (b"", "is not an ONNX file"),
        (b"\x89PNG not a graph", "is not an ONNX file"),
        (image_graph()[:300], "is not an ONNX file"),
        (graph_of(["n", 3, 32, 48]), r"shape \(\?, 3, 32, 48\); expected a square"),
        (graph_of(["n", 1, 28, 28]), r"shape \(\?, 1, 28, 28\); expected \(n, 3, height, width\)"),
        (graph_of(["n", 784]), r"shape \(\?, 784\); expected"),
        (graph_of([8, 3, 32, 32]), "takes exactly 8 images a call"),
        (graph_of(["n", 3, 32, 32], TensorProto.INT64), "input of net is int64; expected float"),
        (graph_of(["n", 3, 32, 32], extra=["more"]), r"has 2 inputs \(x, more\); expected one"),
        (
            graph_of(["n", 3, 32, 32], outputs=[("a", ["n", 3]), ("b", ["n", 3])]),
            r"has 2 outputs \(a, b\); name the one",
        ),
        (graph_of(["n", 3, 32, 32], outputs=[("y", ["n"])]), "has 1 dimensions; expected"),
        (graph_of(["n", 3, 32, 32], outputs=[("y", None)]), "has no known dimensions; expected"),
        (graph_of(["n", 3, 64, 64]), "64 × 64 pixels; expected 32 × 32"),
        (
            save(
                [helper.make_node("Identity", ["x"], ["y"])],
                [("x", TensorProto.FLOAT, ["n", 3, 32, 32])],
                [("y", TensorProto.FLOAT, ["n", 3, 32, 32])],
                {},
                opset=6,
            ),
            "opset 6; expected 7 or newer",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(graph, message):
    with pytest.raises(ModelError, match=message) as caught:
        adapt(graph, "net", GraphUse(), 32)
    assert "\n" not in str(caught.value)


def test_an_output_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ModelError, match="no output 'nothing'; there are: image_embeds"):
        adapt(image_graph(), "net", GraphUse(output="nothing"))


def test_weights_in_other_files_are_refused_with_what_to_do(tmp_path):
    import onnx

    whole = onnx.ModelProto.FromString(image_graph(dimension=400))
    onnx.save_model(
        whole,
        tmp_path / "net.onnx",
        save_as_external_data=True,
        location="net.onnx_data",
        size_threshold=0,
    )
    with pytest.raises(ModelError, match=r"in other files \(net.onnx_data\)\nmake it one file"):
        adapt((tmp_path / "net.onnx").read_bytes(), "net", GraphUse())


def test_another_dimension_than_the_row_says_is_refused():
    with pytest.raises(ModelError, match="gives 8 numbers an image; expected 512"):
        AdaptedEmbedder(model(512), image_graph(size=32))


def test_a_dimension_that_is_not_known_is_found_out():
    assert AdaptedEmbedder(model(0), image_graph(size=32)).model.dimension == 8


def test_a_graph_that_does_not_run_is_refused():
    nodes = [
        helper.make_node("Reshape", ["x", "shape"], ["y"]),  # no image has as many numbers
    ]
    graph = save(
        nodes,
        [("x", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [("y", TensorProto.FLOAT, ["n", 7])],
        {"shape": np.array([-1, 7])},
    )
    with pytest.raises(ModelError, match="tiny cannot embed images: ") as caught:
        AdaptedEmbedder(model(7), graph)
    assert "\n" not in str(caught.value)


def test_numbers_that_are_none_are_refused():
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["colour"], axes=[2, 3], keepdims=0),
        helper.make_node("Log", ["colour"], ["y"]),
    ]
    graph = save(
        nodes, [("x", TensorProto.FLOAT, ["n", 3, 32, 32])], [("y", TensorProto.FLOAT, ["n", 3])], {}
    )
    use = GraphUse(mean=(2.0, 2.0, 2.0))
    with pytest.raises(ModelError, match="numbers that are not finite"):
        AdaptedEmbedder(model(3, use=use), graph)


def test_the_centre_is_cropped_or_the_whole_is_squashed():
    wide = wall("red", 64).resize((192, 64))
    wide.paste((0, 0, 255), (0, 0, 64, 64))  # left third, outside the centre
    crop = AdaptedEmbedder(model(), image_graph(size=32)).prepare(wide)
    squash = AdaptedEmbedder(model(use=dataclasses.replace(USE, fit="squash")), image_graph(size=32)).prepare(
        wide
    )
    assert crop.shape == squash.shape == (32, 32, 3)
    assert crop[..., 2].max() < 60
    assert squash[:, :10, 2].min() > 200


def test_nearest_scaling_makes_no_new_colours():
    image = wall("red").quantize(2).convert("RGB")
    use = dataclasses.replace(USE, interpolation="nearest")
    prepared = AdaptedEmbedder(model(use=use), image_graph(size=32)).prepare(image)
    assert len(np.unique(prepared.reshape(-1, 3), axis=0)) <= 2
