"""The tables: each of their files against its checksum, and a table made anew of what is still whole.

A table is a list of fragments, each a file of rows, which its newest version names. What is damaged costs
the rows of the fragments that it lies in. A repair writes the others to a new table, which then takes the
place of the old one. Rows that nothing else can bring back, of what people said, of their own fields and
vectors, and the keys of images that were added, are also looked for in older versions.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.collection.checking.kept_keys import with_kept
from lookalike.collection.checking.parts import Looking, Mended, whatever_goes_wrong
from lookalike.collection.checking.said import without_gaps
from lookalike.embed import ModelRegistry
from lookalike.errors import LookalikeError, StoreResourceError
from lookalike.hints import Hint, Sentence
from lookalike.results.checking import Damage
from lookalike.store import JOURNAL, Store, Turn, writer_lock
from lookalike.store.checksums import Checksums, Noted
from lookalike.store.commits import Commits
from lookalike.store.schema import vectors as vectors_schema
from lookalike.store.versions import (
    MADE_ANEW,
    REPAIRED,
    VERSIONS,
    files_of,
    manifests,
    version_of,
)
from lookalike.system.flush import flush_folder, make_durable_folder
from lookalike.system.renaming import rename
from lookalike.system.wording import count_of

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class TableKind:
    """What a table is to its users.

    Attributes
    ----------
    part : str
        As in `Damage`.
    costs : str
    is_derived : bool
        Whether what is lost is read again from the images.
    remembered : str or None
        An SQL condition on rows that older versions are asked for, too; None where no row is.
    order : int
        When it is mended, among others.
    """

    part: str
    costs: str
    is_derived: bool = True
    remembered: str | None = None
    order: int = 30


_ALL = "true"
_WAIT = 30.0  # seconds, for who is saying something
FILES = TableKind(
    "table", "the images in it are not found any more", remembered="starts_with(path, 'added:')", order=24
)
IMAGES = TableKind("table", "what is known of the images in it", order=25)
THUMBNAILS = TableKind("thumbnails", "their thumbnails, and what is known of these images", order=26)
FAILURES = TableKind("table", "why some files could not be read", order=27)
VECTORS = TableKind("table", "the images in it are not found by this model", order=28)
BROUGHT = TableKind("table", "vectors that were brought along", is_derived=False, remembered=_ALL, order=28)
FIELDS = TableKind("table", "values of your own fields", is_derived=False, remembered=_ALL, order=22)
SAID = TableKind("said", "what people said", is_derived=False, remembered=_ALL, order=20)


@dataclass(slots=True)
class _Version:
    """A version of a table, and the fragments in it that are whole."""

    number: int
    dataset: Any
    whole: list[Any] = field(default_factory=list)
    broken: list[tuple[Any, str]] = field(default_factory=list)


class TableFiles:
    """The files of a table, each read once.

    Parameters
    ----------
    folder : Path
    looking : Looking
    """

    def __init__(self, folder: Path, looking: Looking) -> None:
        self.folder = folder
        self._looking = looking
        self._sums = Checksums(folder)
        self._noted: dict[str, Noted] = {}
        with contextlib.suppress(OSError):
            self._noted = self._sums.read()
        self._reasons: dict[str, str | None] = {}

    def wrong_with(self, name: str, size: int | None = None) -> str | None:
        """Return what is wrong with a file, by its path in the table; None if it is whole."""
        if name not in self._reasons:
            self._reasons[name] = self._look(name, size)
        return self._reasons[name]

    def _look(self, name: str, size: int | None) -> str | None:
        noted = self._noted.get(name)
        try:
            verdict = self._sums.verify(name, noted)
            if verdict == "unknown" and size is not None:
                verdict = "unknown" if os.stat(self.folder / name).st_size == size else "damaged"
        except OSError as error:
            return f"{name} cannot be read: {error.strerror or error}"
        self._looking.count(self.folder / name, noted is not None)
        if verdict == "damaged":
            return f"{name} is not what was written"
        return f"{name} is missing" if verdict == "missing" else None

    def newest_noted(self) -> int:
        """Return the number of the newest version that is known to have been whole."""
        prefix = f"{VERSIONS}/"
        numbers = [version_of(name.removeprefix(prefix)) for name in self._noted if name.startswith(prefix)]
        return max(numbers, default=0)

    def of_index(self, uuid: str) -> list[str]:
        """Return the files of an index of Lance's own that were noted."""
        return [name for name in self._noted if name.startswith(f"_indices/{uuid}/")]

    def versions(self, problems: list[str]) -> Iterator[_Version]:
        """Open the versions that can be opened, the newest first; what is wrong with others is noted."""
        import lance

        for name in manifests(self.folder):
            reason = self.wrong_with(f"{VERSIONS}/{name}")
            if reason is None:
                wrong: list[str] = []
                with whatever_goes_wrong(wrong):
                    dataset = lance.dataset(str(self.folder), version=version_of(name))
                    version = _Version(version_of(name), dataset)
                    for fragment in dataset.get_fragments():
                        own = [
                            found
                            for file, size in files_of(fragment)
                            if (found := self.wrong_with(file, size)) is not None
                        ]
                        if own:
                            version.broken.append((fragment, "; ".join(own)))
                        else:
                            version.whole.append(fragment)
                    yield version
                reason = wrong[0] if wrong else None
            if reason is not None:
                problems.append(reason)


