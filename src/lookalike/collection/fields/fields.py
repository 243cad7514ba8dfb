"""The user's own columns, as users have them in hand."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from lookalike.collection.fields.tables import read_table
from lookalike.collection.fields.values import check_name
from lookalike.collection.fields.writing import FieldKinds, FileFields, write_fields
from lookalike.collection.manifest_file import ManifestFile
from lookalike.collection.names import Names
from lookalike.collection.references import NamedFile, References
from lookalike.collection.renamed import takes_timeout
from lookalike.collection.resources import Opener
from lookalike.errors import CollectionConflictError, CollectionNotFoundError, InvalidInputError
from lookalike.results.adding import FieldReport
from lookalike.store import Turn, Wait, writer_lock
from lookalike.system.checked_calls import checked, shown
from lookalike.system.progress import CancelToken, Progress, ProgressReport, Watch
from lookalike.system.watching import watching
from lookalike.types import FieldKind, FieldValue

FieldsByFile: TypeAlias = Mapping[Any, Mapping[str, FieldValue | None]]
"""What is said of files, by id, stored path, or path of the disk; see `Fields.set`."""

_AT_ONCE = 50_000  # rows of a commit


@checked
class Fields(Names):
    """The user's own columns, by name: `Collection.fields`.

    A column holds numbers, texts, dates, booleans or tags. What is said is said of a file, by its stored
    path; it goes with its image to another name, stays with its name when the file is edited, and two keys or
    files of the same content may have different ones.

    Parameters
    ----------
    resources : callable
        Gives the collection as it is now.
    manifest_file : ManifestFile

    Examples
    --------
    >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
    >>> report = photos.sync()
    >>> photos.fields.set({photo_folder / "stripes.png": {"price": 3.5, "tags": ["wool"]}}).changed
    1
    >>> photos.fields.kinds()
    {'price': 'number', 'tags': 'tags'}
    >>> photos.fields.of(photo_folder / "stripes.png")
    {'price': 3.5, 'tags': ['wool']}
    """

    def __init__(self, resources: Opener, manifest_file: ManifestFile) -> None:
        self._resources = resources
        self._manifest_file = manifest_file

    def names(self) -> list[str]:
        """Return the names of the columns."""
        return list(self.kinds())

    def kinds(self) -> dict[str, FieldKind]:
        """Return what the columns hold, by name."""
        return self._resources().store.fields.kinds()

    def of(self, file: object) -> dict[str, FieldValue]:
        """Return what is said of a file, by name; what nothing is known of is left out.

        Parameters
        ----------
        file : int, str or path
            See `set`. Of an id, the first file that holds the image.

        Raises
        ------
        CollectionError
            If there is no such file in the collection.
        """
        places = self._resources().places
        try:
            found = References(places).find(file)[0]
        except LookupError as error:
            raise CollectionNotFoundError(f"{file}: {error.args[0]}") from error
        return dict(places.snapshot.fields_at(*found))

    @takes_timeout
    def set(
        self,
        fields: FieldsByFile,
        *,
        wait: Wait = "threads",
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> FieldReport:
        """Say something of files; what else is known of them stays.

        Parameters
        ----------
        fields : mapping
            By file: the id of an image, as a number or 16 hexadecimal digits, for all files that hold it; a
            stored path such as ``photos:2019/lake.jpg``, ``mnist:test/42`` or ``added:KEY``; or the path of a
            file. To each a mapping of names to values: numbers, texts, dates, booleans, lists of texts; None
            to know nothing any more. A name that is new makes a column of its first value's kind.
        wait : float, None or "threads"
            How long to wait for another writer; see `Collection.sync`.
        report, cancel : optional
            Told of the progress, and what stops it; what has been written stays. See `Collection.sync`.

        Returns
        -------
        FieldReport

        Raises
        ------
        InvalidInputError
            If a name is none, or a value is not of its column's kind; nothing has been changed.
        LockedError
            If another process is writing to the collection.
        """
        if not isinstance(fields, Mapping):
            raise InvalidInputError(f"fields is {shown(fields)}; expected a mapping by file", field="fields")
        resources = self._resources()
        with (
            watching(report, cancel) as watch,
            writer_lock(resources.store.folder, Turn(wait, "setting fields", watch)),
        ):
            self._manifest_file.bring_up_to_date(resources.live)
            kinds = FieldKinds(resources.live.fields)
            references = References(self._resources().places)
            found: list[tuple[list[NamedFile], Mapping[str, Any]]] = []
            unknown = []
            for file, values in fields.items():
                checked = kinds.check(values)
                try:
                    found.append((references.find(file), checked))
                except LookupError:
                    unknown.append(str(file))
            named = {**kinds.known, **kinds.new}
            given = {name for values in fields.values() for name in values}
            counts = self._write(kinds, found, unknown, watch)
        return FieldReport(*counts, {name: kind for name, kind in named.items() if name in given})

    @takes_timeout
    def read(
        self,
        file: str | os.PathLike[str],
        *,
        wait: Wait = "threads",
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> FieldReport:
        """Say of files what a table does: CSV or Parquet, a row a file, a column a field.

        A column called ``path``, ``file``, ``id`` or ``key`` says which file a row is about. Paths may be
        absolute, or relative to the table, the working directory or a root; a ``file`` may be a name alone,
        where only one file is called so. The header of another column may say what it holds, as
        ``price:number``, ``tags:tags`` (parted by semicolons). Else that holds which the collection has; a
        column of a CSV file that is new is of booleans (true, false, yes, no), numbers, dates (2019-05-04,
        with a time or without) or texts, the first of which all its words are; one called ``tags`` or
        ``keywords`` is of tags. Numbers with zeros before them, such as 007, are texts. What is empty says
        nothing.

        Parameters
        ----------
        file : path
        wait : float, None or "threads"
            How long to wait for another writer; see `Collection.sync`.
        report, cancel : optional
            Told of the progress, and what stops it; what has been written stays. See `Collection.sync`.

        Returns
        -------
        FieldReport
            With the rows that are about no file of the collection.

        Raises
        ------
        InvalidInputError
            If it cannot be read, does not say which files it is about, or holds something that is not of its
            column's kind; nothing has been changed.
        LockedError
            If another process is writing to the collection.
        """
        path = Path(file)
        resources = self._resources()
        with (
            watching(report, cancel) as watch,
            writer_lock(resources.store.folder, Turn(wait, "setting fields", watch)),
        ):
            self._manifest_file.bring_up_to_date(resources.live)
            kinds = FieldKinds(resources.live.fields)
            table = read_table(path, kinds)
            references = References(self._resources().places, [path.absolute().parent])
            named = {**kinds.known, **kinds.new}
            found: list[tuple[list[NamedFile], Mapping[str, Any]]] = []
            unknown = []
            for row, name in enumerate(table.names):
                try:
                    found.append((references.find_in(table.named_by, name), table.values(row)))
                except LookupError:
                    unknown.append(name)
            counts = self._write(kinds, found, unknown, watch)
        return FieldReport(*counts, {name: named[name] for name in table.columns})

    def check_table(self, file: str | os.PathLike[str]) -> None:
        """Look whether `read` can take a table, which may take long work to come to.

        Raises
        ------
        InvalidInputError
            As `read` does.
        """
        read_table(Path(file), FieldKinds(self._resources().live.fields))

    def _write(
        self,
        kinds: FieldKinds,
        found: Iterable[tuple[list[NamedFile], Mapping[str, Any]]],
        unknown: list[str],
        watch: Watch,
    ) -> tuple[int, int, tuple[str, ...]]:
        """Write what is said of files; return how many these are, how many have changed, what is unknown."""
        rows: dict[NamedFile, dict[str, Any]] = {}
        for files, values in found:
            for file in files:  # what is said last counts
                rows.setdefault(file, {}).update(values)
        waiting = [FileFields(*file, values) for file, values in rows.items()]
        changed = 0
        table = self._resources().live.fields
        for start in range(0, len(waiting), _AT_ONCE):
            watch(Progress("fields", start, len(waiting), "setting fields", len(unknown)))
            changed += len(write_fields(table, kinds, waiting[start : start + _AT_ONCE]))
        if waiting:
            watch(Progress("fields", len(waiting), len(waiting), "setting fields", len(unknown)))
            table.maintain()
        return len(rows), changed, tuple(unknown)

    def rename(self, old: str, new: str, *, wait: Wait = "threads") -> None:
        """Give a column another name.

        Parameters
        ----------
        old, new : str
        wait : float, None or "threads"
            How long to wait for another writer; see `Collection.sync`.

        Raises
        ------
        CollectionError
            If there is no such column, or one of the new name.
        """
        self._check_there(old)
        resources = self._resources()
        with writer_lock(resources.store.folder, Turn(wait, "renaming a field")):
            kinds = resources.live.fields.kinds()
            others = {name.casefold() for name in kinds if name != old}
            if check_name(new).casefold() in others:
                raise CollectionConflictError(
                    f"there is a field {new!r} already", hint="choose another name, or remove that one first"
                )
            if old in kinds and new != old:
                resources.live.fields.rename(old, new)

    def remove(self, name: str, *, wait: Wait = "threads") -> None:
        """Take a column away, with all that is said in it.

        Parameters
        ----------
        name : str
        wait : float, None or "threads"
            How long to wait for another writer; see `Collection.sync`.

        Raises
        ------
        CollectionError
            If there is no such column.
        """
        self._check_there(name)
        resources = self._resources()
        with writer_lock(resources.store.folder, Turn(wait, "removing a field")):
            if name in resources.live.fields.kinds():
                resources.live.fields.drop(name)

    def _check_there(self, name: str) -> None:
        kinds = self.kinds()
        if name not in kinds:
            there = ", ".join(kinds) or "none"
            raise CollectionNotFoundError(f"there is no field {name!r} (there are: {there})")
