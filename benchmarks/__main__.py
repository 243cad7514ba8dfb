"""``python -m benchmarks [NAME...]``: run all benchmarks, or those named."""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "start_up",
    "indexing",
    "photos",
    "memory",
    "fastdup",
    "features",
    "kmeans_tree",
    "density",
    "clusterings",
)

if __name__ == "__main__":
    for name in sys.argv[1:] or NAMES:
        if name not in NAMES:
            sys.exit(f"there is no benchmark {name!r}; there are: {', '.join(NAMES)}")
        importlib.import_module(f"benchmarks.{name}").main()
