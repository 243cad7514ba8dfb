"""Names that the user gave to clusters: shown, searched for, kept."""

import json
import os
import shutil

import pytest
from indexed_copy import folder, photos
from PIL import Image

from lookalike import Collection, Filter
from lookalike.cli.hints import advise
from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.errors import CollectionError, QueryError
from pictures import shade

__all__ = ["folder", "photos"]  # fixtures

MODEL = "pixels-8-grey"
LEVELS = {"dark": 20, "middle": 120, "light": 230}


@pytest.fixture(scope="module")
def indexed(tmp_path_factory):
    """Give a folder of 9 pictures and three clusters, of which only the light ones have a folder's label."""
    place = tmp_path_factory.mktemp("indexed") / "photos"
    (place / "snow").mkdir(parents=True)
    for (name, level), count in zip(LEVELS.items(), (4, 3, 2), strict=True):
        for number in range(count):
            shade(level, number).save(place / ("snow" if name == "light" else "") / f"{name}-{number}.png")
    collection = Collection.create(place, model=MODEL)
    collection.sync()
    collection.clusterings.make(k=3)  # 0 is dark, 1 middle, 2 light
    return place


def found(photos, k=99, **options):
    """Search for a dark picture; return the hits by the names of their files."""
    query = os.path.join(photos.roots[0], "dark-0.png")
    hits = photos.search(query, k=k, include_self=True, **options).hits
    return {os.path.basename(hit.path): hit for hit in hits}


def labels(photos):
    return {name: hit.label for name, hit in sorted(found(photos).items())}


def damage(photos, name):
    (arrays,) = (photos.folder / "clusterings" / name).glob("arrays-*")
    arrays.write_bytes(arrays.read_bytes()[:-9] + b"something")


def test_a_label_is_the_folders_or_else_the_name_of_the_cluster(photos):
    assert set(labels(photos).values()) == {None, "snow"}
    photos.clusterings.rename("kmeans", 0, "night")
    photos.clusterings.rename("kmeans", 2, "white")
    hits = found(photos)
    assert {name: hit.label for name, hit in hits.items()} == {
        **{f"dark-{number}.png": "night" for number in range(4)},
        **{f"middle-{number}.png": None for number in range(3)},
        **{f"light-{number}.png": "snow" for number in range(2)},
    }
    light, dark, middle = hits["light-0.png"], hits["dark-0.png"], hits["middle-0.png"]
    assert (light.clusters, light.folder_label) == ({"kmeans": "white"}, "snow")
    assert (dark.clusters, dark.folder_label) == ({"kmeans": "night"}, None)
    assert (light.labels, dark.labels) == (("snow", "white"), ("night",))
    assert (middle.clusters, middle.labels) == ({}, ())
    assert (light.label_without("kmeans"), dark.label_without("kmeans")) == ("snow", None)


def test_every_answer_has_the_same_labels(photos, folder, tmp_path):
    photos.clusterings.rename("kmeans", 0, "night")
    images, _ = photos.vectors()
    by_search = {hit.path: (hit.label, hit.clusters) for hit in found(photos).values()}
    assert {hit.path: (hit.label, hit.clusters) for hit in images} == by_search
    by_color = photos.search(color="#141414", k=9).hits
    assert {hit.label for hit in by_color} == {"night"}
    told = photos.image_info(folder / "dark-1.png")
    assert (told.labels, told.clusters) == (("night",), {"kmeans": "night"})
    photos.clusterings.export("kmeans", tmp_path / "out.json", "json")
    rows = json.loads((tmp_path / "out.json").read_text())["images"]
    assert {(row["cluster"], row["label"]) for row in rows} == {(0, "night"), (1, None), (2, "snow")}


