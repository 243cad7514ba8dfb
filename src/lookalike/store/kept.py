"""The files of images that were added by call, which lie in the collection itself.

Layout
------
    added/ab/ab12…ef.jpg     a file by its image's id, whose first two digits are the folder; its ending says
                             what it is, for those who open it
    added/unswept            there while somebody writes: who finds it sweeps first

A file is its content, so it never changes, and two keys of the same content share it. It is on the disk
before a row of ``files`` names it, and removed once none does.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable
from pathlib import Path

from lookalike.errors import StoreResourceError
from lookalike.system.flush import flush_folder
from lookalike.system.replace_file import replace_file
from lookalike.types import ImageId, format_id

_MARK = "unswept"


class KeptFiles:
    """The files in a folder, by image. Several threads may use it; who writes holds the writer's lock.

    Parameters
    ----------
    folder : Path
        It need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: dict[str, str] = {}  # by id as it is written; as it was when it was last looked at
        self._lock = threading.Lock()

    def path_of(self, image: int) -> Path:
        """Return where the file of an image lies, or would lie."""
        written = format_id(image)
        place = self.folder / written[:2]
        return place / self._name_of(written)

    def has(self, image: int, size: int) -> bool:
        """Tell whether the file of an image is there, whole."""
        try:
            return os.stat(self.path_of(image)).st_size == size
        except OSError:
            return False

    def write(self, image: int, content: bytes, ending: str) -> None:
        """Keep a file, unless it is there.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        if self.has(image, len(content)):
            return
        written = format_id(image)
        file = self.folder / written[:2] / f"{written}{ending}"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(file, content, durable=True, names_flushed_later=True)
        except OSError as error:
            raise StoreResourceError(f"cannot write {file}: {error.strerror or error}") from error
        with self._lock:
            self._names[written] = file.name

    def flush(self, images: Iterable[int]) -> None:
        """Flush the folders that name the files of some images to the disk."""
        folders = {self.folder / format_id(image)[:2] for image in images}
        for folder in (*folders, self.folder, self.folder.parent) if folders else ():
            try:
                flush_folder(folder)
            except OSError as error:
                raise StoreResourceError(f"cannot write to {folder}: {error.strerror or error}") from error

    def remove(self, image: int) -> None:
        """Remove the file of an image, if it is there."""
        with contextlib.suppress(OSError):  # what is left is swept another time
            self.path_of(image).unlink(missing_ok=True)
        with self._lock:
            self._names.pop(format_id(image), None)

    def begin(self) -> bool:
        """Mark that somebody writes; return whether somebody began before, and came to no end.

        Raises
        ------
        StoreError
            If the folder cannot be made.
        """
        mark = self.folder / _MARK
        try:
            if mark.exists():
                return True
            self.folder.mkdir(exist_ok=True)
            mark.touch()
        except OSError as error:
            raise StoreResourceError(f"cannot write to {self.folder}: {error.strerror or error}") from error
        return False

    def end(self) -> None:
        """Take the mark away: nothing is to be swept."""
        with contextlib.suppress(OSError):
            (self.folder / _MARK).unlink(missing_ok=True)

    def sweep(self, images: set[ImageId]) -> None:
        """Remove all files but those of these images, and what was written only in part."""
        wanted = {format_id(image) for image in images}
        for folder in self._folders():
            for name in os.listdir(folder):
                if name.partition(".")[0] not in wanted or name.endswith(".part"):
                    with contextlib.suppress(OSError):
                        os.unlink(folder / name)
        with self._lock:
            self._names.clear()
        self.end()

    def files(self) -> list[Path]:
        """Return all files that are kept, whole or not, but those that are being written."""
        found = (folder / name for folder in self._folders() for name in os.listdir(folder))
        return sorted(each for each in found if not each.name.endswith(".part"))

    def _folders(self) -> list[Path]:
        try:
            return [Path(entry.path) for entry in os.scandir(self.folder) if entry.is_dir()]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _name_of(self, written: str) -> str:
        """Return the name of a file, as its folder has it; that is looked into once for all in it."""
        name = self._names.get(written)
        if name is None:
            with contextlib.suppress(OSError):
                names = os.listdir(self.folder / written[:2])
                found = {each.partition(".")[0]: each for each in names if not each.endswith(".part")}
                with self._lock:
                    self._names.update(found)
            name = self._names.get(written, written)
        return name
