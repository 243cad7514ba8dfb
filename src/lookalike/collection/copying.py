"""A copy of a collection in another folder: of one committed state, verified, while others go on writing.

The tables are copied as a snapshot holds them: the version that it has pinned, and the files which that
names, without any history. Lance clears no file away that was needed an hour ago; where one is gone all the
same, or a kept file was removed meanwhile, the next state is taken, and what is there already stays.

Every file is hashed while it is read, and compared with what was noted of it when it was written; then it is
read again from the disk that it was copied to. All of it is made in ``.lookalike.part`` beside its place, and
becomes a collection by one renaming, once it is on the disk. Who is killed before leaves nothing that is one,
and the next copy clears that away.

Indexes that are of these very vectors come along, others are made again when somebody searches. Trainings
under way, what was damaged and set aside, and locks stay behind.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lookalike.collection.copied_files import CopiedFiles, damaged, reading, writing
from lookalike.collection.resources import Opener, Resources
from lookalike.collection.stored.duplicates import FACTS, StoredDuplicates, encoded
from lookalike.collection.stored.duplicates import FOLDER as DUPLICATES
from lookalike.errors import (
    CollectionConflictError,
    InvalidInputError,
    StoreDamagedError,
    StoreResourceError,
)
from lookalike.hints import Hint
from lookalike.images.hashing import id_of
from lookalike.index.kinds import KINDS
from lookalike.results.copying import CopyReport
from lookalike.store import (
    ADDED,
    FOLDER_NAME,
    Manifest,
    PinnedTable,
    Turn,
    Wait,
    root_folder,
    stored_root_path,
)
from lookalike.store import writer_lock as lock_writers
from lookalike.store.checksums import Checksums
from lookalike.store.manifest import COPY_NAME, FILE_NAME
from lookalike.store.versions import flaws
from lookalike.system.checked_calls import shown
from lookalike.system.flush import flush_folder
from lookalike.system.free_name import free_name
from lookalike.system.progress import Watch
from lookalike.system.renaming import rename
from lookalike.system.sums import check_noted, read_document
from lookalike.system.this_system import may_go_while_open

PART = f"{FOLDER_NAME}.part"
"""What the folder is called in which a copy is made."""

_OLD = f"{FOLDER_NAME}.old"
_ROOTS = ("absolute", "relative")
_TRIES = 5  # while others change what is copied
_NAMED = {"clusterings": "clustering.json", "maps": "map.json"}
_LOCKS = ("lock", "lock.json")
_OURS = frozenset(
    {
        FILE_NAME,
        COPY_NAME,
        "added",
        "clusterings",
        "damaged",
        DUPLICATES,
        "indexes",
        "maps",
        "models",
        "said",
        "training",
        "swept.json",
    }
    | {
        "files.lance",
        "images.lance",
        "thumbnails.lance",
        "failures.lance",
        "fields.lance",
        "vectors",
        *_LOCKS,
    }
)


@dataclass(frozen=True, slots=True)
class CopyRequest:
    """Where to, and how; see `Collection.copy`."""

    to: Path
    roots: str
    force: bool
    wait: Wait

    def __post_init__(self) -> None:
        if self.roots not in _ROOTS:
            raise InvalidInputError(
                f"roots is {shown(self.roots)}; expected one of {', '.join(_ROOTS)}", field="roots"
            )

    @property
    def home(self) -> Path:
        """The folder that is to hold the ``.lookalike``, absolute."""
        path = Path(os.path.abspath(self.to))
        return path.parent if path.name == FOLDER_NAME else path


def copy_collection(newest: Opener, request: CopyRequest, watch: Watch) -> CopyReport:
    """Copy a collection; see `Collection.copy`."""
    started = time.monotonic()
    resources = newest()
    source, home = resources.store.folder, request.home
    target = home / FOLDER_NAME
    with writing(target):
        _check_target(source, target, request.force)
    turn = Turn(request.wait, "copying a collection to here", watch)
    with (
        _made(home),
        _part(home, turn) as (part, lock),
        _replaced(target, request.force, turn) as (replaces, lock_of_old),
    ):
        _check_target(source, target, request.force)  # another copy may have been waited for
        files = CopiedFiles(source, part, watch)
        for left in reversed(range(_TRIES)):
            try:
                _copy_state(resources, files)
                break
            except (FileNotFoundError, StoreDamagedError) as error:  # cleared away, or removed by who writes
                before, resources = resources, newest()
                if left and resources.places.snapshot is not before.places.snapshot:
                    continue
                if isinstance(error, StoreDamagedError):
                    raise
                raise StoreDamagedError(f"{error.filename} is missing", hint=Hint("repair")) from error
        files.finish()
        manifest = _with_roots(resources.places.manifest, source, target, request.roots)
        with writing(part):
            manifest.save(part)
            _flush_folders(part)
        watch.check()
        if not may_go_while_open():  # nor may a folder be renamed in which a file, the lock, is open
            lock.close()
            lock_of_old.close()
        _put(part, target, replaces)
    return CopyReport(
        target, len(resources.places.snapshot), files.n, files.n_bytes, time.monotonic() - started
    )


def _check_target(source: Path, target: Path, force: bool) -> None:
    """Raise CollectionConflictError unless a copy may be put there."""
    if source == target or source in target.parents or (target.exists() and target.samefile(source)):
        raise CollectionConflictError(f"{target} is the collection itself; name another folder")
    there = next(place for place in target.parents if os.path.lexists(place))
    if not there.is_dir():
        raise CollectionConflictError(f"{there} is no folder; name one to copy to")
    if not os.path.lexists(target) or (
        target.is_dir() and not target.is_symlink() and not any(target.iterdir())
    ):
        return
    is_ours = target.is_dir() and not target.is_symlink()
    is_ours = is_ours and any((target / name).is_file() for name in (FILE_NAME, COPY_NAME))
    if not is_ours:
        raise CollectionConflictError(f"{target} is there already, and no collection; name another folder")
    foreign = sorted(each.name for each in target.iterdir() if each.name not in _OURS)
    if foreign:
        raise CollectionConflictError(
            f"{target} holds {foreign[0]}, which no collection has put there; name another folder"
        )
    if not force:
        raise CollectionConflictError(
            f"there is a collection in {target} already, and it is not overwritten", hint=Hint("force_copy")
        )


@contextlib.contextmanager
def _made(home: Path) -> Iterator[None]:
    """Make a folder, and take it away if what is done in it fails."""
    missing = [folder for folder in (home, *home.parents) if not folder.exists()]
    try:
        with writing(home):
            home.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in missing:  # the innermost first
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


@contextlib.contextmanager
def _part(home: Path, turn: Turn) -> Iterator[tuple[Path, contextlib.ExitStack]]:
    """Give the folder in which a copy is made, empty, and its lock; it goes if it was not renamed."""
    part = home / PART
    with contextlib.ExitStack() as lock:
        while True:
            with writing(part):
                part.mkdir(exist_ok=True)
            try:
                lock.enter_context(lock_writers(part, turn))
            except StoreResourceError:
                if part.is_dir():
                    raise
            if (part / "lock").is_file():
                break
            lock.close()  # who was waited for has put the folder into its place
        try:
            with writing(part):
                for each in part.iterdir():
                    if each.name not in _LOCKS:
                        shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()
            yield part, lock
        finally:
            shutil.rmtree(part, ignore_errors=True)


# One state --------------------------------------------------------------------------------------------------


def _copy_state(resources: Resources, files: CopiedFiles) -> None:
    """Copy what a snapshot is made of, but for its manifest.

    Raises
    ------
    FileNotFoundError
        If a part of it is gone by now.
    """
    store, source = resources.places.store, resources.places.store.folder
    tables: list[PinnedTable] = [store.files, store.images, store.thumbnails, store.failures, store.fields]
    tables += [
        store.journal,
        *(table for table in store.vector_tables().values() if isinstance(table, PinnedTable)),
    ]
    for table in tables:
        _check_not_rotted(table.folder)
    there = {table: table.file_names() for table in tables if table.exists()}
    kept = _kept_files(resources)
    files.total = sum(
        os.path.getsize(table.folder / name) for table, names in there.items() for name in names
    ) + sum(os.path.getsize(source / name) for name in kept.values())
    _check_room(files)
    wanted = set(kept.values())
    # What goes soonest comes first.
    for image, name in kept.items():
        if id_of(bytes.fromhex(files.copy(name))) != image:
            raise damaged(source / name)
    for table, names in there.items():
        noted = Checksums(table.folder).read()
        place = table.folder.relative_to(source).as_posix()
        for name in names:
            wanted.add(f"{place}/{name}")
            files.copy(f"{place}/{name}", noted[name].sha256 if name in noted else None)
        files.is_table(place, names)
    for kind, facts in _NAMED.items():
        for folder in sorted((source / kind).glob("*/")):
            wanted.update(_copy_named(files, f"{kind}/{folder.name}", facts))
    wanted.update(_copy_models(files))
    for model, vectors in store.vector_tables().items():
        wanted.update(_copy_indexes(files, model, vectors.state()))
    wanted.update(_copy_duplicates(files))
    files.keep_only(wanted)


def _check_not_rotted(table: Path) -> None:
    """Raise StoreDamagedError where an older version of a table stands in for one that was whole once."""
    with reading(table):
        rotted = [flaw for flaw in flaws(table).values() if flaw.was_done]
    if rotted:
        raise StoreDamagedError(f"{table} is damaged: {rotted[0].reason}", hint=Hint("repair"))


def _kept_files(resources: Resources) -> dict[int, str]:
    """Return the files of images that were added by call, by image, as paths in the collection."""
    store = resources.places.store
    rows = (
        store.files.read(["path", "id"], f"starts_with(path, '{ADDED}:')") if store.files.exists() else None
    )
    if rows is None or not resources.places.holds_added:
        return {}
    return {
        image: store.kept.path_of(image).relative_to(store.folder).as_posix()
        for image in sorted(set(rows["id"].to_pylist()))
    }


def _check_room(files: CopiedFiles) -> None:
    """Raise StoreResourceError where there is too little room: before hours, not after."""
    with contextlib.suppress(OSError):
        free, needed = shutil.disk_usage(files.part).free, (files.total or 0) - files.n_bytes
        if free < needed:
            raise StoreResourceError(
                f"the copy takes {needed / 1e6:,.0f} MB, and the disk of {files.part.parent} has"
                f" {free / 1e6:,.0f} MB left"
            )


def _copy_named(files: CopiedFiles, place: str, facts: str) -> list[str]:
    """Copy a clustering or a map, whose facts name the file of its arrays."""
    for left in reversed(range(_TRIES)):
        try:
            content = (files.source / place / facts).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return []
        try:
            arrays = str(read_document(content)["arrays"])
            if os.path.basename(arrays) != arrays:
                raise ValueError
            found = files.copy(f"{place}/{arrays}")
        except (ValueError, KeyError, TypeError) as error:
            raise damaged(files.source / place / facts) from error
        except FileNotFoundError:  # replaced between the reading of its two files
            if not left:
                raise
            continue
        if f"arrays-{found[:16]}.npz" != arrays:
            raise damaged(files.source / place / arrays)
        files.write(f"{place}/{facts}", content)
        break
    return [f"{place}/{facts}", f"{place}/{arrays}"]


def _copy_models(files: CopiedFiles) -> list[str]:
    """Copy what the collection's own models need."""
    names = []
    for file in sorted((files.source / "models").rglob("*")):
        if file.is_file() and not file.name.endswith((".part", ".lock")):
            names.append(file.relative_to(files.source).as_posix())
            files.copy(names[-1])
    for name in names:
        if f"{name}.sum" in names:
            try:
                check_noted(files.part / name, (files.part / name).read_bytes())
            except ValueError as error:
                raise damaged(files.source / name) from error
    return names


