"""The versions of a table, and which of them are whole.

A version is one file in ``_versions``, the manifest, which Lance names so that the name tells its number;
the newest counts. It is whole if it is what was written, and so are all files that it names. After a power
cut, or when something has rotted, the newest may not be: then the last that is whole counts, for all who
read, and one line says so. Who writes first moves what is not whole aside, to ``damaged`` in the collection,
so that the next version can have its number; nothing is deleted.

That the newest is whole is looked at once for each file that it is. Then to know it takes ten microseconds,
as every search asks.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import warnings
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lookalike.errors import DamageWarning, StoreDamagedError, is_panic
from lookalike.hints import Hint, Sentence
from lookalike.store.checksums import Checksums, Noted
from lookalike.store.manifest import FOLDER_NAME
from lookalike.system.file_identity import FileIdentity
from lookalike.system.flush import flush_folder, make_durable_folder
from lookalike.system.free_name import free_name
from lookalike.system.renaming import rename

VERSIONS = "_versions"
DAMAGED = "damaged"
"""What the folder in a collection is called in which damaged files lie that were replaced."""

REPAIRED = "repaired"
"""The folder in a collection in which a repair makes tables; gone when it has ended."""

MADE_ANEW = ".whole"
"""How the mark in `REPAIRED` ends that a table is ready there to take its place."""

_COUNTED_DOWN = re.compile(r"(\d{20})\.manifest")
_COUNTED = re.compile(r"(\d+)\.manifest")
_COUNTED_FROM = 2**64 - 1
_MOST_REMEMBERED = 128  # commits of a table
_TRIES = 20  # to find the newest version while others write
_ENDING = b"LANC"  # of each manifest
_REPAIR = Hint("repair")
_NO_FILE = FileIdentity(0, 0, 0)  # of a version that is gone


class Commit(NamedTuple):
    """A commit of a table: its number, and the file that it is, as a table that is made again counts anew."""

    version: int
    file: FileIdentity


class Flaw(NamedTuple):
    """What is wrong with a version that is not whole.

    Attributes
    ----------
    reason : str
    was_done : bool
        Whether it once was whole: then it has rotted. Else it was cut off before anybody was told of it.
    """

    reason: str
    was_done: bool


_whole: dict[str, dict[int, FileIdentity]] = {}
"""By table, the commits that were found to be whole, or that this process has made."""

_flaws: dict[str, dict[Commit, Flaw]] = {}
"""By table, the commits that were found not to be whole."""


def newest_commit(table: Path | str) -> Commit | None:
    """Return the newest commit of the table in a folder, which is not opened; None before the first.

    What is known not to be whole does not count.

    Raises
    ------
    OSError
        If the folder cannot be looked into.
    """
    folder = os.fspath(table)
    versions = f"{folder}{os.sep}{VERSIONS}"
    flaws = _flaws.get(folder) if _flaws else None
    for _ in range(_TRIES):
        try:
            names = os.listdir(versions)
        except (FileNotFoundError, NotADirectoryError):
            return None
        found = _newest(names)
        if found is None:
            return None
        number, name = found
        # One that is gone since has a newer one, or the table is being made again.
        with contextlib.suppress(FileNotFoundError):
            commit = Commit(number, FileIdentity.of(os.stat(f"{versions}{os.sep}{name}")))
            if flaws is None:
                return commit
            return next((each for each, _ in _commits(versions, names) if each not in flaws), None)
    raise FileNotFoundError(errno.ENOENT, "its newest version comes and goes", versions)


def was_written(table: Path) -> bool:
    """Tell whether a table has a version that counts; none, if its first write was cut off.

    Raises
    ------
    StoreDamagedError
        If it has lost all that it had.
    OSError
        If the folder cannot be looked into.
    """
    newest = newest_commit(table)
    if newest is None:
        return open_whole(table) is not None
    # Of the first, nobody knows yet whether there is anything to fall back to.
    if newest.version > 1 or _is_known(table, newest):
        return True
    with contextlib.suppress(OSError):
        noted = Checksums(table).read()
        if any(f"{VERSIONS}/{name}" in noted for name in manifests(table)):
            return True
    return open_whole(table) is not None


def open_whole(table: Path, upto: int | None = None, commit_lock: Callable[..., Any] | None = None) -> Any:
    """Open the newest version of a table that is whole; None where there is none, and never was.

    Parameters
    ----------
    table : Path
    upto : int, optional
        A version, for who wants none that is newer.
    commit_lock : callable, optional
        What Lance is to commit with.

    Raises
    ------
    StoreDamagedError
        If there is none, but was.
    OSError, ValueError
        If it cannot be read, whole as it is.
    """
    folder, versions = os.fspath(table), table / VERSIONS
    for _ in range(_TRIES):
        names = _listed(table)
        if upto is not None and upto not in map(version_of, filter(_COUNTED.fullmatch, names)):
            raise ValueError(f"version {upto} is not there any more")
        flawed: list[tuple[Commit, Flaw]] = []
        with contextlib.suppress(FileNotFoundError):  # cleared away by another process, meanwhile
            commits = list(_commits(os.fspath(versions), names))
            is_of_newest = upto is None or (len(commits) > 0 and commits[0][0].version == upto)
            if is_of_newest and not (commits and _is_known(table, commits[0][0])):
                flawed += _missing(table, commits[0][0].version if commits else 0)
            for commit, name in commits:
                if upto is not None and commit.version > upto:
                    continue
                flaw = _flaws.get(folder, {}).get(commit)
                dataset = None
                if flaw is None:
                    dataset, flaw = _look(table, name, commit, commit_lock)
                if flaw is None:
                    _pass_over(table, flawed)
                    return dataset
                flawed.append((commit, flaw))
            return _without_any(table, flawed)
    raise FileNotFoundError(errno.ENOENT, "its newest version comes and goes", os.fspath(versions))


def flaws(table: Path) -> dict[str, Flaw]:
    """Return what is wrong with the versions that are newer than the newest whole one, by file name.

    Raises
    ------
    StoreDamagedError
        If none is whole, but one was.
    OSError
        If the folder cannot be looked into.
    """
    folder = os.fspath(table)
    newest = newest_commit(table)
    if newest is None or not _is_known(table, newest):
        open_whole(table)
    found = _flaws.get(folder, {})
    if not found:
        return {}
    commits = _commits(os.fspath(table / VERSIONS), _listed(table))
    named = {name: found[commit] for commit, name in commits if commit in found}
    return named | {_name_of(commit.version): found[commit] for commit in found if commit.file == _NO_FILE}


def sweep(table: Path) -> None:
    """Delete the files of data that no version names: of a write that was cut off. The caller holds its lock.

    Only where there may be some are all versions looked at: files that were never noted, or after which no
    version was. If one cannot be read, nothing is deleted.

    Raises
    ------
    OSError
        If the folder cannot be looked into.
    """
    import lance

    there = {
        f"{folder}/{name}"
        for folder in ("data", "_deletions")
        if (table / folder).is_dir()
        for name in os.listdir(table / folder)
    }
    newest = open_whole(table) if there else None
    if newest is None or flaws(table) or damaged_folder(table).is_dir():  # what lies there names some of it
        return
    there.difference_update(name for name, _ in named_files(newest))
    was_named: set[str] = set()
    waiting: list[str] = []
    for name in Checksums(table).read() if there else ():
        waiting.append(name)
        if name.startswith(VERSIONS):
            was_named.update(waiting)
            waiting.clear()
    there -= was_named
    try:
        for version in newest.versions() if there else ():
            each = lance.dataset(os.fspath(table), version=version["version"])
            there.difference_update(name for name, _ in named_files(each))
    except BaseException as error:
        if not isinstance(error, OSError | ValueError) and not is_panic(error):
            raise
        return
    for name in there:
        with contextlib.suppress(OSError):  # the next one will
            os.unlink(table / name)


def look(table: Path, number: int) -> Flaw | None:
    """Look anew at a version and at all files that it names; return what is wrong, None if it is whole.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    for commit, name in _commits(os.fspath(table / VERSIONS), _listed(table)):
        if commit.version == number:
            _whole.get(os.fspath(table), {}).pop(number, None)
            return _look(table, name, commit, None)[1]
    return Flaw("it is not there", was_done=False)


