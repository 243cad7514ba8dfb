"""Near-duplicates folded: in searches, and wherever each picture is to count once."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from known_copies import say_found
from lookalike import Collection, Filter, InvalidInputError, QueryError, SearchRequest
from lookalike.collection.folding import Copies, Fold, folded_ids

MODEL = "pixels-28-grey"
LEVELS = range(0, 250, 20)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Pictures of one grey, 0, 20, …, 240."""
    place = tmp_path / "greys"
    place.mkdir()
    for level in LEVELS:
        Image.new("RGB", (60, 60), (level,) * 3).save(place / f"{level}.png")
    return place


@pytest.fixture
def collection(folder) -> Collection:
    made = Collection.create(folder, MODEL)
    made.sync()
    return made


@pytest.fixture
def ids(collection) -> dict[int, int]:
    """The image of each grey."""
    return {int(Path(image.path).stem): image.id for image in collection}


def greys(result) -> list[int]:
    return [int(Path(hit.path).stem) for hit in result.hits]


def copies_of(*pairs: tuple[int, int]) -> Copies:
    a, b = np.array(pairs, np.int64).reshape(-1, 2).T
    return Copies.of_pairs(a, b)


def test_copies_of_an_image_are_known_from_either_side():
    copies = copies_of((1, 5), (2, 5), (3, 4))
    assert [copies.of(image).tolist() for image in (1, 5, 4, 9)] == [[5], [1, 2], [3], []]
    assert len(copies) == 3


def test_the_image_with_most_copies_stands_for_them_and_no_chain_joins_others():
    ids = np.array([1, 2, 3, 4, 9], np.int64)
    # 1 – 2 – 3 – 4: 2 has as many copies as 3, and comes first; 4 is no copy of it.
    assert copies_of((1, 2), (2, 3), (3, 4)).stand_ins(ids).tolist() == [2, 2, 2, 4, 9]
    chosen, places = folded_ids(copies_of((1, 2), (2, 3), (3, 4)), ids)
    assert chosen.tolist() == [2, 4, 9] and places.tolist() == [0, 0, 0, 1, 2]


def test_copies_that_are_not_meant_stand_for_nothing():
    assert copies_of((1, 2), (2, 3)).stand_ins(np.array([1, 3], np.int64)).tolist() == [1, 3]


def test_each_image_is_folded_into_the_first_hit_that_it_is_a_copy_of():
    fold = Fold(copies_of((1, 2), (2, 3), (1, 7)), lambda ids: np.ones(len(ids), bool))
    rows, counts = fold.choose(np.array([1, 2, 3, 5]), 3)
    assert rows.tolist() == [0, 2, 3]
    assert counts == {1: 2, 3: 0, 5: 0}  # 7 was not found, but could have been; 2 is folded into 1 already


def test_what_could_be_no_hit_is_not_counted():
    fold = Fold(copies_of((1, 2), (1, 7)), lambda ids: ids != 7)
    assert fold.choose(np.array([1, 2]), 2)[1] == {1: 1}


def test_folded_hits_are_as_many_distinct_pictures(monkeypatch, collection, ids, folder):
    assert greys(collection.search(folder / "0.png", k=5)) == [20, 40, 60, 80, 100]
    pairs = [(20, 60, "edited", 0.95), (60, 80, "same", 0.99), (140, 120, "identical", 1.0)]
    say_found(monkeypatch, [(ids[a], ids[b], *said) for a, b, *said in pairs])
    found = collection.search(folder / "0.png", k=5, fold=True)
    assert greys(found) == [20, 40, 80, 100, 120]
    assert [hit.folded for hit in found.hits] == [1, 0, 0, 0, 1]
    assert [hit.rank for hit in found.hits] == [1, 2, 3, 4, 5]
    assert [hit["folded"] for hit in found.to_dict()["hits"]] == [1, 0, 0, 0, 1]
    assert found.to_arrow()["folded"].to_pylist() == [1, 0, 0, 0, 1]
    assert not found.warnings


def test_all_but_one_of_a_family_are_folded_however_many_there_are(monkeypatch, collection, ids, folder):
    first = ids[120]
    others = [level for level in LEVELS if level not in (100, 120, 0, 240)]
    say_found(monkeypatch, [(first, ids[level], "same", 0.99) for level in others])
    found = collection.search(folder / "120.png", k=10, fold=True, include_self=True)
    assert sorted(greys(found)) == [0, 100, 120, 240]
    assert found.hits[0].folded == len(others)
    filtered = collection.search(
        folder / "120.png", k=10, fold=True, include_self=True, where=Filter(ids=[first, ids[140]])
    )
    assert [(hit.id, hit.folded) for hit in filtered.hits] == [(first, 1)]


