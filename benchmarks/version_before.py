"""Is indexing as fast as in the version before? With and without colour profiles, and with nothing to do.

Both versions index the same files, one after the other in each round, so that a machine that slows down slows
both; what counts is the ratio of each round. The version before is a checkout of its own:

    git worktree add /tmp/before COMMIT
    python -m benchmarks version_before --before /tmp/before/src

- ``caltech-101``: every third photo, and the same files as they would be if a phone had taken them: the same
  pixels, with a Display P3 profile.
- ``12 megapixels``: mosaics of the photos, 4000 × 3000, with and without the profile.
- ``tiffs``: 500 small TIFFs, compressed by LZW, as they are and of 64 pixels a side, with a model that takes
  no time: what it costs that a decoder is bounded, and its prints caught, at its dearest.
- ``unchanged``: a second ``index`` of 100,000 files, which finds nothing to do.
- ``commits``: what indexing 8,000 images writes to the tables, in twenty commits, and joining them, without
  the indexing; and 200 labels, each on the disk before the next. Mostly waiting for the disk.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

import lookalike
from benchmarks import report
from benchmarks.photos import make_photos
from benchmarks.processes import Taken, timed
from benchmarks.profiles import DISPLAY_P3, matrix_profile
from lookalike.images import scan

ROUNDS = 5
UNCHANGED = 100_000
TIFFS = 500
PARTS = ("caltech-101", "12-megapixels", "tiffs", "unchanged", "commits")


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks version_before")
    parser.add_argument("--before", type=Path, required=True, help="the folder `src` of the version before")
    parser.add_argument("--part", action="append", choices=PARTS, help="only this; may be repeated")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--files", type=int, default=UNCHANGED, help="unchanged ones")
    chosen = parser.parse_args(options)
    sources = {"before": chosen.before.absolute(), "now": Path(lookalike.__file__).absolute().parents[1]}
    figures = report.read("version_before").get("parts", {})
    for part in chosen.part or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            before = commit(sources["before"])
            for name, row in PARTS_OF[part](Path(folder), sources, chosen.rounds, chosen.files).items():
                figures[name] = {"version_before": before, "load": round(os.getloadavg()[0], 1), **row}
        report.save("version_before", {"parts": figures})


def caltech(folder: Path, sources: dict[str, Path], rounds: int, _: int) -> dict[str, dict[str, object]]:
    root = report.caltech101()
    files = [root / name for name in list(scan(root, exclude=("BACKGROUND_Google",)).files)[::3]]
    return compare_both("caltech-101", files, folder, sources, rounds)


def large(folder: Path, sources: dict[str, Path], rounds: int, _: int) -> dict[str, dict[str, object]]:
    (folder / "made").mkdir()
    return compare_both("12-megapixels", make_photos(folder / "made"), folder, sources, rounds)


def compare_both(
    name: str, files: list[Path], folder: Path, sources: dict[str, Path], rounds: int
) -> dict[str, dict[str, object]]:
    """Compare the versions on files as they are, and on the same with a profile."""
    plain, tagged = folder / "plain", folder / "tagged"
    profile = matrix_profile(DISPLAY_P3)
    for number, file in enumerate(files):
        data = file.read_bytes()
        for place, content in ((plain, data), (tagged, with_profile(data, profile))):
            path = place / f"{number // 1000:03}" / f"{number:06}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def measure(photos: Path, version: str) -> tuple[float, float]:
        with tempfile.TemporaryDirectory() as home:
            return index(photos, Path(home), sources[version], "--model", "lite0-int8")

    return {
        f"{name}, {words}": {"files": len(files), **interleaved(sources, rounds, partial(measure, place))}
        for words, place in (("no profile", plain), ("Display P3", tagged))
    }


def tiffs(folder: Path, sources: dict[str, Path], rounds: int, _: int) -> dict[str, dict[str, object]]:
    root = report.caltech101()
    names = list(scan(root, exclude=("BACKGROUND_Google",)).files)
    names = names[:: len(names) // TIFFS][:TIFFS]
    small, tiny = folder / "small", folder / "tiny"
    for place in (small, tiny):
        place.mkdir()
    for number, name in enumerate(names):
        with Image.open(root / name) as picture:
            pixels = picture.convert("RGB")
        pixels.save(small / f"{number:03}.tif", compression="tiff_lzw")
        pixels.resize((64, 64)).save(tiny / f"{number:03}.tif", compression="tiff_lzw")

    def measure(photos: Path, version: str) -> tuple[float, float]:
        with tempfile.TemporaryDirectory() as home:
            return index(photos, Path(home), sources[version], "--model", "pixels-8-grey")

    return {
        f"LZW TIFFs, {words}": {"files": len(names), **interleaved(sources, rounds, partial(measure, place))}
        for words, place in (("300 × 200", small), ("64 × 64", tiny))
    }


def with_profile(jpeg: bytes, profile: bytes) -> bytes:
    """Put a profile into a JPEG file, in one APP2 segment, behind its start marker (ICC.1, annex B.4)."""
    body = b"ICC_PROFILE\0\x01\x01" + profile
    return jpeg[:2] + b"\xff\xe2" + (len(body) + 2).to_bytes(2) + body + jpeg[2:]


def unchanged(
    folder: Path, sources: dict[str, Path], rounds: int, n_files: int
) -> dict[str, dict[str, object]]:
    random = np.random.default_rng(0)
    photos = folder / "photos"
    for number in range(n_files):
        path = photos / f"{number // 500:03}" / f"{number:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 255, (8, 8, 3), np.uint8)).save(path)
    homes = {version: folder / f"home-{version}" for version in sources}
    for version, source in sources.items():
        index(photos, homes[version], source, "--model", "pixels-8-grey")
    return {
        "unchanged": {
            "files": n_files,
            **interleaved(sources, rounds, lambda version: index(photos, homes[version], sources[version])),
        }
    }


def commits(folder: Path, sources: dict[str, Path], rounds: int, _: int) -> dict[str, dict[str, object]]:
    def measure(script: str, version: str) -> tuple[float, float]:
        with tempfile.TemporaryDirectory(dir=folder) as home:
            words = [sys.executable, "-c", script, home]
            paths = [sources[version], Path(__file__).parents[1]]
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
            output = subprocess.run(words, env=environment, check=True, capture_output=True, text=True).stdout
            seconds, of_processor = map(float, output.split())
            return seconds, of_processor

    return {
        name: interleaved(sources, rounds, partial(measure, _TIMED.replace("WORK", script)))
        for name, script in (("commits of 8,000 images", _WRITE_TABLES), ("200 labels", _SAY_LABELS))
    }


_TIMED = """
import sys, time
from pathlib import Path
import numpy as np
from lookalike.store import Store
WORK
started = time.perf_counter(), time.process_time()
work(Path(sys.argv[1]))
print(time.perf_counter() - started[0], time.process_time() - started[1])
"""
_WRITE_TABLES = """
from lookalike.store.store import Changes, FileRow, ImageRow
random = np.random.default_rng(0)
vectors = random.normal(size=(400, 1280)).astype(np.float32)
thumbnails = [random.bytes(9_000) for _ in range(400)]
palette = np.zeros((5, 4), np.float32)
def work(folder):
    store = Store(folder)
    store.load()
    table = store.vectors("model", 1280)
    for n in range(20):
        ids = range(400 * n, 400 * n + 400)
        images = [ImageRow(i, bytes(32), "jpeg", 9, 9, i, palette, 1.0, t) for i, t in zip(ids, thumbnails)]
        files = [FileRow(f"photos:{i}.jpg", i, 9, 9) for i in ids]
        store.write(Changes(vectors=dict(zip(ids, vectors)), images=images, files=files), table)
    store.maintain()
    table.maintain()
