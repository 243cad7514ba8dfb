import os
from pathlib import Path

import pytest

from lookalike.errors import InvalidInputError
from lookalike.images.finding.globs import Excludes, divide_excludes, read_exclude, split_glob
from lookalike.images.finding.scan import scan

ALL = ["a.jpg", "deep/sub/a.jpg", "sub/a.jpg", "sub/b.jpg", "trip 1/a.jpg", "trip [1]/a.jpg"]


@pytest.fixture
def root(tmp_path):
    for name in ALL:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("sub", ["deep/sub/a.jpg", "sub/a.jpg", "sub/b.jpg"]),
        ("sub/", ["deep/sub/a.jpg", "sub/a.jpg", "sub/b.jpg"]),
        ("./sub", ["sub/a.jpg", "sub/b.jpg"]),
        ("./sub/", ["sub/a.jpg", "sub/b.jpg"]),
        ("{root}/sub", ["sub/a.jpg", "sub/b.jpg"]),
        ("{root}/sub/", ["sub/a.jpg", "sub/b.jpg"]),
        ("{root}/sub/b*", ["sub/b.jpg"]),
        ("deep/../sub", ["deep/sub/a.jpg", "sub/a.jpg", "sub/b.jpg"]),
        ("deep//sub/", ["deep/sub/a.jpg"]),
        ("./deep/sub", ["deep/sub/a.jpg"]),
        ("sub/b.jpg", ["sub/b.jpg"]),
        ("./a.jpg", ["a.jpg"]),
        ("a.jpg", [name for name in ALL if name.endswith("a.jpg")]),
        ("**/sub", ["deep/sub/a.jpg", "sub/a.jpg", "sub/b.jpg"]),
        ("trip [1]", ["trip [1]/a.jpg"]),  # there is such a folder
        ("trip [1]/", ["trip [1]/a.jpg"]),
        ("./trip [1]", ["trip [1]/a.jpg"]),
        ("{root}/trip [1]", ["trip [1]/a.jpg"]),
        ("{root}/trip [1]/*", ["trip [1]/a.jpg"]),
        ("trip [12]", ["trip 1/a.jpg"]),  # there is none: a pattern
        ("trip*", ["trip 1/a.jpg", "trip [1]/a.jpg"]),
    ],
)
def test_what_is_excluded_is_what_was_said(root, text, gone):
    kept = read_exclude(text.format(root=root), root)
    result = scan(root, exclude=[kept])
    assert sorted(set(ALL) - set(result.files)) == gone
    assert result.unmet == ()
    assert read_exclude(kept, root) == kept  # so it can be given again


@pytest.mark.parametrize("text", ["", "  ", ".", "./", "{root}", "{root}/", "..", "../x", "{root}/../x"])
def test_what_excludes_nothing_or_all_is_refused(root, text):
    with pytest.raises(InvalidInputError, match=r"empty|itself|outside"):
        read_exclude(text.format(root=root), root)


def test_what_matches_nothing_is_told(root):
    assert scan(root, exclude=["sub", "nothing", "./b.jpg"]).unmet == ("nothing", "./b.jpg")


def test_names_are_compared_in_normal_form_c_and_unescaped():
    assert Excludes(["Caf\u00e9*"])("Cafe\u0301 1", "x/Cafe\u0301 1")
    assert Excludes(["a\\b"])("a\\b", "x/a\\b")


def test_an_absolute_path_is_for_the_root_that_holds_it(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one / "x", two):
        folder.mkdir(parents=True)
    inside = str(one / "x")
    assert divide_excludes([inside, "*.tmp"], [one, two]) == {one: [inside, "*.tmp"], two: ["*.tmp"]}
    assert divide_excludes([inside], [one, two]) == {one: [inside], two: None}
    with pytest.raises(InvalidInputError, match="outside of what is indexed"):
        divide_excludes([str(tmp_path / "three")], [one, two])


def test_a_glob_begins_where_the_names_that_are_there_end(root, monkeypatch):
    monkeypatch.chdir(root / "trip [1]")
    assert split_glob("*.jpg") == (root / "trip [1]", "*.jpg")
    assert split_glob("a.jpg") == (root / "trip [1]" / "a.jpg", "")
    monkeypatch.chdir(root)
    assert split_glob("trip [1]/*.jpg") == (root / "trip [1]", "*.jpg")
    assert split_glob("trip [12]/*.jpg") == (root, os.path.join("trip [12]", "*.jpg"))
    assert split_glob(root / "trip [1]" / "**" / "*.jpg") == (root / "trip [1]", os.path.join("**", "*.jpg"))
    assert split_glob("not there/*.jpg") == (root, os.path.join("not there", "*.jpg"))
    assert split_glob(Path(root.anchor)) == (Path(root.anchor), "")
