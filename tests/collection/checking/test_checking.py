"""Damage is found, costs no wrong answer, and is mended as far as it can be."""

import errno
import os
import re
import shutil
import warnings

import pytest
from faults.collection_with_everything import REDUCED, ask, copy
from faults.damages import Campaign, Injury, check, files_of
from faults.report import Asked, Report

from cut_off import each_moment
from lookalike import Collection
from lookalike.collection.checking.said import without_gaps
from lookalike.errors import CollectionDamagedError, DamageWarning, LockedError, StoreDamagedError
from lookalike.store import JOURNAL, Table, schema
from pictures import picture
from standin_models import image_graph


@pytest.fixture(scope="module")
def campaign(tmp_path_factory) -> Campaign:
    """A collection with everything, copies of which are damaged."""
    place = tmp_path_factory.mktemp("damages")
    return Campaign(place, Report("damages", Asked()), n_images=16, indexes=("exact", "kdtree"))


def largest(campaign: Campaign, start: str, ending: str = "") -> str:
    files = [each for each in files_of(campaign.home) if each.startswith(start) and each.endswith(ending)]
    return max(files, key=lambda each: (campaign.home / each).stat().st_size)


@pytest.mark.parametrize(
    ("kind", "start", "ending"),
    [
        ("flip", "collection.json", "n"),
        ("delete", "collection.json", "n"),
        ("flip", "files.lance/data", ""),
        ("cut", "images.lance/data", ""),
        ("delete", "thumbnails.lance/data", ""),
        ("flip", "vectors/pixels-8-rgb.lance/data", ""),
        ("empty", "vectors/pixels-8-grey.lance/_versions", ".manifest"),
        ("flip", "said/journal.lance/data", ""),
        ("flip", "fields.lance/data", ""),
        ("flip", "indexes/pixels-8-grey-exact", "rows.npy"),
        ("flip", "indexes/pixels-8-grey-kdtree", ".npy"),
        ("flip", "clusterings/kmeans", "clustering.json"),
        ("empty", "clusterings/kmeans", "clustering.json"),
        ("cut", "maps/pca", ".npz"),
        ("flip", "models", ".npz"),
        ("flip", "added/", ".png"),
        ("delete", "added/", ".png"),
        ("delete", "clusterings/plain", "clustering.json"),
        ("delete", "clusterings/plain", ".npz"),
        ("delete", "maps/pca", "map.json"),
        ("delete", "models/ours", ".external"),
        ("delete", "models", ".npz"),
    ],
)
def test_damage_gives_no_wrong_answer_and_is_mended_or_said(campaign, kind, start, ending):
    campaign.report.faults.clear()
    campaign.try_out(Injury(kind, largest(campaign, start, ending), 0.6, 3))
    assert campaign.report.faults == []


def test_a_model_none_of_whose_versions_is_as_noted_is_embedded_with_again(campaign):
    campaign.report.faults.clear()
    own, other = (f"vectors/pixels-8-{name}.lance/checksums.txt" for name in ("grey", "rgb"))
    campaign.try_out(Injury("swap", other, other=own))
    assert campaign.report.faults == []


def test_all_kinds_of_files_are_found_damaged_that_keep_size_time_and_number(campaign, tmp_path):
    shutil.copytree(campaign.whole, tmp_path / "photos")
    ask(tmp_path / "photos")
    campaign.report.faults.clear()
    for start in (
        "collection.json",
        "vectors/pixels-8-grey.lance/data",
        "indexes/pixels-8-grey-exact",
        "maps",
    ):
        campaign.try_quietly(tmp_path / "photos", Injury("flip", largest(campaign, start), 0.5, 1))
    assert campaign.report.faults == []
    assert campaign.report.figures["quiet"] == {"found": 4}
    assert check(tmp_path / "photos").is_whole


def test_a_repair_says_what_is_lost_and_keeps_what_was_damaged(campaign, tmp_path):
    copy(campaign.whole, tmp_path / "photos")
    home = tmp_path / "photos/.lookalike"
    arrays = largest(campaign, "clusterings/plain", ".npz")
    Injury("cut", arrays, 0.5).inflict(home)
    damaged = (home / arrays).read_bytes()
    report = check(tmp_path / "photos", repair=True)
    (damage,) = report
    assert (damage.part, damage.is_mended, report.is_whole) == ("clustering", False, False)
    assert "is lost" in damage.remedy
    assert (home / "damaged" / arrays).read_bytes() == damaged
    assert check(tmp_path / "photos").is_whole
    assert Collection.open(tmp_path / "photos").clusterings.names() == ["kmeans"]


