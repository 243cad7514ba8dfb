"""Fine-tuned on Caltech-101: 30 images a class to learn from, the others query each other, before and after.

Each training is one ``lookalike train finetune`` in a collection that is kept below the cache, so that a run
that was interrupted goes on, a second one only reads the cards, and seeds and losses can be spread over days.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import report
from lookalike.system.cache import cache_folder
from lookalike.train.loss_functions import loss_names

PER_CLASS = 30
LOOK_ALIKES = (
    *(
        "ant",
        "beaver",
        "cougar_body",
        "cougar_face",
        "crab",
        "crayfish",
        "crocodile",
        "crocodile_head",
        "emu",
    ),
    *("flamingo", "flamingo_head", "ibis", "kangaroo", "llama", "lobster", "okapi", "pigeon", "rooster"),
    *("scorpion", "tick", "wild_cat"),
)
"""Classes that are taken for each other: small enough a set that losses can be compared in minutes."""


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks finetune", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0")
    parser.add_argument("--loss", action="append", choices=loss_names(), dest="losses")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument(
        "--look-alikes", action="store_true", help=f"only {len(LOOK_ALIKES)} classes of animals"
    )
    chosen = parser.parse_args(options)
    home = cache_folder() / "benchmarks" / "caltech-101-finetuned"
    home.mkdir(parents=True, exist_ok=True)
    labels = write_labels(home / "look-alikes.csv", LOOK_ALIKES) if chosen.look_alikes else None
    run("index", str(report.caltech101()), "-c", str(home), "--model", "lite0")
    trainings: list[dict[str, Any]] = list(report.read("finetune").get("trainings", []))
    for seed in range(chosen.seeds):
        for loss in chosen.losses or loss_names()[:1]:
            card = train(home, labels, loss, seed, chosen.epochs, chosen.size)
            trainings = [each for each in trainings if each["model"] != card["model"]]
            trainings.append(
                {
                    key: card[key]
                    for key in ("model", "settings", "images", "seconds", "best_epoch", "queries", "measures")
                }
            )
            report.save("finetune", {"trainings": trainings, "spread": spread(trainings)})


def write_labels(file: Path, classes: Sequence[str]) -> Path:
    """Write a table of the images of some classes."""
    root = report.caltech101()
    with file.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["path", "label"])
        table.writerows([image, name] for name in classes for image in sorted((root / name).iterdir()))
    return file


def train(home: Path, labels: Path | None, loss: str, seed: int, epochs: int, size: int) -> dict[str, Any]:
    """Return the card of a training, which is done, or gone on with, if it is not there."""
    name = f"{'few-' if labels else ''}{loss}-{size}px-{epochs}-seed{seed}"
    file = home / ".lookalike" / "models" / f"lite0-{name}.card.json"
    if not file.exists():
        # Nothing is held out to stop early: all 30 images are learned from, in all epochs.
        images = ["--per-class", str(PER_CLASS), "--validation", "0", "--random-state", str(seed)]
        learning = ["--loss", loss, "--epochs", str(epochs), "--size", str(size)]
        learning += [] if labels is None else ["--labels", str(labels)]
        run("train", "finetune", "--name", name, "-c", str(home), *images, *learning)
    card: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return card


def spread(trainings: Sequence[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Return mean, and smallest and largest, of each measure over the seeds of one setting."""
    found: dict[str, dict[str, str]] = {}
    for kind in sorted({each["model"].rpartition("-seed")[0] for each in trainings}):
        cards = [each for each in trainings if each["model"].rpartition("-seed")[0] == kind]
        found[kind] = {
            name: f"{statistics.mean(values):.4f} ({min(values):.4f}–{max(values):.4f}, {len(values)} seeds)"
            for name in cards[0]["measures"][cards[0]["model"]]
            for values in [[each["measures"][each["model"]][name] for each in cards]]
        }
    return found


def run(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "lookalike", *words], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
