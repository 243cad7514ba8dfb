"""What finding duplicates costs: hashes, candidates, verification; and a million crops with planted pairs.

    python -m benchmarks duplicates_cost [--collections FOLDER...] [--count 60000] [--peer PYTHON]
                                         [--million 1000000] [--work FOLDER]

``--collections`` are folders that are indexed, such as those that a benchmark of edited pictures was written
to: of their images the first ``--count`` are hashed, looked for and verified, all of them first and then the
last hundred as if they were new. ``--peer`` is a Python that has imagededup: its PHash encodes and compares
files of the first folder in the same run, ``--peer-count`` of them.

``--million`` crops are cut from Caltech-101's photos, hashed, and described by the colors of 12 × 12 cells;
these lie in files under ``--work``, and are mapped. Of each thousand, one is another edited: encoded anew,
turned, mirrored, lighter, or smaller. What is told is the share of those that are among the candidates, and
the memory that is not of files. Crops that overlap count neither as right nor wrong. 0 leaves it out.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import re
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance

from benchmarks import report
from lookalike.duplicates.candidates import Candidates, Neighbors, find_candidates
from lookalike.duplicates.hashing import turned_hashes
from lookalike.duplicates.matching import Matching
from lookalike.duplicates.near_hashes import near_pairs
from lookalike.duplicates.nearest_rows import N_SAMPLE, Whitening, nearest_rows
from lookalike.duplicates.verifying import verify as verify_pair
from lookalike.store import Store
from lookalike.system.cores import usable_cores

NEW = 100
PLANTED = 1_000  # one in so many crops
CELLS = 12
CROPS_A_TASK = 2_000
BLOCK = 4_096
DECODED_SIDE = 512

PEER = """
import json, resource, sys, time
from imagededup.methods import PHash
def cpu():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
hasher, wall, before = PHash(verbose=False), time.perf_counter(), cpu()
codes = hasher.encode_images(image_dir=sys.argv[1], num_enc_workers=2)
encoded = time.perf_counter() - wall, cpu() - before
wall, before = time.perf_counter(), cpu()
found = hasher.find_duplicates(encoding_map=codes, max_distance_threshold=10, num_dist_workers=2)
compared = time.perf_counter() - wall, cpu() - before
print(json.dumps({"images": len(codes), "encoding": encoded, "comparing": compared}))
"""


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks duplicates_cost", description=__doc__)
    parser.add_argument("--collections", type=Path, nargs="*", default=[])
    parser.add_argument("--count", type=int, default=60_000)
    parser.add_argument("--peer", type=Path, help="a Python that has imagededup")
    parser.add_argument("--peer-count", type=int, default=10_000)
    parser.add_argument("--million", type=int, default=1_000_000)
    parser.add_argument(
        "--work", type=Path, help="where the crops' numbers lie; a temporary folder by default"
    )
    asked = parser.parse_args(options)
    figures: dict[str, Any] = {}
    if asked.collections:
        figures["collections"] = of_collections(asked.collections, asked.count)
        if asked.peer:
            figures["imagededup"] = of_imagededup(asked.peer, asked.collections[0], asked.peer_count)
    if asked.million:
        with tempfile.TemporaryDirectory(dir=asked.work) as folder:
            figures["crops"] = of_crops(asked.million, Path(folder))
    report.save("duplicates_cost", figures)


@dataclass
class Cost:
    """Seconds of work: on the clock, and of all processors; bytes that are not of files, at most."""

    wall: float = 0.0
    cpu: float = 0.0
    anonymous: int = 0
    more: dict[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """Return the figures as they are written."""
        return {
            "wall_seconds": round(self.wall, 2),
            "cpu_seconds": round(self.cpu, 2),
            "own_memory_mib": self.anonymous >> 20,
            **self.more,
        }


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure what is done within; memory every tenth of a second."""
    cost, done = Cost(), threading.Event()

    def look() -> None:
        while not done.wait(0.1):
            cost.anonymous = max(cost.anonymous, _anonymous())

    watching = threading.Thread(target=look)
    watching.start()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield cost
    finally:
        cost.wall, cost.cpu = time.perf_counter() - wall, time.process_time() - cpu
        done.set()
        watching.join()


