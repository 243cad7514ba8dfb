"""Clusters of a collection: found, kept, changed, exported, searched in, and all that on the command line."""

import csv
import json
import os
import shutil
import sys
import threading
from dataclasses import replace
from operator import attrgetter

import numpy as np
import pytest
from indexed_copy import folder, photos
from PIL import Image

from lookalike import Collection
from lookalike.cli import main
from lookalike.collection.export.folders import LISTING
from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.errors import CollectionError, InvalidInputError, QueryError, StoreError
from mnist_files import write_mnist
from pictures import folders_of_shades, shade

__all__ = ["folder", "photos"]  # fixtures

MODEL = "pixels-8-grey"
KINDS = {"dark": 20, "middle": 120, "light": 230}
EVERY = ("kmeans", "hierarchical", "spectral", "agglomerative", "dbscan", "hdbscan")


@pytest.fixture(scope="module")
def indexed(tmp_path_factory):
    """Give a folder of 15 pictures that has a collection, to copy."""
    place = tmp_path_factory.mktemp("indexed") / "photos"
    folders_of_shades(place, {"dark": (20, 6), "middle": (120, 5), "light": (230, 4)})
    Collection.create(place, model=MODEL).sync()
    return place


def sizes(found):
    return {cluster.number: cluster.size for cluster in found.clusters}


def add_later(photos, folder, level=120, number=50, label="middle"):
    file = folder / label / f"later-{number}.png"
    shade(level, number).save(file)
    photos.sync()
    return file


@pytest.mark.parametrize("algorithm", EVERY)
def test_every_algorithm_finds_the_three_shades(photos, algorithm):
    own = {"k": 3} if algorithm not in ("dbscan", "hdbscan") else {}
    own |= {"eps": 20, "min_samples": 3} if algorithm == "dbscan" else {}
    own |= {"min_cluster_size": 3} if algorithm == "hdbscan" else {}
    found = photos.clusterings.make(algorithm, **own)
    assert sizes(found) == {0: 6, 1: 5, 2: 4}
    assert [(each.label, each.label_share) for each in found.clusters] == [(name, 1.0) for name in KINDS]
    assert (found.scores.purity, found.scores.ari) == (1.0, 1.0)
    assert (found.name, found.model, found.metric) == (algorithm, MODEL, "euclidean")
    assert found.parameters.items() >= own.items()


def test_the_clustering_that_is_meant_is_the_usual_one_or_the_only_one(photos):
    with pytest.raises(CollectionError, match="there is no clustering in this collection yet"):
        photos.clusterings.usual()
    photos.clusterings.make(k=2, name="two")
    assert photos.clusterings.usual() == photos.clusterings.usual("two") == "two"
    photos.clusterings.make("hierarchical", k=3)
    with pytest.raises(CollectionError, match="there are several clusterings: hierarchical, two"):
        photos.clusterings.usual()
    assert photos.clusterings.usual(algorithm="hierarchical") == "hierarchical"
    assert photos.clusterings.usual("two", algorithm="hierarchical") == "two"
    for named in ({"name": "kmeans"}, {"algorithm": "kmeans"}):
        with pytest.raises(CollectionError, match="there is no clustering 'kmeans'"):
            photos.clusterings.usual(**named)
    photos.clusterings.make(k=3)
    assert photos.clusterings.usual() == "kmeans"


def test_clusterings_are_names_to_python(photos, folder):
    assert not photos.clusterings
    assert photos.clusterings.make(k=2, name="gro\u0308ße").name == "größe"
    photos.clusterings.make(k=3)
    assert list(photos.clusterings) == photos.clusterings.names() == ["größe", "kmeans"]
    assert len(photos.clusterings) == 2
    assert "gro\u0308ße" in photos.clusterings  # as another keyboard writes it
    assert "two" not in photos.clusterings
    assert 2 not in photos.clusterings
    assert repr(photos.clusterings) == "Clusterings(größe, kmeans)"
    (folder / ".lookalike/clusterings/kmeans/clustering.json").write_text("{")
    found, damaged = photos.clusterings.list()
    assert [each.name for each in found] == ["größe"]
    assert list(damaged) == ["kmeans"]


def test_figures_of_clusters_are_those_of_their_vectors(photos):
    photos.clusterings.make(k=2)
    found = photos.clusterings.get("kmeans")
    images, vectors = photos.vectors()
    rows = {image.id: vector for image, vector in zip(images, vectors, strict=True)}
    members = [np.stack([rows[i] for i in found.ids[found.numbers == n].tolist()]) for n in (0, 1)]
    centres = [each.mean(axis=0) for each in members]
    for cluster, own, centre, other in zip(found.clusters, members, centres, centres[::-1], strict=True):
        to_own = np.linalg.norm(own - centre, axis=1)
        margins = np.linalg.norm(own - other, axis=1) - to_own
        assert cluster.cohesion == pytest.approx(to_own.mean(), rel=1e-5)
        np.testing.assert_array_equal(rows[cluster.central[0].id], own[to_own.argmin()])
        np.testing.assert_array_equal(rows[cluster.doubtful[0].id], own[margins.argmin()])
        assert cluster.central[0].distance == pytest.approx(to_own.min(), rel=1e-5)
        assert [hit.distance for hit in cluster.central] == sorted(hit.distance for hit in cluster.central)


