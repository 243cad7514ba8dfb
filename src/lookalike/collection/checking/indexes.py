"""Search indexes, and what is learned beside them: derived from the vectors, and made again of them."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from lookalike.collection.checking.parts import Looking, Mended, whatever_goes_wrong
from lookalike.collection.searchers import Searchers
from lookalike.collection.stored.sureness import SUFFIX, wrong_with_sureness
from lookalike.embed import ModelRegistry
from lookalike.index.folder import verify
from lookalike.index.kinds import KINDS
from lookalike.results.checking import Damage
from lookalike.store import Store

_COSTS = "time: whoever searches by it makes it again first"


def look_at_indexes(looking: Looking) -> None:
    """Look at all saved indexes."""
    place = looking.folder / "indexes"
    if not place.is_dir():
        return
    for file in sorted(place.glob(f"*{SUFFIX}")):
        looking.count(file)
        reason = wrong_with_sureness(file)
        if reason is not None:
            looking.find(
                Damage("index", looking.place(file), reason, _COSTS, "it is made again"),
                lambda file=file: _put_aside(looking, file),  # type: ignore[misc]
                90,
            )
    for kept in sorted(each for each in place.iterdir() if each.is_dir()):
        is_of_store = any(row.is_of_store and kept.name.endswith(f"-{row.name}") for row in KINDS)
        for folder in [kept] if is_of_store else sorted(kept.iterdir()):
            if not folder.is_dir() or folder.name.endswith(".part") or not any(folder.iterdir()):
                continue
            reasons = verify(folder)
            if not is_of_store:
                reasons += _wrong_with_origin(folder)
            if (folder / "bytes").is_dir():
                reasons += [f"bytes/{reason}" for reason in verify(folder / "bytes")]
            for file in sorted(each for each in folder.rglob("*") if each.is_file()):
                looking.count(file, _has_sums(folder) or file.suffix != ".npy")
            if reasons:
                looking.find(
                    Damage("index", looking.place(folder), "; ".join(reasons), _COSTS, "it is made again"),
                    lambda kept=kept, folder=folder: _mend(looking, kept, folder),  # type: ignore[misc]
                    90,
                )


def _put_aside(looking: Looking, file: Path) -> Mended:
    looking.move_aside(file)
    return Mended("it was moved aside; whoever searches makes it again")


def _has_sums(folder: Path) -> bool:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return json.loads((folder / "index.json").read_bytes()).get("sums") is not None
    return True


def _wrong_with_origin(folder: Path) -> list[str]:
    from lookalike.collection.searchers import read_origin
    from lookalike.errors import IndexFileError

    try:
        read_origin(folder)
    except IndexFileError as error:
        return [f"origin.json: {error}"]
    return []


def _mend(looking: Looking, kept: Path, folder: Path) -> Mended:
    looking.move_aside(folder)
    store, registry = Store(looking.folder), ModelRegistry(looking.folder / "models")
    problems: list[str] = []
    for row in KINDS:
        name = kept.name.removesuffix(f"-{row.name}")
        if name != kept.name and name in store.vector_tables():
            with whatever_goes_wrong(problems):
                model = registry.get(name)
                table = store.vectors(name, model.dimension)
                Searchers(looking.folder).open(table, name, model.metric, row.name, looking.watch.quiet())
                return Mended("it was made again")
    return Mended("it was moved aside; whoever searches by it makes it again")
