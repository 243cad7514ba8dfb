"""What a collection is made of: folders in several spellings, folders that moved, and what is passed over."""

import json
import os
import shutil
import sys
import unicodedata

import pytest

from lookalike import Collection, Filter
from lookalike.errors import CollectionError, MissingImagesError
from lookalike.store import Store
from pictures import picture

NFC, NFD = "Caf\u00e9", "Cafe\u0301"
COUNTS = ("added", "changed", "moved", "removed", "unchanged", "failed", "embedded")


def counts(report):
    return {name: getattr(report, name) for name in COUNTS if getattr(report, name)}


@pytest.fixture
def collection(photos, tmp_path):
    collection = Collection.create(tmp_path / "home", with_root=False)
    collection.add_root(photos)
    collection.sync()
    return collection


@pytest.fixture
def unread(monkeypatch):
    """Fail where a sync reads a file."""

    def refuse(file):
        raise AssertionError(f"{file} was read")

    monkeypatch.setattr("lookalike.sync.reading.read_file", refuse)


def test_a_root_that_moved_is_found_again_and_nothing_is_read(collection, photos, tmp_path, unread):
    photos.rename(tmp_path / "elsewhere")
    with pytest.raises(MissingImagesError, match=r"collection\.move_root\('.*photos', new\)"):
        collection.sync()
    assert [root.is_there for root in collection.list_roots()] == [False]
    assert collection.move_root(photos, tmp_path / "elsewhere") == 6
    (root,) = collection.list_roots()
    assert (root.name, root.folder, root.images, root.is_there) == ("photos", tmp_path / "elsewhere", 6, True)
    assert counts(collection.sync()) == {"unchanged": 6}
    assert counts(Collection.open(tmp_path / "home").sync()) == {"unchanged": 6}
    hit = collection.search(tmp_path / "elsewhere" / "cats" / "0.png", k=1).hits[0]
    assert hit.path.startswith(str(tmp_path / "elsewhere"))


def test_a_copy_on_a_disk_with_coarse_times_is_not_read_again(collection, photos, tmp_path, unread):
    shutil.copytree(photos, tmp_path / "fat")
    for file in (tmp_path / "fat").rglob("*.png"):
        rounded = file.stat().st_mtime_ns // 2_000_000_000 * 2_000_000_000
        os.utime(file, ns=(rounded, rounded))
    collection.move_root("photos", tmp_path / "fat")  # by its name, too
    assert counts(collection.sync()) == {"unchanged": 6}


def test_a_move_keeps_labels_excludes_and_the_names_of_clusters(collection, photos, tmp_path):
    collection.add_root(photos, exclude=["*.tmp"])
    collection.sync()
    collection.clusterings.make(k=2, name="k")
    collection.clusterings.rename("k", 0, "first")
    photos.rename(tmp_path / "elsewhere")
    collection.move_root(photos, tmp_path / "elsewhere")
    (root,) = collection.list_roots()
    assert root.exclude == ("*.tmp",)
    assert collection.sync().unchanged == 6
    assert collection.info().labels == {"cats": 3, "dogs": 3}
    assert any(hit.clusters for hit in collection.search(tmp_path / "elsewhere/cats/0.png", k=5).hits)


def test_a_few_files_may_have_changed_since(collection, photos, tmp_path):
    photos.rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "cats" / "0.png").unlink()
    collection.move_root(photos, tmp_path / "elsewhere")
    assert counts(collection.sync()) == {"removed": 1, "unchanged": 5}


def test_a_folder_of_other_pictures_is_refused(collection, photos, tmp_path):
    other = tmp_path / "other"
    for number, file in enumerate(sorted(photos.rglob("*.png"))):
        place = other / file.relative_to(photos)
        place.parent.mkdir(parents=True, exist_ok=True)
        picture(number + 50).save(place)
    before = collection.list_roots()
    with pytest.raises(CollectionError, match=r"does not hold what .*: of 6 files .* 6 have other content"):
        collection.move_root(photos, other)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CollectionError, match=r"6 are not there .*Name the folder in which cats/0.png lies"):
        collection.move_root(photos, tmp_path / "empty")
    assert collection.list_roots() == before
    assert collection.sync().unchanged == 6


