"""How many duplicates are found, and how many of those said are true; calibration; beside other tools.

    python -m benchmarks duplicates --made FOLDER... [--draws 3] [--kinds photo] [--peers-python PYTHON]

FOLDERs are made by `make_benchmark.py`: pictures, and 36 kinds of variants of some; each is indexed where it
lies, if it is not. A *mixed library* is all pictures and one variant, by chance, of each that has any. In it
everything is done with the defaults: candidates, verification, verdicts. A pair is called if it is identical,
same or edited and shown by default, with a probability of at least 0.5. ``--draws`` such libraries of each
folder are drawn.

``--kinds`` measures recall by kind of variant, for each in a library of its own: all pictures and all
variants of that kind. Other tools compare the files of the first mixed library, each at the threshold that
is best for it: ``--peers-python`` is one that has some of imagededup, fastdup, pdqhash; a difference hash of
16 × 16, as czkawka's, is ours.

Pairs that count neither as right nor wrong are told in `duplicates_made`.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import report
from benchmarks.duplicates_made import DOMAINS, SAME, SAME_TURNED, Made
from lookalike.collection.duplicates.asked import MIN_PROBABILITY, PLANNED_PROBABILITY
from lookalike.duplicates.evidence import Evidence
from lookalike.duplicates.kinds import KINDS
from lookalike.duplicates.looks import Look
from lookalike.duplicates.verdicts import verdicts
from lookalike.duplicates.verifying import verify
from lookalike.images.thumbnails import encode_thumbnail, make_thumbnail

CALLED = MIN_PROBABILITY
SURE = PLANNED_PROBABILITY
BINS = (0.05, 0.2, 0.5, 0.9, 1.0001)
PEERS = Path(__file__).with_name("duplicates_peers.py")


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks duplicates", description=__doc__)
    parser.add_argument("--made", type=Path, nargs="+", required=True)
    parser.add_argument("--draws", type=int, default=3, help="mixed libraries of each folder")
    parser.add_argument("--kinds", choices=DOMAINS, help="recall by kind, of variants of these")
    parser.add_argument("--peers-python", type=Path)
    asked = parser.parse_args(options)
    figures: dict[str, Any] = {}
    pooled: list[Judged] = []
    for folder in asked.made:
        made = Made.read(folder)
        libraries = [Judged.of(made, made.mixed(draw)) for draw in range(asked.draws)]
        pooled += libraries
        figures[folder.name] = {
            "mixed": [each.figures() for each in libraries],
            "mixed_at_0.9": [each.figures(SURE) for each in libraries],
            "templates": [each.of_templates() for each in libraries],
        }
        if asked.kinds:
            figures[folder.name]["recall_by_kind"] = by_kind(made, asked.kinds)
    figures["calibration"] = calibration(pooled)
    figures["said_of"] = confusion(pooled)
    figures["faces"] = of_faces()
    made = pooled[0].made
    figures["others"] = others(made, made.mixed(0), asked.peers_python)
    report.save("duplicates", figures)


@dataclass
class Judged:
    """The pairs of a library, and what was said of them."""

    made: Made
    paths: list[str]
    evidence: Evidence
    is_one: np.ndarray
    kinds: np.ndarray
    probabilities: np.ndarray

    @classmethod
    def of(cls, made: Made, paths: list[str], new: list[str] | None = None) -> Judged:
        """Compare the files of a library."""
        evidence = made.compare(paths, new)
        said = verdicts(evidence)
        return cls(made, paths, evidence, made.is_one(evidence), said.kinds, said.probabilities)

    def called(self, least: float) -> np.ndarray:
        """Return which pairs are called duplicates."""
        return np.isin(self.kinds, [KINDS.index(kind) for kind in ("same", "edited")]) & (
            self.probabilities >= least
        )

    def figures(self, least: float = CALLED) -> dict[str, Any]:
        """Return recall and precision, of all and by domain."""
        called = self.called(least)
        domains = np.array([self.made.of_image[int(each)].domain for each in self.evidence["a"]])
        pairs = true_pairs(self.made, self.paths)
        found = {frozenset((int(row["a"]), int(row["b"]))) for row in self.evidence[called]}
        told = {}
        for domain in ("all", *DOMAINS):
            own = [
                ids for family, ids in pairs if domain in ("all", self.made.of_image[next(iter(ids))].domain)
            ]
            hit = sum(len(ids) == 1 or ids in found for ids in own)
            wrong = int((called & (self.is_one == 0) & ((domain == "all") | (domains == domain))).sum())
            told[domain] = {
                "pairs": len(own),
                "recall": round(hit / max(len(own), 1), 4),
                "precision": round(hit / max(hit + wrong, 1), 4),
                "wrong": wrong,
            }
        return told

    def of_templates(self) -> dict[str, float]:
        """Return the share of the pairs of different documents of one template that are called."""
        templates: dict[str, int] = {}
        for path in self.paths:
            each = self.made.shown[path]
            if each.kind == "base" and each.template:
                templates[each.template] = templates.get(each.template, 0) + 1
        total = sum(n * (n - 1) // 2 for n in templates.values())
        called = self.called(CALLED)
        wrong = 0
        for row in self.evidence[called]:
            one, other = (self.made.of_image[int(row[end])] for end in ("a", "b"))
            is_base = one.kind == other.kind == "base"
            wrong += is_base and one.template != "" and one.template == other.template
        return {"pairs": total, "called": int(wrong), "share": round(wrong / max(total, 1), 5)}


def true_pairs(made: Made, paths: Sequence[str]) -> list[tuple[str, frozenset[int]]]:
    """Return the pairs of a picture and its variant in a library: ids, of which equal ones are one."""
    chosen = set(paths)
    found = []
    for family in made.varied:
        kinds = made.families[family]
        found += [
            (family, frozenset((made.ids[kinds["base"]], made.ids[path])))
            for kind, path in kinds.items()
            if kind != "base" and path in chosen
        ]
    return found


def by_kind(made: Made, domain: str) -> dict[str, float]:
    """Return the share of variants that are called their picture's duplicates, by kind."""
    bases = [kinds["base"] for kinds in made.families.values() if "base" in kinds]
    told = {}
    for kind in sorted({each.kind for each in made.shown.values()} - {"base"}):
        of = [family for family in made.varied if made.shown[made.families[family]["base"]].domain == domain]
        variants = [made.families[family][kind] for family in of if kind in made.families[family]]
        judged = Judged.of(made, [*bases, *variants], variants)
        told[kind] = judged.figures()["all"]["recall"]
    return told


