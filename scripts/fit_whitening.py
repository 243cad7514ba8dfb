"""Fit the whitening of lite0-deep on pictures that are nobody's test, and write it into the package.

    python scripts/fit_whitening.py CIFAR          # fits it on those of whitening_pictures.txt
    python scripts/fit_whitening.py CIFAR --choose # chooses these anew first

CIFAR is the folder ``cifar-10-batches-py``; the clip art is Debian's package openclipart-png, installed. Both
kinds are needed: of clip art alone, photos are found worse, of CIFAR-10 alone, drawings. What is measured on
either leaves out what ``whitening_pictures.txt`` names. CIFAR-10's are all of its training part, and named as
in the batches that they were taken from, whose pixels went through JPEG once.

Chosen are, by the least SHA-256 of their names, 1,500 drawings, of no folder more than 40 (1,378 are stars),
none that is a link to another and none beyond 4 megapixels; and 90 of each class of CIFAR-10. Together, the
photos count twice what the drawings do.

The numbers come from the 8-bit network; they serve both. Afterwards the sha256 that is printed belongs in
``lookalike/embed/models.py``. The file depends on the machine in its last bits.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import struct
from collections import defaultdict
from pathlib import Path

import numpy as np

from lookalike.embed import whitening
from lookalike.embed.efficientnet_lite import DEPTHS
from lookalike.embed.loading import load_model
from lookalike.images.decode import decode, from_pixels

HERE = Path(__file__).parent
PICTURES = HERE / "whitening_pictures.txt"
CLIPART = Path("/usr/share/openclipart/png")
MODEL = "lite0-deep-int8"
PHOTOS = 2.0  # what all photos count, where all drawings count 1
N_DRAWINGS, N_A_CLASS = 1_500, 90
MOST_OF_A_FOLDER, MOST_PIXELS = 40, 4_000_000


def main() -> None:
    """Fit it, and write it where the model looks for it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("cifar", type=Path, metavar="CIFAR", help="the folder cifar-10-batches-py")
    parser.add_argument("--choose", action="store_true", help="choose the pictures anew")
    asked = parser.parse_args()
    tiny = read_cifar(asked.cifar)
    if asked.choose:
        chosen = [f"clipart {name}" for name in choose_drawings()]
        chosen += [f"cifar-10 {name}" for name in choose_tiny(list(tiny))]
        PICTURES.write_text("\n".join(chosen) + "\n")
    embedder = load_model(MODEL)
    rows: dict[str, list[np.ndarray]] = defaultdict(list)
    sources = []
    for line in PICTURES.read_text().splitlines():
        source, name = line.split(" ", 1)
        sources.append(source)
        if source == "clipart":
            picture = decode((CLIPART / name).read_bytes(), name, embedder.model.decode_side).image
        else:
            picture = from_pixels(tiny[name]).image
        for depth, found in embedder.depths(embedder.prepare(picture)[None]).items():
            rows[depth].append(found[0])
    is_drawing = np.array([source == "clipart" for source in sources])
    weights = np.where(is_drawing, 1 / is_drawing.sum(), PHOTOS / (~is_drawing).sum())
    parts = {depth: whitening.Part.fit(np.stack(rows[depth]), weights) for depth in DEPTHS}
    content = whitening.write_parts(parts)
    file = Path(whitening.__file__).with_name(embedder.model.whitening.file)
    file.write_bytes(content)
    print(f"{file}: {len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


def choose_drawings() -> list[str]:
    """Return paths below the folder of clip art, sorted."""
    of_folder: dict[Path, list[str]] = defaultdict(list)
    for file in CLIPART.rglob("*.png"):
        if file.is_symlink():
            continue
        width, height = struct.unpack(">II", file.read_bytes()[16:24])  # Pillow refuses the largest
        if width * height > MOST_PIXELS:
            continue
        of_folder[file.parent].append(file.relative_to(CLIPART).as_posix())
    few = [name for names in of_folder.values() for name in _drawn(names, MOST_OF_A_FOLDER)]
    return sorted(_drawn(few, N_DRAWINGS))


def choose_tiny(names: list[str]) -> list[str]:
    """Return names of pictures of CIFAR-10's training part, equally many of each class, sorted."""
    of_class: dict[str, list[str]] = defaultdict(list)
    for name in names:
        of_class[name.partition("_")[0]].append(name)
    return sorted(name for names in of_class.values() for name in _drawn(names, N_A_CLASS))


def _drawn(names: list[str], most: int) -> list[str]:
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[:most]


def read_cifar(folder: Path) -> dict[str, np.ndarray]:
    """Return CIFAR-10's training pictures, (32, 32, 3) uint8, by name."""
    found = {}
    for number in range(1, 6):
        batch = pickle.loads((folder / f"data_batch_{number}").read_bytes(), encoding="bytes")
        pixels = batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        found.update(zip((name.decode() for name in batch[b"filenames"]), pixels, strict=True))
    return found


if __name__ == "__main__":
    main()