def test_content_counts_where_sizes_are_the_same(collection, photos, tmp_path):
    other = shutil.copytree(photos, tmp_path / "other")
    for file in other.rglob("*.png"):
        data = bytearray(file.read_bytes())
        data[-1] ^= 1
        file.write_bytes(data)
    with pytest.raises(CollectionError, match="6 have other content"):
        collection.move_root(photos, other)


def test_senseless_moves_are_refused(collection, photos, tmp_path):
    for old, new, complaint in (
        (tmp_path / "nothing", photos, "is no root of this collection"),
        (photos, tmp_path / "nothing", "there is no folder"),
        (photos, photos, "already"),
    ):
        with pytest.raises(CollectionError, match=complaint):
            collection.move_root(old, new)
    shutil.copytree(photos, tmp_path / "second")
    collection.add_root(tmp_path / "second")
    collection.sync()
    shutil.copytree(photos, tmp_path / "second" / "inner")
    with pytest.raises(CollectionError, match="overlap"):
        collection.move_root(photos, tmp_path / "second" / "inner")


def test_roots_are_listed_and_moved_on_the_command_line(call, collection, photos, tmp_path):
    home = tmp_path / "home"
    collection.add_dataset("mnist")
    collection._manifest.save()
    code, out, _ = call("roots", "-c", home, cwd=tmp_path)
    assert (code, out) == (0, "photos\t6 images\tphotos\nmnist\t0 images\tdata set\n")
    photos.rename(tmp_path / "new")
    assert "(not there)" in call("roots", "-c", home, cwd=tmp_path)[1]
    code, _, err = call("roots", "--move", "photos", "home", "-c", home, cwd=tmp_path)
    assert (code, err.count("\n")) == (2, 1)
    code, out, _ = call("roots", "--move", "photos", "new", "-c", home, "--json", cwd=tmp_path)
    assert code == 0
    root = json.loads(out)["roots"][0]
    assert (root.pop("labels_told"), root.pop("labels_silent")) == (False, False)
    assert isinstance(root.pop("labels_agreement"), float)
    assert root == {
        "name": "photos", "path": "new", "dataset": None, "images": 6, "is_there": True, "labels": "folders",
        "exclude": [],
    }  # fmt: skip


def test_another_spelling_of_a_root_is_the_same_root(photos, tmp_path, monkeypatch):
    from lookalike.images.finding import spelling

    real = spelling._spelled_in

    def blind(folder, name):
        return real(folder, name.lower() if name.lower() in ("photos", "cats") else name)

    monkeypatch.setattr(spelling, "_spelled_in", blind)
    monkeypatch.setattr("os.path.isdir", lambda path, _isdir=os.path.isdir: _isdir(str(path).lower()))
    collection = Collection.create(tmp_path / "home", with_root=False)
    collection.add_root(photos)
    collection.add_root(tmp_path / "PHOTOS", labels="none")
    assert collection.roots == (photos,)
    with pytest.raises(CollectionError, match="overlap"):
        collection.add_root(tmp_path / "Photos" / "CATS")
    assert collection.holds(tmp_path / "Photos" / "CATS" / "0.png")
    assert (
        collection._resources().places.stored(str(tmp_path / "Photos" / "CATS" / "0.png"))
        == "photos:cats/0.png"
    )


@pytest.fixture
def cafes(tmp_path):
    """Two folders whose names look the same, in two normal forms."""
    folder = tmp_path / "p"
    for number, name in enumerate((NFC, NFD)):
        (folder / str(number) / name).mkdir(parents=True)
        for seed in range(2):
            picture(10 * number + seed).save(folder / str(number) / name / f"{seed}.png")
    return folder


