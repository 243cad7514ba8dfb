"""Make a collection of up to a million crops: photos, drawings, digits and garments, cut at random.

It is a collection like any other: paths, labels, dates, sizes, hashes, colours, small thumbnails, whole
vectors of the default model, and the same reduced to 128. Nothing but its tables is written: the crops
themselves lie nowhere, and their paths begin with ``added:``, where no root is, so no sync looks for them.

    python -m benchmarks million_crops --out /tmp/crops [--count 1000000] [--jobs 2] [--device auto]

In the end each crop gets two own fields: ``share``, of its picture's area, and ``source``, the data set. With
``--fields`` those that are there get them, and no others are made.

Kill it whenever you like: what was committed is a whole collection of fewer crops, and the next run goes on
from there. The same crops come in the same order on every machine that has the same data sets at hand. What
can be known of a crop is computed from its pixels (id, hash, sharpness, colours, vectors); dates, cameras,
places and ratings of the photos are drawn at random, the same for all crops of one but for the minute.

The order of all crops is one random permutation of portions, of up to ten crops of one picture each, so any
number of the first ones is much like the whole. A picture is decoded once a portion.
"""

from __future__ import annotations

import argparse
import datetime
import io
import json
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from lookalike import Collection, datasets
from lookalike.collection.models.reducing import extend_reduced
from lookalike.datasets.dataset import Dataset, ImageFiles
from lookalike.embed import Compute, Embedder, ModelRegistry, base_name, reduce_vectors
from lookalike.errors import ImageError
from lookalike.images import palettes, perceptual_hash, read_image, sample_colors, sharpness
from lookalike.images.hashing import pixels_id
from lookalike.images.metadata.metadata import NO_METADATA, Metadata
from lookalike.images.reader import READER
from lookalike.store import Store, find_collection, writer_lock
from lookalike.store.store import Changes, FileRow, ImageRow
from lookalike.system.cores import usable_cores
from lookalike.system.file_names import escape
from lookalike.system.progress import UNWATCHED
from lookalike.types import FieldValue, PixelArray, Vectors

COUNT = 1_000_000
MODEL = "lite0-int8"  # what the published figures are of
ROWS_A_COMMIT = 4_000
ROWS_A_TASK = 60  # that a thread takes at a time
REDUCED, FITTED_ON = 128, 20_000
MAINTAINED_AFTER = 25  # commits
COMMITS_AHEAD = 2
FIELDS_AT_ONCE = 50_000
THUMBNAIL_SIDE, QUALITY = 64, 75
DECODED_SIDE = 512  # drawings of many megapixels are shrunk to it first
CAMERAS = ("Aldine A1", "Bodoni B200", "Caslon C3", "Didot D40", "Elzevir E5", "Fournier F60")
SETTINGS = "crops.json"
ROOT = "added"


@dataclass(frozen=True, slots=True)
class Source:
    """A data set that crops are cut from, and how many of each picture."""

    name: str
    crops: int
    together: int
    format: str
    has_facts: bool = False  # dates, cameras, places, ratings


SOURCES = (
    Source("caltech-101", 100, 10, "JPEG", has_facts=True),
    Source("clipart", 20, 10, "PNG"),
    Source("mnist", 2, 2, "PIXELS"),
    Source("fashion-mnist", 2, 2, "PIXELS"),
)


