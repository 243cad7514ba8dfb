"""MNIST by two classical trees: a KD-tree whose leaves have binary codes, and hierarchical k-means.

    python examples/mnist_trees.py [FOLDER]

The 60,000 training digits are reduced to 50 numbers each by PCA and put into both trees; the 10,000 test
digits are the queries. Printed: how many of the ten digits found show the query's number (P@10), how many are
among the true ten nearest (recall), and how many queries a second were answered, all in one call. Saved in
FOLDER (the current one by default):

    mnist-trees.png        queries that are hard for a single leaf, and what each way of asking finds
    mnist-leaves.png       digits that share a leaf of the KD-tree, with its code
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from lookalike.datasets import Dataset, load
from lookalike.evaluate import precision_of_neighbors
from lookalike.index import Exact, Index, KDTree, KMeansTree
from lookalike.pca import PCA
from lookalike.plots import SheetRow, contact_sheet, save_figure
from lookalike.types import Neighbors

K = 10
DIMENSIONS = 50
LEAVES_DRAWN = 12
QUERIES_DRAWN = 3
WARMING = 2_000


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    print("reading 70,000 digits …", flush=True)
    digits = load("mnist")
    pixels = digits.train_X.reshape(len(digits.train_X), -1)
    print("fitting PCA, then building both trees …", flush=True)
    pca = PCA(DIMENSIONS).fit(pixels)
    rows = pca.transform(pixels)
    queries = pca.transform(digits.test_X.reshape(len(digits.test_X), -1))
    kept = pca.explained_variance_ratio_.sum()
    print(f"PCA: {DIMENSIONS} of {pixels.shape[1]} dimensions keep {kept:.1%} of the variance")

    exact = Exact("euclidean").build(rows)
    kd_tree, kmeans_tree = KDTree("euclidean"), KMeansTree("euclidean")
    seconds = {"KD-tree": built(kd_tree, rows), "k-means tree": built(kmeans_tree, rows)}
    print(f"KD-tree: {kd_tree.n_leaves_} leaves, {kd_tree.depth_}-digit codes, {seconds['KD-tree']:.1f} s")
    print(f"k-means tree: {kmeans_tree.n_cells} cells, {seconds['k-means tree']:.1f} s\n")
    print(f"asking both {len(queries):,} times, in six ways …", flush=True)

    ways: dict[str, Callable[[], Neighbors]] = {
        "every digit": lambda: exact.search(queries, K),
        "KD-tree, one leaf": lambda: kd_tree.search(queries, K, mode="leaf"),
        "KD-tree, best bin first": lambda: kd_tree.search(queries, K, recall=0.95),
        "KD-tree, exact": lambda: kd_tree.search(queries, K, mode="exact"),
        "k-means tree, recall 0.95": lambda: kmeans_tree.search(queries, K, recall=0.95),
        "k-means tree, exact": lambda: kmeans_tree.search(queries, K, recall=1.0),
    }
    farthest = exact.search(queries, K).distances[:, -1:]
    precision = {}
    found = {}
    print(f"{'':26} {'P@10':>7} {'recall':>7} {'queries/s':>10}")
    for way, search in ways.items():
        started = time.perf_counter()
        found[way] = search()
        seconds = time.perf_counter() - started
        precision[way] = precision_of_neighbors(found[way], digits.train_y, digits.test_y)
        recall = (found[way].distances <= farthest * (1 + 1e-6)).mean()
        print(f"{way:26} {precision[way].mean():7.4f} {recall:7.4f} {len(queries) / seconds:10,.0f}")

    lost = precision["every digit"] - precision["KD-tree, one leaf"]
    hardest = np.argsort(-lost, kind="stable")[:QUERIES_DRAWN]
    draw_answers(folder / "mnist-trees.png", digits, found, precision, hardest)
    draw_leaves(folder / "mnist-leaves.png", digits, kd_tree)


def built(tree: Index, rows: np.ndarray) -> float:
    """Build a tree, and return in how many seconds, without what is done once, at its first use."""
    type(tree)("euclidean").build(rows[:WARMING])
    started = time.perf_counter()
    tree.build(rows)
    return time.perf_counter() - started


def draw_answers(
    path: Path,
    digits: Dataset,
    found: dict[str, Neighbors],
    precision: dict[str, np.ndarray],
    queries: np.ndarray,
) -> None:
    rows = []
    for query in queries:
        for way in (
            "KD-tree, one leaf",
            "KD-tree, best bin first",
            "k-means tree, recall 0.95",
            "every digit",
        ):
            hits = found[way].ids[query]
            images = [digits.test_X[query], *digits.train_X[hits[hits >= 0]]]
            right = round(K * precision[way][query])
            note = f"{right} of {K} show a {digits.test_y[query]}"
            rows.append(SheetRow(way, note, [png(image) for image in images], [True]))
    title = "Queries (framed) that one leaf of the KD-tree answers badly, and their ten nearest by other ways"
    save(path, rows, title, columns=K + 1)


def draw_leaves(path: Path, digits: Dataset, tree: KDTree) -> None:
    rows = []
    for code in np.linspace(0, tree.n_leaves_ - 1, LEAVES_DRAWN).round().astype(int):
        members = tree.ids_in(code)
        counts = np.bincount(digits.train_y[members], minlength=10)
        common = np.argsort(-counts, kind="stable")[:3]
        shares = ", ".join(f"{counts[digit] / len(members):.0%} {digit}" for digit in common if counts[digit])
        images = [png(image) for image in digits.train_X[members[:12]]]
        rows.append(SheetRow(tree.path_of(code), f"{len(members)} digits: {shares}", images))
    save(
        path,
        rows,
        "Digits that share a leaf of the KD-tree, below the code of the leaf",
        columns=12,
    )


def png(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(255 - image).save(stream, "PNG")  # ink on paper
    return stream.getvalue()


def save(path: Path, rows: list[SheetRow], title: str, columns: int) -> None:
    save_figure(contact_sheet(rows, title, columns), path)
    print(f"saved {path}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
