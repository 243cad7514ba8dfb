"""Searches for what is of the same kind, and two sides matched one to one: what each gives, and costs.

Caltech-101 is indexed once, in a collection that is kept below the cache. Every 9th image, by path, asks, and
is not among those searched; and each asks as if it had never been there. Clip art: four decks of 54 playing
cards, each against each other, and two themes of icons of the same names; whole, and with a third of either
side taken away, five times at random.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks import report
from lookalike import Collection, ImageRef, datasets
from lookalike.embed import load_model, unit_rows
from lookalike.evaluate import rank_all, rank_others
from lookalike.evaluate.retrieval import Relevance, Retrieval
from lookalike.evaluate.same_kind import rank_all_of_kind, rank_others_of_kind
from lookalike.images.decode import read_image
from lookalike.index.pairing import pair, scaled_cosines
from lookalike.index.smoothing import Smoothing
from lookalike.system.cache import cache_folder
from lookalike.system.progress import UNWATCHED
from lookalike.types import Vectors

if TYPE_CHECKING:
    from PIL.Image import Image

MODELS = ("lite0-deep-int8",)
DECKS = ("ornamental", "white", "simple", "bordered")
THEMES = (
    ("flat-theme/action", "lemon-theme/actions"),
    ("flat-theme/applications", "lemon-theme/apps"),
    ("flat-theme", "lemon-theme/filesystems"),
    ("flat-theme/device", "lemon-theme/devices"),
)
BACKGROUND = "BACKGROUND_Google"  # pictures of no class, left out by custom
EVERY, KS = 9, (1, 10)
TAKEN_AWAY, DRAWS = 1 / 3, 5
ASKED, EDITED = 30, 60

Labels = npt.NDArray[np.intp]


def main() -> None:
    home = cache_folder() / "benchmarks" / "caltech-101-thorough"
    home.mkdir(parents=True, exist_ok=True)
    figures: dict[str, Any] = {}
    for model in MODELS:
        root = str(report.caltech101())
        words = ["index", root, "-c", str(home), "--model", model, "--no-duplicates"]
        subprocess.run([sys.executable, "-m", "lookalike", *words], check=True)
        collection = Collection.open(home, above=False)
        figures[model] = {
            "same kind": measure_kinds(*labelled(collection, model)),
            "cost": measure_cost(collection, model),
            "matching": measure_matching(model),
            "verify": measure_verify(collection, model),
        }
        report.save("thorough", {"models": figures})


def labelled(collection: Collection, model: str) -> tuple[Vectors, Labels]:
    """Return the vectors of all images of a class, by path, unit rows, and their classes."""
    images, vectors = collection.vectors(model)
    kept = [row for row, image in enumerate(images) if image.label != BACKGROUND]
    order = sorted(kept, key=lambda row: images[row].path)
    classes = np.unique([str(images[row].label) for row in order], return_inverse=True)[1]
    return unit_rows(np.asarray(vectors[order], np.float32)), classes


def measure_kinds(rows: Vectors, classes: Labels) -> dict[str, Any]:
    """Return the measures of plain searches and of those for the same kind, held out, and one by one."""
    is_asked = np.arange(len(rows)) % EVERY == 0
    queries, gallery = rows[is_asked], rows[~is_asked]
    held_out = Relevance(classes[is_asked], classes[~is_asked])
    own = Relevance(classes, classes, np.arange(len(rows)))
    found: dict[str, Retrieval] = {
        "held out, plain": rank_all(queries, gallery, held_out.wanted, held_out.there, KS),
        "held out, same kind": rank_all_of_kind(queries, gallery, held_out, KS, UNWATCHED),
        "each against the rest, plain": rank_others(rows, classes, KS),
        "each against the rest, same kind": rank_others_of_kind(rows, own, KS, UNWATCHED),
    }
    return {name: each.means() for name, each in found.items()}


def measure_cost(collection: Collection, model: str) -> dict[str, Any]:
    """Return what it takes to find all nearest, and to search, of the processor; and how much is kept."""
    images, vectors = collection.vectors(model)
    rows = unit_rows(np.asarray(vectors, np.float32))
    queries = [ImageRef(image.id) for image in images[:: max(1, len(images) // ASKED)]]

    def search(**how: Any) -> Callable[[], object]:
        return lambda: [collection.search(query, model=model, **how) for query in queries]

    making = seconds(lambda: Smoothing.of(rows))
    plain, kinds = search(), search(same_kind=True)
    plain()
    kinds()  # makes what is kept
    kept = [*(collection.folder / "indexes").glob(f"{model}-same-kind/*/*")]
    return {
        "images": len(rows),
        "all nearest, s": making,
        "bytes an image": sum(file.stat().st_size for file in kept) / len(rows),
        "a search, ms": 1000 * min(seconds(plain) for _ in range(3)) / len(queries),
        "a search for the same kind, ms": 1000 * min(seconds(kinds) for _ in range(3)) / len(queries),
    }


def seconds(do: Callable[[], object]) -> float:
    """Return the processor seconds that something takes, on all threads."""
    began = time.process_time()
    do()
    return time.process_time() - began


def measure_matching(model: str) -> dict[str, Any]:
    """Return the shares of right counterparts, and of mutual pairs that are right."""
    found = datasets.find_all()
    root = next(each.root for each in found if each.row.name == "clipart")
    if root is None:
        sys.exit("this benchmark needs Open Clip Art: Debian's package openclipart-png")
    decks = [sorted((root / "recreation/games/cards" / deck).glob("*.png")) for deck in DECKS]
    icons: tuple[list[Path], list[Path]] = ([], [])
    for folders in THEMES:
        a, b = (root / "computer/icons" / folder for folder in folders)
        names = sorted({file.name for file in a.glob("*.png")} & {file.name for file in b.glob("*.png")})
        icons[0].extend(a / name for name in names)
        icons[1].extend(b / name for name in names)
    cards = list(itertools.permutations([embed(model, deck) for deck in decks], 2))
    themes = list(itertools.permutations([embed(model, files) for files in icons], 2))
    return {
        f"{name}{said}": mean_of_rights(sides, share)
        for name, sides in (("cards", cards), ("icons", themes))
        for said, share in (("", 0.0), (", a third taken away", TAKEN_AWAY))
    }


def measure_verify(collection: Collection, model: str) -> dict[str, Any]:
    """Return how often the original of an edited image is the first hit, and among ten."""
    images = list(collection)
    drawn = np.random.default_rng(0).choice(len(images), EDITED, replace=False).tolist()
    found: dict[str, Any] = {}
    for name, edit in EDITS.items():
        ranks: dict[str, list[int]] = {"plain": [], "verified": []}
        began = time.process_time()
        for at in drawn:
            asked = edit(read_image(Path(images[at].path)).image)
            for way, verify in (("plain", False), ("verified", True)):
                hits = collection.search(asked, k=10, model=model, verify=verify).hits
                ranks[way].append(next((hit.rank for hit in hits if hit.id == images[at].id), 11))
        found[name] = {
            way: {f"R@{k}": float(np.mean(np.array(each) <= k)) for k in (1, 10)}
            for way, each in ranks.items()
        }
        found[name]["both, ms a query"] = 1000 * (time.process_time() - began) / len(drawn)
    return found


def patch(share: float) -> Callable[[Image], Image]:
    """Return what cuts a part of so much of its area out of an image, right and down of its middle."""

    def cut(image: Image) -> Image:
        width, height = (round(side * share**0.5) for side in image.size)
        left, top = (image.width - width) * 2 // 3, (image.height - height) * 2 // 3
        return image.crop((left, top, left + width, top + height))

    return cut


def turned(image: Image) -> Image:
    """Return an image turned by 15°, without corners that were not there, and lighter."""
    from PIL import ImageEnhance

    whole = image.rotate(15, resample=3, expand=False)
    width, height = image.size
    cut = whole.crop((width // 6, height // 6, width - width // 6, height - height // 6))
    return ImageEnhance.Brightness(cut).enhance(1.2)


EDITS: dict[str, Callable[[Image], Image]] = {
    "half of the area": patch(0.5),
    "a quarter of the area": patch(0.25),
    "turned by 15° and lighter": turned,
}


def embed(model: str, files: list[Path]) -> Vectors:
    """Return the vectors of some files."""
    embedder = load_model(model)
    pixels = [embedder.prepare(read_image(file).image) for file in files]
    return unit_rows(np.concatenate([embedder.embed(each[None]) for each in pixels]))


def mean_of_rights(sides: list[tuple[Vectors, ...]], taken_away: float) -> dict[str, float]:
    """Return the mean of `rights` over pairs of sides, of which a share is drawn away."""
    random = np.random.default_rng(0)
    found = []
    for a, b in sides:
        for _ in range(DRAWS if taken_away else 1):
            n = round(len(a) * (1 - taken_away))
            kept = [np.sort(random.permutation(len(a))[:n]) for _ in range(2)]
            found.append(rights(a[kept[0]], b[kept[1]], *kept))
    return {name: float(np.mean([each[name] for each in found])) for name in found[0]}


def rights(a: Vectors, b: Vectors, names_a: Labels, names_b: Labels) -> dict[str, float]:
    """Return how many of those that have a counterpart get it, and how many mutual pairs are right.

    Parameters
    ----------
    a, b : (n, d) float32
    names_a, names_b : (n,) int64
        Equal for counterparts.
    """
    has_one = np.isin(names_a, names_b)
    pairing = pair(a, b)
    is_right = names_a[pairing.a] == names_b[pairing.b]
    return {
        "nearest": float((names_b[(a @ b.T).argmax(axis=1)] == names_a)[has_one].mean()),
        "nearest, scaled": float((names_b[scaled_cosines(a, b).argmax(axis=1)] == names_a)[has_one].mean()),
        "one to one": float(is_right.sum() / has_one.sum()),
        "mutual pairs that are right": float(is_right[pairing.is_mutual].mean()),
    }


if __name__ == "__main__":
    main()
