"""What doctests may use; and that tests leave nothing in the user's cache, and few lines of skips."""

import os
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

# Before any test, or a process that it starts, imports ONNX Runtime, which else leaves an identifier of the
# machine in the user's cache: see `lookalike.embed.runtime.import_runtime`.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# Networks are torch's own classes, and torch is an extra.
collect_ignore_glob = (
    []
    if find_spec("torch")
    else [f"src/lookalike/train/{name}.py" for name in ("*_network", "loop", "losses", "memory")]
)

_OF_COLLECTIONS = ("src/lookalike/collection/", "src/lookalike/drawing", "src/lookalike/results/checking")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line why tests were skipped; what failed comes after it."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(_reason_of(report) for report in reports)
    if reasons:
        told = "; ".join(f"{count} {reason}" for reason, count in reasons.most_common())
        terminalreporter.write_line(f"\nskipped: {told}")


def _reason_of(report: pytest.TestReport) -> str:
    longrepr = report.longrepr
    reason = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return reason.removeprefix("Skipped: ").partition("\n")[0]


@pytest.fixture(autouse=True)
def _doctest_names(
    request: pytest.FixtureRequest,
    doctest_namespace: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Give the docstrings of a collection and its parts a folder of pictures, a new one for each."""
    if request.node.nodeid.startswith(_OF_COLLECTIONS):
        from lookalike import Collection

        doctest_namespace["photo_folder"] = _photo_folder(tmp_path_factory.mktemp("photos"))
        doctest_namespace["Collection"] = Collection


def _photo_folder(folder: Path) -> Path:
    from PIL import Image

    y, x = np.mgrid[:96, :96]
    patterns = {
        "stripes.png": x % 16 * 12,
        "stripes-brighter.png": x % 16 * 14 + 20,
        "circles.png": np.hypot(x - 48, y - 48) % 24 * 10,
        "noise.png": np.random.default_rng(0).integers(0, 255, (96, 96)),
    }
    for name, grey in patterns.items():
        Image.fromarray(np.asarray(grey, dtype=np.uint8)).convert("RGB").save(folder / name)
    return folder
