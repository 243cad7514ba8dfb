"""Two collections, or two parts of one, matched one to one."""

import csv
import json
import pickle

import numpy as np
import pytest

from lookalike import Collection, CollectionError, Filter, InvalidInputError, ModelConflictError
from lookalike.drawing import draw_matching
from lookalike.index.pairing import pair
from pictures import picture

N = 14


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def folder(tmp_path):
    """Pictures in two folders, of the same names."""
    for place in ("old", "new"):
        (tmp_path / "photos" / place).mkdir(parents=True)
    for number in range(N):
        picture(number).save(tmp_path / f"photos/old/{number:02}.png")
        picture(number + 50).save(tmp_path / f"photos/new/{number:02}.png")
    return tmp_path / "photos"


@pytest.fixture
def vectors():
    """Of the old ones, and of the new ones, which are the old ones changed somewhat."""
    old = np.random.default_rng(1).normal(size=(N, 10))
    return unit(old), unit(old + 0.6 * np.random.default_rng(2).normal(size=(N, 10)))


def filled(folder, vectors, places=("old", "new")):
    made = Collection.create(folder, model="pixels-8-grey")
    made.sync()
    for place, rows in zip(places, vectors, strict=True):
        made.add_vectors("ours", sorted((folder / place).glob("*.png")), rows)
    return made


@pytest.fixture
def collection(folder, vectors):
    return filled(folder, vectors)


@pytest.fixture
def sides(folder):
    return {"where": Filter(folders=[folder / "old"]), "other_where": Filter(folders=[folder / "new"])}


def names(matching):
    return [(found.a.path[-10:], found.b.path[-10:]) for found in matching]


def expected(vectors):
    found = pair(*(rows.astype(np.float32) for rows in vectors))
    return [(f"old/{a:02}.png", f"new/{b:02}.png") for a, b in zip(found.a, found.b, strict=True)]


def test_two_folders_of_a_collection_are_matched(collection, sides, vectors):
    found = collection.match(model="ours", **sides)
    assert names(found) == expected(vectors)
    assert (found.n_a, found.n_b, found.n_alone, found.model) == (N, N, (0, 0), "ours")
    first = found[0]
    row, its = int(first.a.path[-6:-4]), int(first.b.path[-6:-4])
    assert first.score == pytest.approx(float(vectors[0][row] @ vectors[1][its]), abs=1e-5)
    assert first.a.rank == first.b.rank == 1
    assert [each.scaled for each in found] == sorted((each.scaled for each in found), reverse=True)


def test_two_collections_are_matched(folder, vectors):
    one = filled(folder / "old", [vectors[0]], ["."])
    other = filled(folder / "new", [vectors[1]], ["."])
    assert names(one.match(other, model="ours")) == expected(vectors)
    assert pickle.loads(pickle.dumps(one.match(other, model="ours"))).n_a == N


def test_the_larger_side_has_images_without_counterpart(collection, sides, folder):
    some = Filter(ids=[int(collection.image_info(folder / "new" / f"{row:02}.png").id) for row in range(5)])
    found = collection.match(model="ours", where=sides["where"], other_where=some)
    assert (len(found), found.n_alone) == (5, (N - 5, 0))


def test_the_same_picture_in_both_folders_is_its_own_counterpart(folder, vectors, sides):
    picture(3).save(folder / "new/copy.png")
    made = filled(folder, [vectors[0], unit(np.vstack([vectors[1], vectors[0][3]]))])
    by_name = {found.a.path[-6:]: found for found in made.match(model="ours", **sides)}
    assert by_name["03.png"].b.path.endswith("new/copy.png")
    assert by_name["03.png"].score == pytest.approx(1) and by_name["03.png"].a.path.endswith("old/03.png")


def test_a_file_on_both_sides_is_refused(collection, sides):
    with pytest.raises(InvalidInputError, match=r"14 images on both sides, such as .*expected two sides"):
        collection.match(model="ours", where=sides["where"])


def test_an_empty_side_is_named(collection, sides):
    nothing = Filter(ids=[1])
    with pytest.raises(InvalidInputError, match="is on the second side"):
        collection.match(model="ours", where=sides["where"], other_where=nothing)


def test_vectors_that_do_not_belong_together_are_refused(folder, vectors, collection):
    other = filled(folder / "new", [vectors[1][:, :7]], ["."])
    with pytest.raises(ModelConflictError, match="ours of the one collection is not that of the other"):
        collection.match(other, model="ours")
    with pytest.raises(InvalidInputError, match="compared by euclidean distance"):
        collection.match(other)


def test_a_model_that_only_one_has_is_named(folder, vectors, collection):
    other = Collection.create(folder / "new", model="pixels-8-grey")
    other.sync()
    with pytest.raises(CollectionError):
        collection.match(other, model="lite0-int8")


def test_the_command_prints_pairs_and_saves_them(collection, folder, vectors, call, tmp_path):
    table = tmp_path / "pairs.csv"
    code, out, err = call("match", "old", "new", "--model", "ours", "-o", table, cwd=folder)
    assert code == 0, err
    lines = out.splitlines()
    assert [tuple(line.split()[-2:]) for line in lines[:N]] == expected(vectors)
    n_mutual = sum("mutual" in line for line in lines[:N])
    assert lines[N] == f"{N} pairs by ours, {n_mutual} of them mutual" and 0 < n_mutual <= N
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert len(rows) == N and sum(row["mutual"].lower() == "true" for row in rows) == n_mutual


def test_the_command_gives_json_and_draws(collection, folder, call, tmp_path):
    code, out, err = call(
        "match",
        "old",
        "new",
        "--model",
        "ours",
        "--mutual",
        "--json",
        "--plot",
        tmp_path / "a.png",
        cwd=folder,
    )
    assert code == 0, err
    found = json.loads(out)
    assert found["images"] == [N, N] and all(each["mutual"] for each in found["pairs"])
    assert set(found["pairs"][0]) == {"a", "b", "score", "scaled", "mutual"}
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_the_command_matches_two_collections(folder, vectors, call, tmp_path):
    filled(folder / "old", [vectors[0]], ["."])
    filled(folder / "new", [vectors[1]], ["."])
    code, out, err = call("match", folder / "old", folder / "new", "--model", "ours", "-q", cwd=tmp_path)
    assert code == 0, err
    assert len(out.splitlines()) == N


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("old", "nowhere"), "there is no folder nowhere"),
        (("old", "old"), "A and B are the same"),
        (("old", "new"), "compared by euclidean distance"),
        (("old", "."), "on both sides"),
    ],
)
def test_mistakes_are_said_in_a_line(collection, folder, call, words, said):
    model = [] if words == ("old", "new") else ["--model", "ours"]
    code, _, err = call("match", *words, *model, cwd=folder)
    assert code == 2 and said in err and "Traceback" not in err


def test_a_folder_without_a_collection_is_told(tmp_path, call):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    code, _, err = call("match", "one", "two", cwd=tmp_path)
    assert code != 0 and "lookalike index" in err


def test_a_matching_of_nothing_cannot_be_drawn(collection, sides):
    found = collection.match(model="ours", **sides)
    with pytest.raises(CollectionError, match="no pair to draw"):
        draw_matching(collection, collection, type(found)((), "ours", 0, 0))
