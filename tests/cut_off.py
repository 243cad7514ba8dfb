"""Tables as a power cut leaves them, or rot, and processes that know nothing of them yet."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lookalike.store import versions
from lookalike.store.checksums import CHECKSUMS


def forget_all() -> None:
    """Have this process know no more of any table than one that has just begun."""
    versions._whole.clear()
    versions._flaws.clear()


def forget_notes(table: Path, n_versions: int = 1) -> None:
    """Take away what was noted of the newest versions of a table, as that is done once all else is."""
    names = [name.encode() for name in versions.manifests(table)[:n_versions]]
    sums = table / CHECKSUMS
    lines = sums.read_bytes().splitlines(keepends=True)
    sums.write_bytes(b"".join(line for line in lines if not any(name in line for name in names)))
    forget_all()


def spoil(table: Path, n_versions: int = 1, is_cut: bool = True) -> None:
    """Empty the newest versions of a table, as a power cut does; or as rot does, of what was done."""
    if is_cut:
        forget_notes(table, n_versions)
    for name in versions.manifests(table)[:n_versions]:
        (table / versions.VERSIONS / name).write_bytes(b"")
    forget_all()


@contextmanager
def each_moment(home: Path, places: Path) -> Iterator[list[Path]]:
    """Keep what lies in a ``.lookalike`` folder before each renaming and removal in it, as a kill leaves it.

    Gives the list of the copies, each in a folder of its own below `places`.
    """
    kept: list[Path] = []

    def keep(path: object) -> None:
        inside = home in Path(str(path)).parents
        if inside and ".lance" not in str(path) and Path(str(path)).name not in ("lock", "lock.json"):
            place = places / f"{len(kept):03}"
            shutil.copytree(home, place / home.name, copy_function=link_file)
            kept.append(place)

    def before(act: Callable[..., object]) -> Callable[..., object]:
        def keep_and_act(path: object, *rest: object, **named: object) -> object:
            keep(path)
            return act(path, *rest, **named)

        return keep_and_act

    with pytest.MonkeyPatch.context() as patch:
        for owner, names in ((Path, ("replace", "rename", "unlink")), (os, ("replace", "rename", "unlink"))):
            for name in names:
                patch.setattr(owner, name, before(getattr(owner, name)))
        yield kept


def link_file(source: str, target: str) -> str:
    """Link a file, as files are never changed, but for locks and lists that are written on: copy these."""
    name = os.path.basename(source)
    if "lock" in name or name == "checksums.txt":
        return str(shutil.copyfile(source, target))
    os.link(source, target)
    return target
