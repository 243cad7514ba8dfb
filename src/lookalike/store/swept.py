"""Word that all images and vectors are of files, for the commits of the tables of which that is so.

A writer that is at work, or was killed, leaves images and vectors that no file holds. To count those that one
does takes a tenth of a second for a million, more than a command takes for its search. So who has swept up
writes down which commits the tables were at then: for these, nothing need be looked for. That it is lost, or
of other commits, costs that tenth of a second.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from lookalike.store.pinned import State, look_at_tables
from lookalike.system.replace_file import replace_file

_FILE = "swept.json"


def note_swept(folder: Path) -> None:
    """Write down that what the tables in a ``.lookalike`` folder hold now is of files; its lock is held."""
    with contextlib.suppress(OSError):  # a full disk: it is looked for then
        replace_file(folder / _FILE, json.dumps(_commits(look_at_tables(folder))).encode())


def is_swept(folder: Path, state: State) -> bool:
    """Tell whether it is known that in a state all images and vectors are of files."""
    try:
        return bool(json.loads((folder / _FILE).read_bytes()) == _commits(state))
    except (OSError, ValueError, RecursionError):
        return False


@contextlib.contextmanager
def staying_swept(folder: Path) -> Iterator[None]:
    """Do what leaves no image and no vector without a file, where there was none; the lock is held."""
    was_swept = is_swept(folder, look_at_tables(folder))
    yield
    if was_swept:
        note_swept(folder)


def _commits(state: State) -> Mapping[str, list[object]]:
    named = ("files.lance", "images.lance")
    return {
        name: [commit.version, *commit.file]
        for name, commit in state.items()
        if name in named or name.startswith("vectors/")
    }
