"""What was said of pictures that go passes to what stays for them; and the collection forgets the files.

Sets, labels, judgments and decisions are of images: they pass on once no file of an image is left, in one
change of the journal. Fields are of files: what is kept gets those that it has not, tags are put together.
Places in clusters that were named or edited by hand pass on where what is kept is in no cluster yet.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lookalike.collection.fields.writing import FieldKinds, FileFields, write_fields
from lookalike.collection.own_fields import fields_of
from lookalike.collection.resources import Resources
from lookalike.collection.said import Said
from lookalike.collection.snapshot import Snapshot
from lookalike.collection.statements.carrying import Edited, carried, image_of_query
from lookalike.errors import CollectionConflictError, CollectionNotFoundError
from lookalike.results.duplicate_plans import PlannedRow
from lookalike.store.store import FileRow
from lookalike.system.wording import count_of, field_words
from lookalike.types import FieldValue, ImageId, format_id


@dataclass(frozen=True, slots=True)
class Gone:
    """A file of the collection that went, and the one that stays for it.

    Attributes
    ----------
    go, keep : str
        Stored paths.
    go_image, keep_image : int
    """

    go: str
    go_image: int
    keep: str
    keep_image: int


def words_of(snapshot: Snapshot, stored: str, row: PlannedRow, leaving: Collection[int]) -> tuple[str, ...]:
    """Return what is said of a file that goes and passes on, in words.

    Parameters
    ----------
    snapshot : Snapshot
    stored : str
        Where the file lies, as the collection keeps it.
    row : PlannedRow
    leaving : collection of int
        Images of which no file stays.
    """
    found = []
    said, image = snapshot.said, row.go.image
    if image in leaving and image != row.keep.image and image in said.images:
        label = said.labels.get(image)
        if label is not None and row.keep.image not in said.labels:
            found.append(f"label {label}")
        found += [f"set {name}" for name in said.sets_with(image)]
        n_judged = sum(image in (key[1], image_of_query(key[0])) for key in said.kept_judgments)
        if n_judged:
            found.append(count_of(n_judged, "judged hit"))
        n_decided = sum(format_id(image) in pair for pair in said.kept_decisions)
        if n_decided:
            found.append(count_of(n_decided, "decision"))
    fields = dict(snapshot.fields_at(stored, image))
    found += [f"{name} = {field_words(value)}" for name, value in fields.items()]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of a file that was set, with what stood there before."""

    path: str
    image: int
    name: str
    before: FieldValue | None
    after: FieldValue

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "path": self.path,
            "image": format_id(self.image),
            "name": self.name,
            "before": _as_json(self.before),
            "after": _as_json(self.after),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> FieldChange:
        """Return what `to_dict` wrote."""
        before, after = _from_json(document["before"]), _from_json(document["after"])
        if after is None:
            raise ValueError("a field was set to nothing")
        return cls(document["path"], int(document["image"], 16), document["name"], before, after)


def fields_to_set(resources: Resources, gone: Sequence[Gone]) -> list[FieldChange]:
    """Return which fields what is kept is to get; the caller holds the writer's lock."""
    table = resources.live.fields
    if not table.exists() or not gone:
        return []
    before = fields_of(table, [(each.go, each.go_image) for each in gone])
    there = fields_of(table, [(each.keep, each.keep_image) for each in gone])
    now: dict[tuple[str, int], dict[str, FieldValue]] = {
        place: dict(values) for place, values in there.items()
    }
    found: dict[tuple[str, int, str], FieldChange] = {}
    for each in gone:
        place = (each.keep, each.keep_image)
        own = now.setdefault(place, {})
        for name, value in before.get((each.go, each.go_image), {}).items():
            old = own.get(name)
            if isinstance(old, list) and isinstance(value, list):
                value = [*old, *(tag for tag in value if tag not in old)]
            elif old is not None:
                continue
            if value != old:
                own[name] = value
                first = there.get(place, {}).get(name)
                found[(*place, name)] = FieldChange(*place, name, first, value)
    return list(found.values())


