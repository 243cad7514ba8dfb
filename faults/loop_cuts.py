"""A disk of ext4 in a file, copied as it is while a process writes to it: what a power cut leaves.

What the system keeps in memory for the mounted disk, and has not written to it yet, is in no copy. The
process is halted while the copy is made, and a copy is taken only if the disk was not written to meanwhile.
Root is needed, and loop devices.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from faults.power_cut_scenes import Fact, Rows, Story, faults, undisturbed
from faults.report import ROOT, Report

_TRIES = 20
_MEGABYTES = 96


class CannotMountError(Exception):
    """No such disk can be had here."""


class LoopDisk:
    """A disk in a file.

    Parameters
    ----------
    folder : Path
        Where the file lies, and where it is mounted, at ``mounted``.
    file : Path, optional
        The copy of one; else it is made anew.
    """

    def __init__(self, folder: Path, file: Path | None = None) -> None:
        self.file = file or folder / "disk"
        self.place = folder / "mounted"
        self._is_new = file is None
        self.device = ""

    def __enter__(self) -> LoopDisk:
        """Mount it."""
        needed = ("mkfs.ext4", "losetup", "mount", "umount")
        if not hasattr(os, "geteuid") or os.geteuid() != 0 or not all(map(shutil.which, needed)):
            raise CannotMountError(f"root, {' and '.join(needed)} are needed")
        self.place.mkdir(parents=True, exist_ok=True)
        try:
            if self._is_new:
                with self.file.open("wb") as stream:
                    stream.truncate(_MEGABYTES << 20)
                _run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.file)
            self.device = _run("losetup", "-f", "--show", self.file)
            _run("mount", self.device, self.place)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            self.__exit__()
            raise CannotMountError(str(error)) from error
        return self

    def __exit__(self, *_: object) -> None:
        """Unmount it."""
        if os.path.ismount(self.place):
            _run("umount", self.place)
        if self.device:
            with contextlib.suppress(subprocess.CalledProcessError):
                _run("losetup", "-d", self.device)
            self.device = ""

    def copy(self, to: Path) -> bool:
        """Copy it as it is; tell whether that could be done, as nothing was written to it meanwhile."""
        for _ in range(_TRIES):
            before = self._written()
            _run("cp", "--sparse=always", self.file, to)
            if before == self._written():
                return True
            time.sleep(0.01)
        to.unlink()
        return False

    def _written(self) -> tuple[str, ...]:
        """Return how much was written to the device, and what is on its way."""
        counts = Path(f"/sys/block/{Path(self.device).name}/stat").read_text().split()
        return counts[4], counts[6], counts[8]


def cut_on_disk(report: Report, folder: Path, n_cuts: int, only: Sequence[str] = ()) -> None:
    """Cut the power of a disk at `n_cuts` moments, about as many in each command; note what is wrong.

    Parameters
    ----------
    report : Report
    folder : Path
        Where to work; it is empty.
    n_cuts : int
    only : sequence of str
        Names of commands, for who does not want all of them.

    Raises
    ------
    CannotMountError
        If no such disk can be had here.
    """
    with LoopDisk(folder / "first") as disk:
        home = disk.place / "home"
        home.mkdir()
        chance, told = random.Random(report.asked.seed), _Told(home, report.asked.seed)
        chapters = [name for name, _, _ in Story(home, print).chapters() if not only or name in only]
        expected: Rows = {}
        for name in chapters:
            told.prepare(name)
            n_before = len(told.facts)
            if name.startswith("index"):
                expected = undisturbed(home, folder / "undisturbed" / home.name)
            _run("sync", "-f", home)
            taken: list[tuple[Path, list[Fact]]] = []
            told.begin()
            n_moments = 0
            while not told.is_done():
                time.sleep(chance.uniform(0, 0.1))
                n_moments += 1
                wanted = -(-n_cuts // len(chapters))
                at = len(taken) if len(taken) < wanted else chance.randrange(n_moments)
                if at >= wanted:
                    continue
                copy = folder / f"{name}-{n_moments}"
                with told.halted():
                    known = told.drained()
                    is_copied = disk.copy(copy)
                if is_copied and at < len(taken):
                    taken[at][0].unlink()
                    taken[at] = copy, known
                elif is_copied:
                    taken.append((copy, known))
            for copy, known in taken:
                report.counts[f"{name}, on a disk"] += 1
                with LoopDisk(folder / f"cut-{copy.name}", copy) as cut:
                    is_indexed = ["indexed"] in known[n_before:]
                    for fault in faults(cut.place / home.name, known, expected, is_indexed):
                        report.faults.append(f"on a disk, {copy.name} of {n_moments}: {fault}")
                copy.unlink()
        told.end()


class _Told:
    """A process that runs the commands, and what it has acknowledged."""

    def __init__(self, home: Path, seed: int) -> None:
        words = [sys.executable, "-c", _CHILD, str(home), str(seed)]
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self.facts: list[Fact] = []
        self._n_done = 0
        self._n_begun = 0
        self._n_ready = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def prepare(self, name: str) -> None:
        """Have the pictures changed as they are to be before a command."""
        self._say(name)
        self._wait(lambda: self._n_ready > self._n_begun)

    def begin(self) -> None:
        """Let it begin with that command."""
        self._n_begun += 1
        self._say("")

    def is_done(self) -> bool:
        """Whether it has come to the end of it."""
        if self._process.poll() is not None:
            raise RuntimeError(f"the process that ran the commands ended with {self._process.returncode}")
        return self._n_done == self._n_begun

    def drained(self) -> list[Fact]:
        """Return all that was acknowledged until now, while it is halted."""
        n = -1
        while n != len(self.facts):
            n = len(self.facts)
            time.sleep(0.005)
        return list(self.facts)

    @contextlib.contextmanager
    def halted(self) -> Iterator[None]:
        """Let it do nothing meanwhile."""
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def end(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._say("end")
        with self._process:  # which closes its pipes, and waits for it
            self._listener.join(30)

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def _wait(self, until: Callable[[], bool]) -> None:
        while not until():
            self.is_done()
            time.sleep(0.01)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            fact = json.loads(line)
            if fact == ["ready"]:
                self._n_ready += 1
            elif fact == ["done"]:
                self._n_done += 1
            else:
                self.facts.append(fact)


_CHILD = """
import json, sys
from pathlib import Path
from faults.power_cut_scenes import Story, quicken

def tell(fact):
    print(json.dumps(fact), flush=True)

quicken()
chapters = {name: rest for name, *rest in Story(Path(sys.argv[1]), tell, int(sys.argv[2])).chapters()}
for line in iter(sys.stdin.readline, "end\\n"):
    before, command = chapters[line.strip()]
    before()
    tell(["ready"])
    sys.stdin.readline()
    command()
    tell(["done"])
"""


def _run(*words: object) -> str:
    line = [str(word) for word in words]
    return subprocess.run(line, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
