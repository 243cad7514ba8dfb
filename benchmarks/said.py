"""What people say: how long a change takes, and to open a collection in which a hundred thousand were made.

    python -m benchmarks said [--changes 100000] [--appends 500]

Beside each is a calibration of the same disk: to write 4 KiB to a new file and flush it, and its folder.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from lookalike.collection.stored.edits import Edits, Judged, SetEdit
from lookalike.collection.stored.journal import Journal
from lookalike.store import Store

_AT_ONCE = 1_000


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks said", description=__doc__)
    parser.add_argument("--changes", type=int, default=100_000)
    parser.add_argument("--appends", type=int, default=500)
    asked = parser.parse_args(options)
    with tempfile.TemporaryDirectory(dir=".") as place:
        folder = Path(place)
        print(f"{'a file written and flushed':44}", quantiles(flushes(folder, 100)))
        journal = Journal(folder / "new")
        (folder / "new").mkdir()
        print(f"{'a label, in a new collection':44}", quantiles(labels(journal, asked.appends)))
        fill(folder / "old", asked.changes)
        opened = [timed(lambda: Journal(folder / "old").now()) for _ in range(5)]
        print(f"{f'opened, with {asked.changes:,} changes':44} {np.median(opened):8.3f} s")
        journal = Journal(folder / "old")
        journal.now()
        print(f"{'a label, in that collection':44}", quantiles(labels(journal, asked.appends)))
        print(f"{'undone':44} {1e3 * timed(journal.undo):8.1f} ms")
        print(f"{'the last 20 changes':44} {1e3 * timed(lambda: journal.changes(20)):8.1f} ms")
        print(
            f"{'100,000 images into a set':44} "
            f"{1e3 * timed(lambda: journal.write('sets', great_set)):8.1f} ms"
        )


def labels(journal: Journal, n: int) -> list[float]:
    def give(image: int) -> None:
        journal.write("labels", lambda said: labelled(image, "fox"))

    return [timed(lambda image=image: give(image)) for image in range(10**9, 10**9 + n)]


def labelled(image: int, name: str) -> Edits:
    one = np.array([image])
    return Edits(labelled=one, names=(name,), after=np.zeros(1, np.int64), before=np.full(1, -1))


def great_set(said: object) -> Edits:
    ids = np.arange(100_000)
    return Edits(sets=(SetEdit(1_000, None, "great", ids, ids),))


def fill(folder: Path, n: int) -> None:
    """Write changes by the thousand, which is quicker: labels, judgments, a set."""
    folder.mkdir()
    table = Store(folder).journal
    for start in range(1, n + 1, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, n + 1))
        edits = [change(number) for number in numbers]
        encoded = [each.encoded() for each in edits]
        with table.writing():
            table.append(
                {
                    "number": list(numbers),
                    "time": [datetime.now(UTC).replace(tzinfo=None)] * len(numbers),
                    "kind": ["labels"] * len(numbers),
                    "words": [each.words() for each in edits],
                    "undoes": [None] * len(numbers),
                    "payload": [each[0] for each in encoded],
                    "ids": [each[1] for each in encoded],
                    "numbers": [each[2] for each in encoded],
                }
            )


def change(number: int) -> Edits:
    one = np.array([number])
    if number == 1:
        return Edits(sets=(SetEdit(0, None, "beach", one, one),))
    if number % 3 == 0:
        return labelled(number, "owl")
    if number % 3 == 1:
        return Edits(sets=(SetEdit(0, "beach", "beach", one, one),))
    return Edits(judgments={(f"{number:016x}", number): ((), (Judged("yes", ("lite0-int8",), number),))})


def flushes(folder: Path, n: int) -> list[float]:
    def flush(number: int) -> None:
        for path in (folder / f"{number}.calibration", folder):
            handle = os.open(path, os.O_RDONLY if path == folder else os.O_WRONLY | os.O_CREAT)
            if path != folder:
                os.write(handle, bytes(4096))
            os.fsync(handle)
            os.close(handle)

    return [timed(lambda number=number: flush(number)) for number in range(n)]


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def quantiles(seconds: list[float]) -> str:
    p50, p95, most = 1e3 * np.percentile(seconds, [50, 95, 100])
    return f"{p50:8.1f} ms   p95 {p95:.1f}   at most {most:.1f}"


if __name__ == "__main__":
    main(sys.argv[1:])
