"""How long do filters, orders, facets and counts take in a process that keeps its collection open?

Two parts. ``columns``: a million images that are not there, with all that their files may say and two own
fields, in memory; every order and every filter, warm. ``collection``: one that is there, or all photos of
Caltech-101; filters are evaluated by this version and the one before, in processes of their own, one after
the other in each round, so that a machine that slows down slows both. The version before is a checkout:

    git worktree add /tmp/before COMMIT
    python -m benchmarks browse --before /tmp/before/src [--collection DIR]

Without ``--before`` only the first part is measured. Beside the figures stands what it takes here to copy a
gigabyte of memory: the ratio says more of the program than the milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa

import lookalike
from benchmarks import report
from benchmarks.synthetic_columns import synthetic_columns
from benchmarks.version_before import commit
from lookalike import Collection, Filter
from lookalike.collection.own_columns import OwnColumns
from lookalike.collection.own_fields import OwnFields
from lookalike.collection.selecting import select
from lookalike.query.sorts import SORTS

ROUNDS, TIMES = 5, 9
IMAGES = 1_000_000
FILTERS: dict[str, dict[str, Any]] = {
    "label": {"labels": ["label-007"]},
    "ten labels": {"labels": [f"label-{number:03}" for number in range(10)]},
    "least size": {"min_size": 600},
    "shape": {"shape": "portrait"},
    "format": {"formats": ["png"]},
    "split": {"split": "test"},
    "dates": {"min_date": "2019", "max_date": "2020"},
    "camera": {"cameras": ["camera 3"]},
    "keyword": {"keywords": ["keyword 17"]},
    "rating": {"min_rating": 3},
    "near": {"near": (48.858, 2.294, 100)},
    "number": {"fields": {"price": {"min": 10, "max": 20}}},
    "text": {"fields": {"shop": "shop 3"}},
    "size, label and date": {"min_size": 600, "labels": ["label-007"], "min_date": "2015"},
    "not a label": {"excluding": Filter(labels=["label-007"])},
}

# Run in a fresh interpreter, with the package of one version or the other.
_SELECT = """
import json, sys, time
from statistics import median
from lookalike import Collection, Filter
try:
    from lookalike.collection.selecting import pass_filter
except ImportError:
    from lookalike.collection.searching import pass_filter
photos = Collection.open(sys.argv[1])
info = photos.info()
label = next(iter(info.labels), None)
filters = {
    "least size": dict(min_size=250),
    "shape": dict(shape="portrait"),
    "sharpness": dict(min_sharpness=500),
    "size and shape": dict(min_size=200, shape="landscape"),
}
if label is not None:
    filters |= {"label": dict(labels=[label]), "label and size": dict(labels=[label], min_size=200)}
if info.facts.dated:
    filters["date"] = dict(min_date="2015")
if info.facts.cameras:
    filters["camera"] = dict(cameras=[next(iter(info.facts.cameras))])
found = {"images": info.images}
for name, conditions in filters.items():
    took = []
    for number in range(30):  # another filter each time, so that none has been asked before
        where = Filter(max_width=100_000 + number, **conditions)
        begun = time.perf_counter()
        ids = pass_filter(photos._resources().places, where).ids
        took.append(time.perf_counter() - begun)
    found[name] = 1000 * median(took[10:])
