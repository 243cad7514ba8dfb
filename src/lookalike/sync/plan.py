"""Decide what a sync is to do: compare the disk with the tables. Opens no file, and writes nothing.

The content of a file is its identity. A file that was renamed, copied or only touched has an image that is
there already, and is not embedded again. Where size, times and inode leave it open what a file holds, it is
doubtful: `lookalike.sync.comparing` looks.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from lookalike.images import FileStat
from lookalike.images.apart import seconds_of
from lookalike.images.reader import READER
from lookalike.store import Store, Table
from lookalike.store.store import FailureRow, FileRow
from lookalike.sync.evidence import Evidence
from lookalike.system.file_names import unescape
from lookalike.system.limits import PICTURE_SECONDS
from lookalike.types import ImageId

_Row = TypeVar("_Row")


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
    kept : Path or None
        Where the file of an image lies that was added by call, called by its id.
    content : bytes or None
        That of one that is only now being added, all of it.
    """

    path: str
    place: Path
    stat: FileStat
    label: str | None
    split: str | None = None
    pixels: Callable[[], npt.NDArray[np.uint8]] | None = None
    kept: Path | None = None
    content: bytes | None = None

    @property
    def location(self) -> Path:
        """Where the file can be opened; made when asked for, as there may be a million."""
        if self.kept is not None:
            return self.kept
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
    doubtful : list of FoundFile
        Whose content has to be compared, to tell whether they are one of the others: known ones that may
        have changed, and new ones of the size of a lost one, which may be that one under a new name.
    moved : list of (str, FileRow)
        The old path, and the row under the new one.
    updated : list of FileRow
        Same path and content; only the times, the inode or the label differ.
    lost : Lost
        Files that are no longer where they were; a doubtful one may be one of them.
    gone : list of str
        Paths of files that are no longer there, whatever the doubtful ones are.
    unchanged : int
        How many files need nothing.
    failures : list of FailureRow
        What could not be looked at.
    cleared : list of str
        Failures whose file is no longer there, or fails no longer.
    """

    added: list[FoundFile] = field(default_factory=list)
    changed: list[FoundFile] = field(default_factory=list)
    unembedded: list[FoundFile] = field(default_factory=list)
    doubtful: list[FoundFile] = field(default_factory=list)
    moved: list[tuple[str, FileRow]] = field(default_factory=list)
    updated: list[FileRow] = field(default_factory=list)
    lost: Lost = field(default_factory=lambda: Lost(()))
    gone: list[str] = field(default_factory=list)
    unchanged: int = 0
    failures: list[FailureRow] = field(default_factory=list)
    cleared: list[str] = field(default_factory=list)

    @property
    def n_to_read(self) -> int:
        """How many files are to be decoded, as far as is known."""
        return len(self.added) + len(self.changed) + len(self.unembedded)

    def take(self) -> deque[FoundFile]:
        """Hand over all files to be decoded; the plan forgets them, so that each can go once it is done."""
        files = deque([*self.added, *self.changed, *self.unembedded])
        for rows in (self.added, self.changed, self.unembedded):
            rows.clear()
        return files

    def presume(self, known: IndexedState) -> None:
        """Put the doubtful files where they seem to belong, without opening them; they stay doubtful, too."""
        for file in self.doubtful:
            row = known.files.get(file.path)
            if row is not None:
                self.keep(file, row, known)
            elif (old := self.lost.spare(file.stat.size)) is not None:
                self.moved.append((old, file_row(file, known.files[old].id)))
            else:
                self.added.append(file)

    def keep(self, file: FoundFile, row: FileRow, known: IndexedState) -> None:
        """Take in a known file whose content is what it was."""
        is_embedded = row.id in known.embedded
        failure = known.failures.get(file.path) if known.failures else None
        if failure is not None and not fails_still(failure, file):
            failure = None
            if is_embedded:  # else the workers will see
                self.cleared.append(file.path)
        if not is_embedded and failure is None:
            self.unembedded.append(file)
            return
        self.unchanged += 1
        stat = file.stat
        seen = (stat.mtime_ns, stat.ctime_ns, stat.inode, file.label)
        if seen != (row.mtime_ns, row.ctime_ns, row.inode, row.label):
            self.updated.append(file_row(file, row.id, row.note))


@dataclass(frozen=True, slots=True)
class Tally:
    """How many files a plan is about, by what becomes of them, once it is known which of them fail.

    Attributes
    ----------
    added, unembedded, gone, unchanged : int
    changed, moved, unread : frozenset of str
        Stored paths, the new ones. The unread are known files that could not even be compared.
    files : mapping of str to FileRow
        Those that were known before.
    """

    added: int
    unembedded: int
    gone: int
    unchanged: int
    changed: frozenset[str]
    moved: frozenset[str]
    unread: frozenset[str]
    files: Mapping[str, FileRow]

    @classmethod
    def of(cls, plan: Plan, known: IndexedState) -> Tally:
        """Count the files of a plan that has not been carried out yet."""
        return cls(
            added=len(plan.added),
            unembedded=len(plan.unembedded),
            gone=len(plan.gone),
            unchanged=plan.unchanged,
            changed=frozenset(file.path for file in plan.changed),
            moved=frozenset(row.path for _, row in plan.moved),
            unread=frozenset(row.path for row in plan.failures if row.path in known.files),
            files=known.files,
        )

    def without(
        self, failed: Set[str], left: Set[str] = frozenset(), late: Set[str] = frozenset()
    ) -> dict[str, int]:
        """Return how many files were added, changed, moved, removed, and unchanged.

        Parameters
        ----------
        failed : set of str
            Paths that could not be read.
        left : set of str
            Those of them that left the collection.
        late : set of str
            Paths whose content turned out to have changed, although nothing had said so.
        """
        changed = (self.changed | {path for path in late if path in self.files}) - failed
        not_unchanged = {
            path
            for path in failed | late
            if path in self.files and path not in self.changed and path not in self.unread
        }
        return {
            "added": self.added - sum(path not in self.files and path not in self.moved for path in failed),
            "changed": len(changed),
            "moved": len(self.moved - failed),
            "removed": self.gone + len(left),
            "unchanged": self.unchanged + self.unembedded - len(not_unchanged),
        }


@dataclass(frozen=True, slots=True)
class IndexedState:
    """What the tables say before a sync.

    Attributes
    ----------
    files : dict of str to FileRow
    failures : dict of str to FailureRow
    described : set of ImageId
        Images whose rows are complete but for vectors.
    embedded : set of ImageId
        Those of them that have a vector of this model, too.
    outdated : dict of ImageId to int or None
        Those of them whose rows an earlier version of the reader made, and which; None for the first.
    """

    files: Mapping[str, FileRow]
    failures: Mapping[str, FailureRow]
    described: set[ImageId]
    embedded: set[ImageId]
    outdated: Mapping[ImageId, int | None] = field(default_factory=dict)

    @classmethod
    def read(cls, store: Store, vectors: Table, picture_seconds: float = PICTURE_SECONDS) -> IndexedState:
        """Read it from the tables; an image that had less time than it has today may be readable by now."""
        readers = store.images.read(["id", "reader"]).to_pydict()
        ids: list[set[ImageId]] = [
            set(table.read(["id"])["id"].to_pylist()) for table in (store.thumbnails, vectors)
        ]
        described = ids[0].intersection(readers["id"])
        outdated = {
            image: reader
            for image, reader in zip(readers["id"], readers["reader"], strict=True)
            if image in described and (reader is None or reader < READER)
        }
        return cls(
            {row.path: row for row in _rows(store.files, FileRow)},
            {row.path: _with_time(row, picture_seconds) for row in _rows(store.failures, FailureRow)},
            described,
            described & ids[1],
            outdated,
        )

    def without_failures(self, paths: Set[str]) -> IndexedState:
        """Return it as if these files did not fail: so they are tried, and what is said of them stays."""
        if not paths:
            return self
        return replace(self, failures={path: row for path, row in self.failures.items() if path not in paths})


def _rows(table: Table, kind: Callable[..., _Row]) -> Iterator[_Row]:
    # Column by column: a dictionary a row takes longer, and there may be a million.
    columns = table.read().to_pydict()
    return map(kind, *(columns[name] for name in table.schema.names))


def decide(
    found: Sequence[FoundFile], failed: Mapping[str, str], known: IndexedState, within: set[str]
) -> Plan:
    """Compare the disk with the tables.

    Parameters
    ----------
    found : sequence of FoundFile
        The image files within the scope.
    failed : dict of str to str
        Paths within the scope that could not be looked at, with the reason.
    known : IndexedState
        What the tables say.
    within : set of str
        The stored paths, of files and of failures, that this sync answers for: those that are not found
        on the disk are gone.

    Returns
    -------
    Plan
        With what is doubtful.
    """
    plan = Plan()
    paths = {file.path for file in found}
    # What could not be looked at was not seen to be gone.
    plan.lost = Lost(
        row
        for path, row in known.files.items()
        if path in within and path not in paths and path not in failed and not _is_below(path, failed)
    )
    plan.cleared = sorted(
        path
        for path in known.failures
        if path in within and path not in paths and path not in failed and not _is_below(path, failed)
    )
    plan.failures = [
        failure
        for path, reason in failed.items()
        if known.failures.get(path) != (failure := FailureRow(path, None, None, reason, READER))
    ]
    suspects: list[tuple[FoundFile, FileRow]] = []
    for file in found:
        row = known.files.get(file.path)
        if row is None:
            _decide_new(file, known, plan)
        elif row.size != file.stat.size:
            plan.changed.append(file)
        elif row.mtime_ns != file.stat.mtime_ns:
            plan.doubtful.append(file)
        elif row.ctime_ns != file.stat.ctime_ns or row.inode != file.stat.inode:
            suspects.append((file, row))
        else:
            plan.keep(file, row, known)
    if suspects:
        _decide_suspects(suspects, found, known, plan)
    new_sizes = Counter(file.stat.size for file in plan.doubtful if file.path not in known.files)
    plan.gone = plan.lost.certain(new_sizes)
    return plan


def _with_time(failure: FailureRow, picture_seconds: float) -> FailureRow:
    """Return a failure as it counts where an image may take so many seconds."""
    had = seconds_of(failure.reason)
    return failure if had is None or had >= picture_seconds else replace(failure, size=None, mtime_ns=None)


def fails_still(failure: FailureRow, file: FoundFile) -> bool:
    """Tell whether a file failed by its content, and neither that nor the reader has changed."""
    seen = (failure.size, failure.mtime_ns, failure.reader)
    return seen == (file.stat.size, file.stat.mtime_ns, READER)


def _decide_new(file: FoundFile, known: IndexedState, plan: Plan) -> None:
    failure = known.failures.get(file.path)
    if failure is not None and fails_still(failure, file):
        return
    (plan.doubtful if plan.lost.has_size(file.stat.size) else plan.added).append(file)


def _decide_suspects(
    suspects: Sequence[tuple[FoundFile, FileRow]], found: Sequence[FoundFile], known: IndexedState, plan: Plan
) -> None:
    """Decide on files whose size and time are as they were, and their ctime or inode is not."""
    evidence = Evidence.weigh(
        (file.path, file.stat, row) for file in found if (row := known.files.get(file.path)) is not None
    )
    for file, row in suspects:
        if evidence.speaks_against(file.path, file.stat, row):
            plan.doubtful.append(file)
        else:
            plan.keep(file, row, known)


def _is_below(path: str, failed: Mapping[str, str]) -> bool:
    """Tell whether a folder above `path` could not be looked at: then nobody knows what lies there."""
    root, _, relative = path.partition(":")
    parents = PurePosixPath(relative).parents
    return any(f"{root}:{parent}" in failed for parent in parents)


class Lost:
    """Rows of files that are no longer where they were, to be found again under other names."""

    def __init__(self, rows: Iterable[FileRow]) -> None:
        self._by_size: dict[int, dict[ImageId, list[str]]] = {}
        for row in rows:
            self._by_size.setdefault(row.size, defaultdict(list))[row.id].append(row.path)

    def has_size(self, size: int) -> bool:
        """Whether one of them has this size."""
        return size in self._by_size

    def take(self, image: ImageId, size: int) -> str | None:
        """Take out one of this content, and return its old path."""
        places = self._by_size.get(size, {}).get(image)
        return places.pop(0) if places else None

    def spare(self, size: int) -> str | None:
        """Take out one of this size, whatever its content, and return its old path."""
        places = next((places for places in self._by_size.get(size, {}).values() if places), None)
        return places.pop(0) if places else None

    def certain(self, candidates: Mapping[int, int]) -> list[str]:
        """Return the paths of those that are gone, whatever so many candidates of each size are."""
        gone: list[str] = []
        for size, by_content in self._by_size.items():
            paths = sorted(path for places in by_content.values() for path in places)
            gone.extend(paths[candidates.get(size, 0) :])
        return sorted(gone)


def file_row(file: FoundFile, image: ImageId, note: str | None = None) -> FileRow:
    """Return the row of a file that holds this image."""
    stat = file.stat
    return FileRow(
        file.path,
        image,
        stat.size,
        stat.mtime_ns,
        file.label,
        file.split,
        stat.ctime_ns,
        stat.inode,
        note,
    )
