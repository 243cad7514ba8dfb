"""``lookalike bench`` and ``lookalike reduce``, as a user meets them."""

import json
import shutil

import pytest

from lookalike import Collection
from lookalike.errors import InvalidInputError, ModelError
from lookalike.index import Exact, kinds


def test_reduce_makes_a_model_to_search_with(call, photos):
    call("index", photos)
    code, out, _ = call("reduce", "3", "-c", photos, "--json")
    assert (code, json.loads(out)) == (0, {"model": "lite0-deep-int8+pca3"})
    code, out, _ = call("search", "cats/0.png", "--model", "lite0-deep-int8+pca3", "--json", cwd=photos)
    assert (json.loads(out)["model"], len(json.loads(out)["hits"])) == ("lite0-deep-int8+pca3", 5)
    code, out, _ = call("reduce", "0.5", "-q")
    assert (code, out) == (0, "")


def test_reduce_draws_the_variance_of_the_components(call, photos):
    call("index", photos, "--model", "pixels-8-grey")
    code, out, err = call("reduce", "2", "--plot", "scree.svg", "--dark", cwd=photos)
    assert (code, err) == (0, "saved scree.svg\n")
    assert "kept: 2," in (photos / "scree.svg").read_text()
    # What cannot be drawn makes no model either.
    code, out, err = call("reduce", "3", "--plot", "scree.txt", cwd=photos)
    assert (code, out) == (2, "")
    assert "a figure is saved as one of" in err
    collection = Collection.open(photos)
    assert collection.models.pca("pixels-8-grey+pca2").n_components_ == 2
    with pytest.raises(ModelError, match="pixels-8-grey\\+pca3"):
        collection.models.pca("pixels-8-grey+pca3")
    with pytest.raises(InvalidInputError, match="pixels-8-grey is not reduced by PCA"):
        collection.models.pca("pixels-8-grey")


def test_bench_compares_the_indexes_on_the_collection(call, photos):
    call("index", photos, "--model", "pixels-8-grey")
    code, out, err = call("bench", "-c", photos, "--plot", photos / "bench.png", cwd=photos)
    assert (code, err) == (0, f"saved {photos / 'bench.png'}\n")
    lines = out.splitlines()
    assert lines[0] == "5 images of pixels-8-grey, 64 dimensions, euclidean; 1 query, k = 5"
    assert lines[1].split() == [
        "index",
        "asked",
        "recall@5",
        "one",
        "by",
        "one",
        "in",
        "batch",
        "build",
        "size",
    ]
    assert lines[2].split()[:3] == ["exact", "1", "1.0000"]
    assert all(len(line) <= 80 for line in lines if "left out" not in line)
    assert lines[-1] == "Here, a search uses exact unless told otherwise."
    assert (photos / "bench.png").stat().st_size > 1_000


def test_bench_json_is_one_document(call, photos):
    call("index", photos, "--model", "pixels-8-grey")
    code, out, err = call(
        "bench", "-c", photos, "-k", 2, "--index", "exact", "--index", "kmeans-tree", "--recall", 0.9,
        "--recall", 1, "--queries", 2, "--json",
    )  # fmt: skip
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert {key: document[key] for key in ("model", "metric", "dimension", "images", "queries", "k")} == {
        "model": "pixels-8-grey", "metric": "euclidean", "dimension": 64, "images": 4, "queries": 2, "k": 2,
    }  # fmt: skip
    assert (document["auto"], document["left_out"], document["cores"] > 0) == ("exact", [], True)
    exact, tree = document["indexes"]
    assert set(exact) == {"index", "build_seconds", "bytes", "points"}
    assert [point["asked"] for point in exact["points"]] == [1]
    assert [point["asked"] for point in tree["points"]] == [0.9, 1]
    point = {"asked", "recall", "queries_per_second", "batch_queries_per_second", "queries"}
    assert set(tree["points"][0]) == point
    assert set(document["fastest"]) == {"index", *point}


class Borrowed(Exact):
    """A kind whose library is missing."""

    kind = "borrowed"

    def build(self, vectors, ids=None):
        raise InvalidInputError("install it with: pip install 'lookalike[borrowed]'")


def test_bench_says_which_index_cannot_be_had(call, photos, monkeypatch):
    borrowed = kinds.IndexKind("borrowed", f"{__name__}:Borrowed", "another library's")
    monkeypatch.setattr(kinds, "KINDS", (*kinds.KINDS, borrowed))
    call("index", photos, "--model", "pixels-8-grey")
    code, out, _ = call("bench", "-c", photos, "-q", "--index", "borrowed", "--index", "exact")
    assert code == 0
    assert out.splitlines()[-1] == (
        "borrowed is left out: install it with: pip install 'lookalike[borrowed]'"
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--index", "faiss"], "there is no index 'faiss'"),
        (["--recall", "1.5"], "recall is 1.5; expected above 0 and at most 1"),
        (["--queries", "6"], "the number of queries is 6; expected 1 to 5"),
        (["--model", "lite2"], "no image of the collection"),
        (["--plot", "bench.txt"], "bench.txt: a figure is saved as"),
        (["--query-split", "test"], "no image of the collection in"),
        (["--gallery-split", "dev"], "the split is 'dev'; expected train or test"),
    ],
)
def test_bench_refuses_in_one_line_what_cannot_be(call, photos, words, complaint):
    call("index", photos, "--model", "pixels-8-grey")
    code, out, err = call("bench", "-c", photos, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"lookalike: {complaint}")


def test_bench_of_one_image_or_none_says_what_is_missing(call, photos, tmp_path):
    (tmp_path / "one").mkdir()
    shutil.copy(photos / "cats/0.png", tmp_path / "one")
    call("index", tmp_path / "one", "--model", "pixels-8-grey")
    code, _, err = call("bench", "-c", tmp_path / "one")
    assert (code, err) == (
        2,
        "lookalike: the number of vectors is 1; expected at least 2: one to find, one to ask for\n",
    )
    (tmp_path / "none").mkdir()
    call("index", tmp_path / "none", "--model", "pixels-8-grey")
    code, _, err = call("bench", "-c", tmp_path / "none")
    assert (code, "holds no images" in err) == (2, True)
