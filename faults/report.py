"""What a campaign was asked for, and what it found."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.report import machine

FOLDER = Path(__file__).parent / "results"
ROOT = FOLDER.parents[1]
"""Where a process finds this package: it is not installed."""

_MOST_SHOWN = 50  # faults
_TOLD_EVERY = 15.0  # seconds


@dataclass(frozen=True, slots=True)
class Asked:
    """How much of a campaign is to be run, and where its chance begins."""

    share: float = 1.0
    seed: int = 0

    def of(self, n: int) -> int:
        """Return the share of `n`, at least 1."""
        return max(1, round(self.share * n))

    @classmethod
    def read(cls, name: str, options: Sequence[str]) -> Asked:
        """Read it from the command line."""
        parser = argparse.ArgumentParser(prog=f"python -m faults {name}")
        amount = parser.add_mutually_exclusive_group()
        amount.add_argument("--share", type=float, default=1.0, help="1 is what docs/reliability.md states")
        amount.add_argument("--minutes", type=float, help="about so long, by what the whole took last time")
        parser.add_argument("--seed", type=int, default=0)
        asked = parser.parse_args(options)
        share = asked.share if asked.minutes is None else share_in([name], asked.minutes)
        if not 0 < share <= 100:
            parser.error(f"the share is {share:g}; expected a number above 0, 1 for all")
        return cls(share, asked.seed)


class _Counts(Counter[str]):
    """Counts that say now and then on standard error how far they have come, and end where that was asked."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self._report = report

    def __setitem__(self, kind: str, n: int) -> None:
        super().__setitem__(kind, n)
        self._report.tell()
        if _ENDING:
            raise KeyboardInterrupt


@dataclass(slots=True)
class Report:
    """What a campaign counted, and what was wrong.

    Attributes
    ----------
    name : str
        Of the campaign.
    asked : Asked
    counts : Counter of str
        How often what was tried, by kind; who counts is heard on standard error.
    faults : list of str
        One line each, enough to try it again.
    figures : dict
        What else was measured.
    skipped : list of str
        What this machine, or this user, could not try, and why.
    """

    name: str
    asked: Asked
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    _told: tuple[float, int] = (0.0, 0)

    def __post_init__(self) -> None:
        self.counts = _Counts(self)
        self._told = (time.monotonic(), 0)

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.began

    def skip(self, what: str, why: str) -> None:
        """Note what cannot be tried here."""
        self.skipped.append(f"{what}: {why}")
        print(f"{self.name}: {what} is left out, {why}", file=sys.stderr, flush=True)

    def tell(self) -> None:
        """Say how far it has come, if something new was found, or nothing was said for a while."""
        when, n_faults = self._told
        if len(self.faults) == n_faults and time.monotonic() - when < _TOLD_EVERY:
            return
        for fault in self.faults[n_faults:]:
            print(f"{self.name}: FAULT {fault}", file=sys.stderr)
        self._told = (time.monotonic(), len(self.faults))
        print(f"{self.name}: {self.line()}", file=sys.stderr, flush=True)

    def line(self) -> str:
        """Return how far it has come, in one line."""
        n = sum(self.counts.values())
        return f"{n:,} tried, {_of(len(self.faults), 'fault')}, {self.seconds / 60:.1f} min"

    def end(self) -> int:
        """Print it, write it to ``results/<name>.json``, and return 1 if anything was wrong.

        A smaller share than that of the results that are there is printed only.
        """
        document = {
            "command": f"python -m faults {self.name} --share {self.asked.share:g} --seed {self.asked.seed}",
            "share": self.asked.share,
            "machine": machine(),
            "seconds": round(self.seconds, 1),
            "tried": sum(self.counts.values()),
            "counts": dict(sorted(self.counts.items())),
            **self.figures,
            "skipped": self.skipped,
            "n_faults": len(self.faults),
            "faults": self.faults[:_MOST_SHOWN],
        }
        text = json.dumps(document, indent=2, ensure_ascii=False)
        print(text)
        if self.asked.share >= read(self.name).get("share", 0.0):
            FOLDER.mkdir(exist_ok=True)
            (FOLDER / f"{self.name}.json").write_text(f"{text}\n", encoding="utf-8")
        ENDED.append(self)
        return int(bool(self.faults))


ENDED: list[Report] = []
"""The campaigns that came to their end in this process."""
_ENDING: list[int] = []
"""The signals that were to end it."""


def read(name: str) -> dict[str, Any]:
    """Return what ``results/<name>.json`` holds; nothing if it is not there."""
    try:
        found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def share_in(names: Sequence[str], minutes: float) -> float:
    """Return which share of some campaigns can be run in so many minutes, by what they took last time.

    Of those that were never run, ten minutes are supposed.
    """
    seconds = 0.0
    for name in names:
        last = read(name)
        seconds += last.get("seconds", 600.0) / last.get("share", 1.0)
    return min(1.0, 60 * minutes / seconds)


def table(ended: Sequence[Report]) -> str:
    """Return what some campaigns came to, a line each."""
    rows = [("campaign", "tried", "faults", "minutes", "left out")]
    rows += [
        (
            each.name,
            f"{sum(each.counts.values()):,}",
            str(len(each.faults)),
            f"{each.seconds / 60:.1f}",
            "; ".join(each.skipped),
        )
        for each in ended
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        first, *rest, last = row
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(rest, widths[1:-1], strict=True)]
        lines.append("  ".join([*cells, last]).rstrip())
    return "\n".join(lines)


def end_as_interrupted() -> None:
    """Let SIGTERM and SIGHUP end this process as Ctrl-C does: disks are unmounted, folders removed.

    What is tried may catch the interruption and answer it, as the command line does; then the next count
    ends the campaign.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        _ENDING.append(number)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def _of(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