def test_labels_that_look_the_same_are_one(cafes):
    collection = Collection.create(cafes)
    collection.sync()
    assert collection.info().labels == {f"0/{NFC}": 2, f"1/{NFC}": 2}
    for label in (NFC, NFD):
        query = cafes / "0" / NFC / "0.png"
        assert len(collection.search(query, where=Filter(labels=[label])).hits) == 3
        assert len(collection.search(query, where=Filter(labels=[f"0/{label}"])).hits) == 1
    table = cafes / "labels.csv"
    rows = [f"0/{NFD}/0.png,{NFD}", f"0/{NFC}/1.png,{NFC}", f"1/{NFC}/0.png,other", f"1/{NFD}/1.png,other"]
    table.write_text("\n".join(["path,label", *rows]), encoding="utf-8")
    found = collection.evaluation.retrieval(k=1, labels=table)
    assert (found.n_queries, found.n_unlabelled, found.unknown) == (4, 0, ())
    assert {each.label for each in found.classes} == {NFC, "other"}


def test_paths_typed_in_the_other_form_are_found(cafes, call):
    collection = Collection.create(cafes)
    collection.sync()
    for number, (there, typed) in enumerate(((NFC, NFD), (NFD, NFC))):
        file = cafes / str(number) / typed / "0.png"
        assert collection.image_info(file).paths == (str(cafes / str(number) / there / "0.png"),)
        assert len(collection.search(file, k=1).hits) == 1
        code, out, _ = call("search", file, "--in", cafes / str(number) / typed, "-f", cwd=cafes)
        assert (code, len(out.split())) == (0, 1)
        assert collection.sync([cafes / str(number) / typed]).unchanged == 2
        assert collection.sync([cafes / str(number) / typed / "*.png"]).unchanged == 2
        os.remove(cafes / str(number) / there / "0.png")
        assert collection.image_info(file).paths  # of the table, until the next sync


def test_two_files_whose_names_look_the_same_are_two(tmp_path):
    for number, name in enumerate((NFC, NFD)):
        picture(number).save(tmp_path / f"{name}.png")
    collection = Collection.create(tmp_path)
    assert collection.sync().added == 2
    ids = {collection.image_info(tmp_path / f"{name}.png").id for name in (NFC, NFD)}
    assert len(ids) == 2
    assert counts(collection.sync()) == {"unchanged": 2}


def test_labels_of_earlier_versions_compare_meanwhile_and_are_mended_by_the_next_sync(cafes):
    collection = Collection.create(cafes)
    collection.sync()
    store = Store(cafes / ".lookalike")
    rows = store.files.read().to_pylist()
    for row in rows:
        row["label"] = unicodedata.normalize("NFD", row["label"])
    store.files.upsert({name: [row[name] for row in rows] for name in rows[0]})
    assert collection.info().labels == {f"0/{NFC}": 2, f"1/{NFC}": 2}
    hits = collection.search(cafes / "0" / NFC / "0.png", where=Filter(labels=[NFC])).hits
    assert {hit.label for hit in hits} == {f"0/{NFC}", f"1/{NFC}"}
    assert collection.sync().unchanged == 4
    assert set(store.files.read(["label"])["label"].to_pylist()) == {f"0/{NFC}", f"1/{NFC}"}


def test_names_of_clusters_and_clusterings_compare_in_one_form(collection):
    collection.clusterings.make(k=2, name=NFD)
    assert collection.clusterings.names() == [NFC]
    collection.clusterings.rename(NFD, 0, NFD)
    assert [cluster.name for cluster in collection.clusterings.get(NFC).clusters if cluster.name] == [NFC]
    collection.clusterings.rename(NFC, NFC, "other")
    collection.clusterings.delete(NFD)
    assert collection.clusterings.names() == []


@pytest.mark.skipif(os.sep == "\\", reason="a separator there")
def test_a_backslash_in_a_label_is_typed_as_it_is(call, tmp_path):
    folder = tmp_path / "p" / "a\\b"
    folder.mkdir(parents=True)
    for seed in range(2):
        picture(seed).save(folder / f"{seed}.png")
    picture(7).save(tmp_path / "p" / "7.png")
    call("index", "p", cwd=tmp_path)
    document = json.loads(call("info", "p/a\\b/0.png", "--json", "-c", "p", cwd=tmp_path)[1])
    assert document["images"][0]["labels"] == ["a\\b"]
    words = ("search", "p/a\\b/0.png", "--label", "a\\b", "-c", "p", "--json")
    code, out, _ = call(*words, cwd=tmp_path)
    assert code == 0
    assert [hit["label"] for hit in json.loads(out)["hits"]] == ["a\\b"]
    assert "a\\b 2" in call("info", "-c", "p", cwd=tmp_path)[1]


