"""Killed in each moment of an act or of an undo: nothing is lost, and both can be brought to their end."""

import os
import shutil
from pathlib import Path

import pytest

from lookalike import Collection
from lookalike.collection.duplicates import act_log, acting, undoing
from lookalike.collection.duplicates.acting import How, apply
from lookalike.collection.duplicates.undoing import undo
from lookalike.errors import CollectionNotFoundError
from lookalike.results.duplicate_plans import DuplicatePlan
from lookalike.system import file_moves

CHANGING = [
    *((os, name) for name in ("link", "unlink", "rename", "replace")),
    (act_log.Act, "_add"),
    *((file_moves, name) for name in ("_copy", "flush_folder")),
    *((acting, name) for name in ("hand_on", "forget_files", "set_fields")),
    *((undoing, name) for name in ("unset_fields", "take_back")),
]
"""What changes files, names, the log, and what the collection knows."""


class KilledError(BaseException):
    """The process is dead."""


def run(scene, plan_file, how, at, across=False):
    """Run an act that is killed before its n-th change: nothing is changed from then on.

    Return whether it came to its end. With `across`, files and the folder they move to lie on two disks.
    """
    count = 0

    def dying(called):
        def call(*given, **named):
            nonlocal count
            if (
                not isinstance(given[0], act_log.Act) and ".lookalike" in Path(str(given[0])).parts
            ):  # its own files; the log is looked at by itself
                return called(*given, **named)
            count += 1
            if count > at:
                raise KilledError
            return called(*given, **named)

        return call

    named = file_moves.rename_to_free

    def across_disks(source, target):
        if not {source.suffix, target.suffix} & {".aside", ".part"}:
            raise OSError(18, "Invalid cross-device link", str(source))
        named(source, target)

    with Collection.open(scene.photos) as collection, pytest.MonkeyPatch.context() as patch:
        resources, plan = collection._resources(), DuplicatePlan.load(plan_file)
        if across:
            patch.setattr(file_moves, "rename_to_free", across_disks)
        for module, name in CHANGING:
            patch.setattr(module, name, dying(getattr(module, name)))
        try:
            if how == "undo":
                undo(resources)
            else:
                apply(resources, plan, How(how, scene.folder / "away" if how == "move" else None))
        except KilledError:
            return False
        return True


@pytest.fixture
def pristine(scene, request):
    """The scene with a plan of one row with a side file, and what was said of what goes."""
    (scene.photos / "copies" / "a-small.png.xmp").write_text("<x/>")
    scene.collection.labels.give([scene.photos / "copies" / "a-small.png"], "wave")
    scene.collection.fields.set({scene.photos / "copies" / "a-small.png": {"price": 2.0}})
    plan = scene.plan()
    file = scene.folder / "plan.json"
    rows = [row for row in plan.rows if "a-small" in row.go.path]
    if request.node.callspec.params["how"] == "hardlink":
        rows = [row for row in plan.rows if "b.png" in row.go.path]
    DuplicatePlan(plan.collection, plan.made, tuple(rows)).save(file)
    scene.collection.close()
    scene.kept = scene.folder.with_name(f"{scene.folder.name}-kept")
    shutil.copytree(scene.folder, scene.kept, copy_function=shutil.copy2)
    return file


def restore(scene):
    """Put the whole scene back as it was, at the same place."""
    for each in scene.folder.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    shutil.copytree(scene.kept, scene.folder, dirs_exist_ok=True)


def leavings(scene):
    return [str(each) for each in scene.folder.rglob(".lookalike-*")]


CASES = [("trash", False), ("move", False), ("move", True), ("hardlink", False)]


@pytest.mark.parametrize(("how", "across"), CASES, ids=["trash", "move", "move across disks", "hardlink"])
def test_killed_anywhere_nothing_is_lost_and_undo_puts_all_back(scene, pristine, how, across):
    tree, contents = scene.tree(), set(scene.contents(scene.photos))
    with Collection.open(scene.photos) as collection:
        small = collection.image_info(scene.photos / "copies" / "a-small.png").hex_id
    for at in range(200):
        restore(scene)
        is_whole = run(scene, pristine, how, at, across)
        there = set(scene.contents(scene.folder))
        assert contents <= there, f"killed at {at}: a content is lost"
        assert contents <= set(scene.contents(scene.photos, scene.folder / "home", scene.folder / "away"))
        with Collection.open(scene.photos) as collection:
            try:
                report = undo(collection._resources())
                assert not report.skipped, f"killed at {at}: {report.skipped}"
            except CollectionNotFoundError:
                pass
            assert scene.tree() == tree, f"killed at {at}"
            assert leavings(scene) == [], f"killed at {at}"
            said = [each["image"] for each in collection.said.documents() if each["kind"] == "label"]
            assert said == [small], f"killed at {at}"
            assert collection.fields.of(scene.photos / "a.png") == {}, f"killed at {at}"
        if is_whole:
            break
    assert is_whole
    assert at >= 8


@pytest.mark.parametrize(("how", "across"), CASES, ids=["trash", "move", "move across disks", "hardlink"])
def test_killed_anywhere_the_same_plan_is_brought_to_its_end(scene, pristine, how, across):
    restore(scene)
    assert run(scene, pristine, how, 10_000, across)
    expected = scene.tree()
    with Collection.open(scene.photos) as collection:
        said = [{**each, "path": None} for each in collection.said.documents()]
        fields = collection.fields.of(scene.photos / "a.png")
    for at in range(200):
        restore(scene)
        is_whole = run(scene, pristine, how, at, across)
        with Collection.open(scene.photos) as collection:
            to = scene.folder / "away" if how == "move" else None
            apply(collection._resources(), DuplicatePlan.load(pristine), How(how, to))
            assert scene.tree() == expected, f"killed at {at}"
            assert leavings(scene) == [], f"killed at {at}"
            now = [{**each, "path": None} for each in collection.said.documents()]
            assert now == said, f"killed at {at}"
            assert collection.fields.of(scene.photos / "a.png") == fields
        if is_whole:
            break
    assert is_whole


@pytest.mark.parametrize(("how", "across"), CASES, ids=["trash", "move", "move across disks", "hardlink"])
def test_an_undo_that_is_killed_anywhere_is_brought_to_its_end(scene, pristine, how, across):
    tree, contents = scene.tree(), set(scene.contents(scene.photos))
    for at in range(200):
        restore(scene)
        assert run(scene, pristine, how, 10_000, across)
        is_whole = run(scene, pristine, "undo", at, across)
        assert contents <= set(scene.contents(scene.folder)), f"killed at {at}"
        with Collection.open(scene.photos) as collection:
            try:
                report = undo(collection._resources())
                assert not report.skipped, f"killed at {at}: {report.skipped}"
            except CollectionNotFoundError:
                assert is_whole or scene.tree() == tree
            assert scene.tree() == tree, f"killed at {at}"
            assert leavings(scene) == [], f"killed at {at}"
            said = [each["label"] for each in collection.said.documents() if each["kind"] == "label"]
            assert said == ["wave"]
        if is_whole:
            break
    assert is_whole
