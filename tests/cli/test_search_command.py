"""``lookalike search``, as a user meets it."""

import json
import shutil

import pytest

from pictures import picture


def test_search_json_has_the_documented_fields_and_relative_paths(call, photos):
    call("index", photos)
    shutil.copy(photos / "cats/1.png", photos / "dogs/copy.png")
    call("index", photos)
    code, out, _ = call("search", "cats/0.png", "--json", "-k", "5", cwd=photos)
    document = json.loads(out)
    assert code == 0
    assert list(document) == ["query", "model", "index", "hits"]
    assert (document["query"], document["model"], document["index"]) == ("cats/0.png", "lite0-int8", "exact")
    assert [hit["rank"] for hit in document["hits"]] == [1, 2, 3, 4, 5]
    for hit in document["hits"]:
        assert list(hit)[:6] == ["rank", "path", "score", "distance", "label", "id"]
        assert (photos / hit["path"]).is_file()
        assert len(hit["id"]) == 16
        assert hit["score"] == pytest.approx(1 - hit["distance"], abs=2e-6)
    (double,) = [hit for hit in document["hits"] if "paths" in hit]
    assert (double["path"], double["paths"]) == ("cats/1.png", ["cats/1.png", "dogs/copy.png"])


def test_several_queries_and_not_are_told_in_json(call, photos):
    call("index", photos)
    code, out, _ = call("search", "cats/0.png", "cats/1.png", "--not", "dogs/3.png", "--json", cwd=photos)
    document = json.loads(out)
    assert code == 0
    assert (document["query"], document["not"]) == (["cats/0.png", "cats/1.png"], ["dogs/3.png"])
    assert len(document["hits"]) == 3


def test_filepath_only_prints_paths_for_other_programs(call, photos):
    call("index", photos)
    code, out, _ = call("search", "cats/0.png", "-f", "-t", "3", cwd=photos)
    assert code == 0
    assert len(out.splitlines()) == 3
    assert all((photos / line).is_file() for line in out.splitlines())


def test_a_file_name_alone_is_a_search(call, photos):
    call("index", photos)
    code, out, _ = call("cats/0.png", "-k", "1", cwd=photos)
    assert (code, len(out.splitlines())) == (0, 1)


def test_include_self_puts_the_query_first(call, photos):
    call("index", photos)
    _, out, _ = call("search", "cats/0.png", "--include-self", "-f", cwd=photos)
    assert out.splitlines()[0] == "cats/0.png"


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_plot_saves_a_picture(call, photos, tmp_path, ending):
    call("index", photos)
    target = tmp_path / f"strip{ending}"
    outside = tmp_path / "outside.png"
    picture(50).save(outside)
    code, _, err = call("search", "cats/0.png", outside, "--not", "dogs/4.png", "--plot", target, cwd=photos)
    assert (code, err) == (0, f"saved {target}\n")
    assert target.stat().st_size > 2000


def test_plot_refuses_what_it_cannot_write_before_it_searches(call, photos, tmp_path):
    call("index", photos)
    for name, message in (("strip.xyz", "saved as one of .png"), ("none/strip.png", "there is no folder")):
        code, out, err = call("search", "cats/0.png", "--plot", tmp_path / name, cwd=photos)
        assert (code, out) == (2, "")
        assert message in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["search", "photos/missing.jpg"], "there is no file 'photos/missing.jpg'"),
        (["search", "photos/new/missing"], "there is no file 'photos/new/missing'"),
        (["search", "photos"], "is a folder; expected an image file"),
        (["search", "photos/cats"], "is a folder; expected an image file"),
        (["info", "photos/cats/missing.jpg"], "no such image: photos/cats/missing.jpg: no such file"),
        (["info", "photos/cats"], "photos/cats is a folder; expected an image file"),
        (["search", "missing.jpg"], "there is no file 'missing.jpg', nor a collection near it"),
        (["info", "missing.jpg"], "there is no file 'missing.jpg', nor a collection near it"),
        (["search", "other/missing"], "there is no file 'other/missing', nor a collection near it"),
        (["search", "other"], "the query other is a folder; expected an image file"),
        (["search", "a red car"], "there is no collection in"),
        (["search", "mnist:test/42"], "there is no collection in"),
        (["search", "http://example.org/a.png"], "there is no collection in"),
    ],
)
def test_a_query_from_outside_that_is_no_file_is_named(call, photos, words, message):
    call("index", photos)
    (photos.parent / "other").mkdir()
    code, out, err = call(*words, cwd=photos.parent)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_characters_that_no_font_has_are_told_once_a_picture(call, photos, monkeypatch):
    (photos / "cats").rename(photos / "日本")
    call("index", photos)
    words = ["search", "日本/0.png", "--plot", "out.png"]
    monkeypatch.setattr("lookalike.plots.style.fonts", lambda: ["DejaVu Sans"])
    code, _, err = call(*words, cwd=photos)
    saved, told = err.splitlines()
    assert (code, saved) == (0, "saved out.png")
    assert told.startswith("lookalike: out.png has � in place of characters that no font here has: 日 本; ")
    _, out, err = call("search", "dogs/3.png", "--label", "dogs", "--plot", "out.png", "--json", cwd=photos)
    assert (len(json.loads(out)["hits"]), err) == (2, "saved out.png\n")


def test_odd_file_names_do_not_drive_the_terminal(call, photos):
    (photos / "cats/0.png").rename(photos / "cats/tab\tred\x1b[31m.png")
    call("index", photos)
    _, out, _ = call("search", "cats/1.png", cwd=photos)
    assert "\x1b" not in out
    assert {line.count("\t") for line in out.splitlines()} == {3}
