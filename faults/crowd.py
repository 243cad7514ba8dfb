"""Two processes that sync, prune and rename one collection, beside eight threads that search it.

    python -m faults crowd --share 0.1

Both processes change files of their own, and bring the whole collection up to date, waiting for each other
as `wait=None` says. The threads hold each answer to the snapshot that it was given for, by plain code; see
`benchmarks.long_run`, whose readers these are. In the end the rows of all tables are held to those of a
collection that is made of the same folder, from nothing, by nobody else.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.long_run import FOLDERS, MODEL, Campaign, Pictures, Record, Watched, prepare, read

from faults.report import ROOT, Asked, Report
from lookalike import Collection
from lookalike.errors import DamageWarning, MissingImagesError

SECONDS = 600.0
PICTURES = 400
_OWN = 2  # processes
_READ_ANEW = frozenset({"reader"})
_LATE = 120.0  # seconds that a process may take to end, after its time


def main(options: Sequence[str] = ()) -> int:
    """Run the share that is asked for; return 1 if anything was wrong."""
    if options and options[0] == "--write":
        number, folder, seconds, seed = options[1:]
        write(int(number), Path(folder), float(seconds), int(seed))
        return 0
    asked = Asked.read("crowd", options)
    report = Report("crowd", asked)
    with tempfile.TemporaryDirectory() as folder:
        seconds = max(5.0, asked.share * SECONDS)
        campaign = Campaign(Path(folder) / "run", pictures=PICTURES, seconds=seconds, seed=asked.seed)
        record = run(campaign)
    report.counts.update(record.counts)
    report.counts.update({what: len(times) for what, times in record.seconds.items()})
    report.faults += record.faults
    report.figures["answers"] = sum(map(len, record.seconds.values()))
    return report.end()


def run(campaign: Campaign) -> Record:
    """Have two processes write and threads search for some time, and compare what is there in the end."""
    photos = prepare(campaign)
    watched, record = Watched(photos), Record()
    ends = time.monotonic() + campaign.seconds
    readers = [
        threading.Thread(target=read, args=(watched, record, campaign, number, ends))
        for number in range(campaign.threads)
    ]
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("error", DamageWarning)  # nothing is damaged here
        said = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(_OWN)]
        writers = [
            subprocess.Popen(
                _command(number, campaign), stdout=said[number], stderr=subprocess.STDOUT, cwd=ROOT
            )
            for number in range(_OWN)
        ]
        for thread in readers:
            thread.start()
        for thread in readers:
            thread.join()
        for number, process in enumerate(writers):
            try:
                code: int | str = process.wait(_LATE)
            except subprocess.TimeoutExpired:
                process.kill()
                code = f"SIGKILL, as it had not ended {_LATE:g} s after its time"
            said[number].seek(0)
            lines = said[number].read().splitlines()
            if code:
                record.fault(f"writer {number} ended with {code}: {' | '.join(lines[-20:])}")
            for line in lines:
                record.count(f"writer: {line}")
    record.count("snapshots checked", watched.n_checked)
    photos.sync(prune=True)
    for fault in differences(photos, campaign.folder / "anew"):
        record.fault(fault)
    photos.close()
    return record


def _command(number: int, campaign: Campaign) -> list[str]:
    words = [number, campaign.folder, campaign.seconds, campaign.seed]
    return [sys.executable, "-m", "faults.crowd", "--write", *map(str, words)]


class OwnPictures(Pictures):
    """The files of one of several processes: nobody else touches them."""

    def __init__(self, folder: Path, chance: random.Random, number: int) -> None:
        self.number = number
        super().__init__(folder, chance)

    def all(self) -> list[Path]:
        """Return its files."""
        return [file for file in super().all() if self._owns(file.parent)]

    def folders(self) -> list[Path]:
        """Return its folders."""
        return sorted(folder for folder in self.folder.iterdir() if self._owns(folder))

    def rename_folder(self) -> None:
        """Give one of its folders another name."""
        old = self.chance.choice(self.folders())
        new = old.with_name(f"{old.name.partition('-')[0]}-{self.chance.randrange(10**6)}")
        self._move(old, new)

    def empty_folder(self) -> None:
        """Take one of its folders away, with all that is in it."""
        shutil.rmtree(self.chance.choice(self.folders()))

    def _owns(self, folder: Path) -> bool:
        words = folder.name.partition("-")[0].split()
        return words[:1] == ["class"] and int(words[1]) % _OWN == self.number

    def _new_place(self) -> Path:
        number = _OWN * self.chance.randrange(FOLDERS // _OWN) + self.number
        there = [folder for folder in self.folders() if folder.name.partition("-")[0] == f"class {number}"]
        folder = self.chance.choice(there) if there else self.folder / f"class {number}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{self.chance.randrange(10**9):09}.png"


def write(number: int, folder: Path, seconds: float, seed: int) -> None:
    """Change files and bring the collection up to date, for some time; once, whatever the time."""
    chance = random.Random(f"writer {number} {seed}")
    photos, pictures = Collection.open(folder / "photos"), OwnPictures(folder, chance, number)

    def add(most: int = 30) -> None:
        for _ in range(chance.randint(1, most)):
            pictures.add()

    def each(change: Callable[[Path], Any], most: int) -> Callable[[], None]:
        return lambda: [change(file) for file in pictures.some(most)] and None

    changes: dict[str, Callable[[], None]] = {
        "add": add,
        "delete": each(Path.unlink, 30),
        "edit": each(pictures.edit, 15),
        "copy": each(pictures.copy, 8),
        "rename": each(pictures.rename, 20),
        "rename a folder": pictures.rename_folder,
        "empty a folder": pictures.empty_folder,
    }
    weights = (4, 3, 3, 2, 4, 2, 1)
    ends = time.monotonic() + seconds
    is_first = True
    while is_first or time.monotonic() < ends:
        is_first = False
        for name in chance.choices(list(changes), weights, k=chance.randint(1, 3)):
            if len(pictures.all()) < 40:
                add(60)
            changes[name]()
            print(name, flush=True)
        try:
            prune = chance.random() < 0.5
            photos.sync(wait=None, prune=prune, commit_seconds=chance.choice((0.05, 5.0)), jobs=1)
            print("prune" if prune else "sync", flush=True)
        except MissingImagesError:
            print("too much is gone to sync without prune", flush=True)
    photos.close()


# What is there in the end -----------------------------------------------------------------------------------


def differences(photos: Collection, folder: Path) -> list[str]:
    """Return how the rows of a collection differ from those of one that is made of its folder anew."""
    anew = Collection.create(folder, model=MODEL, with_root=False)
    anew.add_root(photos.roots[0])
    anew.sync()
    found = []
    for name, rows in table_rows(anew).items():
        others = table_rows(photos)[name]
        if rows != others:
            lacking, more = rows.keys() - others.keys(), others.keys() - rows.keys()
            other = sum(rows[key] != others[key] for key in rows.keys() & others.keys())
            found.append(
                f"{name}: {len(lacking)} rows lack, {len(more)} are too many, {other} are others"
                f" ({sorted(map(str, lacking | more))[:2]})"
            )
    if not photos.check().is_whole:
        found.append(f"it is not whole: {photos.check()[0]}")
    anew.close()
    return found


def table_rows(photos: Collection) -> dict[str, dict[Any, str]]:
    """Return the rows of all tables, by key, as text; but for what depends on when they were written."""
    store = photos.snapshot().store
    found = {}
    for table in (store.files, store.images, store.thumbnails, store.failures):
        key, names = table.schema.names[0], [name for name in table.schema.names if name not in _READ_ANEW]
        found[table.folder.name] = {row[key]: _said(row) for row in table.read(names).to_pylist()}
    ids, vectors = store.vectors(MODEL, 64).read_vectors()
    found["vectors"] = dict(zip(ids.tolist(), map(np.ndarray.tobytes, vectors), strict=True))  # type: ignore[arg-type]
    return found


def _said(row: dict[str, Any]) -> str:
    return json.dumps(row, sort_keys=True, default=repr)


def short(folder: Path, seconds: float, threads: int = 3) -> Record:
    """Run a short one, for tests."""
    return run(replace(Campaign(folder / "run", pictures=80, threads=threads), seconds=seconds))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
