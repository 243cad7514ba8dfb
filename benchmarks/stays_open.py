"""How quick is a collection that stays open? All that one collection has to show, in one run.

Without ``--collection`` the photos of Caltech-101 are indexed first; any other may be given, such as the one
that ``python -m benchmarks million_crops`` makes. Each part runs in a process of its own, in each round, with
a calibration beside it; of the rounds the median counts. It begins when the machine rests.

    git worktree add /tmp/before COMMIT
    python -m benchmarks stays_open --before /tmp/before/src [--collection FOLDER] [--model NAME]

- ``notice``: what it costs a query to see that nothing was committed.
- ``swap``: the next snapshot after a commit of another process, and the first search of it.
- ``ready``: from a fresh process to the first answer, and what all later answers take from then on.
- ``search``: by a stored image, k = 10, beside one float32 scan of the same rows.
- ``callers``: eight of them, beside one with one thread.
- ``thumbnails``: of sixty images.
- ``browse``: a page of sixty in each order, warm; the first page of each, once something was committed.
- ``facets``: all of them at once, likewise.
- ``memory``: what the columns of a snapshot take.
- ``cold``: the command ``lookalike search``, now and in the version before, one after the other.

Searches of other sizes, and with the version before, are measured by ``warm_search``; images that come by
call by ``adding``; whether what it answers is true, while others change it, by ``long_run``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import lookalike
from benchmarks import report
from benchmarks.calibration import memory_bandwidth, milliseconds, scan, wait_for_rest
from benchmarks.version_before import commit
from lookalike import Collection, ImageRef
from lookalike.query.sorts import SORTS

ROUNDS = 5
COLD = 5  # times a round
PAGE = 60
CALLERS = 8
SEARCHES = 200

Figures = dict[str, float]


def notice(photos: Collection, _: str | None) -> Figures:
    photos.snapshot()
    return {"milliseconds": milliseconds(lambda _: photos.snapshot(), 300, 20)}


def swap(photos: Collection, model: str | None) -> Figures:
    """Measure what follows a commit of another process: it adds an image, which is taken out in the end."""
    image = int(photos.snapshot().files.ids[0])
    found: dict[str, list[float]] = {"snapshot": [], "search": [], "search_again": []}
    for number in range(-1, 3):
        if number >= 0:
            subprocess.run([sys.executable, "-c", _ADD, str(photos.folder), str(number)], check=True)
        for name, work in (
            ("snapshot", photos.snapshot),
            ("search", lambda: list(photos.search(ImageRef(image), model=model).hits)),
            ("search_again", lambda: list(photos.search(ImageRef(image), model=model).hits)),
        ):
            took = milliseconds(lambda _, work=work: work(), 1)
            if number >= 0:
                found[name].append(took)
    subprocess.run([sys.executable, "-c", _TAKE_OUT, str(photos.folder)], check=True)
    return {f"{name}_milliseconds": median(took) for name, took in found.items()}


# The rows of an image once more, as another.
_ADD = """
import sys
from pathlib import Path
from lookalike.store import Store, writer_lock
store, number = Store(Path(sys.argv[1])), int(sys.argv[2])
row = store.files.read(None, "path NOT LIKE 'probe:%'").slice(0, 1).to_pydict()
image, new = row["id"][0], [row["id"][0] ^ (number + 1)]
with writer_lock(store.folder):
    for name, table in store.vector_tables().items():
        table = store.vectors(name, table.dimension())
        _, vectors = table.vectors_of([image])
        store.write_vectors(new, vectors, table)
    for table in (store.thumbnails, store.images):
        rows = table.read_where_in("id", [image], table.schema.names).to_pydict()
        table.upsert({**rows, "id": new})
    store.files.upsert({**row, "id": new, "path": [f"probe:{number}.jpg"]})
"""

_TAKE_OUT = """
import sys
from pathlib import Path
from lookalike.store import Store, writer_lock
store = Store(Path(sys.argv[1]))
with writer_lock(store.folder):
    store.files.delete([f"probe:{number}.jpg" for number in range(3)])
    store.sweep()
