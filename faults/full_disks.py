"""Disks that are full, read-only, out of inodes, that fail or are pulled out, and too few file handles.

Every command is run while its disk fails at a moment drawn at random. Then:

- it has ended with 2, and said so in one line that names the cause and what to do; or with 0, and all that it
  does is done (a command that only answers may do so on a disk that is full);
- each thing that the collection held is there, as it was before or as an undisturbed run leaves it; a search
  finds as many as before, at once;
- the same command succeeds when the disk is well again, and leaves the rows of an undisturbed run; nothing
  is left behind: no partial file, no temporary one, no data that no version of a table names.

What fails are calls of the C library, by a library that is loaded before all others (needs gcc), and real
disks: in memory, with so many bytes or inodes left, and ext4 in a file (these need root).
"""

from __future__ import annotations

import errno
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from faults import small_disks, worlds
from faults.failing_calls import FOR_GOOD, FailingCalls, Fault, can_fail
from faults.report import Asked, Report
from faults.worlds import COMMANDS, Command, Item
from lookalike import Collection
from lookalike.errors import LookalikeError

MOMENTS = {
    "full": 60,
    "quota": 20,
    "fails to write": 30,
    "fails to read": 40,
    "read-only": 40,
    "no handles": 20,
    "few handles": 30,
    "full (in memory)": 40,
    "no inodes (in memory)": 30,
    "read-only (in memory)": 40,
    "pulled out (ext4)": 40,
}
"""How many of each kind a share of 1 tries."""

_FULL = ("disk is full", "no space left", "did not take all")
SAID = {
    "full": _FULL,
    "inodes": _FULL,
    "quota": ("quota", "did not take all"),
    "fails": ("input/output error", "did not take all"),
    "read-only": ("read-only",),
    "handles": ("too many open", "files open"),
    "pulled": ("input/output error", "read-only", "did not take all"),
}
"""What the one line must have of these, by what the kind is called."""

_MEGABYTES = 96
_TRAINED = "autoencoder-tiny"
_IMAGE = "photos:cats/00.jpg"
_NEVER = ("Traceback", "panicked", ".rs:", "Errno", "os error", "RuntimeWarning", "core dumped", "LanceError")


@dataclass(slots=True)
class Undisturbed:
    """What a command does when nothing fails.

    Attributes
    ----------
    before, after : dict
        What the collection holds, as `worlds.items` finds it.
    output : str
        On standard output.
    calls : dict of str to int
        How many there were, by kind.
    seconds : float
    """

    before: dict[Item, Any]
    after: dict[Item, Any]
    output: str
    calls: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


