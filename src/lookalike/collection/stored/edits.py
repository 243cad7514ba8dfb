"""What a change did, to each image, set and pair that it touched: before and after.

So a change can be taken back by its inverse, without a look at the others, and two changes can be told to
touch the same. In the journal an edit is a document of JSON beside two lists of int64, which are used up in
this order:

    labels      ids (n); numbers: after (n), then before (n), as places in the document's names, -1 for none
    each set    ids: added, then removed; numbers: their orders, likewise

A set is known by a number, which it keeps under any name. Its images have orders, which rise as they are
put in: so an image that comes back stands where it stood.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.system.wording import count_images, count_of
from lookalike.types import Ids, format_id

if TYPE_CHECKING:
    import pyarrow as pa

_NOBODY = np.empty(0, np.int64)
_NAMED = 3  # sets and labels, in words


class Judged(NamedTuple):
    """A judgment as it is kept: the query and the image are its key."""

    verdict: str
    models: tuple[str, ...]
    time: int  # microseconds since 1970, UTC


JudgmentKey = tuple[str, int]
"""The key of the query, see `lookalike.results.said.query_key`, and the image."""

PairKey = tuple[str, str]
"""Two ids of 16 digits, or two stored paths, the smaller first."""


class Decided(NamedTuple):
    """A decision as it is kept; `first` is the one of the pair that it is about."""

    first: str
    decision: str


@dataclass(frozen=True, slots=True)
class SetEdit:
    """What was done to a set; a name of None is that of none."""

    number: int
    before: str | None
    after: str | None
    added: Ids = field(default_factory=lambda: _NOBODY)
    added_orders: Ids = field(default_factory=lambda: _NOBODY)
    removed: Ids = field(default_factory=lambda: _NOBODY)
    removed_orders: Ids = field(default_factory=lambda: _NOBODY)

    def inverse(self) -> SetEdit:
        """Return what takes it back."""
        return SetEdit(
            self.number,
            self.after,
            self.before,
            self.removed,
            self.removed_orders,
            self.added,
            self.added_orders,
        )

    @property
    def is_whole(self) -> bool:
        """Whether the set was made or deleted."""
        return self.before is None or self.after is None

    def touches(self, other: SetEdit) -> bool:
        """Tell whether both touch the same of a set, or a name."""
        if self.number != other.number:
            changed = (
                {each.before, each.after} - {None} for each in (self, other) if each.before != each.after
            )
            names = list(changed)
            return len(names) == 2 and bool(names[0] & names[1])
        if self.is_whole or other.is_whole:
            return True
        are_renamed = self.before != self.after and other.before != other.after
        own, its = (np.concatenate([each.added, each.removed]) for each in (self, other))
        return are_renamed or bool(np.isin(own, its).any())


@dataclass(frozen=True, slots=True)
class Edits:
    """All that a change did.

    Attributes
    ----------
    labelled : (n,) int64
        The images whose label was changed.
    names : tuple of str
        Labels.
    after, before : (n,) int64
        Places in the names; -1 for none.
    sets : tuple of SetEdit
    judgments : mapping of JudgmentKey to (tuple of Judged, tuple of Judged)
        Those of a key before and after.
    decisions : mapping of PairKey to (Decided or None, Decided or None)
        Before and after.
    """

    labelled: Ids = field(default_factory=lambda: _NOBODY)
    names: tuple[str, ...] = ()
    after: Ids = field(default_factory=lambda: _NOBODY)
    before: Ids = field(default_factory=lambda: _NOBODY)
    sets: tuple[SetEdit, ...] = ()
    judgments: Mapping[JudgmentKey, tuple[tuple[Judged, ...], tuple[Judged, ...]]] = field(
        default_factory=dict
    )
    decisions: Mapping[PairKey, tuple[Decided | None, Decided | None]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(len(self.labelled) or self.sets or self.judgments or self.decisions)

    def inverse(self) -> Edits:
        """Return what takes them back."""
        return Edits(
            self.labelled,
            self.names,
            self.before,
            self.after,
            tuple(each.inverse() for each in reversed(self.sets)),
            {key: (after, before) for key, (before, after) in self.judgments.items()},
            {key: (after, before) for key, (before, after) in self.decisions.items()},
        )

    def touch(self, other: Edits) -> bool:
        """Tell whether both touch the same image's label, the same place of a set, or the same pair."""
        return (
            bool(np.isin(self.labelled, other.labelled).any())
            or any(own.touches(its) for own in self.sets for its in other.sets)
            or not self.judgments.keys().isdisjoint(other.judgments)
            or not self.decisions.keys().isdisjoint(other.decisions)
        )

    @property
    def sections(self) -> list[str]:
        """What stands in the document of whatever may touch the same."""
        there = {
            "labels": len(self.labelled),
            "sets": self.sets,
            "judgments": self.judgments,
            "decisions": self.decisions,
        }
        return [f'"{name}":' for name, any_ in there.items() if any_]

    def words(self) -> str:
        """Say what they do, for people."""
        parts = [*self._words_of_labels(), *self._words_of_sets()]
        if self.judgments:
            parts.append(f"{count_of(len(self.judgments), 'hit')} judged")
            if not any(after for _, after in self.judgments.values()):
                parts[-1] = f"{count_of(len(self.judgments), 'judgment')} withdrawn"
        if self.decisions:
            gone = all(after is None for _, after in self.decisions.values())
            parts.append(f"{count_of(len(self.decisions), 'pair')} {'no longer ' if gone else ''}decided")
        return "; ".join(parts)

    def _words_of_labels(self) -> list[str]:
        parts = []
        codes, counts = np.unique(self.after, return_counts=True)
        largest = np.argsort(-counts, kind="stable")
        for row in largest[:_NAMED].tolist():
            name = f"labelled {self.names[codes[row]]}" if codes[row] >= 0 else "not labelled any more"
            parts.append(f"{count_images(int(counts[row]))} {name}")
        if len(codes) > _NAMED:
            parts.append(f"{count_images(int(counts[largest[_NAMED:]].sum()))} labelled otherwise")
        return parts

    def _words_of_sets(self) -> list[str]:
        parts = []
        for each in self.sets:
            if each.after is None:
                parts.append(f"set {each.before} deleted")
            elif each.before is None:
                parts.append(f"set {each.after} made, of {count_images(len(each.added))}")
            else:
                if each.before != each.after:
                    parts.append(f"set {each.before} called {each.after}")
                if len(each.added):
                    parts.append(f"{count_images(len(each.added))} put into {each.after}")
                if len(each.removed):
                    parts.append(f"{count_images(len(each.removed))} taken out of {each.after}")
        if len(parts) > _NAMED + 1:
            parts[_NAMED:] = [f"{len(parts) - _NAMED:,} more changes of sets"]
        return parts

    def encoded(self) -> tuple[str, Ids, Ids]:
        """Return them as they stand in the journal: a document, ids, numbers."""
        document: dict[str, Any] = {}
        ids, numbers = [_NOBODY], [_NOBODY]
        if len(self.labelled):
            document["labels"] = {"names": self.names, "n": len(self.labelled)}
            ids.append(self.labelled)
            numbers += [self.after, self.before]
        if self.sets:
            document["sets"] = [
                [each.number, each.before, each.after, len(each.added), len(each.removed)]
                for each in self.sets
            ]
            for each in self.sets:
                ids += [each.added, each.removed]
                numbers += [each.added_orders, each.removed_orders]
        if self.judgments:
            document["judgments"] = [[*key, *values] for key, values in self._judgments_in_json()]
        if self.decisions:
            document["decisions"] = [[*key, *values] for key, values in self.decisions.items()]
        return json.dumps(document, separators=(",", ":")), np.concatenate(ids), np.concatenate(numbers)

    def _judgments_in_json(self) -> Iterable[tuple[tuple[str, str], Sequence[Any]]]:
        for (query, image), values in self.judgments.items():
            yield (query, format_id(image)), values

    @classmethod
    def decoded(cls, payload: str, ids: Ids, numbers: Ids) -> Edits:
        """Return edits that stand in the journal.

        Raises
        ------
        ValueError, KeyError, TypeError or IndexError
            If they are damaged.
        """
        document = json.loads(payload)
        at = at_number = 0
        labels: dict[str, Any] = {}
        if "labels" in document:
            n = at = document["labels"]["n"]
            at_number = 2 * n
            labels = {
                "labelled": ids[:n],
                "names": tuple(document["labels"]["names"]),
                "after": numbers[:n],
                "before": numbers[n : 2 * n],
            }
        sets = []
        for number, before, after, n_added, n_removed in document.get("sets", ()):
            cuts = [n_added, n_added + n_removed]
            own, orders = ids[at : at + cuts[1]], numbers[at_number : at_number + cuts[1]]
            if len(own) < cuts[1] or len(orders) < cuts[1]:
                raise ValueError("its lists are too short")
            parts = own[: cuts[0]], orders[: cuts[0]], own[cuts[0] :], orders[cuts[0] :]
            sets.append(SetEdit(number, before, after, *parts))
            at, at_number = at + cuts[1], at_number + cuts[1]
        return cls(
            **labels,
            sets=tuple(sets),
            judgments={
                (query, int(image, 16)): (_judged(before), _judged(after))
                for query, image, before, after in document.get("judgments", ())
            },
            decisions={
                (a, b): (_decided(before), _decided(after))
                for a, b, before, after in document.get("decisions", ())
            },
        )