def calibration(libraries: Sequence[Judged]) -> dict[str, Any]:
    """Return how many of the pairs are one picture, by the probability they were given."""
    is_counted = [each.is_one >= 0 for each in libraries]
    given = np.concatenate([chance_of_one(each)[ok] for each, ok in zip(libraries, is_counted, strict=True)])
    true = np.concatenate([each.is_one[ok] for each, ok in zip(libraries, is_counted, strict=True)])
    told, error, total = [], 0.0, max(int((given >= BINS[0]).sum()), 1)
    for low, high in pairwise(BINS):
        is_in = (given >= low) & (given < high)
        if n := int(is_in.sum()):
            mean, share = float(given[is_in].mean()), float(true[is_in].mean())
            told.append({"from": low, "pairs": n, "given": round(mean, 4), "true": round(share, 4)})
            error += n * abs(mean - share)
    return {"bins": told, "expected_error": round(error / total, 4)}


def chance_of_one(judged: Judged) -> np.ndarray:
    """Return the probability that pairs are one picture: of those of a series, what is left of theirs."""
    is_series = judged.kinds == KINDS.index("series")
    return np.where(is_series, 1 - judged.probabilities, judged.probabilities)


def confusion(libraries: Sequence[Judged]) -> dict[str, dict[str, float]]:
    """Return what is said of pairs that are called, by what was done to the one."""
    counts: dict[str, dict[str, int]] = {}
    for judged in libraries:
        for i in np.flatnonzero(judged.called(CALLED) & (judged.is_one == 1)):
            kinds = {judged.made.of_image[int(judged.evidence[i][end])].kind for end in ("a", "b")}
            done = next(iter(kinds - {"base"}), "base")
            true = "same" if done in SAME else "turned" if done in SAME_TURNED else "edited"
            said = counts.setdefault(true, {"same": 0, "edited": 0})
            said[KINDS[int(judged.kinds[i])]] += 1
    return {
        true: {kind: round(n / sum(said.values()), 4) for kind, n in said.items()}
        for true, said in counts.items()
    }