print(json.dumps(found))
"""


def main(options: tuple[str, ...] | list[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks browse")
    parser.add_argument("--images", type=int, default=IMAGES, help="that are not there")
    parser.add_argument("--before", type=Path, help="the folder `src` of the version before")
    parser.add_argument("--collection", type=Path, help="one that is there, instead of Caltech-101")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args(options)
    figures: dict[str, Any] = {"rounds": chosen.rounds, "load": round(os.getloadavg()[0], 2)}
    with tempfile.TemporaryDirectory() as folder:
        figures["columns"] = in_memory(Path(folder), chosen.images, chosen.rounds)
    if chosen.before is not None:
        sources = {"before": chosen.before.absolute(), "now": Path(lookalike.__file__).absolute().parents[1]}
        with tempfile.TemporaryDirectory() as folder:
            home = chosen.collection or caltech(Path(folder))
            rounds = [
                {version: select_by(home, source) for version, source in sources.items()}
                for _ in range(chosen.rounds)
            ]
        figures["collection"] = {
            "before_is": commit(sources["before"]),
            **{
                version: {
                    name: round(median(each[version][name] for each in rounds), 3)
                    for name in rounds[0][version]
                }
                for version in sources
            },
        }
    report.save("browse", figures)


def in_memory(folder: Path, n: int, rounds: int) -> dict[str, Any]:
    """Measure all that is asked of columns in memory; milliseconds, and megabytes."""
    photos, memory = with_columns(folder, n)

    def browse_page(sort: str, where: Filter | None = None) -> Callable[[], object]:
        return lambda: photos.browse(where=where, sort=sort, k=60, offset=1_000).hits.ids

    sizes = iter(range(10**9))

    def select_new(conditions: dict[str, Any]) -> Callable[[], object]:
        # Another filter each time, so that none has been asked before.
        return lambda: select(
            photos._resources().places, Filter(**conditions, max_width=100_000 + next(sizes))
        ).ids()

    least = Filter(min_size=600)
    sorts = [sort for sort in SORTS if sort != "central"]
    work: dict[str, Callable[[], object]] = {
        "copy a gigabyte": copy_gigabyte(),
        **{f"filter: {name}": select_new(conditions) for name, conditions in FILTERS.items()},
        "count": lambda: photos.count(Filter(min_size=600, max_width=100_000 + next(sizes))),
        "facets": photos.facets,
        "facets of some": lambda: photos.facets(least),
        "facets of a label": lambda: photos.facets(Filter(labels=["label-007"])),
    }
    first: dict[str, float] = {}
    for sort in (*sorts, "field:price", "field:shop"):
        # Not all orders are kept: each is measured while it is.
        page, some = browse_page(sort), browse_page(sort, least)
        everything = partial(list_all, photos, sort)
        first[sort] = timed(page)
        for name, each in ((sort, page), (f"{sort} of some", some), (f"{sort}, all", everything)):
            each()
            work[f"browse: {name}"] = each
    made = {name: [] for name in work}
    for each in work.values():
        each()
    for _ in range(rounds):
        for name, each in work.items():
            each()  # an order may have had to give way to another
            made[name].append(median(timed(each) for _ in range(TIMES)))
    snapshot = photos.snapshot()
    memory["joined"] = snapshot.joined.n_bytes / 1e6
    return {
        "images": n,
        "megabytes": {name: round(value, 1) for name, value in memory.items()},
        "milliseconds": {name: round(median(times), 2) for name, times in made.items()},
        "first_milliseconds": {name: round(value, 1) for name, value in first.items()},
    }


def with_columns(folder: Path, n: int) -> tuple[Collection, dict[str, float]]:
    """Return a collection in whose place columns of so many images stand, and what these take."""
    photos = Collection.create(folder, model="pixels-8-grey", with_root=False)
    snapshot, random = photos.snapshot(), np.random.default_rng(1)
    files, images = synthetic_columns(n)
    for column in ("ids", "by_id", "by_path", "folders", "coded_labels", "splits"):
        getattr(files, column)
    for column in ("ids", "widths", "heights", "taken", "sharpness", "phashes", "colors", "ratings"):
        getattr(images, column)
    for column in ("coded_formats", "cameras", "lenses", "keywords", "latitudes", "longitudes", "n_unread"):
        getattr(images, column)
    memory = {"files": files.n_bytes / 1e6, "images": images.n_bytes / 1e6}
    snapshot._files.get("", lambda: files)
    snapshot._images.get("", lambda: images)
    shops = pa.array([f"shop {number}" for number in range(40)])
    fields = OwnFields(
        {
            "price": pa.array(random.gamma(2, 20, len(files))),
            "shop": pa.DictionaryArray.from_arrays(
                pa.array(random.integers(0, 40, len(files), np.int32)), shops
            ),
        },
        {"price": "number", "shop": "text"},
    )
    snapshot.keep_of_fields("own", lambda: OwnColumns(fields))
    return photos, memory


def list_all(photos: Collection, sort: str) -> object:
    """List all images in an order."""
    return photos.browse(sort=sort).hits.ids


def timed(work: Callable[[], object]) -> float:
    """Return the milliseconds that some work takes."""
    begun = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begun)


def copy_gigabyte() -> Callable[[], object]:
    source = np.ones(1 << 27, np.float32)
    target = np.empty_like(source)

    def copy() -> None:
        np.copyto(target, source)
        np.copyto(target, source)

    return copy


def caltech(home: Path) -> Path:
    """Index Caltech-101; return where."""
    photos = Collection.create(home, with_root=False)
    photos.add_root(report.caltech101(), exclude=["BACKGROUND_Google"])
    photos.sync()
    return home


def select_by(collection: Path, source: Path) -> dict[str, float]:
    """Evaluate filters with a version; return its medians, in milliseconds."""
    done = subprocess.run(
        [sys.executable, "-c", _SELECT, str(collection)],
        env={**os.environ, "PYTHONPATH": str(source)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
