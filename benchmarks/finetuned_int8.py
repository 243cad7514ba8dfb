"""The 8-bit form of fine-tuned networks: what it loses, and what it saves beside the packaged one.

Each seed is one ``lookalike train finetune`` on some classes of Caltech-101, drawn by the seed, in a
collection that is kept below the cache. The card has the measures of both forms on images that neither
learned from. Then the packaged network and the last one trained, each in both forms, take turns at embedding
images on one thread: processor seconds, the least of the rounds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks import finetune, report
from lookalike.embed import Embedder, ModelRegistry
from lookalike.embed.runtime import Compute
from lookalike.system.cache import cache_folder

ROUNDS, IMAGES = 15, 16
PER_CLASS = 15


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks finetuned_int8", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0")
    parser.add_argument("--classes", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=4)
    chosen = parser.parse_args(options)
    home = cache_folder() / "benchmarks" / "finetuned-int8"
    home.mkdir(parents=True, exist_ok=True)
    classes = sorted(each.name for each in report.caltech101().iterdir() if each.is_dir())
    trainings: dict[str, Any] = {}
    for seed in range(chosen.seeds):
        some = np.random.default_rng(seed).choice(classes, chosen.classes, replace=False)
        table = finetune.write_labels(home / f"seed{seed}.csv", sorted(some.tolist()))
        name = f"seed{seed}-{chosen.classes}-{chosen.epochs}"
        file = home / ".lookalike" / "models" / f"lite0-{name}.card.json"
        if not file.exists():
            paths = [str(report.caltech101() / each) for each in sorted(some.tolist())]
            _run("index", *paths, "-c", str(home), "--model", "pixels-8-grey", "--no-duplicates")
            _run(
                *("train", "finetune", "--name", name, "-c", str(home), "--labels", str(table)),
                *("--per-class", str(PER_CLASS), "--validation", "0", "--epochs", str(chosen.epochs)),
                *("--random-state", str(seed)),
            )
        card = json.loads(file.read_text(encoding="utf-8"))
        measures = card["measures"]
        trainings[f"lite0-{name}"] = {
            "classes": card["classes"],
            "images": card["images"],
            "queries": card["queries"],
            "measures": measures,
            "mAP lost": measures[f"lite0-{name}"]["mAP"] - measures[f"lite0-{name}-int8"]["mAP"],
        }
    registry, compute = ModelRegistry(home / ".lookalike" / "models"), Compute(device="cpu")
    own = f"lite0-{name}"
    speeds = measure_speeds(
        {each: registry.load(each, compute) for each in ("lite0", "lite0-int8", own, f"{own}-int8")}
    )
    gains = {name: speeds[name] / speeds[f"{name}-int8"] for name in ("lite0", own)}
    figures = {"trainings": trainings, "ms_an_image": speeds, "times_as_fast": gains}
    report.save("finetuned_int8", figures | {"ratio": gains[own] / gains["lite0"]})


def measure_speeds(embedders: dict[str, Embedder]) -> dict[str, float]:
    """Return the processor milliseconds that each takes for an image, the least of rounds, taking turns."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (IMAGES, 224, 224, 3)).astype(np.uint8)
    least = dict.fromkeys(embedders, float("inf"))
    for _ in range(ROUNDS):
        for name, embedder in embedders.items():
            began = time.process_time()
            for image in pixels:
                embedder.embed(image[None])
            least[name] = min(least[name], (time.process_time() - began) * 1000 / IMAGES)
    return least


def _run(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "lookalike", *words], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