def set_fields(resources: Resources, changes: Iterable[FieldChange]) -> None:
    """Set fields; the caller holds the writer's lock."""
    rows: dict[tuple[str, int], dict[str, FieldValue | None]] = {}
    for each in changes:
        rows.setdefault((each.path, each.image), {})[each.name] = each.after
    table = resources.live.fields
    write_fields(table, FieldKinds(table), [FileFields(*place, values) for place, values in rows.items()])


def unset_fields(resources: Resources, changes: Sequence[FieldChange]) -> list[str]:
    """Give fields the values that they had before; return the files of which one was changed since."""
    table = resources.live.fields
    now = fields_of(table, [(each.path, each.image) for each in changes])
    rows: dict[tuple[str, int], dict[str, FieldValue | None]] = {}
    others = []
    known = table.kinds()
    for each in changes:
        value = now.get((each.path, each.image), {}).get(each.name)
        if value == each.after and each.name in known:
            rows.setdefault((each.path, each.image), {})[each.name] = each.before
        elif value != each.before:
            others.append(each.path)
    write_fields(table, FieldKinds(table), [FileFields(*place, values) for place, values in rows.items()])
    return list(dict.fromkeys(others))


def hand_on(resources: Resources, gone: Sequence[Gone]) -> int | None:
    """Let what was said of images that are gone stand for what is kept; return the number of the change.

    None if there was nothing to be said. The caller holds the writer's lock.
    """
    leaving = images_that_left(resources, gone)
    pairs = [
        Edited(_row(each.go, each.go_image), _row(each.keep, each.keep_image))
        for each in gone
        if each.go_image in leaving and each.go_image != each.keep_image
    ]
    if not pairs:
        return None
    left = frozenset(each.old.id for each in pairs)
    known = resources.snapshots.journal.now().images
    spoken_of = [each for each in pairs if each.old.id in known]

    def make(said: Said) -> Any:
        return carried(said, spoken_of, left)

    change = resources.snapshots.journal.write("carry", make) if spoken_of else None
    resources.clusterings.carry_over({each.new.id: each.old.id for each in pairs})
    return None if change is None else change.number


def images_that_left(resources: Resources, gone: Sequence[Gone]) -> frozenset[int]:
    """Return the images of which no file is left but those that are gone."""
    paths = {each.go for each in gone}
    images = {each.go_image for each in gone}
    rows = resources.live.files.read_where_in("id", sorted(images), ["path", "id"]).to_pylist()
    return frozenset(images - {row["id"] for row in rows if row["path"] not in paths})


def forget_files(resources: Resources, gone: Sequence[Gone]) -> None:
    """Take files that are gone out of the tables; the caller holds the writer's lock."""
    paths = sorted({each.go for each in gone})
    if paths:
        resources.live.files.delete(paths)


def take_back(resources: Resources, change: int) -> str:
    """Undo the change by which something passed on; return why that cannot be, or nothing."""
    changes = resources.snapshots.journal.changes()
    if any(each.number == change and each.undone_by is not None for each in changes):
        return ""
    try:
        resources.snapshots.journal.undo(change)
    except (CollectionConflictError, CollectionNotFoundError) as error:
        return str(error)
    return ""


def change_after(resources: Resources, last: int) -> int | None:
    """Return the first change after one by which something passed on; None if there is none.

    Of an act that was killed it is the act's own: nobody else carries over while the writer's lock is held.
    """
    found = [each for each in resources.snapshots.journal.changes() if each.number > last]
    return next((each.number for each in reversed(found) if each.kind == "carry"), None)


def _row(path: str, image: int) -> FileRow:
    return FileRow(path, ImageId(image), 0, 0)


def _as_json(value: FieldValue | None) -> Any:
    if isinstance(value, datetime.datetime):
        return {"date": value.isoformat()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": repr(value)}
    return value


def _from_json(value: Any) -> FieldValue | None:
    if isinstance(value, Mapping):
        if "date" in value:
            return datetime.datetime.fromisoformat(value["date"])
        return float(value["number"])
    if value is None or isinstance(value, bool | str | list):
        return value
    return float(value)
