"""The keys of images that were added, which nothing but the table of files and that of fields knows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.collection.checking.parts import whatever_goes_wrong
from lookalike.store import ADDED, Store, schema
from lookalike.types import format_id

if TYPE_CHECKING:
    import pyarrow as pa


def with_kept(collection: Path, rows: pa.Table | None) -> tuple[pa.Table | None, list[str]]:
    """Return rows of files with those of kept images that have none; and keys that had to be made up.

    Without a row, the next sweep would take a kept file for one that nobody needs.
    """
    import pyarrow as pa

    store = Store(collection)
    kept = {int(file.name.partition(".")[0], 16): file for file in store.kept.files()}
    columns = schema.files() if rows is None else rows.schema
    there = [] if rows is None else rows.select(["path", "id"]).to_pylist()
    missing = kept.keys() - {row["id"] for row in there if row["path"].startswith(f"{ADDED}:")}
    if not missing:
        return rows, []
    said: dict[int, str] = {}
    problems: list[str] = []
    with whatever_goes_wrong(problems):
        for row in store.fields.read(["path", "id"]).to_pylist():
            if row["path"].startswith(f"{ADDED}:"):
                said[row["id"]] = row["path"]
    guessed, new = [], []
    for image in sorted(missing):
        facts = os.stat(kept[image])
        path = said.get(image)
        if path is None:
            path = f"{ADDED}:{format_id(image)}"
            guessed.append(path)
        new.append({"path": path, "id": image, "size": facts.st_size, "mtime_ns": facts.st_mtime_ns})
    more = pa.Table.from_pylist(
        [{name: row.get(name) for name in columns.names} for row in new], schema=columns
    )
    return (more if rows is None else pa.concat_tables([rows, more])), guessed
