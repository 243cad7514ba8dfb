"""Files put into another place, or made one, so that no content is lost, wherever the process is killed.

Nothing is ever written over. Each of the two works in steps between which the disk may stop for good, and
`settle` tells by what lies there how far it came, and brings it to its end, or back:

    move    by a second name, then without the first; across disks by a copy beside its place, flushed and
            read again, which takes its place before the first goes
    link    the file gets a second name (``aside``), what is kept a name beside it (``part``), which takes the
            file's place; only then, once both are read again, goes the second name

Moves across disks, and links, hold the first file under its second name until the new one is known to be
good.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from lookalike.system import this_system
from lookalike.system.file_contents import FileContent, has_content
from lookalike.system.flush import flush_folder, flush_open
from lookalike.system.plain_files import open_plain

_BLOCK = 1 << 20  # bytes


class ChangedError(OSError):
    """A file is not any more what it was when it was looked at; all is as it was."""


@dataclass(frozen=True, slots=True)
class Move:
    """A file that is to lie elsewhere.

    Attributes
    ----------
    source, target : Path
        Where it lies, and where it is to lie.
    mark : str
        Names what lies beside both while it is under way; no two moves have the same.
    """

    source: Path
    target: Path
    mark: str

    @property
    def part(self) -> Path:
        """Where a copy is written, beside its place."""
        return self.target.with_name(f".{self.mark}.part")

    @property
    def aside(self) -> Path:
        """What the file is called before it goes, once there is a copy."""
        return self.source.with_name(f".{self.mark}.aside")

    @property
    def reversed(self) -> Move:
        """The way back."""
        return Move(self.target, self.source, self.mark)

    def run(self, content: FileContent) -> None:
        """Put the file into its new place, where nothing is, with its times and permissions.

        Parameters
        ----------
        content : FileContent
            What it was found to hold.

        Raises
        ------
        ChangedError
            If it is something else by now.
        OSError
            If that cannot be; FileExistsError, if something is there.
        """
        try:
            rename_to_free(self.source, self.target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._run_across(content)
            return
        if not content.is_at(self.target):
            rename_to_free(self.target, self.source)
            raise ChangedError(errno.EBUSY, "it was changed meanwhile", str(self.source))

    def _run_across(self, content: FileContent) -> None:
        try:
            if _copy(self.source, self.part) != content.sha256:
                raise ChangedError(errno.EBUSY, "it was changed meanwhile", str(self.source))
            shutil.copystat(self.source, self.part)
            _name_twice(self.part, self.target)
        except OSError:
            self.part.unlink(missing_ok=True)
            raise
        try:
            if not has_content(self.target, content.sha256):
                raise OSError(errno.EIO, "the disk did not take all that was written", str(self.target))
            rename_to_free(self.source, self.aside)
            if not content.is_at(self.aside):
                rename_to_free(self.aside, self.source)
                raise ChangedError(errno.EBUSY, "it was changed meanwhile", str(self.source))
        except OSError:
            self.target.unlink()
            self.part.unlink(missing_ok=True)
            raise
        self.aside.unlink()
        flush_folder(self.source.parent)
        self.part.unlink(missing_ok=True)

    def settle(self, sha256: str) -> bool:
        """Bring a move that was cut off to its end, or back; tell whether the file lies at its new place.

        Raises
        ------
        FileNotFoundError
            If what was to be moved is in neither place.
        OSError
            If the disk refuses it.
        """
        if os.path.lexists(self.aside):
            if has_content(self.target, sha256):
                self.aside.unlink()
            elif not os.path.lexists(self.source):
                rename_to_free(self.aside, self.source)
        is_there = has_content(self.target, sha256)
        if is_there and has_content(self.source, sha256):
            if self._is_own_copy():
                self.target.unlink()
            is_there = False
        self.part.unlink(missing_ok=True)
        if not is_there and not os.path.lexists(self.source):
            raise FileNotFoundError(
                errno.ENOENT, f"it is neither there nor at {self.target}", str(self.source)
            )
        return is_there

    def _is_own_copy(self) -> bool:
        """Tell whether what lies at the new place is a second name of the file, or our copy of it."""
        if _is_one(self.source, self.target):
            return True
        if os.path.lexists(self.part):
            return _is_one(self.part, self.target)
        return os.lstat(self.source).st_dev != os.lstat(self.target).st_dev  # which has no hard links


@dataclass(frozen=True, slots=True)
class Link:
    """A file that is to be another name of one with the same content.

    Attributes
    ----------
    kept, file : Path
        What stays as it is, and the file whose place it takes, too.
    mark : str
        As of a `Move`.
    """

    kept: Path
    file: Path
    mark: str

    @property
    def part(self) -> Path:
        """The new name of what is kept, beside its place."""
        return self.file.with_name(f".{self.mark}.part")

    @property
    def aside(self) -> Path:
        """The second name of the file, until it is known that it is not needed."""
        return self.file.with_name(f".{self.mark}.aside")

    def run(self, sha256: str) -> None:
        """Put another name of what is kept in the file's place.

        Raises
        ------
        ChangedError
            If one of both does not hold this any more; they are as they were.
        OSError
            If that cannot be: across disks, or where there are no hard links.
        """
        try:
            os.link(self.kept, self.part, follow_symlinks=False)
            os.link(self.file, self.aside, follow_symlinks=False)
            flush_folder(self.file.parent)
            os.replace(self.part, self.file)
            flush_folder(self.file.parent)
        except OSError:
            self.settle(sha256)
            raise
        if not self.settle(sha256):
            raise ChangedError(errno.EBUSY, "one of both was changed meanwhile", str(self.file))

    def settle(self, sha256: str) -> bool:
        """Bring a link that was cut off to its end, or back; tell whether both are one file now.

        Raises
        ------
        OSError
            If the disk refuses it.
        """
        if os.path.lexists(self.part) and os.lstat(self.part).st_nlink > 1:
            self.part.unlink()
        if os.path.lexists(self.aside):
            if os.path.lexists(self.file) and _is_one(self.aside, self.file):
                self.aside.unlink()
                return False
            if has_content(self.file, sha256) and has_content(self.aside, sha256):
                self.aside.unlink()
            elif not os.path.lexists(self.file):
                rename_to_free(self.aside, self.file)
                return False
            elif _is_one(self.kept, self.file):  # the name alone is lost; what it names is kept
                os.replace(self.aside, self.file)
                return False
            else:
                raise FileExistsError(
                    errno.EEXIST, f"another file is there; what was there is {self.aside}", str(self.file)
                )
        return os.path.lexists(self.file) and os.path.lexists(self.kept) and _is_one(self.kept, self.file)

    def part_again(self, content: FileContent) -> None:
        """Make a file of its own of the name again, by a copy, with the times and permissions that are told.

        Raises
        ------
        ChangedError
            If it does not hold what is told.
        OSError
            If that cannot be.
        """
        try:
            if _copy(self.file, self.part) != content.sha256:
                raise ChangedError(errno.EBUSY, "it was changed since", str(self.file))
            os.chmod(self.part, content.mode)
            os.utime(self.part, ns=(content.atime_ns, content.mtime_ns))
            os.replace(self.part, self.file)
        finally:
            self.part.unlink(missing_ok=True)
        flush_folder(self.file.parent)


def may_write(folder: Path) -> bool:
    """Tell whether names in a folder may be given and taken, as far as the system says so beforehand."""
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def rename_to_free(source: Path, target: Path) -> None:
    """Give a file another name that nothing has, on the same disk, so that it always has one of both.

    Raises
    ------
    OSError
        If that cannot be; FileExistsError, if something has the name.
    """
    if not this_system.WINDOWS:
        try:
            os.link(source, target, follow_symlinks=False)
        except FileExistsError:
            raise
        except (OSError, NotImplementedError):  # a disk without hard links, or a file of somebody else's
            pass
        else:
            try:
                flush_folder(target.parent)
                source.unlink()
            except OSError:
                target.unlink()
                raise
            flush_folder(source.parent)
            return
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "something is there already", str(target))
    os.rename(source, target)  # Windows refuses to rename over what is there
    flush_folder(target.parent)
    flush_folder(source.parent)


def _name_twice(file: Path, target: Path) -> None:
    """Give a file a second name that nothing has; where there are no hard links, that alone."""
    try:
        os.link(file, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):
        rename_to_free(file, target)
    flush_folder(target.parent)


def _copy(source: Path, target: Path) -> str:
    """Copy a file to a new one, flush it, and return the SHA-256 of what was read."""
    digest = hashlib.sha256()
    with open_plain(source) as reading, target.open("xb", buffering=0) as writing:
        while block := reading.read(_BLOCK):
            digest.update(block)
            rest = memoryview(block)
            while rest:
                rest = rest[writing.write(rest) :]
        flush_open(writing.fileno())
    return digest.hexdigest()


def _is_one(one: Path, other: Path) -> bool:
    return os.path.samestat(os.lstat(one), os.lstat(other))
