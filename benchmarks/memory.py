"""Does the memory of indexing grow with the number of images?

The peak of the resident memory of the whole ``lookalike index`` (the system's own count), on folders of JPEG
files cut from the data set CIFAR-10: a first run, and one that finds nothing to do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from benchmarks import report
from lookalike import datasets
from lookalike.embed import DEFAULT_MODEL

SIZES = (15_000, 60_000)


def main() -> None:
    dataset = datasets.load("cifar-10")
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder, "photos")
        written = 0
        pixels = [row for split in (dataset.train_X, dataset.test_X) for row in split]
        for size in SIZES:
            for number in range(written, size):
                path = photos / f"{number // 1000:02}" / f"{number:05}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels[number]).save(path)
            written = size
            home = Path(folder, f"collection-{size}")
            figures[size] = {"first_run_mib": peak(photos, home), "nothing_to_do_mib": peak(photos, home)}
    growth = figures[SIZES[1]]["first_run_mib"] / figures[SIZES[0]]["first_run_mib"]
    report.save("memory", {"model": DEFAULT_MODEL, "images": figures, "ratio": round(growth, 3)})


def peak(photos: Path, home: Path) -> float:
    """Run ``lookalike index``; return the most memory that it had, MiB."""
    words = ["index", str(photos), "-c", str(home), "--quiet"]
    process = subprocess.Popen([sys.executable, "-m", "lookalike", *words])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"lookalike index failed with status {status}")
    return round(usage.ru_maxrss / 1024, 1)