def test_cohesion_of_a_cosine_model_is_a_similarity(folder):
    shutil.rmtree(folder / ".lookalike")
    collection = Collection.create(folder, model="lite0-int8")
    collection.sync()
    found = collection.clusterings.make(k=2)
    assert found.metric == "cosine"
    for cluster in found.clusters:
        assert 0 < cluster.cohesion <= 1
        assert cluster.central[0].score == pytest.approx(1 - cluster.central[0].distance)


def test_the_same_images_and_number_give_the_same_clusters(photos):
    first = photos.clusterings.make(k=4, random_state=7, name="a")
    again = photos.clusterings.make(k=4, random_state=7, name="b")
    np.testing.assert_array_equal(first.numbers, again.numbers)
    np.testing.assert_array_equal(first.distances, again.distances)


def test_k_is_the_root_of_half_the_images_unless_given(photos):
    assert photos.clusterings.make().parameters == {"k": 3}


def test_as_many_clusters_as_images_and_one_cluster_are_possible(photos):
    for algorithm in ("kmeans", "hierarchical", "agglomerative"):
        assert photos.clusterings.make(algorithm, k=np.int64(15), name="all").n_clusters == 15
        assert photos.clusterings.make(algorithm, k=1, name="one").n_clusters == 1
        assert photos.clusterings.get("one").clusters[0].doubtful == ()


def test_a_clustering_is_kept_as_it_was_made(photos, folder):
    made = photos.clusterings.make("dbscan", eps=20, min_samples=3, name="by shade")
    read = Collection.open(folder).clusterings.get("by shade")
    assert read.clusters == made.clusters
    assert (read.parameters, read.made, read.random_state) == (made.parameters, made.made, 0)
    assert photos.clusterings.names() == ["by shade"]


def test_a_clustering_may_be_all_noise(photos, folder, tmp_path):
    found = photos.clusterings.make("dbscan", eps=np.float32(0.5), min_samples=np.int64(2))
    assert (found.n_clusters, found.n_noise) == (0, 15)
    assert photos.clusterings.get("dbscan").clusters == found.clusters
    with pytest.raises(QueryError, match="only noise"):
        photos.search(folder / "dark/0.png", same_cluster="dbscan")
    with pytest.raises(InvalidInputError, match="all noise"):
        photos.clusterings.rename("dbscan", 0, "night")
    add_later(photos, folder)
    assert photos.clusterings.assign("dbscan")[1] == 0
    photos.clusterings.export("dbscan", tmp_path / "out", "copy")
    assert len(list((tmp_path / "out/noise").iterdir())) == 16


def test_a_clustering_whose_images_have_all_left_is_empty(photos, folder, tmp_path):
    photos.clusterings.make(k=3)
    for file in folder.glob("*/*.png"):
        file.unlink()
    shade(120, 77).save(folder / "dark/new.png")
    photos.sync(prune=True)
    found = photos.clusterings.get("kmeans")
    assert (found.clusters, found.n_unassigned, found.scores) == ((), 1, None)
    assert photos.clusterings.export("kmeans", tmp_path / "out.csv", "csv") == 0
    assert sizes(photos.clusterings.assign("kmeans")[0]) == {1: 1}


def test_what_has_left_the_collection_is_in_no_cluster(photos, folder):
    photos.clusterings.make(k=3)
    (folder / "light/0.png").unlink()
    photos.sync()
    assert sizes(photos.clusterings.get("kmeans")) == {0: 6, 1: 5, 2: 3}
    photos.clusterings.merge("kmeans", [0, 1])
    assert sizes(photos.clusterings.get("kmeans")) == {0: 11, 2: 3}


@pytest.mark.parametrize("algorithm", ["kmeans", "dbscan", "hdbscan"])
def test_images_that_came_later_join_the_cluster_that_is_nearest(photos, folder, algorithm):
    own = {"kmeans": {"k": 3}, "dbscan": {"eps": 20, "min_samples": 3}, "hdbscan": {"min_cluster_size": 3}}
    photos.clusterings.make(algorithm, **own[algorithm])
    add_later(photos, folder)
    assert photos.clusterings.get(algorithm).n_unassigned == 1
    found, n_assigned = photos.clusterings.assign(algorithm)
    assert (sizes(found), n_assigned, found.n_unassigned) == ({0: 6, 1: 6, 2: 4}, 1, 0)
    assert photos.clusterings.assign(algorithm)[1] == 0


def test_what_is_far_from_every_cluster_is_noise_only_for_density(photos, folder):
    photos.clusterings.make("dbscan", eps=20, min_samples=3)
    photos.clusterings.make("hdbscan", min_cluster_size=3)
    photos.clusterings.make(k=3)
    add_later(photos, folder, level=175)
    for name in ("dbscan", "hdbscan"):
        found, n_assigned = photos.clusterings.assign(name)
        assert (found.n_noise, n_assigned, found.clusters[-1].title) == (1, 0, "noise")
        assert found.clusters[-1].cohesion is None
    assert photos.clusterings.assign("kmeans")[1] == 1


