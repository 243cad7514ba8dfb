"""``lookalike list``, as a user meets it."""

import datetime
import json
import shutil

import pytest
from running import run

from lookalike import Collection, Filter, SearchRequest


@pytest.fixture
def folder(photos, call):
    """The pictures, indexed by a model that is there at once; where commands are run."""
    call("index", photos, "--model", "pixels-8-grey")
    return photos


def test_all_images_are_listed_by_path_with_label(folder, call):
    code, out, _ = call("list")
    assert code == 0
    expected = [
        f"{n + 1}\t\t{'cats' if n < 3 else 'dogs'}\t{'cats' if n < 3 else 'dogs'}/{n}.png" for n in range(6)
    ]
    assert out.splitlines() == expected
    assert call("list", "-k", 2, "--offset", 1)[1].splitlines() == expected[1:3]
    assert call("list", "--descending", "-n", 1)[1].splitlines() == [expected[5].replace("6", "1", 1)]


def test_what_they_are_sorted_by_stands_beside_them(folder, call):
    _, out, _ = call("list", "--sort", "sharpness")
    values = [float(line.split("\t")[1]) for line in out.splitlines()]
    assert values == sorted(values)
    assert len(set(values)) > 1


def test_what_own_fields_hold_is_shown_as_it_was_said(folder, call, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("file,city,sold,day\n3.png,Toronto,yes,2020-05-04\n", encoding="utf-8")
    call("index", "--fields", table)
    shown = [call("list", "--sort", f"field:{name}", "-k", 1)[1] for name in ("city", "sold", "day")]
    assert [line.split("\t")[1] for line in shown] == ["Toronto", "yes", "2020-05-04"]


def test_json_has_the_documented_fields_and_a_request_that_can_be_asked_again(folder, call):
    shutil.copy(folder / "cats/1.png", folder / "dogs/copy.png")
    call("index")
    code, out, _ = call("list", "--json", "--sort", "size", "--label", "cats", "-k", 2)
    document = json.loads(out)
    assert code == 0
    assert list(document) == ["request", "sort", "total", "warnings", "hits"]
    assert (document["sort"], document["total"]) == ("size", 3)
    assert [hit["rank"] for hit in document["hits"]] == [1, 2]
    for hit in document["hits"]:
        assert list(hit)[:6] == ["rank", "path", "score", "distance", "label", "id"]
        assert (hit["score"], hit["label"]) == (None, "cats")
        assert isinstance(hit["value"], int)
    again = Collection.open(folder).browse(SearchRequest.from_dict(document["request"]))
    assert [f"{image:016x}" for image in again.ids] == [hit["id"] for hit in document["hits"]]


def test_paths_alone_are_for_other_programs(folder, call):
    _, out, _ = call("list", "-f", "--in", "dogs")
    assert out.splitlines() == ["dogs/3.png", "dogs/4.png", "dogs/5.png"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), 6),
        (("--label", "cats"), 3),
        (("--not-label", "cats"), 3),
        (("--not-in", "dogs"), 3),
        (("--not-label", "cats", "--not-in", "dogs"), 0),
        (("--shape", "square", "--shape", "landscape", "--shape", "portrait"), 6),
        (("--format", "gif"), 0),
        (("--set", "best"), 2),
        (("--not-set", "best"), 4),
        (("--tag", "RED"), 1),
        (("--not-tag", "red"), 5),
        (("--field", "price=3..5"), 2),
        (("--field", "price=..4"), 2),
        (("--field", "price=3", "--field", "price=5"), 2),
        (("--field", "price=3..", "--field", "shop=berlin"), 1),
        (("--field", "sold=2020-02"), 1),
        (("--field", "sold=2020-02..2021"), 2),
        (("--cluster", "groups/0", "--cluster", "groups/1"), 6),
    ],
)
def test_filters_let_pass_what_they_say(folder, call, words, expected):
    photos = Collection.open(folder)
    said = [
        {"price": 3, "shop": "Berlin", "sold": datetime.datetime(2020, 2, 29), "colors": ["red"]},
        {"price": 5, "shop": "Oslo", "sold": datetime.datetime(2021, 3, 1), "colors": ["blue"]},
        {"price": 1, "shop": "Oslo"},
    ]
    photos.set_fields({folder / f"cats/{number}.png": fields for number, fields in enumerate(said)})
    photos.sets.add("best", [folder / "cats/0.png", folder / "dogs/3.png"])
    photos.clusterings.make(k=2, name="groups")
    code, out, err = call("list", "--count", *words)
    assert (code, out) == (0, f"{expected}\n"), err
    assert json.loads(call("list", "--count", "--json", *words)[1]) == {"count": expected}
    assert len(call("list", *words)[1].splitlines()) == expected


