"""A plan for duplicates followed: into the trash, into a folder, or made one file by hard links.

Nothing is ever deleted for good. Before each act both files are read again and held to the plan, and what is
about to be done is on the disk (`act_log`); so a process that is killed anywhere leaves nothing that the next
one, or an undo, could not bring to its end. A row that cannot be followed is skipped, with the reason.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lookalike.collection.duplicates.act_log import Act, HowKind, Step, new_act, read_acts
from lookalike.collection.duplicates.belonging import FolderNames
from lookalike.collection.duplicates.handing_on import (
    Gone,
    change_after,
    fields_to_set,
    forget_files,
    hand_on,
    set_fields,
)
from lookalike.collection.resources import Resources
from lookalike.errors import CancelledError, CollectionConflictError, InvalidInputError, NotFoundError
from lookalike.hints import Sentence
from lookalike.images.finding.spelling import path_within
from lookalike.results.duplicate_acts import ActedFile, ActReport
from lookalike.results.duplicate_plans import DuplicatePlan, PlannedFile, PlannedRow, check_plan
from lookalike.store import FOLDER_NAME, Turn, Wait, writer_lock
from lookalike.system.checked_calls import shown
from lookalike.system.file_contents import FileContent, has_content, read_content
from lookalike.system.flush import make_durable_folder
from lookalike.system.output import refuse_collections
from lookalike.system.progress import UNWATCHED, Progress, Watch
from lookalike.system.trash import can_be_told, places_for, throw_away

HOWS: tuple[HowKind, ...] = ("trash", "move", "hardlink")


@dataclass(frozen=True, slots=True)
class How:
    """What is done with files that go.

    Attributes
    ----------
    kind : {"trash", "move", "hardlink"}
    to : Path or None
        The folder into which they move.
    """

    kind: HowKind
    to: Path | None = None


def apply(
    resources: Resources,
    plan: DuplicatePlan,
    how: How,
    *,
    dry_run: bool = False,
    wait: Wait = "threads",
    watch: Watch = UNWATCHED,
) -> ActReport:
    """Follow a plan; see above.

    Parameters
    ----------
    resources : Resources
    plan : DuplicatePlan
    how : How
    dry_run : bool
        Whether only to look what would be done.
    wait : Wait
        How long to wait for another writer.
    watch : Watch
        Told of the progress; where it stops the work, what was done is done, and can be undone.

    Raises
    ------
    CollectionConflictError
        If the plan is of another collection.
    InvalidInputError
        If it is at odds with itself, or the folder is none that files could be moved to.
    LockedError
        If another is writing to the collection, and `wait` is over.
    CollectionResourceError
        If what is about to be done cannot be noted; what was done is done.
    """
    check_plan(plan)
    if os.path.realpath(plan.collection) != os.path.realpath(resources.store.folder):
        raise CollectionConflictError(
            f"the plan is of the collection {plan.collection}, and this one is {resources.store.folder}",
            hint="name the collection that the plan is of, or make a plan of this one",
        )
    how = _checked(resources, how)
    if dry_run:
        return _Acting(resources, plan, how, is_dry_run=True).run(watch)
    with writer_lock(resources.store.folder, Turn(wait, "putting duplicates away", watch)):
        acts = settle_all(resources)
        return _Acting(resources, plan, how, acts=acts).run(watch)


def _checked(resources: Resources, how: How) -> How:
    """Return how it is done, with an absolute folder.

    Raises
    ------
    InvalidInputError
        If there is no such way, or the folder is none that files could be moved to.
    """
    if how.kind not in HOWS:
        raise InvalidInputError(f"how is {shown(how.kind)}; expected {', '.join(HOWS)}", field="how")
    if (how.to is None) != (how.kind != "move"):
        raise InvalidInputError("a folder is named to move files to, and only then", field="to")
    if how.to is None:
        return how
    to = Path(os.path.realpath(how.to))
    refuse_collections(to)
    if os.path.lexists(to) and not to.is_dir():
        raise InvalidInputError(f"{how.to} is no folder", field="to")
    if not to.is_dir() and not to.parent.is_dir():
        raise NotFoundError(f"{how.to}: there is no folder {to.parent}", field="to")
    for _, place in resources.places.of_roots():
        if path_within(place, to) is not None:
            raise InvalidInputError(
                f"{how.to} lies in {place}, a folder of the collection: the next sync would find there what"
                " was put away",
                hint="name a folder elsewhere",
                field="to",
            )
    return How(how.kind, to)


class _LeftError(Exception):
    """A file stays where it is; the text says why."""


@dataclass
class _Acting:
    """A plan that is being followed."""

    resources: Resources
    plan: DuplicatePlan
    how: How
    is_dry_run: bool = False
    acts: Sequence[Act] = ()
    act: Act | None = None
    files: list[ActedFile] = field(default_factory=list)
    n_steps: int = 0

    def run(self, watch: Watch) -> ActReport:
        """Follow it, row by row."""
        going = {os.path.realpath(row.go.path): row.go.path for row in self.plan.rows}
        try:
            for number, row in enumerate(self.plan.rows):
                watch(Progress("acting", number, len(self.plan), "comparing once more", unit="files"))
                try:
                    real = os.path.realpath(row.keep.path)
                    if self.how.kind != "hardlink" and real in going:
                        raise _LeftError(
                            f"{row.keep.path}, which is kept for it, is {going[real]}, which goes"
                        )
                    before = self._went_before(row)
                    if before is None:
                        self._follow(row, self._both_as_planned(row))
                    else:  # whoever took it was killed before what belongs to it
                        left = tuple(each for each in row.belongings if os.path.lexists(each.path))
                        self._follow_belongings(replace(row, belongings=left), before.to)
                        raise _LeftError("it went already")
                except _LeftError as left:
                    self.files.append(ActedFile(row.go.path, None, str(left), row.go.size))
        except (CancelledError, KeyboardInterrupt):
            if self.act is not None:
                complete(self.resources, self.act)
            raise
        act, files = self.act, tuple(self.files)
        if act is None:
            return ActReport(None, self.how.kind, files, self.is_dry_run)
        complete(self.resources, act)
        return ActReport(act.number, self.how.kind, files, change=act.change, notes=self._notes())

    def _notes(self) -> tuple[str, ...]:
        done = any(each.is_done for each in self.files)
        if self.how.kind != "trash" or can_be_told() or not done:
            return ()
        return (Sentence("this system does not say where in its trash a file lies: an undo names them"),)

    def _both_as_planned(self, row: PlannedRow) -> FileContent:
        """Return what the file holds that is to go, if it and what is kept are as the plan says."""
        go, keep = Path(row.go.path), Path(row.keep.path)
        for path, whose in ((go, "it"), (keep, f"{keep}, which is kept for it,")):
            if not self._stored(path) or FOLDER_NAME in path.parts:
                raise _LeftError(f"{whose} lies in no folder of the collection")
            if path.is_symlink():
                raise _LeftError(f"{whose} is a symbolic link")
            if not path.is_file():
                raise _LeftError(f"{whose} is not there any more")
        try:
            if os.path.samefile(go, keep):
                is_link = os.path.realpath(go) != os.path.realpath(keep) and go.stat().st_nlink > 1
                raise _LeftError(
                    f"it and {keep} are already one file"
                    if is_link
                    else f"it is the very file that is kept, {keep}, by another way"
                )
        except OSError as error:
            raise _LeftError(f"it cannot be looked at: {error.strerror or error}") from error
        content = _read(go, "it", row.go)
        kept = _read(keep, f"{keep}, which is kept for it,", row.keep)
        if self.how.kind == "hardlink":
            if row.go.sha256 != row.keep.sha256:
                raise _LeftError(f"{keep} has another content, and only files of one content become one")
            if content.device != kept.device:
                raise _LeftError(f"{keep} lies on another disk, and hard links do not lead there")
        return content

    def _stored(self, path: Path) -> str:
        return self.resources.places.stored(str(path))

    def _follow(self, row: PlannedRow, content: FileContent) -> None:
        """Do what is to be done with a file, and then with what belongs to it."""
        go, keep = Path(row.go.path), Path(row.keep.path)
        gone = Gone(self._stored(go), row.go.image, self._stored(keep), row.keep.image)
        if self.how.kind == "hardlink":
            self._step(go, content, keep, gone)
            return
        target = self._target(go, [Path(each.path).name for each in row.belongings])
        self._step(go, content, target, gone)
        self._follow_belongings(row, target)

    def _went_before(self, row: PlannedRow) -> Step | None:
        """Return the step by which a file went that is not there any more, if it was one of ours."""
        if self.how.kind == "hardlink" or os.path.lexists(row.go.path):
            return None
        found = (
            step
            for act in self.acts
            if act.how == self.how.kind
            for step in act.to_put_back
            if str(step.file) == row.go.path and step.sha256 == row.go.sha256
        )
        return next(found, None)

    def _follow_belongings(self, row: PlannedRow, target: Path | None) -> None:
        """Do with what belongs to a file that went what was done with it."""
        go, keep = Path(row.go.path), Path(row.keep.path)
        kinds = {each.name: each.kind for each in FolderNames.of(go.parent, go.name).belonging_to(go.name)}
        # Films first: a side file goes once all that it belongs to is gone.
        for each in sorted(row.belongings, key=lambda each: kinds.get(Path(each.path).name) != "film"):
            path = Path(each.path)
            try:
                if path.name not in kinds:
                    raise _LeftError(f"by its name, it does not belong to {go}")
                self._check_belonging(path)
                if kinds[path.name] == "film" and not _is_film_beside(path, each.sha256, keep):
                    raise _LeftError(f"no film of its content lies beside {keep}")
                beside = None
                if self.how.kind == "move" and target is not None:
                    beside = target.with_name(_renamed(path.name, go.stem, target.stem))
                self._step(path, _read(path, "it", each), beside, None)
            except _LeftError as left:
                self.files.append(ActedFile(each.path, None, str(left), each.size))

    def _check_belonging(self, path: Path) -> None:
        """Raise _LeftError if something is still there to which a file belongs."""
        if path.is_symlink() or not path.is_file():
            raise _LeftError("it is not there any more")
        went = {each.path for each in self.files if each.is_done}
        owners = FolderNames.of(path.parent).owners_of(path.name)
        others = [name for name in owners if str(path.with_name(name)) not in went or not self.is_dry_run]
        if others:
            raise _LeftError(f"it belongs to {others[0]}, too, which is still there")

    def _target(self, go: Path, beside: Sequence[str]) -> Path | None:
        """Return where a file is to lie, in the tree below its root; numbered, so that all of it is free."""
        if self.how.to is None:
            return None
        root, _, _ = self._stored(go).partition(":")
        place = next(place for each, place in self.resources.places.of_roots() if each.name == root)
        relative = path_within(place, go)
        folder = self.how.to / root / (Path(go.name) if relative is None else relative).parent
        for number in itertools.count(1):
            stem = go.stem if number == 1 else f"{go.stem}-{number}"
            names = [_renamed(name, go.stem, stem) for name in (go.name, *beside)]
            if not any(os.path.lexists(folder / name) for name in names):
                return folder / names[0]
        raise AssertionError("there is always another number")

    def _step(self, path: Path, content: FileContent, to: Path | None, gone: Gone | None) -> None:
        """Do what is to be done with one file, and note it."""
        if self.is_dry_run:
            self.files.append(ActedFile(str(path), None if to is None else str(to), "", content.size))
            return
        try:
            step = self._done(path, content, to, gone)
        except OSError as error:
            reason = error.strerror or str(error)
            where = f" ({error.filename})" if error.filename not in (None, str(path), path) else ""
            raise _LeftError(f"{reason}{where}") from error
        moved_to = None if step.to is None else str(step.to)
        self.files.append(ActedFile(str(path), moved_to, "", content.size))

    def _done(self, path: Path, content: FileContent, to: Path | None, gone: Gone | None) -> Step:
        if self.how.kind == "trash":
            return self._thrown_away(path, content, gone)
        if self.how.kind == "move" and to is not None:
            make_durable_folder(to.parent)
        step = self._begun(path, content, to, gone)
        self._carry_out(step, content)
        return step

    def _thrown_away(self, path: Path, content: FileContent, gone: Gone | None) -> Step:
        if not can_be_told():
            step = self._begun(path, content, None, gone)
            self._carry_out(step, content)
            return step
        for place in places_for(path):
            step = self._begun(path, content, place.file, gone, place.info)
            try:
                place.take()
            except FileExistsError:  # somebody else threw a file of this name away, just now
                self._finish(step, "its name in the trash was taken")
                continue
            except OSError as error:
                self._finish(step, error.strerror or str(error))
                raise
            self._carry_out(step, content)
            return step
        raise AssertionError("there is always another name")

    def _begun(
        self, path: Path, content: FileContent, to: Path | None, gone: Gone | None, info: Path | None = None
    ) -> Step:
        """Note what is about to be done with a file."""
        if self.act is None:
            time = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            self.act = new_act(self.resources.store.folder, self.how.kind, self.how.to, time)
        facts = (content.sha256, content.size, content.mtime_ns, content.atime_ns, content.mode)
        step = Step(self.n_steps, path, to, *facts, info, gone)
        self.n_steps += 1
        self.act.begin(step)
        return step

    def _carry_out(self, step: Step, content: FileContent) -> None:
        assert self.act is not None
        try:
            if self.how.kind == "hardlink":
                step.as_link(self.act.mark).run(step.sha256)
            elif step.to is None:
                throw_away(step.file)
            else:
                step.as_move(self.act.mark).run(content)
        except OSError as error:
            if not settle(self.act, step):
                self._finish(step, error.strerror or str(error))
                raise
        self._finish(step)

    def _finish(self, step: Step, why_not: str = "") -> None:
        assert self.act is not None
        self.act.finish(step, why_not)


def settle(act: Act, step: Step) -> bool:
    """Bring a step that was begun to its end, or back, by what lies there; tell whether it is done.

    Raises
    ------
    OSError
        If the file is nowhere, or the disk refuses it.
    """
    if act.how == "hardlink":
        return step.as_link(act.mark).settle(step.sha256)
    if step.to is None:
        return not os.path.lexists(step.file)
    is_done = step.as_move(act.mark).settle(step.sha256)
    if not is_done and step.place is not None:
        step.place.give_back(step.file)
    return is_done


def settle_all(resources: Resources) -> list[Act]:
    """Bring all acts that were cut off to their end; return all acts. The caller holds the writer's lock."""
    acts = read_acts(resources.store.folder)
    for act in acts:
        unsettled = [step for number, step in act.steps.items() if number not in act.done]
        if act.is_undone or (act.is_ended and not unsettled):
            continue
        for step in unsettled:
            with contextlib.suppress(OSError):  # its disk may be away: the next one looks again
                act.finish(step, "" if settle(act, step) else "it was cut off before it was done")
        complete(resources, act)
    return acts


