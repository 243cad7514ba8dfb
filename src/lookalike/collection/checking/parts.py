"""What is found damaged, with what mends it, and what looking at a collection counts."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lookalike.errors import LookalikeError, StoreResourceError
from lookalike.results.checking import Damage
from lookalike.store.checksums import CHECKSUMS
from lookalike.store.versions import DAMAGED, REPAIRED
from lookalike.system.flush import flush_folder, make_durable_folder
from lookalike.system.free_name import free_name
from lookalike.system.progress import UNWATCHED, Progress, Watch
from lookalike.system.renaming import rename

_UNREAD = (
    "unread"  # there while images have to be read again, for whoever is to end a repair that was cut off
)


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of a damage.

    Attributes
    ----------
    words : str
        What was done; a `Sentence`, whose hint says what is left to do.
    is_back : bool
        Whether all is there again that was.
    """

    words: str
    is_back: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """A damage, and what mends it.

    Attributes
    ----------
    damage : Damage
    mend : callable
        Mends it as far as it can be; the damaged original is moved aside, not deleted.
    order : int
        Smaller ones are mended first: others are made of them.
    """

    damage: Damage
    mend: Callable[[], Mended]
    order: int = 50


@dataclass(slots=True)
class Looking:
    """What a check is about, and what it has counted so far.

    Attributes
    ----------
    folder : Path
        The ``.lookalike`` folder.
    watch : Watch
    files, size, unverified : int
        Files that were read through, their bytes, and how many of them have no checksum.
    findings : list of Finding
    must_sync : bool
        Whether images have to be read again, as rows of them were lost.
    brought : dict of str to (int, Path)
        By model whose vectors were brought along: how many there were, and where they are kept, as it is
        not known any more of which images.
    """

    folder: Path
    watch: Watch = UNWATCHED
    files: int = 0
    size: int = 0
    unverified: int = 0
    findings: list[Finding] = field(default_factory=list)
    must_sync: bool = False
    brought: dict[str, tuple[int, Path | None]] = field(default_factory=dict)

    def count(self, file: Path, is_verified: bool = True) -> None:
        """Count a file that was read through."""
        with contextlib.suppress(OSError):
            self.size += os.stat(file).st_size
        self.files += 1
        self.unverified += not is_verified
        self.watch(Progress("checking", self.files, words="checking", unit="files"))

    def must_read_again(self) -> None:
        """Note, on the disk, too, that images have to be read again of which rows were lost."""
        self.must_sync = True
        mark = self.folder / REPAIRED / _UNREAD
        try:
            make_durable_folder(mark.parent)
            mark.touch()
            flush_folder(mark.parent)
        except OSError as error:
            raise StoreResourceError(f"cannot write {mark}: {error.strerror or error}") from error

    def read_again(self) -> Mended:
        """Mend what reading images again mends; see `must_read_again`."""
        self.must_read_again()
        return Mended("they were read again")

    @property
    def has_unread(self) -> bool:
        """Whether a repair came to its end before the images were read again."""
        return (self.folder / REPAIRED / _UNREAD).exists()

    def end(self) -> None:
        """Note that nothing is left to be done."""
        shutil.rmtree(self.folder / REPAIRED, ignore_errors=True)

    def find(
        self,
        damage: Damage,
        mend: Callable[[], Mended],
        order: int = 50,
    ) -> None:
        """Note a damage."""
        self.findings.append(Finding(damage, mend, order))

    def place(self, path: Path) -> str:
        """Return a path as reports have it: relative to the ``.lookalike`` folder."""
        return path.relative_to(self.folder).as_posix()

    def move_aside(self, path: Path) -> Path | None:
        """Move a damaged file or folder to where it is kept, under its own path; None if it is not there.

        Raises
        ------
        StoreError
            If it cannot be moved.
        """
        if not os.path.lexists(path):
            return None
        place = self._aside(path)
        try:
            make_durable_folder(place.parent)
            rename(path, place)
        except OSError as error:
            raise StoreResourceError(f"cannot move {path}: {error.strerror or error}") from error
        return place

    def _aside(self, path: Path) -> Path:
        return free_name(self.folder / DAMAGED / self.place(path))

    def keep_copy(self, path: Path) -> Path | None:
        """Keep a damaged file or folder where such are kept, also under its own name: it is replaced there.

        Returns
        -------
        Path or None
            Where it is kept; None if it is not there.

        Raises
        ------
        StoreError
            If there is no room for it; nothing may be replaced then.
        """
        if not os.path.lexists(path):
            return None
        place = self._aside(path)
        try:
            make_durable_folder(place.parent)
            if path.is_dir():
                shutil.copytree(path, place, copy_function=_keep)
            else:
                _keep(path, place)
        except OSError as error:  # that of a folder lists those of its files
            raise StoreResourceError(f"cannot keep {path} as {place}: {error.strerror or error}") from error
        return place


def _keep(file: str | Path, place: str | Path) -> None:
    """Give a file a second name, which takes no room; where the disk cannot, a copy of what can be read."""
    try:
        if os.path.basename(file) == CHECKSUMS:  # it is added to where it lies
            raise OSError
        os.link(file, place)
    except OSError:
        try:
            shutil.copyfile(file, place)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                raise


@contextlib.contextmanager
def whatever_goes_wrong(found: list[str]) -> Iterator[None]:
    """Note what goes wrong within, whatever it is: damaged files bring readers to anything.

    Lance's Rust code may panic, which is no `Exception`.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except LookalikeError as error:
        if error.code == "cancelled":
            raise
        found.append(str(error))
    except BaseException as error:
        lines = str(error).splitlines()
        found.append(lines[0][:300] if lines else type(error).__name__)
