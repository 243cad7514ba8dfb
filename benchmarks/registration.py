"""Does registration tell edits of a picture from other pictures, where its threshold was not chosen?

    python -m benchmarks registration [--positives 150] [--pairs 1500]

`lookalike.registration.SAME` was chosen on the first eight photos of each class of Caltech-101 and on 250 of
all. The photos here are others. Negatives are pairs by chance, and pairs of one class: photos, drawings of
the Open Clip Art Library, handwritten digits of 28 × 28 pixels, garments of as many. Drawings that are the
same file are not paired; those of one name but for its number are left out: many are one drawing, varied.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import random
import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from benchmarks import report
from lookalike import datasets
from lookalike.collection.statements.carrying import is_same_picture
from lookalike.images.thumbnails import encode_thumbnail, make_thumbnail
from lookalike.registration import SAME, picture_of, register

_CHOSEN_ON_EACH, _CHOSEN_ON_ALL = 8, 250
_MOST_PIXELS = 4_000_000
_EXAMPLES = 12
_TRIES = 20  # times as many draws, to find pairs that were not drawn yet

Picture: TypeAlias = Image.Image
Named: TypeAlias = tuple[str, str, bytes]
"""Its class, its name, its thumbnail."""


def _encoded(image: Picture) -> Picture:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=30)
    return Image.open(io.BytesIO(stream.getvalue())).convert("RGB")


def _cropped(image: Picture, left: float, top: float, right: float, bottom: float) -> Picture:
    width, height = image.size
    return image.crop((int(width * left), int(height * top), int(width * right), int(height * bottom)))


EDITS: dict[str, Callable[[Picture], Picture]] = {
    "encoded anew": _encoded,
    "half the size": lambda image: image.resize((max(1, image.width // 2), max(1, image.height // 2))),
    "stretched by 20 %": lambda image: image.resize((image.width * 6 // 5, image.height)),
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.5),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.5),
    "of half the contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.5),
    "inverted": ImageOps.invert,
    "cropped by 5 % a side": lambda image: _cropped(image, 0.05, 0.05, 0.95, 0.95),
    "cropped by 10 % at a corner": lambda image: _cropped(image, 0.1, 0, 1, 0.9),
    "straightened by 3°": lambda image: _cropped(
        image.rotate(3, resample=Image.Resampling.BILINEAR), 0.05, 0.05, 0.95, 0.95
    ),
}


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks registration", description=__doc__)
    parser.add_argument("--positives", type=int, default=150, help="of each source, that are edited")
    parser.add_argument("--pairs", type=int, default=1_500, help="of different pictures, of each kind")
    asked = parser.parse_args(options)
    sources = {"photos": photos, "drawings": drawings, "mnist": lambda n: small("mnist", n)}
    sources["fashion-mnist"] = lambda n: small("fashion-mnist", n)
    found = {name: measure(source, asked) for name, source in sources.items()}
    report.save("registration", {"same": SAME, **vars(asked), **found})


def measure(source: Callable[[int], Iterator[tuple[str, str, Picture]]], asked: argparse.Namespace) -> object:
    """Return how the edits of pictures score, and which others are taken for one."""
    pictures: list[Named] = []
    scores: dict[str, list[float]] = defaultdict(list)
    carried: dict[str, int] = defaultdict(int)
    for number, (kind, name, image) in enumerate(source(max(4 * asked.positives, asked.pairs // 2))):
        one = _thumbnail(image)
        pictures.append((kind, name, one))
        if number < asked.positives:
            for edit, work in EDITS.items():
                other = _thumbnail(work(image))
                scores[edit].append(register(picture_of(one), picture_of(other)).score)
                carried[edit] += is_same_picture(one, other)
    edits = {
        edit: {
            "p1": _rounded(np.percentile(np.nan_to_num(some, nan=1.0), 1)),
            "share": carried[edit] / len(some),
        }
        for edit, some in scores.items()
    }
    chance = random.Random(0)
    pairs = {
        "by chance": [chance.sample(pictures, 2) for _ in range(asked.pairs)],
        "of one class": list(_of_one_class(pictures, asked.pairs, chance)),
    }
    return {"edits": edits, **{kind: _compared(some) for kind, some in pairs.items()}}


def _compared(pairs: Sequence[Sequence[Named]]) -> object:
    found = []
    for (_, one, first), (_, other, second) in pairs:
        score = register(picture_of(first), picture_of(second)).score
        found.append((is_same_picture(first, second), score, one, other))
    scores = np.array([score for _, score, _, _ in found])
    wrong = sorted((each for each in found if each[0]), key=lambda each: -np.nan_to_num(each[1], nan=2.0))
    return {
        "pairs": len(found),
        "p99": _rounded(np.nanpercentile(scores, 99)),
        "without_texture": int(np.isnan(scores).sum()),
        "of_such_a_score": int((scores >= SAME).sum()),
        "taken_for_one": len(wrong),
        "such_as": [(_rounded(score), one, other) for _, score, one, other in wrong[:_EXAMPLES]],
    }


def _of_one_class(pictures: Sequence[Named], n: int, chance: random.Random) -> Iterator[list[Named]]:
    classes: dict[str, list[Named]] = defaultdict(list)
    for picture in pictures:
        classes[picture[0]].append(picture)
    of_some = [some for some in classes.values() if len(some) > 1]
    seen: set[frozenset[str]] = set()
    for _ in range(_TRIES * n):
        pair = chance.sample(chance.choice(of_some), 2)
        names = frozenset(name for _, name, _ in pair)
        if names not in seen and len(seen) < n:
            seen.add(names)
            yield pair


def photos(n: int) -> Iterator[tuple[str, str, Picture]]:
    """Give photos that SAME was not chosen on."""
    files = sorted(report.caltech101().rglob("*.jpg"))
    by_class: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        by_class[file.parent.name].append(file)
    chosen_on = {file for some in by_class.values() for file in some[:_CHOSEN_ON_EACH]}
    random.Random(1).shuffle(files)
    others = [file for file in files[_CHOSEN_ON_ALL:] if file not in chosen_on]
    for file in others[:n]:
        yield file.parent.name, f"{file.parent.name}/{file.name}", Image.open(file).convert("RGB")


def drawings(n: int) -> Iterator[tuple[str, str, Picture]]:
    """Give drawings, one of each name but for its number, on white."""
    found = datasets.load("clipart")
    assert isinstance(found.train_X, datasets.ImageFiles)
    paths = sorted(found.train_X.paths)
    named = {re.sub(r"\d+", "", path.name): path for path in paths if not path.is_symlink()}
    chosen = list(named.values())
    random.Random(1).shuffle(chosen)
    given = 0
    for path in chosen:
        if given == n:
            return
        drawing = _drawing(path)
        if drawing is None:
            continue
        white = Image.new("RGBA", drawing.size, "white")
        given += 1
        yield path.parent.name, path.name, Image.alpha_composite(white, drawing).convert("RGB")


def _drawing(path: Path) -> Picture | None:
    """Read a drawing; None if it is huge."""
    with warnings.catch_warnings(action="ignore"), contextlib.suppress(Image.DecompressionBombError):
        image = Image.open(path)
        return image.convert("RGBA") if image.width * image.height <= _MOST_PIXELS else None
    return None


def small(name: str, n: int) -> Iterator[tuple[str, str, Picture]]:
    """Give digits, or garments."""
    found = datasets.load(name)
    for number in random.Random(1).sample(range(len(found.test_X)), min(n, len(found.test_X))):
        kind = found.class_names[found.test_y[number]]
        pixels = np.asarray(found.test_X[number])
        yield kind, f"{kind}/{number}", Image.fromarray(pixels).convert("RGB")


def _thumbnail(image: Picture) -> bytes:
    return encode_thumbnail(make_thumbnail(image))


def _rounded(value: float) -> float:
    return round(float(value), 3)
