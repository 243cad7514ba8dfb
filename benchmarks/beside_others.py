"""Do commands stay fast beside other programs? Each alone, and beside a busy loop on every core, in turns.

Where every core has two programs, one that could have had all of them takes twice as long; what takes more
lost it by waiting, as threads do that wait for one another by spinning. Told are the medians of the seconds
by the clock, their ratio, and that of the processor time, which waiting in this way adds to.

Kernels are compiled, and the collection and its indexes made, before anything is timed. Best on a machine at
rest: what else runs is beside both.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks import report
from benchmarks.processes import Taken, timed
from lookalike import Collection
from lookalike.images import scan
from lookalike.system.cores import usable_cores

ROUNDS = 3
IMAGES = 1_200
ALLOWED = 2.5
"""How many times as long a command may take."""

_BUSY = "while True: pass"

COMMANDS: dict[str, tuple[str, str]] = {
    "search": ("search {query} -k 10 -c {home}", ""),
    "search by the k-means tree": ("search {query} --index kmeans-tree -c {home}", "indexes"),
    "search by the KD-tree": ("search {query} --index kdtree -c {home}", "indexes"),
    "cluster": ("cluster make -c {home} --name a -q", "clusterings"),
    "cluster, hdbscan": ("cluster make -c {home} --name b --algorithm hdbscan -q", "clusterings"),
    "cluster, dbscan": ("cluster make -c {home} --name c --algorithm dbscan -q", "clusterings"),
    "cluster, agglomerative": ("cluster make -c {home} --name d --algorithm agglomerative -q", "clusterings"),
    "cluster, spectral": ("cluster make -c {home} --name e --algorithm spectral -q", "clusterings"),
    "map": ("map make -c {home} --name m -q", "maps"),
    "reduce": ("reduce 64 -c {home} -q", "reduced"),
    "evaluate": ("evaluate -c {home} -q", ""),
    "bench": ("bench -c {home}", "indexes"),
}
"""What is timed, and what of the collection is deleted before each time, so that it is made again."""


def main() -> None:
    """Time them."""
    root = report.caltech101()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        names = list(scan(root, exclude=("BACKGROUND_Google",)).files)
        for file in names[:: max(1, len(names) // IMAGES)][:IMAGES]:
            (home / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / file, home / file)
        with Collection.create(home) as photos:
            photos.sync()
        query = str(next(home.glob("*/*.jpg")))
        figures = {title: _measure(home, query, *what) for title, what in COMMANDS.items()}
    report.save(
        "beside_others",
        {
            "images": IMAGES,
            "rounds": ROUNDS,
            "busy_loops": usable_cores(),
            "allowed": ALLOWED,
            "commands": figures,
        },
    )


def _measure(home: Path, query: str, words: str, remade: str) -> dict[str, float]:
    line = [word.format(query=query, home=home) for word in words.split()]
    _run(home, line, remade)  # loads what it needs
    alone, beside = [], []
    for _ in range(ROUNDS):
        alone.append(_run(home, line, remade))
        with _busy():
            beside.append(_run(home, line, remade))
    (clock, processor), (clock_beside, processor_beside) = (
        [median(each) for each in zip(*times, strict=True)] for times in (alone, beside)
    )
    found = {
        "seconds_alone": round(clock, 2),
        "seconds_beside": round(clock_beside, 2),
        "ratio": round(clock_beside / clock, 2),
        "ratio_of_processor_time": round(processor_beside / processor, 2),
    }
    print(words, found, file=sys.stderr)
    return found


def _run(home: Path, line: Sequence[str], remade: str) -> Taken:
    """Run a command; return its seconds by the clock, and of the processor."""
    made = home / ".lookalike"
    if remade == "reduced":
        for file in (*made.glob("models/*+pca*"), *made.glob("vectors/*+pca*")):
            shutil.rmtree(file) if file.is_dir() else file.unlink()
    elif remade:
        shutil.rmtree(made / remade, ignore_errors=True)
    return timed(["-m", "lookalike", *line])


@contextlib.contextmanager
def _busy() -> Iterator[None]:
    """Keep every core busy within."""
    loops = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(usable_cores())]
    try:
        time.sleep(0.3)
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
