"""``lookalike search``, as a user meets it."""

import csv
import json
import os
import shutil

import pytest
from running import run

from pictures import picture


def test_search_json_has_the_documented_fields_and_relative_paths(call, photos):
    call("index", photos)
    shutil.copy(photos / "cats/1.png", photos / "dogs/copy.png")
    call("index", photos)
    code, out, _ = call("search", "cats/0.png", "--json", "-k", "5", cwd=photos)
    document = json.loads(out)
    assert code == 0
    assert list(document) == [
        *("query", "request", "queries", "model", "index", "proved", "total", "below_chance", "warnings"),
        "hits",
    ]
    assert (document["proved"], document["total"], document["below_chance"]) == (True, 5, None)
    assert document["request"]["like"] == [{"file": "cats/0.png", "weight": 1.0}]
    assert (document["query"], document["model"], document["index"]) == (
        "cats/0.png",
        "lite0-deep-int8",
        "exact",
    )
    assert [hit["rank"] for hit in document["hits"]] == [1, 2, 3, 4, 5]
    for hit in document["hits"]:
        assert list(hit)[:6] == ["rank", "path", "score", "distance", "label", "id"]
        assert (photos / hit["path"]).is_file()
        assert len(hit["id"]) == 16
        assert hit["score"] == pytest.approx(1 - hit["distance"], abs=2e-6)
    (double,) = [hit for hit in document["hits"] if len(hit["paths"]) > 1]
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
        (["search", "photos"], "there is nothing to search for; name an image file"),
        (["info", "photos/cats/missing.jpg"], "no such image: photos/cats/missing.jpg: no such file"),
        (["info", "photos/cats"], "photos/cats is a folder of the collection in photos"),
        (["search", "missing.jpg"], "there is no file 'missing.jpg', nor a collection near it"),
        (["info", "missing.jpg"], "there is no file 'missing.jpg', nor a collection near it"),
        (["search", "other/missing"], "there is no file 'other/missing', nor a collection near it"),
        (["search", "other"], "other; make one with `lookalike index FOLDER`"),
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


@pytest.fixture
def indexed(call, photos):
    """The folder of six pictures, indexed; they are told apart by their pixels."""
    call("index", photos, "--model", "pixels-16-rgb")
    return photos


def answer(call, folder, *words):
    """Search as JSON."""
    code, out, err = call("search", *words, "--json", cwd=folder)
    assert code == 0, err
    return json.loads(out)


def paths(document):
    """Give the paths of the hits."""
    return [hit["path"] for hit in document["hits"]]


def test_like_takes_the_id_that_json_shows_and_finds_what_the_file_finds(call, indexed):
    (first, *_) = answer(call, indexed, "cats/0.png", "--include-self")["hits"]
    assert first["path"] == "cats/0.png"
    by_id = answer(call, indexed, "--like", first["id"])
    assert paths(by_id) == paths(answer(call, indexed, "cats/0.png"))
    assert by_id["query"] == first["id"]
    assert by_id["request"]["like"] == [{"id": first["id"], "weight": 1.0}]
    assert paths(answer(call, indexed, "--like", "cats/0.png")) == paths(by_id)


@pytest.mark.parametrize("flag", ["--not", "--unlike", "--without"])
def test_what_is_not_wanted_is_named_by_id_or_by_file(call, indexed, flag):
    (first, *_) = answer(call, indexed, "dogs/4.png", "--include-self", "-k", "1")["hits"]
    by_id = answer(call, indexed, "cats/0.png", flag, first["id"])
    assert by_id["not"] == [first["id"]]
    assert by_id["request"]["unlike"] == [{"id": first["id"], "weight": 1.0}]
    assert paths(by_id) == paths(answer(call, indexed, "cats/0.png", flag, "dogs/4.png"))


def test_a_file_that_is_called_like_an_id_wins(call, indexed):
    name = "00000000000000ff"
    shutil.copy(indexed / "cats/0.png", indexed / name)
    document = answer(call, indexed, "--like", name)
    assert document["request"]["like"] == [{"file": name, "weight": 1.0}]


