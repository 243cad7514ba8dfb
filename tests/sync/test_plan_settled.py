"""What a plan comes to once its doubtful files have been looked at: by hand, and for any disk."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import MissingImagesError
from lookalike.images import FileStat, pixels_id
from lookalike.store import Root
from lookalike.store.store import FileRow
from lookalike.sync import FoundFile, IndexedState, Tally, Work
from lookalike.sync.comparing import compare
from lookalike.sync.plan import decide
from lookalike.sync.reading import Outage
from lookalike.sync.scope import Listing, Scope, decide_scopes

NOWHERE = Path("/nowhere")


@dataclass(frozen=True)
class File:
    """A file of the made-up disk; its content is a letter, as often as it is long."""

    content: str
    mtime: int = 1
    ctime: int = 1
    inode: int = 0
    is_readable: bool = True

    @property
    def stat(self):
        return FileStat(len(self.content), self.mtime, self.ctime, self.inode)

    @property
    def pixels(self):
        return np.full((1, len(self.content)), ord(self.content[0]), np.uint8)

    def read(self):
        if not self.is_readable:
            raise OSError("Input/output error")
        return self.pixels

    @property
    def id(self):
        return pixels_id(self.pixels)[0]


def found(disk):
    return [
        FoundFile(f"r:{name}", NOWHERE, file.stat, None, pixels=file.read)
        for name, file in sorted(disk.items())
    ]


def indexed(disk, unembedded=()):
    """The tables after a sync that found this disk; some contents have no vector."""
    files = {
        f"r:{name}": FileRow(
            f"r:{name}", file.id, len(file.content), file.mtime, ctime_ns=file.ctime, inode=file.inode
        )
        for name, file in disk.items()
    }
    ids = {file.id for file in disk.values()}
    return IndexedState(files, {}, ids, ids - {File(content).id for content in unembedded})


def settled(before, after, unembedded=()):
    """Decide what changed between two disks, and look at what is in doubt; also give what was known."""
    known = indexed(before, unembedded)
    files = found(after)
    plan = decide(files, {}, known, set(known.files))
    compare(plan, known, Outage(1000), Work(jobs=1))
    return plan, known


def names(paths):
    return [(path if isinstance(path, str) else path.path).removeprefix("r:") for path in paths]


def moves(plan):
    return [(old.removeprefix("r:"), row.path.removeprefix("r:")) for old, row in plan.moved]


def rows_after(plan, known, after):
    """Carry a plan out on a table of paths and ids, as the workers do who read all that they are given."""
    rows = {path: row.id for path, row in known.files.items()}
    for old, row in plan.moved:
        del rows[old]
        rows[row.path] = row.id
    for path in plan.gone:
        del rows[path]
    for file in [*plan.added, *plan.changed, *plan.unembedded]:
        rows[file.path] = after[file.path.removeprefix("r:")].id
    for row in plan.updated:
        assert rows[row.path] == row.id
    return rows


# --- by hand


def test_a_renamed_file_is_moved_and_not_read_for_the_network():
    plan, _ = settled({"a": File("x")}, {"b": File("x")})
    assert (moves(plan), plan.gone, plan.n_to_read) == ([("a", "b")], [], 0)


def test_a_copy_is_added_and_the_original_stays():
    plan, _ = settled({"a": File("x")}, {"a": File("x"), "b": File("x", inode=1)})
    assert (names(plan.added), moves(plan), plan.unchanged) == (["b"], [], 1)


def test_a_file_that_took_the_place_of_a_lost_one_of_its_size_is_another_image():
    plan, _ = settled({"a": File("x")}, {"b": File("y")})
    assert (names(plan.added), names(plan.gone), moves(plan)) == (["b"], ["a"], [])


def test_two_that_changed_places_are_both_changed():
    before = {"a": File("x", mtime=1), "b": File("y", mtime=2)}
    plan, _ = settled(before, {"a": File("y", mtime=2), "b": File("x", mtime=1)})
    assert (names(plan.changed), moves(plan), plan.gone) == (["a", "b"], [], [])


def test_a_renamed_file_whose_old_name_holds_another_image():
    plan, _ = settled({"a": File("x")}, {"a": File("yy"), "b": File("x")})
    assert (names(plan.changed), names(plan.added), plan.gone) == (["a"], ["b"], [])


def test_of_two_lost_copies_one_has_moved_and_the_other_is_gone():
    plan, _ = settled({"a": File("x"), "b": File("x")}, {"c": File("x")})
    assert (moves(plan), names(plan.gone), plan.added) == ([("a", "c")], ["b"], [])


def test_of_two_new_copies_of_a_lost_one_the_first_has_moved_and_the_other_is_added():
    plan, _ = settled({"a": File("x")}, {"b": File("x"), "c": File("x", inode=1)})
    assert (moves(plan), names(plan.added), plan.gone) == ([("a", "b")], ["c"], [])


def test_a_renamed_file_without_a_vector_is_read():
    plan, _ = settled({"a": File("x")}, {"b": File("x")}, unembedded=["x"])
    assert (names(plan.added), names(plan.gone), moves(plan)) == (["b"], ["a"], [])


def test_a_touched_file_is_unchanged_and_its_row_is_brought_up_to_date():
    plan, _ = settled({"a": File("x")}, {"a": File("x", mtime=2)})
    assert (plan.unchanged, [row.mtime_ns for row in plan.updated], plan.n_to_read) == (1, [2], 0)


def test_a_doubtful_file_that_cannot_be_read_stays_what_it_was():
    plan, _ = settled({"a": File("x")}, {"a": File("x", mtime=2, is_readable=False)})
    assert (plan.gone, names(plan.failures), plan.n_to_read, plan.updated) == ([], ["a"], 0, [])


def test_a_lost_file_is_not_gone_where_one_that_cannot_be_read_may_be_it():
    plan, _ = settled({"a": File("x"), "b": File("y")}, {"c": File("x", is_readable=False)})
    assert (len(plan.gone), names(plan.failures), plan.n_to_read) == (1, ["c"], 0)


def test_what_is_in_doubt_is_settled_in_the_order_of_paths():
    before = {"a": File("x"), "b": File("y"), "c": File("x")}
    after = {"m": File("y"), "n": File("x"), "o": File("x")}
    assert [moves(settled(before, after)[0]) for _ in range(5)] == [[("b", "m"), ("a", "n"), ("c", "o")]] * 5


# --- any disk

contents = st.sampled_from(["x", "y", "z", "xx", "yy"])
disks = st.dictionaries(st.sampled_from("abcdef"), contents)


@st.composite
def histories(draw):
    """A disk, and what became of it; whatever was written bears another time, ctime or inode."""
    before = {name: File(content) for name, content in draw(disks).items()}
    after = {}
    for name, content in draw(disks).items():
        changes = draw(
            st.sampled_from([{}, {"mtime": 2}, {"ctime": 2}, {"inode": 2}, {"mtime": 2, "ctime": 2}])
        )
        was = before.get(name)
        is_written = was is not None and was.content != content and len(was.content) == len(content)
        after[name] = File(content, **(changes or ({"mtime": 3} if is_written else {})))
    return before, after


@given(histories(), st.sets(contents))
def test_what_a_plan_makes_of_the_tables_is_what_lies_on_the_disk(history, unembedded):
    before, after = history
    plan, known = settled(before, after, unembedded)
    assert rows_after(plan, known, after) == {f"r:{name}": file.id for name, file in after.items()}
    assert plan.doubtful == []


@given(histories(), st.sets(contents))
def test_each_file_is_counted_once_and_no_known_image_is_embedded_again(history, unembedded):
    before, after = history
    plan, known = settled(before, after, unembedded)
    tally = Tally.of(plan, known).without(set())
    there = tally["added"] + tally["changed"] + tally["moved"] + tally["unchanged"]
    assert there == len(after)
    assert len(before) - tally["removed"] + tally["added"] == len(after)
    lost = {known.files[path].id for path in plan.gone}
    read = {after[name].id for name in names([*plan.added])}
    assert not lost & read & known.embedded
    assert {after[name].id for name in names(plan.unembedded)}.isdisjoint(known.embedded)


@given(histories(), st.sets(st.sampled_from("abcdef")))
def test_what_cannot_be_read_takes_nothing_out_of_the_tables(history, unreadable):
    before, after = history
    after = {
        name: File(file.content, file.mtime, file.ctime, file.inode, is_readable=name not in unreadable)
        for name, file in after.items()
    }
    plan, known = settled(before, after)
    rows = rows_after(plan, known, after)
    assert {name for name in after if after[name].is_readable or name in before} <= set(names(rows))
    for name, file in after.items():
        if file.is_readable:
            assert rows[f"r:{name}"] == file.id
    kept = [name for name in names(rows) if name not in after]
    may_be_moved = [name for name in after if name not in before and not after[name].is_readable]
    assert len(kept) <= len(may_be_moved)


# --- what a whole request covers


def root(place):
    return Root("r", str(place))


def sync_of(place, before, after, only=(), prune=False):
    listing = Listing([Scope(root(place), place, [place / name for name in only])], found(after), {})
    return decide_scopes(listing, indexed(before), prune)


BEFORE = {name: File(name) for name in "abcd"}


def test_half_of_a_root_may_go_and_more_is_refused(tmp_path):
    half = {name: BEFORE[name] for name in "ab"}
    assert names(sync_of(tmp_path, BEFORE, half).gone) == ["c", "d"]
    with pytest.raises(MissingImagesError, match="3 of 4 images are no longer in"):
        sync_of(tmp_path, BEFORE, {"a": BEFORE["a"]})


def test_great_losses_are_taken_where_they_are_meant(tmp_path):
    assert names(sync_of(tmp_path, BEFORE, {}, prune=True).gone) == list("abcd")


def test_what_is_there_but_excluded_is_not_lost(tmp_path):
    for name in "abc":
        (tmp_path / name).touch()
    assert names(sync_of(tmp_path, BEFORE, {}).gone) == list("abcd")


def test_renamed_files_are_no_losses(tmp_path):
    plan = sync_of(tmp_path, BEFORE, {name.upper(): file for name, file in BEFORE.items()})
    assert (len(plan.doubtful), plan.gone) == (4, [])


def test_what_lies_outside_of_the_scope_is_not_touched(tmp_path):
    before = {"in/a": File("x"), "in/b": File("y"), "out/c": File("z"), "inn/d": File("z")}
    plan = sync_of(tmp_path, before, {"in/a": before["in/a"]}, only=["in"])
    assert (names(plan.gone), plan.unchanged) == (["in/b"], 1)