def complete(resources: Resources, act: Act) -> None:
    """Let what was said pass on, have the collection forget the files, and end an act.

    Each part may have been done already, before the process was killed that did it.
    """
    gone = [each for each in act.gone if not os.path.lexists(resources.places.absolute(each.go))]
    if gone:
        is_first = act.last is None
        if is_first:
            act.pass_on(fields_to_set(resources, gone), resources.snapshots.journal.now().last)
        if act.fields:
            set_fields(resources, act.fields)
        change = hand_on(resources, gone)
        if change is None and not is_first and act.last is not None:
            change = act.change or change_after(resources, act.last)
        act.passed_on(change)
        forget_files(resources, gone)
    act.end()


def _is_film_beside(film: Path, sha256: str, keep: Path) -> bool:
    """Tell whether another film of the same content belongs to what is kept."""
    return any(
        each.kind == "film"
        and keep.with_name(each.name) != film
        and has_content(keep.with_name(each.name), sha256)
        for each in FolderNames.of(keep.parent).belonging_to(keep.name)
    )


def _read(path: Path, whose: str, planned: PlannedFile) -> FileContent:
    """Return what a file holds, if that is what the plan says."""
    try:
        content = read_content(path)
    except OSError as error:
        raise _LeftError(f"{whose} cannot be read: {error.strerror or error}") from error
    if content.sha256 != planned.sha256:
        raise _LeftError(f"{whose} has another content than the plan says")
    return content


def _renamed(name: str, stem: str, new: str) -> str:
    """Return the name of what belongs to a picture, once the picture's own is another.

    >>> _renamed("img_1.JPG.xmp", "IMG_1", "IMG_1-2"), _renamed("IMG_1234.AAE", "IMG_E1234", "IMG_E1234-2")
    ('IMG_1-2.JPG.xmp', 'IMG_1234-2.AAE')
    """
    if new == stem:
        return name
    if name[: len(stem)].casefold() == stem.casefold():
        return f"{new}{name[len(stem) :]}"
    first, ending = os.path.splitext(name)
    return f"{first}{new.removeprefix(stem)}{ending}"
