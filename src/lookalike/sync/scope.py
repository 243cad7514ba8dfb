"""What a request covers: whole roots, or some of their folders and files; and what lies there now."""

from __future__ import annotations

import glob
import itertools
import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from lookalike import datasets
from lookalike.errors import CollectionNotFoundError, MissingImagesError
from lookalike.hints import Hint
from lookalike.images import FileStat, scan
from lookalike.images.finding.globs import split_glob
from lookalike.images.finding.scan import Scan, find_again, scan_files
from lookalike.images.finding.spelling import path_within, spelled_name
from lookalike.store import ADDED, Root
from lookalike.store.kept import KeptFiles
from lookalike.sync.labeling import LabelOf, label_files
from lookalike.sync.plan import FoundFile, IndexedState, Plan, decide
from lookalike.system.file_names import escape, unescape
from lookalike.system.progress import UNWATCHED, Watch


@dataclass
class Scope:
    """The part of a root that a sync answers for: all of it, or the files and folders in `only`.

    `others` are the folders of the other roots, which a scan leaves to them where links lead there. A data
    set is always whole, and its `place` means nothing.
    """

    root: Root
    place: Path
    only: list[Path] = field(default_factory=list)
    others: tuple[Path, ...] = ()

    @property
    def is_missing(self) -> bool:
        """Whether the folder is not there."""
        return self.root.dataset is None and not os.path.isdir(self.place)

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the root."""
        return not self.only or self.place in self.only

    def answers_for(self, stored: str) -> bool:
        """Tell whether a stored path lies in the scope."""
        name, _, relative = stored.partition(":")
        if name != self.root.name:
            return False
        if self.is_whole:
            return True
        parts = relative.split("/")
        return any("/".join(parts[:depth]) in self._named for depth in range(1, len(parts) + 1))

    @cached_property
    def _named(self) -> set[str]:
        return {escape(path.relative_to(self.place).as_posix()) for path in self.only}


def expand(path: str | os.PathLike[str]) -> list[Path]:
    """Return the absolute paths that a path or glob stands for."""
    folder, pattern = split_glob(path)
    if not glob.has_magic(pattern):
        return [folder / pattern]
    forms = {pattern, *(unicodedata.normalize(form, pattern) for form in ("NFC", "NFD"))}
    start = glob.escape(str(folder))
    found = (match for form in forms for match in glob.glob(os.path.join(start, form), recursive=True))
    matches = sorted(set(found))
    if not matches:
        raise CollectionNotFoundError(f"nothing matches {os.fspath(path)}")
    return [Path(match) for match in matches]


def locate(places: Sequence[Path], path: Path) -> tuple[Path, Path] | None:
    """Find the folder among `places` that holds `path`, and the path as seen from it; None if none does.

    A folder that is reached by a link, or spelled otherwise, is the same folder; see `path_within`.
    """
    # The one that holds it as it is written, if there is one: the others need not be looked at.
    for place in sorted(places, key=lambda place: place != path and place not in path.parents):
        inside = path_within(place, path)
        if inside is not None:
            return place, place / inside
    return None


def _locate_near(
    places: Sequence[Path], path: Path, near: dict[Path, tuple[Path, Path] | None]
) -> tuple[Path, Path] | None:
    """Locate a path, or its folder once for all that lie in it: `near` remembers."""
    if path.parent not in near:
        near[path.parent] = locate(places, path.parent)
    held = near[path.parent]
    return (held[0], held[1] / spelled_name(held[1], path.name)) if held else locate(places, path)


def choose_scopes(roots: Mapping[Path, Root], paths: Sequence[str | os.PathLike[str]]) -> list[Scope]:
    """Turn the paths of a request into scopes of the roots; all roots where there are no paths.

    Parameters
    ----------
    roots : dict of Path to Root
        By their absolute folders.
    paths : sequence of path
        Folders, files and globs.

    Raises
    ------
    CollectionError
        If a path does not exist, or lies in no root.
    """
    if not paths:
        return [Scope(root, place, others=_others(roots, place)) for place, root in roots.items()]
    scopes: dict[Path, Scope] = {}
    near: dict[Path, tuple[Path, Path] | None] = {}
    for path in paths:
        for match in expand(path):
            held = _locate_near(list(roots), match, near)
            if held is None:
                listed = ", ".join(str(place) for place in roots) or "none yet"
                raise CollectionNotFoundError(
                    f"{match} lies in no root of this collection (its roots: {listed})"
                )
            place, inside = held
            if not os.path.lexists(inside) and place != inside:
                raise CollectionNotFoundError(f"there is no file or folder {match}")
            scope = scopes.setdefault(place, Scope(roots[place], place, others=_others(roots, place)))
            scope.only.append(inside)
    return list(scopes.values())


def _others(roots: Mapping[Path, Root], place: Path) -> tuple[Path, ...]:
    return tuple(other for other, root in roots.items() if other != place and root.dataset is None)


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in the scopes of a request.

    Attributes
    ----------
    scopes : sequence of Scope
    files : list of FoundFile
    failures : dict of str to str
        By stored path, why it could not be looked at.
    others, left_folders : Counter of str
        What was passed over; see `lookalike.images.finding.scan.Scan`.
    met, unmet : set of str
        What is to be excluded from roots that are looked at as a whole, by whether anything there matches.
    labels : dict of str to callable
        By root, what gives its files their labels.
    """

    scopes: Sequence[Scope]
    files: list[FoundFile]
    failures: dict[str, str]
    others: Counter[str] = field(default_factory=Counter)
    left_folders: Counter[str] = field(default_factory=Counter)
    met: set[str] = field(default_factory=set)
    unmet: set[str] = field(default_factory=set)
    labels: dict[str, LabelOf] = field(default_factory=dict)


