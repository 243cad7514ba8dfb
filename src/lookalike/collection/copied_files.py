"""The files of a copy: each hashed while it is read, and read again from the disk that it was copied to."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

from lookalike.errors import LookalikeError, StoreDamagedError, StoreResourceError
from lookalike.hints import Hint
from lookalike.store.checksums import Checksums, sha256_of
from lookalike.system.flush import flush_open
from lookalike.system.progress import Progress, Watch

_AT_ONCE = 1 << 22  # bytes


@contextlib.contextmanager
def writing(place: Path) -> Iterator[None]:
    """Have the system's refusals say what they are about."""
    try:
        yield
    except LookalikeError:
        raise
    except OSError as error:
        is_full = error.errno == errno.ENOSPC  # a quota says so itself
        reason = "the disk is full" if is_full else error.strerror or str(error)
        raise StoreResourceError(
            f"cannot write {place}: {reason}; nothing of the copy is left there"
        ) from error


class CopiedFiles:
    """The files of a copy: each once, hashed while it is read, and read again when all are there.

    Attributes
    ----------
    n_bytes : int
        How many bytes there are.
    total : int or None
        How many bytes there will be, as far as is known.
    """

    def __init__(self, source: Path, part: Path, watch: Watch) -> None:
        self.source, self.part = source, part
        self.total: int | None = None
        self._watch = watch
        self._sums: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        self._tables: dict[str, list[str]] = {}
        self.n_bytes = 0

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self._sums)

    def copy(self, name: str, expected: str | None = None) -> str:
        """Copy a file, known by its path in the collection, and return its SHA-256.

        Raises
        ------
        FileNotFoundError
            If it is gone.
        StoreDamagedError
            If it is not what is expected.
        """
        if name not in self._sums:
            place = self.part / name
            with writing(place):
                place.parent.mkdir(parents=True, exist_ok=True)
            digest, size, file = hashlib.sha256(), 0, self.source / name
            with (
                reading(file),
                file.open("rb", buffering=0) as stream,
                writing(place),
                place.open("wb", buffering=0) as written,
            ):
                while block := _read(stream, file):
                    _write_all(written, block)
                    digest.update(block)
                    size += len(block)
                    self._tell("copying", self.n_bytes + size)
                flush_open(written.fileno())
                _forget_cached(written.fileno())
            self._keep(name, digest.hexdigest(), size)
        if expected is not None and self._sums[name] != expected:
            raise damaged(self.source / name)
        return self._sums[name]

    def write(self, name: str, content: bytes) -> None:
        """Put a file there whose content is at hand."""
        place = self.part / name
        with writing(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("wb") as stream:
                stream.write(content)
                stream.flush()
                flush_open(stream.fileno())
        self._keep(name, hashlib.sha256(content).hexdigest(), len(content))

    def is_table(self, table: str, names: list[str]) -> None:
        """Say which files are those of a table; by their path in it."""
        self._tables[table] = names

    def keep_only(self, names: set[str]) -> None:
        """Take away what an earlier state had, and this one has not."""
        for name in self._sums.keys() - names:
            (self.part / name).unlink(missing_ok=True)
            self.n_bytes -= self._sizes.pop(name)
            del self._sums[name]

    def finish(self) -> None:
        """Read all files again, from the disk, and note what the tables are made of.

        Raises
        ------
        StoreResourceError
            If one is not what was written to it.
        """
        done = 0
        for name, expected in self._sums.items():
            with reading(self.part / name):
                if sha256_of(self.part / name) != expected:
                    raise StoreResourceError(f"{self.part / name} does not hold what was written to it")
            done += self._sizes[name]
            self._tell("verifying", done)
        for table, names in self._tables.items():
            with writing(self.part / table):
                Checksums(self.part / table).note(names)

    def _keep(self, name: str, sha256: str, size: int) -> None:
        self.n_bytes += size - self._sizes.get(name, 0)
        self._sums[name], self._sizes[name] = sha256, size

    def _tell(self, phase: str, done: int) -> None:
        total = self.n_bytes if phase == "verifying" else self.total
        words = f"{phase} the collection"
        self._watch(Progress(phase, done, None if total is None else max(total, done), words, unit="bytes"))


def damaged(file: Path) -> StoreDamagedError:
    """Return the error that a file is not what was written."""
    return StoreDamagedError(f"{file} is damaged: it is not what was written", hint=Hint("repair"))


def _read(stream: io.FileIO, file: Path) -> bytes:
    with reading(file):
        return stream.read(_AT_ONCE)


def _write_all(stream: io.FileIO, block: bytes) -> None:
    left = memoryview(block)
    while left:
        left = left[stream.write(left) :]


@contextlib.contextmanager
def reading(file: Path) -> Iterator[None]:
    """Have the system's refusals say what was to be read; that it is gone is passed on."""
    try:
        yield
    except (FileNotFoundError, LookalikeError):
        raise
    except OSError as error:
        raise StoreResourceError(f"cannot read {file}: {error.strerror or error}") from error


def _forget_cached(handle: int) -> None:
    """Have a file read from the disk when it is read next, where the system can be told so."""
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
