"""How fast is the k-means tree at a recall, next to other libraries, one query a call on one core?

Fashion-MNIST and MNIST: 60,000 × 784, euclidean, k = 10, their 10,000 test images as queries. The contenders
take turns, a thousand queries each, in one process; a hit is right if it is no farther than the true tenth
neighbour. Peers that are not installed are left out.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import report
from lookalike.datasets import load
from lookalike.index import Exact, KMeansTree

SETS = ("fashion-mnist", "mnist")
K = 10
TURN = 1_000  # queries
RECALLS = (0.9, 0.95, 0.99, 0.995, 0.998, 0.999, 1.0)
HNSW_EFFORTS = (20, 50, 100, 150, 250, 400)
PYNNDESCENT_EFFORTS = (0.0, 0.1, 0.2)

Answer = Callable[[Any], Any]  # a query (d,) → ids (k,)


def main() -> None:
    with threadpool_limits(1):
        figures = {name: compare(name) for name in SETS}
    report.save("kmeans_tree", {"k": K, "queries_a_call": 1, "sets": figures})


def compare(name: str) -> dict[str, Any]:
    train, _, test, _ = load(name)
    rows = np.ascontiguousarray(train.reshape(len(train), -1), np.float32)
    queries = np.ascontiguousarray(test.reshape(len(test), -1), np.float32)
    truth = Exact("euclidean").build(rows).search(queries, k=K).distances[:, -1]
    compile_kernels(rows, queries)
    seconds: dict[str, float] = {}
    contenders: dict[str, Answer] = {}
    for library, make in (("lookalike", ours), ("hnswlib", hnswlib), ("pynndescent", pynndescent)):
        if library == "lookalike" or importlib.util.find_spec(library):
            started = time.perf_counter()
            index, answers = make(rows)
            seconds[library] = time.perf_counter() - started
            contenders |= answers(index)
    spent = dict.fromkeys(contenders, 0.0)
    right = dict.fromkeys(contenders, 0)
    for start in range(0, len(queries), TURN):
        block = queries[start : start + TURN]
        for contender, answer in contenders.items():
            answer(block[0])
            begun = time.perf_counter()
            found = [answer(query) for query in block]
            spent[contender] += time.perf_counter() - begun
            right[contender] += count_right(rows, block, np.array(found), truth[start : start + TURN])
    return {
        "build_seconds": {library: round(value, 2) for library, value in seconds.items()},
        "search": {
            contender: {
                "recall": round(right[contender] / (K * len(queries)), 4),
                "queries_per_second": round(len(queries) / spent[contender]),
            }
            for contender in contenders
        },
    }


def count_right(rows: Any, queries: Any, found: Any, truth: Any) -> int:
    """Measure the distances again, instead of trusting anyone's; ties are fair."""
    hits = 0
    for query, ids, limit in zip(queries, found, truth, strict=True):
        distances = np.linalg.norm(rows[ids].astype(np.float64) - query, axis=1)
        hits += int((distances <= limit * (1 + 1e-6)).sum())
    return hits


def compile_kernels(rows: Any, queries: Any) -> None:
    """Let the compiler do its work, which is kept on disk, before anything is timed."""
    index = KMeansTree(n_jobs=1).build(rows[:6_000])
    for recall in (0.9, 1.0):
        index.search(queries[0], K, recall=recall)


def ours(rows: Any) -> tuple[Any, Callable[[Any], dict[str, Answer]]]:
    def answers(index: KMeansTree) -> dict[str, Answer]:
        return {
            f"lookalike, recall={recall}": lambda query, recall=recall: index.search(
                query, K, recall=recall
            ).ids[0]
            for recall in RECALLS
        }

    return KMeansTree(n_jobs=1).build(rows), answers


def hnswlib(rows: Any) -> tuple[Any, Callable[[Any], dict[str, Answer]]]:
    import hnswlib

    index = hnswlib.Index(space="l2", dim=rows.shape[1])
    index.init_index(max_elements=len(rows), M=16, ef_construction=200, random_seed=0)
    index.set_num_threads(1)
    index.add_items(rows, num_threads=1)

    def answers(index: Any) -> dict[str, Answer]:
        def answer(query: Any, effort: int) -> Any:
            index.set_ef(effort)
            return index.knn_query(query, K, num_threads=1)[0][0].astype(np.int64)

        return {
            f"hnswlib, ef={effort}": lambda query, effort=effort: answer(query, effort)
            for effort in HNSW_EFFORTS
        }

    return index, answers


def pynndescent(rows: Any) -> tuple[Any, Callable[[Any], dict[str, Answer]]]:
    import pynndescent

    index = pynndescent.NNDescent(rows, n_neighbors=30, random_state=0, n_jobs=1)
    index.prepare()

    def answers(index: Any) -> dict[str, Answer]:
        return {
            f"pynndescent, epsilon={effort}": lambda query, effort=effort: index.query(
                query[None], K, epsilon=effort
            )[0][0]
            for effort in PYNNDESCENT_EFFORTS
        }

    return index, answers
