"""Odd names, found again by what every output says of them."""

import csv
import json
import os
import pty
import re
import subprocess
import sys

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

from lookalike import Collection
from lookalike.cli.console import printable

pytestmark = pytest.mark.skipif(os.name != "posix", reason="such names are POSIX's")

SPACES = ["no-break\u00a0space", "10.20.30\u202fAM", "wide\u3000space", "e\u200dmoji", "soft\u00adhyphen"]
SPACES += ["\ufeffbom", "zero\u200bwidth", "left\u200emark", "🏴\U000e0067\U000e007f", "e\u0301", "中文"]
ODD = [r"$\alpha$x", "$$", "back\\slash", "two\\\\slashes", r"\xe9 as letters", "=1+1", "+1", "-1", "@x"]
ODD += ["＝1", "'=1", "'tis", 'quo"te', "comma, semi;", "<b>&amp;", "{x}", "%s", "~", "#", "!", "null?*|"]
CONTROLS = ["\ttab", "\rreturn", "new\nline", "esc\x1b[31m", "csi\x9b31m", "nel\x85", "\u2028line"]
CONTROLS += ["bidi\u202egpj", "iso\u2066x\u2069", "embed\u202bx", os.fsdecode(b"caf\xe9")]
NAMES = SPACES + ODD + CONTROLS

DANGEROUS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    for number, name in enumerate(NAMES):
        (folder / name).mkdir()
        noise = np.random.default_rng(number).integers(0, 255, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / name / f"{name}.png")
    report = Collection.create(folder, model="pixels-8-grey").sync()
    assert (report.added, report.failed) == (len(NAMES), 0)
    return folder


PATHS = sorted(f"{name}/{name}.png" for name in NAMES)


def test_paths_in_text_are_there_but_for_what_moves_the_line(call, folder):
    code, out, _ = call("list")
    paths = [line.split("\t")[3] for line in out.split("\n") if line]
    assert code == 0
    assert sorted(paths) == sorted(map(printable, PATHS))
    assert {path for path in PATHS if printable(path) != path} == {f"{name}/{name}.png" for name in CONTROLS}
    assert not DANGEROUS.search(out.replace("\t", ""))


def test_paths_alone_are_there_byte_for_byte(call, folder):
    _, out, _ = call("list", "-f")
    assert [path for path in PATHS if f"{path}\n" not in out] == []
    assert len(out) == sum(len(path) + 1 for path in PATHS)


def test_json_says_the_very_name_and_nothing_that_moves_a_terminal(call, folder):
    _, out, _ = call("list", "--json")
    assert not DANGEROUS.search(out)
    hits = json.loads(out)["hits"]
    assert sorted(hit["path"] for hit in hits) == PATHS
    labels = {hit["path"]: hit["label"] for hit in hits}
    assert labels["$\\alpha$x/$\\alpha$x.png"] == "$\\alpha$x"
    assert labels["two\\\\slashes/two\\\\slashes.png"] == "two\\\\slashes"


def test_what_is_shown_is_understood(call, folder):
    for path in PATHS:
        code, out, err = call("search", "-k", 1, "--json", "--", printable(path))
        assert (code, err) == (0, ""), path
        assert len(json.loads(out)["hits"]) == 1, path


@pytest.mark.parametrize("label", [*SPACES, *ODD])
def test_a_label_is_taken_as_it_is_shown(call, folder, label):
    _, out, _ = call("list", "--label", label, "--count")
    assert out == "1\n"


def test_tables_have_the_very_names_and_no_formulas(call, folder, tmp_path):
    call("export", tmp_path / "all.csv")
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))]
    assert {row["label"] for row in rows} >= {"'=1+1", "'+1", "'-1", "'@x", "''=1", "''tis", "'＝1"}
    call("export", tmp_path / "all.parquet", "--no-vectors")
    table = pyarrow.parquet.read_table(tmp_path / "all.parquet").to_pydict()
    known = {name for name in NAMES if "\udce9" not in name}
    assert {os.path.basename(path).removesuffix(".png") for path in table["path"]} >= known


def test_labels_come_back_from_a_table_as_they_were(folder, tmp_path):
    from lookalike.sync.labeling import read_label_table

    photos = Collection.open(folder)
    photos.export(None, tmp_path / "labels.csv")
    read = {label for _, _, label in read_label_table(tmp_path / "labels.csv")}
    assert read >= {hit.label for hit in photos.browse().hits}


def test_a_picture_has_dollars_as_dollars(call, folder, tmp_path):
    code, _, err = call("list", "--plot", tmp_path / "all.png")
    assert code == 0, err
    assert "Traceback" not in err


def test_a_terminal_is_not_moved_by_a_name(folder):
    """In a terminal of its own."""
    terminal, seen = pty.openpty()
    words = [sys.executable, "-m", "lookalike", "list", "-f"]
    started = subprocess.Popen(words, cwd=folder, stdout=seen, stderr=seen, stdin=subprocess.DEVNULL)
    os.close(seen)
    out = b""
    try:
        while block := os.read(terminal, 1 << 16):
            out += block
    except OSError:  # how Linux says that it ended
        pass
    os.close(terminal)
    assert started.wait() == 0
    lines = out.decode().replace("\r\n", "\n").removesuffix("\n").split("\n")
    assert sorted(lines) == sorted(map(printable, PATHS))


@pytest.mark.parametrize("form", ["copy", "symlink", "hardlink"])
def test_folders_of_images_hold_each_under_a_name_that_leads_nowhere_else(folder, tmp_path, form):
    assert Collection.open(folder).export(None, tmp_path / "out", form=form) == len(NAMES)
    files = list((tmp_path / "out").rglob("*.png"))
    assert len(files) == len(NAMES)
    assert {each.parent.parent for each in files} == {tmp_path / "out"}
    contents = {(folder / path).read_bytes() for path in PATHS}
    assert {each.read_bytes() for each in files} == contents


def test_cocos_document_has_the_very_names(folder, tmp_path):
    Collection.open(folder).export(None, tmp_path / "all.coco.json")
    document = json.loads((tmp_path / "all.coco.json").read_text(encoding="utf-8"))
    known = {str(folder / path) for path in PATHS if "\udce9" not in path}
    assert {each["file_name"] for each in document["images"]} >= known
    assert len(document["images"]) == len(document["annotations"]) == len(NAMES)
    assert len(document["categories"]) == len(NAMES)


def test_a_notebook_shows_names_as_text_that_utf_8_can_hold(folder):
    photos = Collection.open(folder)
    found = photos.search(folder / PATHS[0], k=len(NAMES))
    clusters = photos.clusterings.make(k=3)
    shown = [photos, found, found.hits, photos.browse(), photos.facets(), photos.info(), clusters]
    for each in shown:
        page = getattr(each, "_repr_html_", lambda: "")()
        page.encode("utf-8")
        assert "<b>&amp;" not in page.replace("&amp;amp;", ""), type(each)
        assert 'quo"te' not in page, type(each)


@pytest.mark.parametrize("ending", ["svg", "pdf"])
def test_drawings_with_text_are_whole_documents(call, folder, tmp_path, ending):
    from xml.etree import ElementTree

    for words in (("list",), ("search", PATHS[0])):
        file = tmp_path / f"{words[0]}.{ending}"
        code, _, err = call(*words, "-k", 9, "--plot", file)
        assert code == 0, err
        if ending == "svg":
            ElementTree.fromstring(file.read_bytes())
