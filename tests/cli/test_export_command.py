"""``lookalike export``, as a user meets it."""

import csv
import json

import pytest


@pytest.fixture
def indexed(call, photos):
    """Six pictures in two folders, indexed, clustered, on a map."""
    call("index", photos, "--model", "pixels-16-rgb")
    call("cluster", "make", "-k", "2", cwd=photos)
    call("map", "make", "--method", "pca", cwd=photos)
    return photos


def rows(file):
    """Read a table."""
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def export(call, folder, *words):
    """Export, and give what is said."""
    code, out, err = call("export", *words, cwd=folder)
    assert (code, err) == (0, "")
    return out


def test_without_a_query_all_images_are_exported(call, indexed, tmp_path):
    assert export(call, indexed, "../all.csv") == "exported 6 images to ../all.csv\n"
    assert {row["path"] for row in rows(tmp_path / "all.csv")} == {
        str(file) for file in indexed.glob("*/*.png")
    }


def test_filters_alone_choose_among_all(call, indexed, tmp_path):
    assert export(call, indexed, "../dogs.jsonl", "--label", "dogs") == "exported 3 images to ../dogs.jsonl\n"
    lines = (tmp_path / "dogs.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["label"] for line in lines] == ["dogs"] * 3


def test_a_query_is_searched_for_as_search_does(call, indexed, tmp_path):
    options = ("cats/0.png", "--not", "dogs/4.png", "--label", "dogs", "-k", "2")
    _, out, _ = call("search", *options, "--json", cwd=indexed)
    found = json.loads(out)
    export(call, indexed, "../hits.csv", *options)
    exported = rows(tmp_path / "hits.csv")
    assert [row["id"] for row in exported] == [hit["id"] for hit in found["hits"]]
    assert [row["rank"] for row in exported] == ["1", "2"]
    request = tmp_path / "request.json"
    request.write_text(json.dumps(found["request"]))
    export(call, indexed, "../again.csv", "--request", request)
    assert rows(tmp_path / "again.csv") == exported


def test_a_clustering_and_a_map_are_exported_by_their_names(call, indexed, tmp_path):
    export(call, indexed, "../groups.csv", "--clustering", "kmeans")
    assert {row["cluster"] for row in rows(tmp_path / "groups.csv")} == {"0", "1"}
    export(call, indexed, "../map.csv", "--map", "pca")
    assert all(row["x"] and row["y"] for row in rows(tmp_path / "map.csv"))
    export(call, indexed, "../groups", "--clustering", "kmeans")
    assert {place.name for place in (tmp_path / "groups").glob("*/")} == {"cluster-000", "cluster-001"}
    export(call, indexed, "../by-label", "--clustering", "kmeans", "--by", "label", "--as", "symlink")
    assert len(list((tmp_path / "by-label/cats").iterdir())) == 3


def test_json_says_what_was_written(call, indexed):
    said = json.loads(export(call, indexed, "../out", "--as", "hardlink", "--json"))
    assert said == {"exported": 6, "to": "../out", "as": "hardlink"}
    assert export(call, indexed, "../out", "--as", "hardlink", "--force", "-q") == ""


def test_a_folder_among_the_photos_is_told_of(call, indexed):
    code, _, err = call("export", "out", cwd=indexed)
    assert code == 0
    assert "out lies among the images of the collection" in err
    assert "--exclude out" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["../all.xlsx"], "says no form of an export"),
        (["../all", "--as", "xml"], "there is no export as 'xml'"),
        (["cats/0.png"], "the ending of cats/0.png says no form of an export"),
        (["../a.csv", "--clustering", "none"], "there is no clustering 'none'"),
        (["../a.csv", "--map", "none"], "there is no map 'none'"),
        (["../a.csv", "--map", "pca", "--clustering", "kmeans"], "exported one by one"),
        (["../a.csv", "--map", "pca", "cats/0.png"], "exported one by one"),
        (["../a.csv", "--clustering", "kmeans", "--label", "cats"], "exported one by one"),
        (["../a.csv", "--recall", "1"], "there is no QUERY"),
        (["../a.csv", "--map", "pca", "-k", "3"], "there is no QUERY"),
        (["../a.csv", "--map", "pca", "--sort", "size"], "exported one by one"),
        (["../a.csv", "cats/0.png", "--sort", "size"], "leave out --sort"),
        (["../a.csv", "--sort", "beauty"], "beauty"),
        (["../a.csv", "--vectors"], "an export as csv has no vectors"),
        (["../a.csv", "--by", "label"], "an export as csv has no groups"),
        (["../none/a.csv"], "there is no folder"),
        (["../mine.csv"], "is not overwritten; name another file, or write it anew with --force"),
        (["../new.csv", "--model", "nothing"], "nothing"),
        (["cats", "--force"], "cats is there and not an empty folder"),
        (["../a.csv", "none.png"], "there is no file 'none.png'"),
    ],
)
def test_what_cannot_be_exported_is_told_and_nothing_is_written(call, indexed, tmp_path, words, said):
    (tmp_path / "mine.csv").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    code, out, err = call("export", *words, cwd=indexed)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert [file for file in sorted(tmp_path.rglob("*")) if ".lookalike" not in file.parts] == [
        file for file in before if ".lookalike" not in file.parts
    ]
    assert (tmp_path / "mine.csv").read_text() == "mine"


