"""How long does the program take to answer, and where does a search spend its time?"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks import report
from lookalike import Collection
from lookalike.images import read_image

ROUNDS = 10

# Run in a fresh interpreter: `import` is start-up, and so is loading the model.
_SEARCH = """
import sys, time
started = float(sys.argv[1])
spent = {}
def timed(owner, name, share):
    plain = getattr(owner, name)
    is_class_method = hasattr(plain, "__self__")
    def measured(*arguments, **options):
        begun = time.perf_counter()
        try:
            return plain(*arguments, **options)
        finally:
            spent[share] = spent.get(share, 0) + time.perf_counter() - begun
    setattr(owner, name, staticmethod(measured) if is_class_method else measured)
import lance, PIL.Image, PIL.JpegImagePlugin
import lookalike.collection.collection
from lookalike.embed import onnx, runtime
from lookalike.index import Exact
from lookalike.store import Table
from lookalike.cli import main
runtime.import_runtime()
timed(onnx.OnnxEmbedder, "embed", "network")
timed(onnx.OnnxEmbedder, "prepare", "network")
timed(Table, "version", "store")
timed(Table, "read_where_in", "store")
timed(Exact, "load", "index")
timed(Exact, "search", "index")
try:
    main(sys.argv[2:])
except SystemExit:
    pass
import json
spent["whole"] = time.time() - started
print(json.dumps(spent), file=sys.stderr)
"""


def main() -> None:
    root = report.caltech101()
    with tempfile.TemporaryDirectory() as folder:
        Collection.create(folder, with_root=False)
        collection = Collection.open(folder)
        collection.add_root(root, exclude=["BACKGROUND_Google"])
        collection.sync()
        query = Path(folder) / "query.jpg"  # content that the collection does not have
        read_image(next(root.glob("*/image_0001.jpg"))).image.rotate(5).save(query, quality=90)
        search = ["search", str(query), "-c", folder]
        commands = {
            "version": ["--version"],
            "help": ["--help"],
            "help_of_search": ["search", "--help"],
            "search": search,
            "index_unchanged": ["index", "-c", folder],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        shares = []
        run([*search])  # builds the index
        for _ in range(ROUNDS):
            for name, words in commands.items():
                seconds[name].append(run(words))
            shares.append(profile(search))
    middle = {key: median(share[key] for share in shares) for key in shares[0]}
    report.save(
        "start_up",
        {
            "images": 8677,
            "median_seconds": {name: round(median(times), 3) for name, times in seconds.items()},
            "search_milliseconds": {name: round(value * 1e3, 1) for name, value in middle.items()},
            "share_of_start_up_and_network": round(
                median(1 - (share["store"] + share["index"]) / share["whole"] for share in shares), 3
            ),
        },
    )


def run(words: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "lookalike", *words], capture_output=True, check=True)
    return time.perf_counter() - started


def profile(words: list[str]) -> dict[str, float]:
    """Return the seconds that one search spent in the network, the store, the index, and in all."""
    command = [sys.executable, "-c", _SEARCH, str(time.time()), *words]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    return json.loads(done.stderr.splitlines()[-1])
