"""Checksums of a table's files: what is noted, and what is found to differ from it."""

import hashlib
import os

import pytest

from lookalike.store.checksums import CHECKSUMS, Checksums, sha256_of


@pytest.fixture
def table(tmp_path):
    (tmp_path / "data").mkdir()
    for name in "abc":
        (tmp_path / f"data/{name}.lance").write_bytes(name.encode() * 100)
    return tmp_path


def verdicts(sums: Checksums, *names: str) -> list[str]:
    noted = sums.read()
    return [sums.verify(f"data/{name}.lance", noted.get(f"data/{name}.lance")) for name in names]


def trusts(sums: Checksums, *names: str) -> list[str]:
    noted = sums.read()
    return [sums.trust(f"data/{name}.lance", noted.get(f"data/{name}.lance")) for name in names]


def test_noted_by_hand(table):
    sums = Checksums(table)
    sums.note(["data/a.lance"])
    noted = sums.read()
    facts = os.stat(table / "data/a.lance")
    assert list(noted) == ["data/a.lance"]
    assert noted["data/a.lance"].sha256 == hashlib.sha256(b"a" * 100).hexdigest()
    assert noted["data/a.lance"][1:] == (100, facts.st_mtime_ns, facts.st_ino)
    assert sha256_of(table / "data/a.lance") == noted["data/a.lance"].sha256


def test_each_kind_of_damage_has_its_verdict(table):
    sums = Checksums(table)
    sums.note(["data/a.lance", "data/b.lance"])
    assert verdicts(sums, *"abc") == trusts(sums, *"abc") == ["whole", "whole", "unknown"]
    (table / "data/a.lance").write_bytes(b"a" * 99 + b"x")
    (table / "data/b.lance").unlink()
    assert verdicts(sums, *"abc") == trusts(sums, *"abc") == ["damaged", "missing", "unknown"]
    (table / "data/a.lance").write_bytes(b"")
    assert verdicts(sums, "a") == trusts(sums, "a") == ["damaged"]


def test_the_very_file_is_not_read_again(table):
    sums = Checksums(table)
    sums.note(["data/a.lance"])
    before = os.stat(table / "data/a.lance")
    (table / "data/a.lance").write_bytes(b"x" * 100)
    os.utime(table / "data/a.lance", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert trusts(sums, "a") == ["whole"]  # only `check` finds that
    assert verdicts(sums, "a") == ["damaged"]


def test_a_copy_is_read_once_and_noted(table):
    sums = Checksums(table)
    sums.note(["data/a.lance"])
    os.utime(table / "data/a.lance", ns=(5, 5))
    assert trusts(sums, "a") == ["whole"]
    assert Checksums(table).read()["data/a.lance"].mtime_ns == 5


def test_what_others_note_is_seen(table):
    mine, other = Checksums(table), Checksums(table)
    mine.note(["data/a.lance"])
    assert set(other.read()) == {"data/a.lance"}
    mine.note(["data/b.lance"], flush=False)
    assert set(other.read()) == {"data/a.lance", "data/b.lance"}
    mine.forget_others(["data/b.lance", "data/never.lance"])
    assert set(other.read()) == set(mine.read()) == {"data/b.lance"}
    (table / CHECKSUMS).unlink()
    assert other.read() == {}


@pytest.mark.parametrize("n_lost", range(1, 130, 7))
def test_a_torn_line_counts_as_none(table, n_lost):
    sums = Checksums(table)
    sums.note(["data/a.lance"])
    whole = (table / CHECKSUMS).read_bytes()
    sums.note(["data/b.lance"])
    kept = (table / CHECKSUMS).read_bytes()[:-n_lost]
    for tail in (b"", b"\0" * n_lost):
        (table / CHECKSUMS).write_bytes(kept + tail)
        found = Checksums(table).read()
        assert set(found) == ({"data/a.lance"} if len(kept) >= len(whole) else set())
        Checksums(table).note(["data/c.lance"])
        assert "data/c.lance" in Checksums(table).read()


def test_a_rotten_line_accuses_no_file(table):
    sums = Checksums(table)
    sums.note(["data/a.lance"])
    line = (table / CHECKSUMS).read_bytes()
    for at in range(len(line) - 1):
        (table / CHECKSUMS).write_bytes(line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :])
        assert verdicts(Checksums(table), "a") == ["unknown"]
