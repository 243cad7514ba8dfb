"""Camera photos of 12 megapixels: what bounds indexing, and what does scaled decoding give?

The photos are mosaics of Caltech-101's pictures, 4000 × 3000 pixels, JPEG of quality 92 (some 4 MB each). A
plain ``Image.open().resize()`` loop decodes all the pixels; it is timed against our decoding, thumbnail and
the network's input included, in one thread each, one after the other in the same minute; and against the
whole of ``lookalike index``, network, tables and start-up included, both on all cores.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import report
from benchmarks.indexing import index
from lookalike.embed import DEFAULT_MODEL, load_model
from lookalike.images import decode, encode_thumbnail, make_thumbnail, scan
from lookalike.images.decode import read_file
from lookalike.system.cores import usable_cores
from lookalike.types import PixelArray

PHOTOS = 96
ROUNDS = 5
WIDTH, HEIGHT, ACROSS = 4000, 3000, 10


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        photos = make_photos(Path(folder))
        report.save("photos", {"model": DEFAULT_MODEL, "photos": PHOTOS, **measure(photos, Path(folder))})


def make_photos(folder: Path) -> list[Path]:
    root = report.caltech101()
    files = list(scan(root, exclude=("BACKGROUND_Google",)).files)
    random = np.random.default_rng(0)
    width, height = WIDTH // ACROSS, HEIGHT // ACROSS

    def make(number: int) -> Path:
        page = Image.new("RGB", (WIDTH, HEIGHT))
        for place, row in enumerate(random.choice(len(files), ACROSS * ACROSS)):
            with Image.open(root / files[row]) as picture:
                tile = picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
            page.paste(tile, (place % ACROSS * width, place // ACROSS * height))
        path = folder / f"{number:03}.jpg"
        page.save(path, quality=92)
        return path

    return [make(number) for number in range(PHOTOS)]


def measure(photos: list[Path], folder: Path) -> dict[str, object]:
    embedder = load_model(DEFAULT_MODEL)
    size = embedder.model.size

    def ours(path: Path) -> PixelArray:
        image = decode(read_file(path), path.name, embedder.model.decode_side).image
        encode_thumbnail(make_thumbnail(image))
        return embedder.prepare(image)

    def plain(path: Path) -> PixelArray:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB").resize((size, size)))

    prepared = [ours(path) for path in photos]
    rounds = []
    for number in range(ROUNDS):
        alone = {"decoding": seconds(ours, photos, 1), "plain_loop": seconds(plain, photos, 1)}
        alone["network"] = seconds(lambda pixels: embedder.embed(pixels[None]), prepared, 1)
        _, whole = index(photos[0].parent, folder / f"collection-{number}")
        loop = seconds(plain, photos, usable_cores())
        rounds.append(
            {
                **{f"{name}_milliseconds": value / PHOTOS * 1e3 for name, value in alone.items()},
                "share_of_decoding": alone["decoding"] / (alone["decoding"] + alone["network"]),
                "share_of_network": alone["network"] / (alone["decoding"] + alone["network"]),
                "decoding_over_plain_loop": alone["plain_loop"] / alone["decoding"],
                "index_images_per_second": PHOTOS / whole,
                "plain_loop_images_per_second": PHOTOS / loop,
                "index_over_plain_loop": loop / whole,
            }
        )
    return {
        "megabytes": round(sum(path.stat().st_size for path in photos) / PHOTOS / 1e6, 1),
        "median": {key: round(median(one[key] for one in rounds), 3) for key in rounds[0]},
        "rounds": [{key: round(value, 3) for key, value in one.items()} for one in rounds],
    }


def seconds(work: Callable[[Any], object], items: list[Any], threads: int) -> float:
    with ThreadPoolExecutor(threads) as pool:
        started = time.perf_counter()
        list(pool.map(work, items))
        return time.perf_counter() - started
