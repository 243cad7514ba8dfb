"""The table of what users say of files in columns of their own; see `lookalike.store.schema.fields`.

Its columns are made as they come, and say themselves what they are called and what they hold: so one commit
of the table is one state of both, and a column is renamed, or taken away, without a row being written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.store import schema
from lookalike.store.schema import field_column, field_row, read_field_columns
from lookalike.store.table import Table
from lookalike.types import FieldKind, Ids

if TYPE_CHECKING:
    import pyarrow as pa

_SCANNED = 4_000  # more paths are looked for in all rows at once, which is quicker then


class FieldTable(Table):
    """The table of fields, whose columns may be others at any moment."""

    def kinds(self) -> dict[str, FieldKind]:
        """Return the names of the columns, and what they hold."""
        if not self.exists():
            return {}
        with self._errors("read"):
            return read_field_columns(self._open().schema.names)

    def keys(self) -> tuple[pa.StringArray, Ids, npt.NDArray[np.int64]]:
        """Return the paths, images and times, (n,) each, of all rows; in the order of `column`."""
        with self._errors("read"):
            rows = self._open().to_table(columns=["path", "id", "set_us"], scan_in_order=True)
        return rows["path"].combine_chunks(), rows["id"].to_numpy(), rows["set_us"].to_numpy()

    def column(self, name: str, kind: FieldKind) -> pa.Array:
        """Return the values of a column in all rows."""
        written = field_column(name, kind)
        with self._errors("read"):
            return self._open().to_table(columns=[written], scan_in_order=True)[written].combine_chunks()

    def rows_of(self, paths: Iterable[str], images: Iterable[int]) -> list[dict[str, Any]]:
        """Return the rows of some stored paths, and of some images, as dictionaries; `values` by name."""
        kinds = self.kinds()
        columns = schema.fields(kinds).names
        written = {name: field_column(name, kind) for name, kind in kinds.items()}
        found = {}
        for row in self._about(list(paths), list(images), columns) if self.exists() else ():
            values = {name: row.pop(column) for name, column in written.items()}
            found[row["row"]] = {**row, "values": values}
        return list(found.values())

    def _about(self, paths: list[str], images: list[int], columns: list[str]) -> list[dict[str, Any]]:
        """Return the rows of some stored paths, and of some images; those of both may come twice."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if len(paths) > _SCANNED:
            rows = self.read(columns)
            is_meant = pc.or_(
                pc.is_in(rows["path"], pa.array(paths)), pc.is_in(rows["id"], pa.array(images, pa.int64()))
            )
            found: list[dict[str, Any]] = rows.filter(is_meant).to_pylist()
            return found
        asked: list[tuple[str, list[Any]]] = [("path", paths), ("id", images)]
        return [
            row
            for column, wanted in asked
            if wanted  # of nothing, the columns of this moment would not be known
            for row in self.read_where_in(column, wanted, columns).to_pylist()
        ]

    def add_kinds(self, kinds: Mapping[str, FieldKind]) -> None:
        """Add columns that are not there yet."""
        self.schema = schema.fields({**self.kinds(), **kinds})
        self.add_missing_columns()

    def write(
        self, paths: list[str], images: list[int], set_us: int, values: Mapping[str, list[Any]]
    ) -> None:
        """Write whole rows: of stored paths and their images, with the values of columns, by name."""
        kinds = self.kinds() if self.exists() else read_field_columns(self.schema.names)
        self.schema = schema.fields(kinds)
        rows: dict[str, Any] = {
            "row": [field_row(path, image) for path, image in zip(paths, images, strict=True)],
            "path": paths,
            "id": images,
            "set_us": [set_us] * len(paths),
        }
        self.upsert(rows | {field_column(name, kinds[name]): column for name, column in values.items()})

    def rename(self, old: str, new: str) -> None:
        """Give a column another name, of which there is none yet."""
        kind = self.kinds()[old]
        with self._errors("write"):
            self._open_to_write().alter_columns(
                {"path": field_column(old, kind), "name": field_column(new, kind)}
            )

    def drop(self, name: str) -> None:
        """Take a column away."""
        kind = self.kinds()[name]
        with self._errors("write"):
            self._open_to_write().drop_columns([field_column(name, kind)])

    def forget(self, paths: Iterable[str]) -> None:
        """Delete the rows of some stored paths."""
        self.delete(self.read_where_in("path", paths, ["row"])["row"].to_pylist())

    def forget_replaced(self, images: Mapping[str, int]) -> None:
        """Delete the rows of stored paths and other images than lie there, where these have rows, too."""
        self._delete_replaced(self.read_where_in("path", images, ["row", "path", "id"]), images)

    def sweep(self, images: Mapping[str, int], beginning: str) -> None:
        """Delete rows of paths with a beginning that lie nowhere, or hold another image that has a row.

        Parameters
        ----------
        images : mapping of str to int
            What lies where, of the stored paths with this beginning.
        beginning : str
        """
        rows = self.read(["row", "path", "id"], f"starts_with(path, '{beginning}')")
        self._delete_replaced(rows, images)

    def _delete_replaced(self, found: pa.Table, images: Mapping[str, int]) -> None:
        rows = found.to_pylist()
        has_own = {row["path"] for row in rows if images.get(row["path"]) == row["id"]}
        gone = [
            row["row"]
            for row in rows
            if row["path"] not in images or (row["path"] in has_own and images[row["path"]] != row["id"])
        ]
        self.delete(gone)
