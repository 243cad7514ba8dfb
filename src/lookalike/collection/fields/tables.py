"""Tables of fields that users have: CSV and Parquet, a row a file, a column a field.

Which file a row is about is said in a column called ``path``, ``file``, ``id`` or ``key``. What the others
hold is said in their header, ``price:number``; else that of a column that the collection has already holds;
else, of a CSV file, the narrowest kind that takes all of its words, see `values.kind_of_words`, and of a
Parquet file its type.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.collection.fields.values import (
    KINDS,
    check_kind,
    check_name,
    check_value,
    kind_of,
    kind_of_words,
    read_words,
)
from lookalike.collection.fields.writing import FieldKinds
from lookalike.collection.references import COLUMNS
from lookalike.errors import InvalidInputError
from lookalike.images.finding.spelling import as_typed
from lookalike.system.cells import from_cell, text_of
from lookalike.system.checked_calls import shown
from lookalike.system.plain_files import open_plain, read_named
from lookalike.types import FieldKind

PARQUET = (".parquet", ".pq")


@dataclass(frozen=True, slots=True)
class FieldsOfTable:
    """What a table says.

    Attributes
    ----------
    file : Path
    named_by : str
        What its column of files is called; one of `COLUMNS`.
    names : list of str
        What stands in that column.
    columns : mapping of str to list
        The values of each field, as they are kept; None where nothing is said.
    """

    file: Path
    named_by: str
    names: list[str]
    columns: Mapping[str, list[Any]]

    def __len__(self) -> int:
        return len(self.names)

    def values(self, row: int) -> dict[str, Any]:
        """Return what is said in a row; what is not leaves what was known."""
        return {name: column[row] for name, column in self.columns.items() if column[row] is not None}


def read_table(file: Path, kinds: FieldKinds) -> FieldsOfTable:
    """Read a table of fields; the columns that are new are noted in `kinds`.

    Raises
    ------
    InvalidInputError
        If it cannot be read, does not say which files it is about, has no other column, or holds something
        that is not of its column's kind; the sentence names the line.
    """
    is_parquet = file.suffix.lower() in PARQUET
    header, columns, lines = _read_parquet(file) if is_parquet else _read_csv(file)
    titles = [title.strip().casefold() for title in header]
    named_by = next((each for each in COLUMNS if each in titles), None)
    if named_by is None:
        raise InvalidInputError(
            f"the columns of {file} are {', '.join(header) or 'none'}; expected one of"
            f" {', '.join(COLUMNS)} that says which file a row is about"
        )
    at = titles.index(named_by)
    found: dict[str, list[Any]] = {}
    for number, title in enumerate(header):
        if number == at or not title.strip():
            continue
        name, given = _split(title)
        if name in found:
            raise InvalidInputError(f"{file} has two columns {name!r}; expected each once")
        said = given or kinds.kind(name)
        values = columns[number] if is_parquet else list(map(as_typed, columns[number]))
        found[name] = _column(file, name, said, values, lines, is_parquet)
        kind = said or _kind_of_column(name, values, is_parquet)
        kinds.add(name, kind)
    if not found:
        raise InvalidInputError(f"{file} has no column beside {header[at]}; expected one a field")
    names = [_name(each, file, line) for each, line in zip(columns[at], lines, strict=True)]
    return FieldsOfTable(file, named_by, names, found)


def _name(value: object, file: Path, line: int) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise InvalidInputError(
            f"{file}, line {line}: {shown(value)} says of no file which it is; expected a text"
        )
    return value.strip()


def _split(title: str) -> tuple[str, FieldKind | None]:
    """Return name and kind of a column by its header; a colon that no kind follows is part of the name.

    >>> _split("price:number"), _split("ratio 16:9")
    (('price', 'number'), ('ratio 16:9', None))
    """
    name, colon, kind = title.rpartition(":")
    if colon and kind.strip().casefold() in KINDS:
        return check_name(name.strip()), check_kind(kind.strip().casefold())
    return check_name(title.strip()), None


def _kind_of_column(name: str, values: Sequence[Any], is_typed: bool) -> FieldKind:
    if not is_typed:
        return kind_of_words(name, [value.strip() for value in values])
    return next((kind_of(name, value) for value in values if value is not None), "text")


def _column(
    file: Path,
    name: str,
    said: FieldKind | None,
    values: Sequence[Any],
    lines: Sequence[int],
    is_typed: bool,
) -> list[Any]:
    kind = said or _kind_of_column(name, values, is_typed)
    read = check_value if is_typed else read_words
    column = []
    for value, line in zip(values, lines, strict=True):
        try:
            column.append(read(name, value, kind))
        except InvalidInputError as error:
            raise InvalidInputError(f"{file}, line {line}: {error}", hint=_hint(name, said)) from error
    return column


def _hint(name: str, said: FieldKind | None) -> str | None:
    return None if said in (None, "text") else f"mend it, or give the column another name than {name!r}"


def _read_csv(file: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """Return the header, the columns of words, and in which line each row ends."""
    try:
        with io.StringIO(text_of(read_named(file)), newline="") as stream:
            reader = csv.reader(stream)
            header = [as_typed(from_cell(title)) for title in next(reader, [])]
            columns: list[list[str]] = [[] for _ in header]
            lines = []
            for row in reader:
                if not any(row):
                    continue
                if len(row) > len(header):
                    raise InvalidInputError(
                        f"{file}, line {reader.line_num}: it has {len(row)} values; expected {len(header)},"
                        " one a column"
                    )
                for number, column in enumerate(columns):
                    column.append(from_cell(row[number]) if number < len(row) else "")
                lines.append(reader.line_num)
            return header, columns, lines
    except OSError as error:
        raise InvalidInputError(f"cannot read {file}: {error.strerror or error}") from error
    except csv.Error as error:
        raise InvalidInputError(f"{file} is no table of comma-separated values: {error}") from error


def _read_parquet(file: Path) -> tuple[list[str], list[list[Any]], list[int]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open_plain(file) as stream:
            table = pq.read_table(stream)
    except OSError as error:
        raise InvalidInputError(f"cannot read {file}: {error.strerror or error}") from error
    except pa.ArrowException as error:
        reason = str(error).splitlines()[0]
        raise InvalidInputError(f"{file} is no Parquet file: {reason}") from error
    columns = []
    for name in table.column_names:
        column = table[name]
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
        columns.append(column.to_pylist())
    return table.column_names, columns, list(range(1, len(table) + 1))
