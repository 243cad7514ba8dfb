"""What three whitened depths find more than the mean of the last: ``lite0-deep-int8`` beside ``lite0-int8``.

Caltech-101, each photo against all others, by both precisions and by the collection's own 128 axes; what was
edited against its original among all; MNIST and Fashion-MNIST, test against train; the processor's time for
an image, each model in turn; bytes a picture. Whitening was fitted on clip art and CIFAR-10 alone, see
``scripts/fit_whitening.py``.

What was chosen looking at Caltech-101: the weights of the parts, the exponent, the sizes of the windows, that
photos count twice. Nothing was chosen looking at edits, MNIST or Fashion-MNIST.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from benchmarks import report
from lookalike import Collection, datasets
from lookalike.embed import Embedder, load_model, unit_rows
from lookalike.images.decode import decode, from_pixels
from lookalike.pca import PCA
from lookalike.system.cache import cache_folder
from lookalike.types import Vectors

BEFORE, NOW, EXACT = "lite0-int8", "lite0-deep-int8", "lite0-deep"
OWN_AXES = 128
EDITED = 17  # one picture in so many
SEARCHED, ASKED = 2_000, 500  # of MNIST and Fashion-MNIST, the first of train and of test
TIMED, ROUNDS = 200, 3
BLOCK = 512
PORTION = 16  # images that `index` hands a network at a time

Labels = npt.NDArray[np.int64]


def main() -> None:
    root = report.caltech101()
    files = sorted(file for file in root.rglob("*.jpg") if file.parent.name != "BACKGROUND_Google")
    labels = np.unique([file.parent.name for file in files], return_inverse=True)[1]
    figures: dict[str, object] = {"photos": len(files)}

    def note(what: str, measured: object) -> None:
        figures[what] = measured
        report.save("depths", figures)  # what is cut short has something

    note("processor", cost(files))
    note("bytes a picture", bytes_a_picture(files))
    vectors = {model: embedded(model, files) for model in (NOW, EXACT, BEFORE)}
    found = {model: leave_one_out(rows, labels) for model, rows in vectors.items()}
    found[f"{NOW}, its own {OWN_AXES} axes"] = leave_one_out(own_axes(vectors[NOW]), labels)
    note("each photo against the others", found)
    again = {}
    for model in (NOW, BEFORE):
        embedder = load_model(model)
        again[model] = {
            name: found_again(embedder, vectors[model], files, edit) for name, edit in EDITS.items()
        }
        note("edited, R@1 of the original", again)
    nearest: dict[str, dict[str, float]] = {name: {} for name in ("mnist", "fashion-mnist")}
    for model in (NOW, BEFORE):
        for name, figure in nearest.items():
            figure[model] = nearest_class(load_model(model), name)
            note("P@1, test against train", nearest)


def embedded(model: str, files: list[Path]) -> Vectors:
    """Return the vectors of files, kept below the cache: a second run only measures."""
    embedder = load_model(model)
    mark = getattr(embedder.model.whitening, "sha256", "")[:8]
    place = cache_folder() / "benchmarks" / "depths" / f"{model}-{mark}-{len(files)}.npy"
    if not place.is_file():
        place.parent.mkdir(parents=True, exist_ok=True)
        np.save(place, embed(embedder, map(read, files)))
    rows: Vectors = np.load(place)
    return rows


def read(file: Path) -> Image.Image:
    return decode(file.read_bytes(), str(file), 256).image


def embed(embedder: Embedder, pictures: Iterator[Image.Image]) -> Vectors:
    """Embed pictures as `index` does, a portion at a time."""
    parts, waiting = [], []
    for picture in pictures:
        waiting.append(embedder.prepare(picture))
        if len(waiting) == PORTION:
            parts.append(embedder.embed(np.stack(waiting)))
            waiting = []
    if waiting:
        parts.append(embedder.embed(np.stack(waiting)))
    return np.concatenate(parts)


def own_axes(vectors: Vectors) -> Vectors:
    """Reduce as ``lookalike reduce`` does."""
    return unit_rows(PCA(OWN_AXES).fit(vectors).transform(vectors).astype(np.float32))


def leave_one_out(vectors: Vectors, labels: Labels) -> dict[str, float]:
    """Measure the order of all others for each row."""
    n, sums = len(vectors), np.zeros(3)
    others = np.bincount(labels)[labels] - 1
    for start in range(0, n, BLOCK):
        rows = np.arange(start, min(start + BLOCK, n))
        scores = vectors[rows] @ vectors.T
        scores[np.arange(len(rows)), rows] = -np.inf
        order = np.argsort(-scores, axis=1)[:, :-1]
        is_right = labels[order] == labels[rows, None]
        precision = np.cumsum(is_right, axis=1) / np.arange(1, n)
        found = (precision * is_right).sum(axis=1) / others[rows]
        sums += is_right[:, 0].sum(), is_right[:, :10].mean(axis=1).sum(), found.sum()
    return dict(zip(("P@1", "P@10", "mAP"), (sums / n).round(4).tolist(), strict=True))


def _saved_again(picture: Image.Image) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=5)
    return Image.open(file).convert("RGB")


def _blurred(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(min(picture.size) / 75))


def _turned(picture: Image.Image) -> Image.Image:
    return picture.rotate(15, Image.Resampling.BICUBIC, expand=True, fillcolor=(255, 255, 255))


def _cropped(picture: Image.Image) -> Image.Image:
    width, height = (side * 0.5**0.5 / 2 for side in picture.size)
    x, y = picture.width / 2, picture.height / 2
    return picture.crop((round(x - width), round(y - height), round(x + width), round(y + height)))


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "recompressed, JPEG 5": _saved_again,
    "blurred, 1/75 of the shorter side": _blurred,
    "turned 15°": _turned,
    "the middle half of the area": _cropped,
}


def found_again(
    embedder: Embedder, vectors: Vectors, files: list[Path], edit: Callable[[Image.Image], Image.Image]
) -> float:
    """Return the share of edited pictures to which their original is the nearest of all."""
    chosen = np.arange(0, len(files), EDITED)
    asked = embed(embedder, (edit(read(files[number])) for number in chosen))
    return round(float(((asked @ vectors.T).argmax(axis=1) == chosen).mean()), 4)


def nearest_class(embedder: Embedder, name: str) -> float:
    """Return the share of test pictures whose nearest train picture has their class."""
    data = datasets.load(name, download=False)
    searched, asked = (
        embed(embedder, (from_pixels(pixels).image for pixels in some[:most]))
        for some, most in ((data.train_X, SEARCHED), (data.test_X, ASKED))
    )
    nearest = (asked @ searched.T).argmax(axis=1)
    return round(float((data.train_y[nearest] == data.test_y[:ASKED]).mean()), 4)


def cost(files: list[Path]) -> dict[str, object]:
    """Measure the processor's milliseconds an image of decoding, scaling, embedding; models in turns."""
    embedders = {model: load_model(model) for model in (BEFORE, NOW)}
    spent: dict[str, list[float]] = {model: [] for model in embedders}
    for _ in range(ROUNDS):
        for start in range(0, TIMED, PORTION):
            for model, embedder in embedders.items():
                begun = time.process_time()
                pixels = [embedder.prepare(read(file)) for file in files[start : start + PORTION]]
                embedder.embed(np.stack(pixels))
                spent[model].append((time.process_time() - begun) / len(pixels) * 1e3)
    medians = {model: float(np.median(each)) for model, each in spent.items()}
    return {
        "ms an image, decoded and embedded": {model: round(each, 2) for model, each in medians.items()},
        "times of before": round(medians[NOW] / medians[BEFORE], 3),
    }


def bytes_a_picture(files: list[Path]) -> dict[str, float]:
    """Index some, and tell what the tables of vectors and the indexes take on the disk."""
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        photos.mkdir()
        for number, file in enumerate(files[:: len(files) // 500]):
            (photos / f"{number}.jpg").write_bytes(file.read_bytes())
        collection = Collection.create(photos)
        collection.sync()
        for _ in range(3):
            collection.search(next(iter(photos.iterdir())))
        sizes = collection.info().sizes
        n = collection.info().images
        print(sizes, file=sys.stderr)
        return {part: round(sizes[part] / n, 1) for part in ("vectors", "indexes")}


if __name__ == "__main__":
    main()