class Campaign:
    """The worlds, and what was found in them.

    Parameters
    ----------
    asked : Asked
    folder : Path
        For worlds, and disks.
    """

    def __init__(self, asked: Asked, folder: Path) -> None:
        self.report = Report("full_disks", asked)
        self.chance = random.Random(asked.seed)
        self.folder = folder
        self.pristine = folder / "pristine"
        self.calls = FailingCalls(folder) if can_fail() else None
        self._undisturbed: dict[Command, Undisturbed] = {}
        self._n = 0
        worlds.make(self.pristine)

    def undisturbed(self, command: Command) -> Undisturbed:
        """Run a command where nothing fails, once."""
        if command not in self._undisturbed:
            world = self.folder / "undisturbed"
            self.copy_to(world, command)
            before = worlds.items(world)
            environment = self.calls.environment(world) if self.calls else {}
            began = time.monotonic()
            done = worlds.run(world, *command.words, environment=environment)
            seconds = time.monotonic() - began
            if done.returncode:
                raise RuntimeError(f"{command} fails undisturbed: {done.stderr}")
            calls = self.calls.counted() if self.calls else {}
            after = worlds.items(world)
            self._undisturbed[command] = Undisturbed(before, after, done.stdout, calls, seconds)
            shutil.rmtree(world)
        return self._undisturbed[command]

    def copy_to(self, world: Path, command: Command) -> None:
        """Make a world like the first one, as a command wants it."""
        shutil.copytree(self.pristine, world, dirs_exist_ok=True)
        if command.before is not None:
            command.before(world)

    def judge(
        self,
        kind: str,
        moment: str,
        command: Command,
        world: Path,
        run: Callable[[], Any],
        mend: Callable[[], None],
    ) -> None:
        """Run a command at a moment at which the disk fails, look, mend the disk, and run it again."""
        told = self.undisturbed(command)
        done = run()
        mend()
        self.report.counts[kind] += 1
        wrong = [*_wrong_words(done, kind, command, told)]
        try:
            found = worlds.items(world)
        except LookalikeError as error:
            self._note(kind, moment, command, done, [*wrong, f"the collection cannot be read: {error}"])
            return
        if kind == "fails to read" and _says_what_failed(done, found, told):
            # An image that could not be read is told of, and read by the next index.
            worlds.run(world, "index", "--quiet")
            found = worlds.items(world)
        wrong += _wrong_items(found, told, is_done=done.returncode == 0 and not command.reads)
        wrong += self._wrong_search(world, found)
        shutil.rmtree(world / "temporary")
        (world / "temporary").mkdir()
        if done.returncode or command.reads:
            again = worlds.run(world, *command.words)
            if again.returncode and f"there is a model {_TRAINED} already" in again.stderr:
                again = worlds.run(world, "index", "--model", _TRAINED, "--quiet")  # as it says
            if again.returncode and not _is_done_already(command, again.stderr, found, told):
                wrong.append(f"it does not go on: {again.stderr.strip()[:300]}")
            elif not command.reads:
                wrong += _different(worlds.items(world), told.after, "after the next run")
        is_settled = done.returncode == 0 or command.words[0] == "index"
        settled = None if is_settled else worlds.run(world, "index", "--quiet")
        if settled is not None and settled.returncode:
            wrong.append(f"index fails afterwards: {settled.stderr.strip()[:300]}")
        wrong += [f"left behind: {name}" for name in worlds.leavings(world)]
        if wrong:
            self._note(kind, moment, command, done, wrong)

    def _note(self, kind: str, moment: str, command: Command, done: Any, wrong: list[str]) -> None:
        said = done.stderr.strip().replace("\n", " ⏎ ")[:400]
        what = "; ".join(wrong[:6])
        self.report.faults.append(f"{kind}: {moment}: {command}: exit {done.returncode}, {said!r}: {what}")
        self.report.tell()

    def _wrong_search(self, world: Path, found: dict[Item, Any]) -> Iterator[str]:
        expected = worlds.expected_hits(found, _IMAGE)
        if not expected:
            return
        try:
            with Collection.open(world / "photos" / ".lookalike") as photos:
                hits = photos.search(world / "photos" / "cats" / "00.jpg", k=20).hits
                n = len(hits)
        except LookalikeError as error:
            yield f"a search fails: {error}"
            return
        if n != expected:
            yield f"a search has {n} hits of {expected}"

    def world(self) -> Path:
        """Return the folder of the next world."""
        self._n += 1
        return self.folder / f"world-{self._n}"

    def draw(self, kind: str) -> Iterator[Command]:
        """Yield the commands that are to be run while a disk fails in some way: each in turn, shuffled."""
        commands: list[Command] = []
        for _ in range(self.report.asked.of(MOMENTS[kind])):
            if not commands:
                commands = self.chance.sample(COMMANDS, len(COMMANDS))
            yield commands.pop()


def _wrong_words(done: Any, kind: str, command: Command, told: Undisturbed) -> Iterator[str]:
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    for word in _NEVER:
        if word in done.stderr or word in done.stdout:
            yield f"says {word!r}"
    if done.returncode == 0:
        if command.reads and _answer(done.stdout) != _answer(told.output):
            yield "another answer"
        return
    if done.returncode != 2:
        yield f"ends with {done.returncode}"
    if len(lines) != 1:
        yield f"{len(lines)} lines"
    elif not any(each in lines[0].lower() for each in _expected_words(kind)):
        yield "the line does not say why"
    elif "; " not in lines[0] and ". " not in lines[0]:
        yield "the line does not say what to do"
    if "--json" in command.words and done.stdout.strip():
        yield "an answer, and exit code 2"