def test_a_reduced_model_is_fitted_again_and_has_its_vectors(campaign, tmp_path):
    copy(campaign.whole, tmp_path / "photos")
    home = tmp_path / "photos/.lookalike"
    components = f"models/{REDUCED}.npz"
    Injury("flip", components, 0.5).inflict(home)
    damaged = (home / components).read_bytes()
    (damage,) = check(tmp_path / "photos", repair=True)
    assert "fitted again" in damage.remedy
    assert (home / "damaged" / components).read_bytes() == damaged
    assert check(tmp_path / "photos").is_whole
    models = Collection.open(tmp_path / "photos").info().models
    assert models[REDUCED] == Collection.open(campaign.whole).info().models[REDUCED] > 0


def test_a_manifest_without_a_copy_is_made_of_what_the_tables_say(campaign, tmp_path):
    copy(campaign.whole, tmp_path / "photos")
    home = tmp_path / "photos/.lookalike"
    for name in ("collection.json", "collection.json.copy"):
        Injury("empty", name).inflict(home)
    with pytest.raises(CollectionDamagedError, match="check_at"):
        Collection.open(tmp_path / "photos")
    assert not check(tmp_path / "photos", repair=True).is_whole  # it is to be looked at
    with Collection.open(tmp_path / "photos") as mended:
        assert mended.model == "pixels-8-grey"
        assert mended.roots == (tmp_path / "photos",)
    after = ask(tmp_path / "photos")
    assert {name for name in campaign.expected if after[name] != campaign.expected[name]} == set()


