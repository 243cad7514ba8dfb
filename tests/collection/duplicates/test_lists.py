"""Lists of duplicates: tables, documents, and a shell script that is safe for any name."""

import csv
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lookalike.collection.duplicates.lists import as_script, export
from lookalike.errors import ConflictError, InvalidInputError
from lookalike.results.duplicates import DuplicateFile, DuplicateGroup, DuplicateGroups, DuplicateImage
from lookalike.types import ImageId

SHELLS = [each for each in ("sh", "dash", "bash", "busybox") if shutil.which(each)]


def group(keep, *go, kind="identical"):
    first = [DuplicateFile(str(keep), f"x:{keep}", True)]
    rest = [DuplicateFile(str(each), f"x:{each}", False) for each in go]
    if kind == "identical":
        images = (DuplicateImage(ImageId(1), 1.0, 1, kind, (*first, *rest)),)
    else:
        images = (
            DuplicateImage(ImageId(1), 1.0, 1, kind, tuple(first)),
            DuplicateImage(ImageId(2), 0.93, 6, kind, tuple(rest)),
        )
    return DuplicateGroup(kind, 0.93, images)


def shell(which, script, trash, cwd):
    words = [which, "sh"] if which == "busybox" else [which]
    environment = {**os.environ, **({} if trash is None else {"TRASH": str(trash)})}
    return subprocess.run([*words, script], env=environment, cwd=cwd, capture_output=True)


def test_a_table_has_a_row_a_file_and_no_formulas(tmp_path):
    file = tmp_path / "twice.csv"
    assert export(DuplicateGroups((group("/p/a.png", "=1+1.png", kind="edited"),)), file) == 2
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    assert [(row["group"], row["kind"], row["keep"], row["path"]) for row in rows] == [
        ("1", "edited", "yes", "/p/a.png"),
        ("1", "edited", "no", "'=1+1.png"),
    ]
    assert rows[1]["turn"] == "6"


def test_a_document_is_that_of_the_groups(tmp_path):
    groups = DuplicateGroups((group("/p/a.png", "/p/b.png"),))
    export(groups, tmp_path / "twice", "json")
    assert json.loads((tmp_path / "twice").read_text()) == groups.to_dict()


@pytest.mark.parametrize(("name", "form"), [("twice.txt", None), ("twice.csv", "yaml"), ("twice", None)])
def test_a_form_that_is_none_is_refused(tmp_path, name, form):
    with pytest.raises(InvalidInputError, match="csv"):
        export(DuplicateGroups(()), tmp_path / name, form)


def test_a_file_that_is_there_is_written_over_only_if_that_is_asked_for(tmp_path):
    file = tmp_path / "twice.sh"
    file.write_text("mine")
    with pytest.raises(ConflictError):
        export(DuplicateGroups(()), file)
    assert file.read_text() == "mine"
    export(DuplicateGroups(()), file, force=True)
    assert file.read_text().startswith("#!/bin/sh")


@pytest.mark.skipif(not SHELLS, reason="there is no shell")
@pytest.mark.parametrize("which", SHELLS)
@pytest.mark.parametrize(
    "name",
    [b"a b.png", b"it's.png", b"new\nline; touch hacked.png", b"-rf", b"$(touch hacked).png", b"caf\xe9.png",
     b"`touch hacked`", b'"quoted".png', b"back\\slash", b"*"],
)  # fmt: skip
def test_a_script_moves_whatever_name_and_nothing_else(tmp_path, which, name):
    folder = os.fsencode(tmp_path) + b"/photos"
    os.makedirs(folder + b"/copies")
    keep, go = folder + b"/" + name, folder + b"/copies/" + name
    for each in (keep, go):
        Path(os.fsdecode(each)).write_bytes(b"picture")
    script = tmp_path / "twice.sh"
    export(DuplicateGroups((group(os.fsdecode(keep), os.fsdecode(go)),)), script)
    done = shell(which, script, tmp_path / "trash", tmp_path / "photos")
    assert done.returncode == 0, done.stderr
    assert os.listdir(folder + b"/copies") == []
    assert Path(os.fsdecode(keep)).read_bytes() == b"picture"
    assert os.listdir(os.fsencode(tmp_path) + b"/trash/1") == [name]
    assert not list(tmp_path.rglob("hacked*"))


@pytest.mark.skipif(not SHELLS, reason="there is no shell")
def test_a_script_without_a_folder_moves_nothing(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("x")
    script = tmp_path / "twice.sh"
    script.write_bytes(as_script([group(tmp_path / "a", tmp_path / "b")]))
    done = shell(SHELLS[0], script, None, tmp_path)
    assert done.returncode == 2
    assert (tmp_path / "b").exists()


@pytest.mark.skipif(not SHELLS, reason="there is no shell")
@pytest.mark.parametrize("which", SHELLS)
def test_a_script_leaves_what_is_not_as_it_was(tmp_path, which):
    for name, text in (("a", "x"), ("b", "changed"), ("c", "x"), ("d", "x")):
        (tmp_path / name).write_text(text)
    (tmp_path / "e").symlink_to("a")
    os.link(tmp_path / "a", tmp_path / "f")
    pairs = [("a", "b"), ("gone", "c"), ("a", "missing"), ("a", "e"), ("a", "f"), ("a", "d")]
    script = tmp_path / "twice.sh"
    script.write_bytes(as_script([group(tmp_path / keep, tmp_path / go) for keep, go in pairs]))
    done = shell(which, script, "trash", tmp_path)
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == 5
    assert {each.name for each in tmp_path.iterdir()} == {"a", "b", "c", "e", "f", "trash", "twice.sh"}
    assert [each.name for each in (tmp_path / "trash").rglob("*") if each.is_file()] == ["d"]


@pytest.mark.parametrize("kind", ["together", "series"])
def test_what_is_no_duplicate_is_only_a_comment(kind):
    last = as_script([group("/p/a", "/p/b", kind=kind)]).splitlines()[-1]
    assert last.startswith(b"#   left, as it is only ")


def test_a_group_of_which_nothing_is_kept_is_only_a_comment():
    files = (DuplicateFile("/p/a\nrm x", "x:a", False),)
    lines = as_script([DuplicateGroup("same", 1.0, (DuplicateImage(ImageId(1), 1.0, 1, "same", files),))])
    assert lines.splitlines()[-1] == b"#   left, as nothing is kept: /p/a\\u000arm x"
