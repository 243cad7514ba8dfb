"""Which version of a table counts when the newest is not whole."""

import os
import shutil
import warnings

import pytest

from cut_off import forget_all, forget_notes
from lookalike.errors import DamageWarning, StoreDamagedError
from lookalike.store import schema, versions
from lookalike.store.checksums import CHECKSUMS
from lookalike.store.store import Store
from lookalike.store.table import Table


def file_rows(label, paths=("a:1", "a:2", "a:3")):
    n = len(paths)
    return {
        "path": list(paths),
        "id": list(range(n)),
        "size": [1] * n,
        "mtime_ns": [1] * n,
        "label": [label] * n,
    }


def labels(table):
    return sorted(set(table.read(["label"])["label"].to_pylist()))


@pytest.fixture
def place(tmp_path):
    return tmp_path / ".lookalike" / "files.lance"


@pytest.fixture
def table(place):
    """Three versions, each with rows of its own."""
    place.parent.mkdir()
    made = Table(place, schema.files(), lambda: True)
    for label in ("first", "second", "third"):
        made.upsert(file_rows(label))
    return made


def newest_data(place):
    return max((place / "data").iterdir(), key=lambda file: file.stat().st_mtime_ns)


def spoil_manifest(place, how):
    file = place / "_versions" / versions.manifests(place)[0]
    content = file.read_bytes()
    middle = len(content) // 2
    spoilt = {
        "emptied": b"",
        "cut": content[:middle],
        "zeroed": bytes(len(content)),
        "zeroed at the end": content[:middle] + bytes(len(content) - middle),
        "zeroed in part": content[:10] + bytes(middle) + content[10 + middle :],
        "flipped": content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :],
    }[how]
    file.write_bytes(spoilt)


def spoil_data(place, how):
    file = newest_data(place)
    content = file.read_bytes()
    if how == "deleted":
        file.unlink()
        return
    middle = len(content) // 2
    file.write_bytes(
        {
            "emptied": b"",
            "cut": content[:middle],
            "zeroed": bytes(len(content)),
            "flipped": content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :],
        }[how]
    )


@pytest.mark.parametrize("how", ["emptied", "cut", "zeroed", "zeroed at the end"])
def test_a_newest_version_that_was_cut_off_is_passed_over_by_all_and_written_anew(table, place, how):
    spoil_manifest(place, how)
    forget_notes(place)
    with pytest.warns(DamageWarning, match=r"files\.lance was cut off before it was done"):
        assert labels(table) == ["second"]
    # From now on all agree, and it is not said again.
    assert versions.newest_commit(place).version == table.version() == 2
    assert table.open_at(3).version == 2
    assert labels(table) == ["second"]
    table.upsert(file_rows("anew"))
    assert table.version() == 3
    assert labels(table) == ["anew"]
    assert [file.name for file in (place.parent / "damaged/files.lance/_versions").iterdir()] == [
        versions.manifests(place)[0]
    ]
    forget_all()
    assert labels(Table(place, schema.files())) == ["anew"]


@pytest.mark.parametrize("how", ["deleted", "emptied", "cut"])
def test_a_version_whose_data_were_cut_off_is_passed_over(table, place, how):
    spoil_data(place, how)
    (place / CHECKSUMS).unlink()  # as of a collection of before
    forget_all()
    with pytest.warns(DamageWarning, match=r"data/\S+\.lance is (damaged|missing)"):
        assert labels(table) == ["second"]
    table.upsert(file_rows("anew"))
    assert labels(table) == ["anew"]


@pytest.mark.parametrize("how", ["emptied", "cut", "zeroed", "zeroed in part", "flipped"])
def test_a_manifest_that_has_rotted_is_never_read(table, place, how, capfd):
    spoil_manifest(place, how)
    forget_all()
    with pytest.warns(DamageWarning, match="is damaged .*not what was written"):
        assert labels(table) == ["second"]
    assert capfd.readouterr().err == ""  # Lance would say something


@pytest.mark.parametrize("how", ["deleted", "emptied", "cut", "zeroed", "flipped"])
def test_data_that_have_rotted_are_never_read(table, place, how):
    spoil_data(place, how)
    forget_all()
    with pytest.warns(DamageWarning, match=r"is damaged \(data/"):
        assert labels(table) == ["second"]


def test_what_people_said_is_not_written_over_once_it_has_rotted(table, place):
    spoil_data(place, "flipped")
    forget_all()
    peoples = Table(place, schema.files())
    with pytest.warns(DamageWarning):
        assert labels(peoples) == ["second"]
    before = sorted(os.listdir(place / "_versions"))
    for write in (lambda: peoples.upsert(file_rows("anew")), lambda: peoples.delete(["a:1"])):
        with pytest.raises(StoreDamagedError, match=r"files\.lance is damaged: data/") as caught:
            write()
        assert caught.value.hint.kind == "repair"
    assert sorted(os.listdir(place / "_versions")) == before
    table.upsert(file_rows("anew"))  # what is made again may
    assert labels(peoples) == ["anew"]