def _anonymous() -> int:
    """Return how much memory of this process is not of files, bytes; all of it, where that is not said."""
    try:
        found = re.search(r"^RssAnon:\s*(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return int(found[1]) << 10 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


@dataclass
class Images:
    """Images of collections: thumbnails by id, and vectors, (n, d)."""

    ids: np.ndarray
    thumbnails: dict[int, bytes]
    vectors: np.ndarray


def read_images(folders: Sequence[Path], count: int) -> Images:
    """Read the first images of collections, each content once."""
    thumbnails: dict[int, bytes] = {}
    vectors: dict[int, np.ndarray] = {}
    for folder in folders:
        store = Store(folder / ".lookalike")
        name, table = next(iter(store.vector_tables().items()))
        for ids, some in store.vectors(name, table.dimension() or 1).open_vectors()[0]():
            vectors.update(zip(ids.tolist(), np.array(some), strict=True))
        wanted = [each for each in store.images.read(["id"])["id"].to_pylist() if each in vectors]
        wanted = [each for each in wanted if each not in thumbnails][: count - len(thumbnails)]
        for start in range(0, len(wanted), BLOCK):
            rows = store.thumbnails.read_where_in("id", wanted[start : start + BLOCK], ["id", "jpeg"])
            thumbnails.update((row["id"], row["jpeg"]) for row in rows.to_pylist())
    ids = np.array(sorted(thumbnails), np.int64)
    return Images(ids, thumbnails, np.stack([vectors[int(each)] for each in ids]))


def of_collections(folders: Sequence[Path], count: int) -> dict[str, Any]:
    """Return what each step costs, of all images, and of the last hundred as new ones."""
    images = read_images(folders, count)
    n = len(images.ids)
    found: dict[str, Any] = {"images": n, "cores": usable_cores()}
    with measured() as cost:
        hashes = np.stack([turned_hashes(images.thumbnails[int(each)]) for each in images.ids])
    found["hashing"] = cost.told()
    every, new = np.ones(n, bool), np.arange(n) >= n - NEW
    with measured() as cost:
        pairs = near_pairs(hashes, every)
        cost.more["pairs"] = len(pairs.a)
    found["comparing_hashes"] = cost.told()
    for name, is_new in (("all", every), (f"{NEW}_new", new)):
        with measured() as cost:
            candidates = find_candidates(hashes, is_new, _neighbors(images.vectors))
            cost.more |= {"pairs": len(candidates.a), "images_left_out": candidates.n_left_out}
        found[f"candidates_{name}"] = cost.told()
        found[f"verifying_{name}"] = _verifying(images, candidates)
    return found


def _neighbors(vectors: np.ndarray) -> Neighbors:
    def neighbors(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n = len(vectors)
        sample = vectors[np.linspace(0, n - 1, min(n, N_SAMPLE)).astype(np.intp)]
        whitening = Whitening.of(np.asarray(sample, np.float32), n)
        whitened = np.empty((n, whitening.n_axes), np.float32)
        for start in range(0, n, BLOCK):
            whitened[start : start + BLOCK] = whitening.rows(np.asarray(vectors[start : start + BLOCK]))
        found = nearest_rows(whitened, rows, whitening.least)
        return found.rows, found.cosines

    return neighbors


def _verifying(images: Images, candidates: Candidates) -> dict[str, Any]:
    counted: list[None] = []
    kept: list[np.ndarray] = []

    def verify(*pair: Any) -> Any:
        counted.append(None)
        return verify_pair(*pair)

    with measured() as cost:
        matching = Matching(
            lambda some: {each: images.thumbnails[each] for each in some}, kept.append, usable_cores(), verify
        )
        matching.match(images.ids, candidates)
        cost.more |= {"pairs": len(counted), "alike": sum(map(len, kept))}
    return cost.told() | {"cpu_ms_a_pair": round(1e3 * cost.cpu / max(1, len(counted)), 2)}


def of_imagededup(python: Path, folder: Path, count: int) -> dict[str, Any]:
    """Return what imagededup's PHash costs for some files of a folder."""
    endings = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
    files = [each for each in sorted(folder.rglob("*")) if each.suffix.lower() in endings]
    files = [each for each in files if ".lookalike" not in each.parts][:count]
    with tempfile.TemporaryDirectory() as place:
        for number, file in enumerate(files):
            Path(place, f"{number}{file.suffix}").symlink_to(file)
        ran = subprocess.run([python, "-c", PEER, place], capture_output=True, text=True, check=False)
    if ran.returncode:
        return {"error": ran.stderr.strip().splitlines()[-1:]}
    found = json.loads(ran.stdout.strip().splitlines()[-1])
    return {
        "images": found["images"],
        **{
            step: {"wall_seconds": round(found[step][0], 2), "cpu_seconds": round(found[step][1], 2)}
            for step in ("encoding", "comparing")
        },
    }


def _encoded(image: Image.Image) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=50)
    return Image.open(io.BytesIO(stream.getvalue())).convert("RGB")


EDITS: tuple[Callable[[Image.Image], Image.Image], ...] = (
    _encoded,
    lambda image: image.transpose(Image.Transpose.ROTATE_90),
    lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    lambda image: ImageEnhance.Brightness(image).enhance(1.25),
    lambda image: image.resize((max(8, image.width // 2), max(8, image.height // 2))),
)


def make_crops(task: tuple[list[Path], int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return hashes, (m, 2, 8), and cells, (m, 432), of crops, and of those that are planted among them."""
    files, first, count = task
    random = np.random.default_rng([0, first])
    hashes, cells = [], []
    image = crop = Image.new("RGB", (1, 1))
    for number in range(first, first + count):
        if number == first or number % 50 == 0:
            image = Image.open(files[random.integers(len(files))]).convert("RGB")
            image.thumbnail((DECODED_SIDE, DECODED_SIDE))
        share = random.uniform(0.3, 0.9, 2)
        width, height = (max(16, round(part * side)) for part, side in zip(share, image.size, strict=True))
        left, top = random.integers(0, image.width - width + 1), random.integers(0, image.height - height + 1)
        if number % PLANTED == 1 and number > first:  # the one before, edited
            crop = EDITS[number // PLANTED % len(EDITS)](crop)
        else:
            crop = image.crop((left, top, left + width, top + height))
        hashes.append(turned_hashes(crop))
        small = crop.resize((CELLS, CELLS), Image.Resampling.BOX)
        cells.append(np.asarray(small, np.float32).ravel())
    return np.stack(hashes), np.stack(cells) - 127.5


def of_crops(count: int, folder: Path) -> dict[str, Any]:
    """Return what it costs to find the planted pairs among crops, and how many are found."""
    files = sorted(report.caltech101().rglob("*.jpg"))
    tasks = [(files, at, min(CROPS_A_TASK, count - at)) for at in range(0, count, CROPS_A_TASK)]
    hashes = np.lib.format.open_memmap(folder / "hashes.npy", "w+", np.uint64, (count, 2, 8))
    vectors = np.lib.format.open_memmap(folder / "cells.npy", "w+", np.float32, (count, 3 * CELLS * CELLS))
    with (
        measured() as cost,
        ProcessPoolExecutor(usable_cores(), multiprocessing.get_context("spawn")) as pool,
    ):
        for (_, at, _), made in zip(tasks, pool.map(make_crops, tasks), strict=True):
            hashes[at : at + len(made[0])], vectors[at : at + len(made[0])] = made
    found: dict[str, Any] = {"crops": count, "making": {"wall_seconds": round(cost.wall, 1)}}
    hashes.flush()
    vectors.flush()
    hashes = np.load(folder / "hashes.npy", mmap_mode="r")
    vectors = np.load(folder / "cells.npy", mmap_mode="r")
    every = np.ones(count, bool)
    with measured() as cost:
        pairs = near_pairs(hashes, every)
        cost.more |= {"pairs": len(pairs.a), "images_left_out": int(pairs.is_bounded.sum())}
    found["comparing_hashes"] = cost.told()
    by_hashes = _share_of_planted(count, pairs.a, pairs.b)
    del pairs
    with measured() as cost:
        candidates = find_candidates(hashes, every, _neighbors(vectors))
        cost.more |= {"pairs": len(candidates.a), "images_left_out": candidates.n_left_out}
    found["candidates"] = cost.told()
    found["planted"] = {
        "pairs": len(_planted(count)),
        "found_by_hashes": by_hashes,
        "found": _share_of_planted(count, candidates.a, candidates.b),
    }
    return found


def _planted(count: int) -> np.ndarray:
    """Return the rows of crops that are the one before, edited."""
    rows = np.arange(1, count, PLANTED)
    found: np.ndarray = rows[rows % CROPS_A_TASK != 0]
    return found


def _share_of_planted(count: int, a: np.ndarray, b: np.ndarray) -> float:
    planted = _planted(count)
    is_next = b == a + 1
    return round(float(np.isin(planted, b[is_next]).mean()), 4)