def _says_what_failed(done: Any, found: dict[Item, Any], told: Undisturbed) -> bool:
    """Tell whether a command has done all but for images that it says could not be read."""
    failed = [item for item in found if item[0] == "failures" and item not in told.after]
    return done.returncode == 0 and bool(failed) and "failed" in done.stdout


def _expected_words(kind: str) -> Sequence[str]:
    return next(words for name, words in SAID.items() if name in kind)


_PARTS = tuple(f'"{name}":' for name in ("thumbnails", "vectors", "indexes", "old_versions", "rest"))


def _answer(output: str) -> list[str]:
    """Return an answer but for what is never the same: times, and places of the disk."""
    return [
        line
        for line in output.splitlines()
        if not any(word in line for word in ('"seconds"', '"bytes"', "/", '"made"', *_PARTS))
    ]


def _wrong_items(found: dict[Item, Any], told: Undisturbed, is_done: bool) -> Iterator[str]:
    """Say what is neither as it was before, nor as it is when the command is done."""
    if is_done:
        yield from _different(found, told.after, "though it says that it is done")
        return
    for item in sorted(told.before.keys() | told.after.keys() | found.keys()):
        if item[0] in ("failures", "added"):  # what could not be read; files that no row names yet
            continue
        value = found.get(item)
        if value != told.before.get(item) and value != told.after.get(item):
            yield f"{' '.join(item)} is {'lost' if value is None else 'neither as before nor as after'}"


def _different(found: dict[Item, Any], expected: dict[Item, Any], when: str) -> Iterator[str]:
    for item in sorted(found.keys() | expected.keys()):
        if found.get(item) != expected.get(item):
            state = "lacks" if item not in found else "has" if item not in expected else "has another"
            yield f"{when}, it {state} {' '.join(item)}"


def _is_done_already(command: Command, complaint: str, found: dict[Item, Any], told: Undisturbed) -> bool:
    """Tell whether a command fails because what it was to do had been done before the disk failed."""
    words = ("there is no", "already", "exists", "not there", "no such", "cannot be undone")
    is_after = all(found.get(item) == told.after.get(item) for item in told.after if item[0] != "failures")
    return (bool(command.out) or is_after) and any(word in complaint for word in words)


def _by_calls(campaign: Campaign, kind: str, what: Fault, times: Sequence[int]) -> None:
    calls = campaign.calls
    if calls is None:
        return
    for command in campaign.draw(kind):
        n = sum(campaign.undisturbed(command).calls[each] for each in what.kinds)
        if not n:
            continue
        fault = replace(what, first=campaign.chance.randrange(n), number=campaign.chance.choice(times))
        world = campaign.world()
        campaign.copy_to(world, command)
        environment = calls.environment(world, fault)

        def run(world: Path = world, command: Command = command, environment: Any = environment) -> Any:
            return worlds.run(world, *command.words, environment=environment)

        campaign.judge(kind, str(fault), command, world, run, lambda: None)
        shutil.rmtree(world)


def _without_handles(campaign: Campaign, kind: str) -> None:
    for command in campaign.draw(kind):
        world = campaign.world()
        campaign.copy_to(world, command)
        n = campaign.chance.randint(14, 80)

        def run(world: Path = world, command: Command = command, n: int = n) -> Any:
            return worlds.run(world, *command.words, handles=n)

        campaign.judge(kind, f"{n} handles", command, world, run, lambda: None)
        shutil.rmtree(world)


