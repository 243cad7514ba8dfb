"""`Evaluations.retrieval(same_kind=True)`: a comparison beside the others."""

import numpy as np
import pytest

from lookalike import Collection, InvalidInputError
from lookalike.evaluate.retrieval import Relevance
from lookalike.evaluate.same_kind import rank_others_of_kind
from lookalike.system.progress import UNWATCHED
from pictures import picture

N = 24


@pytest.fixture
def labelled(tmp_path):
    """24 pictures in three folders, with vectors of three classes; the vectors and classes by id."""
    folder = tmp_path / "photos"
    paths = []
    for number in range(N):
        paths.append(folder / "abc"[number % 3] / f"{number:02}.png")
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(paths[-1])
    collection = Collection.create(folder, model="pixels-8-grey")
    collection.sync()
    random = np.random.default_rng(0)
    classes = np.arange(N) % 3
    rows = random.normal(size=(3, 8))[classes] + random.normal(size=(N, 8))
    collection.add_vectors("ours", paths, rows)
    ids = [int(collection.image_info(path).id) for path in paths]
    return collection, {image: (rows[at], classes[at]) for at, image in enumerate(ids)}


def test_it_is_compared_with_the_plain_search(labelled):
    collection, vectors = labelled
    found = collection.evaluation.retrieval(model="ours", same_kind=True)
    (compared,) = found.comparisons
    assert (compared.model, compared.index) == ("ours", "same-kind")
    ids = sorted(vectors)
    rows = np.array([vectors[image][0] for image in ids], np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels = np.array([vectors[image][1] for image in ids])
    expected = rank_others_of_kind(rows, Relevance(labels, labels, np.arange(N)), (1, 10), UNWATCHED).means()
    for name, each in compared.measures.items():
        assert each.first.mean == found.scores[name].mean
        assert each.second.mean == pytest.approx(expected[name])


def test_an_index_that_knows_the_first_hits_is_compared_as_far(labelled):
    found = labelled[0].evaluation.retrieval(k=5, model="ours", index="kdtree", same_kind=True)
    assert set(found.comparisons[0].measures) == set(found.scores) and "mAP@5" in found.scores


def test_euclidean_vectors_have_no_kinds(labelled):
    with pytest.raises(InvalidInputError, match="compared by euclidean distance"):
        labelled[0].evaluation.retrieval(same_kind=True)


def test_the_command_prints_both(labelled, call):
    collection, _ = labelled
    code, out, err = call(
        "evaluate", "-c", collection.roots[0], "--model", "ours", "--same-kind", cwd=collection.roots[0]
    )
    assert code == 0, err
    assert "same-kind" in out and "difference" in out
