"""Does a collection that stays open answer truly while others change it? Minutes of everything at once.

One process holds a collection open; its threads search (by id, by file, filtered, by colour, near one thing
and far from another, in a cluster, k up to 1,000), browse, count, and read thumbnails. Others change it as
fast as they can: one adds, edits, renames, copies and deletes files, renames folders, and brings the
collection up to date; one adds and removes images by call; one clusters, names, merges and deletes
clusterings; one gives labels by hand, fills sets, judges hits and pairs. They are killed (SIGKILL) at random
moments, and begin anew.

Every answer is held to the snapshot that it was given for, by plain code that shares nothing with a search:

- it has min(k, matching) hits, none twice, none that is the query;
- their distances are those of a scan of all vectors of that snapshot, and in order;
- paths and labels are those of that snapshot's files, and each path did once hold that very content: whoever
  changes files writes down first what will be where;
- each has a thumbnail in that snapshot, of its size, with its perceptual hash;
- what is not found is not there in that snapshot;
- what was said, and acknowledged, is there in the end.

    python -m benchmarks long_run --minutes 10

It prints what was asked, how often, and how long it took; and ends with 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lookalike import Collection, Filter, ImageFile, ImageRef, Snapshot
from lookalike.errors import (
    CollectionNotFoundError,
    LockedError,
    LookalikeError,
    MissingImagesError,
    QueryNotFoundError,
)
from lookalike.images import content_id, decode, perceptual_hash
from lookalike.images.palette import parse_color, rgb_to_lab
from lookalike.types import Hit, choose_label, format_id

MODEL = "pixels-8-grey"
PICTURES, THREADS = 1_632, 8
FOLDERS = 10
KEPT, PASSING = "kept", "passing"  # clusterings: one that stays, one that comes and goes
LIVES = (0.3, 12.0)  # seconds until a writer is killed, after it has begun
HASH_MAY_DIFFER = 10  # bits: it was taken before the thumbnail was written as a JPEG
LEDGER = "ledger.txt"
KEYS = 100
ACKNOWLEDGED = "acknowledged"  # a set that is only added to
MOST_OPEN = 500  # files, of the process that reads
KS = (1, 10, 60, 250, 1_000)


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is run: where, how many pictures, how many threads, for how long."""

    folder: Path
    pictures: int = PICTURES
    threads: int = THREADS
    seconds: float = 600.0
    seed: int = 0
    lives: tuple[float, float] = LIVES


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks long_run")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--threads", type=int, default=THREADS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to work; it is kept then")
    parser.add_argument("--write", choices=WRITERS, help=argparse.SUPPRESS)
    chosen = parser.parse_args(options)
    if chosen.write:
        WRITERS[chosen.write](chosen.folder, random.Random(chosen.seed))
    with contextlib.ExitStack() as stack:
        folder = chosen.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        campaign = Campaign(folder, chosen.pictures, chosen.threads, 60 * chosen.minutes, chosen.seed)
        record = run(campaign)
        print(record.report())
        if record.faults:
            sys.exit(1)