def test_of_several_clusterings_the_one_that_was_changed_last_gives_the_label(photos, folder):
    photos.clusterings.rename("kmeans", 0, "night")
    made = photos.clusterings.make(k=2, name="a")
    assert labels(photos)["dark-0.png"] == "night"
    (number,) = made.numbers[made.ids == found(photos)["dark-0.png"].id]
    photos.clusterings.rename("a", int(number), "owls")
    hit = found(photos)["dark-0.png"]
    assert (hit.label, list(hit.clusters.items())) == ("owls", [("a", "owls"), ("kmeans", "night")])
    assert (hit.label_without("a"), hit.labels) == ("night", ("owls", "night"))
    photos.clusterings.assign("kmeans")  # says nothing new of what is there
    assert labels(photos)["dark-0.png"] == "owls"
    photos.clusterings.move("kmeans", [folder / "middle-0.png"], 0)
    assert labels(photos)["dark-0.png"] == "night"
    photos.clusterings.merge("a", [0, 1])
    assert labels(photos)["light-0.png"] == "snow"
    assert labels(photos)["dark-0.png"] == "owls"
    photos.clusterings.delete("a")
    assert labels(photos)["dark-0.png"] == "night"
    photos.clusterings.delete("kmeans")
    assert labels(photos)["dark-0.png"] is None


def test_labels_follow_renames_merges_and_moves(photos, folder):
    photos.clusterings.rename("kmeans", 0, "night")
    photos.clusterings.rename("kmeans", "night", "owls")
    assert labels(photos)["dark-0.png"] == "owls"
    photos.clusterings.merge("kmeans", [1, "owls"])
    assert labels(photos)["middle-0.png"] == labels(photos)["dark-0.png"] == "owls"
    photos.clusterings.move("kmeans", [folder / "middle-0.png"], "noise")
    assert (labels(photos)["middle-0.png"], labels(photos)["middle-1.png"]) == (None, "owls")
    photos.clusterings.rename("kmeans", "owls", "")
    assert labels(photos)["dark-0.png"] is None
    assert Collection.open(folder).search(folder / "dark-0.png", k=1).hits[0].clusters == {}


def test_labels_survive_files_that_move_and_come_later(photos, folder):
    photos.clusterings.rename("kmeans", 0, "night")
    (folder / "dark-1.png").rename(folder / "moved.png")
    shade(20, 50).save(folder / "later.png")
    photos.sync()
    assert (labels(photos)["moved.png"], labels(photos)["later.png"]) == ("night", None)
    photos.clusterings.assign("kmeans")
    assert labels(photos)["later.png"] == "night"


def test_an_edited_file_stays_in_the_cluster_that_the_user_put_it_in(photos, folder):
    photos.clusterings.make(k=3, name="untouched")
    photos.clusterings.rename("kmeans", 0, "night")
    photos.clusterings.move("kmeans", [folder / "middle-1.png"], 0)
    shutil.copy(folder / "dark-2.png", folder / "copy.png")  # old content that stays
    photos.sync()
    for name in ("dark-0", "dark-2", "middle-1"):
        with Image.open(folder / f"{name}.png") as image:
            image.point(lambda level: level + 3).save(folder / f"{name}.png")
    report = photos.sync()
    assert (report.changed, report.added) == (3, 0)
    now = labels(photos)
    assert {name for name, label in now.items() if label == "night"} == {
        *(f"dark-{number}.png" for number in range(4)),
        "copy.png",
        "middle-1.png",
    }
    assert photos.clusterings.get("kmeans").n_unassigned == 0
    assert photos.clusterings.get("untouched").n_unassigned == 3
    photos.clusterings.merge("kmeans", [1, 2])  # measured again, with what the pictures are now
    assert labels(photos) == now


def test_a_folders_label_that_comes_later_goes_first(photos, folder):
    photos.clusterings.rename("kmeans", 0, "night")
    (folder / "owls").mkdir()
    (folder / "dark-1.png").rename(folder / "owls/dark-1.png")
    photos.sync()
    assert found(photos)["dark-1.png"].labels == ("owls", "night")


def test_search_by_label_finds_those_of_folders_and_of_clusters(photos, folder):
    photos.clusterings.rename("kmeans", 0, "night")
    dark, light = {f"dark-{number}.png" for number in range(4)}, {"light-0.png", "light-1.png"}
    assert found(photos, where=Filter(labels=["night"])).keys() == dark
    assert found(photos, where=Filter(labels=["night", "snow"])).keys() == dark | light
    assert found(photos, where=Filter(labels=["night"], folders=[folder / "snow"])).keys() == set()
    assert len(photos.search(color="#141414", where=Filter(labels=["night"])).hits) == 4
    photos.clusterings.rename("kmeans", 2, "night sky")
    assert found(photos, where=Filter(labels=["night sky"])).keys() == light
    with pytest.raises(QueryError, match=r"no image here is labelled 'nigth'\ndid you mean night\b"):
        found(photos, where=Filter(labels=["nigth"]))
    photos.clusterings.rename("kmeans", "night", "snow")
    assert found(photos, where=Filter(labels=["snow"])).keys() == dark | light


