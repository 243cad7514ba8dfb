"""A folder whose files cannot be read from some moment on: as by a disk, or a network, that drops out.

The functions of Python through which all reading goes are replaced while a `with` lasts. What the system
would say of a disk that is gone is raised by them, for files below the folder and nothing else.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOWS: dict[str, int | None] = {
    "EIO": errno.EIO,
    "ENOENT": errno.ENOENT,
    "EACCES": errno.EACCES,
    "ETIMEDOUT": errno.ETIMEDOUT,
    "ESTALE": errno.ESTALE,
    "half": None,
}
"""How reading fails: the error of the system; None where half of the content comes, and no error."""


@dataclass(slots=True)
class FailingReads:
    """When and how files below a folder cannot be read.

    Attributes
    ----------
    folder : Path
    how : str
        A key of `HOWS`.
    after : int
        Operations that succeed first.
    lasting : int
        Operations that fail; then the disk is back.
    looks : bool
        Whether looking at files and folders fails as well as reading: never with ENOENT, which would say
        that the file is gone.
    at_moment : callable, optional
        Called once, at that moment, in place of failing: pulls a real disk out.
    n : int
        Operations so far.
    """

    folder: Path
    how: str = "EIO"
    after: int = 1 << 60
    lasting: int = 1 << 60
    looks: bool = False
    at_moment: Callable[[], None] | None = None
    n: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def _is_ours(self, path: object) -> bool:
        if isinstance(path, int):
            return False
        try:
            name = os.fspath(path)  # type: ignore[call-overload]
        except TypeError:
            return False
        return isinstance(name, str) and name.startswith(f"{self.folder}{os.sep}")

    def _fails(self) -> bool:
        with self._lock:
            self.n += 1
            if self.at_moment is not None and self.n > self.after:
                pull, self.at_moment = self.at_moment, None
                self.lasting = 0
                pull()
            return self.after < self.n <= self.after + self.lasting

    def _refuse(self, path: object) -> None:
        """Raise the error of a disk that is gone."""
        number = HOWS[self.how] or errno.EIO
        raise OSError(number, os.strerror(number), str(path))

    def _reads(self, real: Callable[..., Any], as_file: bool) -> Callable[..., Any]:
        def read(path: Any, *others: Any, **options: Any) -> Any:
            if not self._is_ours(path) or not self._fails():
                return real(path, *others, **options)
            if HOWS[self.how] is not None:
                self._refuse(path)
            with self.real_open(path, "rb") as stream:
                content = stream.read()
            half = tempfile.TemporaryFile()  # noqa: SIM115  # whoever reads it closes it
            half.write(content[: len(content) // 2])
            half.flush()
            half.seek(0)
            if as_file:
                return half
            with half:
                return os.dup(half.fileno())

        return read

    def _looks(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def look(path: Any = ".", *others: Any, **options: Any) -> Any:
            if self.looks and self._is_ours(path) and self._fails():
                self._refuse(path)
            return real(path, *others, **options)

        return look

    @property
    def real_open(self) -> Callable[..., Any]:
        """What opens a file whatever happens."""
        return _REAL["open"]

    @contextmanager
    def __call__(self) -> Iterator[FailingReads]:
        """Let it be so while a ``with`` lasts."""
        try:
            builtins.open = io.open = self._reads(_REAL["open"], as_file=True)  # type: ignore[assignment]
            os.open = self._reads(_REAL["os.open"], as_file=False)
            for name in ("stat", "lstat", "scandir", "listdir"):
                setattr(os, name, self._looks(_REAL[f"os.{name}"]))
            yield self
        finally:
            builtins.open = io.open = _REAL["open"]  # type: ignore[assignment]
            for name, real in _REAL.items():
                if name.startswith("os."):
                    setattr(os, name.removeprefix("os."), real)


_REAL: dict[str, Callable[..., Any]] = {
    "open": io.open,
    **{f"os.{name}": getattr(os, name) for name in ("open", "stat", "lstat", "scandir", "listdir")},
}