@dataclass(frozen=True, slots=True)
class FlatLists:
    """The ids and numbers of many rows of the journal, one after the other, and where each row begins."""

    ids: Ids
    id_cuts: list[int]
    numbers: Ids
    number_cuts: list[int]

    @classmethod
    def of(cls, rows: pa.Table) -> FlatLists:
        """Take them out of rows of the journal."""
        return cls(*_flat(rows["ids"]), *_flat(rows["numbers"]))

    def edits(self, payload: str, row: int) -> Edits:
        """Return the edits of a row; see `Edits.decoded`."""
        ids = self.ids[self.id_cuts[row] : self.id_cuts[row + 1]]
        return Edits.decoded(payload, ids, self.numbers[self.number_cuts[row] : self.number_cuts[row + 1]])


def _flat(column: pa.ChunkedArray) -> tuple[Ids, list[int]]:
    lengths = [0, *(length for chunk in column.chunks for length in chunk.value_lengths().to_pylist())]
    values = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    return np.concatenate([_NOBODY, *values]), np.cumsum(lengths).tolist()


def _judged(rows: Sequence[Any]) -> tuple[Judged, ...]:
    return tuple(Judged(verdict, tuple(models), time) for verdict, models, time in rows)


def _decided(row: Sequence[str] | None) -> Decided | None:
    return None if row is None else Decided(*row)


def as_ids(images: Iterable[int]) -> Ids:
    """Return images as an array, each once, where it comes first."""
    ids: npt.NDArray[np.int64] = np.fromiter(images, np.int64)
    _, first = np.unique(ids, return_index=True)
    return ids[np.sort(first)]