def test_a_folder_or_file_wins_over_words_and_the_line_says_so(call, indexed):
    (indexed / "dogs").rename(indexed / "dog")
    shutil.copy(indexed / "cats/0.png", indexed / "red car")
    call("index", indexed, "-q")
    code, out, err = call("search", "dog", "-f", cwd=indexed)
    assert (code, out.splitlines()) == (0, ["dog/3.png", "dog/4.png", "dog/5.png"])
    assert err == "lookalike: dog is taken for the folder of that name; for the word: --words dog\n"
    code, out, err = call("search", "red car", "-k", "1", "-f")
    assert (code, out.count("\n")) == (0, 1)
    told, _ = err.splitlines()
    assert told == "lookalike: red car is taken for the file of that name; for the word: --words 'red car'"
    for word, code, said in (("dog", 0, "by names only; "), ("red car", 2, "words cannot be searched for")):
        found, _, err = call("search", "--words", word)
        assert (found, said in err, "is taken for" in err) == (code, True, False)
    assert call("search", f".{os.sep}dog", "-f")[2] == ""  # which no word is


def test_filters_alone_list_what_passes_them(call, indexed):
    document = answer(call, indexed, "--label", "dogs")
    assert (document["query"], document["total"], document["sort"]) == (None, 3, "path")
    assert paths(document) == ["dogs/3.png", "dogs/4.png", "dogs/5.png"]
    assert document["hits"] == json.loads(call("list", "--label", "dogs", "--json")[1])["hits"]
    assert call("search", "--in", "cats", "-f", "-k", "2")[1].splitlines() == ["cats/0.png", "cats/1.png"]
    assert call("search", "--label", "dogs", "--plot", "list.png")[2] == "saved list.png\n"
    (indexed / "request.json").write_text('{"where": {"labels": ["cats"]}, "k": 1}')
    assert paths(answer(call, indexed, "--request", "request.json")) == ["cats/0.png"]
    code, _, err = call("search", "--label", "dogs", "--recall", "1")
    assert (code, "there is no QUERY: expected one for --recall" in err) == (2, True)


def test_an_exact_copy_is_said_to_be_here_already(call, indexed):
    shutil.copy(indexed / "cats/0.png", indexed.parent / "one.png")
    shutil.copy(indexed / "cats/1.png", indexed / "dogs/copy.png")
    call("index", indexed, "-q")
    one = f"..{os.sep}one.png"
    code, _, err = call("search", one, "dogs/4.png", cwd=indexed)
    assert (code, err) == (0, f"lookalike: {one} is already here as cats/0.png\n")
    assert call("search", "cats/1.png", "-f")[2] == "lookalike: cats/1.png is also here as dogs/copy.png\n"
    assert call("search", "cats/2.png")[2] == ""
    shown = call("search", "cats/1.png", "--include-self", "-k", "1")[1]
    assert shown.endswith("\tcats/1.png  (also dogs/copy.png)\n")
    document = answer(call, indexed, one, "cats/1.png")
    assert [query["paths"] for query in document["queries"]] == [
        ["cats/0.png"],
        ["cats/1.png", "dogs/copy.png"],
    ]
    call("add", "cats/2.png", "--key", "shoe")
    assert call("search", "cats/2.png")[2] == "lookalike: cats/2.png is also here as one that was added\n"


def test_a_link_to_the_folder_is_no_copy(call, indexed, tmp_path):
    (tmp_path / "link").symlink_to(indexed, target_is_directory=True)
    code, out, err = call("search", tmp_path / "link/cats/0.png", "-c", indexed)
    assert (code, err) == (0, "")
    assert out


@pytest.mark.parametrize(
    "words", [["search", "cats/0.png"], ["search"], ["list"], ["search", "cats/0.png", "-f"], ["list", "-f"]]
)
def test_nothing_found_is_said_when_piped_too(call, indexed, words):
    assert call(*words, "--min-size", "50000", cwd=indexed) == (0, "", "no image passes the filters\n")


