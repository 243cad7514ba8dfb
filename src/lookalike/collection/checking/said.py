"""The journal of what people said, of which changes were lost: the others count on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.collection.said import Said, fold

if TYPE_CHECKING:
    import pyarrow as pa

_LOST = "lost with a damaged file"
_CANNOT_FOLLOW = (ValueError, KeyError, TypeError, IndexError, RecursionError)


def without_gaps(rows: pa.Table) -> tuple[pa.Table, int]:
    """Return the changes by their numbers, each that is lost as one that changes nothing; and how many are.

    So are those that cannot follow on what is left, such as images put into a set of which nobody knows any
    more that it was made.
    """
    import pyarrow as pa

    if not len(rows):
        return rows, 0
    by_number = {row["number"]: row for row in rows.sort_by("number").to_pylist()}
    last = max(by_number)
    lost = [number for number in range(1, last + 1) if number not in by_number]
    time = min(row["time"] for row in by_number.values())
    for number in range(1, last + 1):
        if number in by_number:
            time = by_number[number]["time"]
        else:
            by_number[number] = _nothing(number, time)
    ordered = [by_number[number] for number in range(1, last + 1)]
    table = pa.Table.from_pylist(ordered, schema=rows.schema)
    try:
        fold(Said(), table)
    except _CANNOT_FOLLOW:
        state = Said()
        for place, row in enumerate(ordered):
            try:
                state = fold(state, pa.Table.from_pylist([row], schema=rows.schema))
            except _CANNOT_FOLLOW:
                ordered[place] = _nothing(row["number"], row["time"])
                lost.append(row["number"])
                state = fold(state, pa.Table.from_pylist([ordered[place]], schema=rows.schema))
        table = pa.Table.from_pylist(ordered, schema=rows.schema)
    return table, len(lost)


def _nothing(number: int, time: object) -> dict[str, object]:
    """Return a change that changes nothing."""
    return {
        "number": number,
        "time": time,
        "kind": "import",
        "words": _LOST,
        "undoes": None,
        "payload": "{}",
        "ids": [],
        "numbers": [],
    }
