"""A sync that is killed again and again, and what its tables must hold whenever that is."""

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from lookalike import Collection
from lookalike.store import Store

KILLS = 20
SYNC = "import sys; from lookalike import Collection; Collection.open(sys.argv[1]).sync(commit_seconds=0.1)"


def rows(home: Path) -> dict[str, list[tuple]]:
    """Return every row of every table, sorted; vectors and thumbnails byte for byte."""
    store = Store(home / ".lookalike")
    tables = {
        "files": store.files,
        "images": store.images,
        "thumbnails": store.thumbnails,
        "failures": store.failures,
        **store.vector_tables(),
    }
    return {
        name: sorted(
            (
                tuple(tuple(value) if isinstance(value, list) else value for value in row.values())
                for row in table.read(["id", "embedding"] if name == "lite0-deep-int8" else None).to_pylist()
            ),
            key=lambda row: str(row[0]),
        )
        for name, table in tables.items()
    }


def check_promises(home: Path) -> None:
    """No key twice, and for every file all that its row promises."""
    found = rows(home)
    for name, table in found.items():
        keys = [row[0] for row in table]
        assert len(keys) == len(set(keys)), name
    promised = {row[1] for row in found["files"]}
    for name in ("images", "thumbnails", "lite0-deep-int8"):
        assert promised <= {row[0] for row in found.get(name, [])}, name


def kill_often(home: Path, make: Callable[[], None], expected: dict[str, list[tuple]]) -> None:
    """Make a collection and kill its syncs, twenty in all; begin anew whenever one came to its end.

    Parameters
    ----------
    home : Path
        Of the collection.
    make : callable
        Makes it, with one image in it, so that the tables are there.
    expected : dict
        The rows that an undisturbed sync ends in.
    """
    chance = random.Random(0)
    make()
    killed = 0
    while killed < KILLS:
        process = subprocess.Popen([sys.executable, "-c", SYNC, str(home)], stderr=subprocess.PIPE)
        time.sleep(chance.uniform(0.3, 1.8))
        process.send_signal(signal.SIGKILL)
        _, complaints = process.communicate(timeout=30)
        assert complaints == b""
        killed += process.returncode == -signal.SIGKILL
        check_promises(home)
        if len(Collection.open(home)) == len(expected["images"]):  # there is nothing left to disturb
            Collection.open(home).sync()
            assert rows(home) == expected
            shutil.rmtree(home)
            make()
