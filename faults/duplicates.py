"""Duplicates put away and put back, while the process is killed, the disk is full, or somebody changes files.

A small collection, with copies and edited copies, side files and things said of them, and a plan for them.
Then, at moments drawn at random:

- ``kill -9`` before any call that changes a name or a file, of an act and of an undo, into the trash, into a
  folder, into a folder on another disk, and as hard links;
- two processes that follow one plan, or of which one undoes what the other does;
- files that are edited, removed, renamed, swapped and linked between the plan and the act, and during it;
- a disk that is full, or fails, at one call or from then on.

After each: every content that was there is there, in a file; an undo puts all back, byte for byte, with the
times; or the same plan comes to its end, and then an undo; and what was said is what it was.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from faults.failing_calls import FOR_GOOD, FailingCalls, Fault, can_fail
from faults.report import ROOT, Asked, Report
from faults.worlds import picture
from lookalike import Collection
from lookalike.errors import CollectionNotFoundError, LookalikeError

MOMENTS = {"killed": 400, "undo killed": 200, "two at once": 60, "changed": 200, "full": 120}
"""How many of each kind a share of 1 tries."""

HOWS = ("trash", "move", "move across disks", "hardlink")
_ANOTHER_DISK = Path("/dev/shm")
_MODEL = "pixels-8-grey"

_CHILD = """
import os, signal, sys
at, below = int(sys.argv[1]), sys.argv[2]
count, is_on = 0, False
CHANGING = {f"os.{name}" for name in ("link", "rename", "remove", "mkdir", "truncate", "chmod", "utime")}

def hook(event, given):
    global count
    if not is_on:
        return
    changes = event in CHANGING
    if event == "open":
        flags = given[2] or 0
        changes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    if changes and any(str(each).startswith(below) for each in given):
        count += 1
        if count > at >= 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
from pathlib import Path
from lookalike import Collection
from lookalike.errors import LookalikeError
from lookalike.results.duplicate_plans import DuplicatePlan
from lookalike.collection.duplicates import acting, undoing  # before the first call is counted
photos = Collection.open(below + "/photos")
photos.duplicates
is_on = True
try:
    if sys.argv[3] == "undo":
        done = photos.duplicates.undo()
    else:
        plan = DuplicatePlan.load(below + "/plan.json")
        done = photos.duplicates.apply(plan, sys.argv[3], sys.argv[4] or None)
except LookalikeError as error:
    print(f"lookalike: {error}", file=sys.stderr)
    sys.exit(2)
finally:
    is_on = False
