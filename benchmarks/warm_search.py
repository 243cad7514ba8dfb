"""How long does a search take in a process that keeps its collection open, now and in the version before?

All photos of Caltech-101 are indexed; a hundred of them are then searched for by their stored paths, k = 10,
again and again, with and without a filter by label. Both versions do so in processes of their own, one after
the other in each round, so that a machine that slows down slows both. Beside each stands what one float32
scan of the same rows takes there: the ratio says more of the program than the milliseconds.

    git worktree add /tmp/before COMMIT
    python -m benchmarks warm_search --before /tmp/before/src
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import lookalike
from benchmarks import report
from benchmarks.version_before import commit

ROUNDS = 5

# Run in a fresh interpreter, with the package of one version or the other.
_SEARCH = """
import json, sys, time
import numpy as np
from statistics import median
from lookalike import Collection, Filter
photos = Collection.open(sys.argv[1])
images, vectors = photos.vectors()
vectors = np.array(vectors)
paths = [image.path for image in images][:: len(images) // 100][:100]
filters = [Filter(labels=image.label) for image in images][:: len(images) // 100][:100]
def p50(work):
    took = []
    for number in range(300):
        begun = time.perf_counter()
        work(number % 100)
        took.append(time.perf_counter() - begun)
    return 1000 * median(took[100:])
print(json.dumps({
    "images": len(images),
    "scan": p50(lambda number: vectors @ vectors[number]),
    "stored path": p50(lambda number: photos.search(paths[number])),
    "filtered by label": p50(lambda number: photos.search(paths[number], where=filters[number])),
    "scan afterwards": p50(lambda number: vectors @ vectors[number]),
}))
"""


def main(options: tuple[str, ...] | list[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks warm_search")
    parser.add_argument("--before", type=Path, required=True, help="the folder `src` of the version before")
    parser.add_argument("--collection", type=Path, help="one that is there, instead of Caltech-101")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args(options)
    sources = {"before": chosen.before.absolute(), "now": Path(lookalike.__file__).absolute().parents[1]}
    with tempfile.TemporaryDirectory() as folder:
        home = chosen.collection
        if home is None:
            home = Path(folder)
            photos = lookalike.Collection.create(home, with_root=False)
            photos.add_root(report.caltech101(), exclude=["BACKGROUND_Google"])
            photos.sync()
        rounds = [
            {version: search(home, source) for version, source in sources.items()}
            for _ in range(chosen.rounds)
        ]
    figures = {
        version: {
            name: round(median(each[version][name] for each in rounds), 3) for name in rounds[0][version]
        }
        for version in sources
    }
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    facts = {"before_is": commit(sources["before"]), "rounds": len(rounds), "load": load}
    report.save("warm_search", {**facts, "milliseconds": figures})


def search(collection: Path, source: Path) -> dict[str, float]:
    """Search with a version; return its medians, in milliseconds."""
    done = subprocess.run(
        [sys.executable, "-c", _SEARCH, str(collection)],
        env={**os.environ, "PYTHONPATH": str(source)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
