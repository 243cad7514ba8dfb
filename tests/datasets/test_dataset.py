import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from lookalike.datasets import Dataset, ImageFiles
from lookalike.errors import ImageError, InvalidInputError
from pictures import picture


def make(y=(0, 1, 1), test_y=(1,), n_classes=2, **changes):
    y, test_y = np.array(y, np.int64), np.array(test_y, np.int64)
    X = np.arange(len(y) * 4, dtype=np.uint8).reshape(-1, 2, 2)
    names = tuple("abcdefgh"[:n_classes])
    fields = {"train_X": X, "train_y": y, "test_X": X[: len(test_y)], "test_y": test_y, **changes}
    return Dataset(
        name="tiny",
        title="Tiny",
        class_names=names,
        image_shape=(2, 2),
        licence="mine",
        origin="here",
        **fields,
    )


@pytest.fixture
def files(photos):
    return ImageFiles(tuple(sorted(photos.glob("*/*.png"))))


def test_it_unpacks_as_four():
    dataset = make()
    train_X, train_y, test_X, test_y = dataset
    assert train_X is dataset.train_X
    assert train_y is dataset.train_y
    assert test_X is dataset.test_X
    assert test_y is dataset.test_y


def test_splits_are_named():
    dataset = make()
    assert dataset.split("train") == (dataset.train_X, dataset.train_y)
    assert dataset.split("test") == (dataset.test_X, dataset.test_y)
    with pytest.raises(InvalidInputError, match=r"'val' is not a split of tiny; expected 'train' or 'test'"):
        dataset.split("val")


def test_it_is_frozen_and_prints_in_one_line():
    dataset = make()
    with pytest.raises(dataclasses.FrozenInstanceError):
        dataset.name = "other"
    assert repr(dataset) == "Dataset('tiny', train=3, test=1, classes=2, image_shape=(2, 2))"


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(InvalidInputError, match=r"expected one train label for each of 2 images, .*\(3,\)"):
        make(train_X=np.zeros((2, 2, 2), np.uint8))
    with pytest.raises(InvalidInputError, match=r"expected test labels from 0 to 1.*got 2 to 2"):
        make(test_y=(2,))
    with pytest.raises(InvalidInputError, match="got -1 to 1"):
        make(y=(0, -1, 1))


def test_share_of_each_class_moves_to_test():
    dataset = make(y=[0] * 10 + [1] * 20 + [2], test_y=(), n_classes=3).with_test_share(0.3)
    assert np.bincount(dataset.train_y).tolist() == [7, 14, 1]  # the only image of its class stays
    assert np.bincount(dataset.test_y).tolist() == [3, 6]
    both = np.concatenate([dataset.train_X, dataset.test_X])
    assert len(np.unique(both[:, 0, 0])) == 31
    assert (np.diff(dataset.test_X[:, 0, 0].astype(int)) > 0).all()


def test_share_is_the_same_for_the_same_number_and_another_for_another():
    dataset = make(y=[0] * 50, test_y=())
    first, again, other = (dataset.with_test_share(0.5, seed).test_X[:, 0, 0].tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_share_outside_0_and_1_is_refused(share):
    words = "between 0 and 1" if share == share else "test_share is nan; expected a number"
    with pytest.raises(InvalidInputError, match=words):
        make(test_y=()).with_test_share(share)


def test_share_is_refused_where_there_is_a_test_split():
    with pytest.raises(InvalidInputError, match="tiny has a test split of its own, of 1 images"):
        make().with_test_share(0.5)


def test_files_are_decoded_when_they_are_asked_for(files):
    assert len(files) == 6
    assert files[0].shape == (80, 80, 3)
    assert files[0].dtype == np.uint8
    assert (files[-1] == np.asarray(picture(5))).all()
    assert (files[np.int64(2)] == np.asarray(picture(2))).all()
    assert sum(1 for _ in files) == 6
    with pytest.raises(IndexError):
        files[6]


def test_slices_and_arrays_of_files_are_files(files):
    assert files[1:3] == ImageFiles(files.paths[1:3])
    assert files[np.array([4, 0, 4])].paths == (files.paths[4], files.paths[0], files.paths[4])
    assert len(files[np.array([], np.int64)]) == 0
    for wrong in (np.array([0.5]), np.zeros((2, 2), int), np.ones(6, bool)):
        with pytest.raises(InvalidInputError, match="expected one dimension of integers"):
            files[wrong]


def test_file_that_is_no_image_is_an_error_when_it_is_asked_for(tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"not a picture")
    files = ImageFiles((tmp_path / "bad.jpg",))
    assert len(files[:]) == 1
    with pytest.raises(ImageError, match=r"bad\.jpg"):
        files[0]


def test_files_can_be_split_for_testing_too(files):
    dataset = make(y=[0] * 3 + [1] * 3, test_y=(), train_X=files, test_X=files[:0]).with_test_share(0.34)
    assert [path.parent.name for path in dataset.test_X.paths] == ["cats", "dogs"]
    assert len(dataset.train_X) == 4


def test_importing_the_data_sets_imports_nothing_heavy():
    code = "import lookalike.datasets, sys; print(*(name.split('.')[0] for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"httpx", "pooch", "rich", "scipy", "sklearn", "pyarrow", "onnxruntime", "matplotlib"}
    assert not heavy & set(done.stdout.split())
