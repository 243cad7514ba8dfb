"""Do folders say what images show? Labels that do, and others, as they are measured; see docs/labels.md.

    python -m benchmarks labels [--library FOLDER]

Each set is embedded with the default model. `--library` names a folder of photos whose folders are dates or
places, such as your own; without it, dates are dealt out to photos of Caltech-101.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks import report
from lookalike import Collection
from lookalike.datasets import find_all, load
from lookalike.evaluate.agreement import draw_sample, measure_agreement
from lookalike.store.labeling import TELLS_FROM
from lookalike.types import Vectors

SMALL = ("fashion-mnist", "mnist", "cifar-10")
PER_CLASS = 200  # images of a class of these that are taken
MANY = 2_000
DRAWS = 200  # of labels at random
Codes = npt.NDArray[np.int64]


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks labels")
    parser.add_argument("--library", type=Path)
    chosen = parser.parse_args(options)
    random = np.random.default_rng(0)
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        vectors, classes = embedded(report.caltech101(), Path(scratch), ("BACKGROUND_Google",))
        for name, codes in labelings(classes, random):
            found[f"Caltech-101, {name}"] = measure(vectors, codes)
        found["Caltech-101, months, each photo five times"] = measure(*bursts(vectors, random))
        here = {each.row.name for each in find_all() if each.root is not None}
        for name in filter(here.__contains__, SMALL):
            folder = Path(scratch, name)
            write(name, folder)
            found[name] = measure(*embedded(folder, Path(scratch)))
        if chosen.library:
            found["the library named"] = measure(*embedded(chosen.library, Path(scratch)))
        by_chance = at_random(vectors, random)
    report.save("labels", {"threshold": TELLS_FROM, "labelings": found, "labels at random": by_chance})


def write(name: str, folder: Path) -> None:
    """Write some images of each class of a data set into folders."""
    _, _, images, labels = load(name)
    for label in np.unique(labels):
        place = folder / str(label)
        place.mkdir(parents=True)
        for number, pixels in enumerate(images[labels == label][:PER_CLASS]):
            Image.fromarray(pixels.squeeze()).save(place / f"{number:03}.png")


def embedded(folder: Path, scratch: Path, exclude: Sequence[str] = ()) -> tuple[Vectors, Codes]:
    """Index a folder; return the vectors of its images, and which of its folders each lies in."""
    home = Path(tempfile.mkdtemp(dir=scratch))
    collection = Collection.create(home, with_root=False)
    collection.add_root(folder, exclude=exclude)
    collection.sync()
    images, vectors = collection.vectors()
    _, codes = np.unique([str(Path(image.path).parent) for image in images], return_inverse=True)
    return vectors, codes.astype(np.int64)


def labelings(classes: Codes, random: np.random.Generator) -> Iterator[tuple[str, Codes]]:
    """Yield labels for images of classes, from such that say what they show to such that do not."""
    yield "classes", classes
    yield "its classes in 10 groups of any", random.permutation(classes.max() + 1)[classes] % 10
    half = classes.copy()
    is_wrong = random.random(len(half)) < 0.5
    half[is_wrong] = random.permutation(half[is_wrong])
    yield "half of the labels wrong", half
    yield "events: three classes to a folder, half of it of any", events(classes, random)
    yield "months, dealt out", random.integers(0, 60, len(classes))


def events(classes: Codes, random: np.random.Generator) -> Codes:
    """Return folders of 18 photos: half of them three threes of one thing, the rest of any; -1 for others."""
    by_class = np.argsort(classes, kind="stable")
    threes = random.permutation(by_class[: len(by_class) // 18 * 18].reshape(-1, 3))
    kept, loose = threes[::2], random.permutation(threes[1::2].ravel())
    n = len(kept) // 3
    found = np.full(len(classes), -1, np.int64)
    found[kept[: 3 * n].ravel()] = np.repeat(np.arange(n), 9)
    found[loose[: 9 * n]] = np.repeat(np.arange(n), 9)
    return found


def bursts(vectors: Vectors, random: np.random.Generator) -> tuple[Vectors, Codes]:
    """Return photos as five in a row each, of one month, at a cosine of some 0.9 to one another."""
    photos = vectors[random.choice(len(vectors), MANY // 5, replace=False)].repeat(5, axis=0)
    noise = random.standard_normal(photos.shape) / np.sqrt(photos.shape[1])
    rows = photos + np.sqrt(1 / 0.9 - 1) * noise
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), random.integers(0, 60, MANY // 5).repeat(5)


def measure(vectors: Vectors, codes: Codes) -> dict[str, Any]:
    """Return how much labels agree with likeness, as a collection measures it."""
    rows = draw_sample(codes)
    _, labels = np.unique(codes[rows], return_inverse=True)
    sample = vectors[rows]
    precision, chance = measure_agreement(sample, labels, "cosine")
    likeness = sample @ sample.T
    np.fill_diagonal(likeness, -np.inf)
    first = float((labels[likeness.argmax(axis=1)] == labels).mean())
    return {
        "images": len(rows),
        "labels": int(labels.max()) + 1,
        "chance": round(chance, 3),
        "P@1": round(first, 3),
        "R-precision": round(precision, 3),
        "agreement": round((precision - chance) / (1 - chance), 3),
    }


def at_random(vectors: Vectors, random: np.random.Generator) -> dict[str, Any]:
    """Return how often labels dealt out at random seem to say something, by how many images there are."""
    found = {}
    for n in (30, 50, 100):
        passed = 0
        for draw in range(DRAWS):
            sample = vectors[random.choice(len(vectors), n, replace=False)]
            codes = np.arange(n) % (2, 3, 5, 12)[draw % 4]
            precision, chance = measure_agreement(sample, codes, "cosine")
            passed += (precision - chance) / (1 - chance) >= TELLS_FROM
        found[f"{n} images"] = {"draws": DRAWS, "share that reaches the threshold": passed / DRAWS}
    return found