def test_weights_are_those_of_the_queries_in_their_order(call, indexed):
    document = answer(call, indexed, "cats/0.png", "--like", "dogs/4.png", "--weight", "1", "--weight", "3")
    assert document["request"]["like"] == [
        {"file": "cats/0.png", "weight": 1.0},
        {"file": "dogs/4.png", "weight": 3.0},
    ]
    assert [query["weight"] for query in document["queries"]] == [1, 3]


def test_a_region_is_cut_and_the_answer_says_from_what(call, indexed):
    document = answer(call, indexed, "cats/0.png", "--region", "0.5,0,0.5,1")
    assert document["request"]["like"] == [
        {"file": "cats/0.png", "weight": 1.0, "region": [0.5, 0.0, 0.5, 1.0]}
    ]
    assert [query["cut_from"] for query in document["queries"]] == ["picture"]
    (warning,) = document["warnings"]
    assert "pixels-16-rgb knows no parts of pictures" in warning and "--model lite0-deep-int8" in warning
    (gone, *_) = answer(call, indexed, "cats/0.png", "--include-self")["hits"]
    (indexed / "cats/0.png").unlink()
    words = ("dogs/4.png", "--like", gone["id"], "--region", "all", "--region", "0,0,0.5,1")
    code, out, err = call("search", *words, "--json", cwd=indexed)
    document = json.loads(out)
    assert (code, [query["cut_from"] for query in document["queries"]]) == (0, [None, "thumbnail"])
    assert any("the region of 0.png is one of its thumbnail" in each for each in document["warnings"])
    assert "the region of 0.png is one of its thumbnail" in err


def test_a_hit_says_where_the_region_is(call, photos, tmp_path):
    call("index", photos)
    indexed, options = photos, ("cats/0.png", "--region", "0,0,1,1", "-k", "2")
    document = answer(call, indexed, *options)
    assert document["warnings"] == []
    boxes = [hit["box"] for hit in document["hits"]]
    assert all(len(box) == 4 and min(box) >= 0 and max(box) < 0.6 for box in boxes)
    code, out, _ = call("search", *options, "--plot", tmp_path / "where.png", cwd=indexed)
    rows = [line.split("\t") for line in out.splitlines()]
    assert (code, len(rows)) == (0, 2)
    for row, box in zip(rows, boxes, strict=True):
        assert [float(share) for share in row[-1].split(",")] == pytest.approx(box, abs=1e-3)
    assert [hit["box"] for hit in answer(call, indexed, "cats/0.png", "-k", "2")["hits"]] == [None, None]


def test_a_request_answers_as_the_options_did(call, indexed, tmp_path):
    options = ("cats/0.png", "--not", "dogs/4.png", "--label", "dogs", "-k", "2", "--weight", "2")
    asked = answer(call, indexed, *options)
    request, whole = tmp_path / "request.json", tmp_path / "answer.json"
    request.write_text(json.dumps(asked["request"]))
    whole.write_text(json.dumps(asked))
    for file in (request, whole):
        again = answer(call, indexed, "--request", file)
        assert (again["hits"], again["request"]) == (asked["hits"], asked["request"])
        assert again["query"] == "0.png"


