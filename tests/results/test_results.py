"""What every result can do: JSON, tables, a view in a notebook, a short repr, a copy by any way."""

import copy
import dataclasses
import html.parser
import json
import pickle
import re
import sys

import numpy as np
import pytest

import scene_of_results as scene
from lookalike import Collection, Hit, ImageRef, MissingExtraError, SearchRequest
from lookalike.results.documents import Result
from lookalike.results.notebook import MOST_PICTURES, MOST_POINTS, data_uri, show_points
from lookalike.system.tables import MOST_ROWS, Table, escape, html_table
from pictures import picture

MODEL = "pixels-8-rgb"
EVIL = "<script>alert('x')</script>\"&"


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """Thirty images in two folders, one of which is called as no folder should be."""
    folder = tmp_path_factory.mktemp("results") / "photos"
    for number in range(30):
        place = folder / ("cats" if number < 15 else EVIL.replace("/", "-"))
        place.mkdir(parents=True, exist_ok=True)
        picture(number).save(place / f"{number:02}.png")
    (folder / "cats/broken.png").write_bytes(b"no picture")
    made = Collection.create(folder, model=MODEL, labels="folders")
    made.sync()
    made.clusterings.make(k=3)
    made.clusterings.rename("kmeans", 0, "owls & 'cats'")
    return made


@pytest.fixture(scope="module")
def results(collection, tmp_path_factory):
    """Every kind of result, by its name."""
    file = next(collection.roots[0].glob("cats/*.png"))
    found = collection.search(file, k=28)
    return {
        "search": found,
        "nothing": collection.search(file, k=3, where=_none()),
        "colors": collection.search(color="#777", k=5),
        "list": collection.browse(sort="sharpness", descending=True),
        "facets": collection.facets(),
        "clustering": collection.clusterings.get("kmeans"),
        "map": collection.maps.make("pca"),
        "duplicates": scene.groups_of_duplicates(),
        "matching": scene.matched(),
        "compared": collection.duplicates.find(),
        "info": collection.info(),
        "clustering info": collection.info().clusterings[0],
        "image": collection.image_info(found[0].path),
        "root": collection.list_roots()[0],
        "sync": collection.sync(),
        **dict(zip(("plan", "act"), scene.planned_and_done()[3::2], strict=True)),
        "evaluation": collection.evaluation.retrieval(),
        "clusterings": collection.evaluation.clusterings(),
        "indexes": collection.evaluation.indexes(kinds=["exact"], n_queries=5),
        **_of_calls(tmp_path_factory.mktemp("calls")),
        **_of_a_damaged_copy(collection, tmp_path_factory.mktemp("copies") / "copy"),
    }


def _of_calls(folder):
    """What is said of images, fields and vectors that come by call."""
    made = Collection.create(folder, model=MODEL, labels="folders")
    report = made.add([(picture(0), "owl", {"price": 3}), (b"no picture", "none")])
    return {
        "add": report,
        "added": report.images[0],
        "fields": made.set_fields({"added:owl": {"price": 4}, "nothing.png": {"price": 5}}),
        "vectors": made.add_vectors("mine", ["owl", "none"], np.eye(2, 8, dtype=np.float32)),
    }


def _of_a_damaged_copy(collection, folder):
    """What is said of a copy, and of what is damaged in it."""
    copied = collection.copy(folder)
    file = next(
        file for file in sorted(copied.folder.rglob("*")) if file.is_file() and file.suffix == ".lance"
    )
    file.write_bytes(file.read_bytes()[:-1])
    return {"copy": copied, "check": Collection.open(folder).check()}


def _none():
    from lookalike import Filter

    return Filter(min_size=100_000)


NAMES = (
    *(
        "search",
        "nothing",
        "colors",
        "list",
        "facets",
        "clustering",
        "map",
        "duplicates",
        "matching",
        "compared",
        "info",
        "clustering info",
        "image",
        "root",
        "sync",
        "plan",
        "act",
    ),
    *("evaluation", "clusterings", "indexes", "add", "added", "fields", "vectors", "copy", "check"),
)
TABLES = (
    "search",
    "nothing",
    "colors",
    "list",
    "facets",
    "clustering",
    "map",
    "duplicates",
    "matching",
    "evaluation",
    "clusterings",
    "indexes",
)
each_result = pytest.mark.parametrize("name", NAMES)
each_table = pytest.mark.parametrize("name", TABLES)


