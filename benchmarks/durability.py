"""What does it cost that what is committed is on the disk, and is verified? Beside the version before.

Three ways in turn, each first as often as the others: the version before; this one; and this one with
`os.fsync` doing nothing, which tells waiting for the disk from the rest. Told are the clock, and the
processor time of the whole tree of processes; of both the medians of the ratios of each round.

    git worktree add /tmp/before COMMIT
    python -m benchmarks durability --before /tmp/before/src

- ``first index``: photos of Caltech-101 into a collection of their own, with a small model, so that the
  tables are as large a share of the work as they can be.
- ``cold search``: ``lookalike search`` by one of the photos, each time in a new process.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import lookalike
from benchmarks import report
from benchmarks.processes import Taken, timed
from benchmarks.version_before import commit
from lookalike.images import scan

WAYS = ("before", "now", "now, not flushed")
MODEL = "pixels-8-grey"
_NOT_FLUSHED = """
import os
os.fsync = lambda handle: None
"""
_RUN = """
from lookalike.__main__ import main
main()
"""


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks durability")
    parser.add_argument("--before", type=Path, required=True, help="the folder `src` of the version before")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--searches", type=int, default=21, help="rounds of searches")
    parser.add_argument("--files", type=int, default=1_500)
    parser.add_argument("--model", default=MODEL)
    chosen = parser.parse_args(options)
    now = Path(lookalike.__file__).absolute().parents[1]
    sources = dict(zip(WAYS, (chosen.before.absolute(), now, now), strict=True))
    root = report.caltech101()
    names = list(scan(root, exclude=("BACKGROUND_Google",)).files)
    names = names[:: max(1, len(names) // chosen.files)][: chosen.files]
    figures = report.read("durability").get("models", {})
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder, "photos")
        photos.mkdir()
        for number, name in enumerate(names):
            (photos / f"{number:05}.jpg").write_bytes((root / name).read_bytes())

        def index(way: str) -> Taken:
            with tempfile.TemporaryDirectory(dir=folder) as home:
                return run(
                    way, sources[way], "index", str(photos), "-c", home, "--quiet", "--model", chosen.model
                )

        def search(way: str) -> Taken:
            return run(way, sources[way], "search", str(photos / "00000.jpg"), "-c", str(homes[way]))

        indexed = by_turns(index, chosen.rounds)
        homes = {way: Path(folder, f"home-{place}") for place, way in enumerate(WAYS)}
        for way, home in homes.items():
            words = ("--quiet", "--model", chosen.model)
            run(way, sources[way], "index", str(photos), "-c", str(home), *words)
        searched = by_turns(search, chosen.searches)
    figures[chosen.model] = {
        "version_before": commit(chosen.before),
        "files": len(names),
        "load": round(os.getloadavg()[0], 1),
        "first index": indexed,
        "cold search": searched,
    }
    report.save("durability", {"models": figures})


def by_turns(measure: Callable[[str], Taken], rounds: int) -> dict[str, object]:
    """Measure all ways in each round, in an order that goes round; the first round is not counted."""
    times = []
    for number in range(-1, rounds):
        first = number % len(WAYS)
        found = {way: measure(way) for way in (*WAYS[first:], *WAYS[:first])}
        if number >= 0:
            times.append(found)

    def over(one: str, other: str, place: int) -> float:
        return round(median(each[one][place] / each[other][place] for each in times), 3)

    before, now, unflushed = WAYS
    return {
        name: {
            "now_over_before": over(now, before, place),
            "now_over_not_flushed": over(now, unflushed, place),
            "not_flushed_over_before": over(unflushed, before, place),
            "ratios": [round(each[now][place] / each[before][place], 3) for each in times],
            **{way: round(median(each[way][place] for each in times), 3) for way in WAYS},
        }
        for place, name in enumerate(("seconds", "processor_seconds"))
    }


def run(way: str, source: Path, *words: str) -> Taken:
    """Run a command of a version; return its seconds on the clock, and of the processor, children's too."""
    return timed(["-c", (_NOT_FLUSHED if way == WAYS[-1] else "") + _RUN, *words], source)
