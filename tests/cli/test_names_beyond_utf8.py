"""Whatever is written of files whose names are no UTF-8 is UTF-8, and is found again in that spelling."""

import csv
import json
import os

import pyarrow.parquet
import pytest

from pictures import picture

NAMES = (b"\xe9t\xe9/caf\xe9.png", b"\xe9t\xe9/a\\b\xff.png", b"d\\x/a\\b.png")
WRITTEN = (r"\xe9t\xe9/caf\xe9.png", r"\xe9t\xe9/a\\b\xff.png", r"d\x/a\b.png")


@pytest.fixture
def folder(tmp_path, call):
    folder = tmp_path / "photos"
    for number, name in enumerate(NAMES):
        file = os.path.join(os.fsencode(folder), name)
        try:
            os.makedirs(os.path.dirname(file), exist_ok=True)
            picture(number).save(os.fsdecode(file))
        except OSError:
            pytest.skip("this disk takes no such names")
    assert call("index", ".", "--model", "pixels-8-grey", "--labels", "folders", cwd=folder)[0] == 0
    return folder


def relative(paths, folder):
    return {os.path.relpath(path, folder) for path in paths}


def test_every_form_is_utf8_and_spells_them_alike(call, folder, tmp_path):
    for ending in ("csv", "json", "jsonl", "parquet", "coco.json"):
        assert call("export", tmp_path / f"all.{ending}")[0] == 0
        for_search = tmp_path / f"found.{ending.removeprefix('coco.')}"
        if ending not in ("jsonl", "coco.json"):
            found = call("search", r"d\x/a\b.png", "--include-self", "-k", "3", "-o", for_search)
            assert found[0] == 0, found
    assert call("search", r"d\x/a\b.png", "-o", tmp_path / "found.html")[0] == 0
    for file in tmp_path.glob("*.*"):
        if file.suffix != ".parquet":
            assert "\\udc" not in file.read_text(encoding="utf-8"), file
    for name in ("all", "found"):
        with (tmp_path / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            assert relative((row["path"] for row in csv.DictReader(stream)), folder) == {*WRITTEN}
        table = pyarrow.parquet.read_table(tmp_path / f"{name}.parquet")
        assert relative(table["path"].to_pylist(), folder) == {*WRITTEN}
    document = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))
    assert relative((row["path"] for row in document["images"]), folder) == {*WRITTEN}
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert WRITTEN[0] in str(found).replace("\\\\", "\\")
    coco = json.loads((tmp_path / "all.coco.json").read_text(encoding="utf-8"))
    assert relative((row["file_name"] for row in coco["images"]), folder) == {*WRITTEN}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_query_is_found_as_it_was_written(call, folder, name):
    code, out, err = call("search", name, "-k", "1")
    assert (code, out.count("\n")) == (0, 1), err


def test_tables_name_files_and_labels_as_they_were_written(call, folder, tmp_path):
    lines = [f"{name},{number}" for number, name in enumerate(WRITTEN)]
    (tmp_path / "fields.csv").write_text("\n".join(["file,price", *lines]), encoding="utf-8")
    code, out, err = call("index", ".", "--fields", tmp_path / "fields.csv")
    assert code == 0 and "3 files" in out + err, err
    (tmp_path / "labels.csv").write_text("\n".join(["path,label", *lines]), encoding="utf-8")
    assert call("search", "--label", r"\xe9t\xe9", "-k", "9")[1].count("\n") == 2
    assert call("index", ".", "--labels", tmp_path / "labels.csv")[0] == 0
    for number in range(3):
        assert call("list", "--label", str(number), "--count")[1] == "1\n"
