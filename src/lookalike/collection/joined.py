"""Files and images together: which image each file holds, and where each image lies first."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from lookalike.collection.coding import Coded, CodedLists, Mask
from lookalike.collection.columns import FileColumns, ImageColumns
from lookalike.system.memo import Memo, Recent

T = TypeVar("T")
Rows = npt.NDArray[np.int32]

ORDERS = 3
"""How many orders of images are kept, beside that by path."""


class Joined:
    """The rows of files and those of images, each known by the other. Several threads may use it.

    Between an image and its files others may write: an image without a file lies nowhere, and is none of the
    collection; a file without its image is passed over.

    Parameters
    ----------
    files : FileColumns
    images : ImageColumns
    last : str, optional
        What the paths begin with that are the first of an image only where it has no others.
    """

    def __init__(self, files: FileColumns, images: ImageColumns, last: str | None = None) -> None:
        self.files = files
        self.images = images
        self._last = last
        self.orders: Recent[Hashable, Any] = Recent(ORDERS)
        self.central: Recent[Hashable, Any] = Recent(1)  # not to be lost to others, as it takes longest
        self._kept: Memo[Hashable, Any] = Memo()

    @property
    def is_made(self) -> bool:
        """Whether it has been asked before."""
        return self._kept.has("images")

    @property
    def images_of_files(self) -> Rows:
        """The row of the image of each file: (n_files,); -1 where it has none."""

        def join() -> Rows:
            by_id = self.files.by_id  # what is sorted is found sooner
            found = np.empty(len(by_id), np.int32)
            found[by_id] = self.images.rows_of(self.files.ids[by_id])
            return found

        found: Rows = self._kept.get("images", join)
        return found

    @property
    def is_there(self) -> Mask:
        """Which images lie anywhere: (n_images,)."""
        found: Mask = self._kept.get("there", lambda: self.of_files(None))
        return found

    @property
    def first_files(self) -> Rows:
        """The row of the first file of each image, by path: (n_images,); -1 where it lies nowhere."""
        found: Rows = self._kept.get("first", lambda: self._first(self.files.by_path)[0])
        return found

    @property
    def by_path(self) -> Rows:
        """The rows of the images that lie anywhere, by the first of their paths."""

        def sort() -> Rows:
            order = self.files.by_path
            images = self.images_of_files[order]
            return images[self.first_files[images] == order] if len(self.images) else images[:0]

        found: Rows = self._kept.get("by path", sort)
        return found

    def by_path_of(self, files: Mask | None) -> Rows:
        """Return the rows of the images that lie in some files, or in any, by the first path of these."""
        return self.by_path if files is None else self._first(self.files.by_path, files)[1]

    def of_files(self, files: Mask | None) -> Mask:
        """Return which images lie in some files, or in any: (n_images,)."""
        rows = self.images_of_files if files is None else self.images_of_files[files]
        found = np.zeros(len(self.images) + 1, bool)
        found[rows] = True  # the last is that of files without one
        return found[:-1]

    def on_files(self, images: Mask) -> Mask:
        """Return which files hold some images: (n_files,)."""
        return np.append(images, False)[self.images_of_files]

    @property
    def in_many_places(self) -> npt.NDArray[np.intp]:
        """The rows of the files that hold an image that lies in other places, too; few, as a rule."""

        def find() -> npt.NDArray[np.intp]:
            ids = self.files.ids[self.files.by_id]
            is_next = np.zeros(len(ids) + 1, bool)
            is_next[1:-1] = ids[1:] == ids[:-1]
            rows = np.sort(self.files.by_id[is_next[1:] | is_next[:-1]])
            return rows[self.images_of_files[rows] >= 0]

        return self.keep("many places", find)

    def by_image(self, column: Coded | CodedLists) -> Coded | CodedLists:
        """Return a column of files by image; with nothing for images in several places, or in none."""
        first = self.first_files.copy()
        first[self.images_of_files[self.in_many_places]] = -1
        if isinstance(column, Coded):
            return Coded(column.values, np.append(column.codes, column.codes.dtype.type(-1))[first])
        is_alone = np.zeros(len(self.files), bool)
        is_alone[first[first >= 0]] = True
        at = np.flatnonzero(is_alone[column.rows])
        images = self.images_of_files[column.rows[at]]
        order = np.argsort(images, kind="stable")
        return CodedLists(column.values, images[order], column.codes[at][order], len(first))

    def keep(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made of these tables before, or make it now, once for all who ask."""
        found: T = self._kept.get(key, make)
        return found

    @property
    def n_bytes(self) -> int:
        """What has been made so far takes in memory."""
        return sum(getattr(kept, "nbytes", 0) for kept in self._kept.values())

    @property
    def _is_last(self) -> Mask:
        last = self._last
        if last is None:
            return np.zeros(len(self.files), bool)

        def find() -> Mask:
            by_folder = [folder.startswith(last) for folder in self.files.folders.to_pylist()]
            is_last: Mask = np.array(by_folder, bool)[self.files.folder_codes]
            return is_last

        found: Mask = self._kept.get("last", find)
        return found

    def _first(self, order: Rows, files: Mask | None = None) -> tuple[Rows, Rows]:
        """Return the first file of each image, among some or all, and the images by these."""
        order = order if files is None else order[files[order]]
        images = self.images_of_files[order]
        first = np.full(len(self.images) + 1, -1, np.int32)
        is_last = self._is_last[order]
        for rows in (order[is_last], order[~is_last]):
            first[self.images_of_files[rows[::-1]]] = rows[::-1]  # of several the last is kept
        first[-1] = -1
        return first[:-1], images[first[images] == order]