def look_at_table(looking: Looking, folder: Path, kind: TableKind) -> bool:
    """Look at all files of a table that count; tell whether its rows can be read.

    Only the newest version counts, and what it names; older ones are for who fell back.
    """
    if not folder.is_dir():
        return False
    files = TableFiles(folder, looking)
    problems: list[str] = []
    newest = next(files.versions(problems), None)
    if newest is None and not problems and not files.newest_noted():
        return False  # a first write that was cut off: nothing was ever there
    if newest is not None and newest.number < files.newest_noted() and not problems:
        problems.append(f"version {files.newest_noted()} is missing")
    if newest is not None:
        problems += [reason for _, reason in newest.broken]
        if not problems:
            with whatever_goes_wrong(problems):
                for _ in looking.watch.each(newest.dataset.to_batches()):
                    pass
    if problems:
        looking.find(
            Damage(
                kind.part,
                looking.place(folder),
                "; ".join(dict.fromkeys(problems)),
                _costs(kind, newest),
                _remedy(kind),
            ),
            lambda: _mend_alone(looking, folder, kind),
            kind.order,
        )
        return False
    if newest is not None:
        _look_at_index(looking, files, newest.dataset)
    return newest is not None


def _costs(kind: TableKind, newest: _Version | None) -> str:
    if newest is None or not newest.broken:
        return kind.costs
    n = sum(fragment.count_rows() for fragment, _ in newest.broken if _counts(fragment))
    return f"{kind.costs} ({count_of(n, 'row')})" if n else kind.costs


def _counts(fragment: Any) -> bool:
    problems: list[str] = []
    with whatever_goes_wrong(problems):
        fragment.count_rows()
    return not problems


def _remedy(kind: TableKind) -> str:
    if kind.is_derived:
        return "the rows that are whole are kept, and the others read again from the images"
    return "the rows that are whole are kept, and older versions asked for the others"


def _look_at_index(looking: Looking, files: TableFiles, dataset: Any) -> None:
    """Look at the index that Lance keeps of vectors, in the table."""
    segments = [segment for each in dataset.describe_indices() for segment in each.segments]
    names = [name for segment in segments for name in files.of_index(str(segment.uuid))]
    reasons = [reason for name in names if (reason := files.wrong_with(name))]
    if reasons:
        looking.find(
            Damage(
                "index",
                looking.place(files.folder / "_indices"),
                "; ".join(reasons),
                "neighbours are missing from what ivf-rq finds, until it is made again",
                "it is made again",
            ),
            lambda: _mend_index(looking, files.folder),
            80,
        )


def _mend_index(looking: Looking, folder: Path) -> Mended:
    import lance

    looking.keep_copy(folder / "_indices")
    dataset = lance.dataset(str(folder), commit_lock=Commits(folder))
    for index in dataset.describe_indices():
        dataset.drop_index(index.name)
    gone = folder / "_indices"
    shutil.rmtree(gone, ignore_errors=True)
    return Mended("it was taken away; whoever searches by it makes it again")


def _mend_alone(looking: Looking, folder: Path, kind: TableKind) -> Mended:
    """Make a table anew, while nobody writes to it: what people say has a lock of its own."""
    with contextlib.ExitStack() as stack:
        if folder == looking.folder / JOURNAL:
            stack.enter_context(writer_lock(folder.parent, Turn(_WAIT, "mending it", looking.watch)))
        return _mend(looking, folder, kind)