@dataclass(frozen=True, slots=True)
class Portion:
    """Some crops of one picture: numbers of the source, the picture in it, and the portion of the picture."""

    source: int
    picture: int
    number: int


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where the crops of a portion are cut, whatever the size of the picture: (n,) each.

    Attributes
    ----------
    shares : float64
        Of the area of the picture.
    proportions : float64
        By how much a crop is wider than the picture, for its height.
    x, y : float64
        Where it lies, from 0 (left, top) to 1.
    mirrored : bool
    """

    shares: np.ndarray
    proportions: np.ndarray
    x: np.ndarray
    y: np.ndarray
    mirrored: np.ndarray


@dataclass(slots=True)
class Made:
    """Rows of some crops; vectors: (n, d) float32."""

    files: list[FileRow]
    images: list[ImageRow]
    vectors: Vectors


class Crops:
    """All crops that there can be, in their order.

    Parameters
    ----------
    names : sequence of str
        The sources that are at hand.
    random_state : int
    """

    def __init__(self, names: Sequence[str], random_state: int) -> None:
        self.sources = [source for source in SOURCES if source.name in names]
        self.sets = [datasets.load(source.name) for source in self.sources]
        self.random_state = random_state
        table = [
            (number, picture, portion)
            for number, (source, held) in enumerate(zip(self.sources, self.sets, strict=True))
            for picture in range(len(held.train_y) + len(held.test_y))
            for portion in range(source.crops // source.together)
        ]
        self._portions = np.array(table, np.int32).reshape(-1, 3)
        np.random.default_rng(random_state).shuffle(self._portions)

    def portions(self, count: int) -> list[Portion]:
        """Return the first portions, of `count` crops, or up to nine more."""
        together = np.array([source.together for source in self.sources])
        n = int(np.searchsorted(np.cumsum(together[self._portions[:, 0]]), count)) + 1
        return [Portion(*row) for row in self._portions[:n].tolist()]

    def by_rows(self, portions: Sequence[Portion], n_rows: int) -> Iterator[list[Portion]]:
        """Yield portions together, so that they have that many crops, or a few more."""
        some: list[Portion] = []
        n = 0
        for portion in portions:
            some.append(portion)
            n += self.sources[portion.source].together
            if n >= n_rows:
                yield some
                n, some = 0, []
        if some:
            yield some

    def cuts(self, portion: Portion) -> Cuts:
        """Say where the crops of a portion are cut."""
        key = (self.random_state, 1, portion.source, portion.picture, portion.number)
        random = np.random.default_rng(key)
        n = self.sources[portion.source].together
        is_small = self.sources[portion.source].format == "PIXELS"
        return Cuts(
            shares=random.uniform(0.6 if is_small else 0.1, 0.95, n),
            proportions=np.exp(random.uniform(-0.3, 0.3, n)),
            x=random.random(n),
            y=random.random(n),
            mirrored=random.random(n) < 0.2,
        )

    def paths(self, portion: Portion) -> list[str]:
        """Return the stored paths of a portion's crops."""
        source, held = self.sources[portion.source], self.sets[portion.source]
        split, row = _place(held, portion.picture)
        X, y = held.split(split)
        label = held.class_names[y[row]]
        folder = escape(f"{source.name}/{label}")
        stem = X.paths[row].stem if isinstance(X, ImageFiles) else f"{split}-{row:05}"
        first, ending = portion.number * source.together, ".jpg" if source.has_facts else ".png"
        return [
            f"{ROOT}:{folder}/{escape(stem)}-{portion.picture:05}-{first + cut:02}{ending}"
            for cut in range(source.together)
        ]

    def picture(self, portion: Portion) -> Image.Image:
        """Decode the picture of a portion; RGB.

        Raises
        ------
        ImageError
            If that cannot be done: some drawings are huge.
        """
        held = self.sets[portion.source]
        split, row = _place(held, portion.picture)
        X, _ = held.split(split)
        if not isinstance(X, ImageFiles):
            return Image.fromarray(X[row]).convert("RGB")
        image = read_image(X.paths[row], DECODED_SIDE).image
        if max(image.size) > 2 * DECODED_SIDE:
            image.thumbnail((DECODED_SIDE, DECODED_SIDE), reducing_gap=2.0)
        return image

    def label(self, portion: Portion) -> tuple[str, str | None]:
        """Return label and split of a picture; no split where the data set has but one."""
        held = self.sets[portion.source]
        split, row = _place(held, portion.picture)
        name = held.class_names[held.split(split)[1][row]]
        return name, split if len(held.test_y) else None

    def facts(self, portion: Portion) -> list[Metadata]:
        """Draw what the files would say of a portion's crops."""
        source = self.sources[portion.source]
        if not source.has_facts:
            return [NO_METADATA] * source.together
        random = np.random.default_rng((self.random_state, 2, portion.source, portion.picture))
        day = datetime.datetime(2004, 1, 1) + datetime.timedelta(days=int(random.integers(0, 365 * 20)))
        has_place, has_rating = random.random(2) < (0.5, 0.3)
        said = Metadata(
            camera=CAMERAS[random.integers(len(CAMERAS))],
            latitude=float(random.uniform(-60, 70)) if has_place else None,
            longitude=float(random.uniform(-180, 180)) if has_place else None,
            rating=int(random.integers(1, 6)) if has_rating else None,
        )
        own = np.random.default_rng((self.random_state, 3, *_numbers(portion)))
        minutes = own.integers(6 * 60, 22 * 60, source.together).tolist()
        return [replace(said, taken=day + datetime.timedelta(minutes=minute)) for minute in minutes]


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks million_crops")
    parser.add_argument(
        "--out", type=Path, required=True, help="the folder of the collection; made if need be"
    )
    parser.add_argument("--count", type=int, default=COUNT, help=f"crops (default: {COUNT:,})")
    parser.add_argument("--jobs", type=int, default=usable_cores(), help="threads (default: one a core)")
    parser.add_argument("--device", default="auto", help="where the network runs (default: auto)")
    parser.add_argument("--random-state", type=int, default=0, help="of a new collection (default: 0)")
    parser.add_argument(
        "--fields", action="store_true", help="only say of the crops that are there what they are"
    )
    chosen = parser.parse_args(options)
    if chosen.fields:
        set_fields(Collection.open(chosen.out, above=False))
    else:
        make(chosen.out, chosen.count, chosen.jobs, chosen.device, chosen.random_state)


