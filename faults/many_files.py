"""Many files, in one folder and in two thousand: what each costs, in time and memory.

Tiny pictures, each of its own content, half PNG and half JPEG; a model that costs next to nothing, so that
all the rest is seen; and once the network, on a share. Every command is a process of its own: measured are
its processor time and that of its children, and the most memory that all of them had at once.

Flat means: from a third of the files to all of them, the time a file grows by no more than a half, once the
second that a process takes to begin is taken off; and the memory stays below a gibibyte, but for what an
algorithm needs, which `NEEDS_MORE` says.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from faults.report import Asked, Report

FILES = 100_000
FOLDERS = 2_000
MODEL, NETWORK = "pixels-8-grey", "lite0-int8"
MOST_MEMORY = 1 << 30
MOST_GROWTH = 1.5
LEAST_SECONDS = 2.0  # what takes less is not judged: its beginning is most of it

NEEDS_MORE: dict[str, str] = {}
"""Commands that may take more than a gibibyte, and why."""

NEEDS_LONGER = {"cluster, hdbscan": 2.5}
"""By how much the time a file of some commands may grow: a spanning tree of all is no pass over all."""

_LONG_ROWS = 1_600  # of a network fill a fragment, which stays as it is
_SIDE = 32
_CHANGED = 100  # one file in so many is exchanged, one removed, one added
_OFTEN = 0.05  # seconds between two looks at the memory
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took.

    Attributes
    ----------
    seconds : float
        By the clock.
    processor_seconds : float
        Of the process and its children.
    memory : int
        The most that they had at once, bytes.
    """

    seconds: float
    processor_seconds: float
    memory: int


