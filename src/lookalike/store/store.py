"""The tables of one collection, and the order in which they are written.

Nothing is atomic across tables, so the order is what keeps a killed run harmless: what a row of ``files``
promises is written before it, and deleted after it. Rows that no file needs are swept away by the next run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import ImageError, StoreResourceError
from lookalike.images import decode, dominant_colors, sharpness
from lookalike.images.metadata.metadata import NO_METADATA, Metadata
from lookalike.images.palette import MAX_COLORS, Palette
from lookalike.store import schema
from lookalike.store.embeddings import COLUMN, FLOATS, to_column
from lookalike.store.fields import FieldTable
from lookalike.store.journal_table import JOURNAL, JournalTable
from lookalike.store.kept import KeptFiles
from lookalike.store.schema import ADDED
from lookalike.store.table import Table
from lookalike.types import Ids, ImageId, Vectors

_UPGRADED_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of ``files``."""

    path: str
    id: ImageId
    size: int
    mtime_ns: int
    label: str | None = None
    split: str | None = None
    ctime_ns: int | None = None
    inode: int | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ImageRow:
    """A row of ``images``, with the thumbnail that belongs to it."""

    id: ImageId
    sha256: bytes
    format: str
    width: int
    height: int
    phash: int
    colors: Palette
    sharpness: float
    thumbnail: bytes
    metadata: Metadata = NO_METADATA
    reader: int | None = None


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A row of ``failures``; size and time are None where it is to be tried again every time."""

    path: str
    size: int | None
    mtime_ns: int | None
    reason: str
    reader: int | None = None


@dataclass(slots=True)
class Changes:
    """Rows to be written in one go."""

    vectors: dict[ImageId, Vectors] = field(default_factory=dict)
    """(d,) each."""
    images: list[ImageRow] = field(default_factory=list)
    files: list[FileRow] = field(default_factory=list)
    failures: list[FailureRow] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    """Paths that are no longer files of the collection."""
    cleared: list[str] = field(default_factory=list)
    """Paths that no longer fail."""
    sides: Mapping[str, npt.NDArray[np.uint8]] = field(default_factory=dict)
    """What stands beside the vectors, (n, width) each, in their order."""

    def __len__(self) -> int:
        rows = (self.vectors, self.images, self.files, self.failures, self.gone, self.cleared)
        return sum(map(len, rows))


class Store:
    """The tables of the collection in a ``.lookalike`` folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Of files that were added by call, nobody but the table knows their keys; and vectors that were
        # brought along are swept where it names no file of their images.
        self.files = Table(folder / "files.lance", schema.files(), self._makes_files_again)
        self.images = Table(folder / "images.lance", schema.images(), _always)
        self.thumbnails = Table(folder / "thumbnails.lance", schema.thumbnails(), _always)
        self.failures = Table(folder / "failures.lance", schema.failures(), _always)
        self.fields = FieldTable(folder / "fields.lance", schema.fields())
        self.kept = KeptFiles(folder / ADDED)
        self.journal = JournalTable(folder / JOURNAL, schema.journal())

    def vectors(self, model: str, dimension: int, bits: int = FLOATS) -> Table:
        """Return the vector table of a model; in how many bits a number is kept, who writes it says."""
        place = self.folder / "vectors" / f"{model}.lance"
        return Table(place, schema.vectors(dimension, bits), lambda: not self._are_brought(model))

    def vector_tables(self) -> dict[str, Table]:
        """Return the vector tables that are there, by model."""
        found = sorted((self.folder / "vectors").glob("*.lance"))
        # Dimension and bits matter to writers only; those who read take what the table says.
        return {folder.stem: self.vectors(folder.stem, 1) for folder in found}

    def _makes_files_again(self) -> bool:
        return not self.kept.folder.is_dir() and not any((self.folder / "models").glob("*.external"))

    def _are_brought(self, model: str) -> bool:
        """Whether the vectors of a model are brought along: then no network makes them again."""
        return (self.folder / "models" / f"{model}.external").exists()

    def write(self, changes: Changes, vectors: Table) -> None:
        """Write rows of all tables in the order that keeps every promise; a kill loses at most this call."""
        images, files, failures = changes.images, changes.files, changes.failures
        if changes.vectors:
            rows = np.stack(list(changes.vectors.values()))
            self.write_vectors(list(changes.vectors), rows, vectors, changes.sides)
        if images:
            self.thumbnails.upsert(
                {"id": [row.id for row in images], "jpeg": [row.thumbnail for row in images]}
            )
            self.images.upsert(_image_columns(images))
        if files:
            self.files.upsert(_columns(files, self.files))
        if changes.gone:
            self.files.delete(changes.gone)
        if failures:
            self.note_failures(failures)
        if changes.cleared:
            self.failures.delete(changes.cleared)

    def write_files(self, rows: Sequence[FileRow]) -> None:
        """Write rows of ``files`` whose images are there."""
        if rows:
            self.files.upsert(_columns(rows, self.files))

    def load(self) -> None:
        """Load what tables are written with, so that memory that runs out later does not prevent it."""
        try:
            import lance  # noqa: F401
        except ImportError as error:  # so the loader says that there is no room for it, too
            raise StoreResourceError(f"Lance cannot be loaded: {error} (is there enough memory?)") from error

    def note_failures(self, failures: Sequence[FailureRow]) -> None:
        """Write rows of files that could not be read; each at most once."""
        self.failures.upsert(_columns(failures, self.failures))

    def note_metadata(self, said: Mapping[ImageId, Metadata], reader: int) -> None:
        """Write what today's reader found in the headers of images whose pixels it sees as they were seen."""
        columns = self.images.read_where_in("id", said, self.images.schema.names).to_pydict()
        columns |= _metadata_columns([said[image] for image in columns["id"]])
        columns["reader"] = [reader] * len(columns["id"])
        self.images.upsert(columns)

    def write_vectors(
        self,
        ids: Ids | list[ImageId],
        vectors: Vectors,
        table: Table,
        sides: Mapping[str, npt.NDArray[np.uint8]] = MappingProxyType({}),
    ) -> None:
        """Write embeddings, (n, d), of images that are there or about to be.

        What stands beside them, (n, width) each, gets a column of its name, which the table may lack so far.
        """
        import pyarrow as pa

        table = table.with_sides({name: rows.shape[1] for name, rows in sides.items()})
        beside = {
            name: pa.FixedSizeBinaryArray.from_buffers(
                pa.binary(rows.shape[1]), len(rows), [None, pa.py_buffer(np.ascontiguousarray(rows))]
            )
            for name, rows in sides.items()
        }
        table.upsert({"id": ids, COLUMN: to_column(vectors, table.schema), **beside})

    def needs_upgrade(self) -> bool:
        """Whether it is of format 1, without colours and sharpness, or an upgrade was cut short."""
        return bool("sharpness" in self.images.missing_columns() or self._not_looked_at())

    def _not_looked_at(self) -> list[int]:
        ids: list[int] = self.images.read(["id"], "sharpness IS NULL")["id"].to_pylist()
        return ids

    def upgrade(self) -> None:
        """Add what an earlier lookalike did not know of the images, from their thumbnails.

        A kill loses at most a batch; the next call goes on from there.
        """
        for table in (self.files, self.images, self.failures):
            table.add_missing_columns()
        unknown = self._not_looked_at()
        for start in range(0, len(unknown), _UPGRADED_AT_ONCE):
            batch = unknown[start : start + _UPGRADED_AT_ONCE]
            seen: dict[int, tuple[Palette, float]] = {}
            for row in self.thumbnails.read_where_in("id", batch, ["id", "jpeg"]).to_pylist():
                with contextlib.suppress(ImageError):
                    thumbnail = decode(row["jpeg"], "thumbnail").image
                    seen[row["id"]] = dominant_colors(thumbnail), sharpness(thumbnail)
            # Without its thumbnail an image is not whole: it goes, and the sync reads its file again.
            self.images.delete(set(batch) - seen.keys())
            columns = self.images.read_where_in("id", seen, self.images.schema.names).to_pydict()
            columns["colours"] = [_flat(seen[image][0]) for image in columns["id"]]
            columns["sharpness"] = [seen[image][1] for image in columns["id"]]
            self.images.upsert(columns)

    def sweep(self) -> int:
        """Delete what belongs to images that no file holds any more; return how many images that were."""
        kept = np.unique(self.files.read(["id"])["id"].to_numpy())
        swept: set[int] = set()
        for table in (self.images, self.thumbnails, *self.vector_tables().values()):
            ids = table.read(["id"])["id"].to_numpy()
            orphans = np.setdiff1d(ids, kept).tolist()
            if orphans:
                table.delete(orphans)
                swept.update(orphans)
        self.sweep_added()
        return len(swept)

    def sweep_images(self, images: Iterable[ImageId]) -> None:
        """Delete what belongs to some images, as far as no file holds them any more."""
        named = set(images)
        gone, kept = set(named), set()
        for row in self.files.read_where_in("id", named, ["id", "path"]).to_pylist():
            if row["path"].startswith(f"{ADDED}:"):
                kept.add(row["id"])
            gone.discard(row["id"])
        for table in (self.images, self.thumbnails, *self.vector_tables().values()) if gone else ():
            table.delete(gone)
        for image in named - kept:
            self.kept.remove(image)

    def sweep_added(self) -> None:
        """Delete what writers that were killed left of images that were added, or replaced, or removed."""
        if not self.kept.folder.is_dir():
            return
        rows = self.files.read(["path", "id"], f"starts_with(path, '{ADDED}:')").to_pydict()
        self.kept.sweep(set(rows["id"]))
        self.fields.sweep(dict(zip(rows["path"], rows["id"], strict=True)), f"{ADDED}:")

    def maintain(self) -> None:
        """Keep the tables quick to read; see `Table.maintain`."""
        for table in self._tables():
            table.maintain()

    def sweep_cut_off(self) -> None:
        """Delete the data that a writer that was killed left in the tables, and no version names."""
        for table in self._tables():
            table.sweep_cut_off()

    def _tables(self) -> list[Table]:
        """Return those that are written under the writer's lock."""
        named = (self.files, self.images, self.thumbnails, self.failures, self.fields)
        return [*named, *self.vector_tables().values()]


def _always() -> bool:
    return True


def _flat(colors: Palette) -> npt.NDArray[np.float32]:
    """Return the numbers of a palette, (20,), with zeros where there are fewer than 5 colours."""
    numbers = np.zeros(4 * MAX_COLORS, np.float32)
    numbers[: colors.size] = colors.ravel()
    return numbers


def _image_columns(rows: Sequence[ImageRow]) -> dict[str, list[Any]]:
    said = [row.metadata for row in rows]
    return {
        **{
            name: [getattr(row, name) for row in rows]
            for name in ("id", "sha256", "format", "width", "height", "phash", "sharpness", "reader")
        },
        "colours": [_flat(row.colors) for row in rows],
        **_metadata_columns(said),
    }


def _metadata_columns(said: Sequence[Metadata]) -> dict[str, list[Any]]:
    names = ("taken", "camera", "lens", "latitude", "longitude", "rating", "caption")
    return {
        **{name: [getattr(each, name) for each in said] for name in names},
        "taken_offset": [each.offset for each in said],
        "keywords": [list(each.keywords) or None for each in said],
    }


def _columns(rows: Sequence[object], table: Table) -> dict[str, list[object]]:
    return {name: [getattr(row, name) for row in rows] for name in table.schema.names}
