"""What a campaign was asked for, and what it found."""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.report import machine

FOLDER = Path(__file__).parent / "results"
_MOST_SHOWN = 50  # faults


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
        parser.add_argument("--share", type=float, default=1.0, help="1 is what docs/reliability.md states")
        parser.add_argument("--seed", type=int, default=0)
        return cls(**vars(parser.parse_args(options)))


@dataclass(slots=True)
class Report:
    """What a campaign counted, and what was wrong.

    Attributes
    ----------
    name : str
        Of the campaign.
    asked : Asked
    counts : Counter of str
        How often what was tried, by kind.
    faults : list of str
        One line each, enough to try it again.
    figures : dict
        What else was measured.
    """

    name: str
    asked: Asked
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def end(self) -> int:
        """Print it, write it to ``results/<name>.json``, and return 1 if anything was wrong."""
        document = {
            "command": f"python -m faults {self.name} --share {self.asked.share:g} --seed {self.asked.seed}",
            "machine": machine(),
            "seconds": round(time.monotonic() - self.began, 1),
            "tried": sum(self.counts.values()),
            "counts": dict(sorted(self.counts.items())),
            **self.figures,
            "n_faults": len(self.faults),
            "faults": self.faults[:_MOST_SHOWN],
        }
        text = json.dumps(document, indent=2, ensure_ascii=False)
        print(text)
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{self.name}.json").write_text(f"{text}\n", encoding="utf-8")
        return int(bool(self.faults))