def test_a_repair_that_was_cut_off_is_ended_by_the_next(campaign, tmp_path, monkeypatch):
    import lance

    from lookalike.collection.checking import tables

    copy(campaign.whole, tmp_path / "photos")
    table = lance.dataset(str(campaign.home / "files.lance"))
    file = table.get_fragments()[0].data_files()[0].path
    Injury("flip", f"files.lance/data/{file}", 0.5, 1).inflict(tmp_path / "photos/.lookalike")

    def cut_off(new, folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(tables, "_put", cut_off)
    with pytest.raises(KeyboardInterrupt):
        check(tmp_path / "photos", repair=True)
    monkeypatch.undo()
    check(tmp_path / "photos", repair=True)
    assert check(tmp_path / "photos").is_whole
    after = ask(tmp_path / "photos")
    assert after["own model"] == campaign.expected["own model"]
    assert not (tmp_path / "photos/.lookalike/repaired").exists()


def test_changes_that_are_lost_leave_the_others_their_numbers(campaign):
    with Collection.open(campaign.whole) as opened, warnings.catch_warnings():
        rows = opened._resources().live.journal.rows_from(1)
    left, n_lost = without_gaps(rows.filter([number != 1 for number in rows["number"].to_pylist()]))
    assert (left["number"].to_pylist(), n_lost) == (rows["number"].to_pylist(), 1)
    assert left["words"].to_pylist()[1:] == rows["words"].to_pylist()[1:]


def test_a_read_only_collection_is_checked(campaign, tmp_path):
    copy(campaign.whole, tmp_path / "photos")
    home = tmp_path / "photos/.lookalike"
    os.chmod(home, 0o500)
    try:
        assert check(tmp_path / "photos").is_whole
    finally:
        os.chmod(home, 0o700)


def damage_rows(home, table):
    """Spoil all rows of a table's newest version."""
    import lance

    for fragment in lance.dataset(str(home / table)).get_fragments():
        for file in fragment.data_files():
            Injury("flip", f"{table}/data/{file.path}", 0.3, 1).inflict(home)


def test_nobody_says_anything_or_renames_while_that_is_mended(campaign, tmp_path, monkeypatch):
    from lookalike.collection.checking import named, tables
    from lookalike.store import writer_lock

    copy(campaign.whole, tmp_path / "photos")
    home = tmp_path / "photos/.lookalike"
    damage_rows(home, JOURNAL)
    Injury("empty", "clusterings/kmeans/clustering.json").inflict(home)
    asked = []

    def watched(function, lock):
        def asking(*given):
            with pytest.raises(LockedError), writer_lock(lock):
                pass
            asked.append(lock.name)
            return function(*given)

        return asking

    monkeypatch.setattr(tables, "_mend", watched(tables._mend, home / "said"))
    monkeypatch.setattr(named, "_replace", watched(named._replace, home / "clusterings/.lock"))
    check(tmp_path / "photos", repair=True)
    assert asked == ["said", ".lock"]


def test_what_was_said_waits_for_the_end_of_a_repair_that_was_cut_off(campaign, tmp_path, monkeypatch):
    from lookalike.collection.checking import tables

    copy(campaign.whole, tmp_path / "photos")
    home = tmp_path / "photos/.lookalike"
    newest = min(os.listdir(home / JOURNAL / "_versions"))
    Injury("flip", f"{JOURNAL}/_versions/{newest}", 0.5, 1).inflict(home)

    def cut_off(new, folder):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(tables, "_put", cut_off)
        check(tmp_path / "photos", repair=True)
    with Collection.open(tmp_path / "photos") as opened:
        with pytest.warns(DamageWarning, match="a repair of .*journal.lance was cut off"):
            (hit, *_) = opened.search(tmp_path / "photos/owls/001.png", k=1)
        with pytest.raises(StoreDamagedError, match="was cut off"):
            opened.labels.give([hit.id], "new")
    check(tmp_path / "photos", repair=True)
    with Collection.open(tmp_path / "photos") as opened:
        assert set(opened.labels.by_image().values()) == {"barn", "shed"}


def test_vectors_that_were_brought_along_outlast_files_that_are_not_found_again(campaign, tmp_path):
    from lookalike.store import Store

    copy(campaign.whole, tmp_path / "photos")
    home = tmp_path / "photos/.lookalike"
    damage_rows(home, "files.lance")
    (tmp_path / "photos/owls").rename(tmp_path / "unplugged")
    n = Store(home).vectors("ours", 16).count()
    report = check(tmp_path / "photos", repair=True)
    (lost,) = (each for each in report if each.place == "vectors/ours.lance")
    assert (lost.reason, lost.is_mended) == ("the images of 7 vectors were not found again", False)
    assert Store(home).vectors("ours", 16).count() == n - 7
    kept = home / "damaged/vectors/ours.lance"
    assert Table(kept, schema.vectors(16)).count() == n


def test_nothing_is_replaced_that_there_is_no_room_to_keep(campaign, tmp_path, monkeypatch):
    copy(campaign.whole, tmp_path / "photos")
    facts = tmp_path / "photos/.lookalike/clusterings/kmeans/clustering.json"
    Injury("cut", "clusterings/kmeans/clustering.json", 0.5).inflict(tmp_path / "photos/.lookalike")
    damaged = facts.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "link", full)
        patched.setattr(shutil, "copyfile", full)
        (damage,) = check(tmp_path / "photos", repair=True)
    assert (damage.is_mended, "No space left" in damage.remedy) == (False, True)
    assert facts.read_bytes() == damaged
    (damage,) = check(tmp_path / "photos", repair=True)
    assert damage.is_mended


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"\0" * 99, "it holds nothing but zeros"),
        (b'{"format": [', "it is cut off"),
        (b"\xff\xd8\xff", "it is no text"),
        (b"<html>", "it is no JSON from line 1 on"),
        (b"[]", "it is no JSON object"),
        (b"{}", "its entry|its format|its arrays|another lookalike's format|not known what"),
    ],
)
def test_documents_that_are_none_are_described_for_people(campaign, tmp_path, content, words):
    shutil.copytree(campaign.whole, tmp_path / "photos")
    home = tmp_path / "photos/.lookalike"
    files = [
        *(home / name for name in ("collection.json", "clusterings/kmeans/clustering.json")),
        *(each for each in home.glob("models/*") if each.suffix in (".json", ".external")),
        *home.glob("maps/*/map.json"),
        *home.glob("indexes/*/*/index.json"),
    ]
    for file in files:
        file.write_bytes(content)
    found = Collection.check_at(tmp_path / "photos")
    reasons = {each.place: each.reason for each in found}
    for file in files:
        place = file.relative_to(home).as_posix()
        reason = reasons.get(place) or reasons.get(os.path.dirname(place))
        assert reason is not None, place
        assert re.search(words, reason), (place, reason)
    with pytest.raises(
        CollectionDamagedError, match=rf"collection\.json is damaged: .*({words}).*\n.*repair"
    ):
        Collection.open(tmp_path / "photos")