def test_facets_count_and_one_of_them_alone(folder, call):
    _, out, _ = call("list", "--facets", "--label", "cats")
    lines = [line.split("\t") for line in out.splitlines()]
    assert ["labels", "cats", "3"] in lines
    assert ["folders", "cats", "3"] in lines
    assert ["formats", "PNG", "3"] in lines
    code, out, _ = call("list", "--facet", "labels", "--facet", "formats", "--json")
    document = json.loads(out)
    assert (code, document["total"], list(document["facets"])) == (0, 6, ["labels", "formats"])
    assert document["facets"]["labels"] == {
        "values": ["cats", "dogs"],
        "counts": [3, 3],
        "missing": 0,
        "n_values": 2,
    }
    folders = json.loads(call("list", "--facet", "folders", "--json")[1])["facets"]["folders"]
    assert folders["values"] == [".", "cats", "dogs"]


def test_a_contact_sheet_is_saved(folder, call, tmp_path):
    code, out, _ = call("list", "--plot", tmp_path / "sheet.png", "-k", 4)
    assert (code, len(out.splitlines())) == (0, 4)
    assert (tmp_path / "sheet.png").stat().st_size > 1_000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--sort", "colour"), "sort is 'colour'; expected path, date,"),
        (("--sort", "foo"), "central, random or field:NAME\n"),
        (("--facets", "-k", "2"), "--facets prints no images; leave out -k\n"),
        (("--sort", "outlier"), "images cannot be sorted by outlier yet"),
        (("--sort", "field:price"), "there is no field 'price' (there are none here)"),
        (("--label", "cast"), "no image here is labelled 'cast'; did you mean cats?"),
        (("--not-label", "cast"), "no image here is labelled 'cast'; did you mean cats?"),
        (("--set", "best"), "there is no set 'best' in this collection (there are none yet)"),
        (("--tag", "red"), "no image here has 'red' in its tags"),
        (("--field", "price"), "--field is 'price'; expected a name and a value"),
        (("--field", "=3"), "--field is '=3'; expected a name and a value"),
        (("--field", "price=3"), "there is no field 'price'"),
        (("--cluster", "groups"), "--cluster is 'groups'; expected a clustering and the number of a cluster"),
        (("--cluster", "groups/1"), "there is no clustering 'groups'"),
        (("--facet", "label"), "there is no facet 'label'; did you mean labels?"),
        (("--count", "--plot", "x.png"), "--count prints no images; leave out --plot"),
        (("--facets", "--sort", "date"), "--facets prints no images; leave out --sort"),
        (("--count", "--facets"), "--count prints no images; leave out --facets"),
        (
            ("--sort", "random", "--random-state", "-1"),
            "random_state is -1; expected a whole number, 0 or more",
        ),
        (("--random-state", "3"), "--random-state is for --sort random"),
        (("--random-state", "3", "--sort", "date"), "--random-state is for --sort random"),
        (("--plot", "x.xyz"), "x.xyz"),
    ],
)
def test_what_cannot_be_listed_is_said_in_one_line(folder, call, words, message):
    code, out, err = call("list", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


@pytest.mark.parametrize("words", ["price=9..2", "taken=2020..2019-12", "price=9.5..9"])
def test_a_range_that_ends_before_it_begins_is_no_empty_list(folder, call, words):
    code, out, err = call("list", "--field", words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "no image can be both" in err


def test_a_contact_sheet_says_which_way_round_it_is_sorted(folder):
    from lookalike.drawing import _order_words

    photos = Collection.open(folder)
    ways = {
        (sort, way): _order_words(photos.browse(sort=sort, descending=way))
        for sort in ("size", "date", "path")
        for way in (False, True)
    }
    assert len(set(ways.values())) == 6
    assert ways["size", True] == "the largest first"


def test_where_there_is_no_collection_that_is_said(tmp_path, call):
    code, out, err = call("list", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert "there is no collection" in err


def test_a_search_takes_the_same_filters(folder, call):
    _, out, _ = call("search", "cats/0.png", "--not-label", "dogs", "-f")
    assert sorted(out.splitlines()) == ["cats/1.png", "cats/2.png"]


def test_what_is_listed_is_exported(folder):
    photos = Collection.open(folder)
    listed = photos.browse(where=Filter(labels="cats"), sort="size", descending=True)
    assert photos.export(listed, folder / "cats.csv") == 3
    lines = (folder / "cats.csv").read_text().splitlines()
    assert {"rank", "value"} <= set(lines[0].split(","))
    assert listed.to_arrow().num_rows == 3
    assert "3 of 3 images, by size" in listed._repr_html_()
    assert photos.facets(names=["labels"]).to_arrow()["images"].to_pylist() == [3, 3]


def test_help_of_list_is_quick_and_names_all_orders():
    done = run("list", "--help")
    assert done.returncode == 0
    assert b"central" in done.stdout
