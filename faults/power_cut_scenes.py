"""What is done to a collection while the power is cut, what of it is acknowledged, and what must be there.

The collection lies in its folder of pictures, which is the ``home`` below; a fact is what a call said was
done, as a list that JSON can carry. Each call of `Story.tell` is an acknowledgement.
"""

from __future__ import annotations

import random
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lookalike import Collection
from lookalike.errors import DamageWarning, LookalikeError
from lookalike.store import FOLDER_NAME, Store, upkeep

MODEL = "pixels-8-grey"
N_PICTURES = 20
SIDE = 48  # pixels

Fact = list[Any]
Rows = dict[str, list[tuple[Any, ...]]]


def quicken() -> None:
    """Let tables be joined and cleared after a few commits, as they would be after hundreds."""
    import datetime

    upkeep._SMALL_FRAGMENTS = 2  # type: ignore[attr-defined]
    upkeep._VERSIONS_TO_CLEAN = 6  # type: ignore[attr-defined]
    upkeep._KEPT_FOR_READERS = datetime.timedelta(seconds=1)  # type: ignore[attr-defined]
    upkeep._LEAST_DROPPED = 0  # type: ignore[attr-defined]
    from lookalike.store import journal_table

    journal_table._JOINED_EVERY, journal_table._CLEARED_EVERY, journal_table._VERSIONS_KEPT = 7, 10, 4


def draw(file: Path, seed: int) -> None:
    """Write a picture of its own."""
    noise = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(file, quality=90)


