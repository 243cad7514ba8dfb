"""A table that only grows: every row is on the disk before its writer hears of it."""

import datetime
import os
import subprocess
import sys

import pytest

from cut_off import spoil
from lookalike.errors import DamageWarning, LockedError, StoreError
from lookalike.store import PinnedStore, Store, journal_table, look_at_tables


def row(number, ids=()):
    return {
        "number": [number],
        "time": [datetime.datetime(2026, 1, 1)],
        "kind": ["labels"],
        "words": ["said"],
        "undoes": [None],
        "payload": ["{}"],
        "ids": [list(ids)],
        "numbers": [[]],
    }


def append(table, *numbers):
    for number in numbers:
        with table.writing():
            table.append(row(number))


def numbers(table, first=1):
    return table.rows_from(first)["number"].to_pylist()


def test_rows_come_back_in_their_order_from_any_number_on(tmp_path):
    table = Store(tmp_path).journal
    assert numbers(table) == []
    append(table, 1, 2, 3)
    assert (numbers(table), numbers(table, 2), numbers(table, 4)) == ([1, 2, 3], [2, 3], [])


def test_small_files_are_joined_and_old_versions_cleared_and_nothing_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_table, "_JOINED_EVERY", 4)
    monkeypatch.setattr(journal_table, "_CLEARED_EVERY", 8)
    monkeypatch.setattr(journal_table, "_VERSIONS_KEPT", 3)
    table = Store(tmp_path).journal
    append(table, *range(1, 31))
    assert numbers(table) == list(range(1, 31))
    assert numbers(table, 17) == list(range(17, 31))
    assert len(os.listdir(table.folder / "data")) < 20
    assert len(os.listdir(table.folder / "_versions")) < 20


def test_data_are_flushed_before_the_commit_that_names_them_and_that_before_the_call_returns(
    tmp_path, monkeypatch
):
    table = Store(tmp_path).journal
    flushed = []
    flush = os.fsync

    def spy(handle):
        path = os.readlink(f"/proc/self/fd/{handle}") if os.path.isdir("/proc/self/fd") else ""
        newest = look_at_tables(tmp_path).get("said/journal.lance")
        flushed.append((os.path.relpath(path, table.folder), 0 if newest is None else newest.version))
        flush(handle)

    monkeypatch.setattr(os, "fsync", spy)
    monkeypatch.setattr(journal_table, "_JOINED_EVERY", 3)
    for number in (1, 2):
        flushed.clear()
        append(table, number)
        if not flushed[0][0].startswith(".."):
            data = [version for path, version in flushed if path.startswith("data/")]
            commits = [version for path, version in flushed if path.startswith("_versions/")]
            assert data == [number - 1]  # while the commit before was the newest
            assert commits == [number]
            assert ("_versions", number) in flushed
            assert ("data", number - 1) in flushed
    flushed.clear()
    append(table, 3)  # the third commit, after which the fourth joins what is there
    data = [version for path, version in flushed if path.startswith("data/")]
    assert data in ([], [2, 3])  # none where the system does not say which file it is
    commits = [version for path, version in flushed if path.startswith("_versions/")]
    assert commits in ([], [3, 4, 5])  # Lance makes two of it


def test_a_row_is_seen_by_the_next_look_and_by_no_pinned_table(tmp_path):
    table = Store(tmp_path).journal
    append(table, 1)
    pinned = PinnedStore.take(tmp_path)
    append(table, 2)
    assert numbers(pinned.journal) == [1]
    assert numbers(PinnedStore.take(tmp_path).journal) == [1, 2]
    with pytest.raises(TypeError), pinned.journal.writing():
        pinned.journal.append(row(3))


def test_a_commit_that_the_power_cut_off_before_it_was_flushed_is_none(tmp_path):
    table = Store(tmp_path).journal
    append(table, 1, 2, 3)
    spoil(table.folder)
    with pytest.warns(DamageWarning, match="was cut off before it was done"):
        assert numbers(Store(tmp_path).journal) == [1, 2]
    append(table, 3, 4)
    assert numbers(table) == [1, 2, 3, 4]


def test_a_commit_that_was_acknowledged_and_has_rotted_is_not_written_over(tmp_path):
    table = Store(tmp_path).journal
    append(table, 1, 2, 3)
    spoil(table.folder, is_cut=False)
    with pytest.warns(DamageWarning, match="is damaged"):
        assert numbers(Store(tmp_path).journal) == [1, 2]
    with pytest.raises(StoreError, match="is damaged"):
        append(table, 3)
    assert numbers(table) == [1, 2]


def test_writers_take_turns_and_do_not_wait_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_table, "_WAIT", 0.1)
    table, other = Store(tmp_path).journal, Store(tmp_path).journal
    with table.writing(), pytest.raises(LockedError, match="another lookalike is writing"), other.writing():
        pass


def test_who_may_not_write_is_told_so(tmp_path):
    (tmp_path / "said").write_text("a file in its place")
    with pytest.raises(StoreError, match="cannot write"), Store(tmp_path).journal.writing():
        pass


def test_what_was_acknowledged_is_there_however_often_its_writer_is_killed(tmp_path):
    code = """
import sys, datetime
from pathlib import Path
from lookalike.store import Store, journal_table
journal_table._JOINED_EVERY, journal_table._CLEARED_EVERY = 5, 10
table = Store(Path(sys.argv[1])).journal
number = len(table.rows_from(1))
while True:
    number += 1
    with table.writing():
        table.append({"number": [number], "time": [datetime.datetime(2026, 1, 1)], "kind": ["labels"],
            "words": ["said"], "undoes": [None], "payload": ["{}"], "ids": [[]], "numbers": [[]]})
    print(number, flush=True)
"""
    acknowledged = 0
    for turn in range(5):
        command = [sys.executable, "-c", code, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            for _ in range(3 + 4 * turn):
                acknowledged = int(writer.stdout.readline())
            writer.kill()
            rest = writer.stdout.read().split()
        acknowledged = max([acknowledged, *map(int, rest)])
        there = numbers(Store(tmp_path).journal)
        assert there == list(range(1, len(there) + 1))
        assert len(there) in (acknowledged, acknowledged + 1)  # one may be there that nobody was told of
