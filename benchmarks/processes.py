"""How long a process takes, and the children that it waits for: on the clock, and of the processor."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

Taken = tuple[float, float]
"""Seconds on the clock, and of the processor."""


def timed(line: Sequence[str], source: Path | None = None) -> Taken:
    """Run Python with some arguments, by the modules of a source folder; exit if that fails."""
    environment = os.environ if source is None else {**os.environ, "PYTHONPATH": str(source)}
    # Where nothing is kept compiled, more modules cost more.
    environment = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *line], env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(line)[-200:]} failed with status {status}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime
