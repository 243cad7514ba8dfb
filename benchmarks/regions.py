"""Does a part of a picture find its whole, and an object the scenes that it is in?

    python -m benchmarks regions [--parts 500] [--scenes 500] [--keep DIR]

Caltech-101 is indexed with the default model. Parts of 40, 25 and 15 % of the area, of the shape of their
pictures and at random places, are searched for among all of it, as regions of the files; asked by the vector
of the part alone, too, which is what a model without cells does. Then small pictures, pasted into others at
a fifth of the area and at random places, JPEG again at quality 90, are looked for by the whole of each: among
300 scenes, and all; and among the scenes and all other photos, without those of its own class, whose likeness
is no mistake, and with them.

The form of cells was chosen with every third picture, in the order of their names; those asked here are
others. The million is of codes drawn at random, in memory; processor seconds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import report
from lookalike import Collection, ImageFile, Vector
from lookalike.embed.sides import cells
from lookalike.images.decode import read_image
from lookalike.index.cells import nearest_cells

SHARES = (0.40, 0.25, 0.15)
PASTED = 0.20
WITHIN = 10
FEW_SCENES = 300
CHOSEN_ON = 3  # every third
_DEEP = 400  # hits that are looked through where some are passed over
_MILLION = 1_000_000

Region = tuple[float, float, float, float]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(prog="benchmarks regions", description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--parts", type=int, default=500, metavar="N", help="pictures that parts are cut from"
    )
    parser.add_argument("--scenes", type=int, default=500, metavar="N", help="pictures that others are in")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where collections and scenes are kept")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        photos = report.caltech101()
        files = sorted(photos.glob("*/*.jpg"))
        others = [
            file
            for at, file in enumerate(each for each in files if each.parent.name != "BACKGROUND_Google")
            if at % CHOSEN_ON
        ]
        rng = np.random.default_rng(0)
        drawn = [others[at] for at in rng.permutation(len(others)).tolist()]
        collection = _indexed(photos, folder / "photos")
        figures: dict[str, Any] = {"parts": dict(_parts(collection, drawn[: asked.parts], rng))}
        figures["scenes"] = _scenes(collection, drawn[: 2 * asked.scenes], folder / "scenes", rng)
        figures["a million"] = _million()
        figures["bytes a picture"] = cells.WIDTH
    report.save("regions", figures)


def _indexed(photos: Path, place: Path) -> Collection:
    collection = Collection.open_or_create([photos], at=place)
    collection.sync()
    return collection


def _parts(
    collection: Collection, files: Sequence[Path], rng: np.random.Generator
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give, of parts of each share, how often the whole comes first, and how often its class comes at all."""
    for share in SHARES:
        side = share**0.5
        by_region, by_whole, inside, seconds = [], [], [], 0.0
        for file in files:
            x, y = rng.uniform(0, 1 - side, 2).tolist()
            region = (x, y, side, side)
            start = time.process_time()
            found = collection.search(ImageFile(str(file), region=region), include_self=True, k=WITHIN)
            seconds += time.process_time() - start
            by_region.append(_rank(found, file))
            part = found.queries[0].vector
            by_whole.append(_rank(collection.search(Vector(part), k=WITHIN), file))
            if by_region[-1] == 1:
                inside.append(_is_inside(found[0].box, region))
        yield (
            f"{share:.0%}",
            {
                **_recalls(by_region),
                "by the whole vector": _recalls(by_whole),
                "middle of box in the part": round(float(np.mean(inside)), 3),
                "processor ms a search": round(1000 * seconds / len(files), 1),
            },
        )


