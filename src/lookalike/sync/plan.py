"""Decide what a sync is to do: compare the disk with the tables. Writes nothing.

The content of a file is its identity. A file that was renamed, copied or only touched has an image that is
there already, and is not embedded again.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from lookalike.errors import ImageError
from lookalike.images import FileStat, content_id, pixels_id
from lookalike.images.decode import read_file
from lookalike.images.scan import unescape
from lookalike.store import Store, Table
from lookalike.store.store import FailureRow, FileRow
from lookalike.types import ImageId


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file on the disk, or an image of a data set.

    Attributes
    ----------
    path : str
        As stored: ``root:relative/path``, ``mnist:test/42``.
    place : Path
        The folder of its root; means nothing for an image of a data set.
    label, split : str or None
    pixels : callable or None
        Gives the pixels, (h, w) or (h, w, 3) uint8, of an image that is no file.
    """

    path: str
    place: Path
    stat: FileStat
    label: str | None
    split: str | None = None
    pixels: Callable[[], npt.NDArray[np.uint8]] | None = None

    @property
    def location(self) -> Path:
        """Where the file can be opened; made when asked for, as there may be a million."""
        return self.place / unescape(self.path.partition(":")[2])


@dataclass(slots=True)
class Plan:
    """What a sync is to do.

    Attributes
    ----------
    added, changed : list of FoundFile
        To be read, decoded, and embedded unless their content is known.
    unembedded : list of FoundFile
        Unchanged, but without a vector of this model.
    moved : list of (str, FileRow)
        The old path, and the row under the new one.
    updated : list of FileRow
        Same path and content; only the time or the label differs.
    gone : list of str
        Paths of files that are no longer there.
    unchanged : int
        How many files need nothing.
    failures : list of FailureRow
        What the scan could not look at.
    cleared : list of str
        Failures whose file is no longer there.
    """

    added: list[FoundFile] = field(default_factory=list)
    changed: list[FoundFile] = field(default_factory=list)
    unembedded: list[FoundFile] = field(default_factory=list)
    moved: list[tuple[str, FileRow]] = field(default_factory=list)
    updated: list[FileRow] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    unchanged: int = 0
    failures: list[FailureRow] = field(default_factory=list)
    cleared: list[str] = field(default_factory=list)

    @property
    def n_to_read(self) -> int:
        """How many files are to be opened."""
        return len(self.added) + len(self.changed) + len(self.unembedded)

    def take(self) -> deque[FoundFile]:
        """Hand over all files to be opened; the plan forgets them, so that each can go once it is done."""
        files = deque([*self.added, *self.changed, *self.unembedded])
        for rows in (self.added, self.changed, self.unembedded):
            rows.clear()
        return files


@dataclass(frozen=True, slots=True)
class Tally:
    """How many files a plan is about, by what becomes of them, once it is known which of them fail.

    Attributes
    ----------
    added, unembedded, moved, gone, unchanged : int
    changed : frozenset of str
        Stored paths.
    files : mapping of str to FileRow
        Those that were known before.
    """

    added: int
    unembedded: int
    moved: int
    gone: int
    unchanged: int
    changed: frozenset[str]
    files: Mapping[str, FileRow]

    @classmethod
    def of(cls, plan: Plan, known: Known) -> Tally:
        """Count the files of a plan that has not been carried out yet."""
        return cls(
            added=len(plan.added),
            unembedded=len(plan.unembedded),
            moved=len(plan.moved),
            gone=len(plan.gone),
            unchanged=plan.unchanged,
            changed=frozenset(file.path for file in plan.changed),
            files=known.files,
        )

    def without(self, failed: Collection[str]) -> dict[str, int]:
        """Return how many files were added, changed, moved, removed, and unchanged, given those that fail."""
        old = sum(path in self.files for path in failed)
        changed = sum(path in self.changed for path in failed)
        return {
            "added": self.added - (len(failed) - old),
            "changed": len(self.changed) - changed,
            "moved": self.moved,
            "removed": self.gone + changed,
            "unchanged": self.unchanged + self.unembedded - (old - changed),
        }


