"""`lookalike copy`, run as a person runs it."""

import json
import shutil

import pytest

from lookalike import Collection


@pytest.fixture
def folder(photos):
    """The pictures, indexed."""
    Collection.create(photos, model="pixels-8-grey").sync()
    return photos


def test_a_copy_is_told_of_in_one_line(call, folder, tmp_path):
    code, out, err = call("copy", tmp_path / "backup")
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert out.startswith("../backup/.lookalike: 6 images, ")
    assert "MB, verified" in out
    assert call("info", "-c", tmp_path / "backup")[0] == 0
    code, out, err = call("copy", tmp_path / "backup")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "replace it with --force" in err
    assert call("copy", tmp_path / "backup", "--force", "-q") == (0, "", "")


def test_a_copy_is_told_of_as_a_document(call, folder, tmp_path):
    code, out, err = call("copy", tmp_path / "backup", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["folder"], told["images"]) == ("../backup/.lookalike", 6)
    assert sorted(told) == ["bytes", "files", "folder", "images", "seconds"]


def test_who_moves_the_images_too_says_that_roots_are_relative(call, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "moved", ignore=shutil.ignore_patterns(".lookalike"))
    assert call("copy", tmp_path / "moved", "--roots", "relative", "-q")[0] == 0
    code, out, _ = call("roots", "-c", tmp_path / "moved", "--json")
    assert (code, json.loads(out)["roots"][0]["path"]) == (0, "../moved")
    code, _, err = call("copy", tmp_path / "other", "--roots", "no")
    assert (code, err.count("\n")) == (2, 1)
    assert "roots is 'no'; expected one of absolute, relative" in err
    assert not (tmp_path / "other").exists()


def test_damage_is_one_line_that_says_what_mends_it(call, folder, tmp_path):
    file = next((folder / ".lookalike").glob("thumbnails.lance/data/*.lance"))
    content = bytearray(file.read_bytes())
    content[10] ^= 1
    file.write_bytes(content)
    code, out, err = call("copy", tmp_path / "backup")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].endswith(
        "`lookalike check --repair` says what is damaged, and mends what can be mended"
    )
    assert not (tmp_path / "backup").exists()