def test_images_that_left_are_neither_to_be_assigned_nor_to_be_placed_though_their_vectors_are_there(
    photos, folder
):
    photos.clusterings.make(k=3)
    photos.maps.make("pca")
    add_later(photos, folder)
    gone = add_later(photos, folder, number=51)
    rows = photos._store.files.read(["path"])["path"].to_pylist()
    photos._store.files.delete([row for row in rows if row.endswith(gone.name)])  # as a kill leaves it
    assert photos._store.vectors(MODEL, 64).count() == 17
    assert (photos.clusterings.get("kmeans").n_unassigned, photos.maps.get("pca").n_unplaced) == (1, 1)
    assert photos.clusterings.assign("kmeans")[1] == 1


def test_assigning_moves_no_centre(photos, folder):
    before = photos.clusterings.make(k=3)
    add_later(photos, folder)
    after, _ = photos.clusterings.assign("kmeans")
    kept = np.isin(after.ids, before.ids)
    np.testing.assert_array_equal(after.distances[kept], before.distances)


def test_clusters_are_named_merged_and_keep_their_numbers(photos):
    photos.clusterings.make(k=3)
    photos.clusterings.rename("kmeans", 2, "snow")
    found = photos.clusterings.merge("kmeans", [1, "snow"])
    assert {each.number: (each.name, each.size) for each in found.clusters} == {
        0: (None, 6),
        1: ("snow", 9),
    }
    found = photos.clusterings.rename("kmeans", "snow", "")
    assert [each.title for each in found.clusters] == ["cluster 1: middle", "cluster 0: dark"]


def test_names_that_go_by_a_change_are_told(photos, folder, call, monkeypatch):
    photos.clusterings.make(k=3)
    photos.clusterings.edit("kmeans", rename=[(0, "night"), (1, "dusk"), (2, "snow")])
    assert photos.clusterings.rename("kmeans", "dusk", "evening").notes == ()  # as was asked
    code, out, _ = call("cluster", "edit", "--rename", "snow=  ", "--json")
    assert (code, json.loads(out)["notes"]) == (0, ["cluster 2 is no longer named 'snow'"])
    assert photos.clusterings.rename("kmeans", 2, "").notes == ("cluster 2 had no name to take back",)
    assert "notes" not in json.loads(call("cluster", "edit", "--rename", "2=snow", "--json")[1])
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert (
        "what was merged is named 'evening' now, and 'night' went"
        in call("cluster", "edit", "--merge", "evening,night")[1].splitlines()
    )
    assert "is named" not in call("cluster", "edit", "--rename", "2=")[1]
    assert photos.clusterings.merge("kmeans", [2, "evening"]).notes == ()  # a name that stays
    photos.clusterings.delete("kmeans")
    photos.clusterings.make(k=3)
    photos.clusterings.rename("kmeans", 2, "snow")
    found = photos.clusterings.move("kmeans", sorted((folder / "light").iterdir()), 1)
    assert found.notes == ("no image is left in 'snow', and the name went",)


def test_images_move_between_clusters_and_noise(photos, folder):
    photos.clusterings.make(k=3)
    found = photos.clusterings.move("kmeans", [folder / "dark/0.png", folder / "dark/1.png"], 2)
    assert sizes(found) == {2: 6, 1: 5, 0: 4}
    doubtful = [hit.path for hit in next(each for each in found.clusters if each.number == 2).doubtful]
    assert {os.path.basename(os.path.dirname(path)) for path in doubtful[:2]} == {"dark"}
    found = photos.clusterings.move("kmeans", [folder / "dark/2.png"], "noise")
    assert (found.n_noise, found.clusters[-1].number) == (1, -1)
    later = add_later(photos, folder)
    assert sizes(photos.clusterings.move("kmeans", [later], 1))[1] == 6


def test_a_users_work_is_not_replaced_by_new_clusters(photos):
    photos.clusterings.make(k=3)
    photos.clusterings.make(k=2)
    photos.clusterings.rename("kmeans", 0, "night")
    with pytest.raises(CollectionError, match="changed by hand"):
        photos.clusterings.make(k=3)
    assert photos.clusterings.get("kmeans").clusters[0].name == "night"
    photos.clusterings.delete("kmeans")
    assert photos.clusterings.names() == []
    photos.clusterings.make(k=3)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", ".hidden", "x" * 65, "end.", None])
def test_a_name_that_cannot_be_a_folders_is_refused(photos, name):
    if name is not None:
        with pytest.raises(InvalidInputError, match="name of a clustering"):
            photos.clusterings.make(k=2, name=name)
    with pytest.raises(InvalidInputError, match=r"name of a clustering|name is None"):
        photos.clusterings.get(name)


@pytest.mark.parametrize(
    "name", ["7", "-1", "noise", "a/b", "a,b", " x", "dot.", "x" * 81, "a\nb", "Night", "Noise", "Cluster-1"]
)
def test_a_cluster_name_that_would_mislead_is_refused(photos, name):
    photos.clusterings.make(k=2)
    photos.clusterings.rename("kmeans", 0, "night")
    with pytest.raises(InvalidInputError, match="named"):
        photos.clusterings.rename("kmeans", 1, name)


