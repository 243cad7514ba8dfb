"""Indexing a folder of photos: ``lookalike index`` against fastdup.

Both are run as a whole, start-up included, on the 8,677 photos of Caltech-101 with as many threads as there
are cores, in turns. fastdup is measured twice: its usual run, and its features alone. It is installed in an
environment of its own below the cache, as it needs an older NumPy; set ``FASTDUP_PYTHON`` to use another.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import report
from benchmarks.indexing import index
from lookalike import Collection
from lookalike.embed import DEFAULT_MODEL, unit_rows
from lookalike.evaluate import leave_one_out
from lookalike.images import scan
from lookalike.system.cache import cache_folder
from lookalike.system.cores import usable_cores

ROUNDS = 1
MODES = {"whole": 0, "features": 1}

SCRIPT = """
import json, sys
import fastdup
files, work, mode, threads = sys.argv[1:]
status = fastdup.run(input_dir=files, work_dir=work, run_mode=int(mode), num_threads=int(threads))
names, features = fastdup.load_binary_feature(work + "/atrain_features.dat")
features.tofile(work + "/features.f4")
json.dump([status, list(map(str, names)), list(features.shape)], open(work + "/names.json", "w"))
"""


def main() -> None:
    python = find_python()
    root = report.caltech101()
    files = [str(root / name) for name in scan(root, exclude=("BACKGROUND_Google",)).files]
    rates: dict[str, list[float]] = {"lookalike": [], **{f"fastdup_{mode}": [] for mode in MODES}}
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder, "files.txt")
        listing.write_text("\n".join(files))
        for number in range(ROUNDS):
            home = Path(folder, f"collection-{number}")
            done, seconds = index(root, home)
            rates["lookalike"].append(done["embedded"] / seconds)
            for mode, code in MODES.items():
                work = Path(folder, f"fastdup-{mode}-{number}")
                rates[f"fastdup_{mode}"].append(len(files) / run(python, listing, work, code))
        images, vectors = Collection.open(home).vectors()
        names, shape = read_names(work)
        features = np.fromfile(work / "features.f4", np.float32).reshape(shape)
    scores = {
        "lookalike": leave_one_out(vectors, [image.label for image in images]),
        "fastdup": leave_one_out(unit_rows(features), [Path(name).parent.name for name in names]),
    }
    middle = {name: round(median(values), 1) for name, values in rates.items()}
    report.save(
        "fastdup",
        {
            "model": DEFAULT_MODEL,
            "images_per_second": middle,
            "ratio": {
                name: round(median(map(float.__truediv__, rates["lookalike"], rates[name])), 2)
                for name in rates
                if name != "lookalike"
            },
            "rounds": {name: [round(value, 1) for value in values] for name, values in rates.items()},
            "retrieval": {
                name: {"P@10": round(each.precision[10], 4), "mAP": round(each.mean_average_precision, 4)}
                for name, each in scores.items()
            },
        },
    )


def find_python() -> str:
    """Return a Python that has fastdup, installing it if need be."""
    if chosen := os.environ.get("FASTDUP_PYTHON"):
        return chosen
    folder = cache_folder() / "benchmarks" / "fastdup-venv"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "fastdup"], check=True)
    return str(python)


def run(python: str, listing: Path, work: Path, mode: int) -> float:
    """Run fastdup in a process of its own; return the seconds it took."""
    work.mkdir()
    words = [python, "-c", SCRIPT, str(listing), str(work), str(mode), str(usable_cores())]
    started = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    if read_names(work)[1][0] < 1000:
        sys.exit("fastdup gave no features")
    return seconds


def read_names(work: Path) -> tuple[list[str], tuple[int, int]]:
    _, names, shape = json.loads((work / "names.json").read_text())
    return names, tuple(shape)
