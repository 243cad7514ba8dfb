"""A folder of pictures and their variants, indexed: what `duplicates` and `duplicates_fit` measure on.

`make_benchmark.py` writes such folders: images.csv says of each file which picture it shows, how it was
edited, and what it is (photo, icon, document of a template). They are indexed where they lie, with the
default model.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lookalike import Collection
from lookalike.duplicates.candidates import find_candidates
from lookalike.duplicates.evidence import EVIDENCE, Evidence
from lookalike.duplicates.hashing import turned_hashes
from lookalike.duplicates.matching import Matching
from lookalike.duplicates.nearest_rows import N_SAMPLE, Whitening, nearest_rows
from lookalike.store import Store
from lookalike.system.cores import usable_cores

DOMAINS = ("photo", "icon", "document")
SAME = ("metadata", "jpeg90", "jpeg50", "jpeg20", "webp", "avif", "exif90", "resize50", "resize25")
SAME_TURNED = ("rot90", "rot180", "mirror")  # one picture, turned: neither encoding nor size is edited
BLOCK = 4_096

# Photos of Caltech-101 that are one picture, seen by eye; beside those that fit better than 0.85.
SEEN_TWINS = (
    ("pagoda", 12, 43),
    ("starfish", 13, 79),
    ("butterfly", 17, 31),
    ("cougar_face", 23, 39),
    ("garfield", 25, 34),
)
ALIKE_ONLY = (
    "Motorbikes",
    "umbrella",
    "soccer_ball",
    "butterfly",
)  # classes whose different photos fit so well


class Shown(NamedTuple):
    """What a file shows."""

    path: str
    family: str
    kind: str
    domain: str
    template: str
    group: str


@dataclass
class Made:
    """A folder of pictures and variants.

    Attributes
    ----------
    folder : Path
    shown : dict
        By path.
    ids : dict
        Of the images, by path: files of one content have one.
    thumbnails, vectors : dict
        By id.
    """

    folder: Path
    shown: dict[str, Shown]
    ids: dict[str, int]
    thumbnails: dict[int, bytes]
    vectors: dict[int, np.ndarray]
    _hashes: dict[int, np.ndarray] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Made:
        """Read a folder, and index it first if that was not done."""
        if not (folder / ".lookalike").exists():
            with Collection.create(folder) as collection:
                collection.sync()
        store = Store(folder / ".lookalike")
        with (folder / "images.csv").open(newline="", encoding="utf-8") as file:
            shown = {row["path"]: Shown(**row) for row in csv.DictReader(file)}
        files = store.files.read(["path", "id"]).to_pylist()
        ids = {row["path"].partition(":")[2]: row["id"] for row in files}
        name, table = next(iter(store.vector_tables().items()))
        vectors = {}
        for some, rows in store.vectors(name, table.dimension() or 1).open_vectors()[0]():
            vectors.update(zip(some.tolist(), np.array(rows, np.float32), strict=True))
        thumbnails = {}
        wanted = sorted(set(ids.values()))
        for start in range(0, len(wanted), BLOCK):
            found = store.thumbnails.read_where_in("id", wanted[start : start + BLOCK], ["id", "jpeg"])
            thumbnails.update((row["id"], row["jpeg"]) for row in found.to_pylist())
        return cls(
            folder, {path: each for path, each in shown.items() if path in ids}, ids, thumbnails, vectors
        )

    @cached_property
    def families(self) -> dict[str, dict[str, str]]:
        """Paths by kind of variant, of each picture; ``base`` is the picture itself."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for path, each in self.shown.items():
            found[each.family][each.kind] = path
        return found

    @cached_property
    def varied(self) -> list[str]:
        """The families that have variants."""
        return [family for family, kinds in self.families.items() if len(kinds) > 1]

    def hashes(self, images: Sequence[int]) -> np.ndarray:
        """Return those of images, (n, 2, 8) uint64; each is made once."""
        for image in images:
            if image not in self._hashes:
                self._hashes[image] = turned_hashes(self.thumbnails[image])
        return np.stack([self._hashes[image] for image in images])

    @cached_property
    def of_image(self) -> dict[int, Shown]:
        """What an image shows; of several files of one content, the picture itself."""
        found: dict[int, Shown] = {}
        for path, each in self.shown.items():
            if each.kind == "base" or self.ids[path] not in found:
                found[self.ids[path]] = each
        return found

    def mixed(self, draw: int) -> list[str]:
        """Return the pictures, and one variant of each that has any, by chance."""
        chance = np.random.default_rng(draw)
        bases = [kinds["base"] for kinds in self.families.values() if "base" in kinds]
        variants = []
        for family in self.varied:
            kinds = sorted(kind for kind in self.families[family] if kind != "base")
            variants.append(self.families[family][kinds[int(chance.integers(len(kinds)))]])
        return [*bases, *variants]

    def compare(self, paths: Sequence[str], new: Sequence[str] | None = None) -> Evidence:
        """Return the evidence of a library, found with the defaults; or of its pairs with new files."""
        ids = np.array(sorted({self.ids[path] for path in paths}), np.int64)
        wanted = {self.ids[path] for path in (paths if new is None else new)}
        is_new = np.array([each in wanted for each in ids.tolist()])
        hashes = self.hashes(ids.tolist())
        vectors = np.stack([self.vectors[each] for each in ids.tolist()])

        def neighbors(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            n = len(vectors)
            sample = vectors[np.linspace(0, n - 1, min(n, N_SAMPLE)).astype(np.intp)]
            whitening = Whitening.of(sample, n)
            found = nearest_rows(whitening.rows(vectors), rows, whitening.least)
            return found.rows, found.cosines

        candidates = find_candidates(hashes, is_new, neighbors)
        kept: list[Evidence] = []
        matching = Matching(
            lambda some: {each: self.thumbnails[each] for each in some}, kept.append, usable_cores()
        )
        matching.match(ids, candidates)
        return np.concatenate(kept) if kept else np.empty(0, EVIDENCE)

    def is_one(self, evidence: Evidence) -> np.ndarray:
        """Return which pairs show one picture, (n,) int8: 1 or 0; minus 1 those that count as neither.

        Those are pairs of different files of Caltech-101 that show one picture, by `SEEN_TWINS` or a score of
        0.85, and drawings of one name or of equal pixels in two folders.
        """
        found = np.zeros(len(evidence), np.int8)
        twins = {_of_photos(*each) for each in SEEN_TWINS}
        shown = [(self.of_image[int(row["a"])], self.of_image[int(row["b"])]) for row in evidence]
        exact = evidence["details"][:, 24]
        best = np.maximum(evidence["score"], evidence["details"][:, 0])
        for i, (one, other) in enumerate(shown):
            if one.domain == other.domain == "photo" and best[i] >= 0.85 and one.group not in ALIKE_ONLY:
                twins.add(frozenset((one.family, other.family)))
            if one.domain == other.domain == "icon":
                is_equal = one.kind == other.kind == "base" and best[i] >= 0.97 and exact[i] >= 0.9
                if is_equal or _is_of_one_name(one.family, other.family):
                    twins.add(frozenset((one.family, other.family)))
        for i, (one, other) in enumerate(shown):
            is_twin = frozenset((one.family, other.family)) in twins
            found[i] = 1 if one.family == other.family else -1 if is_twin else 0
        return found


def _of_photos(group: str, one: int, other: int) -> frozenset[str]:
    return frozenset(f"photo-{group}-image_{number:04}" for number in (one, other))


def _is_of_one_name(one: str, other: str) -> bool:
    """Tell whether two drawings have one file name in two folders."""
    ends = takewhile(lambda pair: pair[0] == pair[1], zip(reversed(one), reversed(other), strict=False))
    shared = "".join(letter for letter, _ in ends)[::-1]
    return "-" in shared and len(shared.partition("-")[2]) >= 5