def move_aside(table: Path, names: Collection[str]) -> list[Path]:
    """Move manifests of a table to `damaged_folder`; return where they are now. The caller holds its lock.

    Raises
    ------
    OSError
        If one cannot be moved.
    """
    if not names:
        return []
    folder = damaged_folder(table) / VERSIONS
    make_durable_folder(folder)
    moved = []
    for name in names:
        if not (table / VERSIONS / name).exists():  # gone already
            continue
        place = free_name(folder / name)
        rename(table / VERSIONS / name, place)
        moved.append(place)
    flush_folder(folder)
    with contextlib.suppress(FileNotFoundError):
        flush_folder(table / VERSIONS)
    sums = Checksums(table)
    sums.forget_others([name for name in sums.read() if name.removeprefix(f"{VERSIONS}/") not in names])
    _flaws.pop(os.fspath(table), None)
    return moved


def damaged_folder(table: Path) -> Path:
    """Return where what is damaged of a table is moved to: ``damaged/<table>`` in the collection."""
    home = home_of(table)
    return home / DAMAGED / table.relative_to(home)


def home_of(table: Path) -> Path:
    """Return the ``.lookalike`` folder that a table is in."""
    return next((folder for folder in table.parents if folder.name == FOLDER_NAME), table.parent)


def note_whole(table: Path, name: str) -> None:
    """Take a version that this process has just made, and flushed, for whole."""
    with contextlib.suppress(OSError):
        facts = os.stat(table / VERSIONS / name)
        _remember(table, Commit(version_of(name), FileIdentity.of(facts)))


