"""Disks that drop out while a collection is brought up to date.

At random moments reads fail, in six ways, for some reads or for all that follow: in the first index, a
second one after files were edited, touched, renamed, taken away and added, with another model, with
``reread`` and ``prune``, and where an earlier version's images are brought up to date. After each:

- no image has left the collection whose file is still there, and its vectors are those that it had;
- with the disk back, the same call, and a plain one, give the rows of a run that nothing disturbed.

Where this process may mount disks, some moments are of a real one, in a file, that is pulled out.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults import small_disks
from faults.failing_reads import HOWS, FailingReads
from faults.report import Asked, Report
from faults.worlds import picture
from lookalike import Collection, LookalikeError
from lookalike.store import Store

MOMENTS = 240
REAL_MOMENTS = 12
NUMBER = 16  # pictures
OWN, OTHER = "pixels-8-grey", "pixels-8-rgb"


@dataclass(frozen=True, slots=True)
class Kind:
    """A call during which the disk drops out, and what was there before.

    Attributes
    ----------
    options : dict
        Of `Collection.sync`.
    is_first : bool
        Whether nothing was indexed before.
    is_changed : bool
        Whether files were edited, touched, renamed, taken away and added since.
    is_old : bool
        Whether an earlier version had read the images.
    """

    options: dict[str, Any]
    is_first: bool = False
    is_changed: bool = True
    is_old: bool = False


KINDS: dict[str, Kind] = {
    "first": Kind({}, is_first=True, is_changed=False),
    "again": Kind({}),
    "other model": Kind({"model": OTHER}, is_changed=False),
    "other model, changed": Kind({"model": OTHER}),
    "reread": Kind({"reread": True}),
    "prune": Kind({"prune": True}),
    "refresh": Kind({}, is_old=True),
}


def main(options: Sequence[str]) -> int:
    """Run it."""
    asked = Asked.read("outages", options)
    report = Report("outages", asked)
    chance = random.Random(asked.seed)
    names, hows = list(KINDS), list(HOWS)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(asked.of(MOMENTS)):
            name, how = names[number % len(names)], hows[number % len(hows)]
            found = try_moment(Path(folder) / str(number), KINDS[name], how, chance.randrange(1 << 30))
            report.counts[f"{name}: {how}"] += 1
            report.faults += [f"moment {number}, {name}, {how}: {fault}" for fault in found]
            shutil.rmtree(Path(folder) / str(number))
        real = asked.of(REAL_MOMENTS) if small_disks.can_mount() else 0
        for number in range(real):
            name = names[number % len(names)]
            found = try_moment(Path(folder) / "real", KINDS[name], "real", chance.randrange(1 << 30))
            report.counts[f"{name}: a real disk"] += 1
            report.faults += [f"real moment {number}, {name}: {fault}" for fault in found]
            shutil.rmtree(Path(folder) / "real")
    report.figures["real_disks"] = real
    return report.end()


def try_moment(world: Path, kind: Kind, how: str, seed: int) -> list[str]:
    """Let a disk drop out once; return what was wrong.

    Parameters
    ----------
    world : Path
        A folder, which is made.
    kind : Kind
    how : str
        A key of `HOWS`; or ``"real"``, for a disk in a file, which is pulled out.
    seed : int
        Of all that is left to chance.
    """
    world.mkdir()
    chance = random.Random(seed)
    with ExitStack() as stack:
        photos, at_moment, put_back = world / "photos", None, None
        if how == "real":
            stack.enter_context(small_disks.in_file(photos, world / "disk", 32))
            at_moment = lambda: small_disks.pull_out(photos)  # noqa: E731
            put_back = lambda: small_disks.put_back(photos, world / "disk")  # noqa: E731
        _make(photos)
        collection = _collection(world / "disturbed", photos)
        if not kind.is_first:
            collection.sync(jobs=2)
        if kind.is_changed:
            _change(photos, chance)
        if kind.is_old:
            _make_old(collection)
        before = rows(collection)
        return _drop_out(collection, photos, kind, (how, at_moment, put_back), before, chance)


def _drop_out(
    collection: Collection,
    photos: Path,
    kind: Kind,
    disk: tuple[str, Callable[[], None] | None, Callable[[], None] | None],
    before: dict[str, dict[Any, str]],
    chance: random.Random,
) -> list[str]:
    how, at_moment, put_back = disk
    options = {**kind.options, "jobs": 2, "commit_seconds": chance.choice([0.0, 10.0])}
    looks = how != "ENOENT" and chance.random() < 0.5
    failing = FailingReads(
        photos,
        "EIO" if how == "real" else how,
        after=chance.randrange(4 * NUMBER if looks else 2 * NUMBER),
        lasting=chance.choice([1, 3, 1 << 60]),
        looks=looks,
        at_moment=at_moment,
    )
    faults = []
    with failing():
        try:
            collection.sync(**options)
        except LookalikeError:
            pass  # most could not be read
        except Exception as error:
            faults.append(f"{type(error).__name__}: {error}")
    if put_back is not None and failing.at_moment is None:
        put_back()
    faults += _lost(before, rows(collection), photos)
    collection.sync(**options)
    collection.sync(jobs=2)
    undisturbed = _collection(collection.folder.parent.parent / "undisturbed", photos)
    undisturbed.sync(jobs=2)
    if OTHER in collection.models.names():
        collection.sync(model=OTHER)
        undisturbed.sync(model=OTHER)
    found, expected = rows(collection), rows(undisturbed)
    faults += [
        f"{table}: {len(found.get(table, {}))} rows, not the {len(expected.get(table, {}))} of a calm run"
        for table in sorted({*found, *expected})
        if found.get(table, {}) != expected.get(table, {})
    ]
    return faults


def _lost(before: dict[str, dict[Any, str]], after: dict[str, dict[Any, str]], photos: Path) -> list[str]:
    """Return what is gone although its file is there."""
    there = {
        int.from_bytes(hashlib.sha256(file.read_bytes()).digest()[:8], "big", signed=True)
        for file in photos.rglob("*.png")
    }
    faults = []
    known = {image for image in before["images"] if image in there}
    for table in sorted(before):
        if table in ("failures", "files"):
            continue
        for image in known & before[table].keys():
            if after.get(table, {}).get(image) != before[table][image] and table.startswith("pixels"):
                faults.append(f"{table}: the vector of {image:016x} is gone or another")
            elif image not in after.get(table, {}):
                faults.append(f"{table}: {image:016x} is gone")
    return faults


def rows(collection: Collection) -> dict[str, dict[Any, str]]:
    """Return what is kept, by table and key; vectors byte for byte."""
    store = Store(collection.folder)
    tables = {"files": store.files, "images": store.images, "thumbnails": store.thumbnails}
    found = {}
    for name, table in {**tables, "failures": store.failures, **store.vector_tables()}.items():
        columns = ["id", "embedding"] if name.startswith("pixels") else table.schema.names
        listed = table.read(columns).to_pylist()
        found[name] = {next(iter(each.values())): str(list(each.values())) for each in listed}
    return found


def _collection(home: Path, photos: Path) -> Collection:
    made = Collection.create(home, OWN, with_root=False)
    made.add_root(photos)
    return made


def _make(photos: Path) -> None:
    for number in range(NUMBER):
        place = photos / str(number % 3)
        place.mkdir(parents=True, exist_ok=True)
        picture(number, 24).save(place / f"{number:02}.png")


def _change(photos: Path, chance: random.Random) -> None:
    """Edit, touch, rename, take away and add files."""
    files = chance.sample(sorted(photos.rglob("*.png")), 6)
    picture(100 + chance.randrange(100), 24).save(files[0])
    os.utime(files[1], (chance.randrange(10**9), 7))
    files[2].rename(files[2].with_name("renamed.png"))
    files[3].rename(photos / "2" / "moved.png")
    files[4].unlink()
    shutil.copy(files[5], photos / "0" / "copy.png")
    picture(300 + chance.randrange(100), 24).save(photos / "1" / "new.png")


def _make_old(collection: Collection) -> None:
    """Leave the images as an earlier version left them."""
    images = Store(collection.folder).images
    columns = images.read().to_pydict()
    images.upsert(columns | {"reader": [None] * len(columns["id"])})