def test_these_are_all(results):
    assert tuple(results) == NAMES
    assert tuple(name for name, result in results.items() if isinstance(result, Table)) == TABLES
    kinds = {type(result).__name__ for result in results.values()} | {"Result"}
    there = {kind.__name__ for kind in (*Result.__subclasses__(), Result)}
    assert there - kinds <= {"ClusteringEvaluation", "TrainedModel"}  # a part of one of these; takes torch


@each_result
def test_a_result_is_json(name, results):
    document = results[name].to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document or name == "info"
    assert json.dumps(document, allow_nan=False)


@each_result
def test_a_door_words_paths_and_sentences(name, results):
    document = results[name].to_dict(path=lambda path: "PATH", tell=lambda said: "SAID")
    document.pop("request", None)  # has the file as it was asked for
    assert str(results["root"].folder) not in json.dumps(document)


@each_result
def test_a_repr_is_short_and_has_no_vectors(name, results):
    assert len(repr(results[name])) < (1200 if name in ("image", "root") else 200)
    assert "array" not in repr(results[name])
    if name in ("search", "colors"):
        assert re.fullmatch(r"<SearchResult: \d+ hits, [\w-]+, [\w-]+>", repr(results[name]))


@each_result
@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_a_copy_says_the_same(name, way, results):
    again = way(results[name])
    assert again.to_dict() == results[name].to_dict()
    assert repr(again) == repr(results[name])
    assert again._repr_html_()


@each_result
def test_a_result_is_a_dict_of_its_fields(name, results):
    fields = dataclasses.asdict(results[name])
    assert list(fields) == [field.name for field in dataclasses.fields(results[name])]


def test_hits_are_dicts_and_copies_too(results):
    hit = results["search"][0]
    assert dataclasses.asdict(hit)["paths"] == hit.paths
    assert copy.deepcopy(hit) == pickle.loads(pickle.dumps(hit)) == hit
    assert json.loads(json.dumps(dataclasses.asdict(hit)))["id"] == hit.id


def test_hits_with_fields_of_the_users_are_dicts_and_copies_too(photos):
    made = Collection.create(photos, model=MODEL)
    made.sync()
    made.fields.set({str(photos / "cats/0.png"): {"price": 2.5, "seen": "2024-05-01"}})
    found = made.search(photos / "cats/1.png", k=5)
    (hit,) = [each for each in found if each.path == str(photos / "cats/0.png")]
    assert dataclasses.asdict(hit)["fields"]["price"] == 2.5
    assert copy.deepcopy(hit) == pickle.loads(pickle.dumps(hit)) == hit
    assert json.loads(json.dumps(hit.to_dict()))["fields"]["price"] == 2.5
    assert dataclasses.asdict(found)["model"] == MODEL


def test_a_search_is_a_sequence_of_its_hits(results):
    found = results["search"]
    assert len(found) == len(found.hits) == 28
    assert list(found) == list(found.hits)
    assert found[0] == found.hits[0]
    assert [hit.rank for hit in found[3:5]] == [4, 5]
    assert isinstance(found[-1], Hit)
    assert found[2] in found


def test_clusterings_maps_and_evaluations_are_sequences(results):
    assert [each.number for each in results["clustering"]] == [
        each.number for each in results["clustering"].clusters
    ]
    assert len(results["map"]) == len(results["map"].images) == 30
    assert next(iter(results["map"])) == results["map"][0]
    assert [each.name for each in results["clusterings"]] == ["kmeans"]


def test_a_search_says_what_it_answers_and_can_be_asked_again(collection, results):
    found = results["search"]
    assert isinstance(found.request, SearchRequest)
    assert found.request.k == 28
    assert collection.search(found.request).to_dict() == found.to_dict()
    assert SearchRequest.from_dict(found.to_dict()["request"]) == found.request


