"""The rows of the tables, held against one another, and against what they say of themselves."""

from __future__ import annotations

import numpy as np

from lookalike.collection.checking.parts import Looking, Mended
from lookalike.embed import ModelRegistry
from lookalike.errors import ImageError, LookalikeError
from lookalike.images import decode
from lookalike.images.hashing import id_of
from lookalike.results.checking import Damage
from lookalike.store import Store, Table
from lookalike.system.wording import count_images
from lookalike.types import Ids

_AT_ONCE = 512
_FROM_UNIT = 1e-3  # of the length of a row that is to be a direction
_MOST_NAMED = 1_000
_ORDER = 40  # after the tables themselves

Paths = dict[int, list[str]]


def look_at_rows(looking: Looking, whole: set[str]) -> list[dict[str, object]]:
    """Look at the rows of all tables that can be read; return path and id of those of ``files``.

    Parameters
    ----------
    looking : Looking
    whole : set of str
        The tables that can be read, by their places.
    """
    store = Store(looking.folder)
    files = store.files.read(["path", "id"]).to_pylist() if "files.lance" in whole else []
    paths: Paths = {}
    for row in files:
        paths.setdefault(row["id"], []).append(row["path"])
    ids = np.array(sorted(paths), np.int64)
    if "images.lance" in whole:
        rows = store.images.read(["id", "sha256"]).to_pydict()
        own = [id_of(sha256) == image for image, sha256 in zip(rows["id"], rows["sha256"], strict=True)]
        bad = np.array(rows["id"], np.int64)[~np.array(own, bool)]
        _find_bad(looking, store.images, bad, paths, "its id is not that of its sha256")
        _find_missing(looking, store.images, ids, np.array(rows["id"], np.int64), paths)
    if "thumbnails.lance" in whole:
        there = store.thumbnails.read(["id"])["id"].to_numpy()
        bad = _bad_thumbnails(looking, store, there)
        _find_bad(looking, store.thumbnails, bad, paths, "the thumbnail cannot be decoded")
        _find_missing(looking, store.thumbnails, ids, there, paths)
    registry = ModelRegistry(looking.folder / "models")
    for name, table in store.vector_tables().items():
        if f"vectors/{name}.lance" in whole:
            _look_at_vectors(looking, registry, name, table, paths)
    return files


def _bad_thumbnails(looking: Looking, store: Store, ids: Ids) -> Ids:
    bad: list[int] = []
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE].tolist()
        looking.watch.check()
        for row in store.thumbnails.read_where_in("id", some, ["id", "jpeg"]).to_pylist():
            try:
                decode(row["jpeg"], "thumbnail")
            except ImageError:
                bad.append(row["id"])
    return np.array(bad, np.int64)


def _look_at_vectors(
    looking: Looking, registry: ModelRegistry, name: str, table: Table, paths: Paths
) -> None:
    try:
        model = registry.get(name)
    except LookalikeError:
        return  # which is told of the model's files
    bad: list[Ids] = []
    for ids, vectors in looking.watch.each(table.vector_blocks()):
        with np.errstate(all="ignore"):
            lengths = np.sqrt(np.square(vectors, dtype=np.float64).sum(axis=1))
            wrong = ~np.isfinite(lengths)
            if model.metric == "cosine":
                wrong |= (np.abs(lengths - 1) > _FROM_UNIT) & (lengths > 0)
        bad.append(ids[wrong])
    what = "the vector is not finite, or not of length 1"
    _find_bad(looking, table, np.concatenate([np.empty(0, np.int64), *bad]), paths, what)


def _find_bad(looking: Looking, table: Table, ids: Ids, paths: Paths, what: str) -> None:
    if len(ids):
        n = count_images(len(ids))
        costs = f"these images are not shown, or not found, as they are: {n}"
        damage = _damage(looking, table, ids, paths, f"of {n} {what}", costs)
        looking.find(damage, lambda: _drop(looking, table, ids), _ORDER)


def _find_missing(looking: Looking, table: Table, ids: Ids, there: Ids, paths: Paths) -> None:
    missing = np.setdiff1d(ids, there)
    if len(missing):
        n = count_images(len(missing))
        costs = f"what is known of these images: {n}"
        reason = f"{n} of the table of files are not in it"
        looking.find(_damage(looking, table, missing, paths, reason, costs), looking.read_again, _ORDER)


def _damage(looking: Looking, table: Table, ids: Ids, paths: Paths, reason: str, costs: str) -> Damage:
    part = "thumbnails" if table.folder.name == "thumbnails.lance" else "table"
    named = tuple(path for image in ids[:_MOST_NAMED].tolist() for path in paths.get(image, ()))
    return Damage(part, looking.place(table.folder), reason, costs, "they are read again", named)


def _drop(looking: Looking, table: Table, ids: Ids) -> Mended:
    looking.keep_copy(table.folder)
    table.delete(ids.tolist())
    return looking.read_again()