"""


def ready(photos: Collection, model: str | None) -> Figures:
    """Measure the time to readiness in this process, which has asked for nothing yet."""
    begun = time.perf_counter()
    if hasattr(photos, "ready"):
        photos.ready(model)
    image = _some(photos, 1)[0]
    list(photos.search(ImageRef(image), model=model).hits)
    seconds = time.perf_counter() - begun
    later = milliseconds(lambda _: list(photos.search(ImageRef(image), model=model).hits), 20)
    return {"seconds": seconds, "later_milliseconds": later}


def search(photos: Collection, model: str | None) -> Figures:
    ids = _some(photos, SEARCHES)
    name = photos.model if model is None else model
    table = photos.snapshot().store.vector_tables()[name]
    vectors = _vectors(table)
    before = scan(vectors)
    found = milliseconds(
        lambda n: list(photos.search(ImageRef(ids[n % SEARCHES]), model=model).hits), SEARCHES, 50
    )
    scanned = min(before, scan(vectors))
    return {"milliseconds": found, "scan_milliseconds": scanned, "of_scan": found / scanned}


def callers(photos: Collection, model: str | None) -> Figures:
    """Measure eight threads that search, beside one whose search has one thread."""
    ids = _some(photos, SEARCHES)
    photos.search(ImageRef(ids[0]), model=model)

    def work(share: Sequence[int]) -> None:
        for image in share:
            list(photos.search(ImageRef(image), model=model).hits)

    alone = 1e-3 * milliseconds(lambda _: work(ids), 1, 1)
    threads = [threading.Thread(target=work, args=(ids,)) for _ in range(CALLERS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = CALLERS * len(ids) / (time.perf_counter() - begun)
    return {"a_second": together, "of_one": together / (len(ids) / alone), "one_a_second": len(ids) / alone}


def thumbnails(photos: Collection, model: str | None) -> Figures:
    """Measure thumbnails of sixty images: of a search's hits, and of any."""
    random = np.random.default_rng(0)
    ids = photos.snapshot().images.ids
    begun = time.perf_counter()
    photos.thumbnails(random.choice(ids, PAGE).tolist())
    first = 1e3 * (time.perf_counter() - begun)
    some = [random.choice(ids, PAGE, replace=False).tolist() for _ in range(60)]
    any_ = milliseconds(lambda n: photos.thumbnails(some[n]), 50, 10)
    pages = [
        [hit.id for hit in photos.search(ImageRef(page[0]), k=PAGE, model=model).hits] for page in some[:20]
    ]
    hits = milliseconds(lambda n: photos.thumbnails(pages[n]), 20)
    return {"milliseconds": any_, "of_hits_milliseconds": hits, "first_milliseconds": first}


def browse(photos: Collection, _: str | None) -> Figures:
    """Measure a page of images in each order."""
    found = {}
    for sort in SORTS:
        found[f"{sort}_first_milliseconds"] = milliseconds(lambda _, sort=sort: _page(photos, sort), 1)
        found[f"{sort}_milliseconds"] = milliseconds(lambda _, sort=sort: _page(photos, sort), 10)
    return {**found, "slowest_milliseconds": max(found[f"{sort}_milliseconds"] for sort in SORTS)}


def _page(photos: Collection, sort: str) -> list[Any]:
    return list(photos.browse(sort=sort, k=PAGE).hits)


def facets(photos: Collection, _: str | None) -> Figures:
    first = milliseconds(lambda _: photos.facets(), 1)
    return {"milliseconds": milliseconds(lambda _: photos.facets(), 10), "first_milliseconds": first}


def memory(photos: Collection, _: str | None) -> Figures:
    """Measure what the columns of a snapshot take, all of them: megabytes for a million images."""
    snapshot = photos.snapshot()
    columns = snapshot.files, snapshot.images
    for each in columns:
        for name in vars(type(each)):
            if not name.startswith("_"):
                getattr(each, name)  # reads it
    both = sum(each.n_bytes for each in columns)
    return {
        "mb_a_million": both / len(snapshot),
        "with_joins_mb_a_million": (both + snapshot.joined.n_bytes) / len(snapshot),
    }


def _some(photos: Collection, n: int) -> list[int]:
    ids = photos.snapshot().files.ids
    return [int(image) for image in np.random.default_rng(0).choice(ids, n)]


def _vectors(table: Any) -> Any:
    rows = np.concatenate([vectors for _, vectors in table.vector_blocks()])
    return np.ascontiguousarray(rows, np.float32)