def test_an_answer_has_the_documented_fields(results):
    document = results["search"].to_dict()
    assert list(document) == [
        *("request", "queries", "model", "index", "proved", "total", "below_chance", "warnings", "hits")
    ]
    assert set(document["hits"][0]) == {
        *("rank", "id", "path", "paths", "label", "score", "distance", "probability", "box", "folded"),
        *("clusters", "fields", "keys"),
    }
    assert re.fullmatch("[0-9a-f]{16}", document["hits"][0]["id"])


def test_the_total_is_all_that_could_be_hits(collection, results):
    from lookalike import Filter

    hit = results["search"][0]
    assert results["search"].total == 29  # the query is one of thirty
    assert results["nothing"].total == 0
    both = collection.search(ImageRef(hit.id), include_self=True)
    assert (both.total, len(both)) == (30, 10)
    cats = collection.search(ImageRef(hit.id), where=Filter(labels=["cats"]))
    assert cats.total == 15 - (hit.label == "cats")
    assert results["colors"].total >= len(results["colors"])


def test_an_answer_says_whether_it_is_proved(collection, results):
    query = ImageRef(results["search"][0].id)
    assert results["search"].is_proved
    assert not collection.search(query, index="kmeans-tree", recall=0.9).is_proved
    assert collection.search(query, index="kmeans-tree", recall=1).is_proved
    assert not collection.search(query, index="kdtree", recall=1, mode="leaf").is_proved
    assert collection.search(query, index="kdtree", recall=0.9, mode="exact").is_proved
    assert collection.search(
        query, index="kmeans-tree", recall=0.9, without=query.__class__(results["search"][5].id)
    ).is_proved


@each_table
def test_arrow_has_the_rows(name, results):
    table = results[name].to_arrow()
    counts = {
        "clustering": 30,
        "map": 30,
        "duplicates": 2,
        "evaluation": len(results["evaluation"].scores),
        "indexes": 1,
    }
    counts["facets"] = sum(len(facet.counts) for facet in results["facets"].values())
    assert table.num_rows == (counts[name] if name in counts else len(results[name]))
    if "path" in table.column_names:
        assert all(path is not None for path in table["path"].to_pylist())


def test_arrow_and_the_result_say_the_same(results):
    found = results["search"]
    table = found.to_arrow()
    assert table["path"].to_pylist() == [hit.path for hit in found]
    assert table["distance"].to_pylist() == [hit.distance for hit in found]
    clustering = results["clustering"].to_arrow()
    assert clustering["cluster"].to_pylist() == results["clustering"].numbers.tolist()
    points = results["map"].to_arrow()
    assert np.column_stack([points["x"], points["y"]]).tolist() == results["map"].points.tolist()


@each_table
def test_pandas_has_the_same_rows(name, results):
    pandas = pytest.importorskip("pandas")
    frame = results[name].to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    table = results[name].to_arrow()
    assert list(frame.columns) == table.column_names
    assert len(frame) == table.num_rows


def test_without_pandas_it_is_said_what_to_install(results, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match="pandas, which is not installed") as caught:
        results["search"].to_pandas()
    assert str(caught.value.hint) == "install it with: pip install pandas"


