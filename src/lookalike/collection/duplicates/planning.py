"""Groups of duplicates made into a plan: which file goes, what stays for it, and what goes along.

A plan never takes the last file of a group, nor one that is not known to be on the disk as the collection
knows it. What is left out is named, with the reason.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lookalike.collection.duplicates.belonging import FolderNames, are_companions
from lookalike.collection.duplicates.handing_on import words_of
from lookalike.collection.resources import Resources
from lookalike.duplicates.kinds import KINDS, DuplicateKind
from lookalike.errors import InvalidInputError
from lookalike.results.duplicate_plans import DuplicatePlan, LeftFile, PlannedFile, PlannedRow, check_plan
from lookalike.results.duplicates import DuplicateFile, DuplicateGroup, DuplicateGroups, DuplicateImage
from lookalike.system.checked_calls import shown
from lookalike.system.file_contents import read_content
from lookalike.system.file_moves import may_write
from lookalike.system.progress import UNWATCHED, Progress, Watch

PLANNED: tuple[DuplicateKind, ...] = KINDS[:3]
"""What goes unless other kinds are asked for: never what was only taken together, or is of a series."""

_AT_ONCE = 50_000  # rows of a table


def plan(
    resources: Resources,
    groups: DuplicateGroups | Sequence[DuplicateGroup],
    kinds: Collection[DuplicateKind] = PLANNED,
    watch: Watch = UNWATCHED,
) -> DuplicatePlan:
    """Plan what is to go of groups of duplicates, and what stays for it; nothing is done.

    Parameters
    ----------
    resources : Resources
    groups : DuplicateGroups
    kinds : collection of str
        Which kinds of duplicates go.
    watch : Watch

    Raises
    ------
    InvalidInputError
        If there is no such kind.
    """
    wrong = [each for each in kinds if each not in KINDS]
    if wrong:
        raise InvalidInputError(f"kinds has {shown(wrong[0])}; expected {', '.join(KINDS)}", field="kinds")
    planning = _Planning(resources, frozenset(kinds))
    planning.load(groups)
    for number, group in enumerate(groups):
        watch(Progress("planning", number, len(groups), "planning", unit="groups"))
        planning.take(group)
    return planning.finish(watch)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the collection knows of a file, or why it cannot be planned with."""

    file: PlannedFile | None
    why: str = ""