def test_a_hit_found_by_its_cluster_is_shown_at_all_its_places(photos, folder):
    shutil.copy(folder / "dark-0.png", folder / "snow/copy.png")
    photos.sync()
    photos.clusterings.rename("kmeans", 0, "night")
    places = (str(folder / "dark-0.png"), str(folder / "snow/copy.png"))

    def shown(**conditions):
        (hit,) = photos.search(folder / "dark-0.png", k=1, include_self=True, where=Filter(**conditions)).hits
        return hit.paths, hit.label

    assert shown(labels=["night"]) == (places, "night")
    assert shown(labels=["snow"]) == (places[1:], "snow")
    assert shown(labels=["snow", "night"]) == (places, "night")
    assert shown(labels=["night"], folders=[folder / "snow"]) == (places[1:], "snow")


def test_arrays_are_read_only_where_something_was_named_and_once(photos, monkeypatch):
    reads = []
    parse = StoredClusterings._parse
    monkeypatch.setattr(
        StoredClusterings, "_parse", lambda self, folder: reads.append(folder.name) or parse(self, folder)
    )
    found(photos)
    assert reads == []
    photos.clusterings.rename("kmeans", 0, "night")
    reads.clear()
    again = Collection.open(photos.folder)
    found(again)
    found(again, where=Filter(labels=["night"]))
    assert reads == ["kmeans"]
    photos.clusterings.rename("kmeans", 0, "owls")  # another process, as it were
    assert labels(again)["dark-0.png"] == "owls"


def test_names_say_nothing_of_their_own_clustering(photos):
    assert photos.clusterings.make(k=2, name="two").scores is None  # one label, snow
    for cluster, name in enumerate(LEVELS):
        photos.clusterings.rename("kmeans", cluster, name)
    own = photos.clusterings.get("kmeans")
    assert own.scores is None
    assert {each.name: each.label for each in own.clusters} == {"dark": None, "middle": None, "light": "snow"}
    two = photos.clusterings.get("two")
    assert 0.6 < two.scores.purity < 1
    assert {each.label for each in two.clusters} <= {"dark", "middle", "snow"}


@pytest.mark.parametrize("where", ["arrays", "facts", "names"])
def test_a_damaged_clustering_costs_a_search_its_names_only(photos, folder, call, where):
    photos.clusterings.rename("kmeans", 0, "night")
    photos.clusterings.make(k=2, name="other")
    photos.clusterings.rename("other", 0, "fine")
    facts = photos.folder / "clusterings/kmeans/clustering.json"
    if where == "arrays":
        damage(photos, "kmeans")
    else:
        text = facts.read_text().replace('"0": "night"', '"x": "night"')
        facts.write_text("[" if where == "facts" else text)
    result = Collection.open(folder).search(folder / "middle-0.png", k=9)
    assert {name for hit in result.hits for name in hit.clusters.values()} == {"fine"}
    (warning,) = result.warnings
    assert "collection.check(repair=True)" in str(warning.hint)
    assert len(photos.vectors()[0]) == 9
    code, out, err = call("search", "middle-0.png", "--json")
    assert (code, len(json.loads(out)["hits"]), err) == (0, 8, f"lookalike: {advise(warning)}\n")
    code, out, err = call("search", "middle-0.png", "--label", "night")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "no image here is labelled 'night'" in err
    assert "lookalike check --repair" in err