print(count, len(done.done), len(done.skipped))
"""


class World:
    """A collection with duplicates, and a plan for them; `renew` puts all back, at the same place.

    Attributes
    ----------
    photos, home, away : Path
        The collection, the home folder with the trash, and where files are moved to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.kept = folder / "world", folder / "kept"
        self.photos, self.home, self.away = (self.folder / name for name in ("photos", "home", "away"))
        shared = _ANOTHER_DISK if _ANOTHER_DISK.is_dir() else folder
        self.other = Path(tempfile.mkdtemp(prefix="lookalike-faults-", dir=shared))
        self.is_other_disk = os.stat(self.other).st_dev != os.stat(folder).st_dev
        _make(self.photos)
        for place in (self.home, self.away):
            place.mkdir()
        with Collection.create(self.photos, model=_MODEL) as collection:
            collection.sync()
            copies = self.photos / "copies"
            collection.labels.give([copies / "1-small.jpg"], "wave")
            collection.sets.add("best", [copies / "2-small.jpg"])
            collection.fields.set({copies / "0.jpg": {"price": 3.0}, copies / "3-small.jpg": {"shop": "A"}})
            collection.duplicates.find()
            plan = collection.duplicates.plan(collection.duplicates.groups())
            plan.save(self.folder / "plan.json")
            self.n_planned = len(plan)
        shutil.copytree(self.folder, self.kept)
        self.tree, self.contents, self.said = self.now(), self.held(), self.what_is_said()

    def renew(self) -> None:
        """Put everything back as it was made."""
        for place in (self.folder, self.other):
            for each in place.iterdir():
                shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()
        shutil.copytree(self.kept, self.folder, dirs_exist_ok=True)

    def remove(self) -> None:
        """Remove what lies on the other disk."""
        shutil.rmtree(self.other, ignore_errors=True)

    def words(self, how: str) -> tuple[str, str]:
        """Return the way, and the folder, of one of `HOWS`."""
        places = {"move": str(self.away), "move across disks": str(self.other / "away")}
        return how.partition(" ")[0], places.get(how, "")

    def start(
        self, how: str, at: int = -1, environment: dict[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Have a process follow the plan, or undo, which kills itself before a call; -1 for never."""
        way, to = self.words(how)
        return subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(at), str(self.folder), way, to],
            env={**os.environ, **self.environment, **(environment or {})},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )

    @property
    def environment(self) -> dict[str, str]:
        """What the processes need: a home of their own, and this code."""
        path = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
        return {"XDG_DATA_HOME": str(self.home), "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, how: str, at: int = -1, environment: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Run a process to its end: its code, and what it said."""
        process = self.start(how, at, environment)
        output, complaints = process.communicate(timeout=300)
        return process.returncode, output, complaints

    def now(self) -> dict[str, tuple[str, int]]:
        """Return the files of the collection's folder: content and time, by path."""
        return {str(file.relative_to(self.photos)): _facts(file) for file in _files(self.photos)}

    def held(self) -> frozenset[str]:
        """Return the contents of all files, wherever they lie now, but for the collection's own."""
        places = (self.photos, self.home, self.away, self.other)
        files = (file for place in places for file in _files(place))
        return frozenset(_facts(file)[0] for file in files if file.suffix != ".trashinfo")

    def what_is_said(self) -> list[str]:
        """Return what is said of images, and of files in fields."""
        with Collection.open(self.photos) as collection:
            said = [json.dumps({**each, "path": 0, "time": 0}) for each in collection.said.documents()]
            for name in sorted(self.tree if hasattr(self, "tree") else self.now()):
                with contextlib.suppress(LookalikeError):
                    said.append(f"{name}: {sorted(collection.fields.of(self.photos / name).items())}")
        return sorted(said)

    def leavings(self) -> list[str]:
        """Return what lies about that no act should leave behind."""
        places = (self.photos, self.away, self.other, self.home)
        return [str(each) for place in places for each in place.rglob(".lookalike-*")]


def _make(photos: Path) -> None:
    copies = photos / "copies"
    copies.mkdir(parents=True)
    for number in range(5):
        picture(number, 128).save(photos / f"{number}.jpg", quality=95)
    for number in range(4):
        picture(number, 128).resize((80, 80)).save(copies / f"{number}-small.jpg", quality=90)
    for number in (0, 4):
        shutil.copy2(photos / f"{number}.jpg", copies / f"{number}.jpg")
    (copies / "0.xmp").write_text("<x:xmpmeta/>")
    (copies / "1-small.jpg.xmp").write_text("<x:xmpmeta xmlns='1'/>")
    for place in (photos, copies):
        (place / "4.MOV").write_bytes(b"a film")


def _files(place: Path) -> Iterator[Path]:
    for file in sorted(place.rglob("*")):
        if ".lookalike" not in file.parts and file.is_file() and not file.is_symlink():
            yield file


def _facts(file: Path) -> tuple[str, int]:
    return hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns


class Campaign:
    """The world, and what was found in it."""

    def __init__(self, asked: Asked, folder: Path) -> None:
        self.report = Report("duplicates", asked)
        self.chance = random.Random(asked.seed)
        self.folder = folder
        self.world = World(folder)
        self._n_calls: dict[str, int] = {}

    def hows(self) -> list[str]:
        """Return the ways that can be tried here."""
        return [each for each in HOWS if "across" not in each or self.world.is_other_disk]

    def n_calls(self, how: str) -> int:
        """Return how many calls a way takes when nothing disturbs it."""
        if how not in self._n_calls:
            self.world.renew()
            if how.startswith("undo"):
                self.world.run(how.partition(": ")[2])
                code, output, complaints = self.world.run("undo")
            else:
                code, output, complaints = self.world.run(how)
            if code:
                raise RuntimeError(f"{how} fails undisturbed: {complaints}")
            self._n_calls[how] = int(output.split()[0])
        return self._n_calls[how]

    def note(self, kind: str, moment: str, wrong: Sequence[str]) -> None:
        """Count a moment, and note what was wrong."""
        self.report.counts[kind] += 1
        self.report.faults += [f"{kind}, {moment}: {each}" for each in wrong]

    def killed(self, kind: str) -> None:
        """Kill an act; then undo it, or bring it to its end, and undo that."""
        hows = self.hows()
        for number in range(self.report.asked.of(MOMENTS[kind])):
            how = hows[number % len(hows)]
            at = self.chance.randrange(self.n_calls(how) + 1)
            self.world.renew()
            self.world.run(how, at)
            wrong = [*self._lost()]
            if number // len(hows) % 2:
                code, _, complaints = self.world.run(how)
                wrong += [f"it does not go on: {complaints[-300:]}"] * bool(code)
                wrong += self._lost()
                wrong += [f"left behind: {each}" for each in self.world.leavings()]
            self.note(kind, f"{how}, before call {at}", [*wrong, *self._undone()])

    def undo_killed(self, kind: str) -> None:
        """Kill an undo, and undo again."""
        hows = self.hows()
        for number in range(self.report.asked.of(MOMENTS[kind])):
            how = hows[number % len(hows)]
            at = self.chance.randrange(self.n_calls(f"undo: {how}") + 1)
            self.world.renew()
            self.world.run(how)
            self.world.run("undo", at)
            self.note(kind, f"{how}, before call {at}", [*self._lost(), *self._undone()])

    def two_at_once(self, kind: str) -> None:
        """Let two processes follow the plan, or undo, at once; then undo all."""
        hows = self.hows()
        for _ in range(self.report.asked.of(MOMENTS[kind])):
            first, second = self.chance.choice(hows), self.chance.choice([*hows, "undo"])
            self.world.renew()
            processes = [self.world.start(first)]
            time.sleep(self.chance.choice((0, 0, 0.2, 0.5)))
            processes.append(self.world.start(second))
            wrong = []
            for process in processes:
                _, complaints = process.communicate(timeout=300)
                if process.returncode not in (0, 2) or "Traceback" in complaints:
                    wrong.append(f"exit {process.returncode}: {complaints[-300:]}")
            self.note(kind, f"{first} and {second}", [*wrong, *self._lost(), *self._undone()])

    def changed(self, kind: str) -> None:
        """Change files before an act, and while it goes on: whatever was there at any time is there."""
        hows = self.hows()
        for number in range(self.report.asked.of(MOMENTS[kind])):
            how = hows[number % len(hows)]
            self.world.renew()
            for _ in range(self.chance.randrange(4)):
                self._change()
            written: set[str] = set(self.world.held())
            is_over = threading.Event()

            def disturb(is_over: threading.Event = is_over, written: set[str] = written) -> None:
                while not is_over.wait(self.chance.uniform(0.001, 0.05)):
                    written.add(self._write_new())

            thread = threading.Thread(target=disturb)
            if self.chance.random() < 0.5:
                thread.start()
            code, _, complaints = self.world.run(how)
            is_over.set()
            if thread.ident is not None:
                thread.join()
            wrong = [f"exit {code}: {complaints[-300:]}"] * bool(code)
            held = self.world.held()
            wrong += [f"a content is lost: {each[:12]}" for each in written - held]
            try:
                self._undo()
            except CollectionNotFoundError:
                pass
            except LookalikeError as error:
                wrong.append(f"it cannot be undone: {error}")
            wrong += [f"an undo lost a content: {each[:12]}" for each in written - self.world.held()]
            self.note(kind, how, wrong)

    def _change(self) -> None:
        """Change something, so that no content is lost by the change itself."""
        files = [file for file in _files(self.world.photos) if file.suffix == ".jpg"]
        one, other = self.chance.sample(files, 2)
        what = self.chance.choice(("edit", "touch", "swap", "hide", "link", "symlink", "rename"))
        aside = self.world.home / f"aside-{self.chance.random()}"
        if what == "edit":
            shutil.copy2(one, aside)
            one.write_bytes(one.read_bytes() + b"edited")
        elif what == "touch":
            os.utime(one)
        elif what == "swap":
            one.rename(aside)
            other.rename(one)
            aside.rename(other)
        elif what == "hide":
            one.rename(aside)
        elif what == "rename":
            one.rename(one.with_name(f"renamed-{one.name}"))
        else:
            one.rename(aside)
            os.link(other, one) if what == "link" else one.symlink_to(other)

    def _write_new(self) -> str:
        """Put another content in the place of a file, in one stroke, and keep what was there."""
        content = f"new {self.chance.random()}".encode()
        with contextlib.suppress(OSError, IndexError):
            file = self.chance.choice([each for each in _files(self.world.photos) if each.suffix == ".jpg"])
            kept, new = (self.world.home / f"{word}-{self.chance.random()}" for word in ("old", "new"))
            os.link(file, kept)
            new.write_bytes(content)
            os.replace(new, file)
            return hashlib.sha256(content).hexdigest()
        new = self.world.home / f"new-{self.chance.random()}"
        new.write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    def full(self, kind: str) -> None:
        """Let calls fail from one on, or one alone, as on a disk that is full or fails; then undo."""
        calls = FailingCalls(self.folder)
        hows = self.hows()
        for number in range(self.report.asked.of(MOMENTS[kind])):
            how = hows[number % len(hows)]
            self.world.renew()
            below = self.world.other if "across" in how and self.chance.random() < 0.7 else self.world.folder
            environment = calls.environment(below)
            self.world.run(how, -1, environment)
            n = sum(calls.counted()[each] for each in "wcmls")
            self.world.renew()
            code_of = self.chance.choice((errno.ENOSPC, errno.ENOSPC, errno.EIO))
            n_failing = self.chance.choice((1, FOR_GOOD))
            fault = Fault(code_of, "wcmls", self.chance.randrange(max(1, n)), n_failing)
            environment = calls.environment(below, fault)
            code, _, complaints = self.world.run(how, -1, environment)
            calls.set()
            wrong = []
            if code not in (0, 2) or "Traceback" in complaints:
                wrong.append(f"exit {code}: {complaints[-400:]}")
            self.note(kind, f"{how}: {fault}", [*wrong, *self._lost(), *self._undone()])

    def _lost(self) -> Iterator[str]:
        for each in self.world.contents - self.world.held():
            yield f"a content is lost: {each[:12]}"

    def _undo(self) -> None:
        """Undo all that was done."""
        before = os.environ.get("XDG_DATA_HOME")
        os.environ["XDG_DATA_HOME"] = str(self.world.home)
        try:
            with Collection.open(self.world.photos) as collection:
                while True:
                    done = collection.duplicates.undo()
                    if done.skipped:
                        raise LookalikeError(f"not put back: {done.skipped[0].path}: {done.skipped[0].why}")
        finally:
            os.environ.pop("XDG_DATA_HOME") if before is None else os.environ.update(XDG_DATA_HOME=before)

    def _undone(self) -> list[str]:
        """Undo all that was done, and say what is not as it was before."""
        try:
            self._undo()
        except CollectionNotFoundError:
            pass
        except LookalikeError as error:
            return [f"it cannot be undone: {error}"]
        now = self.world.now()
        names = sorted(now.keys() | self.world.tree.keys())
        others = [name for name in names if now.get(name) != self.world.tree.get(name)]
        wrong = [f"after an undo, {name} is not as it was" for name in others]
        wrong += [f"left behind: {each}" for each in self.world.leavings()]
        with Collection.open(self.world.photos) as collection:
            collection.sync()
        said = self.world.what_is_said()
        wrong += [f"after an undo, it is said: {each}" for each in set(said) ^ set(self.world.said)]
        return wrong


TRY: dict[str, Callable[[Campaign, str], Any]] = {
    "killed": Campaign.killed,
    "undo killed": Campaign.undo_killed,
    "two at once": Campaign.two_at_once,
    "changed": Campaign.changed,
    "full": Campaign.full,
}
"""How each kind is tried."""


def main(options: Sequence[str]) -> int:
    """Run it; return 1 if anything was wrong."""
    asked = Asked.read("duplicates", options)
    with tempfile.TemporaryDirectory(prefix="lookalike-faults-") as name:
        campaign = Campaign(asked, Path(name).resolve())
        try:
            if not campaign.world.is_other_disk:
                campaign.report.skip("move across disks", "there is no other disk")
            campaign.report.figures["files_planned"] = campaign.world.n_planned
            campaign.report.figures["calls"] = {how: campaign.n_calls(how) for how in campaign.hows()}
            for kind, attempt in TRY.items():
                if kind == "full" and not can_fail():
                    campaign.report.skip("full disks", "they need Linux and gcc")
                    continue
                attempt(campaign, kind)
        finally:
            campaign.world.remove()
        return campaign.report.end()