class Story:
    """The commands, one after the other.

    Parameters
    ----------
    home : Path
    tell : callable
        Takes a fact, once it is acknowledged.
    seed : int
    """

    def __init__(self, home: Path, tell: Callable[[Fact], None], seed: int = 0) -> None:
        self.home = home
        self.tell = tell
        self.chance = random.Random(seed)
        self._n_drawn = 1_000 * seed

    def chapters(self) -> Iterator[tuple[str, Callable[[], None], Callable[[], None]]]:
        """Give each command: its name, how the pictures change before it, and the command."""
        nothing: Callable[[], None] = lambda: None  # noqa: E731
        yield "index first", self._first_pictures, self._index_first
        yield "index refresh", self._change_pictures, lambda: self._index(prune=False)
        yield "judgments", nothing, self._say
        yield "reduce", nothing, self._reduce
        yield "cluster", nothing, self._cluster
        yield "rename", nothing, self._rename
        yield "map", nothing, self._map
        yield "add", nothing, self._add
        yield "fields", nothing, self._fields
        yield "vectors", nothing, self._vectors
        yield "train", nothing, self._train
        yield "index prune", self._remove_pictures, lambda: self._index(prune=True)
        yield "decisions", nothing, self._decide
        yield "index again", self._change_pictures, lambda: self._index(prune=False)

    def pictures(self) -> list[Path]:
        """Return the files that are there."""
        return sorted(self.home.glob("*/*.jpg"))

    def _open(self) -> Collection:
        return Collection.open(self.home)

    def _draw(self, file: Path) -> None:
        self._n_drawn += 1
        draw(file, self._n_drawn)

    def _first_pictures(self) -> None:
        for number in range(N_PICTURES):
            self._draw(self.home / f"folder-{number % 3}" / f"{number:03}.jpg")
        (self.home / "folder-0" / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")

    def _change_pictures(self) -> None:
        files = self.pictures()
        chosen = self.chance.sample(files, 7)
        for file in chosen[:3]:
            self._draw(file)
        for number, file in enumerate(chosen[3:6]):
            file.rename(file.with_name(f"moved-{self._n_drawn}-{number}.jpg"))
        chosen[6].unlink()
        for number in range(4):
            self._draw(self.home / "folder-new" / f"{self._n_drawn}-{number}.jpg")

    def _remove_pictures(self) -> None:
        files = self.pictures()
        for file in files[: len(files) * 6 // 10]:
            file.unlink()

    def _index_first(self) -> None:
        collection = Collection.create(self.home, model=MODEL)
        self.tell(["created"])
        collection.sync(commit_seconds=0.02, jobs=1)
        self.tell(["indexed"])

    def _index(self, prune: bool) -> None:
        self._open().sync(commit_seconds=0.02, jobs=1, prune=prune)
        self.tell(["indexed"])

    def _say(self) -> None:
        collection = self._open()
        ids = sorted(
            int(image) for image in Store(self.home / FOLDER_NAME).images.read(["id"])["id"].to_pylist()
        )
        for number in range(12):
            image = ids[number % len(ids)]
            collection.sets.add("favorites", [image])
            self.tell(["set", "favorites", image])
            collection.labels.give([image], f"label-{number}")
            self.tell(["label", image, f"label-{number}"])

    def _decide(self) -> None:
        collection = self._open()
        ids = sorted(
            int(image) for image in Store(self.home / FOLDER_NAME).images.read(["id"])["id"].to_pylist()
        )
        for number in range(6):
            a, b = ids[number % len(ids)], ids[(number + 1) % len(ids)]
            collection.decisions.decide(a, b, "not_duplicate")
            self.tell(["decision", min(a, b), max(a, b)])

    def _reduce(self) -> None:
        self.tell(["model", self._open().models.reduce(4)])

    def _cluster(self) -> None:
        self._open().clusterings.make("kmeans", 3, name="by-look")
        self.tell(["clustering", "by-look"])

    def _rename(self) -> None:
        collection = self._open()
        for number in range(3):
            for turn in range(2):
                collection.clusterings.rename("by-look", number, f"name-{number}-{turn}")
                self.tell(["cluster", number, turn])

    def _map(self) -> None:
        self._open().maps.make("pca", "flat")
        self.tell(["map", "flat"])

    def _add(self) -> None:
        collection = self._open()
        for number in range(5):
            pixels = np.random.default_rng(70_000 + self._n_drawn + number).integers(
                0, 255, (40, 40, 3), np.uint8
            )
            key = f"key-{number % 4}"  # the last replaces the first
            collection.add([(Image.fromarray(pixels), key, {"price": float(number)})])
            self.tell(["added", key, float(number)])

    def _fields(self) -> None:
        collection = self._open()
        for number, file in enumerate(self.pictures()[-6:]):
            collection.set_fields({str(file): {"stars": number, "note": f"note {number}"}})
            self.tell(["field", str(file.relative_to(self.home)), number])

    def _vectors(self) -> None:
        collection = self._open()
        for number in range(3):
            ids = sorted(Store(self.home / FOLDER_NAME).images.read(["id"])["id"].to_pylist())[
                : 4 * (number + 1)
            ]
            vectors = np.random.default_rng(number).normal(size=(len(ids), 8)).astype(np.float32)
            collection.add_vectors("brought", np.array(ids, np.int64), vectors)
            self.tell(["vectors", "brought", *ids])

    def _train(self) -> None:
        try:
            import torch  # noqa: F401
        except ImportError:
            return
        from lookalike import AutoencoderSettings

        settings = AutoencoderSettings(name="tiny", dimension=4, epochs=1, size=16)
        self._open().models.train_and_embed(settings)
        self.tell(["model", "autoencoder-tiny"])


def rows(home: Path) -> Rows:
    """Return the rows of the tables that indexing makes, sorted, without those of images added by call.

    The number of a file, and when its status changed, are those of the copy that is looked at: left out.
    """
    store = Store(home / FOLDER_NAME)
    files = [
        (row["path"], row["id"], row["size"], row["mtime_ns"], row["label"], row["note"])
        for row in store.files.read().to_pylist()
        if not row["path"].startswith("added:")
    ]
    images = {row[1] for row in files}
    vectors = store.vector_tables().get(MODEL)
    found: Rows = {"files": sorted(files)}
    tables = {"images": store.images, "thumbnails": store.thumbnails}
    for name, table in (tables | ({MODEL: vectors} if vectors is not None else {})).items():
        found[name] = sorted(
            tuple(tuple(value) if isinstance(value, list) else value for value in row.values())
            for row in table.read(["id", "embedding"] if name == MODEL else None).to_pylist()
            if row["id"] in images
        )
    found["failures"] = sorted(
        (row["path"], row["size"], row["mtime_ns"], row["reason"])
        for row in store.failures.read().to_pylist()
    )
    return found


def undisturbed(home: Path, folder: Path) -> Rows:
    """Return the rows of a collection of the pictures in `home` that nothing disturbed; made in `folder`."""
    copy_pictures(home, folder)
    collection = Collection.create(folder, model=MODEL)
    collection.sync(jobs=1)
    found = rows(folder)
    collection.close()
    shutil.rmtree(folder)
    return found


def copy_pictures(home: Path, folder: Path) -> None:
    """Copy the pictures, with their times."""
    shutil.copytree(home, folder, ignore=shutil.ignore_patterns(FOLDER_NAME), dirs_exist_ok=True)


def faults(home: Path, facts: list[Fact], expected: Rows, is_indexed: bool) -> list[str]:
    """Return what is wrong with a collection whose power was cut once it had acknowledged some facts.

    Parameters
    ----------
    home : Path
    facts : list of Fact
    expected : Rows
        Of an undisturbed run.
    is_indexed : bool
        Whether it was acknowledged that all these rows are there.
    """
    found: list[str] = []
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            collection = Collection.open(home) if facts else Collection.open_or_create([home], model=MODEL)
            found += [f"before index: {each}" for each in _missing(collection, home, facts)]
            if is_indexed:
                found += [f"before index: {each}" for each in _differences(rows(home), expected)]
            collection.sync(jobs=1, prune=True)
            found += [f"after index: {each}" for each in _differences(rows(home), expected)]
            found += [f"after index: {each}" for each in _missing(collection, home, facts)]
            collection.search(home / next(iter(sorted(home.glob("*/*.jpg")))).relative_to(home), k=3)
            collection.close()
        except (LookalikeError, Exception) as error:
            import traceback

            last = traceback.extract_tb(error.__traceback__)[-1]
            found.append(f"{type(error).__name__}: {error} ({last.filename}:{last.lineno})")
    found += [f"warned: {each.message}" for each in told if not issubclass(each.category, DamageWarning)]
    return found


def _differences(found: Rows, expected: Rows) -> Iterator[str]:
    for name in expected:
        if found.get(name) != expected[name]:
            missing = len(set(expected[name]) - set(found.get(name, [])))
            more = len(set(found.get(name, [])) - set(expected[name]))
            yield f"{name} lacks {missing} rows of {len(expected[name])}, and has {more} others"


def _missing(collection: Collection, home: Path, facts: list[Fact]) -> Iterator[str]:
    """Give what was acknowledged, and is not there."""
    last: dict[tuple[Any, ...], Fact] = {}
    for fact in facts:  # of what was said twice, the last holds
        keys = {"label": 2, "cluster": 2, "added": 2, "field": 2}.get(fact[0], len(fact))
        last[tuple(fact[:keys])] = fact
    there = set(Store(home / FOLDER_NAME).images.read(["id"])["id"].to_pylist())  # of others nobody is told
    labels = dict(collection.labels.by_image())
    sets = {name: set(map(int, collection.sets.images(name))) for name in collection.sets.names()}
    decisions = {tuple(sorted((int(each.a), int(each.b)))) for each in collection.decisions.list()}
    for fact in last.values():
        match fact:
            case ["set", name, image]:
                is_there = image in sets.get(name, ()) or image not in there
            case ["label", image, label]:
                is_there = labels.get(image) == label or image not in there
            case ["decision", a, b]:
                is_there = (a, b) in decisions or not {a, b} <= there
            case ["model", name]:
                is_there = name in collection.models.names()
            case ["clustering", name]:
                is_there = name in collection.clusterings.names() and bool(collection.clusterings.get(name))
            case ["cluster", number, turn]:  # or what it was called next; one without images is not told of
                clusters = collection.clusterings.get("by-look").clusters
                names = [str(each.name) for each in clusters if each.number == number]
                is_there = not names or names in ([f"name-{number}-{each}"] for each in range(turn, 2))
            case ["map", name]:
                is_there = name in collection.maps.names() and bool(collection.maps.get(name))
            case ["added", key, price]:
                is_there = _has_added(collection, home, key, price)
            case ["field", file, stars]:
                is_there = (
                    not (home / file).exists() or collection.fields.of(home / file).get("stars") == stars
                )
            case ["vectors", name, *images]:
                table = Store(home / FOLDER_NAME).vector_tables().get(name)
                is_there = table is not None and there.intersection(images) <= set(
                    table.read(["id"])["id"].to_pylist()
                )
            case _:
                is_there = True
        if not is_there:
            yield f"{fact} was acknowledged"


def _has_added(collection: Collection, home: Path, key: str, price: float) -> bool:
    store = Store(home / FOLDER_NAME)
    found = store.files.read_where_in("path", [f"added:{key}"], ["path", "id", "size"]).to_pylist()
    if len(found) != 1 or not store.kept.has(found[0]["id"], found[0]["size"]):
        return False
    there = collection.fields.of(f"added:{key}").get("price")
    return there is not None and there >= price