def test_search_shows_names_of_clusters(call, photos):
    photos.clusterings.rename("kmeans", 0, "night")
    photos.clusterings.rename("kmeans", 2, "white")
    code, out, err = call("search", "dark-0.png", "-k", 8, "--plot", "strip.png")
    shown = {line.split("\t")[3]: line.split("\t")[2] for line in out.splitlines()}
    assert (code, err) == (0, "saved strip.png\n")
    assert (shown["dark-1.png"], shown["middle-0.png"]) == ("night", "")
    assert shown["snow/light-0.png"] == "snow · white"
    hits = json.loads(call("search", "dark-0.png", "-k", 8, "--json")[1])["hits"]
    by_path = {hit["path"]: (hit["label"], hit["clusters"]) for hit in hits}
    assert by_path["dark-1.png"] == ("night", {"kmeans": "night"})
    assert by_path["snow/light-0.png"] == ("snow", {"kmeans": "white"})
    assert by_path["middle-0.png"] == (None, {})
    assert call("search", "dark-0.png", "--label", "white", "-f")[1].split() == sorted(
        ["snow/light-0.png", "snow/light-1.png"], key=call("search", "dark-0.png", "-f")[1].split().index
    )


def test_info_tells_of_clusterings_and_of_an_images_clusters(call, photos, folder):
    photos.clusterings.rename("kmeans", 2, "white")
    photos.clusterings.make("dbscan", name="dense", eps=20, min_samples=3)
    photos.clusterings.make(k=2, name="broken")
    (folder / "dark-3.png").unlink()
    photos.sync()
    damage(photos, "broken")
    code, out, err = call("info")
    lines = [line for line in out.splitlines() if line.startswith(("clustering", "damaged"))]
    assert (code, err) == (0, "")
    assert lines[:2] == [
        "clustering  dense: dbscan, 2 clusters, 8 images, 2 of them noise",
        "clustering  kmeans: kmeans, 3 clusters, 8 images; named: white",
    ]
    assert lines[2].startswith("damaged     the clustering in ")
    assert "`lookalike check --repair`" in lines[2]
    listed = json.loads(call("info", "--json")[1])["clusterings"]
    assert listed[1] == {
        "name": "kmeans",
        "algorithm": "kmeans",
        "model": MODEL,
        "clusters": 3,
        "images": 8,
        "noise": 0,
        "named": ["white"],
    }
    assert (listed[2]["name"], list(listed[2])) == ("broken", ["name", "damaged"])
    document = json.loads(call("info", "snow/light-0.png", "--json")[1])["images"][0]
    assert (document["labels"], document["clusters"]) == (["snow"], {"kmeans": "white"})
    assert "clusters    white (kmeans)\n" in call("info", "snow/light-0.png")[1]


def test_a_list_of_clusterings_goes_past_a_damaged_one(call, photos):
    photos.clusterings.make(k=2, name="broken")
    damage(photos, "broken")
    code, out, err = call("cluster", "list")
    assert (code, out.split("\t")[0], out.count("\n"), err.count("\n")) == (0, "kmeans", 1, 1)
    assert "`lookalike check --repair`" in err
    listed = json.loads(call("cluster", "list", "--json")[1])["clusterings"]
    assert [(each["name"], "damaged" in each) for each in listed] == [("kmeans", False), ("broken", True)]
    assert call("cluster", "delete", "broken")[:2] == (0, "deleted broken\n")
    assert call("cluster", "list")[2] == ""


def test_a_collection_without_folder_labels_is_measured_against_names(photos, folder):
    shutil.move(folder / "snow/light-0.png", folder)
    shutil.move(folder / "snow/light-1.png", folder)
    photos.sync()
    with pytest.raises(CollectionError, match="name clusters"):
        photos.evaluation.retrieval(k=1)
    for cluster, name in enumerate(LEVELS):
        photos.clusterings.rename("kmeans", cluster, name)
    photos.clusterings.make(k=2, name="two")
    assert [found.scores for found in photos.evaluation.clusterings().clusterings] == [None, None]
    found = photos.evaluation.retrieval(k=1)
    assert (found.labels_from, found.scores["P@1"].mean) == ("named clusters", 1)
    assert photos.evaluation.retrieval(k=1, labels="kmeans").scores["P@1"].mean == 1
    (two,) = photos.evaluation.clusterings(["two"], labels="kmeans").clusterings
    assert 0.6 < two.scores.purity < 1
