"""Are kernels as fast as those of the version before? Whole operations of both, by turns, a thread each.

    git worktree add /tmp/before COMMIT
    python -m benchmarks kernels_before --before /tmp/before/src

Each version works in a process of its own that stays, and has done everything once before anything is
timed, so that nothing is compiled meanwhile. In each round one does an operation, then the other; told are
the medians of the ratios of processor seconds. Pixels are MNIST's, euclidean; photos are Caltech-101's, as
vectors of the default model.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

import lookalike
from benchmarks import report
from benchmarks.version_before import commit
from lookalike import Collection
from lookalike.datasets import load

MNIST = 20_000
QUERIES = 300
_WORKER = """
import json, sys, time
import numpy as np
from lookalike.cluster import DBSCAN, HDBSCAN, HierarchicalKMeans, KMeans
from lookalike.index import Exact, KDTree, KMeansTree
from lookalike.projection import project
from lookalike.registration import picture_of, register
from PIL import Image

sets = np.load(sys.argv[1])
pixels, photos = sets["pixels"], sets["photos"]
asked = {"pixels": sets["asked_pixels"], "photos": sets["asked_photos"]}
rows = {"pixels": pixels, "photos": photos}
metric = {"pixels": "euclidean", "photos": "cosine"}
pictures = [picture_of(Image.open(path)) for path in sys.argv[2:]]
built = {
    (kind.__name__, name): kind(metric[name], **one).build(rows[name])
    for kind, one in ((Exact, {}), (KDTree, {"n_jobs": 1}), (KMeansTree, {"n_jobs": 1})) for name in rows
}
work = {}
for kind in (KDTree, KMeansTree):
    for name in rows:
        work[f"{kind.__name__}, build, {name}"] = (
            lambda kind=kind, name=name: kind(metric[name], n_jobs=1).build(rows[name])
        )
for (kind, name), index in built.items():
    for recall in (0.9, 1.0) if kind != "Exact" else (1.0,):
        work[f"{kind}, one by one, recall {recall}, {name}"] = (
            lambda index=index, name=name, recall=recall:
            [index.search(query, k=10, recall=recall) for query in asked[name]]
        )
        work[f"{kind}, at once, recall {recall}, {name}"] = (
            lambda index=index, name=name, recall=recall: index.search(asked[name], k=10, recall=recall)
        )
work["KMeans, k = 100, pixels"] = lambda: KMeans(100, n_jobs=1, max_iter=20).fit(pixels)
work["KMeans, k = 100, photos"] = lambda: KMeans(100, n_jobs=1, max_iter=20).fit(photos)
work["HierarchicalKMeans, photos"] = lambda: HierarchicalKMeans().fit(photos[:4000])
work["HDBSCAN, photos"] = lambda: HDBSCAN(metric="cosine").fit(photos[:4000])
work["DBSCAN, pixels"] = lambda: DBSCAN(1500.0).fit(pixels[:5000])
work["t-SNE, photos"] = lambda: project(photos[:3000], "tsne")
work["registration"] = lambda: [register(a, b) for a in pictures for b in pictures]
for each in work.values():
    each()
print(json.dumps(list(work)), flush=True)
for name in sys.stdin:
    start = time.process_time()
    work[name.strip()]()
    print(time.process_time() - start, flush=True)
"""


class Worker:
    """A version at work in a process of its own."""

    def __init__(self, source: Path, arguments: Sequence[str]) -> None:
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WORKER, *arguments],
            env={**os.environ, **threads, "PYTHONPATH": str(source)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.asked, self.told = self.process.stdin, self.process.stdout
        self.names: list[str] = json.loads(self.told.readline())

    def seconds(self, name: str) -> float:
        """Return the processor seconds of an operation."""
        print(name, file=self.asked, flush=True)
        return float(self.told.readline())


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks kernels_before")
    parser.add_argument("--before", type=Path, required=True, help="the folder `src` of the version before")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=20.0, help="at most for an operation of a version")
    chosen = parser.parse_args(options)
    sources = {"before": chosen.before.absolute(), "now": Path(lookalike.__file__).absolute().parents[1]}
    with tempfile.TemporaryDirectory() as folder:
        arguments = [str(make_sets(Path(folder))), *map(str, pictures())]
        workers = {version: Worker(source, arguments) for version, source in sources.items()}
        found: dict[str, dict[str, object]] = {}
        for name in workers["now"].names:
            rounds: list[dict[str, float]] = []
            spent = 0.0
            while len(rounds) < chosen.rounds and (spent < chosen.seconds or not rounds):
                turn = ("before", "now") if len(rounds) % 2 else ("now", "before")
                rounds.append({version: workers[version].seconds(name) for version in turn})
                spent += rounds[-1]["before"]
            ratios = [each["now"] / each["before"] for each in rounds]
            found[name] = {
                "now_over_before": round(median(ratios), 3),
                "ratios": [round(ratio, 3) for ratio in ratios],
                **{version: round(median(each[version] for each in rounds), 4) for version in sources},
            }
            print(f"{name:50} {found[name]['now_over_before']}", file=sys.stderr, flush=True)
        for worker in workers.values():
            worker.process.kill()
    version = {"version_before": commit(sources["before"]), "load": round(os.getloadavg()[0], 1)}
    report.save("kernels_before", {**version, "operations": found})


def make_sets(folder: Path) -> Path:
    """Write the rows and queries of both sets."""
    train, _, test, _ = load("mnist")
    collection = Collection.create(folder / "home", with_root=False)
    collection.add_root(report.caltech101(), exclude=("BACKGROUND_Google",))
    collection.sync()
    vectors = np.random.default_rng(0).permutation(collection.vectors()[1])
    file = folder / "sets.npz"
    np.savez(
        file,
        pixels=train[:MNIST].reshape(MNIST, -1).astype(np.float32),
        asked_pixels=test[:QUERIES].reshape(QUERIES, -1).astype(np.float32),
        photos=vectors[QUERIES:],
        asked_photos=vectors[:QUERIES],
    )
    return file


def pictures() -> list[Path]:
    """Return a few photos to lay on one another."""
    return sorted(report.caltech101().glob("flamingo/*.jpg"))[:6]