def of_faces() -> dict[str, Any]:
    """Return how many of Caltech-101's faces are told to be crops of the photos they were cut from."""
    root = report.caltech101()
    rows = []
    for path in sorted((root / "Faces").glob("*.jpg")):
        if (other := root / "Faces_easy" / path.name).exists():
            looks = [Look.of(_thumbnail(each)) for each in (path, other)]
            rows.append(verify(looks[0], looks[1], 1, (2 * len(rows), 2 * len(rows) + 1)))
    found = [row for row in rows if len(row)]
    said = verdicts(np.concatenate(found)).probabilities
    return {"crops": len(rows), "share": round(float((said >= CALLED).sum() / len(rows)), 4)}


def _thumbnail(path: Path) -> bytes:
    return encode_thumbnail(make_thumbnail(Image.open(path).convert("RGB")))


def others(made: Made, paths: list[str], python: Path | None) -> dict[str, Any]:
    """Return what other tools find in a library, each at its best threshold."""
    index = {path: i for i, path in enumerate(paths)}
    # Files of one content are found by all; they are told apart by their paths.
    pairs = {}
    for family in made.varied:
        kinds = made.families[family]
        for kind, path in kinds.items():
            if kind != "base" and path in index:
                pairs[frozenset((index[kinds["base"]], index[path]))] = family
    found = {"difference hash 16 x 16": _hash_pairs([made.thumbnails[made.ids[path]] for path in paths])}
    if python is not None:
        with tempfile.TemporaryDirectory() as folder:
            listing, out = Path(folder, "files.json"), Path(folder, "pairs.json")
            listing.write_text(json.dumps([str(made.folder / path) for path in paths]), encoding="utf-8")
            # Not by what lies beside the script: that is a benchmark called fastdup.
            subprocess.run([python, "-P", PEERS, listing, out], check=True, stdout=subprocess.DEVNULL)
            found |= {name: np.array(rows) for name, rows in json.loads(out.read_text()).items()}
    families = [made.shown[path].family for path in paths]
    return {name: _at_best(rows, pairs, families) for name, rows in found.items()}


def _hash_pairs(thumbnails: Sequence[bytes]) -> np.ndarray:
    """Return pairs by a difference hash, (n, 3): rows, and the bits that differ."""
    bits = []
    for jpeg in thumbnails:
        grey = Image.open(io.BytesIO(jpeg)).convert("L").resize((17, 16), Image.Resampling.LANCZOS)
        small = np.asarray(grey, np.int16)
        bits.append((small[:, 1:] > small[:, :-1]).ravel())
    codes = np.packbits(np.array(bits), axis=1).view(np.uint64)
    rows = []
    for i in range(len(codes) - 1):
        away = np.bitwise_count(codes[i + 1 :] ^ codes[i]).sum(axis=1)
        near = np.flatnonzero(away <= 40)
        rows += [(i, i + 1 + j, int(away[j])) for j in near]
    return np.array(rows)


def _at_best(
    rows: np.ndarray, pairs: dict[frozenset[int], str], families: Sequence[str]
) -> dict[str, float] | None:
    """Return recall and precision at the distance at which F1 is best; rows: (n, 3), far ones large."""
    if not len(rows):
        return None
    order = np.argsort(rows[:, 2], kind="stable")
    rows = rows[order]
    is_true = np.array([frozenset((int(a), int(b))) in pairs for a, b, _ in rows])
    is_wrong = np.array([families[int(a)] != families[int(b)] for a, b, _ in rows])
    right, wrong = np.cumsum(is_true), np.cumsum(is_wrong)
    recall, precision = right / len(pairs), right / np.maximum(right + wrong, 1)
    score = 2 * recall * precision / np.maximum(recall + precision, 1e-9)
    is_last = np.r_[rows[1:, 2] != rows[:-1, 2], True]
    best = int(np.argmax(np.where(is_last, score, -1)))
    return {
        "threshold": round(float(rows[best, 2]), 4),
        "recall": round(float(recall[best]), 4),
        "precision": round(float(precision[best]), 4),
        "f1": round(float(score[best]), 4),
    }
