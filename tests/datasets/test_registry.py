import dataclasses

import pytest

from lookalike import datasets
from lookalike.datasets import REGISTRY, caltech101, cifar, clipart, digits, mnist, registry
from lookalike.datasets.locate import Place
from lookalike.errors import DatasetError
from pictures import picture

NAMES = ["mnist", "fashion-mnist", "cifar-10", "cifar-100", "caltech-101", "clipart", "digits"]


def test_the_known_data_sets():
    assert [row.name for row in REGISTRY] == NAMES
    for row in REGISTRY:
        assert row.title
        assert row.licence
        assert row.n_images > 0
        assert row.homepage.startswith("http")


def test_rows_say_what_their_modules_know():
    licences = {
        "mnist": mnist.MNIST.licence,
        "fashion-mnist": mnist.FASHION_MNIST.licence,
        "cifar-10": cifar.LICENCE,
        "cifar-100": cifar.LICENCE,
        "caltech-101": caltech101.LICENCE,
        "clipart": clipart.LICENCE,
        "digits": digits.LICENCE,
    }
    sizes = {
        "mnist": mnist.MNIST.download_bytes,
        "fashion-mnist": mnist.FASHION_MNIST.download_bytes,
        "cifar-10": cifar.CIFAR_10.archive.size,
        "cifar-100": cifar.CIFAR_100.archive.size,
        "caltech-101": caltech101.ARCHIVE.size,
        "clipart": clipart.PACKAGE_BYTES,
        "digits": 0,
    }
    assert {row.name: row.licence for row in REGISTRY} == licences
    assert {row.name: row.download_bytes for row in REGISTRY} == sizes


def test_rows_say_what_loading_gives():
    row = datasets.get_row("digits")
    dataset = row.load(download=False, quiet=True)
    assert (dataset.name, dataset.title, dataset.licence) == (row.name, row.title, row.licence)
    assert len(dataset.train_X) == row.n_images


def test_digits_need_no_network_and_are_of_one_size():
    dataset = datasets.load("digits", download=False)
    assert dataset.train_X[0].shape == dataset.image_shape == (64, 64, 3)
    assert dataset.class_names == tuple("0123456789")


@pytest.mark.parametrize("name", ["mnist", "cifar-10", "cifar-100", "caltech-101"])
def test_what_is_not_there_is_not_downloaded_unasked(name):
    with pytest.raises(DatasetError, match=r"is not on this computer: expected .*\n.*LOOKALIKE_DATA"):
        datasets.load(name, download=False)


def test_find_all_tells_where_each_is(tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "t10k-labels.idx1-ubyte").touch()
    (tmp_path / "cifar10" / "cifar-10-batches-py").mkdir(parents=True)
    (tmp_path / "caltech101" / "101_ObjectCategories").mkdir(parents=True)
    monkeypatch.setenv("LOOKALIKE_DATA", str(tmp_path))
    found = {each.row.name: each.root for each in datasets.find_all()}
    assert list(found) == NAMES
    assert found["mnist"] == tmp_path / "mnist"
    assert found["cifar-10"] == tmp_path / "cifar10" / "cifar-10-batches-py"
    assert found["caltech-101"] == tmp_path / "caltech101" / "101_ObjectCategories"
    assert found["cifar-100"] is None
    assert found["digits"] is None


def test_find_all_finds_what_was_written_before(cache):
    datasets.load("digits")
    roots = {found.row.name: found.root for found in datasets.find_all()}
    assert roots["digits"] == cache / "datasets" / "digits"


def test_command_says_how_those_that_are_not_there_would_come(call, monkeypatch):
    monkeypatch.setattr(clipart, "find", lambda: None)  # it may be installed here
    by_hand = dataclasses.replace(datasets.get_row("clipart"), name="by-hand", download_bytes=0)
    monkeypatch.setattr(registry, "REGISTRY", (*REGISTRY, by_hand))
    told = {line.split()[0]: line.split("images   ")[1] for line in call("datasets")[1].splitlines()}
    assert told["mnist"] == "to be downloaded, 12 MB"
    assert told["digits"] == "comes with scikit-learn"
    assert told["by-hand"] == f"to be fetched by hand: {by_hand.homepage}"


def test_folder_is_a_data_set_too(photos, monkeypatch):
    assert datasets.load(photos).class_names == ("cats", "dogs")
    monkeypatch.chdir(photos.parent)
    assert len(datasets.load("photos").train_X) == 6


def test_name_wins_over_a_folder(tmp_path, monkeypatch):
    (tmp_path / "mnist" / "cats").mkdir(parents=True)
    picture(0).save(tmp_path / "mnist" / "cats" / "0.png")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match="MNIST is not on this computer"):
        datasets.load("mnist", download=False)
    assert datasets.load("./mnist").class_names == ("cats",)


def test_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(
        DatasetError, match=r"'minst' is not a data set; expected mnist, .*digits.*, or a folder"
    ):
        datasets.load("minst")


def test_place_is_what_find_gives(tmp_path, monkeypatch):
    (tmp_path / "cifar-100-python").mkdir()
    monkeypatch.setenv("LOOKALIKE_DATA", str(tmp_path))
    place = next(row for row in REGISTRY if row.name == "cifar-100").find()
    assert place == Place(tmp_path / "cifar-100-python", f"found in {tmp_path / 'cifar-100-python'}")