def test_what_a_kill_leaves_between_a_file_and_its_copy_is_no_damage(photos, tmp_path):
    """Each state that lies on the disk before a file outside of the tables takes its place, or goes."""
    (tmp_path / "more").mkdir()
    picture(90).save(tmp_path / "more/90.png")
    (tmp_path / "tiny.onnx").write_bytes(image_graph())
    with each_moment(photos / ".lookalike", tmp_path / "moments") as moments:
        made = Collection.create(photos, model="pixels-8-grey")
        made.sync(jobs=1)
        made.add_root(tmp_path / "more")
        made.sync(jobs=1)
        made.sync(model=str(tmp_path / "tiny.onnx"), jobs=1)
        made.add([(tmp_path / "more/90.png", "key")], jobs=1)
        made.add_vectors("ours", [photos / "cats/0.png"], [[1.0, 0.0]])
        made.clusterings.make(k=2)
        made.clusterings.edit("kmeans", rename=[(0, "pets")])
        made.maps.make(method="pca")
        made.models.reduce(2)
        made.search(photos / "cats/0.png", index="kdtree")
        made.remove(["key"])
        made.clusterings.delete("kmeans")
    assert len(moments) > 60
    found = {}
    for place in moments:
        if (place / ".lookalike/collection.json").exists():  # else there is no collection yet
            found.setdefault(contents(place), place)
    assert len(found) > 20
    wrong = {}
    for place in found.values():
        report = Collection.check_at(place)
        if not report.is_whole:
            wrong[place.name] = [(each.place, each.reason) for each in report]
    assert wrong == {}


@pytest.mark.parametrize("door", ["index", "repair"])
def test_a_copy_of_an_earlier_manifest_is_renewed_and_one_that_is_damaged_is_told(photos, tmp_path, door):
    (tmp_path / "more").mkdir()
    made = Collection.create(photos, model="pixels-8-grey")
    made.sync(jobs=1)
    home = photos / ".lookalike"
    file, copied = home / "collection.json", home / "collection.json.copy"
    earlier = copied.read_bytes()
    made.add_root(tmp_path / "more")
    made.sync(jobs=1)
    copied.write_bytes(earlier)
    assert made.check().is_whole
    assert copied.read_bytes() == earlier != file.read_bytes()
    if door == "repair":
        assert made.check(repair=True).is_whole
    else:
        made.sync(jobs=1)
    assert copied.read_bytes() == file.read_bytes()
    assert not (home / "damaged").exists()
    for damage in (earlier.replace(b"grey", b"gray"), earlier.replace(b'"sum', b'"sun'), b""):
        copied.write_bytes(damage)
        assert [each.place for each in made.check()] == ["collection.json.copy"]


def test_a_copy_of_earlier_facts_is_renewed_by_a_repair_and_one_that_is_damaged_is_told(photos):
    made = Collection.create(photos, model="pixels-8-grey")
    made.sync(jobs=1)
    made.clusterings.make(k=2)
    place = photos / ".lookalike/clusterings/kmeans"
    earlier = (place / "facts.copy").read_bytes()
    made.clusterings.edit("kmeans", rename=[(0, "pets")])
    (place / "facts.copy").write_bytes(earlier)
    assert made.check().is_whole
    assert made.check(repair=True).is_whole
    assert (place / "facts.copy").read_bytes() == (place / "clustering.json").read_bytes()
    (place / "facts.copy").write_bytes(earlier[:-9])
    assert [each.place for each in made.check()] == ["clusterings/kmeans/facts.copy"]


def contents(place):
    """What lies in a folder outside of tables: names and contents."""
    files = (each for each in place.rglob("*") if each.is_file() and ".lance" not in str(each))
    return tuple(sorted((str(each.relative_to(place)), each.read_bytes()) for each in files))
