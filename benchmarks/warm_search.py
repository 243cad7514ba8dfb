"""How long does a search take in a process that keeps its collection open, now and in the version before?

Three collections: the photos of Caltech-101; 100,000 images with vectors of 1,280 numbers; a million with
vectors of 128. Each version works in a process of its own, one after the other in each round, so that a
machine that slows down slows both; and only once the machine is at rest. What is told is the median of the
rounds:

- ``ready``: seconds from `Collection.open` to the first answer, the indexes being there;
- ``p50``: milliseconds of a search by a stored image, k = 10, and with its hits looked at; by a stored path,
  and filtered by label, where the images have files;
- ``scan``: milliseconds of one float32 product of all rows and a query, in NumPy; ``ratio``, p50 by it;
- ``one``, ``eight``: searches a second of one caller, and of eight at once; ``gain``, their ratio;
- ``GB/s``: what one core reads from memory; ``recall`` where the k-means tree answers.

    git worktree add /tmp/before COMMIT
    python -m benchmarks warm_search --before /tmp/before/src --keep /tmp/collections

Without ``--before``, only this version is measured. ``--crops`` takes the million from a collection of
`benchmarks.million_crops`, of however many crops; otherwise they are vectors in clusters. ``--keep`` keeps
the collections for the next time: to make them takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import lookalike
from benchmarks import calibration, report
from benchmarks.clustered_collection import make_collection
from benchmarks.version_before import commit
from lookalike.store import find_collection

ROUNDS = 5
PATIENCE = 15.0  # minutes
QUERIES = 100
PARTS = ("caltech-101", "100,000 x 1,280", "1,000,000 x 128")

# Run in a fresh interpreter, with the package of one version or the other.
_MEASURE = """
import json, sys, threading, time
import numpy as np
from statistics import median
from lookalike import Collection, Filter, ImageRef
task = json.loads(sys.argv[1])
options = {"model": task["model"], "index": task["index"], "recall": task["recall"]}
queries = [ImageRef(image) for image in task["images"]]
begun = time.perf_counter()
photos = Collection.open(task["folder"])
list(photos.search(queries[0], **options).hits)
found = {"ready": time.perf_counter() - begun}
def milliseconds(work, n):
    took = []
    for number in range(n + 20):
        begun = time.perf_counter()
        work(number % len(queries))
        took.append(time.perf_counter() - begun)
    return 1000 * median(took[20:])
def a_second(callers):
    ends, done = time.perf_counter() + task["seconds"], []
    def call(first):
        n = 0
        while time.perf_counter() < ends:
            photos.search(queries[(first + n) % len(queries)], **options)
            n += 1
        done.append(n)
    threads = [threading.Thread(target=call, args=(13 * number,)) for number in range(callers)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - begun)
answers = [[hit.id for hit in photos.search(query, **options).hits] for query in queries]
found["p50"] = milliseconds(lambda number: photos.search(queries[number], **options), task["searches"])
found["p50, looked at"] = milliseconds(
    lambda number: list(photos.search(queries[number], **options).hits), task["searches"])
if task["paths"]:
    paths, labels = task["paths"], [Filter(labels=label) for label in task["labels"]]
    found["p50, stored path"] = milliseconds(
        lambda number: list(photos.search(paths[number], **options).hits), task["searches"])
    found["p50, filtered by label"] = milliseconds(
        lambda number: list(photos.search(paths[number], where=labels[number], **options).hits),
        task["searches"])
found["one"], found["eight"] = a_second(1), a_second(8)
if task["index"] != "exact":
    exact = dict(options, index="exact")
    right = [[hit.id for hit in photos.search(query, **exact).hits] for query in queries[:50]]
    found["recall"] = float(np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(answers, right)]))
