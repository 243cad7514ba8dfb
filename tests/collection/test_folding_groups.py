"""Clusters and maps in which each picture counts once, whatever copies of it there are."""

import json

import numpy as np
import pytest

from known_copies import say_found
from lookalike import Collection, CollectionConflictError
from pictures import folders_of_shades


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four dark pictures, and five light ones."""
    place = tmp_path_factory.mktemp("shades")
    folders_of_shades(place, {"dark": (20, 4), "light": (230, 5)})
    return place


@pytest.fixture(scope="module")
def photos(folder):
    made = Collection.create(folder, model="pixels-8-grey")
    made.sync()
    return made


@pytest.fixture
def by_label(photos):
    images = sorted(photos, key=lambda image: image.path)
    return {label: [image.id for image in images if image.label == label] for label in ("dark", "light")}


@pytest.mark.parametrize("algorithm, parameters", [("kmeans", {"k": 3}), ("dbscan", {"min_samples": 2})])
def test_copies_come_into_the_cluster_of_the_one_that_stands_for_them(
    photos, by_label, monkeypatch, algorithm, parameters
):
    one, other = by_label["dark"][0], by_label["light"][0]  # which no clustering would bring together
    say_found(monkeypatch, [(one, other, "edited", 0.95)])
    made = photos.clusterings.make(algorithm, name=f"{algorithm}-folded", fold=True, **parameters)
    numbers = dict(zip(made.ids.tolist(), made.numbers.tolist(), strict=True))
    assert len(numbers) == 9
    assert numbers[one] == numbers[other]
    assert made.parameters["fold"] is True
    plain = photos.clusterings.make(algorithm, name=f"{algorithm}-plain", **parameters)
    assert "fold" not in plain.parameters
    numbers = dict(zip(plain.ids.tolist(), plain.numbers.tolist(), strict=True))
    assert numbers[one] != numbers[other]


def test_no_more_clusters_are_asked_for_than_pictures(photos, by_label, monkeypatch):
    light = by_label["light"]
    say_found(monkeypatch, [(light[0], other, "same", 1.0) for other in light[1:]])
    made = photos.clusterings.make(k=5, name="five", fold=True)
    assert sorted(cluster.size for cluster in made.clusters) == [1, 1, 1, 1, 5]


def test_copies_share_a_place_of_a_map(photos, by_label, monkeypatch):
    one, other = by_label["dark"][0], by_label["light"][0]
    say_found(monkeypatch, [(one, other, "edited", 0.95)])
    made = photos.maps.make("pca", "folded", fold=True)
    places = {image.id: tuple(point) for image, point in zip(made.images, made.points.tolist(), strict=True)}
    assert len(places) == 9 and places[one] == places[other]
    assert len({*places.values()}) == 8
    assert made.fold and not made.n_unplaced and not made.is_placed.any()
    assert photos.maps.get("folded").fold
    again = photos.maps.make_or_place("folded", method="pca")
    assert not again.is_new
    np.testing.assert_array_equal(again.map.points, made.points)


def test_a_map_that_is_not_folded_is_made_anew_where_that_is_asked(photos, by_label, monkeypatch):
    say_found(monkeypatch, [(*by_label["dark"][:2], "same", 1.0)])
    assert not photos.maps.make("pca", "plain").fold
    made = photos.maps.make_or_place("plain", method="pca", fold=True)
    assert made.is_new and made.map.fold and made.replaced is not None
    assert photos.maps.make_or_place("plain", method="pca", new=True).map.fold  # as before


def test_what_was_not_looked_for_cannot_be_folded(photos, monkeypatch, folder, call):
    say_found(monkeypatch, [], n_compared=0)
    with pytest.raises(CollectionConflictError, match="not looked for"):
        photos.clusterings.make(k=2, fold=True)
    with pytest.raises(CollectionConflictError, match="not looked for"):
        photos.maps.make("pca", fold=True)
    code, _, err = call("cluster", "-k", 2, "--fold")
    assert code == 2 or code == 1
    assert "`lookalike duplicates`" in err


def test_the_commands_say_that_duplicates_are_folded(photos, by_label, monkeypatch, folder, call, tmp_path):
    say_found(monkeypatch, [(*by_label["dark"][:2], "same", 1.0)])
    monkeypatch.setattr("lookalike.cli.clusterings.is_for_person", lambda: True)
    code, out, _ = call("cluster", "make", "-k", 2, "--name", "two", "--fold")
    assert code == 0 and "duplicates folded" in out
    code, out, _ = call("cluster", "list")
    assert "duplicates folded" in out
    code, out, _ = call("map", "make", "--method", "pca", "--name", "by-command", "--fold")
    assert code == 0 and "duplicates folded" in out
    code, out, _ = call("map", "list", "--json")
    assert {each["name"]: each["parameters"].get("fold") for each in json.loads(out)["maps"]}[
        "by-command"
    ] == 1