def make(out: Path, count: int, jobs: int, device: str = "auto", random_state: int = 0) -> Collection:
    """Make the collection, or go on with one that was begun."""
    if find_collection(out, above=False) is None:
        out.mkdir(parents=True, exist_ok=True)
        Collection.create(out, model=MODEL, with_root=False)
    collection = Collection.open(out, above=False)
    crops = open_crops(collection, random_state)
    Maker(collection, crops, jobs, device).run(count)
    set_fields(collection)
    return collection


def set_fields(collection: Collection) -> None:
    """Say of all crops whose fields are not known yet what they are; what was killed goes on."""
    crops, snapshot = open_crops(collection), collection.snapshot()
    paths = snapshot.files.paths()
    known = (
        snapshot.fields.columns["share"].is_valid().to_pylist()
        if len(snapshot.fields)
        else [False] * len(paths)
    )
    unknown = {path for path, is_known in zip(paths, known, strict=True) if not is_known}
    some: dict[str, dict[str, FieldValue | None]] = {}
    for portion in crops.portions(sys.maxsize) if unknown else ():
        own = crops.paths(portion)
        if own[0] not in unknown:
            continue
        source = crops.sources[portion.source].name
        for path, share in zip(own, crops.cuts(portion).shares.tolist(), strict=True):
            some[path] = {"share": round(share, 4), "source": source}
        if len(some) >= FIELDS_AT_ONCE:
            collection.fields.set(some)
            some = {}
    if some:
        collection.fields.set(some)


def open_crops(collection: Collection, random_state: int = 0) -> Crops:
    """Return the crops that a collection is made of: those that it was begun with."""
    file = collection.folder / SETTINGS
    if not file.exists():
        there = {found.row.name for found in datasets.find_all() if found.root is not None}
        names = [source.name for source in SOURCES if source.name in there]
        if not names:
            sys.exit("no data set is at hand: set LOOKALIKE_DATA to a folder with caltech-101 or mnist in it")
        file.write_text(json.dumps({"sources": names, "random_state": random_state}), encoding="utf-8")
    settings = json.loads(file.read_text(encoding="utf-8"))
    return Crops(settings["sources"], settings["random_state"])


