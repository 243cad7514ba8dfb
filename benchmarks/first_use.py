"""What does a command take the first time, in a fresh installation, and the second time?

Each command is run twice on a copy of the package that no command has run in, by a home that holds nothing.
With `--before SRC`, so is the version before, whose kernels were compiled when first used.

- ``fresh``: what the first run leaves behind, the second finds.
- ``sealed``: nothing can be kept: neither beside the package nor at home, as for another user's installation.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import lookalike
from benchmarks import report

CLASSES, IMAGES = 26, 40
ALGORITHMS = ("kmeans", "hierarchical", "agglomerative", "spectral", "dbscan", "hdbscan")
WAYS = ("fresh", "sealed")


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks first_use")
    parser.add_argument("--before", type=Path, help="the folder `src` of a version before")
    chosen = parser.parse_args(options)
    sources = {"now": Path(lookalike.__file__).parents[1]}
    if chosen.before:
        sources["before"] = chosen.before.absolute()
    figures: dict[str, dict[str, dict[str, list[float]]]] = report.read("first_use").get("seconds", {})
    with tempfile.TemporaryDirectory() as folder:
        photos = choose_photos(Path(folder, "photos"))
        query = next(photos.rglob("*.jpg"))
        run(sources["now"], Path(folder, "home"), ["index", str(photos), "--quiet"])
        for version, source in sources.items():
            for name, line in commands(query).items():
                for way in WAYS:
                    taken = measure(Path(folder), source, photos, line, way)
                    figures.setdefault(version, {}).setdefault(name, {})[way] = taken
                    print(version, name, way, taken, flush=True)
    report.save("first_use", {"images": CLASSES * IMAGES, "seconds": figures})


def choose_photos(folder: Path) -> Path:
    """Copy some photos of some classes of Caltech-101."""
    classes = sorted(
        path for path in report.caltech101().iterdir() if len(list(path.glob("*.jpg"))) >= IMAGES
    )
    for each in classes[:CLASSES]:
        (folder / each.name).mkdir(parents=True)
        for file in sorted(each.glob("*.jpg"))[:IMAGES]:
            shutil.copy(file, folder / each.name)
    return folder


def commands(query: Path) -> dict[str, list[str]]:
    """Return the words of each command."""
    return {
        **{
            f"search {kind}": ["search", str(query), "--index", kind]
            for kind in ("exact", "kdtree", "kmeans-tree")
        },
        **{
            f"cluster {each}": ["cluster", "make", "--algorithm", each, "--name", each] for each in ALGORITHMS
        },
        "map tsne": ["map", "make", "--method", "tsne"],
        "bench": ["bench"],
        "evaluate": ["evaluate"],
        "reduce": ["reduce", "64"],
    }


def measure(folder: Path, source: Path, photos: Path, line: list[str], way: str) -> list[float]:
    """Return the seconds of the first and the second run, each on the collection as it was indexed."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        package, home = Path(scratch, "src"), Path(scratch, "home")
        leave = shutil.ignore_patterns("__pycache__", "*.nbc", "*.nbi")
        shutil.copytree(source / "lookalike", package / "lookalike", ignore=leave)
        taken = []
        for _ in range(2):
            collection = Path(scratch, "photos")
            shutil.copytree(photos, collection)
            own = [word.replace(str(photos), str(collection)) for word in line]
            taken.append(round(run(package, home, own, collection, is_sealed=way == "sealed"), 2))
            shutil.rmtree(collection)
        return taken


def run(
    source: Path, home: Path, line: list[str], cwd: Path | None = None, *, is_sealed: bool = False
) -> float:
    """Run a command to its end; return how many seconds it took."""
    home.mkdir(exist_ok=True)
    places = {"HOME": str(home), "XDG_CACHE_HOME": str(home), "PYTHONPATH": str(source)}
    if is_sealed:  # root may write anywhere; a place that is a file suits nobody
        places |= {
            "NUMBA_CACHE_DIR": os.devnull,
            "PYTHONDONTWRITEBYTECODE": "1",
            "XDG_CACHE_HOME": os.devnull,
        }
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "lookalike", *line],
        cwd=cwd,
        env=os.environ | places,
        capture_output=True,
        text=True,
    )
    taken = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{' '.join(line)}: {done.stderr.strip()[-500:]}")
    return taken
