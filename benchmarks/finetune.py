"""Fine-tuned on Caltech-101: 30 images a class to learn from, the others query each other, before and after.

Each training is one ``lookalike train finetune`` in a collection that is kept below the cache, so that a run
that was interrupted goes on, a second one only reads the cards, and seeds and losses can be spread over days.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import report
from lookalike.cache import cache_folder
from lookalike.train import LOSSES

PER_CLASS = 30


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks finetune", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0")
    parser.add_argument("--loss", action="append", choices=LOSSES, dest="losses")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--size", type=int, default=224)
    chosen = parser.parse_args(options)
    home = cache_folder() / "benchmarks" / "caltech-101-finetuned"
    run("index", str(report.caltech101()), "-c", str(home), "--model", "lite0")
    trainings: list[dict[str, Any]] = list(report.read("finetune").get("trainings", []))
    for seed in range(chosen.seeds):
        for loss in chosen.losses or LOSSES[:1]:
            card = train(home, loss, seed, chosen.epochs, chosen.size)
            trainings = [each for each in trainings if each["model"] != card["model"]]
            trainings.append(
                {
                    key: card[key]
                    for key in ("model", "settings", "images", "seconds", "best_epoch", "queries", "measures")
                }
            )
            report.save("finetune", {"trainings": trainings, "spread": spread(trainings)})


def train(home: Path, loss: str, seed: int, epochs: int, size: int) -> dict[str, Any]:
    """Return the card of a training, which is done, or gone on with, if it is not there."""
    name = f"{loss}-{size}px-{epochs}-seed{seed}"
    file = home / ".lookalike" / "models" / f"lite0-{name}.card.json"
    if not file.exists():
        # Nothing is held out to stop early: all 30 images are learned from, in all epochs.
        images = ["--per-class", str(PER_CLASS), "--validation", "0", "--random-state", str(seed)]
        learning = ["--loss", loss, "--epochs", str(epochs), "--size", str(size)]
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
