"""How an ONNX file of one's own is named, and what the JSON beside it may say."""

import json
import re

import pytest

from lookalike.embed.local import is_path, keep_local, kept_local, load_kept, read_local
from lookalike.embed.runtime import Compute
from lookalike.errors import ModelError
from standin_models import image_graph


def net(folder, name="net.onnx", size=16, **beside):
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(image_graph(size=size, output="y"))
    for file, content in beside.items():
        (folder / f"{file}.json").write_text(json.dumps(content))
    return folder / name


@pytest.mark.parametrize(
    "name",
    [
        "Net (final) v2.onnx",
        "../x.onnx".replace("../", "..x"),
        "赤.onnx",
        "+pca8.onnx",
        "CON.onnx",
        "a" * 200,
    ],
)
def test_names_are_good_as_file_names_everywhere(tmp_path, name):
    model = read_local(net(tmp_path / "n", name)).model
    assert re.fullmatch(r"[a-z0-9_-]{1,40}-[0-9a-f]{8}", model.name)


def test_the_name_tells_the_content(tmp_path):
    first = read_local(net(tmp_path, "net.onnx")).model.name
    assert read_local(net(tmp_path, "net.onnx", size=24)).model.name != first
    assert read_local(net(tmp_path, "other.onnx")).model.name == first.replace("net", "other")


@pytest.mark.parametrize("name", ["net.ONNX", "./net.onnx", "models/net", "/net"])
def test_these_are_paths(name):
    assert is_path(name)


@pytest.mark.parametrize("name", ["lite0", "net-1a2b3c4d", "lite0+pca128", "onnx", ""])
def test_these_are_names(name):
    assert not is_path(name)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        # as CLIP, DINOv2
        (
            {"size": {"shortest_edge": 20}, "crop_size": {"height": 16, "width": 16}, "do_center_crop": True},
            ("crop", 16, 20),
        ),
        ({"size": 20, "crop_size": 16, "do_center_crop": True}, ("crop", 16, 20)),
        # as SigLIP, ViT
        ({"size": {"height": 16, "width": 16}}, ("squash", 16, 16)),
        # as ResNet, ConvNeXt
        ({"size": {"shortest_edge": 16}, "crop_pct": 0.875}, ("crop", 16, 18)),
        ({"size": {"shortest_edge": 16}}, ("crop", 16, 16)),
    ],
)
def test_the_sizes_of_the_hubs_configurations_are_understood(tmp_path, config, expected):
    model = read_local(net(tmp_path, preprocessor_config=config)).model
    assert (model.use.fit, model.size, model.resize) == expected


@pytest.mark.parametrize(
    ("config", "mean", "std"),
    [
        ({"image_mean": [0.5] * 3, "image_std": [0.25] * 3}, 0.5, 0.25),
        ({"do_normalize": False}, 0, 1),
        ({"do_normalize": False, "do_rescale": False}, 0, 1 / 255),  # the network gets 0 to 255
        ({"image_mean": [127] * 3, "image_std": [128] * 3, "do_rescale": False}, 127 / 255, 128 / 255),
        ({"image_mean": [1] * 3, "image_std": [1] * 3, "rescale_factor": 1 / 127.5}, 0.5, 0.5),
    ],
)
def test_the_scales_of_the_hubs_configurations_are_understood(tmp_path, config, mean, std):
    model = read_local(net(tmp_path, preprocessor_config={"size": 16, **config})).model
    assert model.use.mean == pytest.approx((mean,) * 3)
    assert model.use.std == pytest.approx((std,) * 3)


def test_ones_own_json_comes_before_the_hubs(tmp_path):
    path = net(tmp_path, net={"fit": "squash"}, preprocessor_config={"size": {"shortest_edge": 16}})
    assert read_local(path).model.use.fit == "squash"


@pytest.mark.parametrize("config", [{}, {"size": {"height": 16, "width": 20}}, {"size": 16, "resample": 9}])
def test_a_configuration_that_is_not_understood_is_refused_by_name(tmp_path, config):
    with pytest.raises(ModelError, match=r"preprocessor_config\.json does not say how to use net\.onnx"):
        read_local(net(tmp_path, preprocessor_config=config))


def test_what_is_kept_is_what_was_read(tmp_path):
    local = read_local(net(tmp_path, net={"mean": [0.1, 0.2, 0.3], "interpolation": "box"}))
    keep_local(local, tmp_path / "kept")
    assert kept_local(local.model.name, tmp_path / "kept") == local.model
    assert load_kept(local.model, tmp_path / "kept", Compute()).model == local.model
    assert kept_local("another", tmp_path / "kept") is None


@pytest.mark.parametrize("name", ["gone.onnx", "a\0b.onnx"])
def test_a_file_that_is_not_there_is_one_clear_line(tmp_path, name):
    with pytest.raises(ModelError, match="there is no model file"):
        read_local(tmp_path / name)
