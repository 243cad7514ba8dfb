"""Fit the trees that tell duplicates: writes `lookalike/duplicates/tree_tables.py`.

    python -m benchmarks duplicates_fit --made FOLDER... --cache FOLDER

FOLDERs are as those of `duplicates`; what is measured of their pairs is kept in ``--cache``, as it takes some
minutes each. Pairs are those of mixed libraries: those of all pictures, and those that variants are in, in
`DRAWS` libraries with one variant, by chance, of each picture that has any. They weigh so that all is one
library in which a quarter of the pictures of each domain has one copy (`COPIED`): a probability is that of
such a library. A folder of many pictures of one domain (`LARGEST`) is several libraries. Pairs of different
files that show one picture are left out. Two of three variants are edited; those that are not weigh twice for
the trees that tell them apart.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.duplicates_made import DOMAINS, SAME, SAME_TURNED, Made
from lookalike.duplicates import tree_tables
from lookalike.duplicates.evidence import Evidence
from lookalike.duplicates.trees import Trees, numbers_of

ROUNDS, RATE = 560, 0.15
ROUNDS_OF_KINDS, RATE_OF_KINDS = 150, 0.1
UNEDITED_WEIGHT = 2.0
LEAST_LEAF, RIDGE = 40, 5.0
DRAWS = 24
COPIED = 0.25
N_KINDS = 37  # of variants; a folder of some of them, as of those that are hard to tell, weighs less
LARGEST = {"photo": 2500, "icon": 1200, "document": 300}  # of each, in a library
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
    one = fitted(every["numbers"], every["is_one"], every["weights"], ROUNDS, RATE)
    numbers, is_unedited = every["numbers"][every["is_one"]], every["is_unedited"][every["is_one"]]
    weights = np.where(is_unedited, UNEDITED_WEIGHT, 1.0)
    unedited = fitted(numbers, is_unedited, weights, ROUNDS_OF_KINDS, RATE_OF_KINDS)
    write(one, unedited)


def measured(made: Made) -> dict[str, np.ndarray]:
    """Return what is known of the pairs of a folder's libraries."""
    families = [family for family, kinds in made.families.items() if "base" in kinds]
    pictures = Counter(_domain(made, family) for family in families)
    varied = Counter(_domain(made, family) for family in made.varied)
    n_libraries = max(math.ceil(n / LARGEST[domain]) for domain, n in pictures.items())
    kinds = {kind for family in made.varied for kind in made.families[family]} - {"base"}
    copied = COPIED * len(kinds) / N_KINDS
    of_copies = {each: copied * pictures[each] / max(varied[each], 1) for each in DOMAINS}
    order = np.random.default_rng(0).permutation(len(families))
    told = []
    for library in range(n_libraries):
        some = {families[i] for i in order[library::n_libraries].tolist()}
        bases = [made.families[family]["base"] for family in sorted(some)]
        told.append(_told(made, made.compare(bases), of_copies))
        for draw in range(DRAWS):
            variants = [
                path
                for path in made.mixed(draw)
                if made.shown[path].kind != "base" and made.shown[path].family in some
            ]
            told.append(_told(made, made.compare([*bases, *variants], variants), of_copies))
    return {name: np.concatenate([part[name] for part in told]) for name in told[0]}


def _domain(made: Made, family: str) -> str:
    return made.shown[made.families[family]["base"]].domain


def _told(made: Made, evidence: Evidence, of_copies: dict[str, float]) -> dict[str, np.ndarray]:
    """Return the numbers, answers and weights of pairs, but of those that count as neither."""
    unedited = {"base", *SAME, *SAME_TURNED}
    is_one = made.is_one(evidence)
    weights, is_unedited = np.ones(len(evidence)), np.zeros(len(evidence), bool)
    for i, row in enumerate(evidence):
        ends = [made.of_image[int(row[end])] for end in ("a", "b")]
        copies = [of_copies[each.domain] for each in ends if each.kind != "base"]
        weights[i] = math.prod(copies) / (DRAWS if copies else 1)
        is_unedited[i] = unedited.issuperset(each.kind for each in ends)
    kept = is_one >= 0
    domains = np.array([DOMAINS.index(made.of_image[int(each)].domain) for each in evidence["a"]], np.uint8)
    return {
        "numbers": numbers_of(evidence)[kept],
        "is_one": is_one[kept] == 1,
        "weights": weights[kept],
        "is_unedited": is_unedited[kept],
        "domains": domains[kept],
    }


def fitted(numbers: np.ndarray, answers: np.ndarray, weights: np.ndarray, rounds: int, rate: float) -> Trees:
    """Return trees that tell the answers, (n,) bool, from numbers, (n, d)."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=rounds, max_depth=3, max_leaf_nodes=8, learning_rate=rate, l2_regularization=RIDGE,
        min_samples_leaf=LEAST_LEAF, early_stopping=False, random_state=0,
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
