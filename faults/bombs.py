"""Every bomb of `faults.bomb_files` is indexed between two photos, by a command of its own.

The command has to end within 40 seconds (of processor time, where the machine is busy otherwise); all of its
processes together have to stay within 1.5 GB, or, for a plausible picture that needs more, in half of the
memory that was free; both photos have to be read; nothing but its own words may be on the terminal; what is
said of the bomb is one line, its reason.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.bomb_files import Bomb, every, jpeg
from faults.report import Asked, Report

MOST_SECONDS = 40.0
MOST_BYTES = 1_500_000_000
_POLLED = 0.02  # seconds
_NATIVE = re.compile(r"TIFF(?!s? )\w*:|Traceback|Warning|libpng|libtiff|JPEG datastream|Corrupt")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a command did.

    Attributes
    ----------
    seconds, processor : float
        By the clock, and of processor time.
    peak : int
        Bytes resident in all of its processes at a time, those that they share counted for each.
    code : int
    output, errors : str
    """

    seconds: float
    processor: float
    peak: int
    code: int
    output: str
    errors: str


def main(options: Sequence[str]) -> int:
    """Run the campaign."""
    asked = Asked.read("bombs", options)
    report = Report("bombs", asked)
    bombs = list(every())
    step = max(1, round(1 / asked.share)) if asked.share < 1 else 1
    bombs = bombs[asked.seed % step :: step]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, bomb in enumerate(bombs):
            row, faults = try_bomb(bomb, Path(folder) / f"{number}")
            rows.append(row)
            report.counts[Path(bomb.name).suffix] += 1
            report.faults += [f"{bomb.name}: {fault}" for fault in faults]
            print(json.dumps(row), *faults, file=sys.stderr, flush=True)
    report.figures = {
        "most_seconds": max(row["seconds"] for row in rows),
        "most_processor_seconds": max(row.get("processor_seconds", 0) for row in rows),
        "most_megabytes_but_alone": max((row["megabytes"] for row in rows if not row["alone"]), default=0),
        "most_megabytes_alone": max((row["megabytes"] for row in rows if row["alone"]), default=0),
        "n_read": sum(row["read"] for row in rows),
        "bombs": rows,
    }
    return report.end()


def try_bomb(bomb: Bomb, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Index a bomb between two photos; return what was measured, and what was wrong."""
    from lookalike.system.memory import free_memory

    photos = folder / "photos"
    photos.mkdir(parents=True)
    (photos / "a.jpg").write_bytes(jpeg(640, 480))
    (photos / "z.jpg").write_bytes(jpeg(480, 640))
    content = bomb.make()
    (photos / f"m_{bomb.name}").write_bytes(content)
    half = free_memory() // 2
    seen = watch_command(["index", str(photos), "--json", "--jobs", "2"], folder)
    (photos / f"m_{bomb.name}").unlink()
    faults = []
    try:
        said = json.loads(seen.output)
    except ValueError:
        return {"name": bomb.name, "seconds": seen.seconds}, [f"no answer: {seen.errors[-300:]}"]
    failures = {Path(each["path"]).name: each["reason"] for each in said["failures"]}
    reason = failures.get(f"m_{bomb.name}", "")
    is_read = not reason
    alone = seen.peak > MOST_BYTES
    row = {
        "name": bomb.name,
        "bytes": len(content),
        "seconds": round(seen.seconds, 1),
        "processor_seconds": round(seen.processor, 1),
        "megabytes": seen.peak // 1_000_000,
        "alone": alone,
        "read": is_read,
        "reason": reason,
    }
    is_idle = os.getloadavg()[0] < (os.cpu_count() or 1)
    if seen.processor > MOST_SECONDS or (is_idle and seen.seconds > MOST_SECONDS):
        faults.append(f"it took {seen.seconds:.0f} s, {seen.processor:.0f} s of the processor")
    if alone and seen.peak > half + 600_000_000:
        faults.append(f"it took {seen.peak / 1e9:.1f} GB")
    if {"a.jpg", "z.jpg"} & failures.keys() or said["embedded"] != 2 + is_read:
        faults.append(f"the photos beside it were not read: {said['embedded']}, {failures}")
    if _NATIVE.search(seen.errors) or "Traceback" in seen.errors:
        faults.append(f"on the terminal: {seen.errors[-300:]}")
    if bomb.is_read is not None and is_read != bomb.is_read:
        faults.append(f"read: {is_read}, {reason}")
    if not is_read and ("\n" in reason or bomb.reason not in reason):
        faults.append(f"its reason: {reason}")
    return row, faults


def watch_command(words: Sequence[str], folder: Path) -> Seen:
    """Run a command of lookalike's, and see what all of its processes take together."""
    begun, used = time.monotonic(), _used()
    with (folder / "output").open("w+") as output, (folder / "errors").open("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "lookalike", *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=folder,
        )
        peak = 0
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            if time.monotonic() - begun > 4 * MOST_SECONDS:
                process.kill()
            time.sleep(_POLLED)
        seconds = time.monotonic() - begun
        texts = []
        for stream in (output, errors):
            stream.seek(0)
            texts.append(stream.read())
    return Seen(seconds, _used() - used, peak, process.returncode, *texts)


def _used() -> float:
    """Return the processor seconds of all processes below this one that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def resident(process: int) -> int:
    """Return the bytes resident in a process and all below it."""
    parents: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry))
    total, waiting = 0, [process]
    while waiting:
        each = waiting.pop()
        try:
            total += int(Path(f"/proc/{each}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
        waiting += parents.get(each, [])
    return total
