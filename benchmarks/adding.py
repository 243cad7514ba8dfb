"""How long do images, fields and vectors take that come by call?

A thousand photos of Caltech-101, spread over all classes, in each round:

    index             as files of a folder, by `sync`: what there was before
    add               their bytes, under keys, with three fields each, by `add`
    add again         the same once more: nothing is to be done
    vectors           1,000 vectors of 1,280 numbers, of a model that is not ours, by `add_vectors`
    fields            three fields for each of them, by `set_fields`
    pictures brought  their bytes, with fields and such a vector each, and embedded later

One after the other in each round, so that a machine that slows down slows all; the model is loaded before.
Beside them stands what it takes to write as many bytes as `add` keeps, a file an image, each flushed to the
disk: on a disk where that is slow, so is `add`.

    python -m benchmarks adding
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import report
from lookalike import Addition, Collection
from lookalike.images import scan

IMAGES = 1_000
DIMENSION = 1_280
ROUNDS = 5


def main(options: tuple[str, ...] | list[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks adding")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args(options)
    root = report.caltech101()
    names = list(scan(root, exclude=("BACKGROUND_Google",)).files)
    files = [root / name for name in names[:: len(names) // IMAGES][:IMAGES]]
    with tempfile.TemporaryDirectory() as folder:
        rounds = [measure(files, Path(folder) / str(number)) for number in range(chosen.rounds)]
    seconds = {name: round(median(each[name] for each in rounds), 3) for name in rounds[0]}
    report.save(
        "adding",
        {
            "images": len(files),
            "dimension": DIMENSION,
            "rounds": len(rounds),
            "seconds": seconds,
            "add_over_index": round(median(each["add"] / each["index"] for each in rounds), 2),
            "vectors_with_fields": round(median(each["vectors"] + each["fields"] for each in rounds), 3),
        },
    )


def measure(files: list[Path], folder: Path) -> dict[str, float]:
    """Do all of it once, each in a collection of its own; return the seconds."""
    photos = folder / "photos"
    photos.mkdir(parents=True)
    contents = [file.read_bytes() for file in files]
    for number, content in enumerate(contents):
        (photos / f"{number:04}.jpg").write_bytes(content)
    indexed = Collection.create(folder / "indexed", with_root=False)
    indexed.add_root(photos)
    added, brought = (Collection.create(folder / name, with_root=False) for name in ("added", "brought"))
    for collection in (added, brought):  # so that the model is loaded, and the tables are there
        collection.add([(contents[0], "first")])
    vectors = np.random.default_rng(0).normal(size=(len(files), DIMENSION)).astype(np.float32)
    fields = [
        {"number": number, "text": f"photo {number}", "tags": ["a", "b"]} for number in range(len(files))
    ]
    by_bytes = [(content, f"{number:04}.jpg", fields[number]) for number, content in enumerate(contents)]
    brought.add_vectors("ours", ["added:first"], vectors[:1])
    with_vectors = [
        Addition(content, f"{number:04}.jpg", fields[number], vectors={"ours": vectors[number]})
        for number, content in enumerate(contents)
    ]
    paths = [photos / f"{number:04}.jpg" for number in range(len(files))]
    took = {
        "flushed files": timed(lambda: write(contents, folder / "flushed")),
        "index": timed(indexed.sync),
        "add": timed(lambda: added.add(by_bytes)),
        "add again": timed(lambda: added.add(by_bytes)),
        "vectors": timed(lambda: indexed.add_vectors("ours", paths, vectors)),
        "fields": timed(lambda: indexed.set_fields(dict(zip(paths, fields, strict=True)))),
        "pictures brought": timed(lambda: brought.add(with_vectors, embed=False)),
    }
    shutil.rmtree(folder)
    return took


def write(contents: list[bytes], folder: Path) -> None:
    """Write files, each flushed to the disk."""
    folder.mkdir()
    for number, content in enumerate(contents):
        with (folder / f"{number:04}").open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
