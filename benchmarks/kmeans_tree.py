"""How fast is the k-means tree at a recall, next to other libraries, one query a call on one core?

The contenders take turns, some queries each, in one process. Peers that are not installed are left out. What
is measured is added to what there is, so that a long run can be cut up:

    python -m benchmarks kmeans_tree --set mnist --peer hnswlib --peer scann --keep FOLDER

keeps what was built, vectors and peers' indexes, for the next run.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import report
from benchmarks.peers import PEERS, Answer, Peer
from benchmarks.vectors import SETS, SearchSet, open_set
from lookalike.index import KMeansTree

K = 10
TURN = 250  # queries
RECALLS = (0.9, 0.95, 0.99, 0.995, 0.998, 0.999, 0.9999, 1.0)

Figures = dict[str, Any]


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks kmeans_tree", description=__doc__)
    parser.add_argument("--set", action="append", choices=SETS, dest="sets")
    parser.add_argument("--peer", action="append", choices=PEERS, dest="peers")
    parser.add_argument("--queries", type=int, default=10_000, help="at most so many")
    parser.add_argument("--keep", type=Path, help="a folder for what is built")
    parser.add_argument("--build-only", action="store_true")
    chosen = parser.parse_args(options)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with threadpool_limits(1):
        for name in chosen.sets or SETS:
            peers = chosen.peers or [peer for peer, cls in PEERS.items() if cls.is_installed()]
            found = compare(
                open_set(name, chosen.keep), peers, chosen.queries, chosen.keep, chosen.build_only
            )
            if found:
                save(name, found)


def save(name: str, found: Figures) -> None:
    """Add the figures of one set to those there are."""
    sets = report.read("kmeans_tree").get("sets", {})
    sets[name] = {**sets.get(name, {}), **found}
    report.save("kmeans_tree", {"k": K, "queries_a_call": 1, "sets": sets})


def compare(data: SearchSet, peers: Sequence[str], most: int, kept: Path | None, build_only: bool) -> Figures:
    """Return for each peer what it and the k-means tree did beside it."""
    others: dict[str, Peer] = {}
    seconds: dict[str, float] = {}
    for peer in peers:
        others[peer] = PEERS[peer](data.rows.shape[1], data.metric, K)
        folder = kept / data.name / peer if kept else None
        seconds[peer] = others[peer].build_or_load(data.rows, folder)
    ours, ours_seconds = build_ours(data)
    if build_only:
        return {}
    n = min(most, len(data.queries))
    contenders: list[tuple[str, Any, int]] = [("lookalike", recall, n) for recall in RECALLS]
    for peer in peers:
        contenders += [(peer, effort, min(n, PEERS[peer].most_queries)) for effort in PEERS[peer].efforts]
    spent, right = [0.0] * len(contenders), [0] * len(contenders)
    for start in range(0, n, TURN):
        for number, (name, effort, limit) in enumerate(contenders):
            block = data.queries[start : min(start + TURN, limit)]
            if not len(block):
                continue
            answer = ask_ours(ours, effort) if name == "lookalike" else others[name].answer(effort)
            answer(block[0])
            begun = time.perf_counter()
            found = [answer(query) for query in block]
            spent[number] += time.perf_counter() - begun
            right[number] += data.count_right(start, np.array(found), K)
    points: dict[str, list[Figures]] = {name: [] for name, _, _ in contenders}
    for (name, effort, limit), taken, hits in zip(contenders, spent, right, strict=True):
        points[name].append(
            {
                "effort": effort,
                "recall": round(hits / (K * limit), 4),
                "queries_per_second": round(limit / taken, 1 if limit / taken < 100 else None),
            }
        )
    curve = points.pop("lookalike")
    for name in points:
        for point in points[name]:
            rate = rate_at(curve, point["recall"])
            point["lookalike_is_faster_by"] = round(rate / point["queries_per_second"], 2)
    beside = {"build_seconds": round(ours_seconds, 2), "search": curve}
    return {
        peer: {
            "build_seconds": round(seconds[peer], 2),
            "queries": n,
            "search": points[peer],
            "lookalike": beside,
        }
        for peer in peers
    }


def rate_at(curve: list[Figures], recall: float) -> float:
    """Return our queries/s at a recall: between two measured points, in proportion to log(1 - recall)."""
    missed = [np.log(max(1 - point["recall"], 1e-5)) for point in curve]
    rates = [np.log(point["queries_per_second"]) for point in curve]
    return float(np.exp(np.interp(-np.log(max(1 - recall, 1e-5)), -np.array(missed), rates)))


def build_ours(data: SearchSet) -> tuple[KMeansTree, float]:
    # The compiler's work, which is kept on disk, comes before anything is timed.
    small = KMeansTree(data.metric, n_jobs=1).build(data.rows[:6_000])
    for recall in (0.9, 1.0):
        small.search(data.queries[0], K, recall=recall)
    started = time.perf_counter()
    index = KMeansTree(data.metric, n_jobs=1).build(data.rows)
    return index, time.perf_counter() - started


def ask_ours(index: KMeansTree, recall: float) -> Answer:
    return lambda query: index.search(query, K, recall=recall).ids[0]
