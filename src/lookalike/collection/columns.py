"""The columns of a collection in memory: where its images lie, and what they are.

Layout, a row a file, by stored path:

    folders   text      each once, as paths begin: ``photos:2019/lake/``
    folder_codes  int32 which of them
    names     text      what follows the folder
    ids       int64     of the image
    by_id     int64     the rows, by id
    labels    text      of folders and data sets, each once
    label_codes   int32 which of them, -1 for none

and a row an image, by id: see `ImageColumns`. So a million files whose names have 16 letters take 46 MB, and
a million images 52 MB.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.images.finding.spelling import composed
from lookalike.images.palette import MAX_COLORS
from lookalike.store import Table
from lookalike.types import Ids, ImageId

if TYPE_CHECKING:
    import pyarrow as pa

_NAME = "[^/:]*$"
_FOLDER = "(?s)^.*[/:]"


@dataclass(frozen=True, slots=True, eq=False)
class FileColumns:
    """Where images lie: a row a file, by stored path.

    Attributes
    ----------
    folders : pyarrow.StringArray
        Each once, as stored paths begin: ``photos:2019/lake/``.
    folder_codes : (n,) int32
        Which of them.
    names : pyarrow.StringArray
        (n,), what follows the folder.
    ids : (n,) int64
        Of the images.
    by_id : (n,) int64
        The rows, by id.
    labels : tuple of str
        Those of folders and data sets, each once.
    label_codes : (n,) int32
        Which of them; -1 for none.
    """

    folders: pa.StringArray
    folder_codes: npt.NDArray[np.int32]
    names: pa.StringArray
    ids: Ids
    by_id: npt.NDArray[np.int64]
    labels: tuple[str, ...]
    label_codes: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        _protect(self)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_bytes(self) -> int:
        """What they take in memory."""
        arrays = (self.folder_codes, self.ids, self.by_id, self.label_codes)
        return sum(each.nbytes for each in (*arrays, self.folders, self.names))

    def path(self, row: int) -> str:
        """Return the stored path of a row."""
        return f"{self.folders[self.folder_codes[row]].as_py()}{self.names[row].as_py()}"

    def paths(self) -> list[str]:
        """Return the stored paths of all rows."""
        folders = self.folders.to_pylist()
        pairs = zip(self.folder_codes.tolist(), self.names.to_pylist(), strict=True)
        return [folders[code] + name for code, name in pairs]

    def label(self, row: int) -> str | None:
        """Return the label that the folder or data set gives a row."""
        code = self.label_codes[row]
        return None if code < 0 else self.labels[code]

    def facts(self, rows: npt.NDArray[np.int64] | None = None) -> list[tuple[str, int, str | None]]:
        """Return stored path, image and label of some rows, or of all."""
        if rows is None:
            codes, labels = self.label_codes.tolist(), (*self.labels, None)  # -1 is the last
            triples = zip(self.paths(), self.ids.tolist(), codes, strict=True)
            return [(path, image, labels[code]) for path, image, code in triples]
        return [(self.path(row), int(self.ids[row]), self.label(row)) for row in rows.tolist()]

    def image_at(self, path: str) -> ImageId | None:
        """Return the image that lies at a stored path; None if none does."""
        row = bisect_left(range(len(self)), path, key=self.path)
        return ImageId(int(self.ids[row])) if row < len(self) and self.path(row) == path else None

    def have(self, images: Ids) -> npt.NDArray[np.bool_]:
        """Tell which of some images lie anywhere."""
        if not len(self):
            return np.zeros(len(images), bool)
        at = np.searchsorted(self.ids, images, sorter=self.by_id)
        found: npt.NDArray[np.bool_] = self.ids[self.by_id[np.minimum(at, len(self) - 1)]] == images
        return found

    def rows_of(self, images: Iterable[int]) -> npt.NDArray[np.int64]:
        """Return the rows of some images, none where they lie nowhere; those of one are by path."""
        wanted = np.unique(np.fromiter(images, np.int64))
        first = np.searchsorted(self.ids, wanted, side="left", sorter=self.by_id)
        last = np.searchsorted(self.ids, wanted, side="right", sorter=self.by_id)
        runs = [self.by_id[start:end] for start, end in zip(first.tolist(), last.tolist(), strict=True)]
        return np.concatenate([np.empty(0, np.int64), *runs])


@dataclass(frozen=True, slots=True, eq=False)
class ImageColumns:
    """What images are: a row an image, by id.

    Attributes
    ----------
    ids : (n,) int64
        Rising.
    widths, heights : (n,) int32
    formats : tuple of str
        Each once.
    format_codes : (n,) int32
        Which of these.
    taken : (n,) datetime64[us]
        As the camera's clock showed it; NaT where it is not known.
    sharpness : (n,) float32
        NaN where it is not known.
    phashes : (n,) uint64
    colors : (n, 3) float32
        L*, a*, b* of the color that there is most of; NaN where it is not known.
    """

    ids: Ids
    widths: npt.NDArray[np.int32]
    heights: npt.NDArray[np.int32]
    formats: tuple[str, ...]
    format_codes: npt.NDArray[np.int32]
    taken: npt.NDArray[np.datetime64]
    sharpness: npt.NDArray[np.float32]
    phashes: npt.NDArray[np.uint64]
    colors: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        _protect(self)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_bytes(self) -> int:
        """What they take in memory."""
        sides = (self.widths, self.heights)
        others = (self.ids, self.format_codes, self.taken, self.sharpness, self.phashes, self.colors)
        return sum(each.nbytes for each in (*sides, *others))


def read_files(table: Table) -> FileColumns:
    """Read where images lie from the table of files."""
    import pyarrow.compute as pc

    rows = table.read(["path", "id", "label"])
    paths = rows["path"].combine_chunks()
    order = pc.sort_indices(paths).to_numpy()
    folders = pc.replace_substring_regex(paths, _NAME, "").dictionary_encode()
    names = pc.replace_substring_regex(paths, _FOLDER, "").take(order)
    ids = rows["id"].to_numpy()[order]
    labels, label_codes = _coded(rows["label"])
    return FileColumns(
        folders=folders.dictionary,
        folder_codes=folders.indices.to_numpy()[order],
        names=names,
        ids=ids,
        by_id=np.argsort(ids, kind="stable"),
        labels=labels,
        label_codes=label_codes[order],
    )


def read_images(table: Table) -> ImageColumns:
    """Read what images are from the table of images."""
    rows = table.read(["id", "width", "height", "format", "taken", "sharpness", "phash", "colours"])
    ids = rows["id"].to_numpy()
    order = np.argsort(ids)
    formats, format_codes = _coded(rows["format"])
    columns = {
        name: rows[name].to_numpy()[order] for name in ("width", "height", "taken", "sharpness", "phash")
    }
    return ImageColumns(
        ids=ids[order],
        widths=columns["width"],
        heights=columns["height"],
        formats=formats,
        format_codes=format_codes[order],
        taken=columns["taken"],
        sharpness=columns["sharpness"],
        phashes=columns["phash"],
        colors=_first_colors(rows["colours"])[order],
    )


def _protect(columns: FileColumns | ImageColumns) -> None:
    """Let nobody change what all share."""
    for field in fields(columns):
        values = getattr(columns, field.name)
        if isinstance(values, np.ndarray):
            values.flags.writeable = False


def _coded(column: pa.ChunkedArray) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
    """Return the values of a column, each once and composed, and which of them each row has; -1 for null."""
    import pyarrow.compute as pc

    coded = column.combine_chunks().dictionary_encode()
    values = [composed(value) for value in coded.dictionary.to_pylist()]
    there = tuple(dict.fromkeys(values))  # a label may have been kept in two spellings
    now = np.array(
        [*map({value: code for code, value in enumerate(there)}.__getitem__, values), -1], np.int32
    )
    return there, now[pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)]


def _first_colors(column: pa.ChunkedArray) -> npt.NDArray[np.float32]:
    found = np.full((len(column), 3), np.nan, np.float32)
    known = column.is_valid().to_numpy()
    found[known] = column.combine_chunks().flatten().to_numpy().reshape(-1, MAX_COLORS, 4)[:, 0, :3]
    return found
