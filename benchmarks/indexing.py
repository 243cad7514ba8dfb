"""How much of what the cores allow does indexing reach?

What they allow is cores ÷ (core-seconds an image of the network + of reading, decoding, scaling, thumbnail).
Both are measured alone, in one thread and in as many as there are cores, before and after each run
of the whole ``lookalike index`` of Caltech-101, start-up included: a machine that slows down slows all.
The network in 8-bit numbers and the same in 32-bit numbers.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean, median
from typing import Any

from benchmarks import report
from lookalike import Collection
from lookalike.embed import DEFAULT_MODEL, OnnxEmbedder, load_model
from lookalike.evaluate import leave_one_out
from lookalike.images import decode, encode_thumbnail, make_thumbnail, scan
from lookalike.images.decode import read_file
from lookalike.system.cores import usable_cores
from lookalike.types import PixelArray

SAMPLE = 600  # images, spread over all classes
ROUNDS = 2
MODELS = ("lite0-int8", "lite0")


def main() -> None:
    root = report.caltech101()
    figures = {name: measure(name, root) for name in MODELS}
    network = [figures[name]["core_milliseconds_alone"]["network_one_thread"] for name in MODELS]
    report.save("indexing", {"models": figures, "int8_over_float32": round(network[1] / network[0], 2)})


def measure(model: str, root: Path) -> dict[str, Any]:
    files = list(scan(root, exclude=("BACKGROUND_Google",)).files)
    sample = [root / name for name in files[:: max(1, len(files) // SAMPLE)]]
    embedder = load_model(model)
    cores = usable_cores()
    alone = [measure_alone(embedder, sample)]
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            whole, seconds = index(root, Path(folder), model)
            alone.append(measure_alone(embedder, sample))
            again, seconds_again = index(root, Path(folder), model)
            images, vectors = Collection.open(folder).vectors()
        # What the cores allowed just before and just after.
        around = {key: mean(measured[key] for measured in alone[-2:]) for key in alone[0]}
        rate = whole["embedded"] / seconds
        allowed = {
            threads: cores / (around[f"network_{threads}"] + around[f"decoding_{threads}"])
            for threads in ("one_thread", "all_cores")
        }
        rounds.append(
            {
                "images_per_second": round(rate, 1),
                **{f"allowed_{key}": round(value, 1) for key, value in allowed.items()},
                **{f"share_{key}": round(rate / value, 3) for key, value in allowed.items()},
            }
        )
    scores = leave_one_out(vectors, [image.label for image in images], ks=(1, 10))
    middle = {key: median(one[key] for one in rounds) for key in rounds[0]}
    core_seconds = {key: median(measured[key] for measured in alone) for key in alone[0]}
    return {
        "images": whole["embedded"],
        "core_milliseconds_alone": {key: round(value * 1e3, 3) for key, value in core_seconds.items()},
        "median": {key: round(value, 3) for key, value in middle.items()},
        "rounds": rounds,
        "second_run": {
            "seconds": round(seconds_again, 2),
            "embedded": again["embedded"],
            "unchanged": again["unchanged"],
        },
        "retrieval": {
            "P@1": round(scores.precision[1], 4),
            "P@10": round(scores.precision[10], 4),
            "mAP": round(scores.mean_average_precision, 4),
        },
    }


def index(root: Path, folder: Path, model: str = DEFAULT_MODEL) -> tuple[dict[str, Any], float]:
    """Run the whole command, start-up included; return its report and the seconds it took."""
    words = ["index", str(root), "-c", str(folder), "--exclude", "BACKGROUND_Google", "--json"]
    words += ["--model", model]
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "lookalike", *words], capture_output=True, check=True)
    return json.loads(done.stdout), time.perf_counter() - started


def measure_alone(embedder: OnnxEmbedder, sample: list[Path]) -> dict[str, float]:
    """Return core-seconds an image, of the network and of decoding, each alone."""

    def decode_one(path: Path) -> PixelArray:
        image = decode(read_file(path), str(path), embedder.model.decode_side).image
        encode_thumbnail(make_thumbnail(image))
        return embedder.prepare(image)

    prepared = [decode_one(path) for path in sample]
    return {
        f"{step}_{name}": core_seconds(work, items, threads)
        for name, threads in (("one_thread", 1), ("all_cores", usable_cores()))
        for step, work, items in (
            ("decoding", decode_one, sample),
            ("network", lambda pixels: embedder.embed(pixels[None]), prepared),
        )
    }


def core_seconds(work: Callable[[Any], Any], items: list[Any], threads: int) -> float:
    with ThreadPoolExecutor(threads) as pool:
        started = time.perf_counter()
        list(pool.map(work, items))
        return (time.perf_counter() - started) * threads / len(items)