def _in_memory(campaign: Campaign, kind: str) -> None:
    chance = campaign.chance
    for command in campaign.draw(kind):
        told = campaign.undisturbed(command)
        with small_disks.in_memory(campaign.folder / "disk", _MEGABYTES) as world:
            campaign.copy_to(world, command)
            moment, mend = "", lambda: None
            if kind.startswith("full"):
                leave = int(2 ** chance.uniform(12, 22))
                moment = f"{leave >> 10} KiB free"
                mend = small_disks.fill(world, leave).unlink
            elif kind.startswith("no inodes"):
                small_disks.set_inodes(world, chance.randrange(40))
                moment = "few inodes"

                def mend(world: Path = world) -> None:
                    small_disks.set_inodes(world, 100_000)

            delay = chance.choice((0.0, chance.uniform(0.3, 1) * told.seconds))

            def run(world: Path = world, command: Command = command, delay: float = delay) -> Any:
                if not kind.startswith("read-only"):
                    return worlds.run(world, *command.words)
                return _made_read_only(world, command, delay)

            if kind.startswith("read-only"):
                moment = f"after {delay:.2f} s"

                def mend(world: Path = world) -> None:
                    small_disks.make_writable(world)

            campaign.judge(kind, moment, command, world, run, mend)


def _made_read_only(world: Path, command: Command, delay: float) -> Any:
    if not delay:
        small_disks.make_read_only(world)
        return worlds.run(world, *command.words)
    timer = threading.Timer(delay, small_disks.make_read_only, [world])
    timer.start()
    try:
        return worlds.run(world, *command.words)
    finally:
        timer.join()


def _pulled_out(campaign: Campaign, kind: str) -> None:
    file = campaign.folder / "disk.ext4"
    for command in campaign.draw(kind):
        delay = campaign.chance.uniform(0.3, 1) * campaign.undisturbed(command).seconds
        with small_disks.in_file(campaign.folder / "disk", file, _MEGABYTES) as place:
            world = place / "world"
            campaign.copy_to(world, command)
            small_disks.flush(place)

            def run(
                world: Path = world, command: Command = command, delay: float = delay, place: Path = place
            ) -> Any:
                timer = threading.Timer(delay, small_disks.pull_out, [place])
                timer.start()
                try:
                    return worlds.run(world, *command.words)
                finally:
                    timer.join()

            campaign.judge(
                kind,
                f"after {delay:.2f} s",
                command,
                world,
                run,
                lambda place=place: small_disks.put_back(place, file),
            )


def _failing(code: int, kinds: str, *times: int) -> Callable[[Campaign, str], None]:
    return lambda campaign, kind: _by_calls(campaign, kind, Fault(code, kinds), times)


TRY: dict[str, Callable[[Campaign, str], None]] = {
    "full": _failing(errno.ENOSPC, "wcml", FOR_GOOD, FOR_GOOD, 1),
    "quota": _failing(errno.EDQUOT, "wcml", FOR_GOOD),
    "fails to write": _failing(errno.EIO, "ws", FOR_GOOD, 1),
    "fails to read": _failing(errno.EIO, "r", FOR_GOOD, 3, 1),
    "read-only": _failing(errno.EROFS, "wcmlu", FOR_GOOD),
    "no handles": _failing(errno.EMFILE, "co", FOR_GOOD, 1),
    "few handles": _without_handles,
    "full (in memory)": _in_memory,
    "no inodes (in memory)": _in_memory,
    "read-only (in memory)": _in_memory,
    "pulled out (ext4)": _pulled_out,
}
"""How each kind is tried; those in brackets are real disks."""


def main(options: Sequence[str]) -> int:
    """Run it; return 1 if anything was wrong."""
    asked = Asked.read("full_disks", options)
    with tempfile.TemporaryDirectory(prefix="lookalike-faults-") as name:
        campaign = Campaign(asked, Path(name).resolve())
        if campaign.calls is None:
            campaign.report.skip("failing calls", "they need Linux and gcc")
        if not small_disks.can_mount():
            campaign.report.skip("real disks", "mounting them needs root")
        for kind, attempt in TRY.items():
            if small_disks.can_mount() or "(" not in kind:
                attempt(campaign, kind)
        return campaign.report.end()
