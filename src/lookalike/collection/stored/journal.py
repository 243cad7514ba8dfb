"""The journal of what people said, as writers and readers share it: every change a row, in its order.

A change is on the disk when the call that made it returns. The states that were read last are kept, so that
what is new since is all that is read, and what this process has said itself is not read at all.
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lookalike.collection.said import Said, fold
from lookalike.collection.stored.edits import Edits, FlatLists
from lookalike.errors import CollectionConflictError, CollectionNotFoundError, StoreDamagedError, StoreError
from lookalike.hints import Hint
from lookalike.results.said import Change, ChangeKind
from lookalike.store import JOURNAL, Commit, Pin, PinnedJournal, Store, look_at_tables

_STATES_KEPT = 4
_LOOKED_AT = 100  # changes, for the last that can be undone
_FACTS = ("number", "time", "kind", "words", "undoes")

Make = Callable[[Said], Edits | None]
"""Gives what is to be changed of what is said; None or nothing, where all is so already."""


class Journal:
    """What people said in the collection in a ``.lookalike`` folder; several threads may use it.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._table = Store(folder).journal
        self._lock = threading.Lock()
        self._states: dict[Commit | None, Said] = {None: Said()}

    def last_at(self, table: PinnedJournal) -> int | None:
        """Return the number of the last change at the commit that a table is pinned to; None if damaged."""
        known = self._states.get(table.commit)
        if known is not None:
            return known.last
        try:
            return table.count()
        except StoreError:  # who reads the rows hears of it
            return None

    def at(self, table: PinnedJournal, last: int | None = None) -> Said:
        """Return what was said at the commit that a table is pinned to.

        Where the commit has been cleared away, the changes are read from the newest one, up to number `last`;
        there all of them, if it is not known.
        """
        found = self._states.get(table.commit)
        if found is None:
            with self._lock:
                found = self._states.get(table.commit)
                if found is None:
                    found = self._read(table, last)
                    self._keep(table.commit, found)
        return found

    def now(self) -> Said:
        """Return what is said now."""
        commit = self._commit()
        pin = None if commit is None else Pin(self._table, commit)
        return self.at(PinnedJournal(self._table.folder, self._table.schema, pin))

    def _commit(self) -> Commit | None:
        return look_at_tables(self._folder).get(JOURNAL)

    def write(self, kind: ChangeKind, make: Make) -> Change | None:
        """Make a change, and return when it is on the disk.

        Parameters
        ----------
        kind : str
        make : callable
            Called once nobody else can write; what it raises is passed on, and nothing is changed.

        Returns
        -------
        Change or None
            None if there was nothing to be changed.
        """
        with self._table.writing():
            before = self.now()
            edits = make(before)
            return self._record(before, kind, edits) if edits else None

    def undo(self, number: int | None = None) -> Change:
        """Take a change back; by default the last that is no undoing, and was not undone.

        Raises
        ------
        CollectionNotFoundError
            If there is no such change.
        CollectionConflictError
            If it was undone already, or a later one touches the same.
        """
        with self._table.writing():
            before = self.now()
            wanted = self._last_to_undo(before.last) if number is None else number
            if not 1 <= wanted <= before.last:
                last = f"the last is {before.last}" if before.last else "there was none"
                raise CollectionNotFoundError(
                    "there is no change that could be undone"
                    if number is None
                    else f"there is no change {number}; {last}",
                    field="number",
                )
            return self._record(before, "undo", self._inverse(wanted), wanted)

    def _record(self, before: Said, kind: ChangeKind, edits: Edits, undoes: int | None = None) -> Change:
        """Write a change to the disk; the caller holds the lock."""
        import pyarrow as pa

        payload, ids, numbers = edits.encoded()
        time = datetime.datetime.now(datetime.UTC)
        change = Change(before.last + 1, time, kind, edits.words(), undoes)
        row: dict[str, list[Any]] = {
            "number": [change.number],
            "time": [time.replace(tzinfo=None)],
            "kind": [kind],
            "words": [change.words],
            "undoes": [undoes],
            "payload": [payload],
            "ids": [ids],
            "numbers": [numbers],
        }
        self._table.append(row)
        # So that this process need not read what it has said itself.
        after = fold(before, pa.table(row, schema=self._table.schema))
        with self._lock:
            self._keep(self._commit(), after)
        return change

    def changes(self, last: int | None = None) -> list[Change]:
        """Return the changes, the newest first; only so many of the last."""
        first = 1 if last is None else max(1, self.now().last - last + 1)
        rows = self._table.rows_from(first, _FACTS)
        numbers, targets = rows["number"].to_pylist(), rows["undoes"].to_pylist()
        undone_by = _undone(numbers, targets)
        facts = zip(*(rows[name].to_pylist() for name in _FACTS), strict=True)
        made = [
            Change(number, time.replace(tzinfo=datetime.UTC), kind, words, target, undone_by.get(number))
            for number, time, kind, words, target in facts
        ]
        return made[::-1]

    def _inverse(self, number: int) -> Edits:
        """Return what takes a change back, if nothing that holds still came later and is about the same."""
        rows = self._table.rows_from(number)
        numbers, targets = rows["number"].to_pylist(), rows["undoes"].to_pylist()
        undone_by = _undone(numbers, targets)
        words = rows["words"].to_pylist()
        if number in undone_by:
            raise CollectionConflictError(
                f"change {number} ({words[0]}) was undone already, by change {undone_by[number]}"
            )
        payloads, lists = rows["payload"].to_pylist(), FlatLists.of(rows)
        try:
            edits = lists.edits(payloads[0], 0)
            sections = edits.sections
            for row in range(1, len(numbers)):
                is_over = numbers[row] in undone_by or (targets[row] is not None and targets[row] > number)
                may_touch = not is_over and any(name in payloads[row] for name in sections)
                if may_touch and lists.edits(payloads[row], row).touch(edits):
                    raise CollectionConflictError(
                        f"change {number} ({words[0]}) cannot be undone: change {numbers[row]}"
                        f" ({words[row]}) came later, and is about the same",
                        hint=f"undo change {numbers[row]} first",
                    )
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise self._damaged(error) from error
        return edits.inverse()

    def _last_to_undo(self, last: int) -> int:
        """Return the last change that is no undoing, and was not undone; 0 if there is none."""
        for first in (max(1, last - _LOOKED_AT), 1):
            rows = self._table.rows_from(first, ["number", "undoes"])
            numbers, targets = rows["number"].to_pylist(), rows["undoes"].to_pylist()
            undone_by = _undone(numbers, targets)
            pairs = zip(numbers, targets, strict=True)
            found = [number for number, target in pairs if target is None and number not in undone_by]
            if found:
                return int(found[-1])
        return 0

    def _read(self, table: PinnedJournal, last: int | None) -> Said:
        """Read what was said at a commit, on top of what is known of an earlier one."""
        if table.commit is None:
            return Said()
        version = table.commit.version
        known = [each for each in self._states if each is not None and each.version < version]
        base = self._states[max(known, key=lambda each: each.version)] if known else Said()
        try:
            if table.count() < base.last:  # the table was made again
                base = Said()
            rows = table.rows_from(base.last + 1)
        except StoreDamagedError:
            # It was pinned hundreds of changes ago and is read only now; but rows are only added.
            base, rows = Said(), self._table.rows_from(1).slice(0, last)
        try:
            return fold(base, rows)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise self._damaged(error) from error

    def _keep(self, commit: Commit | None, said: Said) -> None:
        states = {**self._states, commit: said}
        kept = sorted((each for each in states if each is not None), key=lambda each: each.version)
        self._states = {each: states[each] for each in (None, *kept[-_STATES_KEPT:])}

    def _damaged(self, error: Exception) -> StoreDamagedError:
        return StoreDamagedError(f"{self._table.folder} is damaged: {error}", hint=Hint("repair"))


def _undone(numbers: Sequence[int], undoes: Sequence[int | None]) -> dict[int, int]:
    """Return which changes were undone, and by which; who undoes may have been undone in turn.

    >>> _undone([1, 2, 3, 4], [None, 1, 2, None])
    {2: 3}
    """
    undone: dict[int, int] = {}
    for number, target in zip(reversed(numbers), reversed(undoes), strict=True):
        if target is not None and number not in undone:
            undone[target] = number
    return undone
