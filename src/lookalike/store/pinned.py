"""The tables of a collection as they were at one moment, each opened once, for any number of threads.

The newest commit of a table is the newest file in its folder ``_versions``, which Lance names so that it
tells. To list that folder takes some ten microseconds, to open the table half a millisecond: so who keeps a
table open can look before every use whether it is still the newest.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from lookalike.errors import DamageWarning, StoreDamagedError, StoreResourceError
from lookalike.store import schema
from lookalike.store.embeddings import FLOATS, dimension_of
from lookalike.store.fields import FieldTable
from lookalike.store.journal_table import JOURNAL, JournalTable
from lookalike.store.readers import Reading
from lookalike.store.store import Store
from lookalike.store.table import Table
from lookalike.store.versions import (
    VERSIONS,
    Commit,
    manifests,
    named_files,
    newest_commit,
    version_of,
    was_written,
)
from lookalike.system.forks import check_not_forked
from lookalike.types import Ids

if TYPE_CHECKING:
    import pyarrow as pa

_TABLES = ("files", "images", "thumbnails", "failures", "fields")
_TRIES = 20  # to find all tables at rest: a writer commits every few seconds
_MOST_TAKEN = 1_000  # rows that are taken one by one; to look for more, a scan is as fast
_SOON_SORTED = 30_000  # ids, in as long as a scan for some of them takes


State = Mapping[str, Commit]
"""The newest commit of every table that was ever written, by the path of its folder in the ``.lookalike``."""


def look_at_tables(folder: Path) -> dict[str, Commit]:
    """Return the newest commit of each table in a ``.lookalike`` folder; see `State`.

    Raises
    ------
    StoreError
        If a folder cannot be looked into.
    """
    names = [*(f"{name}.lance" for name in _TABLES), JOURNAL]
    home = f"{os.fspath(folder)}{os.sep}"  # every search asks: to join paths takes longer than to look
    try:
        try:
            inside = sorted(os.listdir(f"{home}vectors"))
        except (FileNotFoundError, NotADirectoryError):
            inside = []
        names += [f"vectors/{name}" for name in inside if name.endswith(".lance")]
        commits = {name: newest_commit(home + name) for name in names}
    except OSError as error:
        raise StoreResourceError(f"cannot read {folder}: {error.strerror or error}") from error
    return {name: commit for name, commit in commits.items() if commit is not None}


def _miss_lost_tables(folder: Path, state: State) -> None:
    """Warn of tables that were written, and have lost all versions: they look as if they never had been."""
    for name in (*(f"{name}.lance" for name in _TABLES), JOURNAL):
        if name not in state:
            try:
                with contextlib.suppress(OSError, ValueError):
                    was_written(folder / name)
            except StoreDamagedError as error:
                warnings.warn(DamageWarning(error.told), stacklevel=2)


class Pin:
    """One commit of a table, and what was found out about it; shared by all who hold that commit.

    Parameters
    ----------
    table : Table
    commit : Commit
    """

    def __init__(self, table: Table, commit: Commit) -> None:
        self.commit = commit
        self.state = ""  # until it is asked for
        self.needs_upgrade: bool | None = None
        self._table = table
        self._lock = threading.RLock()
        self._dataset: Any = None
        self._rows: tuple[Ids, npt.NDArray[np.intp]] | None = None
        self._was_asked = False

    @property
    def dataset(self) -> Any:
        """The table, opened at the commit.

        Raises
        ------
        StoreError
            If it is damaged.
        """
        if self._dataset is None:
            check_not_forked(self._table.folder)
            with self._lock:
                if self._dataset is None:
                    self._dataset = self._table.open_at(self.commit.version)
        return self._dataset

    @cached_property
    def columns(self) -> frozenset[str]:
        """The names of its columns."""
        return frozenset(self.dataset.schema.names)

    @cached_property
    def count(self) -> int:
        """The number of rows."""
        return int(self.dataset.count_rows())

    @cached_property
    def dimension(self) -> int:
        """How many numbers each embedding of a vector table has."""
        return dimension_of(self.dataset.schema)

    def finds_rows(self) -> bool:
        """Tell whether `rows_of` is the quicker way: of many rows, not where only a command asks, once."""
        was_asked, self._was_asked = self._was_asked, True
        return was_asked or self.count <= _SOON_SORTED

    def rows_of(self, ids: Ids) -> npt.NDArray[np.intp]:
        """Return the rows of ids, none of them twice; those that are not there are passed over."""
        with self._lock:
            if self._rows is None:
                there = self.dataset.to_table(columns=["id"], scan_in_order=True)["id"].to_numpy()
                order = np.argsort(there)
                self._rows = there[order], order
        there, order = self._rows
        at = np.minimum(np.searchsorted(there, ids), max(0, len(there) - 1))
        return order[at[there[at] == ids]] if len(there) else order


class PinnedTable(Table):
    """A table as it was at one commit, whatever is committed later. It is read only.

    Of a few rows whose ids are known, it reads these and no others.

    Parameters
    ----------
    folder : Path
    columns : pyarrow.Schema
    pin : Pin or None
        None before the first commit.
    """

    def __init__(self, folder: Path, columns: pa.Schema, pin: Pin | None) -> None:
        super().__init__(folder, columns)
        self.pin = pin

    @property
    def commit(self) -> Commit | None:
        """Which it is of."""
        return None if self.pin is None else self.pin.commit

    def exists(self) -> bool:
        """Whether anything had been written."""
        return self.pin is not None

    def version(self) -> int:
        """Return the number of the commit, 0 before the first."""
        return 0 if self.pin is None else self.pin.commit.version

    def state(self) -> str:
        """Name the commit; see `Table.state`."""
        if self.pin is None:
            return super().state()
        if not self.pin.state:
            self.pin.state = super().state()
        return self.pin.state

    def count(self) -> int:
        """Return the number of rows."""
        if self.pin is None:
            return 0
        if "count" in vars(self.pin):  # every search asks
            return self.pin.count
        with self._errors("read"):
            return self.pin.count

    def dimension(self) -> int | None:
        """Return how many numbers each embedding of a vector table has; None before the first write."""
        if self.pin is None:
            return None
        if "dimension" in vars(self.pin):
            return self.pin.dimension
        with self._errors("read"):
            return self.pin.dimension

    def file_names(self) -> list[str]:
        """Return the files that the commit is made of, by their paths in the folder of the table.

        Raises
        ------
        FileNotFoundError
            If they have been cleared away, as newer ones have taken their place.
        """
        if self.pin is None:
            return []
        with self._errors("read"):
            dataset = self.pin.dataset
            names = [name for name, _ in named_files(dataset)]
            segments = [segment.uuid for index in dataset.describe_indices() for segment in index.segments]
        own = [name for name in manifests(self.folder) if version_of(name) == dataset.version]
        if not own:
            raise FileNotFoundError(errno.ENOENT, "it was cleared away", str(self.folder / VERSIONS))
        for segment in segments:
            inside = sorted(os.listdir(self.folder / "_indices" / segment))
            names += [f"_indices/{segment}/{name}" for name in inside]
        return [f"{VERSIONS}/{own[0]}", *names]

    def is_newest(self) -> bool:
        """Tell whether nothing has been committed since."""
        with self._errors("read"):
            return newest_commit(self.folder) == self.commit

    def live(self) -> Table:
        """Return the table as it is whenever it is asked."""
        return Table(self.folder, self.schema)

    def read_where_in(
        self, column: str, values: Iterable[int | str], columns: Sequence[str], where: str | None = None
    ) -> pa.Table:
        """Read the rows whose `column` is one of `values`; see `Table.read_where_in`."""
        wanted = list(values)
        is_few = column == self._key == "id" and where is None and 0 < len(wanted) <= _MOST_TAKEN
        if self.pin is None or not is_few or not self.pin.columns.issuperset(columns):
            return super().read_where_in(column, wanted, columns, where)
        with self._errors("read"):
            if self.pin.finds_rows():
                rows = self.pin.rows_of(np.unique(np.array(wanted, np.int64)))
                if not len(rows):
                    return self._subset(columns).empty_table()
                return self.pin.dataset.take(np.sort(rows).tolist(), columns=list(columns))
        return super().read_where_in(column, wanted, columns, where)

    def take(self, rows: npt.NDArray[np.intp], columns: Sequence[str]) -> pa.Table:
        """Read some rows, known by where they stand when whole columns are read."""
        if self.pin is None or not len(rows):
            return self._subset(columns).empty_table()
        with self._errors("read"):
            return self.pin.dataset.take(rows.tolist(), columns=list(columns))

    def upsert(self, columns: Mapping[str, Any]) -> None:
        """Raise TypeError."""
        self._open_to_write()

    def _open(self) -> Any:
        return None if self.pin is None else self.pin.dataset

    def _open_to_write(self) -> NoReturn:
        raise TypeError(f"the table {self.folder} is held as it was, and only read")


class PinnedFieldTable(PinnedTable, FieldTable):
    """The table of fields as it was at one commit; see `PinnedTable`."""


class PinnedJournal(PinnedTable, JournalTable):
    """The journal as it was at one commit; see `PinnedTable`."""

    def append(self, columns: Mapping[str, Any]) -> None:
        """Raise TypeError."""
        self._open_to_write()


class PinnedStore(Store):
    """The tables of a collection as they were at one moment; they are read only.

    Attributes
    ----------
    state : State
        What the newest commits were.
    """

    files: PinnedTable
    images: PinnedTable
    thumbnails: PinnedTable
    failures: PinnedTable
    fields: PinnedFieldTable
    journal: PinnedJournal

    def __init__(self, folder: Path, pins: Mapping[str, Pin]) -> None:
        super().__init__(folder)
        self.state: State = {name: pin.commit for name, pin in pins.items()}
        self._reading = Reading(folder)
        self._reading.of(self)
        self._pins = pins
        self.files = self._pinned("files.lance", schema.files())
        self.images = self._pinned("images.lance", schema.images())
        self.thumbnails = self._pinned("thumbnails.lance", schema.thumbnails())
        self.failures = self._pinned("failures.lance", schema.failures())
        self.fields = PinnedFieldTable(folder / "fields.lance", schema.fields(), pins.get("fields.lance"))
        self.journal = PinnedJournal(folder / JOURNAL, schema.journal(), pins.get(JOURNAL))

    @classmethod
    def take(cls, folder: Path, before: PinnedStore | None = None) -> PinnedStore:
        """Pin the tables in a ``.lookalike`` folder as they are now. Each is opened when it is first asked.

        Parameters
        ----------
        folder : Path
        before : PinnedStore, optional
            An earlier one: what has not changed since stays open.

        Raises
        ------
        StoreError
            If their folder cannot be looked into.
        """
        held = {} if before is None else dict(before._pins)
        reading = Reading(folder)  # before it is looked what is there to be read
        for _ in range(_TRIES):
            state = look_at_tables(folder)
            for name, commit in state.items():
                # Of a first write that was cut off, only a look inside tells that there is no table.
                if commit.version == 1:
                    with contextlib.suppress(OSError, ValueError, StoreDamagedError):  # who asks it will know
                        was_written(folder / name)
            if before is None:
                _miss_lost_tables(folder, state)
            for name, commit in state.items():
                if name not in held or held[name].commit != commit:
                    held[name] = Pin(Table(folder / name, schema.files()), commit)
            # As nothing has changed meanwhile, there was a moment at which they all were the newest.
            if look_at_tables(folder) == state:
                break
        found = cls(folder, {name: held[name] for name in state})
        reading.close()
        return found

    def needs_upgrade(self) -> bool:
        """Whether it is of format 1; see `Store.needs_upgrade`."""
        pin = self.images.pin
        if pin is None:
            return super().needs_upgrade()
        if pin.needs_upgrade is None:  # it is looked for in all rows
            pin.needs_upgrade = super().needs_upgrade()
        return pin.needs_upgrade

    def vectors(self, model: str, dimension: int, bits: int = FLOATS) -> PinnedTable:
        """Return the vector table of a model."""
        return self._pinned(f"vectors/{model}.lance", schema.vectors(dimension, bits))

    def vector_tables(self) -> dict[str, Table]:
        """Return the vector tables that were there, by model."""
        names = [name for name in self._pins if name.startswith("vectors/")]
        return {Path(name).stem: self._pinned(name, schema.vectors(1)) for name in names}

    def _pinned(self, name: str, columns: pa.Schema) -> PinnedTable:
        return PinnedTable(self.folder / name, columns, self._pins.get(name))
