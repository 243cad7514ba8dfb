"""Do what a plan says: read, decode, embed, and commit every few seconds.

Each worker thread takes a portion of files through reading and decoding, then through the network. Both
release Python's lock, so with as many workers as cores no core waits, and their shares need no tuning.

A kill at any moment loses what was done since the last commit; the next run goes on from there.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from lookalike.embed import Embedder
from lookalike.errors import ImageError
from lookalike.images import (
    Decoded,
    content_id,
    decode,
    encode_thumbnail,
    from_pixels,
    make_thumbnail,
    palettes,
    perceptual_hash,
    pixels_id,
    sample_colours,
    sharpness,
)
from lookalike.images.decode import read_file
from lookalike.images.own import OWN, is_own_picture
from lookalike.store import Store, Table
from lookalike.store.store import Changes, FailureRow, ImageRow
from lookalike.sync.plan import FoundFile, Known, Plan, file_row
from lookalike.types import ImageId, Pixels, Vectors

COMMIT_SECONDS = 10.0
COMMIT_IMAGES = 2_000
_PORTION = 16  # files that a worker takes at a time
_PORTIONS_AHEAD = 32  # handed to the workers ahead of the commits, so that a commit stops nobody

_NO_COLOURS = np.empty((0, 4), np.float32)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sync has come.

    Attributes
    ----------
    done, total : int
        Files read, of those to be read.
    failed : int
        How many of them could not be.
    """

    done: int
    total: int
    failed: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `carry_out` did.

    Attributes
    ----------
    embedded : int
        Images that went through the network.
    failed : set of str
        Stored paths of the files that could not be read.
    """

    embedded: int
    failed: set[str]


@dataclass(frozen=True, slots=True)
class _Done:
    """What a worker made of a file: an image, a reference to one that another file brought, or a failure."""

    file: FoundFile
    id: ImageId | None = None
    vector: Vectors | None = None  # (d,); there where the file was embedded
    image: ImageRow | None = None  # there where it was not known yet
    reason: str = ""
    is_permanent: bool = False


@dataclass(frozen=True, slots=True)
class _Opened:
    """A file that has been decoded and waits for the network.

    Attributes
    ----------
    pixels : array of uint8
        What the network sees.
    image : ImageRow or None
        None where the image is described already. Its colours are still to come.
    colours : (p, 3) uint8 or None
        The pixels that they are taken from.
    """

    file: FoundFile
    id: ImageId
    pixels: Pixels
    image: ImageRow | None
    colours: Pixels | None


def carry_out(
    plan: Plan,
    known: Known,
    store: Store,
    vectors: Table,
    load_embedder: Callable[[], Embedder],
    jobs: int,
    report: Callable[[Progress], None] = lambda progress: None,
    commit_seconds: float = COMMIT_SECONDS,
) -> Outcome:
    """Do what a plan says.

    Parameters
    ----------
    plan, known : Plan, Known
        From `decide`, made under the writer's lock that is still held. The plan is used up.
    store, vectors : Store, Table
        Where to write.
    load_embedder : callable
        Gives the model; called only if there is anything to embed.
    jobs : int
        Worker threads.
    report : callable
        Told of the progress after each file.
    commit_seconds : float
        A kill loses at most what was done in this time.

    Raises
    ------
    StoreError
        If a table cannot be written. What was committed is kept.
    KeyboardInterrupt
        Passed on, once what was done is committed.
    """
    store.write(
        Changes(
            files=[*plan.updated, *(row for _, row in plan.moved)],
            failures=plan.failures,
            gone=[*plan.gone, *(old for old, _ in plan.moved)],
            cleared=[*plan.cleared, *(row.path for _, row in plan.moved if row.path in known.failures)],
        ),
        vectors,
    )
    files = plan.take()
    total = len(files)
    embedded, failed = 0, set[str]()
    if files:
        worker = _Worker(load_embedder(), known)
        writer = _Writer(store, vectors, known, commit_seconds)
        try:
            for done in _side_by_side(worker, files, jobs):
                writer.take(done)
                report(Progress(writer.done, total, len(writer.failed)))
        finally:
            # Also when interrupted: what was done is kept.
            writer.commit()
        embedded, failed = writer.embedded, writer.failed
    store.sweep()
    store.maintain()
    return Outcome(embedded, failed)


def _side_by_side(worker: _Worker, files: deque[FoundFile], jobs: int) -> Iterator[_Done]:
    """Yield what the worker makes of each file, as it comes, `jobs` at a time; `files` is emptied."""
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="lookalike")
    finished: queue.SimpleQueue[Future[list[_Done]]] = queue.SimpleQueue()
    size = min(max(_PORTION, worker.batch_size), -(-len(files) // jobs))  # with few, some for every thread

    def hand_out(count: int) -> int:
        handed = 0
        while files and handed < count:
            portion = [files.popleft() for _ in range(min(size, len(files)))]
            pool.submit(worker, portion).add_done_callback(finished.put)
            handed += 1
        return handed

    try:
        running = hand_out(_PORTIONS_AHEAD + jobs)
        while running:
            yield from finished.get().result()
            running += hand_out(1) - 1
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Worker:
    """Takes files from the disk to rows; called by many threads.

    First all of a portion are decoded, then all go through the network: going back and forth between the two
    for each file costs 3 % (measured), as each finds the caches full of the other's data.
    """

    def __init__(self, embedder: Embedder, known: Known) -> None:
        self.batch_size = embedder.batch_size
        self._embedder = embedder
        self._described = known.described
        self._claimed = set(known.embedded)
        self._lock = threading.Lock()

    def __call__(self, files: Sequence[FoundFile]) -> list[_Done]:
        opened = [self._open(file) for file in files]
        waiting = [one for one in opened if isinstance(one, _Opened)]
        if not waiting:
            return [one for one in opened if isinstance(one, _Done)]
        vectors = iter(self._embedder.embed(np.stack([one.pixels for one in waiting])))
        images = _with_colours(waiting)
        return [
            _Done(one.file, one.id, next(vectors), images.get(one.id)) if isinstance(one, _Opened) else one
            for one in opened
        ]

    def _open(self, file: FoundFile) -> _Done | _Opened:
        try:
            opened = read_file(file.location) if file.pixels is None else file.pixels()
        except ImageError as error:
            # An empty file is what it is; all else is the system's word of today.
            return _Done(file, reason=error.reason, is_permanent=file.stat.size == 0)
        if isinstance(opened, bytes) and is_own_picture(opened):
            return _Done(file, reason=OWN, is_permanent=True)
        image, sha256 = content_id(opened) if isinstance(opened, bytes) else pixels_id(opened)
        with self._lock:
            is_known = image in self._claimed
            self._claimed.add(image)
        if is_known:
            return _Done(file, image)
        try:
            side = self._embedder.model.decode_side
            decoded = decode(opened, file.path, side) if isinstance(opened, bytes) else from_pixels(opened)
        except ImageError as error:
            return _Done(file, image, reason=error.reason, is_permanent=True)
        row, colours = (None, None) if image in self._described else _describe(image, sha256, decoded)
        return _Opened(file, image, self._embedder.prepare(decoded.image), row, colours)


def _with_colours(opened: Sequence[_Opened]) -> dict[ImageId, ImageRow]:
    """Return the rows of the images that are to be described, complete: colours are quicker by the dozen."""
    rows = [(one.image, one.colours) for one in opened if one.image is not None and one.colours is not None]
    if not rows:
        return {}
    found = palettes(np.stack([colours for _, colours in rows]))
    return {row.id: replace(row, colours=each) for (row, _), each in zip(rows, found, strict=True)}


def _describe(image: ImageId, sha256: bytes, decoded: Decoded) -> tuple[ImageRow, Pixels]:
    """Return the row of an image but for its colours, and the pixels that those are taken from."""
    thumbnail = make_thumbnail(decoded.image)
    grey = thumbnail.convert("L")  # once for both that need it
    row = ImageRow(
        image,
        sha256,
        decoded.format,
        decoded.width,
        decoded.height,
        perceptual_hash(grey),
        _NO_COLOURS,
        sharpness(grey),
        encode_thumbnail(thumbnail),
    )
    return row, sample_colours(thumbnail)


class _Writer:
    """Gathers what the workers did and commits it, image rows always before the files that refer to them."""

    def __init__(self, store: Store, vectors: Table, known: Known, commit_seconds: float) -> None:
        self._store = store
        self._vectors = vectors
        self._known = known
        self._commit_seconds = commit_seconds
        self._settled: dict[ImageId, str] = dict.fromkeys(known.embedded, "")  # "" or why it failed
        self._waiting: dict[ImageId, list[FoundFile]] = defaultdict(list)
        self._changes = Changes()
        self._last_commit = time.monotonic()
        self.done = self.embedded = 0
        self.failed: set[str] = set()

    def take(self, done: _Done) -> None:
        """Take in what became of one file."""
        if done.id is None:
            self._fail(done.file, done.reason, done.is_permanent)
        elif done.vector is None and not done.reason and done.id not in self._settled:
            self._waiting[done.id].append(done.file)  # another thread has the same content in hand
            return
        else:
            if done.image is not None:
                self._changes.images.append(done.image)
            if done.vector is not None:
                self._changes.vectors[done.id] = done.vector
                self.embedded += 1
            self._settled.setdefault(done.id, done.reason)
            for file in (done.file, *self._waiting.pop(done.id, ())):
                self._settle(file, done.id)
        late = time.monotonic() - self._last_commit >= self._commit_seconds
        if late or len(self._changes.files) >= COMMIT_IMAGES:
            self.commit()

    def commit(self) -> None:
        """Write what has been gathered."""
        changes, self._changes = self._changes, Changes()
        if len(changes):
            self._store.write(changes, self._vectors)
        self._last_commit = time.monotonic()

    def _settle(self, file: FoundFile, image: ImageId) -> None:
        reason = self._settled[image]
        if reason:
            self._fail(file, reason, is_permanent=True)
            return
        self.done += 1
        self._changes.files.append(file_row(file, image))
        if file.path in self._known.failures:
            self._changes.cleared.append(file.path)

    def _fail(self, file: FoundFile, reason: str, is_permanent: bool) -> None:
        self.done += 1
        self.failed.add(file.path)
        size, mtime_ns = (file.stat.size, file.stat.mtime_ns) if is_permanent else (None, None)
        self._changes.failures.append(FailureRow(file.path, size, mtime_ns, reason))
        if file.path in self._known.files:
            self._changes.gone.append(file.path)