def list_files(
    scopes: Sequence[Scope], known: IndexedState, prune: bool, watch: Watch = UNWATCHED
) -> Listing:
    """Scan the scopes. What was found holds for every model that is to be brought up to date.

    Raises
    ------
    MissingImagesError
        Unless `prune`: if a root is missing.
    """
    listing = Listing(scopes, [], {})
    for scope in watch.each(scopes):
        if scope.root.dataset is not None:
            listing.files.extend(_images_of(scope.root.dataset))
        else:
            _list_scope(scope, known, prune, listing, watch)
    return listing


def list_added(known: IndexedState, kept: KeptFiles) -> Iterator[FoundFile]:
    """Yield the images that were added by call: as they are known, since only a call changes them.

    They lie in no scope, so nothing that a scan finds, or does not find, takes them away.
    """
    for path, row in known.files.items():
        if path.startswith(f"{ADDED}:"):
            stat = FileStat(row.size, row.mtime_ns, row.ctime_ns, row.inode)
            yield FoundFile(path, kept.folder, stat, row.label, row.split, kept=kept.path_of(row.id))


def decide_scopes(listing: Listing, known: IndexedState, prune: bool) -> Plan:
    """Decide what is to be done in the scopes; what is doubtful is not looked at yet.

    Raises
    ------
    MissingImagesError
        Unless `prune`: if a root lost more than half of its images at once.
    """
    within = {
        path
        for scope in listing.scopes
        for rows in (known.files, known.failures)
        for path in rows
        if scope.answers_for(path)
    }
    plan = decide(listing.files, listing.failures, known, within)
    # Of folders that are called the same, one in the scope may give another outside of it a new label.
    for path, row in known.files.items():
        root, _, relative = path.partition(":")
        if root in listing.labels and path not in within:
            label = listing.labels[root](relative)
            if label != row.label:
                plan.updated.append(replace(row, label=label))
    if not prune:
        refuse_great_losses(plan, known, listing.scopes)
    return plan