def _mend(looking: Looking, folder: Path, kind: TableKind) -> Mended:
    """Make a table anew of what is whole."""
    files, problems = TableFiles(folder, Looking(looking.folder)), list[str]()
    rows: pa.Table | None = None
    schema = None
    n_older = 0
    for version in files.versions(problems):
        if rows is None:
            rows, schema = _read(version, None, problems), version.dataset.schema
        elif kind.remembered is not None:
            older = _read(version, kind.remembered, problems)
            rows, n = _with_older(rows, older)
            n_older += n
    if kind.is_derived:
        looking.must_read_again()
    n = 0 if rows is None else len(rows)
    guessed: list[str] = []
    if kind is FILES:
        rows, guessed = with_kept(looking.folder, rows)
        _keep_brought(looking)
    if kind is SAID and rows is not None:
        rows, _ = without_gaps(rows)
    if rows is None and kind is VECTORS:
        # That there is a table says that the images are embedded with this model.
        rows = _no_vectors(looking, folder.stem)
    if rows is not None and (len(rows) or kind is VECTORS):
        _write_anew(looking, folder, rows.cast(schema) if schema and rows.schema != schema else rows)
    else:
        looking.move_aside(folder)
    words = f"{count_of(n, 'row')} kept" if n else "no row could be kept"
    if n_older:
        words += f", {n_older:,} of them as an older version has them"
    if guessed:
        words += f"; the keys of {count_of(len(guessed), 'added image')} are lost, which are their ids now"
    if kind.is_derived:
        return Mended(
            f"{words}; the others are read again from the images",
            is_back=not guessed and not (n_older and kind.remembered),
        )
    return Mended(
        Sentence(
            f"{words}; what else there was is lost",
            Hint("as_told", words="look whether what you need is there"),
        ),
        is_back=False,
    )


def _no_vectors(looking: Looking, model: str) -> pa.Table | None:
    """Return a table of a model without rows; None where nothing says how long its vectors are."""
    try:
        found = ModelRegistry(looking.folder / "models").get(model)
    except LookalikeError:
        return None
    return vectors_schema(found.dimension).empty_table()


def _read(version: _Version, condition: str | None, problems: list[str]) -> pa.Table:
    import pyarrow as pa

    parts = []
    for fragment in version.whole:
        with whatever_goes_wrong(problems):
            parts.append(fragment.to_table(filter=condition))
    return pa.concat_tables(parts) if parts else version.dataset.schema.empty_table()


def _with_older(rows: pa.Table, older: pa.Table) -> tuple[pa.Table, int]:
    """Return rows with those of an older version whose keys are not among them, and how many these are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(older):
        return rows, 0
    key = rows.schema.names[0]
    new = older.filter(pc.invert(pc.is_in(older[key], value_set=rows[key].combine_chunks())))
    columns = [
        new[name].cast(rows.schema.field(name).type)
        if name in new.schema.names
        else pa.nulls(len(new), rows.schema.field(name).type)
        for name in rows.schema.names
    ]
    return pa.concat_tables([rows, pa.table(columns, schema=rows.schema)]), len(new)


def _keep_brought(looking: Looking) -> None:
    """Keep vectors that were brought along: of images that are not found again the next sweep takes them."""
    for name, table in Store(looking.folder).vector_tables().items():
        if (looking.folder / "models" / f"{name}.external").exists():
            looking.brought[name] = table.count(), looking.keep_copy(table.folder)


def _write_anew(looking: Looking, folder: Path, rows: pa.Table) -> None:
    """Write a table beside its place, then move the old one aside, and the new one there."""
    import lance

    new = looking.folder / REPAIRED / looking.place(folder)
    shutil.rmtree(new, ignore_errors=True)
    try:
        make_durable_folder(new.parent)
        lance.write_dataset(rows, str(new), mode="create", commit_lock=Commits(new))
        (new.parent / f"{new.name}{MADE_ANEW}").touch()  # from here on, a repair that is cut off can be ended
        flush_folder(new.parent)
        looking.move_aside(folder)
        _put(new, folder)
    except OSError as error:
        raise StoreResourceError(f"cannot write {new}: {error.strerror or error}") from error


def _put(new: Path, folder: Path) -> None:
    make_durable_folder(folder.parent)
    rename(new, folder)
    flush_folder(folder.parent)
    (new.parent / f"{new.name}{MADE_ANEW}").unlink(missing_ok=True)


def end_repairs(collection: Path) -> None:
    """Put tables in their places that a repair had made when it was cut off."""
    place = collection / REPAIRED
    if not place.is_dir():
        return
    for mark in sorted(place.rglob(f"*{MADE_ANEW}")):
        new = mark.with_suffix("")
        folder = collection / new.relative_to(place)
        if new.is_dir() and not folder.exists():
            _put(new, folder)
