"""Do what a plan says: read, decode, embed, and commit every few seconds.

Each worker thread takes a portion of files through reading and decoding, then through the network. Both
release Python's lock, so with as many workers as cores no core waits, and their shares need no tuning.

A kill at any moment loses what was done since the last commit; the next run goes on from there.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from lookalike.embed import Embedder, Outputs, embed_each
from lookalike.errors import ImageError
from lookalike.images import (
    Decoded,
    decode,
    encode_thumbnail,
    from_pixels,
    make_thumbnail,
    palettes,
    perceptual_hash,
    sample_colors,
    sharpness,
)
from lookalike.images.metadata.reading import read_metadata
from lookalike.images.own import OWN, is_own_picture
from lookalike.images.reader import READER
from lookalike.images.thumbnails import shorter_side_for
from lookalike.store import Store, Table
from lookalike.store.store import Changes, FailureRow, ImageRow
from lookalike.sync.plan import FoundFile, IndexedState, Plan, file_row
from lookalike.sync.reading import Outage, Unread, identify, read, undecoded
from lookalike.sync.side_by_side import side_by_side
from lookalike.sync.work import Work
from lookalike.system.limits import THUMBNAIL_SIDE
from lookalike.system.progress import Progress
from lookalike.types import ImageId, PixelArray, Vectors

COMMIT_IMAGES = 2_000
_NO_COLORS = np.empty((0, 4), np.float32)


@dataclass(frozen=True, slots=True)
class Target:
    """A table of vectors that is to be filled.

    Attributes
    ----------
    table : Table
    load : callable
        Gives the model; called only if there is anything to embed.
    derived : sequence of (Table, callable)
        Tables that are made of its vectors, and how: from (n, d) to (n, e).
    remade : callable
        Called before and after vectors that may be there already are written: what was made of them is stale.
    """

    table: Table
    load: Callable[[], Embedder]
    derived: Sequence[tuple[Table, Callable[[Vectors], Vectors]]] = ()
    remade: Callable[[bool], None] = lambda is_done: None


@dataclass(slots=True)
class Outcome:
    """What `carry_out` did; of several calls, together.

    Attributes
    ----------
    embedded : int
        Images that went through the network.
    failed : set of str
        Stored paths of the files that could not be read.
    left : set of str
        Those of them that left the collection: their content has changed, and is no image.
    kept : set of str
        Those whose content is what it was, although today's reader cannot decode it.
    changed : set of str
        Stored paths that were known, and hold another image now.
    unfit : set of str
        Those of the failed that a model gives no vector for; another may.
    """

    embedded: int = 0
    failed: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    unfit: set[str] = field(default_factory=set)

    def add(self, other: Outcome) -> None:
        """Take in what another call did."""
        self.embedded += other.embedded
        self.failed |= other.failed
        self.left |= other.left
        self.kept |= other.kept
        self.changed |= other.changed
        self.unfit |= other.unfit


@dataclass(frozen=True, slots=True)
class Done:
    """What a worker made of a file: an image, a reference to one that another file brought, or a failure.

    Attributes
    ----------
    file : FoundFile
    id : ImageId or None
        None where it could not be read.
    outputs : tuple of Outputs, or None
        The vector, (d,), and what stands beside it, of each model; there where the file was embedded.
    image : ImageRow or None
        There where it was not known yet.
    note : str
        What is missing of it.
    unread : Unread or None
    """

    file: FoundFile
    id: ImageId | None = None
    outputs: tuple[Outputs, ...] | None = None
    image: ImageRow | None = None
    note: str = ""
    unread: Unread | None = None


@dataclass(frozen=True, slots=True)
class _Opened:
    """A file that has been decoded and waits for the network.

    Attributes
    ----------
    pixels : tuple of arrays of uint8
        What the network of each model sees.
    image : ImageRow or None
        None where the image is described already. Its colours are still to come.
    colors : (p, 3) uint8 or None
        The pixels that they are taken from.
    note : str
        What is missing of it.
    """

    file: FoundFile
    id: ImageId
    pixels: tuple[PixelArray, ...]
    image: ImageRow | None
    colors: PixelArray | None
    note: str


def carry_out(
    plan: Plan,
    known: IndexedState,
    store: Store,
    targets: Sequence[Target],
    outage: Outage,
    work: Work,
) -> Outcome:
    """Do what a plan says, in which nothing is doubtful any more.

    Parameters
    ----------
    plan, known : Plan, IndexedState
        From `decide`, made under the writer's lock that is still held. The plan is used up.
    store : Store
    targets : sequence of Target
        Where to write, and what with.
    outage : Outage
    work : Work

    Raises
    ------
    MissingImagesError
        If most of what is to be read cannot be, see `Outage`. What was committed is kept.
    StoreError
        If a table cannot be written. What was committed is kept.
    CancelledError, KeyboardInterrupt
        Passed on, once what was done is committed.
    """
    work.watch.check()
    store.write(
        Changes(
            files=[*plan.updated, *(row for _, row in plan.moved)],
            failures=plan.failures,
            gone=[*plan.gone, *(old for old, _ in plan.moved)],
            cleared=[*plan.cleared, *(row.path for _, row in plan.moved if row.path in known.failures)],
        ),
        targets[0].table,
    )
    files = plan.take()
    total = len(files)
    outcome = Outcome()
    if files:
        store.load()  # while there is memory for it
        worker = Worker([target.load() for target in targets], known, work)
        writer = _Writer(store, targets, known, outage, work)
        try:
            for done in work_through(worker, files, work):
                writer.take(done)
                n_failed = len(writer.outcome.failed)
                work.watch(Progress("embedding", writer.done, total, "embedding", n_failed, unit="images"))
        finally:
            # Also when interrupted: what was done is kept.
            writer.commit()
        outcome = writer.outcome
    work.watch.say("sweeping", "sweeping up")
    store.sweep()
    work.watch.check()
    store.maintain()
    return outcome


def work_through(worker: Worker, files: deque[FoundFile], work: Work) -> Iterator[Done]:
    """Yield what the worker makes of the files, as it comes, some at a time; `files` is emptied.

    For what there was not enough memory is tried once more, alone.
    """
    again: list[FoundFile] = []
    for done in side_by_side(worker, files, work.jobs, worker.batch_size, work.watch):
        if done.unread is not None and done.unread.cause == "memory":
            again.append(done.file)
        else:
            yield done
    for file in again:
        yield from worker([file])


class Worker:
    """Takes files from the disk to rows; called by many threads.

    First all of a portion are decoded, then all go through the network: going back and forth between the two
    for each file costs 3 % (measured), as each finds the caches full of the other's data.

    Parameters
    ----------
    embedders : sequence of Embedder
        Without any, images are only described.
    known : IndexedState
        What is described and embedded is not read a second time.
    work : Work
        What may stop it, and an image that takes too long; how large thumbnails are.
    """

    def __init__(self, embedders: Sequence[Embedder], known: IndexedState, work: Work) -> None:
        self._watch = work.watch
        self._picture_seconds = work.picture_seconds
        self._thumbnail_side = work.thumbnail_side
        self.batch_size = max((embedder.batch_size for embedder in embedders), default=1)
        self._embedders = embedders
        self._described = known.described
        self._claimed = set(known.embedded)
        self._outdated = known.outdated
        self._lock = threading.Lock()

    def __call__(self, files: Sequence[FoundFile]) -> list[Done]:
        """Return what became of some files, in their order."""
        opened = [self._open(file) for file in self._watch.each(files)]
        waiting = [one for one in opened if isinstance(one, _Opened)]
        if not waiting:
            return [one for one in opened if isinstance(one, Done)]
        try:
            embedded = iter(self._embed(waiting))
            images = _with_colors(waiting)
        except MemoryError:
            self._release(one.id for one in waiting)
            return [_short_of_memory(one.file, one.id) if isinstance(one, _Opened) else one for one in opened]
        return [
            _done(one, next(embedded), images.get(one.id)) if isinstance(one, _Opened) else one
            for one in opened
        ]

    def _embed(self, opened: Sequence[_Opened]) -> list[tuple[Outputs, ...] | Unread]:
        """Return what the models make of some images; or why one gives nothing."""
        unread: dict[int, Unread] = {}
        outputs: list[Outputs] = []
        for number, embedder in enumerate(self._embedders):
            pixels = np.stack([one.pixels[number] for one in opened])
            rows, reasons = embed_each(embedder, pixels)
            outputs.append(rows)
            unread |= {row: Unread(reason, "model") for row, reason in reasons.items()}
        return [unread.get(row, tuple(each.of(row) for each in outputs)) for row in range(len(opened))]

    def _open(self, file: FoundFile) -> Done | _Opened:
        content = read(file)
        if isinstance(content, bytes) and is_own_picture(content):
            content = Unread(OWN, "content")
        if isinstance(content, Unread):
            return Done(file, unread=content)
        image, sha256 = identify(content)
        with self._lock:
            is_known = image in self._claimed
            self._claimed.add(image)
        if is_known:
            return Done(file, image)
        try:
            return self._decode(file, content, image, sha256)
        except ImageError as error:
            unread = undecoded(error)
            if unread.cause == "memory":
                self._release([image])
            return Done(file, image, unread=unread)
        except MemoryError:
            self._release([image])
            return _short_of_memory(file, image)

    def _decode(self, file: FoundFile, content: bytes | PixelArray, image: ImageId, sha256: bytes) -> _Opened:
        sides = [embedder.model.decode_side for embedder in self._embedders]
        decoded: dict[int | None, Decoded] = {  # once for each size that is wanted
            side: self._decode_at(content, file, side) if isinstance(content, bytes) else from_pixels(content)
            for side in dict.fromkeys(sides or [THUMBNAIL_SIDE])
        }
        pixels = [
            embedder.prepare(decoded[side].image)
            for embedder, side in zip(self._embedders, sides, strict=True)
        ]
        first = next(iter(decoded.values()))
        row, colors = (None, None) if image in self._described else _describe(image, sha256, first)
        if row is not None and self._thumbnail_side != THUMBNAIL_SIDE:
            row = replace(row, thumbnail=self._thumbnail(content, file, first))
        if row is not None and isinstance(content, bytes):
            row = replace(row, metadata=read_metadata(content))
        if row is not None and image in self._outdated:
            # Not all models see it anew: it stays for the sync that brings all of them up to date.
            row = replace(row, reader=None)
        return _Opened(file, image, tuple(pixels), row, colors, first.note)

    def _thumbnail(self, content: bytes | PixelArray, file: FoundFile, decoded: Decoded) -> bytes:
        """Return a thumbnail of another side than usual, as a JPEG file.

        What networks see must not depend on it: where that is too small, the file is decoded once more. If
        that fails, it is made of what there is.
        """
        side, image = self._thumbnail_side, decoded.image
        needed = shorter_side_for(decoded.width, decoded.height, side)
        if isinstance(content, bytes) and min(image.size) < needed:
            with contextlib.suppress(ImageError):
                image = self._decode_at(content, file, needed).image
        return encode_thumbnail(make_thumbnail(image, side), side)

    def _decode_at(self, content: bytes, file: FoundFile, side: int | None) -> Decoded:
        return decode(content, file.path, side, seconds=self._picture_seconds, watch=self._watch.quiet())

    def _release(self, images: Iterable[ImageId]) -> None:
        """Let a copy, or the next try, have what this one could not finish."""
        with self._lock:
            self._claimed.difference_update(images)


def _done(one: _Opened, embedded: tuple[Outputs, ...] | Unread, image: ImageRow | None) -> Done:
    if isinstance(embedded, Unread):
        return Done(one.file, one.id, unread=embedded)
    return Done(one.file, one.id, embedded, image, one.note)


def _short_of_memory(file: FoundFile, image: ImageId) -> Done:
    return Done(file, image, unread=Unread("not enough memory to read it", "memory"))


def _with_colors(opened: Sequence[_Opened]) -> dict[ImageId, ImageRow]:
    """Return the rows of the images that are to be described, complete: colours are quicker by the dozen."""
    rows = [(one.image, one.colors) for one in opened if one.image is not None and one.colors is not None]
    if not rows:
        return {}
    found = palettes(np.stack([colors for _, colors in rows]))
    return {row.id: replace(row, colors=each) for (row, _), each in zip(rows, found, strict=True)}


def _describe(image: ImageId, sha256: bytes, decoded: Decoded) -> tuple[ImageRow, PixelArray]:
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
        _NO_COLORS,
        sharpness(grey),
        encode_thumbnail(thumbnail),
        reader=READER,
    )
    return row, sample_colors(thumbnail)


class _Writer:
    """Gathers what the workers did and commits it, image rows always before the files that refer to them."""

    def __init__(
        self,
        store: Store,
        targets: Sequence[Target],
        known: IndexedState,
        outage: Outage,
        work: Work,
    ) -> None:
        self._store = store
        self._targets = targets
        self._known = known
        self._outage = outage
        self._commit_seconds = work.commit_seconds
        self._tell_edited = work.edited
        self._notes = {row.id: row.note for row in known.files.values() if row.note}
        self._settled: dict[ImageId, str | Unread] = {}  # the note, or why it failed
        self._waiting: dict[ImageId, list[FoundFile]] = defaultdict(list)
        self._changes = Changes()
        self._outputs: list[dict[ImageId, Outputs]] = [{} for _ in targets]
        self._last_commit = time.monotonic()
        self.done = 0
        self.outcome = Outcome()

    def take(self, done: Done) -> None:
        """Take in what became of one file."""
        if done.id is None:
            self._fail(done.file, None, done.unread or Unread("it could not be read", "machine"))
        elif done.outputs is None and done.unread is None and not self._is_settled(done.id):
            self._waiting[done.id].append(done.file)  # another thread has the same content in hand
            return
        else:
            if done.image is not None:
                self._changes.images.append(done.image)
            if done.outputs is not None:
                for gathered, output in zip(self._outputs, done.outputs, strict=True):
                    gathered[done.id] = output
                self.outcome.embedded += 1
            if not self._is_settled(done.id):
                self._settled[done.id] = done.unread or done.note
            for file in (done.file, *self._waiting.pop(done.id, ())):
                self._settle(file, done.id)
        late = time.monotonic() - self._last_commit >= self._commit_seconds
        if late or len(self._changes.files) >= COMMIT_IMAGES:
            self.commit()

    def commit(self) -> None:
        """Write what has been gathered."""
        changes, self._changes = self._changes, Changes()
        outputs, self._outputs = self._outputs, [{} for _ in self._targets]
        if len(changes):
            for target, rows in zip(self._targets, outputs, strict=True):
                if rows:
                    self._write_vectors(target, rows)
            edited = [
                (old, row)
                for row in changes.files
                if (old := self._known.files.get(row.path)) is not None and old.id != row.id
            ]
            if edited:
                self._tell_edited(edited, changes)
            self._store.write(changes, self._targets[0].table)
        self._last_commit = time.monotonic()

    def _write_vectors(self, target: Target, rows: dict[ImageId, Outputs]) -> None:
        ids, (vectors, sides) = list(rows), Outputs.stack(list(rows.values()))
        target.remade(False)
        for table, derive in target.derived:
            self._store.write_vectors(ids, derive(vectors), table)
        self._store.write_vectors(ids, vectors, target.table, sides)
        target.remade(True)

    def _is_settled(self, image: ImageId) -> bool:
        return image in self._settled or image in self._known.embedded

    def _settle(self, file: FoundFile, image: ImageId) -> None:
        settled = self._settled.get(image, self._notes.get(image) or "")
        if isinstance(settled, Unread):
            self._fail(file, image, settled)
            return
        self.done += 1
        self._changes.files.append(file_row(file, image, settled or None))
        if file.path in self._known.failures:
            self._changes.cleared.append(file.path)
        old = self._known.files.get(file.path)
        if old is not None and old.id != image:
            self.outcome.changed.add(file.path)

    def _fail(self, file: FoundFile, image: ImageId | None, unread: Unread) -> None:
        self.done += 1
        self.outcome.failed.add(file.path)
        stat = file.stat
        size, mtime_ns = (stat.size, stat.mtime_ns) if unread.is_permanent else (None, None)
        self._changes.failures.append(FailureRow(file.path, size, mtime_ns, unread.reason, READER))
        old = self._known.files.get(file.path)
        if unread.cause == "model":
            self.outcome.unfit.add(file.path)
        if old is not None and unread.cause in ("content", "model"):
            # Only what was seen to change leaves: what was read once, and is the same still, is searched on.
            is_same = old.size == stat.size if image is None else old.id == image
            if is_same:
                self.outcome.kept.add(file.path)
            else:
                self._changes.gone.append(file.path)
                self.outcome.left.add(file.path)
        if file.path not in self._known.failures:
            self._outage.note(file, unread)