def test_a_request_is_read_from_standard_input(indexed):
    request = json.dumps({"like": [{"file": "cats/0.png"}], "k": 2})
    found = run("search", "--request", "-", "-f", cwd=indexed, input=request.encode())
    assert (found.returncode, len(found.stdout.splitlines())) == (0, 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cats/0.png", "--weight", "1", "--weight", "2"], "given 2 times and there are 1 queries"),
        (["cats/0.png", "--weight", "0"], "the weight is 0"),
        (["cats/0.png", "--region", "1,2"], "the region is (1.0, 2.0); expected left, top"),
        (["cats/0.png", "--region", "half"], "--region is 'half'; expected left, top"),
        (["--words", "sun", "--region", "0,0,1,1"], "0 of the queries are pictures"),
        (["--words", " "], "words is ' '; expected a text"),
        (["--like", "00000000000000ff"], "there is no image 00000000000000ff"),
        (["--request", "none.json"], "the request none.json cannot be read"),
        (["--request", "notes.txt"], "the request in notes.txt is no JSON"),
        (["--request", "list.json"], "a search is [1]; expected an object"),
        (["--request", "other.json"], "a search has no field 'colours'; did you mean colors?"),
        (["--request", "fine.json", "-k", "3"], "leave out -k"),
        (["--request", "fine.json", "--label", "cats"], "leave out --label"),
        (["--request", "fine.json", "--not", "cats/0.png"], "leave out --not"),
        (["--request", "fine.json", "cats/0.png"], "leave out cats/0.png"),
    ],
)
def test_queries_that_cannot_be_are_told(call, indexed, words, said):
    (indexed / "list.json").write_text("[1]")
    (indexed / "other.json").write_text('{"colours": []}')
    (indexed / "fine.json").write_text('{"colors": ["red"]}')
    code, out, err = call("search", *words, cwd=indexed)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


def test_each_query_is_a_search_of_its_own(call, indexed):
    document = answer(call, indexed, "--each", "cats/0.png", "dogs", "-k", "2")
    assert list(document) == ["queries", "failures"]
    assert [each["query"] for each in document["queries"]] == [
        "cats/0.png",
        *(os.path.join("dogs", f"{number}.png") for number in (3, 4, 5)),
    ]
    alone = answer(call, indexed, "dogs/4.png", "-k", "2")
    assert document["queries"][2] == alone
    lines = call("search", "--each", "cats/0.png", "dogs", "-k", "2")[1].splitlines()
    assert [line.split("\t")[0] for line in lines] == [
        each["query"] for each in document["queries"] for _ in "12"
    ]
    assert {line.count("\t") for line in lines} == {4}
    paths_alone = call("search", "--each", "cats/0.png", "dogs", "-k", "2", "-f")[1].splitlines()
    assert paths_alone == [hit["path"] for each in document["queries"] for hit in each["hits"]]


def test_each_query_is_in_a_table(call, indexed):
    found = call("search", "--each", "cats", "-k", "2", "-o", "found.csv", cwd=indexed)
    assert (found[0], found[2]) == (0, "saved found.csv\n")
    with (indexed / "found.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["query"] for row in rows] == [os.path.join("cats", f"{n}.png") for n in (0, 0, 1, 1, 2, 2)]
    assert [row["rank"] for row in rows] == ["1", "2"] * 3
    call("search", "--each", "cats", "-o", "found.json")
    assert json.loads((indexed / "found.json").read_text()) == answer(call, indexed, "--each", "cats")
    assert call("search", "--each", "cats", "-o", "found.html")[0] == 0
    assert (indexed / "found.html").read_text().count("hits, pixels-16-rgb") == 3


def test_a_query_of_many_that_is_none_is_named_and_the_others_are_answered(call, indexed):
    (indexed / "broken.png").write_bytes(b"no")
    code, out, err = call("search", "--each", "broken.png", "cats/0.png", "--json", cwd=indexed)
    document = json.loads(out)
    assert (code, len(document["queries"]), err.count("\n")) == (0, 1, 1)
    assert document["failures"][0]["query"] == "broken.png"
    assert document["failures"][0]["reason"] in err
    assert call("search", "--each", "broken.png")[0] == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--each"], "--each is for queries, and there is none"),
        (["--each", "cats", "--weight", "2"], "--each is for QUERY alone; leave out --weight"),
        (["--each", "cats", "--plot", "a.png"], "many searches are saved as .html"),
        (["--each", "empty"], "there are no images in empty"),
    ],
)
def test_what_each_cannot_do_is_told(call, indexed, words, told):
    (indexed / "empty").mkdir()
    code, out, err = call("search", *words, cwd=indexed)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err