def test_images_in_leavings_leave_at_the_next_sync_and_are_no_great_loss(photos, monkeypatch):
    scanning = sys.modules["lookalike.images.finding.scan"]  # the name is its function's, too
    for number in range(8):
        (photos / "#recycle").mkdir(exist_ok=True)
        picture(20 + number).save(photos / "#recycle" / f"{number}.png")
    collection = Collection.create(photos)
    with monkeypatch.context() as before:  # as the version before saw it
        before.setattr(scanning, "find_left_folder", lambda name: None)
        before.setattr(scanning, "first_left_folder", lambda folders: None)
        assert collection.sync().added == 14
    report = collection.sync()
    assert (report.removed, report.unchanged) == (8, 6)
    assert report.passed_over["folders of other programs"].names == ("#recycle",)
    assert collection.sync([photos / "#recycle"]).added == 0  # the next sync would take them out again


def test_own_pictures_are_passed_over_once_and_quietly(call, photos, monkeypatch):
    call("index", ".", cwd=photos)
    for name in ("map.png", "map.jpg", "map.svg"):
        call("map", "--method", "pca", "-o", name, cwd=photos)
    report = json.loads(call("index", "--json", cwd=photos)[1])
    assert (report["added"], report["failed"], report["unchanged"]) == (0, 0, 6)
    assert report["passed_over"]["pictures that lookalike drew"]["count"] == 2
    monkeypatch.setattr("lookalike.sync.reading.read_file", None)  # not read again
    code, out, _ = call("index", cwd=photos)
    assert code == 0
    assert "2 pictures that lookalike drew" in out
    assert "could not be read" not in out
    assert "failed" not in call("info", cwd=photos)[1]
    monkeypatch.undo()
    code, out, _ = call("index", "map.png", cwd=photos)
    assert (code, "1 picture that lookalike drew" in out) == (0, True)
    code, _, err = call("info", "map.png", cwd=photos)
    assert (code, err) == (2, "lookalike: map.png is passed over: a picture that lookalike drew\n")


def test_a_folder_without_images_says_what_is_there(call, tmp_path):
    for name in ("a.mov", "b.mov", "c.pef", ".hidden.mov"):
        (tmp_path / name).write_bytes(b"x")
    code, out, _ = call("index", ".", cwd=tmp_path)
    assert code == 0
    assert "no images found" in out
    assert "Passed over: 2 videos (.mov), 1 RAW (.pef)\n" in out


def test_an_exclude_that_matches_nothing_is_told(call, photos, tmp_path):
    code, _, err = call("index", ".", "--exclude", "thumbs", "--exclude", "./cats/", cwd=photos)
    assert (code, err.count("\n")) == (0, 1)
    assert "--exclude thumbs passes over nothing" in err
    code, _, err = call("index", ".", "--no-exclude", "--exclude", photos / "dogs", cwd=photos)
    assert (code, err) == (0, "")
    assert Collection.open(photos).info().labels == {"cats": 3}
    for text in ("", tmp_path):
        code, _, err = call("index", ".", "--exclude", text, cwd=photos)
        assert (code, err.count("\n")) == (2, 1)
    assert Collection.open(photos).list_roots()[0].exclude == ("./dogs",)


def test_a_glob_is_about_the_folder_that_one_stands_in(call, tmp_path):
    for name in ("trip [12]", "trip 1"):
        (tmp_path / name).mkdir()
        picture(len(name)).save(tmp_path / name / "a.png")
    call("index", "*.png", cwd=tmp_path / "trip [12]")
    assert len(Collection.open(tmp_path / "trip [12]", above=False)) == 1
    shutil.rmtree(tmp_path / "trip [12]" / ".lookalike")
    call("index", "trip [12]/*.png", "-c", tmp_path / "c", cwd=tmp_path)
    call("index", tmp_path / "trip [12]" / "**" / "*.png", "-c", tmp_path / "c", cwd=tmp_path)
    assert Collection.open(tmp_path / "c").roots == (tmp_path / "trip [12]",)
    assert len(Collection.open(tmp_path / "c")) == 1
