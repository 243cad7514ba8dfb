"""Fields of files, checked and written: a row a file, merged with what was known of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lookalike.collection.fields.values import check_name, check_value, kind_of
from lookalike.collection.own_fields import fields_of
from lookalike.errors import InvalidInputError
from lookalike.store import FieldKind
from lookalike.store.fields import FieldTable
from lookalike.types import FieldValue

Values = Mapping[str, FieldValue | None]
"""By name; None where nothing is to be known any more."""


@dataclass(frozen=True, slots=True)
class FileFields:
    """What is to be said of a file.

    Attributes
    ----------
    path : str
        As stored.
    image : int
        That lies there, or will.
    values : mapping of str to value
    """

    path: str
    image: int
    values: Values


class FieldKinds:
    """The columns that are there, and those that values ask for.

    Parameters
    ----------
    table : FieldTable
    """

    def __init__(self, table: FieldTable) -> None:
        self.known = table.kinds()
        self.new: dict[str, FieldKind] = {}
        self._names = {name.casefold(): name for name in self.known}

    def check(self, values: Mapping[str, object]) -> Values:
        """Return the values of a file as they are kept; columns that are not there yet are noted.

        Raises
        ------
        InvalidInputError
            If a name is none, or a value is not of its column's kind; nothing is noted.
        """
        if not isinstance(values, Mapping):
            raise InvalidInputError(f"the fields are {values!r}; expected a mapping by name", field="fields")
        new: dict[str, FieldKind] = {}
        checked = {}
        for name, value in values.items():
            kind = self.kind(check_name(name)) or new.get(name)
            if kind is None and value is None:
                continue
            if kind is None:
                kind = new[name] = kind_of(name, value)
            checked[name] = check_value(name, value, kind)
        for name, kind in new.items():
            self.add(name, kind)
        return checked

    def kind(self, name: str) -> FieldKind | None:
        """Return what a column holds; None if there is none of this name.

        Raises
        ------
        InvalidInputError
            If there is one whose name differs in upper and lower case only.
        """
        there = self._names.get(name.casefold())
        if there is not None and there != name:
            raise InvalidInputError(
                f"there is a field {there!r} already, which differs from {name!r} in upper and lower case"
                f" only; expected {there!r}, or another name",
                field="fields",
            )
        return self.known.get(name) or self.new.get(name)

    def add(self, name: str, kind: FieldKind) -> None:
        """Note a column.

        Raises
        ------
        InvalidInputError
            If there is one that holds something else.
        """
        there = self.kind(name)
        if there not in (None, kind):
            raise InvalidInputError(
                f"the field {name!r} holds {there}; expected values of that kind, not {kind}", field="fields"
            )
        if there is None:
            self.new[name] = kind
            self._names[name.casefold()] = name


def write_fields(table: FieldTable, kinds: FieldKinds, rows: Sequence[FileFields]) -> int:
    """Write what is said of files; return of how many it was not known.

    The caller holds the writer's lock. No path is there twice.
    """
    before = fields_of(table, [(row.path, row.image) for row in rows])
    paths, images, merged = [], [], []
    for row in rows:
        old = before.get((row.path, row.image), {})
        new = {name: value for name, value in {**old, **row.values}.items() if value is not None}
        if new != old:
            paths.append(row.path)
            images.append(row.image)
            merged.append(new)
    if not merged:
        return 0
    table.add_kinds(kinds.new)
    kinds.known = {**kinds.known, **kinds.new}
    kinds.new = {}
    columns = {name: [values.get(name) for values in merged] for name in kinds.known}
    table.write(paths, images, time.time_ns() // 1_000, columns)
    return len(merged)
