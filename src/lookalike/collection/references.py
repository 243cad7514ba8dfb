"""Images and files of a collection by what people call them: ids, stored paths, keys, files of the disk."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lookalike.collection.places import Places
from lookalike.errors import InvalidInputError
from lookalike.images.finding.spelling import composed
from lookalike.query.terms import read_id
from lookalike.store import ADDED
from lookalike.system.file_names import unescape

COLUMNS = ("path", "file", "id", "key")
"""What a column of a table is called that says which file a row is about."""

_SOUGHT = 1_000  # paths, one by one; for more, all are put into a dictionary


class NamedFile(NamedTuple):
    """A file of the collection: its stored path, and its image."""

    path: str
    image: int


class References:
    """Finds the files of a collection, as a snapshot shows it, by what they are called.

    Parameters
    ----------
    places : Places
    folders : iterable of Path
        What relative paths may be relative to, beside the working directory and the roots.
    """

    def __init__(self, places: Places, folders: Iterable[Path] = ()) -> None:
        self._places = places
        self._files = places.snapshot.files
        self._n_asked = 0
        roots = (folder for _, folder in places.of_roots())
        self._folders = [Path.cwd(), *folders, *roots]

    def image(self, reference: object) -> int:
        """Return the image that is meant.

        Raises
        ------
        LookupError
            If there is none in the collection.
        """
        if isinstance(reference, int | np.integer) and not isinstance(reference, bool):
            if int(reference) in self._ids:
                return int(reference)
            raise LookupError("there is no image of this id in the collection")
        return self.find(reference)[0].image

    def find(self, reference: object) -> list[NamedFile]:
        """Return the files that are meant: of an id all that hold the image, else one.

        Parameters
        ----------
        reference : int, str or path
            An id, as a number or as 16 hexadecimal digits; a stored path, such as ``photos:2019/lake.jpg``,
            ``mnist:test/42`` or ``added:KEY``; the path of a file.

        Raises
        ------
        LookupError
            If there is none in the collection.
        """
        if isinstance(reference, os.PathLike):
            return [self._of_path(os.fspath(reference))]
        if isinstance(reference, str):
            row = self._row_at(reference)
            if row is not None:
                return [NamedFile(reference, int(self._files.ids[row]))]
        try:
            image = read_id(reference)
        except InvalidInputError as error:
            if isinstance(reference, str):
                return [self._of_path(reference)]
            raise LookupError("expected an id, a stored path, or the path of a file") from error
        return self._of_image(image)

    def find_in(self, column: str, text: str) -> list[NamedFile]:
        """Return the files that a word in a column of a table means; see `COLUMNS`.

        What is called a file may be its name alone, where only one is called so.

        Raises
        ------
        LookupError
            If there is none in the collection.
        """
        if column == "key":
            text = f"{ADDED}:{text}"
        if column == "id":
            try:
                return self._of_image(read_id(int(text) if text.isdecimal() and len(text) != 16 else text))
            except InvalidInputError as error:
                raise LookupError("it is no id") from error
        row = self._row_at(text)
        if row is not None:
            return [NamedFile(text, int(self._files.ids[row]))]
        if column == "key":
            raise LookupError("nothing was added under this key")
        try:
            return [self._of_path(text)]
        except LookupError:
            names = [composed(text), composed(unescape(text))] if column == "file" else []
            found = next((self._by_name[name] for name in names if name in self._by_name), None)
            if found is None:
                raise
            return [self._file(found)]

    def _row_at(self, path: str) -> int | None:
        self._n_asked += 1
        return self._files.row_at(path) if self._n_asked <= _SOUGHT else self._rows.get(path)

    def _of_image(self, image: int) -> list[NamedFile]:
        rows = self._files.rows_of([image])
        if not len(rows):
            raise LookupError("there is no image of this id in the collection")
        return [self._file(row) for row in rows.tolist()]

    def _of_path(self, path: str) -> NamedFile:
        exact = [
            each
            for name in dict.fromkeys((path, unescape(path)))  # as it is, or as it is exported
            for each in (name, *(os.path.normpath(folder / name) for folder in self._folders))
        ]
        for each in (*exact, *map(composed, exact)):
            row = self._by_path.get(each)
            if row is not None:
                return self._file(row)
        raise LookupError("there is no such file in the collection")

    def _file(self, row: int) -> NamedFile:
        return NamedFile(self._files.path(row), int(self._files.ids[row]))

    @cached_property
    def _ids(self) -> set[int]:
        return set(self._files.ids.tolist())

    @cached_property
    def _rows(self) -> dict[str, int]:
        """The rows by stored paths."""
        return {path: row for row, path in enumerate(self._files.paths())}

    @cached_property
    def _by_path(self) -> dict[str, int]:
        """The rows by stored and absolute paths, and as these are written with composed letters."""
        images = self._files.ids.tolist()
        absolute = map(self._places.snapshot.absolute, self._rows, images)
        exact = self._rows | {path: row for row, path in enumerate(absolute)}
        # Paths as they are come first: two files may differ in nothing but how their accents are written.
        return {composed(path): row for path, row in exact.items() if not path.isascii()} | exact

    @cached_property
    def _by_name(self) -> dict[str, int]:
        """The rows by the names of files, as far as no two have the same."""
        names = [composed(unescape(name)) for name in self._files.names.to_pylist()]
        counts = Counter(names)
        return {name: row for row, name in enumerate(names) if counts[name] == 1}