class Maker:
    """Cuts, embeds and writes.

    Parameters
    ----------
    collection : Collection
    crops : Crops
    jobs : int
    device : str
    """

    def __init__(self, collection: Collection, crops: Crops, jobs: int, device: str) -> None:
        self._collection = collection
        self._crops = crops
        self._jobs = jobs
        self._store = Store(collection.folder)
        self._models = ModelRegistry(collection.folder / "models")
        self._embedder: Embedder = self._models.load(MODEL, Compute(1, device), is_new=True)
        self._whole = self._store.vectors(MODEL, self._embedder.model.dimension)

    def run(self, count: int) -> None:
        """Go on until there are `count` crops, but for the last portion and what could not be read."""
        there = set(self._store.files.read(["path"])["path"].to_pylist())
        at_first = n = len(there)
        portions = [each for each in self._crops.portions(count) if self._crops.paths(each)[0] not in there]
        del there
        todo = list(self._crops.by_rows(portions, ROWS_A_COMMIT))
        reduced = self._reduced()
        if reduced is not None:
            extend_reduced(
                self._store, self._models, reduced, UNWATCHED
            )  # it may have been killed in the middle
        started = time.monotonic()
        with ThreadPoolExecutor(self._jobs) as pool:
            for number, made in enumerate(self._ahead(pool, todo), 1):
                with writer_lock(self._collection.folder):
                    n += self._write(made, reduced)
                is_last = number == len(todo)
                if reduced is None and (n >= FITTED_ON or is_last) and n > REDUCED:
                    reduced = self._collection.models.reduce(REDUCED)
                if number % MAINTAINED_AFTER == 0 or is_last:
                    with writer_lock(self._collection.folder):
                        self._store.maintain()
                rate = (n - at_first) / (time.monotonic() - started)
                print(
                    f"{n:,} crops, {rate:.0f}/s, {(count - n) / max(rate, 1) / 60:.0f} min to go", flush=True
                )

    def _reduced(self) -> str | None:
        return next((name for name in self._models.reduced() if base_name(name) == MODEL), None)

    def _ahead(self, pool: ThreadPoolExecutor, todo: Sequence[list[Portion]]) -> Iterator[list[Made]]:
        """Yield what is to be committed, in its order, while the threads are at the next."""
        waiting: deque[list[Future[Made]]] = deque()
        for portions in todo:
            tasks = self._crops.by_rows(portions, ROWS_A_TASK)
            waiting.append([pool.submit(self.make, task) for task in tasks])
            if len(waiting) > COMMITS_AHEAD:
                yield [future.result() for future in waiting.popleft()]
        while waiting:
            yield [future.result() for future in waiting.popleft()]

    def make(self, portions: Sequence[Portion]) -> Made:
        """Cut the crops of some portions, describe and embed them."""
        made = Made([], [], np.empty((0, self._embedder.model.dimension), np.float32))
        prepared: list[PixelArray] = []
        colors = []
        for portion in portions:
            try:
                picture = self._crops.picture(portion)
            except ImageError:
                continue
            label, split = self._crops.label(portion)
            source = self._crops.sources[portion.source]
            cut = cut_crops(picture, self._crops.cuts(portion))
            for path, crop, said in zip(
                self._crops.paths(portion), cut, self._crops.facts(portion), strict=True
            ):
                row, sampled = describe(crop, source.format)
                row = replace(row, metadata=said)
                taken = said.taken or datetime.datetime(2024, 1, 1)
                size = 600 + crop.width * crop.height // 6  # as JPEG files of such sizes have
                made.files.append(FileRow(path, row.id, size, _nanoseconds(taken), label, split))
                made.images.append(row)
                prepared.append(self._embedder.prepare(crop))
                colors.append(sampled)
        if prepared:
            made.vectors = self._embedder.embed(np.stack(prepared))
            found = palettes(np.stack(colors))
            made.images = [replace(row, colors=each) for row, each in zip(made.images, found, strict=True)]
        return made

    def _write(self, made: Sequence[Made], reduced: str | None) -> int:
        """Commit; return how many files that were."""
        files = [row for each in made for row in each.files]
        rows = [row for each in made for row in each.images]
        vectors = np.concatenate([each.vectors for each in made])
        # Two crops may have the same pixels: they are one image.
        kept = list({row.id: place for place, row in enumerate(rows)}.values())
        ids, vectors = [rows[place].id for place in kept], vectors[kept]
        if reduced is not None:
            model = self._models.get(reduced)
            table = self._store.vectors(reduced, model.dimension)
            self._store.write_vectors(ids, reduce_vectors(vectors, self._models.pca(reduced), model), table)
        self._store.write_vectors(ids, vectors, self._whole)
        self._store.write(Changes(images=[rows[place] for place in kept], files=files), self._whole)
        return len(files)


def cut_crops(picture: Image.Image, cuts: Cuts) -> Iterator[Image.Image]:
    """Yield the crops of a picture, RGB."""
    width, height = picture.size
    for share, proportion, x, y, mirrored in zip(
        cuts.shares, cuts.proportions, cuts.x, cuts.y, cuts.mirrored, strict=True
    ):
        w = min(width, max(1, round(width * np.sqrt(share * proportion))))
        h = min(height, max(1, round(height * np.sqrt(share / proportion))))
        left, top = round(float(x) * (width - w)), round(float(y) * (height - h))
        crop = picture.crop((left, top, left + w, top + h))
        yield crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else crop


def describe(crop: Image.Image, kind: str) -> tuple[ImageRow, PixelArray]:
    """Return the row of a crop but for its colours, and the pixels that those are taken from."""
    scale = min(1.0, THUMBNAIL_SIDE / max(crop.size))
    size = (max(1, round(crop.width * scale)), max(1, round(crop.height * scale)))
    thumbnail = crop.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    stream = io.BytesIO()
    thumbnail.save(stream, "JPEG", quality=QUALITY)
    grey = thumbnail.convert("L")
    image, sha256 = pixels_id(np.asarray(crop))
    row = ImageRow(
        image,
        sha256,
        kind,
        crop.width,
        crop.height,
        perceptual_hash(grey),
        np.empty((0, 4), np.float32),
        sharpness(grey),
        stream.getvalue(),
        reader=READER,
    )
    return row, sample_colors(thumbnail)


def _place(held: Dataset, picture: int) -> tuple[str, int]:
    """Return the split of a picture of a data set, and the row in it."""
    n = len(held.train_y)
    return ("train", picture) if picture < n else ("test", picture - n)


def _nanoseconds(moment: datetime.datetime) -> int:
    return int(moment.replace(tzinfo=datetime.UTC).timestamp()) * 10**9


def _numbers(portion: Portion) -> tuple[int, int, int]:
    return portion.source, portion.picture, portion.number


if __name__ == "__main__":
    main(sys.argv[1:])