def _list_scope(scope: Scope, known: IndexedState, prune: bool, listing: Listing, watch: Watch) -> None:
    """Add what lies in a scope, which is no data set."""
    name = scope.root.name
    result = _scan(scope, prune, watch)
    # What a scan passes over but somebody named once, a file without an ending, say, stays.
    known_here = (path.partition(":")[2] for path in known.files if scope.answers_for(path))
    left = [
        relative
        for relative in known_here
        if relative not in result.files and relative not in result.failures
    ]
    again = find_again(scope.place, watch.each(left), scope.root.exclude, result.folders)
    result.files.update(again.files)
    result.failures.update(again.failures)
    result.others -= Counter(os.path.splitext(relative)[1].lower() for relative in again.files)
    elsewhere = (path.partition(":")[2] for path in known.files if path.startswith(f"{name}:"))
    outside = (
        () if scope.is_whole else (path for path in elsewhere if not scope.answers_for(f"{name}:{path}"))
    )
    label_of = label_files(scope.root.labels, scope.place, itertools.chain(result.files, outside))
    if not scope.is_whole:
        listing.labels[name] = label_of
    files = []
    while result.files:  # there may be a million: each goes as it is taken over
        relative, stat = result.files.popitem()
        files.append(_found(f"{name}:{relative}", scope.place, stat, label_of(relative), known))
    files.reverse()
    listing.files.extend(files)
    listing.failures.update({f"{name}:{relative}": reason for relative, reason in result.failures.items()})
    listing.others.update(result.others)
    listing.left_folders.update(result.left_folders)
    if scope.is_whole:
        listing.unmet.update(result.unmet)
        listing.met.update(set(scope.root.exclude).difference(result.unmet))


def _found(path: str, place: Path, stat: FileStat, label: str | None, known: IndexedState) -> FoundFile:
    """Return a file; as most are what they were, with the texts and numbers of its row, to spare memory."""
    row = known.files.get(path)
    if row is not None:
        path = row.path
        if (row.mtime_ns, row.ctime_ns, row.inode) == (stat.mtime_ns, stat.ctime_ns, stat.inode):
            stat = FileStat(stat.size, row.mtime_ns, row.ctime_ns, row.inode)
    return FoundFile(path, place, stat, label)


def _images_of(name: str) -> list[FoundFile]:
    """Return the images of a data set whose images are rows of an array."""
    dataset = datasets.load(name)
    images = []
    for split in ("train", "test"):
        X, y = dataset.split(split)
        for row, label in enumerate(y.tolist()):
            path = f"{name}:{split}/{row}"
            # The rows of a data set do not change; were another edition longer, it would be noticed.
            stat = FileStat(size=int(X[row].nbytes), mtime_ns=0)
            images.append(
                FoundFile(path, Path(), stat, dataset.class_names[label], split, partial(X.__getitem__, row))
            )
    return images


def _scan(scope: Scope, prune: bool, watch: Watch) -> Scan:
    if scope.is_missing:
        if prune:
            return Scan()
        raise MissingImagesError(
            f"the folder {scope.place} is missing (an unplugged drive?); nothing was changed",
            hint=Hint("put_back", place=str(scope.place)),
        )
    if not scope.is_whole:
        return scan_files(scope.place, scope.only, scope.root.exclude, watch, scope.others)
    result = scan(scope.place, exclude=scope.root.exclude, watch=watch, others=scope.others)
    if "." in result.failures:
        raise MissingImagesError(
            f"the folder {scope.place} cannot be read ({result.failures['.']}); nothing was changed"
        )
    return result


def refuse_great_losses(plan: Plan, known: IndexedState, scopes: Sequence[Scope]) -> None:
    """Raise MissingImagesError if a root lost more than half of its images at once."""
    for scope in scopes if plan.gone else ():
        prefix = scope.root.name + ":"
        before = sum(path.startswith(prefix) for path in known.files)
        # Those that are there, but excluded now, are not lost.
        lost = sum(
            path.startswith(prefix) and not os.path.lexists(scope.place / unescape(path[len(prefix) :]))
            for path in plan.gone
        )
        if lost * 2 > before:
            raise MissingImagesError(
                f"{lost} of {before} images are no longer in {scope.place} (an unplugged drive?); nothing was"
                " changed",
                hint=Hint("put_images_back"),
            )