photos.close()
rows = np.random.default_rng(0).random((task["n"], task["d"]), np.float32)
found["scan"] = milliseconds(lambda number: rows @ rows[number], 20)
words = rows.reshape(-1)[: 2 ** 26].view(np.uint8)[: 2 ** 28].view(np.int64)
found["GB/s"] = words.nbytes / 1e6 / milliseconds(lambda number: words.sum(), 10)
print(json.dumps({"found": found, "answers": answers}))
"""


@dataclass(frozen=True, slots=True)
class Task:
    """What a process measures; see the program above."""

    folder: str
    model: str | None
    index: str
    recall: float
    images: list[str]
    paths: list[str]
    labels: list[str]
    n: int
    d: int
    searches: int = 200
    seconds: float = 2.0


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks warm_search")
    parser.add_argument("--before", type=Path, help="the folder `src` of the version before")
    parser.add_argument("--part", action="append", choices=PARTS, help="only this; may be repeated")
    parser.add_argument("--collection", type=Path, help="one that is there, instead of Caltech-101's")
    parser.add_argument("--crops", type=Path, help="a collection of benchmarks.million_crops")
    parser.add_argument("--keep", type=Path, help="a folder in which the collections stay")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--anyway", action="store_true", help="do not wait until the machine is at rest")
    chosen = parser.parse_args(options)
    sources = {} if chosen.before is None else {"before": chosen.before.absolute()}
    sources["now"] = Path(lookalike.__file__).absolute().parents[1]
    with tempfile.TemporaryDirectory() as folder:
        keep = (chosen.keep or Path(folder)).absolute()
        tasks = {
            part: make_task(part, keep, chosen.collection, chosen.crops) for part in chosen.part or PARTS
        }
        for task in tasks.values():
            for source in sources.values():
                measure(task, source)  # indexes are made, compiled code is kept, files are in memory
        load = round(os.getloadavg()[0], 2) if chosen.anyway else wait_for_rest()
        parts = {part: compare(task, sources, chosen.rounds) for part, task in tasks.items()}
    facts: dict[str, Any] = {"load": load, "rounds": chosen.rounds}
    if chosen.before is not None:
        facts["before_is"] = commit(sources["before"])
    report.save("warm_search", {**facts, "parts": parts})


def make_task(part: str, keep: Path, collection: Path | None, crops: Path | None) -> Task:
    """Return what is to be measured of a part, and make its collection unless it is there."""
    home = keep / part.replace(",", "").replace(" ", "-")
    model: str | None = None
    if part == "caltech-101":
        home = home if collection is None else collection
        if find_collection(home, above=False) is None:
            home.mkdir(parents=True, exist_ok=True)
            made = lookalike.Collection.create(home, with_root=False)
            made.add_root(report.caltech101(), exclude=["BACKGROUND_Google"])
            made.sync()
    elif part == PARTS[2] and crops is not None:
        home = crops
    elif find_collection(home, above=False) is None:
        home.mkdir(parents=True, exist_ok=True)
        make_collection(home, *((100_000, None) if part == PARTS[1] else (1_000_000, 128)))
    opened = lookalike.Collection.open(home, above=False)
    if part == PARTS[2]:
        model = next(name for name in opened.models.names() if name.endswith("+pca128"))
    table = opened.snapshot().store.vectors(model or opened.model, 1)
    files = opened.snapshot().store.files.read(["path", "id", "label"]).to_pylist()
    embedded = np.sort(table.read(["id"])["id"].to_numpy())
    images = embedded[:: max(1, len(embedded) // QUERIES)][:QUERIES].tolist()
    file_of = {file["id"]: file for file in files if file["id"] in set(images)}
    paths = [opened.snapshot().absolute(file_of[image]["path"]) for image in images]
    has_files = all(map(os.path.exists, paths))
    return Task(
        folder=str(home),
        model=model,
        index="kmeans-tree" if part == PARTS[2] else "exact",
        recall=0.95,
        images=[f"{image:016x}" for image in images],
        paths=paths if has_files else [],
        labels=[file_of[image]["label"] for image in images] if has_files else [],
        n=table.count(),
        d=table.dimension() or 0,
    )


def wait_for_rest() -> float:
    """Wait until the machine has nothing else to do; return its load, or stop."""
    load = calibration.wait_for_rest(PATIENCE)
    if load is None or load >= calibration.REST:
        sys.exit(f"the load is still {load}; --anyway measures all the same")
    return load


def compare(task: Task, sources: dict[str, Path], rounds: int) -> dict[str, Any]:
    """Measure the versions in turn; return the medians of each, and whether their answers are the same."""
    found: dict[str, list[dict[str, Any]]] = {version: [] for version in sources}
    for number in range(rounds):
        for version in list(sources)[:: 1 if number % 2 else -1]:
            found[version].append(measure(task, sources[version]))
    medians = {
        version: {name: median(each["found"][name] for each in measured) for name in measured[0]["found"]}
        for version, measured in found.items()
    }
    for each in medians.values():
        each["ratio"] = each["p50"] / each["scan"]
        each["gain"] = each["eight"] / each["one"]
    answers = [each["answers"] for measured in found.values() for each in measured]
    return {
        "rows": task.n,
        "dimension": task.d,
        "index": task.index,
        "same_answers": all(each == answers[0] for each in answers),
        **{
            version: {name: round(value, 3) for name, value in each.items()}
            for version, each in medians.items()
        },
    }


def measure(task: Task, source: Path) -> dict[str, Any]:
    """Measure with a version."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, json.dumps(asdict(task))],
        env={**os.environ, "PYTHONPATH": str(source)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


if __name__ == "__main__":
    main(sys.argv[1:])
