"""Bring up to date what an earlier version has read: headers first, pixels only where they differ."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lookalike.errors import ImageError
from lookalike.images.metadata.metadata import NO_METADATA, Metadata
from lookalike.images.reader import READER, Header, read_header
from lookalike.store import Store
from lookalike.store.store import FailureRow
from lookalike.sync.execution import COMMIT_IMAGES
from lookalike.sync.plan import FoundFile, IndexedState, Plan
from lookalike.sync.reading import Outage, Unread, undecoded
from lookalike.sync.side_by_side import side_by_side
from lookalike.sync.work import Work
from lookalike.system.progress import Progress
from lookalike.system.wording import count_images
from lookalike.types import ImageId

_TIMED = 64  # headers that are read before it is said how long all will take


@dataclass(frozen=True, slots=True)
class Outdated:
    """An image whose row an earlier version of the reader made, and a file that holds it.

    Attributes
    ----------
    reader : int or None
        That version; None for the first.
    """

    id: ImageId
    file: FoundFile
    reader: int | None


@dataclass(slots=True)
class Headers:
    """What the headers said.

    Attributes
    ----------
    done : int
        How many images are up to date by now.
    affected : dict of str to Metadata
        What the others say, of which today's reader makes other pixels; by stored path.
    files : list of FoundFile
        Where those lie.
    failed : set of str
        Stored paths of files that could not be read.
    """

    done: int = 0
    affected: dict[str, Metadata] = field(default_factory=dict)
    files: list[FoundFile] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)


def find_outdated(files: Iterable[FoundFile], known: IndexedState, plan: Plan) -> list[Outdated]:
    """Return the outdated images among the files that a plan leaves as they are, each once.

    The plan has been compared, and not been carried out.
    """
    if not known.outdated:
        return []
    passed_over = {file.path for file in plan.changed} | {row.path for row in plan.failures}
    found: dict[ImageId, Outdated] = {}
    for file in files:
        row = known.files.get(file.path)
        if row is not None and row.id in known.outdated and file.path not in passed_over:
            found.setdefault(row.id, Outdated(row.id, file, known.outdated[row.id]))
    return list(found.values())


def read_headers(outdated: Sequence[Outdated], known: IndexedState, store: Store, work: Work) -> Headers:
    """Read the headers of outdated images, and write what they say.

    Each image that is up to date is marked as such, every few seconds, so that a kill loses little.

    Raises
    ------
    MissingImagesError
        If most of them cannot be read, see `Outage`.
    """
    files = deque(one for one in outdated if one.file.pixels is None)
    total = len(files)
    outage = Outage(total)
    writer = _Writer(store, work.commit_seconds)
    # A data set's rows have no header, and their pixels are what they were.
    writer.said = {one.id: NO_METADATA for one in outdated if one.file.pixels is not None}
    headers = writer.headers
    n_read = 0
    try:
        timed = deque(files.popleft() for _ in range(min(_TIMED, total)))
        for some in (timed, files):
            started = time.monotonic()
            for one, header in side_by_side(_read_each, some, work.jobs, watch=work.watch):
                n_read += 1
                writer.take(one, header)
                work.watch(
                    Progress("headers", n_read, total, "reading headers", len(headers.failed), unit="images")
                )
                if isinstance(header, Unread) and one.file.path not in known.failures:
                    outage.note(one.file, header)
            if some is timed and total:
                seconds = (time.monotonic() - started) * total / n_read
                work.say(
                    f"bringing {count_images(total)} up to date: their headers are read once,"
                    f" {_about(seconds)}"
                )
    finally:
        writer.commit()
    return headers


def _read_each(outdated: Sequence[Outdated]) -> list[tuple[Outdated, Header | Unread]]:
    return [(one, _read(one)) for one in outdated]


def _read(one: Outdated) -> Header | Unread:
    try:
        return read_header(one.file.location, one.reader)
    except ImageError as error:
        if isinstance(error.__cause__, OSError):
            return Unread(error.reason, "disk")
        unread = undecoded(error)
        # What has no sound header by now was read once: the pixels will tell.
        return Header(NO_METADATA, is_changed=True) if unread.is_permanent else unread
    except MemoryError:
        return Unread("not enough memory to read it", "memory")


class _Writer:
    """Gathers what the headers said and commits it."""

    def __init__(self, store: Store, commit_seconds: float) -> None:
        self._store = store
        self._commit_seconds = commit_seconds
        self._last_commit = time.monotonic()
        self._failures: list[FailureRow] = []
        self.said: dict[ImageId, Metadata] = {}
        self.headers = Headers()

    def take(self, one: Outdated, header: Header | Unread) -> None:
        path = one.file.path
        if isinstance(header, Unread):
            self.headers.failed.add(path)
            self._failures.append(FailureRow(path, None, None, header.reason, READER))
        elif header.is_changed:
            self.headers.affected[path] = header.metadata
            self.headers.files.append(one.file)
        else:
            self.said[one.id] = header.metadata
        late = time.monotonic() - self._last_commit >= self._commit_seconds
        if late or len(self.said) >= COMMIT_IMAGES:
            self.commit()

    def commit(self) -> None:
        if self.said:
            self._store.note_metadata(self.said, READER)
            self.headers.done += len(self.said)
            self.said = {}
        if self._failures:
            self._store.note_failures(self._failures)
            self._failures = []
        self._last_commit = time.monotonic()


def _about(seconds: float) -> str:
    if seconds < 1:
        return "less than a second"
    return f"about {seconds:.0f} s" if seconds < 100 else f"about {seconds / 60:.0f} min"
