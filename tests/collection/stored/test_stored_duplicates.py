"""What is kept of duplicates: in parts, one stroke each; what is damaged is as good as not there."""

import itertools
import json

import numpy as np
import pytest

from lookalike.collection.stored import duplicates
from lookalike.collection.stored.duplicates import COMPARED, FACTS, HASHES, PAIR, Facts, Run, StoredDuplicates
from lookalike.errors import LookalikeError
from lookalike.system.sums import read_document, summed


def hashes(*ids):
    rows = np.zeros(len(ids), HASHES)
    rows["id"] = ids
    return rows


def compared(*ids):
    return np.array([(each, -1) for each in ids], COMPARED)


@pytest.fixture
def stored(tmp_path):
    """One with hashes, compared images, and pairs that are not alike."""
    made = StoredDuplicates(tmp_path)
    made.write(
        Facts(models=("m",)),
        {"compared": compared(1, 2)},
        {"hashes": hashes(1, 2), "unlike": np.array([(1, 2)], PAIR)},
    )
    return made


def ids(stored, kind="hashes"):
    return stored.with_rows(kind)[1][kind]["id"].tolist()


def test_nothing_is_read_where_nothing_was_kept(tmp_path):
    found = StoredDuplicates(tmp_path)
    assert found.read() == Facts()
    assert found.look() is None
    assert len(found.with_rows("evidence")[1]["evidence"]) == 0
    assert list(tmp_path.iterdir()) == []


def test_what_comes_later_stands_behind_and_small_parts_are_joined(stored):
    for number in range(3, 40):
        stored.write(stored.read(), more={"hashes": hashes(number)})
    assert ids(stored) == list(range(1, 40))
    facts = stored.read()
    sizes = [part.n for part in facts.parts["hashes"]]
    assert len(sizes) <= 6
    assert all(a >= 2 * b for a, b in itertools.pairwise(sizes))
    named = {part.file for parts in facts.parts.values() for part in parts}
    assert {each.name for each in stored.folder.iterdir() if each.suffix == ".npy"} == named


def test_one_part_is_mapped_and_not_read_into_memory(stored):
    assert isinstance(stored.with_rows("hashes")[1]["hashes"], np.memmap)


def test_a_run_is_kept_with_how_far_it_is(stored):
    stored.write(Facts(stored.read().parts, run=Run("m", 3, 1)))
    assert stored.read().run == Run("m", 3, 1)


def test_who_is_cut_off_before_the_facts_leaves_what_was_there(stored, monkeypatch):
    real = duplicates.replace_file

    def cut(file, *given, **named):
        if file.name == FACTS:
            raise OSError(28, "No space left on device")
        real(file, *given, **named)

    monkeypatch.setattr(duplicates, "replace_file", cut)
    with pytest.raises(LookalikeError, match="No space left") as raised:
        stored.write(stored.read(), {"compared": compared(1, 2, 3)}, {"hashes": hashes(3)})
    assert "make room" in str(raised.value.hint)
    monkeypatch.undo()
    assert ids(stored) == [1, 2]
    n_files = len(list(stored.folder.glob("*.npy")))
    stored.write(stored.read(), more={"hashes": hashes(4)})
    assert ids(stored) == [1, 2, 4]
    assert len(list(stored.folder.glob("*.npy"))) < n_files


def test_a_reader_that_finds_parts_joined_meanwhile_reads_again(stored, monkeypatch):
    before = stored.read()
    stored.write(stored.read(), more={"hashes": hashes(3, 4)})
    monkeypatch.setattr(stored, "read", iter([before, stored.read()]).__next__)
    assert ids(stored) == [1, 2, 3, 4]


@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("hashes", {"compared", "unlike"}),
        ("unlike", {"hashes", "compared"}),
        ("compared", {"hashes"}),
    ],
)
def test_a_damaged_part_is_not_there_nor_what_depends_on_it(stored, kind, left, harm):
    (part,) = stored.read().parts[kind]
    file = stored.folder / part.file
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.unlink()
    if harm != "remove":
        file.write_bytes(content if harm == "flip" else content[:-5])
    facts = StoredDuplicates(stored.folder.parent).read()
    assert set(facts.parts) == left
    assert [flaw.kind for flaw in facts.flaws] == [kind]


def test_damaged_facts_are_as_good_as_none_and_are_written_anew(stored):
    file = stored.folder / FACTS
    file.write_bytes(file.read_bytes()[:-20])
    facts = stored.read()
    assert (facts.parts, [flaw.file for flaw in facts.flaws]) == ({}, [FACTS])
    stored.write(facts, more={"hashes": hashes(7)})
    assert stored.read().flaws == ()
    assert ids(stored) == [7]


def test_facts_that_name_files_elsewhere_are_damaged(stored):
    file = stored.folder / FACTS
    document = read_document(file.read_bytes())
    document["parts"]["hashes"][0][0] = "../../secret.npy"
    file.write_text(json.dumps(summed(document)))
    assert [flaw.reason for flaw in stored.read().flaws] == ["an entry of it is not known here"]


@pytest.mark.parametrize(("kind", "left"), [("hashes", set()), ("evidence", {"hashes"})])
def test_what_another_version_has_kept_is_made_anew(stored, monkeypatch, kind, left):
    monkeypatch.setitem(duplicates._VERSIONS, kind, 10**6)
    facts = stored.read()
    assert set(facts.parts) == left
    assert [(flaw.kind, flaw.is_version) for flaw in facts.flaws] == [(kind, True)]


def test_columns_of_another_version_are_damage(stored, monkeypatch):
    monkeypatch.setitem(duplicates.ROWS, "unlike", COMPARED)
    facts = StoredDuplicates(stored.folder.parent)
    facts._whole._there = {}
    monkeypatch.setattr(facts._whole, "has", lambda file: False)
    assert [flaw.reason for flaw in facts.read().flaws] == ["its columns are of another version"]
