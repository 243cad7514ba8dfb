"""The log of what is done with duplicates: written, and on the disk, before each act.

An act is a file ``.lookalike/duplicates/acts/NUMBER.jsonl``, whose lines are only ever added:

    {"act": 3, "how": "move", "to": DIR, "mark": "lookalike-1f00c2aa", "time": …}
    {"step": 0, "file": …, "to": …, "sha256": …, …}     what is about to be done with a file
    {"step": 0, "done": true}                            or {"step": 0, "not": why}
    {"fields": […], "last": 17}                          what is about to pass on
    {"change": 18}                                       what has
    {"end": true}
    {"back": 0} … {"back": 0, "done": true}              of an undo, likewise
    {"undone": true}

What a killed process began, and did not finish, is told by what lies on the disk: see `file_moves`.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lookalike.collection.duplicates.handing_on import FieldChange, Gone
from lookalike.errors import CollectionResourceError, StoreDamagedError
from lookalike.hints import way_out
from lookalike.system.file_moves import Link, Move
from lookalike.system.file_names import escape, unescape
from lookalike.system.flush import flush_folder, flush_open, make_durable_folder
from lookalike.system.trash import TrashPlace

HowKind = Literal["trash", "move", "hardlink"]

_FOLDER = ("duplicates", "acts")


@dataclass(frozen=True, slots=True)
class Step:
    """What is done with one file.

    Attributes
    ----------
    number : int
    file : Path
        Where it lies.
    to : Path or None
        Where it is to lie; of a hard link, what is kept; None where the system's trash does not say.
    sha256 : str
    size, mtime_ns, atime_ns, mode : int
        Of the file.
    info : Path or None
        In the trash, where it is written down where the file lay.
    gone : Gone or None
        Of a picture of the collection: what stays for it. None of what belongs to one.
    """

    number: int
    file: Path
    to: Path | None
    sha256: str
    size: int
    mtime_ns: int = 0
    atime_ns: int = 0
    mode: int = 0
    info: Path | None = None
    gone: Gone | None = None

    def as_move(self, mark: str) -> Move:
        """Return it as a move."""
        return Move(self.file, self.to or self.file, f"{mark}-{self.number}")

    def as_link(self, mark: str) -> Link:
        """Return it as a link."""
        return Link(self.to or self.file, self.file, f"{mark}-{self.number}")

    @property
    def place(self) -> TrashPlace | None:
        """Its place in the trash."""
        return None if self.info is None or self.to is None else TrashPlace(self.to, self.info, b"")

    def to_dict(self) -> dict[str, Any]:
        """Return it as a line of the log."""
        found: dict[str, Any] = {
            "step": self.number,
            "file": escape(str(self.file)),
            "to": None if self.to is None else escape(str(self.to)),
            "sha256": self.sha256,
            "size": self.size,
            "mtime_ns": self.mtime_ns,
            "atime_ns": self.atime_ns,
            "mode": self.mode,
            "info": None if self.info is None else escape(str(self.info)),
        }
        if self.gone is not None:
            each = self.gone
            found["gone"] = [each.go, each.go_image, each.keep, each.keep_image]
        return found

    @classmethod
    def from_dict(cls, line: Mapping[str, Any]) -> Step:
        """Return what `to_dict` wrote."""
        to, info = (None if line[name] is None else Path(unescape(line[name])) for name in ("to", "info"))
        return cls(
            int(line["step"]),
            Path(unescape(line["file"])),
            to,
            str(line["sha256"]),
            size=int(line["size"]),
            mtime_ns=int(line["mtime_ns"]),
            atime_ns=int(line["atime_ns"]),
            mode=int(line["mode"]),
            info=info,
            gone=Gone(*line["gone"]) if "gone" in line else None,
        )


@dataclass
class Act:
    """An act, as its log tells it.

    Attributes
    ----------
    file : Path
        The log.
    number : int
    how : {"trash", "move", "hardlink"}
    mark : str
        What files that are under way are called.
    steps : dict of int to Step
    done : dict of int to bool
        By step: whether it was done. A step that is not in it was begun, and nobody knows.
    back : dict of int to bool
        By step: whether it was put back, or only begun to be.
    fields : list of FieldChange
        That were set.
    last : int or None
        The last change before what was said passed on; None if that was not begun.
    change : int or None
        That by which it passed on.
    is_ended, is_undone : bool
    """

    file: Path
    number: int
    how: HowKind
    mark: str
    to: Path | None = None
    steps: dict[int, Step] = field(default_factory=dict)
    done: dict[int, bool] = field(default_factory=dict)
    back: dict[int, bool] = field(default_factory=dict)
    fields: list[FieldChange] = field(default_factory=list)
    last: int | None = None
    change: int | None = None
    is_ended: bool = False
    is_undone: bool = False

    @property
    def gone(self) -> list[Gone]:
        """The pictures that went, and have not come back."""
        if self.how == "hardlink":
            return []
        return [
            step.gone
            for number, step in self.steps.items()
            if step.gone is not None and self.done.get(number) and not self.back.get(number)
        ]

    @property
    def to_put_back(self) -> list[Step]:
        """The steps that were done, and not undone; the last first."""
        return [
            step
            for number, step in reversed(self.steps.items())
            if self.done.get(number) and not self.back.get(number)
        ]

    def begin(self, step: Step) -> None:
        """Note what is about to be done; it is on the disk when this returns."""
        self._add(step.to_dict())
        self.steps[step.number] = step

    def finish(self, step: Step, why_not: str = "") -> None:
        """Note that a step was done, or why not."""
        line = {"step": step.number, **({"not": why_not} if why_not else {"done": True})}
        self._add(line, is_flushed=False)
        self.done[step.number] = not why_not

    def pass_on(self, fields: list[FieldChange], last: int) -> None:
        """Note which fields are about to be set, and the last change before what is said passes on."""
        self._add({"fields": [each.to_dict() for each in fields], "last": last})
        self.fields, self.last = fields, last

    def passed_on(self, change: int | None) -> None:
        """Note the change by which it passed on."""
        self._add({"change": change})
        self.change = change

    def end(self) -> None:
        """Note that all is done."""
        self._add({"end": True})
        self.is_ended = True

    def begin_back(self, step: Step) -> None:
        """Note that a step is about to be undone."""
        self._add({"back": step.number})
        self.back[step.number] = False

    def finish_back(self, step: Step) -> None:
        """Note that a step was undone."""
        self._add({"back": step.number, "done": True}, is_flushed=False)
        self.back[step.number] = True

    def end_undo(self) -> None:
        """Note that the act is undone."""
        self._add({"undone": True})
        self.is_undone = True

    def _add(self, line: Mapping[str, Any], is_flushed: bool = True) -> None:
        try:
            with open(self.file, "ab", buffering=0) as stream:
                start = stream.tell()
                content = f"{json.dumps(line)}\n".encode()
                if stream.write(content) != len(content):
                    stream.truncate(start)
                    raise OSError(28, os.strerror(28), str(self.file))
                if is_flushed:
                    flush_open(stream.fileno())
        except OSError as error:
            raise CollectionResourceError(
                f"cannot write {self.file}, without which nothing is done: {error.strerror or error}",
                hint=way_out(error),
            ) from error


def new_act(collection: Path, how: HowKind, to: Path | None, time: str) -> Act:
    """Begin an act; the caller holds the writer's lock.

    Raises
    ------
    CollectionResourceError
        If nothing can be written.
    """
    folder = collection.joinpath(*_FOLDER)
    try:
        make_durable_folder(folder)
    except OSError as error:
        raise CollectionResourceError(f"cannot write to {folder}: {error.strerror or error}") from error
    number = max((each for each in _numbers(folder)), default=0) + 1
    act = Act(folder / f"{number:06}.jsonl", number, how, f"lookalike-{secrets.token_hex(4)}", to)
    written = None if to is None else escape(str(to))
    act._add({"act": number, "how": how, "to": written, "mark": act.mark, "time": time})
    flush_folder(folder)
    return act


def read_acts(collection: Path) -> list[Act]:
    """Return all acts of a collection, by number.

    Raises
    ------
    StoreDamagedError
        If a log is not what was written.
    """
    folder = collection.joinpath(*_FOLDER)
    found = (_read(folder / f"{number:06}.jsonl") for number in sorted(_numbers(folder)))
    return [act for act in found if act is not None]


def _numbers(folder: Path) -> list[int]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [int(name[:-6]) for name in names if name.endswith(".jsonl") and name[:-6].isdecimal()]


def _read(file: Path) -> Act | None:
    """Read a log; None if it has nothing but a beginning of its first line."""
    try:
        *lines, rest = file.read_bytes().split(b"\n")
    except OSError as error:
        raise CollectionResourceError(f"cannot read {file}: {error.strerror or error}") from error
    if rest:  # a line that a power cut left half
        _cut(file, len(rest))
    if not lines:
        return None
    try:
        first = json.loads(lines[0])
        to = None if first["to"] is None else Path(unescape(first["to"]))
        act = Act(file, int(first["act"]), first["how"], first["mark"], to)
        for line in lines[1:]:
            _take(act, json.loads(line))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise StoreDamagedError(
            f"{file} is damaged ({error}), and nothing can be undone by it",
            hint="it names, line by line, what was put where; put it aside once that is looked through",
        ) from error
    return act


def _take(act: Act, line: Mapping[str, Any]) -> None:
    """Take in a line of a log."""
    if "file" in line:
        step = Step.from_dict(line)
        act.steps[step.number] = step
    elif "step" in line:
        act.done[int(line["step"])] = "done" in line
    elif "fields" in line:
        act.fields = [FieldChange.from_dict(each) for each in line["fields"]]
        act.last = int(line["last"])
    elif "change" in line:
        act.change = line["change"]
    elif "back" in line:
        act.back[int(line["back"])] = "done" in line
    elif "end" in line:
        act.is_ended = True
    elif "undone" in line:
        act.is_undone = True
    else:
        raise ValueError(f"a line has {', '.join(line)}")


def _cut(file: Path, size: int) -> None:
    """Take off the last bytes of a log."""
    try:
        with file.open("r+b") as stream:
            stream.truncate(stream.seek(0, os.SEEK_END) - size)
            flush_open(stream.fileno())
    except OSError as error:
        raise CollectionResourceError(f"cannot write {file}: {error.strerror or error}") from error
