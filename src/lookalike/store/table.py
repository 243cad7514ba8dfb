"""One Lance table with a key: upsert, delete, read.

A Lance dataset is a folder of immutable data files and numbered versions; a commit is one file's
appearance, so a process killed at any moment leaves whole commits only. Lance never flushes to the disk
itself; each commit here does, in the order that survives a power cut: see `commits`. What is opened is the
newest version that is whole: see `versions`.

A handle does not see what other processes commit. Opening takes half a millisecond, so every operation
opens anew.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError, StoreDamagedError, StoreResourceError, is_panic
from lookalike.hints import Hint, refusal
from lookalike.store import schema, upkeep, versions
from lookalike.store.checksums import Checksums
from lookalike.store.commits import ANOTHER_DISK, Commits
from lookalike.store.embeddings import COLUMN, bits_of, dimension_of, from_column
from lookalike.store.lying_vectors import Lying, lying_vectors
from lookalike.system.forks import check_not_forked
from lookalike.types import Ids, Vectors

if TYPE_CHECKING:
    import pyarrow as pa

_KEYS_PER_FILTER = 2_000  # an SQL filter of more keys takes longer to parse than to run
_ROWS_AT_ONCE = 16_384
_BYTES_AT_ONCE = 1 << 23  # of a batch, where memory matters
_LANCE_SOURCE = re.compile(r",?( location:)? /\S+\.rs:\d+(:\d+)?")  # where in itself an error arose
_REFUSED = re.compile("(?i)not permitted|not supported|not implemented|read-only|permission denied")
_REPAIR = Hint("repair")


class Table:
    """A table in a folder of its own, which the first write makes.

    Parameters
    ----------
    folder : Path
        ``<name>.lance``.
    schema : pyarrow.Schema
        Its first column is the key.
    is_made_again : callable
        Tells whether `index` makes all rows again that are lost; asked when the newest version has rotted.
        Then who writes goes on from an older one; else what people said would be lost without a word.
    """

    _notes_at_once: ClassVar[bool] = True  # see `Commits`

    def __init__(
        self, folder: Path, schema: pa.Schema, is_made_again: Callable[[], bool] = lambda: False
    ) -> None:
        self.folder = folder
        self.schema = schema
        self._key: str = schema.names[0]
        self._is_made_again = is_made_again
        self._commits: Commits | None = None  # of the last operation that writes
        self._index_seen = 0  # the version whose own index was found whole

    def exists(self) -> bool:
        """Whether anything was ever written."""
        with self._errors("read"):
            return versions.was_written(self.folder)

    def version(self) -> int:
        """Return the number of the newest commit, 0 before the first."""
        if not self.exists():
            return 0
        with self._errors("read"):
            return int(self._open().version)

    def state(self) -> str:
        """Name the newest commit: its number and time, as a table that is made again counts anew."""
        if not self.exists():
            return "0"
        with self._errors("read"):
            newest = self._open().get_version()
            return f"{newest['version']:08}-{int(newest['timestamp'].timestamp() * 1e6):x}"

    def count(self) -> int:
        """Return the number of rows."""
        if not self.exists():
            return 0
        with self._errors("read"):
            return int(self._open().count_rows())

    def dimension(self) -> int | None:
        """Return how many numbers each embedding of a vector table has; None before the first write."""
        if not self.exists():
            return None
        with self._errors("read"):
            return dimension_of(self._open().schema)

    def bits(self) -> int:
        """Return in how many bits a number of a vector table is kept."""
        if not self.exists():
            return bits_of(self.schema)
        with self._errors("read"):
            return bits_of(self._open().schema)

    def read(self, columns: Sequence[str] | None = None, where: str | None = None) -> pa.Table:
        """Read whole columns, of the rows that an SQL condition keeps.

        Returns
        -------
        pyarrow.Table
            Of no particular order. Columns that the table lacks, see `missing_columns`, are null.
        """
        columns = list(columns or self.schema.names)
        if not self.exists():
            return self._subset(columns).empty_table()
        with self._errors("read"):
            dataset = self._open()
            missing = set(columns).difference(dataset.schema.names)
            if not missing:
                return dataset.to_table(columns=columns, filter=where)
            # The key is always there, and says how many rows there are.
            there = [name for name in columns if name not in missing] or [self._key]
            return self._with_nulls(dataset.to_table(columns=there, filter=where), columns)

    def read_where_in(
        self, column: str, values: Iterable[int | str], columns: Sequence[str], where: str | None = None
    ) -> pa.Table:
        """Read the rows whose `column` is one of `values`, and that an SQL condition keeps."""
        import pyarrow as pa

        conditions = [
            condition if where is None else f"({condition}) AND ({where})"
            for condition in _conditions(column, values)
        ]
        parts = [self.read(columns, condition) for condition in conditions]
        return pa.concat_tables(parts) if parts else self._subset(columns).empty_table()

    def read_vectors(self) -> tuple[Ids, Vectors]:
        """Read all embeddings of a vector table.

        Returns
        -------
        ids : (n,) int64
        vectors : (n, d) float32
        """
        dimension = self._dimension
        if not self.exists():
            return np.empty(0, np.int64), np.empty((0, dimension), np.float32)
        with self._errors("read"):
            dataset = self._open()
            there = dimension_of(dataset.schema)
            if there != dimension:
                raise StoreDamagedError(
                    f"{self.folder} holds vectors of {there} dimensions; expected {dimension}",
                    hint=_REPAIR,
                )
            n = dataset.count_rows()
            ids = np.empty(n, np.int64)
            vectors = np.empty((n, dimension), np.float32)
            start = 0
            for some_ids, some in _vector_blocks(dataset):
                rows = slice(start, start + len(some_ids))
                ids[rows], vectors[rows] = some_ids, some
                start += len(some_ids)
            return ids, vectors

    def vector_blocks(self) -> Iterator[tuple[Ids, Vectors]]:
        """Read all embeddings of a vector table, some thousand at a time."""
        if self.exists():
            with self._errors("read"):
                yield from _vector_blocks(self._open())

    def open_vectors(self) -> tuple[Callable[[], Iterator[tuple[Ids, Vectors]]], Ids]:
        """Open a vector table as it is now, whatever is committed later.

        Returns
        -------
        read : callable
            Reads all embeddings, some thousand at a time, each time in the same order. What it holds in
            memory does not grow with their number.
        ids : (n,) int64
            In that order.
        """
        if not self.exists():
            return lambda: iter(()), np.empty(0, np.int64)
        with self._errors("read"):
            dataset = self._open()
            ids = dataset.to_table(columns=["id"], scan_in_order=True)["id"].to_numpy()
        rows = max(1, min(_ROWS_AT_ONCE, _BYTES_AT_ONCE // (4 * self._dimension)))

        def read() -> Iterator[tuple[Ids, Vectors]]:
            with self._errors("read"):
                # Left to itself, Lance reads some hundred megabytes ahead.
                yield from _vector_blocks(
                    dataset,
                    rows,
                    batch_readahead=2,
                    fragment_readahead=1,
                    io_buffer_size=4 * _BYTES_AT_ONCE,
                )

        return read, ids

    def lying_vectors(self) -> list[Lying]:
        """Return all rows of a vector table, mapped where they lie in its files; see `lying_vectors`."""
        if not self.exists():
            return []
        with self._errors("read"):
            dataset = self._open()
            return list(lying_vectors(self.folder, dataset))

    def vectors_of(self, ids: Iterable[int]) -> tuple[Ids, Vectors]:
        """Read the embeddings of some images; those that are not there are passed over.

        Returns
        -------
        ids : (n,) int64
            Of no particular order.
        vectors : (n, d) float32
        """
        rows = self.read_where_in("id", ids, ["id", COLUMN])
        return rows["id"].to_numpy(), from_column(rows[COLUMN], len(rows))

    def read_side(self, name: str) -> tuple[Ids, npt.NDArray[np.uint8]]:
        """Read a column that stands beside the embeddings, of the rows that have it.

        Returns
        -------
        ids : (n,) int64
            Of no particular order.
        rows : (n, width) uint8
            (0, 0) where the table has no such column.
        """
        nothing = np.empty(0, np.int64), np.empty((0, 0), np.uint8)
        if not self.exists():
            return nothing
        with self._errors("read"):
            dataset = self._open()
            if name not in dataset.schema.names:
                return nothing
            found = dataset.to_table(columns=["id", name], filter=f"{name} IS NOT NULL")
            width = dataset.schema.field(name).type.byte_width
            parts = [
                np.frombuffer(part.buffers()[1], np.uint8, len(part) * width, part.offset * width)
                for part in found[name].chunks
                if len(part)
            ]
            rows = np.concatenate([np.empty(0, np.uint8), *parts]).reshape(-1, width)
            return found["id"].to_numpy(), rows

    def with_sides(self, widths: Mapping[str, int]) -> Table:
        """Return a vector table ready to be written with columns beside the embeddings, by bytes a row."""
        if not widths:
            return self
        wider = Table(self.folder, schema.with_sides(self.schema, widths), self._is_made_again)
        wider.add_missing_columns()
        return wider

    def has_vector_index(self) -> bool:
        """Whether `make_vector_index` was called, and all files of it are what was written."""
        if not self.exists():
            return False
        with self._errors("read"):
            dataset = self._open()
            is_made = len(dataset.describe_indices()) > 0  # there is none but that
            return is_made and versions.flawed_index(self.folder, dataset) is None

    def make_vector_index(self, n_cells: int) -> None:
        """Make Lance's own index of the embeddings, in place of one that is there."""
        with self._errors("write"):
            # Lance doubles cosine distances; of unit rows, euclidean ones come in the same order.
            self._open_to_write().create_index(
                COLUMN, "IVF_RQ", metric="L2", num_partitions=n_cells, replace=True
            )

    def extend_vector_index(self) -> None:
        """Take into Lance's index what came since it was made."""
        with self._errors("write"):
            self._open_to_write().optimize.optimize_indices()

    def nearest(self, query: Vectors, k: int, n_cells: int, n_refined: int) -> tuple[Ids, Vectors]:
        """Ask Lance's index for the rows of smallest euclidean distance.

        Parameters
        ----------
        query : (d,) float32
        k : int
        n_cells : int
            How many cells to look into at least.
        n_refined : int
            How many full rows to read for each of the k.

        Returns
        -------
        ids : (k,) int64
            Fewer, if there are no more.
        vectors : (k, d) float32
        """
        asked = {
            "column": COLUMN,
            "q": query,
            "k": k,
            "minimum_nprobes": n_cells,  # with `nprobes`, there may be too few rows
            "maximum_nprobes": n_cells,
            "refine_factor": n_refined,
        }
        with self._errors("read"):
            columns = ["id", COLUMN, "_distance"]
            dataset = self._open()
            if self._index_seen != dataset.version:
                flaw = versions.flawed_index(self.folder, dataset)
                if flaw is not None:
                    raise StoreDamagedError(f"the index in {self.folder} is damaged: {flaw}", hint=_REPAIR)
                self._index_seen = dataset.version
            rows = dataset.scanner(columns=columns, nearest=asked).to_table()
        return rows["id"].to_numpy(), from_column(rows[COLUMN], len(rows))

    def upsert(self, columns: Mapping[str, Any]) -> None:
        """Write rows: those whose key is there replace the old ones, the others are added.

        Parameters
        ----------
        columns : mapping of str to list or array
            Columns of the schema, of one length; those that may be null can be left out. Each key at most
            once.
        """
        import lance
        import pyarrow as pa

        with self._errors("write"):
            n = len(columns[self._key])
            left_out = {
                field.name: pa.nulls(n, field.type)
                for field in self.schema
                if field.nullable and field.name not in columns
            }
            rows = pa.table({**columns, **left_out}, schema=self.schema)
            if not rows.num_rows:
                return
            keys = rows[self._key].to_pylist()
            if len(set(keys)) < len(keys):  # Lance would write them all
                repeated = next(key for key in keys if keys.count(key) > 1)
                raise StoreDamagedError(
                    f"cannot write {self.folder}: {self._key} {repeated!r} comes more than once"
                )
            if self.exists():
                merge = self._open_to_write().merge_insert(self._key)
                merge.when_matched_update_all().when_not_matched_insert_all().conflict_retries(50)
                merge.execute(rows)
            else:
                lance.write_dataset(rows, str(self.folder), mode="create", commit_lock=self._begin())

    def missing_columns(self) -> list[str]:
        """Return the columns of the schema that the table lacks, as it was made before them."""
        if not self.exists():
            return []
        with self._errors("read"):
            there = set(self._open().schema.names)
            return [name for name in self.schema.names if name not in there]

    def add_missing_columns(self) -> None:
        """Add the columns that `missing_columns` names, null in every row."""
        missing = self.missing_columns()
        if missing:
            with self._errors("write"):
                self._open_to_write().add_columns(self._subset(missing))

    def delete(self, keys: Iterable[int | str]) -> None:
        """Remove the rows of these keys; keys that are not there are passed over."""
        if not self.exists():
            return
        with self._errors("write"):
            for condition in _conditions(self._key, keys):
                self._open_to_write().delete(condition)

    def sweep_cut_off(self) -> None:
        """Delete what a writer that was killed has left; the caller holds the lock of all who write."""
        if self.exists():
            with self._errors("write"):
                versions.sweep(self.folder)

    def maintain(self) -> None:
        """Join the small files of many commits, and drop versions that no reader can still be using."""
        if not self.exists():
            return
        with self._errors("write"):
            dataset = self._open_to_write()
            if upkeep.join_small(dataset):
                dataset = self._open_to_write()
            with upkeep.unread(self.folder, dataset) as is_unread:
                if is_unread:
                    dataset.delete("false")  # one more version of the same files, to fall back on
                    dataset = self._open_to_write()
                n_kept = upkeep.wanted_versions(self.folder, dataset, is_unread)
                if n_kept is not None:
                    self._clean(dataset, n_kept)

    def open_at(self, version: int) -> Any:
        """Open it as it was at a commit, for who keeps it open; see `lookalike.store.pinned`."""
        with self._errors("read"):
            return self._there(versions.open_whole(self.folder, version))

    def live(self) -> Table:
        """Return the table as it is whenever it is asked: this one is."""
        return self

    def is_newest(self) -> bool:
        """Tell whether nothing has been committed since: never to a table that is opened anew each time."""
        return True

    @property
    def _dimension(self) -> int:
        """How many numbers each embedding of a vector table is to have."""
        return dimension_of(self.schema)

    def _open(self) -> Any:
        return self._there(versions.open_whole(self.folder))

    def _open_to_write(self) -> Any:
        commits = self._begin()
        return self._there(versions.open_whole(self.folder, commit_lock=commits))

    def _there(self, dataset: Any) -> Any:
        if dataset is None:
            raise StoreDamagedError(f"{self.folder} is gone", hint=_REPAIR)
        return dataset

    def _begin(self) -> Commits:
        """Make ready for an operation that writes, and return what its commits are made by."""
        flaws = versions.flaws(self.folder)
        if any(flaw.was_done for flaw in flaws.values()) and not self._is_made_again():
            reason = next(flaw.reason for flaw in flaws.values() if flaw.was_done)
            raise StoreDamagedError(f"{self.folder} is damaged: {reason}", hint=_REPAIR)
        versions.move_aside(self.folder, flaws)
        self._commits = Commits(self.folder, self._notes_at_once)
        return self._commits

    def _clean(self, dataset: Any, n_kept: int) -> None:
        """Drop old versions, and what only they need."""
        if versions.look(self.folder, dataset.version) is not None:
            return  # the next that is opened will be an older one
        dataset.cleanup_old_versions(retain_versions=n_kept)
        sums = Checksums(self.folder)
        sums.forget_others([name for name in sums.read() if (self.folder / name).exists()])

    def _subset(self, columns: Sequence[str]) -> pa.Schema:
        import pyarrow as pa

        return pa.schema([self.schema.field(name) for name in columns])

    def _with_nulls(self, rows: pa.Table, columns: Sequence[str]) -> pa.Table:
        """Return rows with these columns, null where they are not among those of the rows."""
        import pyarrow as pa

        schema = self._subset(columns)
        return pa.table(
            [
                rows[field.name] if field.name in rows.schema.names else pa.nulls(len(rows), field.type)
                for field in schema
            ],
            schema=schema,
        )

    @contextlib.contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        """Lance raises bare OSError and ValueError: turn them into ours."""
        check_not_forked(self.folder)
        try:
            yield
        except UnicodeEncodeError as unspelled:
            raise InvalidInputError(
                f"cannot {doing} {self.folder}: a text has half a surrogate pair, which UTF-8 does not know"
            ) from unspelled
        except (OSError, ValueError, TypeError, ArithmeticError, RuntimeError) as caught:
            refused = self._commits.failure if self._commits is not None and doing == "write" else None
            error = refused or caught  # of what fails in a commit, Lance says that Lance is at fault
            if doing == "write" and self._commits is not None:
                self._commits.abandon()
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            reason = _LANCE_SOURCE.sub("", reason)[:300]
            number = refusal(error)
            if number is not None:
                words = getattr(error, "strerror", None) or os.strerror(number)
                reason = "the disk is full" if number == errno.ENOSPC else words
            way_out = ANOTHER_DISK if doing == "write" and _REFUSED.search(str(error)) else None
            is_damaged = doing == "read" and number is None
            raise (StoreDamagedError if is_damaged else StoreResourceError)(
                f"cannot {doing} {self.folder}: {reason}", hint=_REPAIR if is_damaged else way_out
            ) from error
        except MemoryError as error:
            raise StoreResourceError(f"cannot {doing} {self.folder}: there is not enough memory") from error
        except BaseException as error:
            if not is_panic(error):
                raise
            raise StoreDamagedError(
                f"cannot {doing} {self.folder}: Lance cannot make sense of it", hint=_REPAIR
            ) from error


def _vector_blocks(dataset: Any, rows: int = _ROWS_AT_ONCE, **ahead: int) -> Iterator[tuple[Ids, Vectors]]:
    scanner = dataset.scanner(columns=["id", COLUMN], batch_size=rows, scan_in_order=True, **ahead)
    for batch in scanner.to_batches():
        if batch.num_rows:
            yield batch.column("id").to_numpy(), from_column(batch.column(COLUMN), batch.num_rows)


def _conditions(column: str, values: Iterable[int | str]) -> Iterator[str]:
    """Write SQL conditions that together keep the rows whose `column` is among `values`."""
    literals = list(dict.fromkeys(sql_literal(value) for value in values))
    for start in range(0, len(literals), _KEYS_PER_FILTER):
        yield f"{column} IN ({', '.join(literals[start : start + _KEYS_PER_FILTER])})"


def sql_literal(value: int | str) -> str:
    """Write a value as SQL does, so that nothing in it can end it.

    >>> sql_literal("dog's")
    "'dog''s'"
    """
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(int(value))
