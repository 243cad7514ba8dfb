"""What a sync decides by the looks of files, without opening any."""

from pathlib import Path

import pytest

from lookalike.images import FileStat
from lookalike.images.reader import READER
from lookalike.store.store import FailureRow, FileRow
from lookalike.sync import FoundFile, IndexedState, Plan, Tally
from lookalike.sync.evidence import FEW_FILES
from lookalike.sync.plan import decide

NOWHERE = Path("/nowhere")


def found(name, size=10, mtime=1, ctime=5, inode=None, label=None, root="r"):
    return FoundFile(f"{root}:{name}", NOWHERE, FileStat(size, mtime, ctime, inode), label)


def row(name, image=1, size=10, mtime=1, ctime=5, inode=None, root="r", **more):
    return FileRow(f"{root}:{name}", image, size, mtime, ctime_ns=ctime, inode=inode, **more)


def known(*rows, failures=(), missing=()):
    """What the tables say, with all images described and embedded but for those that are missing."""
    images = {each.id for each in rows} - set(missing)
    return IndexedState(
        {each.path: each for each in rows}, {each.path: each for each in failures}, images, images
    )


def plan_of(files, before, failed=()):
    within = {*before.files, *before.failures}
    return decide(files, dict(failed), before, within)


def names(files):
    return [each.path.partition(":")[2] for each in files]


def test_nothing_new_needs_nothing():
    plan = plan_of([found("a"), found("b")], known(row("a"), row("b")))
    assert (plan.unchanged, plan.n_to_read, plan.doubtful, plan.updated) == (2, 0, [], [])


def test_another_size_is_a_change_and_another_time_a_doubt():
    plan = plan_of([found("a", size=11), found("b", mtime=2)], known(row("a"), row("b")))
    assert (names(plan.changed), names(plan.doubtful), plan.unchanged) == (["a"], ["b"], 0)


@pytest.mark.parametrize("attribute", [{"ctime": 6}, {"inode": 2}])
def test_another_ctime_or_inode_alone_is_a_doubt(attribute):
    plan = plan_of([found("a", **{"inode": 1} | attribute)], known(row("a", inode=1)))
    assert names(plan.doubtful) == ["a"]


@pytest.mark.parametrize("before", [{"ctime": None, "inode": None}, {}])
def test_what_is_known_on_one_side_only_says_nothing_and_is_taken_up(before):
    now = {} if before else {"ctime": None}
    plan = plan_of([found("a", **now)], known(row("a", **before)))
    assert (plan.doubtful, plan.unchanged) == ([], 1)
    assert [each.ctime_ns for each in plan.updated] == [None if now else 5]


def many(count, **changes):
    return [found(f"{i:04}", inode=i, **changes) for i in range(count)]


def many_rows(count):
    return [row(f"{i:04}", inode=i) for i in range(count)]


def test_few_files_are_all_compared_though_all_ctimes_differ():
    plan = plan_of(many(FEW_FILES, ctime=6), known(*many_rows(FEW_FILES)))
    assert len(plan.doubtful) == FEW_FILES


def test_where_nearly_all_ctimes_differ_at_once_they_say_nothing():
    count = 10 * FEW_FILES
    plan = plan_of(many(count, ctime=6), known(*many_rows(count)))
    assert (plan.doubtful, plan.unchanged, len(plan.updated)) == ([], count, count)
    assert {each.ctime_ns for each in plan.updated} == {6}