def test_where_nothing_is_whole_one_line_names_the_repair(table, place):
    for file in (place / "data").iterdir():
        file.write_bytes(b"")
    forget_all()
    for _ in range(2):
        with pytest.raises(StoreDamagedError, match=r"cannot read .*files\.lance") as caught:
            labels(table)
        assert caught.value.hint.kind == "repair"
    with pytest.raises(StoreDamagedError):
        table.upsert(file_rows("anew"))
    assert len(versions.manifests(place)) == 3


@pytest.mark.parametrize("how", ["emptied", "cut", "zeroed"])
def test_a_first_write_that_was_cut_off_is_none(place, how):
    place.parent.mkdir()
    table = Table(place, schema.files())
    table.upsert(file_rows("first"))
    spoil_manifest(place, how)
    forget_notes(place)
    store = Store(place.parent)
    assert not store.files.exists()
    from lookalike.store import PinnedStore

    forget_all()
    assert PinnedStore.take(place.parent).files.count() == 0
    assert table.count() == 0
    table.upsert(file_rows("anew"))
    assert labels(table) == ["anew"]


def test_those_who_hold_it_pinned_agree_with_those_who_open_it(table, place):
    from lookalike.store import PinnedStore

    spoil_data(place, "flipped")
    forget_all()
    pinned = PinnedStore.take(place.parent)
    with pytest.warns(DamageWarning):
        assert labels(pinned.files) == ["second"]
    assert pinned.files.state() == table.state()
    again = PinnedStore.take(place.parent, pinned)
    assert again.state["files.lance"].version == 2
    assert again.files.is_newest()
    assert labels(again.files) == ["second"]


def test_a_copy_is_whole_and_a_table_without_checksums_is_too(table, place, tmp_path):
    shutil.copytree(place, tmp_path / "copy.lance")
    (tmp_path / "copy.lance" / CHECKSUMS).read_bytes()
    shutil.copytree(place, tmp_path / "older.lance")
    (tmp_path / "older.lance" / CHECKSUMS).unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("copy.lance", "older.lance"):
            assert labels(Table(tmp_path / name, schema.files())) == ["third"]


def test_a_system_that_refuses_is_no_damage(table, place, monkeypatch):
    import lance

    def refuse(*_, **__):
        raise OSError(24, "Too many open files")

    forget_all()
    monkeypatch.setattr(lance, "dataset", refuse)
    from lookalike.errors import StoreResourceError

    with pytest.raises(StoreResourceError, match="Too many open files"):
        labels(table)
    monkeypatch.undo()
    assert labels(table) == ["third"]


def test_looking_anew_finds_what_has_rotted_since(table, place):
    assert versions.look(place, 3) is None
    spoil_data(place, "flipped")
    assert labels(table)  # which was found whole before
    assert versions.look(place, 3).was_done
    assert versions.look(place, 2) is None
    assert versions.look(place, 9).reason == "it is not there"


@pytest.mark.parametrize("n_versions", [1, 2])
def test_versions_that_were_deleted_are_missed(table, place, n_versions):
    for name in versions.manifests(place)[:n_versions]:
        (place / "_versions" / name).unlink()
    left = ["first", "second"][2 - n_versions]
    forget_all()
    with pytest.warns(DamageWarning, match=r"is damaged .*is missing"):
        assert labels(table) == [left]
    with pytest.raises(StoreDamagedError, match="is missing"):
        Table(place, schema.files()).upsert(file_rows("anew"))
    table.upsert(file_rows("anew"))
    forget_all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert labels(Table(place, schema.files())) == ["anew"]


def test_a_version_that_comes_while_one_looks_is_not_missed(table, place, monkeypatch):
    listed, looks = versions._listed, []

    def list_then_commit(folder):
        names = listed(folder)
        looks.append(folder)
        if len(looks) == 1:
            Table(place, schema.files()).upsert(file_rows("meanwhile"))
            forget_all()
        return names

    reader = Table(place, schema.files())
    forget_all()
    monkeypatch.setattr(versions, "_listed", list_then_commit)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert labels(reader) == ["meanwhile"]
    assert len(looks) > 1


def test_a_table_that_lost_all_versions_is_not_taken_for_none(table, place):
    from lookalike.store import PinnedStore

    for name in versions.manifests(place):
        (place / "_versions" / name).unlink()
    forget_all()
    with pytest.raises(StoreDamagedError, match="is missing"):
        labels(table)
    with pytest.raises(StoreDamagedError, match="is missing"):
        table.upsert(file_rows("anew"))
    forget_all()
    with pytest.warns(DamageWarning, match="is missing"):
        PinnedStore.take(place.parent)


def test_the_data_of_a_version_that_was_moved_aside_are_kept(table, place):
    before = set(os.listdir(place / "data"))
    spoil_manifest(place, "flipped")
    forget_all()
    with pytest.warns(DamageWarning):
        table.upsert(file_rows("anew"))
    forget_all()
    Table(place, schema.files(), lambda: True).upsert(file_rows("again"))
    assert before <= set(os.listdir(place / "data"))
