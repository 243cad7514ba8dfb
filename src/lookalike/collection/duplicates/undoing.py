"""What was done with duplicates, taken back: files lie where they lay, or it is said why not.

Nothing that is there now is written over. What a killed undo left is brought to its end by the next one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from lookalike.collection.duplicates.act_log import Act, Step
from lookalike.collection.duplicates.acting import settle_all
from lookalike.collection.duplicates.handing_on import take_back, unset_fields
from lookalike.collection.resources import Resources
from lookalike.errors import CollectionConflictError, CollectionNotFoundError
from lookalike.hints import Hint, Sentence
from lookalike.results.duplicate_acts import ActedFile, ActReport
from lookalike.store import Turn, Wait, writer_lock
from lookalike.system.file_contents import has_content, read_content
from lookalike.system.flush import make_durable_folder
from lookalike.system.progress import UNWATCHED, Progress, Watch


def undo(
    resources: Resources, number: int | None = None, *, wait: Wait = "threads", watch: Watch = UNWATCHED
) -> ActReport:
    """Put back what an act took away.

    Parameters
    ----------
    resources : Resources
    number : int, optional
        Which act; by default the last of which anything is left to be put back.
    wait : Wait
        How long to wait for another writer.
    watch : Watch

    Raises
    ------
    CollectionNotFoundError
        If there is no such act, or nothing to be put back.
    CollectionConflictError
        If that act was undone already.
    LockedError
        If another is writing to the collection, and `wait` is over.
    """
    with writer_lock(resources.store.folder, Turn(wait, "putting duplicates back", watch)):
        act = _choose(settle_all(resources), number)
        return _Undoing(resources, act).run(watch)


def _choose(acts: list[Act], number: int | None) -> Act:
    if number is None:
        found = [act for act in acts if not act.is_undone and any(act.done.values())]
        if not found:
            raise CollectionNotFoundError("nothing was done with duplicates that could be undone")
        return found[-1]
    by_number = {act.number: act for act in acts}
    if number not in by_number:
        numbers = ", ".join(map(str, by_number)) or "none yet"
        raise CollectionNotFoundError(f"there is no act {number}; there are {numbers}", field="number")
    if by_number[number].is_undone:
        raise CollectionConflictError(f"act {number} was undone already")
    return by_number[number]


class _StaysError(Exception):
    """A file is not put back; the text says why."""


class _OverError(_StaysError):
    """And it never can be: there is nothing to be put back."""


@dataclass
class _Undoing:
    """An act that is being undone."""

    resources: Resources
    act: Act
    files: list[ActedFile] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def run(self, watch: Watch) -> ActReport:
        """Put back file by file, the last first, and then what was said."""
        steps = self.act.to_put_back
        for number, step in enumerate(steps):
            watch(Progress("undoing", number, len(steps), "putting back", unit="files"))
            to = None if step.to is None or self.act.how == "hardlink" else str(step.to)
            try:
                try:
                    self._put_back(step)
                except OSError as error:
                    raise _StaysError(error.strerror or str(error)) from error
                self.act.finish_back(step)
                self.files.append(ActedFile(to or str(step.file), str(step.file), "", step.size))
            except _StaysError as stays:
                self.files.append(ActedFile(to or str(step.file), None, str(stays), step.size))
                if isinstance(stays, _OverError):
                    self.act.finish_back(step)
        change = self._say_back()
        if not self.act.to_put_back:
            self.act.end_undo()
        if any(each.is_done for each in self.files) and self.act.how != "hardlink":
            self.notes.append(
                Sentence("the collection does not know yet that they are back", Hint("sync", then=""))
            )
        return ActReport(self.act.number, "undo", tuple(self.files), change=change, notes=tuple(self.notes))

    def _put_back(self, step: Step) -> None:
        """Put a file back; raise _StaysError if that cannot be."""
        if self.act.how == "hardlink":
            self._part(step)
        elif step.to is None:
            if os.path.lexists(step.file):
                return
            raise _OverError("it is in the trash of this system; put it back there by hand")
        else:
            self._move_back(step)

    def _move_back(self, step: Step) -> None:
        assert step.to is not None
        move = step.as_move(self.act.mark).reversed
        if (
            not os.path.lexists(step.file)
            and not os.path.lexists(step.to)
            and not os.path.lexists(move.aside)
        ):
            raise _OverError(f"it is not at {step.to} any more")
        if step.number in self.act.back and move.settle(step.sha256):
            self._give_back(step)
            return
        if os.path.lexists(step.file):
            if not os.path.lexists(step.to) and has_content(step.file, step.sha256):
                return
            raise _StaysError(f"another file is at {step.file} now; it stays at {step.to}")
        content = read_content(step.to)
        if content.sha256 != step.sha256:
            raise _StaysError(f"{step.to} has another content than what was put there; it is left there")
        make_durable_folder(step.file.parent)
        self.act.begin_back(step)
        move.run(content)
        self._give_back(step)

    def _give_back(self, step: Step) -> None:
        place = step.place
        if place is not None:
            place.give_back(step.file)

    def _part(self, step: Step) -> None:
        """Make a file of its own of a name that is a link."""
        link = step.as_link(self.act.mark)
        if not os.path.lexists(step.file):
            raise _OverError("it is not there any more")
        if step.file.is_symlink():
            raise _StaysError("it is a symbolic link now")
        if os.path.lexists(link.part):  # of an undo that was killed
            link.part.unlink()
        if not os.path.lexists(link.kept) or not os.path.samefile(step.file, link.kept):
            return  # it is a file of its own already
        content = read_content(step.file)
        if content.sha256 != step.sha256:
            raise _StaysError(f"it and {link.kept} are one file, which was changed since; both are left so")
        self.act.begin_back(step)
        link.part_again(content.at(step.mtime_ns, step.atime_ns, step.mode))

    def _say_back(self) -> int | None:
        """Take back what was said of what stays, once all that went is back; return the change that did."""
        act = self.act
        if act.gone or (self.files and not any(each.is_done for each in self.files)):
            if act.change is not None and act.gone:
                self.notes.append("what was said of them stays with what was kept, as not all are back")
            return None
        changed = unset_fields(self.resources, act.fields)
        self.notes += [f"the fields of {path} were changed since, and are left so" for path in changed]
        if act.change is None:
            return None
        why = take_back(self.resources, act.change)
        if why:
            self.notes.append(f"what was said of them stays with what was kept: {why}")
            return None
        return self.resources.snapshots.journal.now().last