def _copy_indexes(files: CopiedFiles, model: str, state: str) -> list[str]:
    """Copy the indexes that are of this state of a model's vectors; none that goes meanwhile."""
    copied: list[str] = []
    with contextlib.suppress(FileNotFoundError):  # of none was any vector written anew
        files.copy(f"indexes/{model}.rewritten")
        copied.append(f"indexes/{model}.rewritten")
    for kind in KINDS:
        folder = files.source / "indexes" / f"{model}-{kind.name}"
        folder = folder if kind.is_of_store else folder / state
        try:
            names = [
                each.relative_to(files.source).as_posix()
                for each in sorted(folder.iterdir())
                if each.is_file()
            ]
            names = [name for name in names if not name.endswith((".part", ".lock", "/whole.json"))]
            for name in names:
                files.copy(name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        copied += names
    return copied


def _copy_duplicates(files: CopiedFiles) -> list[str]:
    """Copy what is kept of duplicates, as far as it is sound; the rest is made anew by who needs it."""
    stored = StoredDuplicates(files.source)
    for left in reversed(range(_TRIES)):
        facts = stored.read()
        names = [f"{DUPLICATES}/{part.file}" for parts in facts.parts.values() for part in parts]
        try:
            for name in names:
                files.copy(name)
        except FileNotFoundError:  # joined with others meanwhile
            if not left:
                raise
            continue
        if not names:
            return []
        names.append(f"{DUPLICATES}/{FACTS}")
        files.write(names[-1], encoded(facts))
        return names
    return []


def _with_roots(manifest: Manifest, source: Path, target: Path, roots: str) -> Manifest:
    """Return the manifest of the copy, whose roots are found from there."""
    if roots == "relative":
        return manifest
    return replace(
        manifest,
        roots=tuple(
            root
            if root.dataset is not None
            else replace(root, path=stored_root_path(target, root_folder(source, root)))
            for root in manifest.roots
        ),
    )


def _flush_folders(part: Path) -> None:
    for folder, _, _ in os.walk(part, topdown=False):
        flush_folder(folder)


@contextlib.contextmanager
def _replaced(target: Path, force: bool, turn: Turn) -> Iterator[tuple[bool, contextlib.ExitStack]]:
    """Tell whether a collection is to be replaced, and give its lock: what came meanwhile would be lost."""
    with contextlib.ExitStack() as lock:
        is_there = force and any((target / name).exists() for name in (FILE_NAME, COPY_NAME))
        if is_there:
            lock.enter_context(lock_writers(target, turn))
        yield is_there, lock


def _put(part: Path, target: Path, replaces: bool) -> None:
    """Make it the collection in its place, in one stroke; one that is there goes only then."""
    (part / "lock.json").unlink(missing_ok=True)  # the lock itself goes along, and is given back there
    if not replaces:
        with writing(target):
            rename(part, target)
            flush_folder(target.parent)
        return
    old = free_name(target.with_name(_OLD))  # what an earlier cut has left is not touched
    with writing(target):
        rename(target, old)
        try:
            rename(part, target)
        except OSError:
            rename(old, target)
            raise
        flush_folder(target.parent)
    shutil.rmtree(old, ignore_errors=True)
