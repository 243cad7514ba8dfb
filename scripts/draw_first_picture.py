"""Draw the README's first picture: three photos of Caltech-101, and those most like each.

    python scripts/draw_first_picture.py

The photos are those of Caltech-101 (Li, Andreeto, Ranzato, Perona; CC BY 4.0, https://doi.org/10.22002/D1.20086).
All 8,677 are indexed, in a folder of the cache, so that another run only draws; what is shown are the nearest
six, as `lookalike search` finds them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from lookalike import Collection
from lookalike.datasets import caltech101
from lookalike.plots import save_figure
from lookalike.plots.style import new_figure, theme, write_line
from lookalike.system.cache import cache_folder

PICTURE = Path(__file__).parents[1] / "docs/pictures/look-alikes.jpg"
QUERIES = ("flamingo/image_0055.jpg", "saxophone/image_0038.jpg", "sunflower/image_0014.jpg")
HITS = 6

_WIDTH = 12.0  # inches
_GAP = 0.08
_ARROW = 0.45  # between the query and what it finds
_CAPTION = 0.3
_FRAME = 0.045


def main() -> None:
    images = caltech101.find() or caltech101.fetch()
    folder = cache_folder() / "first-picture"
    folder.mkdir(parents=True, exist_ok=True)
    collection = Collection.open_or_create([images.root], folder, labels="folders", exclude=images.exclude)
    collection.sync()
    rows = []
    for query in QUERIES:
        found = collection.search(images.root / query, k=HITS).hits
        rows.append([(images.root / query, "")] + [(Path(hit.path), f"{hit.score:.2f}") for hit in found])
    draw(rows)


def draw(rows: list[list[tuple[Path, str]]]) -> None:
    """Draw rows of photos, each as wide as the picture, with a caption each; the first is the query."""
    photos = [[open_photo(path) for path, _ in row] for row in rows]
    shapes = [sum(photo.width / photo.height for photo in row) for row in photos]
    room = _WIDTH - _ARROW - (HITS + 2) * _GAP
    heights = [room / shape for shape in shapes]
    height = sum(heights) + len(rows) * (_CAPTION + _GAP) + _GAP
    figure = new_figure(_WIDTH, height)
    y = height - _GAP
    for row, shown, high in zip(rows, photos, heights, strict=True):
        x = _GAP
        for number, ((_, caption), photo) in enumerate(zip(row, shown, strict=True)):
            wide = high * photo.width / photo.height
            axes = figure.add_axes((x / _WIDTH, (y - high) / height, wide / _WIDTH, high / height))
            axes.imshow(np.asarray(photo), interpolation="lanczos", aspect="auto")
            axes.set_xticks([])
            axes.set_yticks([])
            for spine in axes.spines.values():
                spine.set_edgecolor(theme().line if number else theme().accent)
                spine.set_linewidth(0.6 if number else 72 * _FRAME)
            if caption:
                write_line(figure, caption, x + wide / 2, y - high - 0.14, 11, "bold", ha="center")
            x += wide + _GAP
            if not number:
                write_line(figure, "→", x + _ARROW / 2 - _GAP / 2, y - high / 2, 24, ha="center")
                x += _ARROW
        y -= high + _CAPTION + _GAP
    save_figure(figure, PICTURE)


def open_photo(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        return opened.convert("RGB")


if __name__ == "__main__":
    main()