PARTS: dict[str, Callable[[Collection, str | None], Figures]] = {
    "notice": notice,
    "swap": swap,
    "ready": ready,
    "search": search,
    "callers": callers,
    "thumbnails": thumbnails,
    "browse": browse,
    "facets": facets,
    "memory": memory,
}
FLOORS = {
    ("notice", "milliseconds"): 1.0,
    ("thumbnails", "milliseconds"): 30.0,
    ("thumbnails", "of_hits_milliseconds"): 30.0,
    ("browse", "slowest_milliseconds"): 50.0,
    ("facets", "milliseconds"): 60.0,
    ("memory", "mb_a_million"): 150.0,
    ("cold", "now_over_before"): 1.0,
}
"""What is not to be exceeded, whatever the number of images; other floors depend on it."""


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks stays_open")
    parser.add_argument("--collection", type=Path, help="one that is there, instead of Caltech-101")
    parser.add_argument("--model", help="of the collection; its own by default")
    parser.add_argument("--before", type=Path, help="the folder `src` of the version before, for `cold`")
    parser.add_argument(
        "--part", action="append", choices=(*PARTS, "cold"), help="only this; may be repeated"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument(
        "--wait", type=float, default=30, help="minutes to wait for the machine to rest, at most"
    )
    parser.add_argument("--in-process", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(options)
    if chosen.in_process:
        figures = PARTS[chosen.part[0]](Collection.open(chosen.in_process), chosen.model)
        print(json.dumps(figures))
        return
    parts = chosen.part or [*PARTS, *(["cold"] if chosen.before else [])]
    if "cold" in parts and chosen.before is None:
        parser.error("`cold` needs --before")
    with tempfile.TemporaryDirectory() as folder:
        home = chosen.collection or index_caltech(Path(folder) / "now")
        shared = home  # by both versions, so of the earlier one's format
        if "cold" in parts and chosen.collection is None:
            shared = index_caltech(Path(folder) / "before", chosen.before)
        n, model = len(Collection.open(home)), chosen.model or Collection.open(home).model
        load = wait_for_rest(chosen.wait)
        rounds = [
            {
                "memory_gb_a_second": memory_bandwidth(),
                **{
                    part: cold(shared, chosen.before) if part == "cold" else run(part, home, chosen.model)
                    for part in parts
                },
            }
            for _ in range(chosen.rounds)
        ]
    figures = {
        part: {name: round(median(each[part][name] for each in rounds), 4) for name in rounds[0][part]}
        for part in parts
    }
    missed = [
        f"{part} {name}: {figures[part][name]:g}; expected at most {floor:g}"
        for (part, name), floor in FLOORS.items()
        if part in figures and figures[part][name] > floor
    ]
    facts = {
        "model": model,
        "before": None if chosen.before is None else commit(chosen.before.absolute()),
        "load": load,
        "rounds": chosen.rounds,
        "memory_gb_a_second": round(median(each["memory_gb_a_second"] for each in rounds), 1),
    }
    kept = report.read("stays_open").get("collections", {})
    old = kept.get(f"{n} images, {model}", {})
    kept[f"{n} images, {model}"] = {**old, **facts, **figures}
    report.save("stays_open", {"collections": kept})
    print("\n".join(missed) or "no floor is missed")


def index_caltech(folder: Path, source: Path | None = None) -> Path:
    """Index the photos of Caltech-101 in a folder, by another version perhaps, and return it."""
    words = [sys.executable, "-m", "lookalike", "index", str(report.caltech101()), "-c", str(folder), "-q"]
    path = {} if source is None else {"PYTHONPATH": str(source.absolute())}
    subprocess.run([*words, "--exclude", "BACKGROUND_Google"], env=os.environ | path, check=True)
    return folder


def run(part: str, home: Path, model: str | None) -> Figures:
    """Measure a part in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.stays_open", "--part", part, "--in-process", str(home)]
    done = subprocess.run(
        [*words, *(["--model", model] if model else [])],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: Figures = json.loads(done.stdout)
    return found


def cold(home: Path, before: Path) -> Figures:
    """Measure the command that searches by a file, of both versions, the one first as often as the other."""
    sources = {"before": before.absolute(), "now": Path(lookalike.__file__).absolute().parents[1]}
    file = next(iter(sorted(report.caltech101().rglob("*.jpg"))))
    words = [sys.executable, "-m", "lookalike", "search", str(file), "-c", str(home)]
    took: dict[str, list[float]] = {version: [] for version in sources}
    for number in range(-1, COLD):
        for version in list(sources)[:: 1 if number % 2 else -1]:
            environment = {**os.environ, "PYTHONPATH": str(sources[version])}
            environment.pop("PYTHONDONTWRITEBYTECODE", None)
            begun = time.perf_counter()
            subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, check=True)
            if number >= 0:
                took[version].append(time.perf_counter() - begun)
    found = {f"{version}_seconds": median(each) for version, each in took.items()}
    return {**found, "now_over_before": found["now_seconds"] / found["before_seconds"]}


if __name__ == "__main__":
    main(sys.argv[1:])
