"""A collection as it lies on the disk after each commit of a table: what is met after a kill."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cut_off import link_file
from lookalike.store import FOLDER_NAME, Table

WRITE = ("upsert", "delete", "add_missing_columns")


@contextmanager
def noting(places: Path, was_written: Callable[[Path, str], None]) -> Iterator[None]:
    """Have each state that tables are written into kept in a folder of its own below `places`."""
    n = 0

    def after(table: Table, what: str) -> None:
        nonlocal n
        home = next(folder for folder in table.folder.parents if folder.name == FOLDER_NAME)
        place = places / f"{n:04}" / FOLDER_NAME
        n += 1
        shutil.copytree(home, place, copy_function=link_file)
        was_written(place.parent, f"{n - 1}: {table.folder.name}, {what}")

    with pytest.MonkeyPatch.context() as patch:
        for name in WRITE:
            patch.setattr(Table, name, _then(getattr(Table, name), name, after))
        yield


def _then(write: Callable[..., None], name: str, after: Callable[[Table, str], None]) -> Callable[..., None]:
    def write_and_note(table: Table, *given: object) -> None:
        write(table, *given)
        after(table, name)

    return write_and_note
