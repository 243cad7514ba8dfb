"""What a command has made goes into a file, and is what the ending of its name says."""

import csv
import json
import os

import pytest
from pyarrow import parquet

from lookalike import Collection

MADE = {
    "search cats/0.png": ("hits", "path"),
    "search --label cats": ("hits", "path"),
    "list": ("hits", "path"),
    "cluster": ("clusters", "cluster"),
    "cluster make -k 2": ("clusters", "cluster"),
    "cluster show": ("clusters", "cluster"),
    "cluster edit --rename 0=owls": ("clusters", "cluster"),
    "cluster try -k 2,3": ("tried", "k"),
    "map make --method pca": ("points", "x"),
    "map draw": ("points", "x"),
    "evaluate": ("classes", "measure"),
    "evaluate --clustering kmeans": ("clusterings", "name"),
    "bench --index exact": ("indexes", "index"),
}
"""Commands, what is in their document, and in their table."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six pictures, indexed by their pixels, with a clustering and a map."""
    from pictures import picture

    folder = tmp_path_factory.mktemp("photos")
    for number in range(6):
        place = folder / ("cats" if number < 3 else "dogs")
        place.mkdir(exist_ok=True)
        picture(number).save(place / f"{number}.png")
    photos = Collection.create(folder, "pixels-8-grey")
    photos.sync()
    photos.clusterings.make(k=2)
    photos.maps.make("pca")
    return folder


def save(call, words, target):
    """Run a command that saves what it makes; give what it printed."""
    code, out, err = call(*words.split(), "-o", target)
    assert (code, err) == (0, f"saved {target}\n")
    return out


@pytest.mark.parametrize("words", MADE)
def test_every_kind_is_what_its_ending_says(call, folder, tmp_path, words):
    in_document, in_table = MADE[words]
    page, rows, table, document = (tmp_path / f"a.{each}" for each in ("html", "csv", "parquet", "json"))
    printed = save(call, words, page)
    assert printed  # it is saved beside what is printed
    shown = page.read_text()
    assert shown.startswith("<!doctype html>") and "<body><" in shown and shown.endswith("</html>\n")
    save(call, words, rows)
    with rows.open(newline="") as stream:
        found = list(csv.DictReader(stream))
    assert found and in_table in found[0]
    save(call, words, table)
    assert len(parquet.read_table(table)) == len(found)
    save(call, words, document)
    assert in_document in json.loads(document.read_text())


def test_the_page_of_clusters_shows_all_of_them_with_names_of_files(call, folder, tmp_path):
    save(call, "cluster show", tmp_path / "a.html")
    shown = (tmp_path / "a.html").read_text()
    assert "<h1>clusters of kmeans</h1>" in shown and shown.count("<b>") == 2
    assert all(f">{number}.png<" in shown for number in range(6))


@pytest.mark.parametrize("words", ["search cats/0.png", "list", "cluster show", "evaluate", "reduce 2"])
def test_pictures_are_drawn_as_plot_draws_them(call, folder, tmp_path, words):
    save(call, words, tmp_path / "o.svg")
    assert call(*words.split(), "--plot", tmp_path / "plot.svg")[0] == 0
    assert (tmp_path / "o.svg").read_text()[:100].startswith("<?xml")
    if words != "reduce 2":  # whose second model has another name
        assert (tmp_path / "o.svg").read_bytes() == (tmp_path / "plot.svg").read_bytes()


def test_the_document_is_what_json_prints(call, folder, tmp_path):
    for words in ("search cats/0.png", "list", "cluster show", "evaluate"):
        target = tmp_path / "out.json"
        save(call, words, target)
        assert json.loads(target.read_text()) == json.loads(call(*words.split(), "--json")[1])
        target.unlink()


def test_nothing_of_the_users_is_written_over(call, folder, tmp_path):
    for name in ("a.html", "a.csv", "a.json", "a.parquet", "a.png"):
        (tmp_path / name).write_text("mine")
        code, out, err = call("list", "-o", tmp_path / name)
        assert (code, out, "nothing that lookalike made" in err) == (2, "", True)
        assert (tmp_path / name).read_text() == "mine"
    assert call("list", "-o", tmp_path / "a.html", "--force")[0] == 0
    assert call("list", "-o", tmp_path / "a.html")[0] == 0  # which is ours by now
    assert call("list", "-o", tmp_path / "a.csv", "--force")[0] == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("list -o a.xyz", "a.xyz: it is saved as one of .png, "),
        ("list -o none/a.csv", "none/a.csv: there is no folder"),
        ("list -o a.csv --dark", "--dark is for pictures"),
        ("list --force", "--force is for pictures"),
        ("list --count -o a.csv", "--count prints no images; leave out --output"),
        ("reduce 2 -o a.csv", "a.csv: a figure is saved as one of .png"),
        ("evaluate --clustering kmeans -o a.png", "clusterings are measured, not drawn"),
        ("search cats/0.png -o cats/0.png", "is there already"),
        ("map draw --size 4x4 -o a.xyz", "a.xyz: it is saved as one of"),
    ],
)
def test_what_cannot_be_saved_is_refused_before_any_work(call, folder, words, told):
    code, out, err = call(*words.split(), cwd=folder)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err


def test_tables_hold_odd_names_and_no_formulas(call, photos, tmp_path):
    os.rename(os.fsencode(photos / "cats"), os.fsencode(photos) + b"/=caf\xe9")
    call("index", photos, "--model", "pixels-8-grey", "-q")
    save(call, f"list -c {photos} --descending", tmp_path / "a.csv")
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text("utf-8").splitlines()))
    assert {row["label"] for row in rows} == {"dogs", "'=caf\\xe9"}
