"""A saved index whose files are not what was written is not searched."""

import json
import os

import numpy as np
import pytest

from index_kinds import BUILT, each_usable_kind
from lookalike.errors import IndexFileError
from lookalike.index import folder as folders
from lookalike.index.exact import Exact
from lookalike.system import sums


def vectors_of(n: int, d: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n, d)).astype(np.float32)


def flip(file, at: float = 0.9) -> None:
    """Change a bit, as an ordinary write does: the time becomes another."""
    content = bytearray(file.read_bytes())
    content[int(at * len(content))] ^= 4
    file.write_bytes(content)
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))


@pytest.fixture
def forgotten(monkeypatch):
    """Nothing is remembered in this process of files that were found whole."""
    monkeypatch.setattr(sums, "_found_whole", {})


@each_usable_kind
def test_a_bit_that_flipped_in_any_file_is_found_when_the_index_is_opened(kind, tmp_path):
    place = tmp_path / "index"
    BUILT[kind]("euclidean").build(vectors_of(60, 4)).save(place)
    files = sorted(file for file in place.iterdir() if file.name != "whole.json")
    assert len(files) > 2
    for file in files:
        whole = file.read_bytes()
        for at in (0.1, 0.5, 0.95):
            flip(file, at)
            with pytest.raises(IndexFileError, match="cannot be read"):
                BUILT[kind].load(place)
            assert folders.verify(place) != []
            file.write_bytes(whole)
    assert folders.verify(place) == []
    BUILT[kind].load(place)


def test_large_files_are_read_once_for_what_they_are_small_ones_always(tmp_path, monkeypatch, forgotten):
    place = tmp_path / "index"
    Exact().build(vectors_of(700, 512)).save(place)  # 1.4 MB of rows
    read = []
    monkeypatch.setattr(folders, "sum_of_file", lambda file: read.append(file.name) or sums.sum_of_file(file))
    monkeypatch.setattr(sums, "_found_whole", {})
    Exact.load(place)
    assert sorted(read) == [
        "ids.npy",
        "lengths.npy",
    ]  # of the rows it was noted
    os.utime(place / "rows.npy", ns=(1, 1))
    for expected in (["ids.npy", "lengths.npy", "rows.npy"], ["ids.npy", "lengths.npy"]):
        read.clear()
        monkeypatch.setattr(sums, "_found_whole", {})
        Exact.load(place)
        assert sorted(read) == expected
    flip(place / "rows.npy")
    with pytest.raises(IndexFileError, match=r"rows\.npy is not what was written"):
        Exact.load(place)


def test_what_rots_without_a_new_time_is_found_by_reading_all(tmp_path):
    place = tmp_path / "index"
    Exact().build(vectors_of(700, 512)).save(place)
    facts = os.stat(place / "rows.npy")
    with (place / "rows.npy").open("rb+") as stream:
        stream.seek(1_000_000)
        stream.write(b"x")
    os.utime(place / "rows.npy", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert folders.verify(place) == ["rows.npy is not what was written: its checksum is another"]


def test_an_index_of_an_earlier_version_has_no_checksums_and_is_read_as_before(tmp_path):
    place, vectors = tmp_path / "index", vectors_of(30, 4)
    Exact().build(vectors).save(place)
    facts = json.loads((place / "index.json").read_text())
    del facts["sum"], facts["sums"]
    (place / "index.json").write_text(json.dumps(facts))
    assert (Exact.load(place).search(vectors[:3], 1).ids[:, 0] == [0, 1, 2]).all()


def test_an_index_on_a_disk_that_is_only_read_is_verified_each_time_and_opened(tmp_path, forgotten):
    place = tmp_path / "index"
    Exact().build(vectors_of(700, 512)).save(place)
    (place / "whole.json").unlink()
    os.chmod(place, 0o500)
    try:
        assert len(Exact.load(place)) == 700
    finally:
        os.chmod(place, 0o700)
