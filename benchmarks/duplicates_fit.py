"""Fit the trees that tell duplicates: writes `lookalike/duplicates/tree_tables.py`.

    python -m benchmarks duplicates_fit --made FOLDER... --cache FOLDER

FOLDERs are as those of `duplicates`; what is measured of their pairs is kept in ``--cache``, as it takes some
minutes each. Pairs are those of a mixed library, and of all variants of each kind beside all pictures. A pair
of a picture and its variant weighs 0.2, a pair of different pictures in the mixed library 1, others 0.3: a
probability is then about that of a library in which one picture in four has copies. Pairs of different files
that show one picture are left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.duplicates_made import SAME, SAME_TURNED, Made
from lookalike.duplicates import tree_tables
from lookalike.duplicates.trees import Trees, numbers_of

ROUNDS, RATE = 300, 0.1
TRUE_WEIGHT, OTHER_WEIGHT = 0.2, 0.3
TABLES = Path(tree_tables.__file__)


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks duplicates_fit", description=__doc__)
    parser.add_argument("--made", type=Path, nargs="+", required=True)
    parser.add_argument("--cache", type=Path, required=True)
    asked = parser.parse_args(options)
    parts = []
    for folder in asked.made:
        file = asked.cache / f"{folder.name}.npz"
        if not file.exists():
            np.savez_compressed(file, **measured(Made.read(folder)))
        parts.append(dict(np.load(file)))
    every = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    one = fitted(every["numbers"], every["is_one"], every["weights"])
    ours = every["is_one"] == 1
    unedited = fitted(every["numbers"][ours], every["is_unedited"][ours], np.ones(int(ours.sum())))
    write(one, unedited)


def measured(made: Made) -> dict[str, np.ndarray]:
    """Return what is known of the pairs of a folder."""
    bases = [kinds["base"] for kinds in made.families.values() if "base" in kinds]
    mixed = made.mixed(0)
    parts = [(made.compare(mixed), True)]
    for kind in sorted({each.kind for each in made.shown.values()} - {"base"}):
        variants = [made.families[family][kind] for family in made.varied if kind in made.families[family]]
        parts.append((made.compare([*bases, *variants], variants), False))
    evidence = np.concatenate([part for part, _ in parts])
    is_mixed = np.concatenate([np.full(len(part), is_in) for part, is_in in parts])
    is_one = made.is_one(evidence)
    shown = [[made.of_image[int(row[end])].kind for end in ("a", "b")] for row in evidence]
    return _told(numbers_of(evidence), is_one, is_mixed, shown)


def _told(
    numbers: np.ndarray, is_one: np.ndarray, is_mixed: np.ndarray, kinds: Sequence[Sequence[str]]
) -> dict[str, np.ndarray]:
    kept = is_one >= 0
    weights = np.where(is_one == 1, TRUE_WEIGHT, np.where(is_mixed, 1.0, OTHER_WEIGHT))
    unedited = {"base", *SAME, *SAME_TURNED}
    return {
        "numbers": numbers[kept],
        "is_one": is_one[kept] == 1,
        "weights": weights[kept],
        "is_unedited": np.array([unedited.issuperset(some) for some in kinds])[kept],
    }


def fitted(numbers: np.ndarray, answers: np.ndarray, weights: np.ndarray) -> Trees:
    """Return trees that tell the answers, (n,) bool, from numbers, (n, d)."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=ROUNDS, max_depth=3, max_leaf_nodes=8, learning_rate=RATE, l2_regularization=1.0,
        min_samples_leaf=20, early_stopping=False, random_state=0,
    )  # fmt: skip
    return trees_of(model.fit(numbers, answers, sample_weight=weights))


def trees_of(model: Any) -> Trees:
    """Return the trees of a fitted model of scikit-learn's."""
    of, than, values = [], [], []
    for (predictor,) in model._predictors:
        which, bounds = np.zeros(7, np.uint8), np.full(7, np.inf, np.float32)
        told = np.zeros(8, np.float32)
        places = [(0, 0)]  # a node, and its place in the full tree
        while places:
            at, place = places.pop()
            node = predictor.nodes[at]
            if place >= 7:
                told[place - 7] = node["value"]
            elif node["is_leaf"]:
                places += [(at, 2 * place + 1), (at, 2 * place + 2)]
            else:
                which[place] = node["feature_idx"]
                bounds[place] = _as_float32(node["num_threshold"])
                places += [(node["left"], 2 * place + 1), (node["right"], 2 * place + 2)]
        of.append(which)
        than.append(bounds)
        values.append(told)
    start = float(np.ravel(model._baseline_prediction)[0])
    return Trees(start, np.array(of), np.array(than), np.array(values))


def _as_float32(bound: float) -> np.float32:
    """Return the largest float32 that is not above a bound: the same numbers are above it."""
    found = np.float32(bound)
    return np.nextafter(found, np.float32(-np.inf)) if found > bound else found


def write(one: Trees, unedited: Trees) -> None:
    """Write the module of the tables."""
    parts = ['"""The trees of `trees`, as text: written by ``python -m benchmarks duplicates_fit``."""\n']
    for name, trees in (("ONE_PICTURE", one), ("UNEDITED", unedited)):
        text = trees.to_text()
        lines = "".join(f'    "{text[at : at + 100]}",\n' for at in range(0, len(text), 100))
        parts.append(f"\n{name} = (\n{lines})\n")
    TABLES.write_text("".join(parts), encoding="utf-8")
