"""Filters and kinds of index together: whatever kind answers, no hit that passes is lost."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from index_kinds import LIBRARIES, each_usable_kind
from lookalike import Collection, Filter, Vector
from lookalike.errors import InvalidInputError, QueryError
from lookalike.system.installing import install_command
from mnist_files import write_mnist

N, RARE = 2_000, 20  # 1 %


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A data set in MNIST's form of random pixels: the label 7 is that of one image in a hundred."""
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (N + 10, 28, 28))
    labels = random.integers(0, 7, N + 10)
    labels[: N : N // RARE] = 7
    write_mnist(folder / "mnist", images, labels, N)
    return folder


@pytest.fixture
def settings(data, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_DATA", str(data))
    monkeypatch.setenv("LOOKALIKE_CACHE", str(data / "cache"))


@pytest.fixture(scope="module")
def made(data, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("collection")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOOKALIKE_DATA", str(data))
        collection = Collection.create(folder, model="pixels-28-grey", with_root=False)
        collection.add_dataset("mnist")
        assert collection.sync().added == N + 10
    return folder


@pytest.fixture
def collection(made, settings) -> Collection:
    return Collection.open(made)


@each_usable_kind
def test_a_filter_that_keeps_one_percent_returns_the_true_ten_nearest_of_them(collection, kind):
    images, vectors = collection.vectors()
    row_of = {image.path: row for row, image in enumerate(images)}
    rare = [row for row, image in enumerate(images) if image.label == "7" and "train" in image.path]
    assert len(rare) == RARE
    for query in ("mnist:test/0", "mnist:test/1", "mnist:train/7"):
        away = np.linalg.norm(vectors[rare] - vectors[row_of[query]], axis=1)
        expected = [images[rare[i]].path for i in np.argsort(away)[:10]]
        found = collection.search(query, index=kind, where=Filter(labels="7", split="train"))
        assert found.index == kind
        assert [hit.path for hit in found.hits] == expected
        np.testing.assert_allclose([hit.distance for hit in found.hits], np.sort(away)[:10], rtol=1e-5)


@each_usable_kind
def test_every_kind_finds_the_nearest_and_leaves_the_query_out(collection, kind):
    expected = collection.search("mnist:train/5", k=7).hits
    found = collection.search("mnist:train/5", k=7, index=kind, recall=1.0)
    assert [hit.path for hit in found.hits] == [hit.path for hit in expected]
    assert collection.search("mnist:train/5", k=1, index=kind, include_self=True).hits[0].distance == 0


@each_usable_kind
def test_more_than_there_are_gives_all_there_are(collection, kind):
    assert len(collection.search("mnist:test/3", k=10**6, index=kind).hits) == N + 9
    assert len(collection.search("mnist:test/3", k=50, index=kind, split="test").hits) == 9


@each_usable_kind
def test_where_nothing_passes_nothing_is_found(collection, kind):
    nothing = Filter(min_size=1_000_000)
    _, vectors = collection.vectors()
    for query, is_own in (("mnist:test/3", False), ("mnist:test/3", True), (Vector(vectors[0]), True)):
        found = collection.search(query, index=kind, where=nothing, include_self=is_own)
        assert (len(found), found.total, found.index) == (0, 0, kind)


def test_the_folders_of_a_data_set_are_its_splits(collection):
    def found(*folders):
        hits = collection.search("mnist:test/0", k=10**6, where=Filter(folders=folders)).hits
        return {hit.path.partition("/")[0] for hit in hits}

    assert found("mnist:test") == found("mnist:test/") == {"mnist:test"}
    assert (
        found("mnist")
        == found("mnist:")
        == found("mnist:train", "mnist:test")
        == {"mnist:test", "mnist:train"}
    )
    with pytest.raises(QueryError, match="mnist:tes holds no image of this collection"):
        found("mnist:tes")
    with pytest.raises(QueryError, match="mnist:train/5 holds no image"):
        found("mnist:train/5")


@pytest.mark.parametrize("recall", [0, -1, 1.5, float("nan"), "much", None])
def test_a_recall_out_of_range_is_refused(collection, recall):
    with pytest.raises(InvalidInputError, match=r"recall is .*; expected (above 0 and at most 1|a number)"):
        collection.search("mnist:test/0", recall=recall)


def test_the_command_line_names_the_index_that_answered(made, settings, call):
    for kind, expected in (("auto", "exact"), ("kmeans-tree", "kmeans-tree")):
        code, out, _ = call("search", "mnist:test/1", "-c", made, "--index", kind, "--recall", 0.9, "--json")
        assert (code, json.loads(out)["index"]) == (0, expected)
    for words, message in (
        (("--index", "faiss"), "there is no index 'faiss'; expected one of auto, exact"),
        (("--mode", "leaf"), "mode is 'leaf', but the index auto has no modes"),
        (("--index", "exact", "--mode", "bbf"), "mode is 'bbf', but the index exact has no modes"),
        (("--recall", "1.2"), "recall is 1.2; expected above 0"),
        (("--color", "red", "--index", "faiss"), "there is no index 'faiss'"),
    ):
        code, out, err = call("search", "mnist:test/1", "-c", made, *words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert message in err


def test_the_modes_of_a_kd_tree_are_its_own(collection):
    expected = collection.search("mnist:test/1").hits
    exact = collection.search("mnist:test/1", index="kdtree", mode="exact", recall=0.5)
    assert [hit.path for hit in exact.hits] == [hit.path for hit in expected]
    assert collection.search("mnist:test/1", index="kdtree", mode="leaf").index == "kdtree"
    with pytest.raises(InvalidInputError, match="mode is 'quick'; expected one of leaf, bbf, exact"):
        collection.search("mnist:test/1", index="kdtree", mode="quick")


@pytest.mark.parametrize("kind", ["annoy", "hnsw"])
def test_an_index_whose_library_is_missing_says_how_to_get_it(made, settings, call, kind, monkeypatch):
    monkeypatch.setitem(sys.modules, LIBRARIES[kind], None)
    code, out, err = call("search", "mnist:test/1", "-c", made, "--index", kind)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert install_command(kind) in err
