"""A small collection with something of everything in it, the commands that are run on it, and what it holds.

Layout
------
    photos/      30 pictures in three folders, one that is none; .lookalike beside them
    cache/       the model's files, made once
    temporary/   for temporary files
    out/         for what is exported and drawn; photos that are added come from here
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

MODEL, OTHER, NETWORK = "pixels-16-rgb", "pixels-8-grey", "lite0-int8"
Item = tuple[str, str]
"""A kind and a name: (files, photos:cats/01.jpg)."""

_OF_THE_DISK = ("ctime_ns", "inode", "mtime_ns")  # of a file; a copy has others
_SAYING = """
import sys
from lookalike import Collection
from lookalike.errors import LookalikeError
try:
    photos = Collection.open(".")
    {}
except LookalikeError as error:
    sys.exit((print(f"lookalike: {{error}}; {{error.hint or ''}}".rstrip("; "), file=sys.stderr), 2)[1])
"""


def picture(number: int, side: int = 96) -> Image.Image:
    """Return a picture of its own: waves of some direction and colour."""
    chance = np.random.default_rng(number)
    y, x = np.mgrid[:side, :side] / side
    angle, length = chance.uniform(0, np.pi), chance.uniform(2, 12)
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * length * (x * np.cos(angle) + y * np.sin(angle)))
    colors = chance.uniform(0, 255, (2, 3))
    return Image.fromarray((wave[..., None] * colors[0] + (1 - wave[..., None]) * colors[1]).astype(np.uint8))


def run(
    world: Path, *words: str, environment: Mapping[str, str] | None = None, handles: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run lookalike, or ``-c`` and a line of Python, in the photos of a world.

    Parameters
    ----------
    world : Path
    *words : str
    environment : mapping, optional
        What is to be added.
    handles : int, optional
        How many files it may have open.
    """
    program = ["-c", _SAYING.format(words[1])] if words[0] == "-c" else ["-m", "lookalike", *words]
    line = [sys.executable, *program]
    if handles is not None:
        line = ["sh", "-c", f'ulimit -n {handles}; exec "$@"', "sh", *line]
    return subprocess.run(
        line,
        cwd=world / "photos",
        env={**os.environ, **_places(world), **(environment or {})},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
    )


