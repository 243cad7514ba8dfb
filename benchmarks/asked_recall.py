"""Is a recall that is asked for reached on queries that the index has not seen? And are filters honoured?

The k-means tree on four sets, k = 1, 10 and 100: the recall measured on the test images, ties fair. Then a
filter that keeps 1 % of the rows, at random: the share of queries whose 10 hits are the true ones among them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.vectors import SETS, open_set
from lookalike.index import Exact, KMeansTree

KS = (10, 1, 100)
RECALLS = {0.9: 0.01, 0.95: 0.01, 0.99: 0.003, 0.999: 0.001}  # and how far below is still honest
FILTERED = 500  # queries


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks asked_recall", description=__doc__)
    parser.add_argument("--keep", type=Path, help="a folder for vectors and true distances")
    kept = parser.parse_args(options).keep
    report.save("asked_recall", {"sets": {name: measure(name, kept) for name in SETS}})


def measure(name: str, kept: Path | None) -> dict[str, Any]:
    data = open_set(name, kept)
    index = KMeansTree(data.metric).build(data.rows)
    figures: dict[str, Any] = {"queries": len(data.queries)}
    for k in KS:
        found: dict[str, float] = {}
        for recall in RECALLS:
            distances = index.search(data.queries, k, recall=recall).distances
            limits = data.distances[:, k - 1 : k] * (1 + 1e-6) + 1e-7
            found[str(recall)] = round(float((distances <= limits).mean()), 4)
        figures[f"k = {k}"] = found
    figures["honest"] = all(
        figures[f"k = {k}"][str(recall)] >= recall - below for k in KS for recall, below in RECALLS.items()
    )
    allowed = np.sort(np.random.default_rng(0).choice(len(data.rows), len(data.rows) // 100, replace=False))
    queries = data.queries[:FILTERED]
    true = Exact(data.metric).build(data.rows).search(queries, allowed=allowed).ids
    right = (index.search(queries, recall=0.9, allowed=allowed).ids == true).all(axis=1)
    figures["filter that keeps 1 %"] = float(right.mean())
    return figures
