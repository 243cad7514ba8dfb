"""Fields of files, checked and written: a row a file, merged with what was known of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lookalike.collection.fields.values import HELD, check_name, check_value, kind_of
from lookalike.collection.own_fields import fields_of
from lookalike.errors import InvalidInputError
from lookalike.store.fields import FieldTable
from lookalike.system.checked_calls import shown
from lookalike.types import FieldKind, FieldValue

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
    is_held : bool
        Whether they are of the image that lies there until another takes its place: what is said of that one
        must not be said of it.
    """

    path: str
    image: int
    values: Values
    is_held: bool = False


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
            raise InvalidInputError(
                f"the fields are {shown(values)}; expected a mapping by name", field="fields"
            )
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
        if there is not None and there != kind:
            raise InvalidInputError(
                f"the field {name!r} holds {HELD[there]}; expected values of that kind, not {HELD[kind]}",
                field="fields",
            )
        if there is None:
            self.new[name] = kind
            self._names[name.casefold()] = name


def write_fields(
    table: FieldTable, kinds: FieldKinds, rows: Sequence[FileFields], of_path_only: bool = False
) -> set[str]:
    """Write what is said of files; return the stored paths of which it was not known.

    The caller holds the writer's lock. No path and image are there twice. What is said of a file by the name
    that it had before, or of a copy, is its own from now on; with `of_path_only` it is not.
    """
    if not rows:
        return set()
    before = fields_of(table, [(row.path, row.image) for row in rows], of_path_only)
    changed = []
    for row in rows:
        old = before.get((row.path, row.image), {})
        new = {name: value for name, value in {**old, **row.values}.items() if value is not None}
        if new != old or row.is_held:
            changed.append(replace(row, values=new))
    if changed:
        table.add_kinds(kinds.new)
        kinds.known = {**kinds.known, **kinds.new}
        kinds.new = {}
        columns = {name: [row.values.get(name) for row in changed] for name in kinds.known}
        now = time.time_ns() // 1_000
        table.write([row.path for row in changed], [row.image for row in changed], now, columns)
    return {row.path for row in changed if not row.is_held}