def _scenes(
    collection: Collection, files: Sequence[Path], folder: Path, rng: np.random.Generator
) -> dict[str, Any]:
    """Return how often the scene that a small picture is in comes within 10."""
    folder.mkdir(exist_ok=True)
    half = len(files) // 2
    small, made = files[:half], []
    regions: list[Region] = []
    for number, (file, ground) in enumerate(zip(small, files[half:], strict=True)):
        scene, region = _paste(read_image(file).image, read_image(ground).image, rng)
        made.append(folder / f"{number:04}.jpg")
        scene.save(made[-1], quality=90)
        regions.append(region)
    few = _made_of(made[:FEW_SCENES], folder.with_name("few"))
    all_scenes = Collection.open_or_create([folder], at=folder.with_name("scenes-index"))
    all_scenes.sync()
    collection.add_root(folder)
    collection.sync()
    figures: dict[str, Any] = {}
    for name, searched, asked in (
        (f"among {len(made[:FEW_SCENES])} scenes", few, small[:FEW_SCENES]),
        (f"among {len(made)} scenes", all_scenes, small),
    ):
        found = [_ask(searched, file) for file in asked]
        ranks = [_rank(hits, made[at]) for at, hits in enumerate(found)]
        whole = [
            _rank(searched.search(ImageFile(str(file)), k=WITHIN), made[at]) for at, file in enumerate(asked)
        ]
        inside = [
            _is_inside(hits[rank - 1].box, regions[at])
            for at, (hits, rank) in enumerate(zip(found, ranks, strict=True))
            if rank
        ]
        figures[name] = {
            **_recalls(ranks),
            "by the whole vector": _recalls(whole),
            "middle of box in the small picture": round(float(np.mean(inside)), 3),
        }
    deep = [_ask(collection, file, _DEEP) for file in small]
    figures["among scenes and all photos"] = _recalls([_rank(hits, made[at]) for at, hits in enumerate(deep)])
    figures["among scenes and photos of other classes"] = _recalls(
        [_rank(hits, made[at], but=small[at].parent.name) for at, hits in enumerate(deep)]
    )
    return figures


def _ask(collection: Collection, file: Path, k: int = WITHIN) -> Any:
    """Look for all of a picture as a part of others."""
    return collection.search(ImageFile(str(file), region=(0, 0, 1, 1)), k=k)


def _made_of(files: Sequence[Path], folder: Path) -> Collection:
    folder.mkdir(exist_ok=True)
    for file in files:
        (folder / file.name).write_bytes(file.read_bytes())
    collection = Collection.open_or_create([folder], at=folder.with_name("few-index"))
    collection.sync()
    return collection


def _paste(small: Image.Image, ground: Image.Image, rng: np.random.Generator) -> tuple[Image.Image, Region]:
    """Return a picture with a small one in it, a fifth of its area or as much as fits, and where."""
    width, height = ground.size
    high = (PASTED * width * height * small.height / small.width) ** 0.5
    wide = high * small.width / small.height
    fit = min(1.0, width / wide, height / high)
    wide, high = max(1, int(wide * fit)), max(1, int(high * fit))
    x, y = int(rng.integers(0, width - wide + 1)), int(rng.integers(0, height - high + 1))
    scene = ground.copy()
    scene.paste(small.resize((wide, high), Image.Resampling.BICUBIC, reducing_gap=3.0), (x, y))
    return scene, (x / width, y / height, wide / width, high / height)


def _rank(hits: Any, file: Path, but: str | None = None) -> int:
    """Return the rank of a file among the hits, 0 if it is none; without the photos of a class."""
    rank = 0
    for hit in hits:
        place = Path(hit.path)
        if place.name == file.name and place.parent.name in (file.parent.name, "few"):
            return rank + 1
        rank += place.parent.name != but
    return 0


def _recalls(ranks: Sequence[int]) -> dict[str, float]:
    found = np.array(ranks)
    return {
        "R@1": round(float((found == 1).mean()), 3),
        f"R@{WITHIN}": round(float(((found > 0) & (found <= WITHIN)).mean()), 3),
        "of": len(found),
    }


def _is_inside(box: Region | None, region: Region) -> bool:
    """Tell whether the middle of a box is in a region."""
    if box is None:
        return False
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return region[0] <= x <= region[0] + region[2] and region[1] <= y <= region[1] + region[3]


def _million() -> dict[str, Any]:
    """Return what a look at the cells of a million pictures takes."""
    rng = np.random.default_rng(0)
    some = rng.integers(0, 256, (10_000, cells.WIDTH), np.uint8)
    rows = np.tile(some, (_MILLION // len(some), 1))
    query = rng.standard_normal(cells.DIMENSION).astype(np.float32)
    query /= np.linalg.norm(query)
    taken = []
    for _ in range(5):
        start = time.process_time()
        nearest_cells(query, rows, cells.N_CELLS)
        taken.append(time.process_time() - start)
    return {"pictures": len(rows), "processor seconds": round(min(taken), 3), "MB": rows.nbytes // 10**6}