def test_a_query_is_not_counted_among_what_is_folded(monkeypatch, collection, ids, folder):
    say_found(monkeypatch, [(ids[100], ids[120], "same", 0.99), (ids[120], ids[140], "same", 0.99)])
    found = collection.search(folder / "100.png", k=20, fold=True)
    assert {hit.id: hit.folded for hit in found.hits}[ids[120]] == 1  # 140, not 100
    assert len(found) == len(LEVELS) - 2


@pytest.mark.parametrize("kind, probability", [("edited", 0.89), ("together", 0.99), ("series", 0.99)])
def test_what_is_less_sure_or_no_copy_is_not_folded(monkeypatch, collection, ids, folder, kind, probability):
    say_found(monkeypatch, [(ids[120], ids[140], kind, probability)])
    found = collection.search(folder / "100.png", k=20, fold=True)
    assert len(found) == len(LEVELS) - 1 and not any(hit.folded for hit in found.hits)


def test_pairs_that_somebody_decided_to_be_no_duplicates_are_not_folded(monkeypatch, collection, ids, folder):
    say_found(monkeypatch, [(ids[120], ids[140], "same", 0.99), (ids[60], ids[80], "same", 0.99)])
    collection.decisions.decide(ids[140], ids[120], "not_duplicate")
    collection.decisions.decide(ids[60], ids[80], "alternates")
    found = collection.search(folder / "100.png", k=20, fold=True)
    assert len(found) == len(LEVELS) - 2 and ids[140] in found.ids.tolist()


def test_hits_of_a_color_are_folded_too(monkeypatch, collection, ids):
    plain = collection.search(color="#787878", k=5)
    assert len(plain) > 1
    one, other = plain.hits[0].id, plain.hits[1].id
    say_found(monkeypatch, [(one, other, "same", 0.99)])
    found = collection.search(color="#787878", k=5, fold=True)
    assert found.hits[0].id == one and found.hits[0].folded == 1
    assert other not in found.ids.tolist()


def test_a_search_says_that_duplicates_were_not_looked_for(monkeypatch, collection, folder):
    say_found(monkeypatch, [], n_compared=0)
    found = collection.search(folder / "100.png", fold=True)
    assert len(found.warnings) == 1 and "not looked for" in found.warnings[0]
    assert "duplicates.find()" in str(found.warnings[0].hint)
    assert not collection.search(folder / "100.png").warnings


def test_a_request_that_folds_goes_through_all_its_documents():
    request = SearchRequest.from_query_string("like=words:a&fold=true")
    assert request.fold is True
    assert request.to_query_string() == "like=words:a&fold=true"
    assert SearchRequest.from_dict(request.to_dict()) == request
    with pytest.raises(InvalidInputError) as raised:
        SearchRequest.from_dict({"like": [{"words": "a"}], "fold": "yes"})
    assert raised.value.field == "fold"


def test_images_that_are_listed_are_not_folded(collection):
    with pytest.raises(QueryError, match="there is no query"):
        collection.browse(SearchRequest(fold=True))


def test_the_command_says_how_many_are_folded(monkeypatch, collection, ids, folder, call):
    say_found(monkeypatch, [(ids[120], ids[140], "same", 0.99), (ids[120], ids[160], "same", 0.99)])
    monkeypatch.setattr("lookalike.cli.found.is_for_person", lambda: True)
    code, out, _ = call("search", "120.png", "--include-self", "-k", 2, "--fold")
    assert code == 0
    assert out.splitlines()[0].endswith("120.png  and 2 more like it")
    code, out, _ = call("search", "120.png", "--include-self", "-k", 2, "--fold", "--json")
    assert [hit["folded"] for hit in json.loads(out)["hits"]] == [2, 0]
    monkeypatch.setattr("lookalike.cli.found.is_for_person", lambda: False)
    code, out, _ = call("search", "120.png", "--include-self", "-k", 2, "--fold", "--each")
    assert [line.split("\t")[-1] for line in out.splitlines()] == ["2", "0"]
    code, out, _ = call("search", "120.png", "--include-self", "-k", 2)
    assert out.splitlines()[0].endswith("120.png")


def test_the_command_names_the_one_that_finds_duplicates(monkeypatch, collection, call):
    say_found(monkeypatch, [], n_compared=0)
    _, _, err = call("search", "120.png", "--fold")
    assert "`lookalike duplicates`" in err