def main(options: Sequence[str]) -> int:
    """Run it; return 1 if anything was wrong."""
    asked = Asked.read("many_files", options)
    report = Report("many_files", asked)
    most = asked.of(FILES)
    sizes = sorted({max(100, most // 10), max(100, most // 3), most})
    with tempfile.TemporaryDirectory(prefix="lookalike-faults-") as name:
        for n_folders in (1, min(FOLDERS, max(2, most // 50))):
            costs: dict[str, dict[int, Cost]] = {}
            for size in sizes:
                place = Path(name, f"{n_folders}-{size}")
                _measure(report, place, size, n_folders, costs)
                subprocess.run(["rm", "-rf", str(place)], check=True)
            title = "one folder" if n_folders == 1 else f"{n_folders:,} folders"
            report.figures[title] = _figures(costs)
            report.faults += [f"{title}: {fault}" for fault in _not_flat(costs)]
            report.tell()
    return report.end()


def make_pictures(place: Path, numbers: range, n_folders: int) -> None:
    """Write pictures of their own content into folders, half PNG and half JPEG."""
    for number in range(n_folders if n_folders > 1 else 0):
        (place / f"{number:04}").mkdir(parents=True, exist_ok=True)
    place.mkdir(exist_ok=True)
    chance = np.random.default_rng(numbers.start)
    for number in numbers:
        coarse = chance.integers(0, 256, (4, 4, 3), np.uint8)
        folder = place / f"{number % n_folders:04}" if n_folders > 1 else place
        image = Image.fromarray(np.kron(coarse, np.ones((_SIDE // 4, _SIDE // 4, 1), np.uint8)))
        image.save(folder / f"{number:06}.{'png' if number % 2 else 'jpg'}")


def _measure(
    report: Report, place: Path, size: int, n_folders: int, costs: dict[str, dict[int, Cost]]
) -> None:
    photos, home = place / "photos", place / "home"
    photos.mkdir(parents=True)
    make_pictures(photos, range(size), n_folders)
    files = sorted(photos.glob("**/*.*g"))
    query = str(files[1])

    def run(title: str, *words: str) -> None:
        cost, complaint = _run(*words, "-c", str(home))
        report.counts[title] += 1
        if complaint:
            report.faults.append(f"{size:,} files in {n_folders:,}: {' '.join(words)}: {complaint[:300]}")
        costs.setdefault(title, {})[size] = cost
        print(
            f"many_files: {size:,} files in {n_folders:,}: {title}: {cost.seconds:.1f} s,"
            f" {1e3 * cost.processor_seconds / size:.3f} ms of the processor a file, {cost.memory >> 20} MiB",
            file=sys.stderr,
        )

    run("index, first", "index", str(photos), "--model", MODEL, "--quiet")
    run("index, nothing to do", "index", "--quiet")
    for file in files[:: 2 * _CHANGED]:
        make_pictures(photos, range(10**6 + int(file.stem), 10**6 + int(file.stem) + 1), 1)
        file.unlink()
    run("index, one in a hundred changed", "index", "--quiet")
    run("search", "search", query, "-k", "20", "--json")
    run("search, tree", "search", query, "-k", "20", "--index", "kmeans-tree", "--json")
    run("search, tree again", "search", query, "-k", "20", "--index", "kmeans-tree", "--json")
    run("search, color", "search", "--color", "tomato", "-k", "20", "--json")
    run("cluster", "cluster", "make", "-k", "40", "--quiet")
    run("cluster, hdbscan", "cluster", "make", "--algorithm", "hdbscan", "--quiet")
    run("map, pca", "map", "make", "--method", "pca", "--quiet")
    run("map, tsne", "map", "make", "--method", "tsne", "--quiet")
    run("map, drawn", "map", "draw", "tsne", "-o", str(place / "map.png"), "--quiet")
    run("list", "list", "-f")
    run("list, facets", "list", "--facets", "--json")
    run("info", "info", "--json")
    run("info, one image", "info", query, "--json")
    run("export, csv", "export", str(place / "all.csv"), "--quiet")
    run("export, parquet", "export", str(place / "all.parquet"), "--quiet")
    run("sets", "sets", "add", "all", "--min-size", "8", "--quiet")
    run("reduce", "reduce", "16", "--quiet")
    from lookalike.cli.commands import COMMANDS

    if "check" in COMMANDS:
        run("check", "check", "--quiet")
    if "copy" in COMMANDS:
        run("copy", "copy", str(place / "copied"), "--quiet")
    # The network takes some milliseconds an image: a share shows whether it is flat.
    some = sorted({str(file.parent) for file in photos.glob("**/*.*g")})[: max(1, n_folders // 20)]
    if n_folders > 1:
        run("index, network, on a twentieth", "index", *some, "--model", NETWORK, "--quiet")
    _shape(report, home, size, n_folders)


def _shape(report: Report, home: Path, size: int, n_folders: int) -> None:
    """Note of how many fragments and versions the tables are."""
    import lance

    found: dict[str, Any] = {}
    for table in sorted((home / ".lookalike").glob("**/*.lance")):
        if (table / "_versions").is_dir():
            dataset = lance.dataset(str(table))
            n_fragments, n_versions = len(dataset.get_fragments()), len(os.listdir(table / "_versions"))
            found[table.stem] = {"fragments": n_fragments, "versions": n_versions, "mib": _mib(table)}
            rows = max(1, dataset.count_rows())
            if n_fragments > 12 + rows / (_LONG_ROWS if table.stem == NETWORK else 4_000):
                where = f"{size:,} files in {n_folders:,}"
                report.faults.append(f"{where}: {table.stem} is of {n_fragments} fragments for {rows:,} rows")
    report.figures[f"tables of {size:,} files in {n_folders:,}"] = found


def _mib(folder: Path) -> float:
    size = sum(file.stat().st_size for file in folder.glob("**/*") if file.is_file())
    return round(size / 2**20, 1)


def _figures(costs: dict[str, dict[int, Cost]]) -> dict[str, Any]:
    return {
        title: {
            f"{size:,}": {
                "seconds": round(cost.seconds, 2),
                "processor_ms_a_file": round(1e3 * cost.processor_seconds / size, 3),
                "peak_mib": cost.memory >> 20,
            }
            for size, cost in by_size.items()
        }
        for title, by_size in costs.items()
    }


def _not_flat(costs: dict[str, dict[int, Cost]]) -> list[str]:
    found = []
    for title, by_size in costs.items():
        sizes = sorted(by_size)
        if by_size[sizes[-1]].memory > MOST_MEMORY and title not in NEEDS_MORE:
            found.append(f"{title}: {by_size[sizes[-1]].memory >> 20} MiB at its peak")
        if len(sizes) < 3 or by_size[sizes[-1]].processor_seconds < LEAST_SECONDS:
            continue
        # Between two sizes, so that what a process takes to begin is no part of it.
        first, second, third = (by_size[size].processor_seconds for size in sizes)
        earlier = max((second - first) / (sizes[1] - sizes[0]), second / sizes[1] / 4)
        later = (third - second) / (sizes[2] - sizes[1])
        if later > max(MOST_GROWTH, NEEDS_LONGER.get(title, 0)) * earlier:
            found.append(f"{title}: {1e3 * earlier:.3f} ms a file grow to {1e3 * later:.3f}")
    return found


def _run(*words: str) -> tuple[Cost, str]:
    """Run a command; return what it took, and what was wrong, if anything was."""
    line = [sys.executable, "-m", "lookalike", *words]
    began = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(line, stdout=out, stderr=complaints)
        watch = _Memory(process.pid)
        watch.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:  # stopped by Ctrl-C, say
            process.kill()
            process.wait()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.stop()
        complaints.seek(0)
        told = complaints.read().decode(errors="replace").strip()
    # wait4 adds up the children that were waited for.
    cost = Cost(
        time.monotonic() - began, usage.ru_utime + usage.ru_stime, max(watch.most, usage.ru_maxrss << 10)
    )
    wrong = told or "no reason" if process.returncode else ""
    return cost, wrong


class _Memory(threading.Thread):
    """Looks how much memory a process and its children have, again and again."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self._pid = pid
        self._is_over = threading.Event()

    def run(self) -> None:
        """Look until it is over."""
        while not self._is_over.wait(_OFTEN):
            self.most = max(self.most, sum(map(_resident, _tree(self._pid))))

    def stop(self) -> None:
        """Have it end."""
        self._is_over.set()
        self.join()


def _tree(pid: int) -> list[int]:
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        try:
            for task in os.listdir(f"/proc/{one}/task"):
                children = Path(f"/proc/{one}/task/{task}/children").read_text(encoding="ascii")
                waiting += map(int, children.split())
        except OSError:
            continue
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0