@dataclass
class _Planning:
    """A plan that is being made."""

    resources: Resources
    kinds: frozenset[DuplicateKind]
    rows: list[PlannedRow] = field(default_factory=list)
    left: list[LeftFile] = field(default_factory=list)
    folders: dict[Path, FolderNames] = field(default_factory=dict)
    known: dict[str, _Known] = field(default_factory=dict)
    stored: dict[str, str] = field(default_factory=dict)  # by path

    def names_in(self, folder: Path) -> FolderNames:
        """Return the names in a folder, which is read once."""
        if folder not in self.folders:
            self.folders[folder] = FolderNames.of(folder)
        return self.folders[folder]

    def take(self, group: DuplicateGroup) -> None:
        """Plan what goes of a group."""
        known = self.known
        files = [(image, each) for image in group.images for each in image.files]
        kept = [(image, each) for image, each in files if each.keep and known[each.stored_path].file]
        for image, each in files:
            if each.keep:
                continue
            facts = known[each.stored_path]
            if facts.file is None:
                self.left.append(LeftFile(each.path, facts.why))
                continue
            if not kept:
                named = [known[other.stored_path].why for _, other in files if other.keep]
                why = (
                    f"what is to be kept of its group cannot be: {named[0]}"
                    if named
                    else ("no file of its group is to be kept")
                )
                self.left.append(LeftFile(each.path, why))
                continue
            self._add(image, each, kept, group)

    def _add(
        self,
        image: DuplicateImage,
        file: DuplicateFile,
        kept: Sequence[tuple[DuplicateImage, DuplicateFile]],
        group: DuplicateGroup,
    ) -> None:
        same = [pair for pair in kept if pair[0].id == image.id]
        for_it, keep = (same or kept)[0]
        go = self.known[file.stored_path].file
        stays = self.known[keep.stored_path].file
        assert go is not None and stays is not None
        kind: DuplicateKind = "identical"
        probability = 1.0
        if not same:
            first = group.images[0]
            links = [each for each in (image, for_it) if each.id != first.id]
            kind = KINDS[max(KINDS.index(each.kind) for each in links)]
            for each in links:
                probability *= each.probability
        if kind not in self.kinds:
            words = {"together": "only taken together with", "series": "of a series with"}
            how = words.get(kind, f"{kind} as")
            why = f"it is {how} {keep.path}; such are planned when they are asked for: {kind}"
            self.left.append(LeftFile(go.path, why))
        elif are_companions(Path(go.path), Path(stays.path), self.names_in(Path(go.path).parent)):
            self.left.append(LeftFile(go.path, f"it is of one shot with {keep.path}, and belongs to it"))
        else:
            self.rows.append(PlannedRow(stays, go, kind, probability))

    def load(self, groups: Sequence[DuplicateGroup]) -> None:
        """Read what is known of all files of groups."""
        store, places = self.resources.store, self.resources.places
        files = [(image.id, each) for group in groups for image in group.images for each in image.files]
        rows, sums = {}, {}
        for start in range(0, len(files), _AT_ONCE):
            some = files[start : start + _AT_ONCE]
            stored = list({each.stored_path for _, each in some})
            columns = ["path", "id", "size", "mtime_ns"]
            for row in store.files.read_where_in("path", stored, columns).to_pylist():
                rows[row["path"]] = row
            ids = list({image for image, _ in some})
            for row in store.images.read_where_in("id", ids, ["id", "sha256"]).to_pylist():
                sums[row["id"]] = row["sha256"].hex()
        for image, each in files:
            row, why = rows.get(each.stored_path), self._why_not(each)
            if not why and (row is None or row["id"] != image or image not in sums):
                why = "the collection does not know it any more, or knows another picture there"
            if why or row is None:
                self.known[each.stored_path] = _Known(None, why)
                continue
            path = places.absolute(each.stored_path)
            self.stored[path] = each.stored_path
            self.known[each.stored_path] = _Known(
                PlannedFile(path, sums[image], row["size"], row["mtime_ns"])
            )

    def _why_not(self, file: DuplicateFile) -> str:
        """Say why a file cannot be planned with; nothing where it can."""
        places = self.resources.places
        if places.key_of(file.stored_path) is not None:
            return "it lies in the collection itself, as it was added by call; lookalike remove takes it out"
        root_name = file.stored_path.partition(":")[0]
        roots = {root.name: place for root, place in places.of_roots()}
        if root_name not in roots:
            return f"it is no file of a folder, but of the data set {root_name}"
        if not roots[root_name].is_dir():
            return f"its root {roots[root_name]} is not there"
        path = Path(places.absolute(file.stored_path))
        if path.is_symlink():
            return "it is a symbolic link"
        if not path.is_file():
            return "it is not there any more"
        if not file.keep and not may_write(path.parent):
            return f"its folder {path.parent} cannot be written to"
        return ""

    def finish(self, watch: Watch) -> DuplicatePlan:
        """Return the plan, with what goes along."""
        rows, self.rows = self.rows, []
        going = {row.go.path for row in rows}
        kept_through = {os.path.realpath(row.keep.path): row.keep.path for row in rows}
        for number, row in enumerate(rows):
            watch(Progress("planning", number, len(rows), "looking for what belongs to it", unit="files"))
            now = self._unchanged(row)
            real = os.path.realpath(row.go.path)
            if now is not None:
                self.left.append(LeftFile(row.go.path, now))
                going.discard(row.go.path)
            elif real in kept_through:
                why = f"it is {kept_through[real]} itself, which is kept, by another way"
                self.left.append(LeftFile(row.go.path, why))
                going.discard(row.go.path)
            else:
                self.rows.append(row)
        rows = [self._with_belongings(row, going) for row in self.rows]
        rows = list(_taken_once(rows))
        leaving = self._images_that_leave(rows)
        snapshot = self.resources.places.snapshot
        rows = [
            replace(row, passes_on=words_of(snapshot, self.stored[row.go.path], row, leaving)) for row in rows
        ]
        made = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        left = tuple(dict.fromkeys(self.left))
        done = DuplicatePlan(str(self.resources.store.folder), made, tuple(rows), left)
        check_plan(done)
        return done

    def _unchanged(self, row: PlannedRow) -> str | None:
        """Return why a row cannot be; None if both files are as the collection knows them."""
        for each, whose in ((row.go, "it"), (row.keep, f"{row.keep.path}, which is kept for it,")):
            try:
                status = os.stat(each.path)
            except OSError as error:
                return f"{whose} cannot be looked at: {error.strerror or error}"
            if (status.st_size, status.st_mtime_ns) != (each.size, each.mtime_ns):
                return f"{whose} was changed since; bring the collection up to date first"
        return None

    def _with_belongings(self, row: PlannedRow, going: set[str]) -> PlannedRow:
        """Return a row with what goes along, and what stays behind."""
        go, keep = Path(row.go.path), Path(row.keep.path)
        names = self.names_in(go.parent)
        there = [each for each in names.belonging_to(go.name) if _is_plain(go.with_name(each.name))]
        going_films = {
            each.name
            for each in there
            if each.kind == "film"
            and all(str(go.with_name(owner)) in going for owner in each.owners)
            and self._has_same_film(go.with_name(each.name), keep)
        }
        belongings, stays = [], []
        for each in there:
            path = go.with_name(each.name)
            others = [o for o in each.owners if o not in going_films and str(go.with_name(o)) not in going]
            if others:
                stays.append(LeftFile(str(path), f"it belongs to {others[0]}, too, which stays"))
            elif each.kind == "film" and each.name not in going_films:
                why = "the film of the picture; none of its content lies beside what is kept"
                stays.append(LeftFile(str(path), why))
            elif (file := _file_at(path)) is None:
                stays.append(LeftFile(str(path), "it cannot be read"))
            else:
                belongings.append(file)
        companions = [str(go.with_name(name)) for name in names.companions_of(go.name)]
        stays += [
            LeftFile(each, "another picture of the same shot") for each in companions if each not in going
        ]
        return replace(row, belongings=tuple(belongings), stays=tuple(stays))

    def _has_same_film(self, film: Path, keep: Path) -> bool:
        """Tell whether a film of the same content belongs to what is kept."""
        others = [
            keep.with_name(each.name)
            for each in self.names_in(keep.parent).belonging_to(keep.name)
            if each.kind == "film" and keep.with_name(each.name) != film
        ]
        others = [each for each in others if _is_plain(each)]
        if not any(each.stat().st_size == film.stat().st_size for each in others):
            return False
        own = _file_at(film)
        found = [_file_at(each) for each in others]
        return own is not None and any(each is not None and each.sha256 == own.sha256 for each in found)

    def _images_that_leave(self, rows: Sequence[PlannedRow]) -> frozenset[int]:
        """Return the images of which no file stays."""
        gone = {self.stored[row.go.path] for row in rows}
        images = sorted({row.go.image for row in rows})
        stay = set()
        for start in range(0, len(images), _AT_ONCE):
            some = images[start : start + _AT_ONCE]
            for row in self.resources.store.files.read_where_in("id", some, ["path", "id"]).to_pylist():
                if row["path"] not in gone:
                    stay.add(row["id"])
        return frozenset(set(images) - stay)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _file_at(path: Path) -> PlannedFile | None:
    """Return what a file holds now; None if it cannot be read."""
    try:
        content = read_content(path)
    except OSError:
        return None
    return PlannedFile(str(path), content.sha256, content.size, content.mtime_ns)


def _taken_once(rows: Sequence[PlannedRow]) -> Iterator[PlannedRow]:
    """Yield rows in which each belonging goes with the last of its owners alone."""
    last = {each.path: number for number, row in enumerate(rows) for each in row.belongings}
    for number, row in enumerate(rows):
        belongings = tuple(each for each in row.belongings if last[each.path] == number)
        yield row if belongings == row.belongings else replace(row, belongings=belongings)
