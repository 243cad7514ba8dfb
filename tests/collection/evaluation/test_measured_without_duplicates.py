"""Retrieval measured without a query's own duplicates, beside what it is with them."""

import json

import numpy as np
import pytest

from known_copies import say_found
from lookalike import Collection
from lookalike.evaluate import rank_others
from pictures import folders_of_shades


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five dark pictures and five light ones."""
    place = tmp_path_factory.mktemp("shades")
    folders_of_shades(place, {"dark": (100, 5), "light": (130, 5)})
    return place


@pytest.fixture(scope="module")
def photos(folder):
    made = Collection.create(folder, model="pixels-8-grey")
    made.sync()
    return made


@pytest.fixture
def copies(photos, monkeypatch):
    """Say that three of the dark pictures, and two of the light ones, are one; give their ids."""
    images = sorted(photos, key=lambda image: image.path)
    dark, light = ([image.id for image in images if image.label == label] for label in ("dark", "light"))
    pairs = [(dark[0], dark[1]), (dark[1], dark[2]), (light[0], light[1])]
    say_found(monkeypatch, [(*pair, "edited", 0.97) for pair in pairs])
    return pairs


def expected(photos, pairs, ks):
    """Return the mean of each measure, query by query without its own copies."""
    images, vectors = photos.vectors()
    ids, labels = [image.id for image in images], [image.label for image in images]
    near = {image: {b for a, b in (*pairs, *(pair[::-1] for pair in pairs)) if a == image} for image in ids}
    values = []
    for row, image in enumerate(ids):
        kept = [at for at, other in enumerate(ids) if other not in near[image]]
        found = rank_others(
            vectors[kept], [labels[at] for at in kept], ks, "euclidean", rows=[kept.index(row)]
        )
        values.append({name: float(each[0]) for name, each in found.values.items()})
    return {name: float(np.mean([each[name] for each in values])) for name in values[0]}


def test_both_figures_are_given(photos, copies):
    plain = photos.evaluation.retrieval([1, 2])
    apart = plain.without_duplicates
    assert (apart.n_with_duplicates, apart.n_queries) == (5, 10)
    means = {name: each.mean for name, each in apart.scores.items()}
    assert means == pytest.approx(expected(photos, copies, [1, 2]), abs=1e-12)
    assert means != {name: each.mean for name, each in plain.scores.items()}
    document = plain.to_dict()["without_duplicates"]
    assert document["with_duplicates"] == 5
    assert document["scores"]["mAP"]["mean"] == round(means["mAP"], 6)


def test_an_index_is_measured_without_them_as_exact_search_is(photos, copies):
    exact = photos.evaluation.retrieval([1, 2]).without_duplicates
    found = photos.evaluation.retrieval([1, 2], index="kmeans-tree", recall=1.0).without_duplicates
    for name in ("P@1", "P@2", "R@1", "R@2"):
        assert found.scores[name].mean == pytest.approx(exact.scores[name].mean)


def test_a_query_of_whose_label_only_duplicates_are_left_does_not_count(photos, monkeypatch):
    dark = [image.id for image in photos if image.label == "dark"]
    say_found(monkeypatch, [(dark[0], other, "same", 1.0) for other in dark[1:]])
    found = photos.evaluation.retrieval([1])
    assert (found.n_queries, found.without_duplicates.n_queries) == (10, 9)


def test_nothing_is_said_of_what_was_not_looked_for(photos, monkeypatch, folder, call):
    say_found(monkeypatch, [], n_compared=0)
    found = photos.evaluation.retrieval([1])
    assert found.without_duplicates is None and found.to_dict()["without_duplicates"] is None
    _, out, _ = call("evaluate", "-k", 1)
    assert "none were looked for (lookalike duplicates)" in out
    say_found(monkeypatch, [])
    _, out, _ = call("evaluate", "-k", 1)
    assert "no query has near-duplicates" in out


def test_the_command_prints_both(photos, copies, folder, call):
    code, out, _ = call("evaluate", "-k", "1,2")
    assert code == 0
    head = next(line for line in out.splitlines() if "without duplicates" in line)
    assert head.split()[:1] == ["mean"]
    assert "5 queries have near-duplicates" in out
    _, out, _ = call("evaluate", "-k", "1,2", "--json")
    assert json.loads(out)["without_duplicates"]["queries"] == 10


def test_duplicates_in_the_other_split_are_left_out(tmp_path, monkeypatch, digits):
    made = Collection.create(tmp_path / "digits", model="pixels-8-grey", with_root=False)
    made.add_dataset("mnist")
    made.sync()
    (twin,) = (image.id for image in made if image.path.endswith("train/0"))
    query = next(image.id for image in made if image.path.endswith("test/0"))
    say_found(monkeypatch, [(query, twin, "same", 1.0)])
    found = made.evaluation.retrieval([1], query_split="test", gallery_split="train")
    assert (found.n_queries, found.without_duplicates.n_with_duplicates) == (5, 1)
    assert (found.without_duplicates.n_queries, found.n_images) == (4, 10)  # no other image has its label