def test_a_damaged_clustering_is_named_and_can_be_deleted(photos, folder):
    photos.clusterings.make(k=2)
    place = folder / ".lookalike/clusterings/kmeans"
    (arrays,) = place.glob("arrays-*")
    arrays.write_bytes(arrays.read_bytes()[:-9] + b"something")
    with pytest.raises(StoreError, match=r"damaged\ncall collection.check\(repair=True\)"):
        photos.clusterings.get("kmeans")
    (place / "clustering.json").write_text("[]")
    with pytest.raises(StoreError, match="cannot be read"):
        photos.clusterings.get("kmeans")
    photos.clusterings.delete("kmeans")
    assert photos.clusterings.names() == []


def test_what_is_deleted_while_all_are_listed_is_not_called_damaged(photos, monkeypatch):
    photos.clusterings.make(k=2)
    parse = StoredClusterings._parse

    def delete_the_next(self, folder):
        photos.clusterings.delete("three")
        return parse(self, folder)

    def names(list_all):
        photos.clusterings.make(k=3, name="three")
        with monkeypatch.context() as patch:
            patch.setattr(StoredClusterings, "_parse", delete_the_next)
            found, damaged = list_all()
        return [each.name for each in found], damaged

    assert names(photos.clusterings.list) == (["kmeans"], {})
    assert names(lambda: attrgetter("clusterings", "damaged")(photos.info())) == (["kmeans"], {})


def test_a_write_that_was_cut_short_leaves_the_old_clustering(photos, folder, monkeypatch):
    from lookalike.collection.stored import named_folders

    before = photos.clusterings.make(k=2)
    whole = named_folders.replace_file

    def cut(file, content, **options):
        if file.suffix == ".json":
            raise OSError(28, "no space left")
        whole(file, content, **options)

    monkeypatch.setattr(named_folders, "replace_file", cut)
    with pytest.raises(StoreError, match="no space left"):
        photos.clusterings.make(k=3)
    monkeypatch.undo()
    assert photos.clusterings.get("kmeans").clusters == before.clusters
    photos.clusterings.make(k=3)
    assert len(list((folder / ".lookalike/clusterings/kmeans").iterdir())) == 3  # and a copy of the facts


def test_a_reader_sees_the_old_clustering_or_the_new_one(photos, folder):
    photos.clusterings.make(k=3)
    done = threading.Event()
    seen, failures = set(), []

    def read():
        other = StoredClusterings(folder / ".lookalike")
        while not done.is_set():
            try:
                stored = other.read("kmeans")
            except Exception as error:
                failures.append(error)
                return
            # Which name it has says which images it must hold.
            seen.add((stored.names.get(0), len(np.unique(stored.clusters))))

    reader = threading.Thread(target=read)
    reader.start()
    stored = StoredClusterings(folder / ".lookalike").read("kmeans")
    two = replace(stored, names={0: "two"}, clusters=np.minimum(stored.clusters, 1))
    three = replace(stored, names={0: "three"})
    for number in range(20):
        photos._clusterings.write((two, three)[number % 2])
    done.set()
    reader.join()
    assert not failures
    assert seen <= {(None, 3), ("two", 2), ("three", 3)}


def test_search_in_the_same_cluster_finds_its_nearest_only(photos, folder):
    photos.clusterings.make(k=3)
    result = photos.search(folder / "middle/0.png", k=14, same_cluster="kmeans")
    assert {hit.label for hit in result.hits} == {"middle"}
    assert (len(result.hits), result.cluster.number) == (4, 1)
    plain = photos.search(folder / "middle/0.png", k=4)
    assert result.hits == plain.hits  # these are the nearest anyway
    assert plain.cluster is None


def test_search_takes_the_cluster_that_the_user_put_the_query_in(photos, folder, tmp_path):
    photos.clusterings.make(k=3)
    photos.clusterings.move("kmeans", [folder / "dark/0.png"], 2)
    result = photos.search(folder / "dark/0.png", same_cluster="kmeans")
    assert {hit.label for hit in result.hits} == {"light"}
    shade(22, 99).save(tmp_path / "outside.png")
    result = photos.search(tmp_path / "outside.png", same_cluster="kmeans")
    assert {hit.label for hit in result.hits} == {"dark"}


def test_search_in_a_cluster_keeps_other_filters_and_the_model(photos, folder):
    from lookalike import Filter

    photos.sync(model="pixels-16-grey")
    photos.clusterings.make(k=2, model="pixels-16-grey")
    labels = {"dark", "middle", "light"}
    for label in labels:
        result = photos.search(folder / "dark/0.png", same_cluster="kmeans", where=Filter(labels=[label]))
        assert {hit.label for hit in result.hits} <= {label}
        assert result.model == "pixels-16-grey"
    with pytest.raises(InvalidInputError, match="of the model pixels-16-grey"):
        photos.search(folder / "dark/0.png", same_cluster="kmeans", model=MODEL)
    with pytest.raises(QueryError, match="name an image"):
        photos.search(color="#111", same_cluster="kmeans")
    with pytest.raises(CollectionError, match="no clustering 'other'"):
        photos.search(folder / "dark/0.png", same_cluster="other")