def _places(world: Path) -> dict[str, str]:
    return {
        "LOOKALIKE_CACHE": str(world / "cache"),
        "TMPDIR": str(world / "temporary"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def make(world: Path) -> None:
    """Make the world, and then change its photos, so that there is something to refresh."""
    for name in ("photos", "cache", "temporary", "out"):
        (world / name).mkdir(parents=True)
    photos = world / "photos"
    for number in range(30):
        folder = photos / ("cats", "dogs", "owls")[number % 3]
        folder.mkdir(exist_ok=True)
        picture(number).save(folder / f"{number:02}.jpg")
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    for number in (100, 101):
        picture(number).save(world / "out" / f"{number}.png")
    (world / "out" / "fields.csv").write_text(
        "path,price,shop\ncats/00.jpg,3,Berlin\ndogs/01.jpg,5,Kyiv\n", encoding="utf-8"
    )
    for words in _MAKING:
        done = run(world, *words)
        if done.returncode:
            raise RuntimeError(f"{words}: {done.stderr}")
    shutil.rmtree(world / "temporary")
    (world / "temporary").mkdir()
    (photos / "cats" / "03.jpg").unlink()
    (photos / "dogs" / "04.jpg").rename(photos / "dogs" / "renamed.jpg")
    picture(200).save(photos / "owls" / "05.jpg")
    for number in range(30, 36):
        picture(number).save(photos / "cats" / f"{number}.jpg")


_MAKING: tuple[tuple[str, ...], ...] = (
    ("index", ".", "--model", MODEL, "--quiet"),
    ("reduce", "6", "--quiet"),
    ("cluster", "make", "-k", "4", "--name", "groups", "--quiet"),
    ("cluster", "edit", "groups", "--rename", "1=waves", "--quiet"),
    ("map", "make", "--method", "pca", "--name", "flat", "--quiet"),
    ("add", "../out/100.png", "--key", "kept", "--field", "price=2", "--quiet"),
    ("index", ".", "--fields", "../out/fields.csv", "--quiet"),
    ("sets", "add", "best", "cats/00.jpg", "dogs/01.jpg", "--quiet"),
    ("labels", "give", "striped", "cats/00.jpg", "cats/06.jpg", "cats/09.jpg", "--quiet"),
    ("labels", "give", "plain", "dogs/01.jpg", "dogs/07.jpg", "dogs/10.jpg", "--quiet"),
    ("labels", "give", "owl", "owls/02.jpg", "--quiet"),
    ("-c", 'photos.feedback.judge("cats/00.jpg", "dogs/01.jpg", "no")'),
    ("-c", 'photos.decisions.decide("cats/00.jpg", "cats/06.jpg", "not_duplicate")'),
    ("said", "export", "../out/said.jsonl", "--quiet"),
    ("sets", "delete", "best", "--quiet"),
    (
        "index",
        "cats",
        "-c",
        "../temporary",
        "--model",
        NETWORK,
        "--quiet",
    ),  # so that its files are in the cache
)


@dataclass(frozen=True, slots=True)
class Command:
    """A command, what is done to the world before it, and what kind it is.

    Attributes
    ----------
    words : tuple of str
    reads : bool
        Whether it only answers; it may well do so while nothing can be written.
    before : callable, optional
        Changes the world.
    out : str
        What it makes in ``out``.
    """

    words: tuple[str, ...]
    reads: bool = False
    before: Callable[[Path], None] | None = None
    out: str = ""

    def __str__(self) -> str:
        return " ".join(self.words)


def _without_collection(world: Path) -> None:
    shutil.rmtree(world / "photos" / ".lookalike")


def _without_cache(world: Path) -> None:
    shutil.rmtree(world / "cache")
    (world / "cache").mkdir()


def _with_most_gone(world: Path) -> None:
    for file in (world / "photos").glob("*/*.jpg"):
        if int(file.stem if file.stem.isdigit() else 4) % 3:
            file.unlink()


COMMANDS = (
    Command(("index", ".", "--model", MODEL), before=_without_collection),
    Command(("index",)),
    Command(("index", "--jobs", "1")),
    Command(("index", "--model", OTHER)),
    Command(("index", "--model", NETWORK)),
    Command(("index", "--model", NETWORK, "cats"), before=_without_cache),
    Command(("index", "--prune"), before=_with_most_gone),
    Command(("index", "--reread")),
    Command(("index", "--fields", "../out/fields.csv")),
    Command(("index", "--dry-run", "--json"), reads=True),
    Command(("reduce", "3")),
    Command(("cluster", "make", "-k", "3", "--name", "other")),
    Command(("cluster", "make", "-k", "5", "--name", "anew")),
    Command(("cluster", "edit", "groups", "--rename", "0=rings", "--merge", "2,3")),
    Command(("cluster", "edit", "groups", "--assign")),
    Command(("cluster", "delete", "groups")),
    Command(("cluster", "export", "groups", "--to", "../out/groups.csv"), out="groups.csv"),
    Command(("cluster", "export", "groups", "--as", "json", "--to", "../out/groups.json"), out="groups.json"),
    Command(("cluster", "try", "--json"), reads=True),
    Command(("cluster", "show", "groups", "--json"), reads=True),
    Command(("map", "make", "--method", "pca", "--name", "other")),
    Command(("map", "draw", "flat", "-o", "../out/map.png"), out="map.png"),
    Command(("map", "delete", "flat")),
    Command(("add", "../out/101.png", "--key", "new", "--field", "price=7")),
    Command(("add", "../out/101.png", "--key", "kept")),
    Command(("remove", "kept")),
    Command(("labels", "give", "cat", "cats/00.jpg", "cats/06.jpg")),
    Command(("sets", "add", "new", "cats/00.jpg", "owls/02.jpg")),
    Command(("-c", 'photos.feedback.judge("cats/00.jpg", "cats/06.jpg", "yes")')),
    Command(("-c", 'photos.decisions.decide("cats/00.jpg", "cats/09.jpg", "alternates")')),
    Command(("undo",)),
    Command(("said", "import", "../out/said.jsonl")),
    Command(("said", "export", "../out/again.jsonl"), out="again.jsonl"),
    Command(("export", "../out/all.csv"), out="all.csv"),
    Command(("export", "../out/all.parquet"), out="all.parquet"),
    Command(("export", "../out/all.npy"), out="all.npy"),
    Command(("export", "../out/folders", "--field", "shop=Berlin"), out="folders"),
    Command(("train", "autoencoder", "--name", "tiny", "--epochs", "2", "--size", "8", "--dimension", "4")),
    Command(("search", "cats/00.jpg", "-k", "20", "--json"), reads=True),
    Command(("search", "cats/00.jpg", "-k", "20", "--index", "kdtree", "--json"), reads=True),
    Command(("search", "cats/00.jpg", "-k", "20", "--index", "kmeans-tree", "--json"), reads=True),
    Command(("search", "cats/00.jpg", "-k", "20", "--index", "ivf-rq", "--json"), reads=True),
    Command(("search", "cats/00.jpg", "--plot", "../out/hits.png"), out="hits.png"),
    Command(("list", "--json"), reads=True),
    Command(("info", "--json"), reads=True),
    Command(("info", "cats/00.jpg", "--json"), reads=True),
    Command(("roots", "--json"), reads=True),
    Command(("models", "--json"), reads=True),
    Command(("changes", "--json"), reads=True),
    Command(("check", "--json"), reads=True),
    Command(("copy", "../out/copied"), out="copied"),
    Command(("evaluate", "--json", "-k", "1"), reads=True),
)
"""Those that write, with what they write; and those that read."""


def items(world: Path) -> dict[Item, Any]:
    """Return all that a collection holds, each thing by its kind and name; but no times, nor inodes."""
    folder = world / "photos" / ".lookalike"
    return dict(_items(folder)) if folder.is_dir() else {}


def _items(folder: Path) -> Iterator[tuple[Item, Any]]:
    from lookalike import Collection
    from lookalike.store import Store

    store = Store(folder)
    tables = {"files": store.files, "images": store.images, "thumbnails": store.thumbnails}
    tables |= {"failures": store.failures, "fields": store.fields}
    tables |= {f"vectors of {name}": table for name, table in store.vector_tables().items()}
    for kind, table in tables.items():
        columns = ["id", "embedding"] if kind.startswith("vectors") else None
        for row in _rows(table, columns):
            left = {name: value for name, value in row.items() if name not in (*_OF_THE_DISK, "set_us")}
            yield (kind, str(next(iter(row.values())))), repr(left)
    if (folder / "collection.json").is_file():
        said = Collection.open(folder).said.documents()
        yield ("said", ""), sorted(json.dumps({**each, "time": None}, sort_keys=True) for each in said)
    for kind in ("clustering", "map"):
        for file in (folder / f"{kind}s").glob(f"*/{kind}.json"):
            facts = json.loads(file.read_text(encoding="utf-8"))
            yield (kind, file.parent.name), {**facts, "made": None, "changed": None, "sum": None}
    for file in (folder / "added").glob("*/*"):
        yield ("added", file.name), file.stat().st_size
    for file in (folder / "models").glob("*"):
        yield ("models", file.name), file.is_dir()


def _rows(table: Any, columns: Sequence[str] | None) -> list[dict[str, Any]]:
    if not table.exists():
        return []
    if columns is None and table.folder.name == "fields.lance":
        import lance

        rows: list[dict[str, Any]] = lance.dataset(str(table.folder)).to_table().to_pylist()
        return rows
    return list(table.read(columns).to_pylist())


def expected_hits(found: Mapping[Item, Any], image: str, k: int = 20) -> int:
    """Return how many hits a search for an image must have, by what `items` found."""
    n = len({repr_id(value) for (kind, _), value in found.items() if kind == "files"})
    return max(0, min(k, n - 1)) if ("files", image) in found else 0


def repr_id(row: str) -> str:
    """Return the image's id in a row of `files`, as `items` writes it."""
    return row.partition("'id': ")[2].partition(",")[0]


def leavings(world: Path) -> list[str]:
    """Return what lies in a world that no run should leave behind."""
    found = [
        str(Path(place, name).relative_to(world))
        for place, folders, files in os.walk(world)
        for name in (*folders, *files)
        if name.endswith((".part", ".tmp", ".partial")) or name.startswith((".links-", ".tmp", "tmp"))
    ]
    names = os.listdir(world / "temporary")
    found += [f"temporary/{name}" for name in names if not name.startswith("torchinductor_")]  # torch's cache
    for table in (world / "photos" / ".lookalike").glob("**/*.lance"):
        found += [f"{table.name}/{name}, which no version names" for name in _orphans(table)]
    return found


def _orphans(table: Path) -> set[str]:
    """Return the files of data and deletions of a table that none of its versions names."""
    import lance

    there = {f"data/{name}" for name in _names(table / "data")}
    there |= {f"_deletions/{name}" for name in _names(table / "_deletions")}
    if not there:
        return set()
    if not any(name.endswith(".manifest") for name in _names(table / "_versions")):
        return there
    named: set[str] = set()
    newest = lance.dataset(str(table))
    for version in newest.versions():
        for part in lance.dataset(str(table), version=version["version"]).get_fragments():
            named.update(f"data/{file.path}" for file in part.data_files())
            deletions = part.deletion_file()
            if deletions is not None:
                named.add(str(deletions))
    return there - named


def _names(folder: Path) -> list[str]:
    return os.listdir(folder) if folder.is_dir() else []
