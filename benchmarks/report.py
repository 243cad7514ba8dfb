"""Write what was measured, with the machine it was measured on."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from lookalike.system.cores import usable_cores

FOLDER = Path(__file__).parent / "results"
PACKAGES = ("lookalike", "numpy", "onnxruntime", "pillow", "pylance")


def save(name: str, figures: dict[str, Any]) -> None:
    """Print the figures, and write them to ``results/<name>.json``."""
    document = {"command": f"python -m benchmarks {name}", "machine": machine(), **figures}
    text = json.dumps(document, indent=2)
    print(text)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def read(name: str) -> dict[str, Any]:
    """Return what ``results/<name>.json`` holds; nothing if it is not there."""
    file = FOLDER / f"{name}.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found


def machine() -> dict[str, Any]:
    """Name this machine: processor, cores, memory, system, versions."""
    return {
        "processor": _processor(),
        "cores": usable_cores(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in PACKAGES},
    }


def caltech101() -> Path:
    """Return the folder of Caltech-101's classes, or stop with what to do."""
    from lookalike.datasets import caltech101 as dataset

    found = dataset.find()
    if found is None:
        sys.exit("this benchmark needs Caltech-101: set LOOKALIKE_DATA to a folder with caltech-101 in it")
    return found.root


def _processor() -> str:
    try:
        facts = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        found = re.search(r"model name\s*:\s*(.+)", facts)
        features = re.search(r"flags\s*:\s*(.+)", facts)
        wide = [
            name for name in ("avx2", "avx512f", "avx512_vnni") if features and name in features[1].split()
        ]
        return f"{found[1] if found else platform.processor()} ({', '.join(wide)})"
    except OSError:
        return platform.processor()


def timed(work: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """Return what some work gives, and its seconds, on the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    found = work()
    return found, {
        "seconds": round(time.perf_counter() - clock, 2),
        "processor_seconds": round(time.process_time() - processor, 2),
    }