def test_tables_have_a_row_for_every_place(photos, folder, tmp_path):
    shutil.copy(folder / "dark/0.png", folder / "light/copy.png")
    photos.sync()
    photos.clusterings.make(k=3)
    photos.clusterings.rename("kmeans", 0, "night")
    assert photos.clusterings.export("kmeans", tmp_path / "a.csv", "csv") == 15
    with (tmp_path / "a.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 16
    assert {row["path"] for row in rows} == {str(file) for file in folder.glob("*/*.png")}
    assert {row["label"] for row in rows if row["name"] == "night"} == {"dark", "light"}
    assert rows[0]["cluster"] == "0"
    photos.clusterings.export("kmeans", tmp_path / "a.json", "json")
    document = json.loads((tmp_path / "a.json").read_text())
    assert [row["path"] for row in document["images"]] == [row["path"] for row in rows]
    assert document["parameters"] == {"k": 3}


@pytest.mark.parametrize("form", ["copy", "hardlink", "symlink"])
def test_folders_hold_the_images_of_each_cluster(photos, folder, tmp_path, form):
    photos.clusterings.make(k=2)  # files of one name, 0.png, meet
    photos.clusterings.rename("kmeans", 0, "mixed")
    to = tmp_path / "out"
    to.mkdir()
    assert photos.clusterings.export("kmeans", to, form) == 15
    counts = {place.name: len(list(place.iterdir())) for place in to.iterdir() if place.name != LISTING}
    assert sum(counts.values()) == 15
    assert set(counts) == {"mixed", "cluster-001"}
    contents = sorted(file.read_bytes() for file in folder.glob("*/*.png"))
    assert sorted(file.read_bytes() for file in to.glob("*/*.png")) == contents
    for file in to.glob("*/*.png"):
        assert file.is_symlink() == (form == "symlink")
        assert (file.stat().st_nlink == 2) == (form == "hardlink")
    with pytest.raises(CollectionError, match="holds an export already"):
        photos.clusterings.export("kmeans", to, form)
    assert photos.clusterings.export("kmeans", to, form, force=True) == 15  # what it was is in its listing


def test_nothing_is_overwritten_and_nothing_is_left_of_half_an_export(photos, folder, tmp_path):
    photos.clusterings.make(k=2)
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    for form, to in (
        ("copy", full),
        ("csv", full / "mine.txt"),
        ("json", full),
        ("symlink", full / "mine.txt"),
    ):
        with pytest.raises(CollectionError, match="is there"):
            photos.clusterings.export("kmeans", to, form)
    assert (full / "mine.txt").read_text() == "mine"
    (folder / "dark/0.png").unlink()
    with pytest.raises(CollectionError, match="is gone"):
        photos.clusterings.export("kmeans", tmp_path / "out", "copy")
    assert sorted(os.listdir(tmp_path)) == ["full", "photos"]
    with pytest.raises(CollectionError, match="no folder"):
        photos.clusterings.export("kmeans", tmp_path / "none/out", "copy")


def test_images_of_a_data_set_are_exported_as_a_table_only(tmp_path, monkeypatch):
    images = np.random.default_rng(0).integers(0, 10, (12, 28, 28))
    write_mnist(tmp_path / "data/mnist", images, np.arange(12) % 10, 6)
    monkeypatch.setenv("LOOKALIKE_DATA", str(tmp_path / "data"))
    collection = Collection.create(tmp_path / "set", model="pixels-28-grey", with_root=False)
    collection.add_dataset("mnist")
    collection.sync()
    collection.clusterings.make(k=2)
    with pytest.raises(CollectionError, match=r"no file\nexport as csv or json.* instead"):
        collection.clusterings.export("kmeans", tmp_path / "out", "copy")
    assert not (tmp_path / "out").exists()
    collection.clusterings.export("kmeans", tmp_path / "out.csv", "csv")
    assert "mnist:test/5" in (tmp_path / "out.csv").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-k", 16], "k is 16; expected a whole number from 1 to 15"),
        (["-k", 0], "k is 0; expected"),
        (["--algorithm", "kmean"], "no algorithm 'kmean'; expected one of kmeans"),
        (["--algorithm", "dbscan", "-k", 3], "dbscan takes eps and min_samples"),
        (["--eps", 1], "kmeans takes k"),
        (["--algorithm", "dbscan", "--eps", "nan"], "eps is nan"),
        (["--algorithm", "dbscan", "--min-samples", 0], "min_samples is 0"),
        (["--algorithm", "hdbscan", "--min-cluster-size", 99], "min_cluster_size is 99"),
        (["--model", "nonesuch"], "nonesuch"),
        (["--model", "pixels-16-grey"], "is embedded with pixels-16-grey"),
        (["--random-state", -1], "random_state is -1"),
        (["--name", "a/b"], "name of a clustering is 'a/b'"),
        (["--name", "other", "--assign"], "no clustering 'other'"),
        (["--delete", "--name", "other"], "no clustering 'other'"),
        (["--rename", "9=new"], "no cluster '9'"),
        (["--rename", "new"], "expected CLUSTER=NEW"),
        (["--merge", "0"], "two or more"),
        (["--merge", "0,7"], "no cluster '7'"),
        (["--move", "dark/0.png=9"], "no cluster '9'"),
        (["--move", "dark/none.png=0"], "no such image"),
        (["--move", "elsewhere.png=0"], "not in this collection"),
        (["-k", 2, "--assign"], "one after the other"),
        (["--delete"], "say which clusters with --name"),
        (["--delete", "--assign"], "--delete goes alone"),
        (["--export", "dark", "--as", "copy"], "not an empty folder"),
        (["--export", "dark/0.png"], "is there already"),
        (["--export", "out", "--as", "zip"], "no export as 'zip'"),
        (["--plot", "sheet.xyz"], "saved as one of"),
        (["--list", "-k", 3], "--list says what there is, and takes no -k"),
        (["--name", ""], "name of a clustering is ''"),
        (["-k", "two"], "-k is 'two'; expected a whole number"),
        (["-k", "2,3"], "several are tried with `lookalike cluster try`"),
        (["--try", "-k", "2,16"], "k is 16; expected a whole number from 2 to 14, for 15 images"),
        (["--try", "-k", "0-9"], "k is 0; expected a whole number from 2 to 14"),
        (["--try", "-k", "9-2"], "-k is '9-2'; expected numbers such as 5,10,20 or a range such as 2-100"),
        (["--try", "-k", "7"], "-k is 7, which leaves nothing to choose"),
        (["--try", "-k", "2,"], "-k is '2,'; expected numbers"),
        (["--try", "--algorithm", "kmean"], "no algorithm 'kmean'"),
        (["--try", "--algorithm", "hdbscan"], "hdbscan takes neither; expected one of kmeans"),
        (["--try", "--algorithm", "dbscan", "-k", 3], "dbscan finds the number itself"),
        (
            ["--try", "--algorithm", "dbscan", "--min-samples", 99],
            "min_samples is 99; expected a whole number from 2 to 15",
        ),
        (["--try", "--min-samples", 3], "--min-samples is for dbscan and hdbscan, not for kmeans"),
        (["--try", "--eps", 3], "--try keeps nothing, and takes no --eps"),
        (["--try", "--name", "mine"], "takes no --name"),
        (["--try", "--export", "out"], "takes no --export"),
        (["--try", "--merge", "0,1"], "takes no --merge"),
        (["--try", "--list"], "takes no --list"),
        (["--try", "--in-batches"], "takes no --in-batches"),
        (["--algorithm", "spectral", "--in-batches"], "spectral cannot read the vectors in batches; kmeans"),
        (["--try", "--plot", "curve.xyz"], "saved as one of"),
        (["--try", "--random-state", -1], "random_state is -1"),
        (["--rename", "0=night", "--merge", "0,7"], "no cluster '7'"),
        (["--merge", "0,1", "--move", "dark/none.png=0"], "no such image"),
    ],
)
def test_a_request_that_cannot_be_met_gets_one_line(call, folder, photos, words, message):
    photos.clusterings.make(k=2)
    shade(7, 7).save(folder / "elsewhere.png")
    code, out, err = call("cluster", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert sizes(photos.clusterings.get("kmeans")) == sizes(photos.clusterings.make(k=2))


@pytest.mark.parametrize("algorithm", EVERY)
def test_one_image_or_no_two_that_differ_get_one_line(tmp_path, capsys, algorithm):
    place = tmp_path / "flat"
    place.mkdir()
    collection = Collection.create(place, model=MODEL)
    asks = {0: "holds no images", 1: "only 1 image", 3: "have the same vector"}
    for count, message in asks.items():
        for number in range(count):  # other files, the same pixels
            Image.new("RGB", (32 + 8 * number, 32 + 8 * number), (90, 90, 90)).save(place / f"{number}.png")
        collection.sync()
        with pytest.raises(SystemExit) as left:
            main(["cluster", "-c", str(place), "--algorithm", algorithm])
        complaint = capsys.readouterr().err
        assert (left.value.code, complaint.count("\n")) == (2, 1)
        assert message in complaint


def test_two_images_can_be_clustered_by_every_algorithm(tmp_path):
    for number, level in enumerate((10, 200)):
        shade(level, number).save(tmp_path / f"{number}.png")
    collection = Collection.create(tmp_path, model=MODEL)
    collection.sync()
    for algorithm in EVERY:
        assert len(collection.clusterings.make(algorithm).ids) == 2


def test_the_command_line_makes_shows_changes_and_deletes(call, folder):
    code, out, err = call("cluster", "-k", 3, "--plot", "sheet.png", "--name", "shades")
    lines = [line.split("\t") for line in out.splitlines()]
    assert (code, err) == (0, "saved sheet.png\n")
    assert [line[:3] for line in lines] == [["0", "", "6"], ["1", "", "5"], ["2", "", "4"]]
    assert [line[4] for line in lines] == ["dark 100%", "middle 100%", "light 100%"]
    assert all((folder / line[5]).is_file() for line in lines)
    assert (folder / "sheet.png").stat().st_size > 2000
    code, out, _ = call("cluster", "edit", "shades", "--rename", "0=night", "--merge", "1,2", "--json")
    document = json.loads(out)
    assert (code, document["edited"], document["images"], document["noise"]) == (0, True, 15, 0)
    assert [(each["cluster"], each["name"], each["size"]) for each in document["clusters"]] == [
        (1, None, 9),
        (0, "night", 6),
    ]
    code, out, _ = call(
        "cluster", "edit", "--move", "dark/0.png=1", "--json"
    )  # the only one: no need for --name
    assert [each["size"] for each in json.loads(out)["clusters"]] == [10, 5]
    code, out, _ = call("cluster", "list", "--json")
    assert [each["name"] for each in json.loads(out)["clusterings"]] == ["shades"]
    assert call("cluster", "list")[1].startswith("shades\tkmeans\tk = 3\t")
    code, out, _ = call("cluster", "export", "shades", "--to", "../out", "--as", "symlink")
    assert (code, sorted(os.listdir(folder.parent / "out"))) == (0, [LISTING, "cluster-001", "night"])
    assert call("cluster", "delete", "shades")[:2] == (0, "deleted shades\n")
    assert call("cluster", "list")[:2] == (0, "")


def test_the_command_line_assigns_and_searches_in_a_cluster(call, folder, photos):
    assert call("cluster", "-k", 3)[0] == 0
    add_later(photos, folder)
    code, out, _ = call("cluster", "edit", "--assign", "--json")
    assert (code, json.loads(out)["assigned"], json.loads(out)["images"]) == (0, 1, 16)
    call("cluster", "edit", "--rename", "1=dusk")
    code, out, _ = call("search", "middle/0.png", "--same-cluster", "kmeans", "-k", 9, "--json")
    document = json.loads(out)
    assert (code, {hit["label"] for hit in document["hits"]}) == (0, {"middle"})
    assert document["cluster"] == {"clustering": "kmeans", "number": 1, "name": "dusk"}
    code, out, err = call("search", "middle/0.png", "--same-cluster", "none")
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_trying_numbers_of_clusters_suggests_one_and_keeps_nothing(call, photos, folder):
    code, out, err = call("cluster", "try", "-k", "2-5", "--plot", "curves.png")
    lines = out.splitlines()
    assert (code, err) == (0, "saved curves.png\n")
    assert lines[0].split() == ["k", "inertia", "silhouette", "seconds"]
    assert [line.split()[0] for line in lines[1:5]] == ["2", "3", "4", "5"]
    assert [line.split()[0] for line in lines if line.endswith("suggested: largest silhouette")] == ["3"]
    assert lines[5] == f"tried with kmeans on 15 images; {MODEL}"
    assert lines[6] == "nothing was kept; to go on: lookalike cluster make -k 3"
    assert (folder / "curves.png").stat().st_size > 2000
    assert photos.clusterings.names() == []
    words = ["--algorithm", "spectral", "--random-state", 7, "--model", MODEL]
    code, out, _ = call("cluster", "try", *words, "--json")
    document = json.loads(out)
    assert [each["k"] for each in document["tried"]] == [2, 3, 4]
    assert "tried with kmeans on 15 images" in call("cluster", "try", *words)[1]  # in spectral's place
    assert (document["suggested"], document["images"], document["tried_images"]) == (3, 15, 15)
    assert document["tried"][1]["inertia"] == pytest.approx(
        photos.clusterings.try_ks([3], random_state=7).inertias[0]
    )
    assert call(*document["command"].split()[1:])[0] == 0
    assert len(photos.clusterings.get("spectral").clusters) == 3


def test_trying_distances_says_what_dbscan_makes_of_them(call, photos, folder):
    words = ("cluster", "try", "--algorithm", "dbscan", "--min-samples", 3)
    code, out, err = call(*words, "--plot", "curve.svg")
    assert (code, err) == (0, "saved curve.svg\n")
    assert out.split()[0] == "eps"
    assert "15 images; a core image has 3, itself counted, within the distance" in out
    assert photos.clusterings.names() == []
    document = json.loads(call(*words, "--json")[1])
    assert document["suggested"] in [each["eps"] for each in document["tried"]]
    for each in document["tried"]:
        found = photos.clusterings.make("dbscan", eps=each["eps"], min_samples=3)
        assert found.n_clusters == each["clusters"]
        assert each["largest"] <= max((cluster.size for cluster in found.clusters), default=0)
    assert call(*document["command"].split()[1:])[0] == 0
    assert photos.clusterings.get("dbscan").parameters == {"eps": document["suggested"], "min_samples": 3}


def test_a_large_collection_is_tried_on_a_sample(call, photos, monkeypatch):
    monkeypatch.setattr("lookalike.collection.clusterings.making._TRIED_VALUES", 64 * 8)  # of 64 dimensions
    monkeypatch.setattr("lookalike.collection.clusterings.making._TRIED_PER_CLUSTER", 2)
    out = call("cluster", "try", "-k", "2,3")[1]
    assert "tried with kmeans on 8 images, a sample of 15;" in out
    assert photos.clusterings.try_ks([2, 5]).n_rows == 10


def test_several_changes_are_kept_together_or_not_at_all(call, photos):
    photos.clusterings.make(k=3)
    before = photos.clusterings.get("kmeans").clusters
    with pytest.raises(QueryError, match="no such image"):
        photos.clusterings.edit("kmeans", rename=[(0, "night")], merge=[[1, 2]], move=[("none.png", 0)])
    assert photos.clusterings.get("kmeans").clusters == before
    assert call("cluster", "edit", "--rename", "0=night", "--merge", "1,2", "--move", "dark/0.png=9")[0] == 2
    assert photos.clusterings.get("kmeans").clusters == before
    assert call("cluster", "edit", "--rename", "0=night", "--merge", "1,2", "--move", "dark/0.png=1")[0] == 0
    assert sizes(photos.clusterings.get("kmeans")) == {0: 5, 1: 10}


@pytest.mark.parametrize("bytes_of_exact", [0, 1 << 30])  # read from the table, or from the exact index
def test_clusters_made_in_batches_are_as_good(photos, folder, call, monkeypatch, bytes_of_exact):
    monkeypatch.setattr("lookalike.collection.searchers.EXACT_BYTES", bytes_of_exact)
    monkeypatch.setattr("lookalike.store.table._BYTES_AT_ONCE", 4 * 64 * 4)  # four images
    monkeypatch.setattr("lookalike.collection.embedded._BLOCK_ROWS", 4)
    monkeypatch.setattr(
        "lookalike.collection.clusterings.centers._BLOCK_DISTANCES", 6
    )  # two images, three centres
    whole = photos.clusterings.make(k=3)
    code, out, _ = call("cluster", "-k", 3, "--in-batches", "--name", "parts", "--json")
    assert (code, json.loads(out)["parameters"]) == (0, {"k": 3, "in_batches": True})
    parts = photos.clusterings.get("parts")
    np.testing.assert_array_equal(parts.ids, whole.ids)
    np.testing.assert_array_equal(parts.numbers, whole.numbers)
    np.testing.assert_allclose(parts.distances, whole.distances, rtol=1e-5)
    np.testing.assert_allclose(parts.margins, whole.margins, rtol=1e-5)
    assert parts.clusters == whole.clusters
    assert "k = 3, in batches" in call("cluster", "list")[1]
    later = add_later(photos, folder)
    assert photos.clusterings.assign("parts")[1] == 1
    assert sizes(photos.clusterings.move("parts", [later], 0)) == {0: 7, 1: 5, 2: 4}


def test_what_does_not_fit_into_memory_is_read_in_batches_or_refused(photos, call, monkeypatch):
    monkeypatch.setattr("lookalike.collection.clusterings.making.free_memory", lambda: 3 * 4 * 64 * 15)
    assert photos.clusterings.make(k=3).parameters == {"k": 3}
    monkeypatch.setattr("lookalike.collection.clusterings.making.free_memory", lambda: 3 * 4 * 64 * 15 - 1)
    assert photos.clusterings.make(k=3).parameters == {"k": 3, "in_batches": True}
    for algorithm in EVERY[1:]:
        code, out, err = call("cluster", "--algorithm", algorithm)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert f"{algorithm} would take about 0.0 GB of memory for 15 images, and 0.0 GB are free" in err
    assert call("cluster", "try", "--algorithm", "dbscan")[0] == 2


@pytest.mark.parametrize(
    ("algorithm", "bytes_of_exact"), [(each, 0) for each in EVERY] + [("kmeans", 1 << 30)]
)
def test_vectors_that_are_no_numbers_get_one_line(photos, call, monkeypatch, algorithm, bytes_of_exact):
    monkeypatch.setattr("lookalike.collection.searchers.EXACT_BYTES", bytes_of_exact)
    images, vectors = photos.vectors()
    vectors = np.array(vectors)
    vectors[3, 5] = np.nan
    table = photos._store.vectors(MODEL, vectors.shape[1])
    photos._store.write_vectors([image.id for image in images], vectors, table)
    for words in ([], ["--try"], ["--in-batches"]):
        code, out, err = call("cluster", "--algorithm", algorithm, *words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        if not words:
            assert "NaN" in err or "not finite" in err


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        ([], "it is no JSON object"),
        ({"made": 7}, "its made is 7"),
        ({"parameters": "many"}, "its parameters is 'many'"),
        ({"parameters": {"k": [3]}}, "its parameters is {'k': [3]}"),
        ({"model": None}, "its model is None"),
        ({"zz": 1}, "its zz is not known here"),
    ],
)
def test_facts_of_a_wrong_kind_are_damage(photos, folder, call, facts, complaint):
    photos.clusterings.make(k=3, name="whole")
    photos.clusterings.make(k=3)
    file = folder / ".lookalike/clusterings/kmeans/clustering.json"
    written = json.loads(file.read_text())
    del written["sum"]  # as earlier versions wrote them, which nobody can verify
    file.write_text(json.dumps({**written, **facts} if facts else facts))
    code, out, err = call("cluster", "list")
    assert (code, out.split("\t")[0], err.count("\n")) == (0, "whole", 1)
    assert complaint in err
    assert "`lookalike check --repair`" in err
    call("check", "--repair")
    code, out, err = call("cluster", "list")
    assert (code, err) == (0, "")
    assert [line.split("\t")[0] for line in out.splitlines()] == ["kmeans", "whole"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [(["--as", "json"], "--as is for --export"), (["--dark"], "--dark is for pictures")],
)
def test_options_without_effect_are_refused_and_nothing_is_made(photos, call, words, complaint):
    code, out, err = call("cluster", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert complaint in err
    assert photos.clusterings.names() == []