def test_a_color_is_a_search(call, photos, tmp_path):
    call("index", photos, "--model", "pixels-16-rgb")
    code, _, _ = call("export", "../red.csv", "--color", "#000", "-k", "2", cwd=photos)
    assert code == 0
    assert len(rows(tmp_path / "red.csv")) <= 2


def test_images_without_a_query_come_in_any_order_and_as_many_as_are_asked_for(call, indexed, tmp_path):
    export(call, indexed, "../all.csv", "--sort", "path", "--descending")
    paths = [row["path"] for row in rows(tmp_path / "all.csv")]
    assert paths == sorted(paths, reverse=True)
    assert [row["rank"] for row in rows(tmp_path / "all.csv")] == [*"123456"]
    export(call, indexed, "../some.csv", "-k", "2", "--label", "dogs")
    assert len(rows(tmp_path / "some.csv")) == 2
    listed = tmp_path / "listed.json"
    listed.write_text(
        call("list", "--label", "dogs", "--sort", "path", "--descending", "--json", cwd=indexed)[1]
    )
    export(call, indexed, "../again.csv", "--request", listed)
    assert [row["path"] for row in rows(tmp_path / "again.csv")] == paths[:3]


@pytest.mark.parametrize("form", ["csv", "json", "jsonl"])
def test_a_dash_is_standard_output(call, indexed, tmp_path, form):
    export(call, indexed, "../file", "--as", form, "--label", "dogs")
    assert export(call, indexed, "-", "--as", form, "--label", "dogs").encode() == (
        (tmp_path / "file").read_bytes()
    )
    export(call, indexed, "../groups.csv", "--clustering", "kmeans")
    if form != "jsonl":
        code, out, err = call("cluster", "export", "--to", "-", "--as", form, cwd=indexed)
        assert (code, err) == (0, "")
        assert "cats" in out
    assert not list(tmp_path.rglob("-"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("export", "-"), "standard output (-) says no form of an export; name it with --as: csv, json or"),
        (("export", "-", "--as", "parquet"), "an export as parquet cannot be written to standard output (-)"),
        (("export", "-", "--as", "copy"), "an export as copy cannot be written to standard output (-)"),
        (("export", "-", "--as", "csv", "--json"), "--json is for a file; leave it out"),
        (("export", "-", "--as", "csv", "--force"), "--force is for a file; leave it out"),
        (("cluster", "export", "--to", "-", "--as", "symlink"), "an export as symlink cannot be written to"),
        (("cluster", "--export", "-"), "expected a file, or `lookalike cluster export --to -`"),
        (("search", "cats/0.png", "--plot", "-"), "a picture cannot be written to standard output (-)"),
        (("map", "-o", "-"), "a picture cannot be written to standard output (-); expected the name of a"),
        (("cluster", "show", "--plot", "-"), "a picture cannot be written to standard output (-)"),
        (("evaluate", "--confusion", "-"), "a picture cannot be written to standard output (-)"),
        (("copy", "-"), "a collection cannot be written to standard output (-); expected the name of a"),
        (("demo", "digits", "-o", "-"), "a page with its pictures cannot be written to standard output (-)"),
        (("models", "--fetch", "clip-vit-b32", "--to", "-"), "a model cannot be written to standard output"),
    ],
)
def test_what_cannot_go_to_standard_output_is_refused(call, indexed, tmp_path, words, message):
    code, out, err = call(*words, cwd=indexed)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not list(tmp_path.rglob("-"))