def test_where_a_tenth_of_the_ctimes_is_as_it_was_the_others_count():
    count = 10 * FEW_FILES
    files = [*many(count, ctime=6)[: count * 9 // 10], *many(count)[count * 9 // 10 :]]
    assert len(plan_of(files, known(*many_rows(count))).doubtful) == count * 9 // 10


def test_inodes_count_though_all_ctimes_differ():
    count = 10 * FEW_FILES
    files = many(count, ctime=6)
    files[3], files[4] = found("0003", ctime=6, inode=4), found("0004", ctime=6, inode=3)
    plan = plan_of(files, known(*many_rows(count)))
    assert (names(plan.doubtful), plan.unchanged) == (["0003", "0004"], count - 2)


def test_each_root_is_weighed_alone():
    count = 10 * FEW_FILES
    before = known(*many_rows(count), row("a", root="other"), row("b", root="other"))
    files = [*many(count, ctime=6), found("a", ctime=6, root="other"), found("b", root="other")]
    assert names(plan_of(files, before).doubtful) == ["a"]


def test_a_new_file_is_in_doubt_only_if_one_of_its_size_is_lost():
    plan = plan_of([found("new", size=10), found("other", size=11)], known(row("old", size=10)))
    assert (names(plan.doubtful), names(plan.added), plan.gone) == (["new"], ["other"], [])


def test_only_as_many_lost_ones_as_there_are_candidates_may_have_moved():
    before = known(row("a"), row("b"), row("c", image=2, size=11))
    assert plan_of([found("new")], before).gone == ["r:b", "r:c"]


def test_what_could_not_be_looked_at_is_not_gone():
    before = known(row("a"), row("sub/b"), row("c"))
    plan = plan_of([], before, failed={"r:a": "permission denied", "r:sub": "permission denied"})
    assert plan.gone == ["r:c"]
    assert [(each.path, each.reader) for each in plan.failures] == [("r:a", READER), ("r:sub", READER)]


@pytest.mark.parametrize(
    ("failure", "is_read"),
    [
        (FailureRow("r:a", 10, 1, "damaged", READER), False),
        (FailureRow("r:a", 10, 1, "damaged", READER - 1), True),
        (FailureRow("r:a", 10, 1, "damaged", None), True),
        (FailureRow("r:a", None, None, "no memory", READER), True),
        (FailureRow("r:a", 9, 1, "damaged", READER), True),
    ],
)
def test_a_failure_is_tried_again_when_the_file_or_the_reader_has_changed_or_the_machine_was_at_fault(
    failure, is_read
):
    plan = plan_of([found("a")], known(failures=[failure]))
    assert names(plan.added) == (["a"] if is_read else [])


def test_an_image_that_todays_reader_cannot_decode_stays_and_is_not_read_each_time():
    failure = FailureRow("r:a", 10, 1, "damaged", READER)
    plan = plan_of([found("a")], known(row("a"), failures=[failure], missing=[1]))
    assert (plan.unembedded, plan.unchanged, plan.cleared) == ([], 1, [])


def test_a_file_that_needs_no_reading_any_more_does_not_fail():
    failure = FailureRow("r:a", None, None, "the disk cannot read it", READER)
    plan = plan_of([found("a")], known(row("a"), failures=[failure]))
    assert (plan.cleared, plan.unchanged) == (["r:a"], 1)


def test_a_row_that_is_brought_up_to_date_keeps_its_note():
    plan = plan_of([found("a", label="new")], known(row("a", note="cut short")))
    assert [(each.label, each.note) for each in plan.updated] == [("new", "cut short")]


def test_a_dry_run_presumes_what_doubtful_files_are():
    before = known(row("touched"), row("old", image=2, size=12, note="cut short"))
    files = [found("touched", mtime=2), found("new", size=12), found("newer", size=12)]
    plan = plan_of(files, before)
    plan.presume(before)
    counts = Tally.of(plan, before).without(set())
    assert counts == {"added": 1, "changed": 0, "moved": 1, "removed": 0, "unchanged": 1}
    assert len(plan.doubtful) == 3


def test_each_file_that_fails_is_taken_from_its_own_count():
    before = known(row("a"), row("b"), row("c"), row("d"))
    plan = Plan(
        added=[found("new"), found("newer")],
        changed=[found("a"), found("b")],
        moved=[("r:was", row("moved"))],
        gone=["r:was gone"],
        unchanged=2,
    )
    tally = Tally.of(plan, before)
    assert tally.without({"r:new", "r:a", "r:b", "r:c", "r:moved"}, left={"r:a"}) == {
        "added": 1,
        "changed": 0,
        "moved": 0,
        "removed": 2,
        "unchanged": 1,
    }
    assert tally.without(set(), late={"r:d"}) == {
        "added": 2,
        "changed": 3,
        "moved": 1,
        "removed": 1,
        "unchanged": 1,
    }
