"""Folders that say nothing of what images show: images are found by them, nothing is named or measured."""

import json
import os

import numpy as np
import pytest
from PIL import Image

from lookalike import Collection, CollectionError, Filter, InvalidInputError, QueryError
from lookalike.drawing import choose_groups
from lookalike.store import Manifest

MODEL = "pixels-8-grey"
KINDS, MONTHS = 4, ("01 January", "02 February", "03 March")


def draw(kind, number):
    """One of some kinds of pictures, which nobody takes for another."""
    random = np.random.default_rng(number)
    grey = np.full((16, 16), 40.0)
    grey[8 * (kind // 2) : 8 * (kind // 2) + 8, 8 * (kind % 2) : 8 * (kind % 2) + 8] = 200
    return Image.fromarray((grey + random.normal(0, 4, grey.shape)).clip(0, 255).astype(np.uint8))


@pytest.fixture
def dated(tmp_path):
    """48 pictures in folders of months of two years, which show anything."""
    for number in range(48):
        year, month = 2019 + number // 4 % 2, MONTHS[number // 8 % 3]
        folder = tmp_path / "photos" / str(year) / month
        folder.mkdir(parents=True, exist_ok=True)
        draw(number % KINDS, number).save(folder / f"kind{number % KINDS}_{number}.png")
    return tmp_path / "photos"


@pytest.fixture
def photos(dated):
    collection = Collection.create(dated, model=MODEL)
    collection.sync()
    return collection


@pytest.fixture
def sorted_by_kind(tmp_path):
    """48 pictures in folders of what they show, and the same names below two years."""
    for number in range(48):
        folder = tmp_path / "kinds" / str(2019 + number // 24) / f"kind {number % KINDS}"
        folder.mkdir(parents=True, exist_ok=True)
        draw(number % KINDS, number).save(folder / f"{number}.png")
    return tmp_path / "kinds"


def labels_of(collection):
    return collection.info().labels


def test_folders_that_tell_nothing_name_nothing(photos, dated):
    assert photos.label_note.startswith("your folders seem not to say what pictures show")
    (root,) = photos.list_roots()
    assert (root.labels, root.is_told, root.has_silent_labels) == ("folders", False, True)
    assert abs(root.agreement) < 0.1
    info = photos.info()
    assert (info.labels, len(info.unused_labels), info.label_note) == ({}, 6, photos.label_note)
    query = dated / "2019" / MONTHS[0] / "kind0_0.png"
    assert {hit.label for hit in photos.search(query).hits} == {None}
    assert {(hit.label, hit.folder_label) for hit in photos.browse().hits} == {(None, None)}
    assert photos.image_info(query).labels == ()
    facet = photos.facets(names=["labels"])["labels"]
    assert (facet.counts, facet.missing) == ({}, 48)
    clustering = photos.clusterings.make("kmeans", KINDS)
    assert {each.label for each in clustering.clusters} == {None}
    assert clustering.scores is None
    image_map = photos.maps.make("pca")
    assert choose_groups(photos, image_map).kind == "cluster"
    with pytest.raises(CollectionError, match="your folders seem not to say"):
        choose_groups(photos, image_map, "label")
    with pytest.raises(CollectionError, match="your folders seem not to say"):
        photos.evaluation.retrieval()
    assert photos.evaluation.clusterings().clusterings[0].scores is None


def test_images_are_found_by_labels_that_tell_nothing(photos):
    def found(*labels):
        return photos.count(Filter(labels=labels))

    assert found("2019/02 February") == 8
    assert found("02 February") == 16  # of both years
    assert found("2019") == 24
    assert found("2019/02 February", "2020") == 32
    assert photos.count(Filter(excluding=Filter(labels=["02 February"]))) == 32
    for missing in ("02", "February", "2018", "/", ""):
        with pytest.raises(QueryError, match="no image here is labelled"):
            found(missing)


def test_labels_that_were_asked_for_are_used_whatever_images_look_like(photos, dated):
    photos.add_root(dated, labels="folders")
    report = photos.sync()
    assert (report.embedded, report.unchanged) == (0, 48)
    assert labels_of(photos)["2019/01 January"] == 8
    assert "as was asked for" in photos.label_note
    assert photos.evaluation.retrieval().n_queries == 48
    assert Collection.open(dated).label_note == photos.label_note
    photos.sync()  # it is remembered
    assert len(labels_of(photos)) == 6


def test_evaluation_measures_by_folders_when_asked_to(photos):
    assert photos.evaluation.retrieval(labels="folders").scores["P@1"].mean < 0.5
    assert len(photos.evaluation.retrieval(labels="folders:1").confusions.labels) == 2
    assert len(photos.evaluation.retrieval(labels="path").confusions.labels) == 6
    found = photos.evaluation.retrieval(labels="**/{label}_*.png")
    assert (len(found.confusions.labels), found.scores["P@1"].mean, found.labels_from) == (
        4,
        1,
        "**/{label}_*.png",
    )
    with pytest.raises(InvalidInputError, match=r"gives no image .* the path of one, from its root, is 20"):
        photos.evaluation.retrieval(labels="{label}.tiff")


@pytest.mark.parametrize("changed", ["path", "folders:1", "**/{label}_*.png", "labels.csv", "none"])
def test_labels_from_elsewhere_need_no_embedding(photos, dated, tmp_path, changed, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{file.relative_to(dated)},{file.name[:5]}" for file in sorted(dated.rglob("*.png"))]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label", *rows]))
    photos.add_root(dated, labels=changed)
    report = photos.sync()
    assert (report.embedded, report.added, report.changed, report.unchanged) == (0, 0, 0, 48)
    counts = labels_of(photos)
    expected = {
        "path": {f"{year}/{month}": 8 for year in (2019, 2020) for month in MONTHS},
        "folders:1": {"2019": 24, "2020": 24},
        "none": {},
    }
    assert counts == expected.get(changed, {f"kind{kind}": 12 for kind in range(KINDS)})
    if "label" in changed:
        assert photos.label_note is None
        assert photos.evaluation.retrieval().scores["P@1"].mean == 1


def test_folders_of_classes_are_used_unasked_and_name_clusters_that_are_mostly_of_one(sorted_by_kind):
    collection = Collection.create(sorted_by_kind, model=MODEL)
    collection.sync()
    assert collection.label_note is None
    assert labels_of(collection) == {
        f"{year}/kind {kind}": 6 for year in (2019, 2020) for kind in range(KINDS)
    }
    collection.add_root(sorted_by_kind, labels="**/{label}/*")
    collection.sync()
    clusters = collection.clusterings.make("kmeans", KINDS).clusters
    assert {each.title.partition(": ")[2] for each in clusters} == {f"kind {kind}" for kind in range(KINDS)}
    (halves,) = collection.clusterings.make("kmeans", 1, name="all").clusters
    assert (halves.label_share, halves.most_are, halves.title) == (0.25, None, "cluster 0")


def test_what_was_measured_is_of_the_state_and_not_measured_again(photos, dated):
    manifest = dated / ".lookalike" / "collection.json"
    before = manifest.stat().st_mtime_ns, Manifest.load(manifest.parent).roots[0].verdict
    photos.sync()
    assert (manifest.stat().st_mtime_ns, Manifest.load(manifest.parent).roots[0].verdict) == before
    for number in range(48, 96):  # now most folders are of kinds
        folder = dated / f"kind {number % KINDS}"
        folder.mkdir(exist_ok=True)
        draw(number % KINDS, number).save(folder / f"{number}.png")
    photos.sync(dry_run=True)
    assert Manifest.load(manifest.parent).roots[0].verdict == before[1]
    photos.sync()
    assert photos.label_note is None
    assert labels_of(photos)["kind 0"] == 12


def test_a_folder_that_is_new_tells_others_apart_wherever_they_lie(photos, dated):
    folder = dated / "2021" / "lake"
    folder.mkdir(parents=True)
    draw(0, 100).save(folder / "1.png")
    photos.sync([folder])
    assert photos.count(Filter(labels=["lake"])) == 1
    other = dated / "2022" / "lake"
    other.mkdir(parents=True)
    draw(0, 101).save(other / "1.png")
    assert photos.sync([other]).added == 1  # the other folder is not looked at
    counts = photos.info().unused_labels
    assert (counts["2021/lake"], counts["2022/lake"], counts["2019/01 January"]) == (1, 1, 8)


def test_labels_by_hand_count_beside_folders_that_tell_nothing(photos, dated):
    files = sorted(dated.rglob("kind0_*.png"))
    photos.labels.give([str(file) for file in files], "corner")
    photos.labels.give([str(file) for file in sorted(dated.rglob("kind1_*.png"))], "other corner")
    assert photos.facets(names=["labels"])["labels"].counts == {"corner": 12, "other corner": 12}
    found = photos.evaluation.retrieval()
    assert (found.labels_from, found.scores["P@1"].mean) == ("labels by hand", 1)


def test_few_images_are_taken_at_their_folders_word(tmp_path):
    for number in range(8):
        (tmp_path / str(number % 2)).mkdir(exist_ok=True)
        draw(number // 2, number).save(tmp_path / str(number % 2) / f"{number}.png")
    collection = Collection.create(tmp_path, model=MODEL)
    collection.sync()
    assert (collection.label_note, labels_of(collection)) == (None, {"0": 4, "1": 4})


def test_the_command_line_says_so_once_and_what_to_do(photos, dated, call):
    line = "your folders seem not to say what pictures show"
    for command in (["index"], ["info"], ["map", "make", "-o", "map.png"]):
        code, out, err = call(*command, cwd=dated)
        assert (code, (out + err).count(line)) == (0, 1)
        assert "`lookalike index --labels FILE.csv` (or folders:1, path, a glob such as '{label}_*')" in out
    code, out, err = call("evaluate", cwd=dated)
    assert (code, out, err.count(line), err.count("\n")) == (2, "", 1, 1)
    code, _, err = call("map", "draw", "--color", "label", cwd=dated)
    assert (code, err.count(line)) == (2, 1)
    assert json.loads(call("info", "--json", cwd=dated)[1])["label_note"].startswith(line)
    code, out, _ = call("index", "--labels", "**/{label}_*.png", cwd=dated)
    assert (code, line in out) == (0, False)
    code, out, _ = call("index", "--labels", "{label}.png", cwd=dated)
    assert "labels are those of {label}.png, which gives no file of photos one" in out
    code, _, err = call("index", "--labels", "folder", cwd=dated)
    assert (code, err.count("\n")) == (2, 1)
    assert "labels is 'folder'; expected folders (the last folder's name)" in err
    assert os.path.exists(dated / "map.png")
