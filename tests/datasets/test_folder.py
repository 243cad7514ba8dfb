import numpy as np
import pytest

from lookalike.datasets import folder
from lookalike.datasets.imagefolder import ImageFolder
from lookalike.errors import DatasetError, InvalidInputError
from pictures import picture


def put(root, *names):
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        picture(number, 16).save(root / name)


def test_class_is_the_first_folder_below_the_root(tmp_path):
    put(tmp_path, "food/sweet/cake.png", "animals/cat.png", "food/bread.png", "stray.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "animals" / "notes.txt").write_text("no picture")
    dataset = folder.load(tmp_path)
    assert dataset.class_names == ("animals", "food")
    assert [path.name for path in dataset.train_X.paths] == ["cat.png", "bread.png", "cake.png"]
    assert dataset.train_y.tolist() == [0, 1, 1]
    assert dataset.train_y.dtype == np.int64
    assert len(dataset.test_X) == len(dataset.test_y) == 0
    assert dataset.image_shape is None
    assert dataset.name == tmp_path.name
    assert dataset.origin == f"found in {tmp_path}"
    assert (dataset.train_X[0] == np.asarray(picture(1, 16))).all()


@pytest.mark.parametrize("test", ["test", "val"])
def test_split_folders_are_splits(tmp_path, test):
    put(tmp_path, "train/b/1.png", "train/a/2.png", f"{test}/b/3.png", f"{test}/c/4.png", "else/d/5.png")
    dataset = folder.load(tmp_path)
    assert dataset.class_names == ("a", "b", "c")
    assert dataset.train_y.tolist() == [0, 1]
    assert dataset.test_y.tolist() == [1, 2]
    assert [path.name for path in dataset.test_X.paths] == ["3.png", "4.png"]


def test_test_is_preferred_to_val(tmp_path):
    put(tmp_path, "train/a/1.png", "val/a/2.png", "test/a/3.png")
    assert [path.name for path in folder.load(tmp_path).test_X.paths] == ["3.png"]


@pytest.mark.parametrize("only", ["train", "test"])
def test_one_such_folder_alone_is_a_class(tmp_path, only):
    put(tmp_path, f"{only}/1.png", "plane/2.png")
    assert folder.load(tmp_path).class_names == tuple(sorted([only, "plane"]))


def test_share_of_each_class_is_taken_for_testing(tmp_path):
    put(tmp_path, *(f"{name}/{number}.png" for name in "ab" for number in range(5)))
    dataset = folder.load(tmp_path, test_share=0.4, random_state=1)
    assert np.bincount(dataset.train_y).tolist() == [3, 3]
    assert np.bincount(dataset.test_y).tolist() == [2, 2]
    assert not set(dataset.train_X.paths) & set(dataset.test_X.paths)
    again = folder.load(tmp_path, test_share=0.4, random_state=1)
    assert again.test_X == dataset.test_X


def test_share_of_a_folder_with_splits_is_refused(tmp_path):
    put(tmp_path, "train/a/1.png", "test/a/2.png")
    with pytest.raises(InvalidInputError, match="test split of its own"):
        folder.load(tmp_path, test_share=0.5)


def test_what_is_excluded_is_no_class(tmp_path):
    put(tmp_path, "a/1.png", "BACKGROUND_Google/2.png")
    described = ImageFolder("x", "X", tmp_path, "mine", "here", labels=True, exclude=("BACKGROUND_Google",))
    dataset = folder.read(described)
    assert dataset.class_names == ("a",)
    assert (dataset.name, dataset.title, dataset.licence, dataset.origin) == ("x", "X", "mine", "here")


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(DatasetError, match="nowhere: expected a folder of class folders"):
        folder.load(tmp_path / "nowhere")


def test_folder_without_class_folders_is_named(tmp_path):
    put(tmp_path, "1.png")
    with pytest.raises(DatasetError, match="expected a folder for each class"):
        folder.load(tmp_path)
    put(tmp_path, "train/a/1.png", "test/1.png")
    with pytest.raises(DatasetError, match="test: expected a folder for each class"):
        folder.load(tmp_path)


def test_damaged_picture_does_not_keep_the_others_from_being_listed(tmp_path):
    put(tmp_path, "a/1.png")
    (tmp_path / "a" / "0.png").write_bytes(b"")
    assert len(folder.load(tmp_path).train_X) == 2