@dataclass(frozen=True, slots=True)
class Known:
    """What the tables say before a sync.

    Attributes
    ----------
    files : dict of str to FileRow
    failures : dict of str to FailureRow
    described : set of ImageId
        Images whose rows are complete but for vectors.
    embedded : set of ImageId
        Those of them that have a vector of this model, too.
    """

    files: Mapping[str, FileRow]
    failures: Mapping[str, FailureRow]
    described: set[ImageId]
    embedded: set[ImageId]

    @classmethod
    def read(cls, store: Store, vectors: Table) -> Known:
        """Read it from the tables."""
        files = [FileRow(**row) for row in store.files.read().to_pylist()]
        failures = [FailureRow(**row) for row in store.failures.read().to_pylist()]
        ids: list[set[ImageId]] = [
            set(table.read(["id"])["id"].to_pylist()) for table in (store.thumbnails, store.images, vectors)
        ]
        described = ids[0] & ids[1]
        return cls(
            {row.path: row for row in files},
            {row.path: row for row in failures},
            described,
            described & ids[2],
        )


def decide(found: Sequence[FoundFile], failed: Mapping[str, str], known: Known, scope: set[str]) -> Plan:
    """Compare the disk with the tables.

    Parameters
    ----------
    found : sequence of FoundFile
        The image files within the scope.
    failed : dict of str to str
        Paths within the scope that could not be looked at, with the reason.
    known : Known
        What the tables say.
    scope : set of str
        The stored paths, of files and of failures, that this sync answers for: those that are not found
        on the disk are gone.

    Returns
    -------
    Plan
        Files are opened only to compare content: those whose time changed but not their size, and new ones
        of the same size as one that is gone, which may be that one under a new name.
    """
    plan = Plan()
    paths = {file.path for file in found}
    lost = _Lost(
        row
        for path, row in known.files.items()
        if path in scope and path not in paths and not _is_below(path, failed)
    )
    plan.cleared = sorted(
        path
        for path in known.failures
        if path in scope and path not in paths and path not in failed and not _is_below(path, failed)
    )
    plan.failures = [
        FailureRow(path, None, None, reason)
        for path, reason in failed.items()
        if (old := known.failures.get(path)) is None or old.reason != reason
    ]
    for file in found:
        row = known.files.get(file.path)
        if row is None:
            _decide_new(file, known, lost, plan)
        else:
            _decide_known(file, row, known, plan)
    plan.gone = sorted(lost.paths())
    return plan


def _decide_new(file: FoundFile, known: Known, lost: _Lost, plan: Plan) -> None:
    failure = known.failures.get(file.path)
    if failure is not None and (failure.size, failure.mtime_ns) == (file.stat.size, file.stat.mtime_ns):
        return  # it failed by its content, which is the same still
    if lost.has_size(file.stat.size) and (image := _content(file)) is not None:
        old = lost.take(image, file.stat.size) if image in known.embedded else None
        if old is not None:
            plan.moved.append((old, file_row(file, image, known.files[old].note)))
            return
    plan.added.append(file)


def _decide_known(file: FoundFile, row: FileRow, known: Known, plan: Plan) -> None:
    same_time = row.mtime_ns == file.stat.mtime_ns
    if row.size != file.stat.size or (not same_time and _content(file) != row.id):
        plan.changed.append(file)
    elif row.id not in known.embedded:
        plan.unembedded.append(file)
    elif not same_time or row.label != file.label:
        plan.updated.append(file_row(file, row.id, row.note))
        plan.unchanged += 1
    else:
        plan.unchanged += 1


def _is_below(path: str, failed: Mapping[str, str]) -> bool:
    """Tell whether a folder above `path` could not be looked at: then nobody knows what lies there."""
    root, _, relative = path.partition(":")
    parents = PurePosixPath(relative).parents
    return any(f"{root}:{parent}" in failed for parent in parents)


class _Lost:
    """Rows of files that are no longer where they were, to be found again under other names."""

    def __init__(self, rows: Iterable[FileRow]) -> None:
        self._by_content: dict[tuple[int, int], list[str]] = defaultdict(list)
        for row in rows:
            self._by_content[row.id, row.size].append(row.path)
        self._sizes = {size for _, size in self._by_content}

    def has_size(self, size: int) -> bool:
        return size in self._sizes

    def take(self, image: ImageId, size: int) -> str | None:
        places = self._by_content.get((image, size))
        return places.pop(0) if places else None

    def paths(self) -> list[str]:
        return [path for places in self._by_content.values() for path in places]


def _content(file: FoundFile) -> ImageId | None:
    """Return the id of a file's content; None where it cannot be read, which the workers will report."""
    try:
        if file.pixels is not None:
            return pixels_id(file.pixels())[0]
        return content_id(read_file(file.location))[0]
    except ImageError:
        return None


def file_row(file: FoundFile, image: ImageId, note: str | None) -> FileRow:
    """Return the row of a file that holds this image; the note says what is missing of it."""
    stat = file.stat
    return FileRow(file.path, image, stat.size, stat.mtime_ns, file.label, file.split, note=note or None)