class Record:
    """What was asked, how long it took, and what was wrong; for several threads."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.acknowledged: list[int] = []  # images of a set
        self._lock = threading.Lock()

    def took(self, what: str, seconds: float) -> None:
        """Note how long something took."""
        with self._lock:
            self.seconds[what].append(seconds)

    def count(self, what: str, n: int = 1) -> None:
        """Count something."""
        with self._lock:
            self.counts[what] += n

    def fault(self, what: str) -> None:
        """Note what is wrong."""
        with self._lock:
            self.faults.append(what)

    def report(self) -> str:
        """Return all of it as a table."""
        lines = [f"{'':22} {'asked':>8} {'p50 ms':>8} {'p99 ms':>8} {'most':>8}"]
        for what, seconds in sorted(self.seconds.items()):
            p50, p99 = np.percentile(seconds, (50, 99)) * 1e3
            lines.append(f"{what:22} {len(seconds):8,} {p50:8.1f} {p99:8.1f} {max(seconds) * 1e3:8.1f}")
        lines += [f"{what:22} {n:8,}" for what, n in sorted(self.counts.items())]
        lines.append(f"{'faults':22} {len(self.faults):8,}")
        return "\n".join([*lines, *(f"\n{fault}" for fault in self.faults[:10])])


# What is at work --------------------------------------------------------------------------------------------


def run(campaign: Campaign) -> Record:
    """Make a collection, and have it read and changed for some time."""
    photos = prepare(campaign)
    watched, record = Watched(photos), Record()
    ends = time.monotonic() + campaign.seconds
    readers = [
        threading.Thread(target=read, args=(watched, record, campaign, number, ends), name=f"reader-{number}")
        for number in range(campaign.threads)
    ]
    writers = [
        threading.Thread(target=keep_writing, args=(role, campaign, record, ends), name=role)
        for role in WRITERS
    ]
    for thread in (*readers, *writers):
        thread.start()
    for thread in (*readers, *writers):
        thread.join()
    if record.acknowledged:
        lost = set(record.acknowledged) - set(photos.sets.images(ACKNOWLEDGED).tolist())
        if lost:
            record.fault(f"{len(lost)} images were acknowledged, and are not in the set: {sorted(lost)[:3]}")
    record.count("snapshots checked", watched.n_checked)
    if os.path.isdir("/proc/self/fd"):
        n_open = len(os.listdir("/proc/self/fd"))
        record.count("files open in the end", n_open)
        if n_open > MOST_OPEN:
            record.fault(f"{n_open} files are open in the end; expected at most {MOST_OPEN}")
    photos.close()
    return record


def prepare(campaign: Campaign) -> Collection:
    """Make the pictures and the collection that the campaign begins with."""
    if campaign.folder.exists() and not os.listdir(campaign.folder):
        campaign.folder.rmdir()
    images = Pictures(campaign.folder, random.Random(campaign.seed))
    for _ in range(campaign.pictures):
        images.add()
    photos = Collection.create(campaign.folder / "photos", model=MODEL, labels="folders")
    photos.sync()
    photos.clusterings.make(k=8, name=KEPT)
    return photos


def keep_writing(role: str, campaign: Campaign, record: Record, ends: float) -> None:
    """Run a writer, which is killed at a random moment, again and again."""
    chance = random.Random(f"{role} {campaign.seed}")
    while (left := ends - time.monotonic()) > 0:
        words = [sys.executable, "-m", "benchmarks.long_run", "--write", role]
        words += ["--folder", str(campaign.folder), "--seed", str(chance.randrange(2**31))]
        process = subprocess.Popen(
            words, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        first = process.stdout.readline()  # it has begun
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(min(max(0.0, left), chance.uniform(*campaign.lives)))
        process.send_signal(signal.SIGKILL)
        said, errors = process.communicate()
        for line in (first + said).splitlines():
            word, _, image = line.partition(f"{ACKNOWLEDGED} ")
            if image:
                record.acknowledged.append(int(image))
            record.count(f"{role}: {word or ACKNOWLEDGED}")
        if process.returncode != -signal.SIGKILL:
            record.fault(f"the {role} ended with {process.returncode}: {errors[-2_000:]}")
            time.sleep(0.5)
        else:
            record.count(f"{role}: killed")


# Those who change it ----------------------------------------------------------------------------------------


class Pictures:
    """The files below ``photos``: who changes one writes down first what it will hold.

    Parameters
    ----------
    folder : Path
    chance : random.Random
    """

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder / "photos"
        self.chance = chance
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ledger = folder / LEDGER

    def all(self) -> list[Path]:
        """Return all files."""
        return sorted(self.folder.rglob("*.png"))

    def some(self, most: int) -> list[Path]:
        """Return some files, none twice."""
        files = self.all()
        return self.chance.sample(files, min(len(files), self.chance.randint(1, most)))

    def add(self) -> None:
        """Add a picture that never was."""
        self._put(self._new_place(), self.new_content())

    def edit(self, file: Path) -> None:
        """Replace a picture by another."""
        self._put(file, self.new_content())

    def copy(self, file: Path) -> None:
        """Put the same picture in another place, too."""
        self._put(self._new_place(), file.read_bytes())

    def rename(self, file: Path) -> None:
        """Give a file another name, perhaps in another folder."""
        place = self._new_place()
        self.note(place, content_id(file.read_bytes())[0])
        file.rename(place)

    def rename_folder(self) -> None:
        """Give a folder another name, which is the label of all that lies there."""
        old = self.chance.choice(sorted(path for path in self.folder.iterdir() if path.name[0] != "."))
        self._move(old, old.with_name(f"{old.name.partition('-')[0]}-{self.chance.randrange(10**6)}"))

    def _move(self, old: Path, new: Path) -> None:
        for file in old.iterdir():
            self.note(new / file.name, content_id(file.read_bytes())[0])
        old.rename(new)

    def _new_place(self) -> Path:
        number = self.chance.randrange(FOLDERS)
        there = [path for path in self.folder.iterdir() if path.name.partition("-")[0] == f"class {number}"]
        folder = self.chance.choice(sorted(there)) if there else self.folder / f"class {number}"
        return folder / f"{self.chance.randrange(10**9):09}.png"

    def new_content(self) -> bytes:
        """Return a picture that never was."""
        made = np.random.default_rng(self.chance.getrandbits(63))
        coarse = Image.fromarray(made.integers(0, 255, (5, 6, 3), np.uint8))
        size = (self.chance.randint(24, 96), self.chance.randint(24, 96))
        stream = io.BytesIO()
        coarse.resize(size, Image.Resampling.BICUBIC).save(stream, "PNG", compress_level=1)
        return stream.getvalue()

    def _put(self, place: Path, content: bytes) -> None:
        self.note(place, content_id(content)[0])
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_suffix(".part")
        part.write_bytes(content)
        part.replace(place)

    def note(self, place: Path | str, image: int) -> None:
        """Write down what a place is about to hold."""
        with self._ledger.open("ab", buffering=0) as stream:
            stream.write(f"{place}\t{image}\n".encode())


def patiently(work: Callable[[], object]) -> None:
    """Do some work as soon as nobody else writes."""
    while True:
        try:
            work()
            return
        except LockedError:
            time.sleep(0.02)


def write_files(folder: Path, chance: random.Random) -> None:
    """Change files and bring the collection up to date, until killed."""
    photos, pictures = Collection.open(folder / "photos"), Pictures(folder, chance)

    def add() -> None:
        for _ in range(chance.randint(1, 40)):
            pictures.add()

    def delete() -> None:
        for file in pictures.some(60 if len(pictures.all()) > 1_000 else 15):
            file.unlink()

    changes: dict[str, Callable[[], None]] = {
        "add": add,
        "delete": delete,
        "edit": lambda: [pictures.edit(file) for file in pictures.some(20)] and None,
        "copy": lambda: [pictures.copy(file) for file in pictures.some(10)] and None,
        "rename": lambda: [pictures.rename(file) for file in pictures.some(20)] and None,
        "rename a folder": pictures.rename_folder,
        "touch": lambda: [file.touch() for file in pictures.some(20)] and None,
    }
    print("begun", flush=True)
    while True:
        for name in chance.choices(list(changes), k=chance.randint(1, 3)):
            changes[name]()
            print(name, flush=True)
        seconds, prune = chance.choice((0.05, 5.0)), chance.random() < 0.3
        with contextlib.suppress(MissingImagesError):
            patiently(
                lambda seconds=seconds, prune=prune: photos.sync(commit_seconds=seconds, prune=prune, jobs=1)
            )
            print("index", flush=True)


def write_clusterings(folder: Path, chance: random.Random) -> None:
    """Cluster, name, merge, delete, until killed."""
    photos = Collection.open(folder / "photos")
    clusterings = photos.clusterings

    def make(name: str) -> None:
        if name in clusterings and clusterings.get(name).is_edited and chance.random() < 0.5:
            clusterings.delete(name)
        clusterings.make(k=chance.randint(2, 12), name=name, random_state=chance.randrange(100))

    def rename(name: str) -> None:
        number = chance.choice([cluster.number for cluster in clusterings.get(name).clusters])
        clusterings.rename(name, number, f"named {chance.randrange(10**9)}")

    def merge(name: str) -> None:
        numbers = [cluster.number for cluster in clusterings.get(name).clusters]
        clusterings.merge(name, chance.sample(numbers, min(2, len(numbers))))

    changes: dict[str, Callable[[], object]] = {
        "make": lambda: make(PASSING),
        "name": lambda: rename(chance.choice((KEPT, PASSING))),
        "merge": lambda: merge(PASSING),
        "assign": lambda: clusterings.assign(chance.choice((KEPT, PASSING))),
        "delete": lambda: clusterings.delete(PASSING),
    }
    weights = (4, 6, 2, 3, 1)
    print("begun", flush=True)
    while True:
        name = chance.choices(list(changes), weights)[0]
        try:
            changes[name]()
            print(name, flush=True)
        except (LockedError, CollectionNotFoundError):
            time.sleep(0.05)
        except LookalikeError as error:
            if "merge" not in str(error) and "edited" not in str(error) and "changed" not in str(error):
                raise
        time.sleep(chance.uniform(0, 0.3))


def say(folder: Path, chance: random.Random) -> None:
    """Give labels, fill sets, judge, decide, and undo, until killed."""
    photos = Collection.open(folder / "photos")

    def image() -> int:
        return int(chance.choice(photos.snapshot().files.ids.tolist()))

    def pair() -> list[int]:
        return chance.sample(sorted(set(photos.snapshot().files.ids.tolist())), 2)

    def label() -> None:
        change = photos.labels.give(
            [image() for _ in range(chance.randint(1, 20))], f"hand {chance.randrange(9)}"
        )
        if change is not None and chance.random() < 0.3:
            photos.changes.undo(change.number)

    def acknowledge() -> None:
        chosen = image()
        photos.sets.add(ACKNOWLEDGED, [chosen])
        print(f"{ACKNOWLEDGED} {chosen}", flush=True)

    changes: dict[str, Callable[[], object]] = {
        "label": label,
        "put in a set": acknowledge,
        "judge": lambda: photos.feedback.judge(*map(ImageRef, pair()), "yes"),
        "decide": lambda: photos.decisions.decide(*map(ImageRef, pair()), "not_duplicate"),
    }
    print("begun", flush=True)
    while True:
        name = chance.choice(list(changes))
        patiently(changes[name])
        print(name, flush=True)
        time.sleep(chance.uniform(0, 0.5))


def add_by_call(folder: Path, chance: random.Random) -> None:
    """Add images under keys, replace and remove them, until killed; a field says which image it is."""
    photos, pictures = Collection.open(folder / "photos"), Pictures(folder, chance)

    def add() -> None:
        some = []
        for number in chance.sample(range(KEYS), chance.randint(1, 20)):
            content = pictures.new_content()
            image = content_id(content)[0]
            pictures.note(f"added:key/{number}", image)
            some.append((content, f"key/{number}", {"image": format_id(image), "number": number}))
        photos.add(some, jobs=1)

    def remove() -> None:
        photos.remove([f"key/{number}" for number in chance.sample(range(KEYS), chance.randint(1, 20))])

    changes: dict[str, Callable[[], object]] = {"add": add, "remove": remove}
    print("begun", flush=True)
    while True:
        name = chance.choices(list(changes), (3, 1))[0]
        patiently(changes[name])
        print(name, flush=True)
        time.sleep(chance.uniform(0, 0.5))


WRITERS: dict[str, Callable[[Path, random.Random], None]] = {
    "adder": add_by_call,
    "sayer": say,
    "indexer": write_files,
    "clusterer": write_clusterings,
}


# Those who read it ------------------------------------------------------------------------------------------


class Watched:
    """The collection, and for each thread the snapshots that it was given since it last asked.

    Parameters
    ----------
    photos : Collection
    """

    def __init__(self, photos: Collection) -> None:
        self.photos = photos
        self.ledger: set[tuple[str, int]] = set()
        self.n_checked = 0
        self._given = threading.local()
        self._truths: OrderedDict[int, Truth] = OrderedDict()
        self._lock = threading.Lock()
        self._read = 0
        now = photos._snapshots.now

        def give() -> Snapshot:
            snapshot = now()
            self._given.seen = [*getattr(self._given, "seen", ()), snapshot]
            return snapshot

        photos._snapshots.now = give  # type: ignore[method-assign]

    def ask(self, work: Callable[[], Any]) -> tuple[Any, Snapshot]:
        """Return what some work gives, and the snapshot that it was given for.

        It may have seen one only; but where clusterings were changed before it had read them, it was begun
        again with a later one.
        """
        self._given.seen = []
        found = work()
        seen = list({id(snapshot): snapshot for snapshot in self._given.seen}.values())
        for earlier, later in pairwise(seen):
            if earlier.seen.clusterings == later.seen.clusterings:
                raise AssertionError(f"an answer was made of {len(seen)} snapshots")
        return found, seen[-1] if seen else self.photos.snapshot()

    def last(self) -> Snapshot:
        """Return the snapshot of what failed."""
        return self._given.seen[-1]

    def truth(self, snapshot: Snapshot) -> Truth:
        """Return what is so in a snapshot, which is made once."""
        with self._lock:
            truth = self._truths.get(id(snapshot))
            if truth is None:
                truth = self._truths[id(snapshot)] = Truth(snapshot)
                self.n_checked += 1
                while len(self._truths) > 16:
                    self._truths.popitem(last=False)
        return truth

    def was_there(self, path: str, image: int) -> bool:
        """Tell whether a path ever held an image."""
        if (path, image) not in self.ledger:
            with self._lock, (self.photos.folder.parents[1] / LEDGER).open("rb") as stream:
                stream.seek(self._read)
                text = stream.read()
                whole = text[: text.rfind(b"\n") + 1]
                self._read += len(whole)
                for line in whole.decode().splitlines():
                    place, _, number = line.partition("\t")
                    self.ledger.add((place, int(number)))
        return (path, image) in self.ledger


class Truth:
    """All that is so in a snapshot, read plainly.

    Raises
    ------
    AssertionError
        If it is not whole: a file whose image lacks its row, its vector or its thumbnail.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot  # as long as this lives, no other has its id
        store = snapshot.store
        files = store.files.read(["path", "id", "label"]).to_pylist()
        by_hand = snapshot.said.labels
        self.files: dict[int, list[tuple[str, str | None]]] = defaultdict(list)
        self.folder_labels: dict[str, str | None] = {}
        self.first_paths: dict[int, str] = {}  # as they are stored
        # Those that were added by call come after the user's own.
        for row in sorted(files, key=lambda row: (row["path"].startswith("added:"), row["path"])):
            path = self.without_ending(snapshot.absolute(row["path"], row["id"]))
            label = by_hand.get(row["id"], row["label"])
            self.files[row["id"]].append((path, label))
            self.first_paths.setdefault(row["id"], row["path"])
            self.folder_labels[path] = row["label"]
            is_added = row["path"].startswith("added:")
            must(is_added or row["label"] == Path(path).parent.name, f"the label {row['label']} of {path}")
        self.images = {
            row["id"]: row for row in store.images.read(["id", "width", "height", "phash"]).to_pylist()
        }
        ids, vectors = store.vectors(MODEL, 64).read_vectors()
        order = np.argsort(ids)
        self.ids, self.vectors = ids[order], vectors[order].astype(np.float64)
        self.is_there = np.array([image in self.files for image in self.ids.tolist()], bool)
        for what, those in (("row", self.images), ("vector", set(self.ids.tolist()))):
            lacking = self.files.keys() - those
            if lacking:
                raise AssertionError(f"{len(lacking)} images of files have no {what}: {sorted(lacking)[:3]}")
        have = set(store.thumbnails.read(["id"])["id"].to_pylist())
        if self.files.keys() - have:
            raise AssertionError(f"{len(self.files.keys() - have)} images of files have no thumbnail")

    def without_ending(self, path: str) -> str:
        """Return a path; that of a file that the collection keeps without its ending, as it may be gone."""
        is_kept = path.startswith(str(self.snapshot.store.folder))
        return os.path.splitext(path)[0] if is_kept else path

    def shown_label(self, image: int, given: str | None) -> str | None:
        """Return the label of an image: the one that it was given, or else the name of its cluster."""
        named = self.snapshot.labels.of_images(np.array([image], np.int64))
        return choose_label(given, named.get(image, {}))

    def vector(self, image: int) -> np.ndarray:
        """Return the vector of an image, (d,)."""
        return self.vectors[np.searchsorted(self.ids, image)]

    def distances(self, vector: np.ndarray) -> np.ndarray:
        """Return how far each image is, euclidean, as `ids`."""
        return np.sqrt(((self.vectors - vector) ** 2).sum(axis=1))

    def matching(self, passes: Callable[[int], bool]) -> np.ndarray:
        """Return which of `ids` lie anywhere and pass."""
        return self.is_there & np.array(
            [bool(there) and passes(image) for image, there in self._pairs()], bool
        )

    def _pairs(self) -> Iterator[tuple[int, bool]]:
        return zip(self.ids.tolist(), self.is_there.tolist(), strict=True)