"""
_SAY_LABELS = """
from benchmarks.said import labels
from lookalike.collection.stored.journal import Journal
def work(folder):
    labels(Journal(folder), 200)
"""


def interleaved(
    sources: dict[str, Path], rounds: int, measure: Callable[[str], tuple[float, float]]
) -> dict[str, object]:
    """Measure the versions in turn, each first as often as the other; the first round is not counted."""
    times = []
    for number in range(-1, rounds):
        order = list(sources) if number % 2 else list(sources)[::-1]
        found = {version: measure(version) for version in order}
        if number >= 0:
            times.append(found)
    return {
        name: {
            "now_over_before": round(median(one["now"][place] / one["before"][place] for one in times), 3),
            "ratios": [round(one["now"][place] / one["before"][place], 3) for one in times],
            **{version: round(median(one[version][place] for one in times), 2) for version in sources},
        }
        for place, name in enumerate(("seconds", "processor_seconds"))
    }


def index(photos: Path, home: Path, source: Path, *more: str) -> Taken:
    """Run ``lookalike index`` of a version; return its seconds on the clock, and of the processor."""
    words = ["-m", "lookalike", "index", str(photos), "-c", str(home), "--quiet", *more]
    return timed(words, source)


def commit(source: Path) -> str:
    words = ["git", "-C", str(source), "describe", "--always", "--tags"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


PARTS_OF = {
    "caltech-101": caltech,
    "12-megapixels": large,
    "tiffs": tiffs,
    "unchanged": unchanged,
    "commits": commits,
}
