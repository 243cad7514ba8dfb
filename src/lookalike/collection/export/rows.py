"""What is exported: images in an order, with what a result says of each, and where they lie.

A row is a file: an image that lies in three places has three rows, of one id. Rows are made a block of images
at a time, so that a million of them take no more memory than a thousand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.collection.embedded import vector_table
from lookalike.collection.places import FileLocation
from lookalike.collection.resources import Resources
from lookalike.embed import Model
from lookalike.query.facts import SAID_COLUMNS, metadata_of
from lookalike.results.documents import plain_value
from lookalike.results.info import moment_of
from lookalike.system.progress import UNWATCHED, Progress, Watch
from lookalike.types import Ids, format_id

Column: TypeAlias = Sequence[Any] | npt.NDArray[Any]

_File: TypeAlias = tuple[str, str | None]  # its absolute path; and its key, if it was added by call

BLOCK = 5_000  # images
_TOLD = 16  # images between two reports, where files are copied

_FACTS = (
    *(
        "key",
        "split",
        "format",
        "width",
        "height",
        "sharpness",
        "taken",
        "camera",
        "lens",
        "latitude",
        "longitude",
    ),
    *("keywords", "rating", "caption"),
)
_OWN = ("path", "id", "label", *_FACTS)


@dataclass(frozen=True, slots=True, eq=False)
class Export:
    """What is written.

    Attributes
    ----------
    resources : Resources
    ids : (n,) int64
        The images, in order, each once.
    about : dict
        What the result is, as a document of JSON.
    columns : mapping of str to sequence
        What it says of each image: (n,) each, by name.
    groups : (n,) of str, optional
        The group that each image is in, where the result has some; else they are told by `by`.
    all_groups : tuple of str
        All groups that the result has, in order.
    by : {"label", "split"}
        What groups images otherwise.
    model : Model or None
        Whose vectors are written; None for none.
    has_facts : bool
        Whether rows also have what the collection knows of each image: size, date, the user's own fields.
    paths : mapping of int to set of str, optional
        The places that are meant, of images of which not all are.
    watch : Watch
    """

    resources: Resources
    ids: Ids
    about: dict[str, Any]
    columns: Mapping[str, Column] = field(default_factory=dict)
    groups: Sequence[str] | None = None
    all_groups: tuple[str, ...] = ()
    by: str = "label"
    model: Model | None = None
    has_facts: bool = True
    paths: Mapping[int, set[str]] = field(default_factory=dict)
    watch: Watch = UNWATCHED

    def blocks(self) -> Iterator[list[dict[str, Any]]]:
        """Give the rows, some thousand at a time; images that have left the collection have none."""
        own = self._own_fields() if self.has_facts else {}
        for start in range(0, len(self.ids), BLOCK):
            self._tell(start)
            images = self.ids[start : start + BLOCK].tolist()
            locations = self.resources.places.of_images(images)
            facts = self._facts(images) if self.has_facts else {}
            files = self._facts_of_files(images, own) if self.has_facts else {}
            yield [
                self._row(
                    start + at, image, location, facts.get(image, {}) | files.get(_file_of(location), {})
                )
                for at, image in enumerate(images)
                for location in self._meant(image, locations.get(image, ()))
            ]

    def rows(self) -> list[dict[str, Any]]:
        """Return all rows."""
        return [row for block in self.blocks() for row in block]

    def column_names(self) -> list[str]:
        """Return the names of the columns, in order; of the user's own fields those that are not ours."""
        if not self.has_facts:
            return ["path", "id", *self.columns, "label"]
        return ["path", "id", *self.columns, "label", *_FACTS, *self._own_fields()]

    def located(self) -> Iterator[tuple[int, list[FileLocation], int]]:
        """Give each image that lies anywhere, its places, and its place in the order."""
        for start in range(0, len(self.ids), BLOCK):
            images = self.ids[start : start + BLOCK].tolist()
            locations = self.resources.places.of_images(images)
            for at, image in enumerate(images, start=start):
                if at % _TOLD == 0:
                    self._tell(at)
                self.watch.check()
                found = self._meant(image, locations.get(image, ()))
                if found:
                    yield image, found, at

    def vectors_of(self, images: Sequence[int]) -> npt.NDArray[np.float32]:
        """Return the vectors of some images, (n, d) float32; NaN where an image is not embedded."""
        assert self.model is not None
        table = vector_table(self.resources.store, self.model)
        wanted, at = np.unique(np.array(images, np.int64), return_inverse=True)
        vectors = np.full((len(wanted), self.model.dimension), np.nan, np.float32)
        ids, found = table.vectors_of(wanted.tolist())
        vectors[np.searchsorted(wanted, ids)] = found
        result: npt.NDArray[np.float32] = vectors[at]
        return result

    def _tell(self, done: int) -> None:
        self.watch(Progress("exporting", done, len(self.ids), "exporting", unit="images"))

    def _meant(self, image: int, locations: Sequence[FileLocation]) -> list[FileLocation]:
        meant = self.paths.get(image, set())
        kept = [location for location in locations if location.path in meant]
        return kept or list(locations)  # all, too, where the image has been moved since

    def _row(
        self,
        at: int,
        image: int,
        location: FileLocation,
        known: Mapping[str, Any],
    ) -> dict[str, Any]:
        row = {"path": location.path, "id": format_id(image)}
        row |= {name: plain_value(values[at]) for name, values in self.columns.items()}
        keys = {"key": location.key} if self.has_facts else {}
        return row | {"label": location.label, **keys, **known}

    def _facts(self, images: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return what the collection knows of images."""
        names = ["format", "width", "height", "sharpness"]
        rows = self.resources.store.images.read_where_in("id", images, ["id", *names, *SAID_COLUMNS])
        found = {}
        for row in rows.to_pylist():
            said = metadata_of(row)
            found[row["id"]] = {name: plain_value(row[name]) for name in names} | {
                "taken": None if said.taken is None else moment_of(said).isoformat(),
                **{name: getattr(said, name) for name in _FACTS if hasattr(said, name) and name != "taken"},
                "keywords": list(said.keywords),
            }
        return found

    def _facts_of_files(self, images: Sequence[int], own: Mapping[str, Any]) -> dict[_File, dict[str, Any]]:
        """Return what the collection knows of files: the split, and the user's own fields."""
        snapshot, key_of = self.resources.places.snapshot, self.resources.places.key_of
        rows = self.resources.store.files.read_where_in("id", images, ["path", "id", "split"]).to_pylist()
        found: dict[_File, dict[str, Any]] = {
            (snapshot.absolute(row["path"], row["id"]), key_of(row["path"])): {"split": row["split"]}
            for row in rows
        }
        if own:
            at = snapshot.files.rows_of(images)
            columns = {name: column.take(at).to_pylist() for name, column in own.items()}
            for number, row in enumerate(at.tolist()):
                stored, image = snapshot.files.path(row), int(snapshot.files.ids[row])
                said = {name: plain_value(values[number]) for name, values in columns.items()}
                found.setdefault((snapshot.absolute(stored, image), key_of(stored)), {}).update(said)
        return found

    def _own_fields(self) -> dict[str, Any]:
        """Return the user's own columns; one that is called as one of ours has an underscore behind it."""
        taken = {*_OWN, *self.columns}
        columns = self.resources.places.snapshot.fields.columns
        return {f"{name}_" if name in taken else name: column for name, column in columns.items()}


def _file_of(location: FileLocation) -> _File:
    return location.path, location.key