@dataclass(slots=True)
class Expected:
    """What must be so of the hits of a search.

    Attributes
    ----------
    k : int
    own : sequence of int
        Images that are no hits.
    vector : (d,) array or None
        What they are near; None where it is a colour.
    passes : callable
        Tells whether an image may be a hit.
    path_passes : callable
        Tells whether a path of one, with its label, is meant.
    """

    k: int
    own: Sequence[int] = ()
    vector: np.ndarray | None = None
    passes: Callable[[int], bool] = lambda image: True
    path_passes: Callable[[str, str | None], bool] = lambda path, label: True
    colors: list[str] = field(default_factory=list)
    first_rank: int = 1


def check(watched: Watched, truth: Truth, hits: Sequence[Hit], expected: Expected) -> None:
    """Raise AssertionError unless these are the hits."""

    def may_be_hit(image: int) -> bool:
        meant = [1 for path, label in truth.files[image] if expected.path_passes(path, label)]
        return bool(meant) and image not in expected.own and expected.passes(image)

    found = [hit.id for hit in hits]
    must(len(set(found)) == len(found), "an image comes twice")
    ranks = range(expected.first_rank, expected.first_rank + len(hits))
    must([hit.rank for hit in hits] == [*ranks], f"ranks are not {ranks.start} to n")
    if expected.vector is not None:
        is_match = truth.matching(may_be_hit)
        n = int(is_match.sum())
        must(len(hits) == min(expected.k, n), f"{len(hits)} hits; expected min({expected.k}, {n})")
        away = truth.distances(expected.vector)
        nearest = np.sort(away[is_match])[: len(hits)]
        given = np.array([hit.distance for hit in hits])
        scale = 1e-4 * max(1.0, float(away.max()))
        must(np.abs(given - nearest).max(initial=0) <= scale, "the distances are not the smallest")
        own = away[np.searchsorted(truth.ids, np.array(found, np.int64))]
        must(np.abs(given - own).max(initial=0) <= scale, "a distance is not that of its image")
    for hit in hits:
        meant = [(path, label) for path, label in truth.files[hit.id] if expected.path_passes(path, label)]
        paths = [truth.without_ending(path) for path in hit.paths]
        must(paths == [*dict.fromkeys(path for path, _ in meant)], f"{hit.paths} are not the paths {meant}")
        shown = truth.shown_label(hit.id, meant[0][1])
        must(hit.label == shown, f"the label {hit.label} of {hit.path}; expected {shown}")
        label = truth.folder_labels[paths[0]]
        must(hit.folder_label == label, f"the label {hit.folder_label} of {hit.path}; expected {label}")
        if hit.keys:
            must(hit.fields.get("image") == format_id(hit.id), f"the fields {dict(hit.fields)} of {hit.id}")
        for place in [f"added:{key}" for key in hit.keys] or hit.paths:
            must(watched.was_there(place, hit.id), f"{place} never held {hit.id}")


