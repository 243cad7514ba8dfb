"""Which label each file has: of its folders, of a glob, of a table."""

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import InvalidInputError
from lookalike.sync.labeling import label_files, name_folders, read_labeling

NAMES = st.sampled_from(["a", "b", "c", "train", "02"])
FOLDERS = st.sets(st.lists(NAMES, max_size=4).map("/".join), max_size=12)


def labels_of(labels, paths, place=Path("/photos")):
    label_of = label_files(labels, place, paths)
    return [label_of(path) for path in paths]


def test_folder_gives_the_label_and_the_root_gives_none():
    assert labels_of("folders", ["cats/old/1.png", "1.png"]) == ["old", None]
    assert labels_of("none", ["cats/1.png"]) == [None]


def test_same_name_in_different_folders_is_told_apart():
    paths = [
        "2019/02 February/1.png",
        "2020/02 February/1.png",
        "2020/lake/1.png",
        "Backup/2020/02 February/1.png",
    ]
    expected = ["2019/02 February", "2020/02 February", "lake", "Backup/2020/02 February"]
    assert labels_of("folders", paths) == expected


@pytest.mark.parametrize("split", ["train", "Test", "val", "validation"])
def test_parts_of_a_data_set_tell_nothing_apart_and_name_nothing(split):
    paths = [f"{split}/cat/1.png", "test/cat/1.png", f"dog/{split}/1.png", f"{split}/1.png"]
    assert labels_of("folders", paths) == ["cat", "cat", "dog", split]


def test_name_stays_short_where_only_the_folder_itself_has_it():
    assert labels_of("folders", ["animals/cats/1.png", "animals/dogs/1.png"]) == ["cats", "dogs"]
    assert labels_of("folders", ["cats/1.png", "old/cats/1.png"]) == ["cats", "old/cats"]


def test_folders_above_give_labels_where_there_are_any():
    paths = ["2019/02/1.png", "2020/02/1.png", "02/1.png", "1.png", "a/2019/x/1.png"]
    assert labels_of("folders:1", paths) == ["2019", "2020", None, None, "a/2019"]
    assert labels_of("folders:2", paths) == [None, None, None, None, "a"]
    assert labels_of("path", paths) == ["2019/02", "2020/02", "02", None, "a/2019/x"]


@given(FOLDERS)
def test_folders_have_one_label_only_if_they_differ_in_parts_of_a_data_set(folders):
    names = name_folders(folders)
    ways = {folder: [part for part in folder.split("/") if part != "train"] for folder in folders}
    for one in folders:
        for other in folders:
            if ways[one] and ways[other] and any(ways[one]) and any(ways[other]):
                assert (names[one] == names[other]) == (ways[one] == ways[other])
        assert (
            names[one] is None
            or f"/{one}/".replace("/train", "").endswith(f"/{names[one]}/")
            or (names[one] == "train")
        )


@pytest.mark.parametrize(
    ("glob", "path", "label"),
    [
        ("{label}/*", "cats/1.png", "cats"),
        ("{label}/*", "old/cats/1.png", None),
        ("**/{label}/*", "old/cats/1.png", "cats"),
        ("**/{label}/*", "cats/1.png", "cats"),
        ("{label}_[0-9]*.jpg", "red_car_001.jpg", "red_car"),
        ("{label}_*.jpg", "red_car_001.jpg", "red"),
        ("*_{label}.jpg", "2019_12_cat.jpg", "cat"),
        ("{label}.*.jpg", "cat.12.jpg", "cat"),
        ("??{label}.jpg", "01cat.jpg", "cat"),
        ("{label}[!0-9].jpg", "cat1.jpg", None),
        ("{label}/[^a]*", "cats/b.jpg", "cats"),
        ("a+b/{label}.jpg", "a+b/cat.jpg", "cat"),
        ("{label}/*", r"caf\xe9/1.png", r"caf\xe9"),
        (unicodedata.normalize("NFD", "é/{label}.jpg"), "é/cat.jpg", "cat"),
    ],
)
def test_glob_gives_the_part_that_stands_for_the_label(glob, path, label):
    assert read_labeling(glob, Path("/photos")) == glob
    assert labels_of(glob, [path]) == [label]


def test_table_gives_labels_to_paths_from_the_root_from_the_table_and_absolute(tmp_path):
    root = tmp_path / "photos"
    (root / "a").mkdir(parents=True)
    rows = ["path,label", "a/1.png,cat", "photos/a/2.png,dog", f"{root}/a/3.png,'=owl", "a/4.png,"]
    (tmp_path / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    kept = read_labeling(tmp_path / "labels.csv", root)
    assert kept == str(tmp_path / "labels.csv")
    paths = ["a/1.png", "a/2.png", "a/3.png", "a/4.png", "a/5.png"]
    assert labels_of(kept, paths, root) == ["cat", "dog", "=owl", None, None]
    (tmp_path / "labels.csv").rename(root / "labels.csv")
    assert read_labeling(root / "labels.csv", root) == "labels.csv"  # which moves with its root
    assert labels_of("labels.csv", ["a/1.png"], root) == ["cat"]
    (root / "labels.csv").unlink()
    with pytest.raises(InvalidInputError, match="is not there any more"):
        labels_of("labels.csv", ["a/1.png"], root)


def test_table_that_gives_a_file_two_labels_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("path,label\na.png,cat\n./a.png,dog\n")
    with pytest.raises(InvalidInputError, match=r"line 3.*'dog', and in a line above 'cat'"):
        labels_of("t.csv", ["a.png"], tmp_path)


@pytest.mark.parametrize(
    "wrong", ["folder", "", "folders:", "folders:x", "{label}/{label}", "/a/{label}", "[z-a]{label}"]
)
def test_what_labels_cannot_come_from_is_refused_with_what_they_can(wrong, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInputError, match=r"labels is .*(expected|no glob)"):
        read_labeling(wrong, tmp_path)


def test_table_without_its_columns_is_refused_at_once(tmp_path):
    (tmp_path / "t.csv").write_text("file,class\n")
    with pytest.raises(InvalidInputError, match=r"the columns of .* are file, class"):
        read_labeling(os.fspath(tmp_path / "t.csv"), tmp_path)