def _missing(table: Path, newest: int) -> list[tuple[Commit, Flaw]]:
    """Return the commit that was noted last, if it is newer than the newest that is there.

    Raises
    ------
    FileNotFoundError
        If it has come since the newest was looked for: that is to be done again.
    """
    noted: dict[str, Noted] = {}
    with contextlib.suppress(OSError):
        noted = Checksums(table).read()
    names = [name for folder, _, name in (each.partition("/") for each in noted) if folder == VERSIONS]
    last = max(map(version_of, names), default=0)
    if last <= newest:
        return []
    if any(version_of(name) >= last for name in filter(_COUNTED.fullmatch, _listed(table))):
        raise FileNotFoundError(errno.ENOENT, "a newer version has come meanwhile", os.fspath(table))
    return [(Commit(last, _NO_FILE), Flaw(f"{VERSIONS}/{_name_of(last)} is missing", was_done=True))]


def _name_of(number: int) -> str:
    """Return what Lance calls the file of a version."""
    return f"{_COUNTED_FROM - number:020}.manifest"


def _is_known(table: Path, commit: Commit) -> bool:
    return _whole.get(os.fspath(table), {}).get(commit.version) == commit.file


def _remember(table: Path, commit: Commit) -> None:
    known = _whole.setdefault(os.fspath(table), {})
    known[commit.version] = commit.file
    if len(known) > _MOST_REMEMBERED:
        for number in sorted(known)[: _MOST_REMEMBERED // 2]:
            known.pop(number, None)


def version_of(manifest: str) -> int:
    """Return the number of a version by the name of its file, of which Lance counts the names down.

    >>> version_of("18446744073709551614.manifest"), version_of("7.manifest")
    (1, 7)
    """
    number = int(manifest.partition(".")[0])
    return _COUNTED_FROM - number if number > _COUNTED_FROM // 2 else number


def manifests(table: Path) -> list[str]:
    """Return the names of the files that are versions of a table, the newest first."""
    return [name for _, name in _numbered(_listed(table))]


def _listed(table: Path) -> list[str]:
    try:
        return os.listdir(table / VERSIONS)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _newest(names: Collection[str]) -> tuple[int, str] | None:
    """Return number and name of the newest manifest among the names in ``_versions``.

    Lance counts them down, so that the newest is the first; it used to write the number itself.

    >>> _newest(["18446744073709551613.manifest", "18446744073709551614.manifest", "x.tmp"])
    (2, '18446744073709551613.manifest')
    >>> _newest(["9.manifest", "10.manifest"])
    (10, '10.manifest')
    """
    first = min(names, default="")  # nearly always the one; there may be hundreds
    found = _COUNTED_DOWN.fullmatch(first)
    if found is not None:
        return _COUNTED_FROM - int(found[1]), first
    return next(iter(_numbered(names)), None)


def _numbered(names: Collection[str]) -> list[tuple[int, str]]:
    """Return number and name of all manifests, the newest first; only of one way of naming."""
    down = [name for name in names if _COUNTED_DOWN.fullmatch(name)]
    chosen = down or [name for name in names if _COUNTED.fullmatch(name)]
    return sorted(((version_of(name), name) for name in chosen), reverse=True)


def _commits(versions: str, names: Collection[str]) -> Iterator[tuple[Commit, str]]:
    """Return all commits among the names in ``_versions``, the newest first, each with its name."""
    for number, name in _numbered(names):
        yield Commit(number, FileIdentity.of(os.stat(f"{versions}{os.sep}{name}"))), name


def _pass_over(table: Path, flawed: Collection[tuple[Commit, Flaw]]) -> None:
    """Remember which commits are not whole, and say so once."""
    known = _flaws.setdefault(os.fspath(table), {}) if flawed else {}
    new = [flaw for commit, flaw in flawed if commit not in known]
    known.update(flawed)
    if not new:
        return
    flaw = next((each for each in new if each.was_done), new[0])
    happened = "is damaged" if flaw.was_done else "was cut off before it was done"
    hint = _REPAIR if flaw.was_done else Hint("sync", then="")
    told = f"the newest version of {table} {happened} ({flaw.reason}); the last that is whole is taken"
    warnings.warn(DamageWarning(Sentence(told, hint)), stacklevel=3)


def _without_any(table: Path, flawed: Collection[tuple[Commit, Flaw]]) -> None:
    """Raise StoreDamagedError, unless no version ever counted."""
    home = home_of(table)
    if os.path.exists(home / REPAIRED / f"{table.relative_to(home)}{MADE_ANEW}"):
        raise StoreDamagedError(f"a repair of {table} was cut off", hint=_REPAIR)
    if any(flaw.was_done or commit.version > 1 for commit, flaw in flawed):
        reason = next(iter(flawed))[1].reason
        raise StoreDamagedError(f"cannot read {table}: {reason}", hint=_REPAIR)
    if flawed:
        _flaws.setdefault(os.fspath(table), {}).update(flawed)


def _look(
    table: Path, name: str, commit: Commit, commit_lock: Callable[..., Any] | None
) -> tuple[Any, Flaw | None]:
    """Open a version, and look whether it is whole, unless that is known."""
    import lance

    folder = os.fspath(table)
    if _is_known(table, commit):
        return lance.dataset(folder, version=commit.version, commit_lock=commit_lock), None
    sums = Checksums(table)
    noted: dict[str, Noted] = {}
    with contextlib.suppress(OSError):  # then nothing is known of any file
        noted = sums.read()
    own = f"{VERSIONS}/{name}"
    was_done = own in noted
    if own in noted:  # what has rotted may be opened all the same, and be another table
        if sums.verify(own, noted[own]) != "whole":
            return None, Flaw(f"{own} is not what was written", was_done)
        dataset = lance.dataset(folder, version=commit.version, commit_lock=commit_lock)
    else:
        content = (table / own).read_bytes()
        if not content.endswith(_ENDING):
            return None, Flaw(f"{own} is {'not whole' if content else 'empty'}", was_done)
        try:
            dataset = lance.dataset(folder, version=commit.version, commit_lock=commit_lock)
        except BaseException as error:
            # OSError may be of the system: no handles, no memory, no rights.
            if not isinstance(error, ValueError) and not is_panic(error):
                raise
            return None, Flaw(f"{own} is not whole", was_done)
    for file, size in named_files(dataset):
        verdict = sums.trust(file, noted.get(file))
        if verdict == "unknown":
            there = os.stat(table / file).st_size
            verdict = "whole" if there == size or (size is None and there) else "damaged"
        if verdict != "whole":
            return None, Flaw(f"{file} is {verdict}", was_done)
    _remember(table, commit)
    return dataset, None


def flawed_index(table: Path, dataset: Any) -> str | None:
    """Return what is wrong with the indexes of Lance's own that an open version names; None if nothing is.

    Raises
    ------
    OSError
        If one cannot be read.
    """
    sums = Checksums(table)
    noted = sums.read()
    for index in dataset.describe_indices():
        for segment in index.segments:
            folder = f"_indices/{segment.uuid}/"
            for name in filter(lambda each: each.startswith(folder), noted):
                verdict = sums.trust(name, noted[name])
                if verdict != "whole":
                    return f"{name} is {verdict}"
    return None


def named_files(dataset: Any) -> Iterator[tuple[str, int | None]]:
    """Return the files that an open version names, by their paths in the table, with sizes where it says.

    Those of an index are not among them.
    """
    for fragment in dataset.get_fragments():
        yield from files_of(fragment)


def files_of(fragment: Any) -> Iterator[tuple[str, int | None]]:
    """Return the files of one fragment; see `named_files`."""
    for file in fragment.data_files():
        yield f"data/{file.path}", file.file_size_bytes
    deletions = fragment.deletion_file()
    if deletions is not None:
        yield deletions, None