def check_thumbnail(truth: Truth, image: int, jpeg: bytes) -> None:
    """Raise AssertionError unless it is that of the image."""
    row, seen = truth.images[image], decode(jpeg, "thumbnail")
    must((seen.width, seen.height) == (row["width"], row["height"]), "a thumbnail has another size")
    unlike = (perceptual_hash(seen.image.convert("L")) ^ row["phash"]).bit_count()
    must(unlike <= HASH_MAY_DIFFER, f"a thumbnail is another's: {unlike} bits differ")


def must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)


class Reader:
    """Asks one thing after the other, and holds each answer to the truth."""

    def __init__(self, watched: Watched, chance: random.Random) -> None:
        self.watched, self.photos, self.chance = watched, watched.photos, chance
        self.kinds: dict[str, Callable[[], float]] = {
            "search by id": self._by_id,
            "search by file": self._by_file,
            "search unlike": self._unlike,
            "search filtered": self._filtered,
            "search by colour": self._by_color,
            "search in a cluster": self._in_cluster,
            "browse": self._browse,
            "facets": self._facets,
            "thumbnails": self._thumbnails,
            "image info": self._image_info,
            "all vectors": self._all_vectors,
        }

    def ask(self) -> tuple[str, float]:
        """Ask anything; return what it was, and the seconds it took."""
        name = self.chance.choice(list(self.kinds))
        return name, self.kinds[name]()

    def _timed(self, work: Callable[[], Any]) -> tuple[Any, Truth, float]:
        begun = time.perf_counter()
        found, snapshot = self.watched.ask(work)
        took = time.perf_counter() - begun
        return found, self.watched.truth(snapshot), took

    def _image(self) -> int:
        """Choose an image that lies somewhere, at least until a moment ago."""
        truth = self.watched.truth(self.photos.snapshot())
        return self.chance.choice(list(truth.files))

    def _search(self, image: int, expected: Expected, work: Callable[[], Any], file: str = "") -> float:
        """Search; what is not found must not be there."""
        try:
            result, truth, took = self._timed(work)
        except QueryNotFoundError:
            truth = self.watched.truth(self.watched.last())
            paths = [path for path, _ in truth.files.get(image, ())]
            is_there = os.path.exists(file) if file else bool(paths)  # a file is read from the disk
            must(not is_there, f"{file or image} is there, but was not found")
            return 0.0
        if expected.vector is None and not expected.colors:
            image = result.queries[0].id or image  # a file may have been edited since
            expected.own = [*expected.own, image] if expected.own else [image]
            expected.vector = np.asarray(result.queries[0].vector, np.float64)
        check(self.watched, truth, result.hits, expected)
        return took

    def _by_id(self) -> float:
        image, k = self._image(), self.chance.choice(KS)
        return self._search(image, Expected(k), lambda: self.photos.search(ImageRef(image), k=k))

    def _file(self) -> tuple[int, str]:
        """Choose an image, and a file of the folders that holds it; empty if none does."""
        image = self._image()
        files = self.watched.truth(self.photos.snapshot()).files.get(image, ())
        there = [path for path, _ in files if not path.startswith(str(self.photos.folder))]
        return image, self.chance.choice(there) if there else ""

    def _by_file(self) -> float:
        (image, file), k = self._file(), self.chance.choice(KS)
        if not file:
            return 0.0
        return self._search(image, Expected(k), lambda: self.photos.search(ImageFile(file), k=k), file)

    def _unlike(self) -> float:
        image, other, k = self._image(), self._image(), self.chance.choice(KS)
        if image == other:
            return 0.0

        def work() -> Any:
            return self.photos.search(ImageRef(image), without=ImageRef(other), k=k)

        try:
            result, truth, took = self._timed(work)
        except QueryNotFoundError:
            truth = self.watched.truth(self.watched.last())
            must(not (image in truth.files and other in truth.files), f"{image}, {other} are there")
            return 0.0
        wanted, unwanted = (
            np.asarray(each[0].vector, np.float64) for each in (result.queries, result.unwanted)
        )
        check(self.watched, truth, result.hits, Expected(k, (image, other), 1.5 * wanted - 0.5 * unwanted))
        return took

    def _filtered(self) -> float:
        image, k = self._image(), self.chance.choice(KS)
        truth = self.watched.truth(self.photos.snapshot())
        if image not in truth.files:
            return 0.0
        path, label = self.chance.choice(truth.files[image])
        expected = Expected(k)
        size = self.chance.randint(24, 90)
        kind = self.chance.choice(("label", "folder", "size"))
        if path.startswith(str(self.photos.folder)):
            kind = "size"
        if kind == "label" and label is not None:
            where = Filter(labels=[label])
            expected.path_passes = lambda _, other: other == label
        elif kind == "folder":
            folder = os.path.dirname(path)
            where = Filter(folders=[folder])
            expected.path_passes = lambda other, _: os.path.dirname(other) == folder
        else:
            where = Filter(min_size=size)

        def work() -> Any:
            return self.photos.search(ImageRef(image), k=k, where=where)

        try:
            result, truth, took = self._timed(work)
        except QueryNotFoundError:
            truth = self.watched.truth(self.watched.last())
            is_there = image in truth.files
            passes = any(expected.path_passes(*file) for files in truth.files.values() for file in files)
            must(not (is_there and passes), f"{kind} of {path} is there, but was not found")
            return 0.0
        if kind == "size":
            expected.passes = lambda each: (
                min(truth.images[each][side] for side in ("width", "height")) >= size
            )
        expected.own, expected.vector = [image], np.asarray(result.queries[0].vector, np.float64)
        check(self.watched, truth, result.hits, expected)
        return took

    def _by_color(self) -> float:
        color, k = f"#{self.chance.randrange(2**24):06x}", self.chance.choice(KS)
        result, truth, took = self._timed(lambda: self.photos.search(color=color, k=k))
        check(self.watched, truth, result.hits, Expected(k, colors=[color]))
        scores = [hit.score for hit in result.hits]
        must(scores == sorted(scores, reverse=True), "colours are not in order")
        must(rgb_to_lab([parse_color(color)]).shape == (1, 3), "no colour")
        return took

    def _in_cluster(self) -> float:
        image, k = self._image(), self.chance.choice(KS)

        def work() -> Any:
            return self.photos.search(ImageRef(image), k=k, same_cluster=KEPT)

        try:
            result, truth, took = self._timed(work)
        except QueryNotFoundError:
            must(image not in self.watched.truth(self.watched.last()).files, f"{image} was not found")
            return 0.0
        must(result.cluster is not None and result.cluster.clustering == KEPT, "it is of no cluster")
        must(len(result.hits) <= k, "too many hits")
        given = Expected(len(result.hits))
        check(self.watched, truth, result.hits, given)
        return took

    def _browse(self) -> float:
        sort, descending = (
            self.chance.choice(("path", "label", "size", "random", "date")),
            self.chance.random() < 0.5,
        )
        offset, k = self.chance.choice(((0, None), (0, 60), (60, 60), (500, 250)))
        size = self.chance.choice((None, self.chance.randint(24, 90)))
        where = Filter(min_size=size)
        random_state = self.chance.randrange(100)

        def work() -> Any:
            return self.photos.browse(
                where=where, sort=sort, descending=descending, random_state=random_state, k=k, offset=offset
            )

        result, truth, took = self._timed(work)
        sides = {image: min(row["width"], row["height"]) for image, row in truth.images.items()}
        passing = {image for image in truth.files if size is None or sides[image] >= size}
        must(result.total == len(passing), f"{result.total} are listed; expected {len(passing)}")
        n = max(0, len(passing) - offset)
        must(len(result.hits) == (n if k is None else min(k, n)), f"{len(result.hits)} of {n} are listed")
        check(self.watched, truth, result.hits[:k], Expected(len(result.hits), first_rank=offset + 1))
        ids = result.ids.tolist()
        must(set(ids) <= passing, "an image is listed that does not pass")
        if sort == "size":
            must([sides[image] for image in ids] == sorted(map(sides.get, ids), reverse=descending), "sizes")
        if sort == "path":
            paths = [truth.first_paths[image] for image in ids]
            must(
                paths
                == sorted(truth.first_paths[image] for image in passing)[:: -1 if descending else 1][
                    offset : offset + len(ids)
                ],
                "the order of paths",
            )
        return took

    def _facets(self) -> float:
        result, truth, took = self._timed(lambda: self.photos.facets(names=["labels", "formats"]))
        labels = Counter(
            label
            for files in truth.files.values()
            for label in {label for _, label in files}
            if label is not None
        )
        given = {label: n for label, n in result["labels"].counts.items() if label in labels}
        must(given == dict(labels), "the labels are counted otherwise")
        must(sum(result["formats"].counts.values()) == len(truth.files), "not all formats are counted")
        return took

    def _thumbnails(self) -> float:
        k = 60
        image = self._image()
        try:
            result, truth, _ = self._timed(lambda: self.photos.search(ImageRef(image), k=k))
        except QueryNotFoundError:
            return 0.0
        begun = time.perf_counter()
        found = truth.snapshot.thumbnails([hit.id for hit in result.hits])
        took = time.perf_counter() - begun
        must(found.keys() == {hit.id for hit in result.hits}, "a hit has no thumbnail in its snapshot")
        for each, jpeg in found.items():
            check_thumbnail(truth, each, jpeg)
        now, truth, _ = self._timed(lambda: self.photos.thumbnails([hit.id for hit in result.hits]))
        for each in {hit.id for hit in result.hits} & truth.files.keys():
            must(each in now, "an image that is there has no thumbnail now")
        return took

    def _image_info(self) -> float:
        _, file = self._file()
        if not file:
            return 0.0
        try:
            info, truth, took = self._timed(lambda: self.photos.image_info(file))
        except QueryNotFoundError:
            truth = self.watched.truth(self.watched.last())
            must(
                file not in {path for files in truth.files.values() for path, _ in files}, f"{file} is there"
            )
            return 0.0
        paths = [truth.without_ending(path) for path in info.paths]
        must(paths == [path for path, _ in truth.files[info.id]], f"the paths of {file} are others")
        return took

    def _all_vectors(self) -> float:
        (images, vectors), truth, took = self._timed(self.photos.vectors)
        must([hit.id for hit in images] == truth.ids[truth.is_there].tolist(), "not all images have vectors")
        must(np.array_equal(vectors, truth.vectors[truth.is_there].astype(np.float32)), "vectors are others'")
        return took


def read(watched: Watched, record: Record, campaign: Campaign, number: int, ends: float) -> None:
    """Ask until the end."""
    reader = Reader(watched, random.Random(f"reader {number} {campaign.seed}"))
    while time.monotonic() < ends:
        try:
            name, took = reader.ask()
            if took:
                record.took(name, took)
            else:
                record.count("gone meanwhile")
        except Exception:
            record.fault(traceback.format_exc())


if __name__ == "__main__":
    main(sys.argv[1:])