class Strict(html.parser.HTMLParser):
    """Counts tags, and complains of those that are not closed."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.sources = [], [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag == "img":
            self.sources.append(dict(attributes)["src"])
        if tag not in ("img", "circle", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@each_result
def test_a_notebook_shows_it_in_html_that_is_whole_small_and_runs_nothing(name, results):
    shown = results[name]._repr_html_()
    parser = Strict()
    parser.feed(shown)
    parser.close()
    assert parser.open == []
    assert "script" not in parser.seen
    assert all(source.startswith("data:image/jpeg;base64,") for source in parser.sources)
    assert len(parser.sources) <= 2 * MOST_PICTURES
    assert len(shown) < 500_000


def test_a_search_shows_the_query_and_the_first_hits_and_says_how_many_more(results):
    shown = results["search"]._repr_html_()
    assert shown.count("<img") == MOST_PICTURES + 1
    assert "… and 4 more" in shown
    assert escape(EVIL.replace("/", "-")) in shown


def test_parts_of_results_show_their_pictures(collection, results):
    found = results["search"]
    shown = [
        (found[0], 1),
        (found[2:5], 3),
        (next(iter(collection)), 1),
        (collection.vectors()[0][0], 1),
        (results["map"][0], 1),
        (results["clustering"][0], 2 * len(results["clustering"][0].central)),
        (results["evaluation"].worst[0], 8),
    ]
    for part, n_pictures in shown:
        parser = Strict()
        parser.feed(part._repr_html_())
        parser.close()
        assert parser.open == []
        assert len(parser.sources) == n_pictures
        assert "script" not in parser.seen
        assert "array" not in repr(part)
        assert len(repr(part)) < 1200
    update = collection.maps.make_or_place("pca")
    assert update._repr_html_() == update.map._repr_html_()


def test_a_hit_that_is_copied_is_the_same_without_its_picture(results):
    hit = results["search"][0]
    for again in (copy.deepcopy(hit), pickle.loads(pickle.dumps(hit)), dataclasses.replace(hit)):
        assert again == hit
        assert again._repr_html_() is None  # then a notebook takes the repr


def test_a_hit_says_what_is_known_of_it():
    assert repr(Hit(1, 255, ("a.png",), 0.25, 0.75, None)) == (
        "Hit(rank=1, id=255, paths=('a.png',), distance=0.25, score=0.75, label=None)"
    )


def test_a_collection_shows_what_it_holds_and_some_pictures(collection, tmp_path):
    shown = collection._repr_html_()
    assert shown.count("<img") == 8
    assert "30 in 30 files" in shown
    assert escape(EVIL.replace("/", "-")) in shown
    empty = Collection.create(tmp_path / "empty", model=MODEL)
    assert "0 in 0 files" in empty._repr_html_()
    empty.close()
    assert empty._repr_html_() is None
    assert repr(empty) == f"<Collection in {tmp_path / 'empty'}>"


def test_a_collection_is_iterated_over_and_asked_for_its_images(collection):
    images = list(collection)
    assert [image.path for image in images] == [image.path for image in collection.browse()]
    assert len(images) == len(collection) == 30
    for name in (images[0], images[0].id, images[0].hex_id, images[0].path):
        assert name in collection
    for name in (5, "0" * 16, "nothing.png", Hit(1, 5, ("a.png",), 0.5, 0.5, None)):
        assert name not in collection


def test_what_hangs_on_a_collection_says_what_it_is(collection):
    for name in ("labels", "feedback", "decisions", "changes", "said", "evaluation", "snapshot"):
        face = getattr(collection, name)
        shown = repr(face() if name == "snapshot" else face)
        assert re.fullmatch(r"<[A-Z]\w+: [^`]{5,80}>", shown), shown


def test_what_was_pickled_shows_itself_without_pictures(results):
    again = pickle.loads(pickle.dumps(results["search"]))
    assert "<img" not in again._repr_html_()
    assert [hit.path for hit in again] == [hit.path for hit in results["search"]]


def test_a_thumbnail_in_a_notebook_is_small(collection, results):
    image = results["search"][0].id
    jpeg = collection.thumbnails([image])[image]
    assert len(data_uri(jpeg)) < 20_000


def test_of_many_points_some_are_drawn():
    points = np.random.default_rng(0).normal(size=(3 * MOST_POINTS, 2)).astype(np.float32)
    shown = show_points(points, ["a" if x > 0 else None for x, _ in points])
    assert MOST_POINTS / 2 <= shown.count("<circle") <= MOST_POINTS
    assert "no images" in show_points(np.empty((0, 2), np.float32), [])
    assert show_points(np.ones((3, 2), np.float32), [None] * 3).count("<circle") == 3


def test_long_tables_are_cut_in_a_notebook():
    class Numbers(Table):
        def _columns(self):
            return {"n": list(range(MOST_ROWS + 5))}

    shown = Numbers()._repr_html_()
    assert shown.count("<tr>") == MOST_ROWS + 1
    assert "… and 5 more" in shown
    assert html_table([], [[None, 0.123456, ["a", "b"]]]).count("<td>") == 3


def test_a_path_that_is_no_utf8_is_in_every_table():
    import os

    name = os.fsdecode(b"caf\xe9.png")

    class Names(Table):
        def _columns(self):
            return {"path": [name], "paths": [[name]]}

    assert Names().to_arrow()["path"].to_pylist() == ["caf\\xe9.png"]
    assert "caf\\xe9.png" in Names()._repr_html_()
