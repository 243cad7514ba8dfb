"""Clusterings and maps."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from lookalike.collection.checking.parts import Looking, Mended
from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.collection.stored.maps import StoredMaps
from lookalike.collection.stored.named_folders import COPY, NamedFolders
from lookalike.errors import LookalikeError
from lookalike.hints import Hint, Sentence
from lookalike.results.checking import Damage
from lookalike.system.sums import is_as_written, is_summed

_COSTS = {
    "clustering": "which images belong to which cluster, and the names that clusters were given",
    "map": "where each image lies on this map",
}


def look_at_named(looking: Looking) -> None:
    """Look at all clusterings and maps."""
    for kept in (StoredClusterings(looking.folder), StoredMaps(looking.folder)):
        place = looking.folder / f"{kept.kind}s"
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            for folder in sorted(each for each in place.iterdir() if each.is_dir()):
                if not folder.name.startswith(".") and not kept.is_cut_off(folder):
                    _look(looking, kept, folder)


def _look(looking: Looking, kept: NamedFolders[Any], folder: Path) -> None:
    facts = folder / f"{kept.kind}.json"
    verified = False
    with contextlib.suppress(OSError, ValueError):
        verified = is_summed(json.loads(facts.read_bytes()))
    for file in sorted(folder.iterdir()):
        looking.count(file, verified or file.suffix != ".json")
    try:
        kept.read(folder.name)
        reason = None
    except LookalikeError as error:
        reason = str(error)
    copy = folder / COPY
    if reason is None:
        with contextlib.suppress(OSError):
            content = copy.read_bytes()
            # One of earlier facts is what a kill leaves that came before it was written.
            if content != facts.read_bytes() and not is_as_written(content):
                looking.find(
                    Damage(
                        kept.kind,
                        looking.place(copy),
                        "it is not a copy of the facts",
                        "nothing",
                        "it is written again",
                    ),
                    lambda: _mend_copy(looking, kept, facts, copy),
                    60,
                )
        return
    can_be_made = kept.reads_with_copy(folder)
    looking.find(
        Damage(
            kept.kind,
            looking.place(folder),
            reason,
            _COSTS[kept.kind],
            "its facts are made again of their copy" if can_be_made else _anew(kept, folder.name),
        ),
        lambda: _mend(looking, kept, folder),
        60,
    )


def renew_copies(folder: Path) -> None:
    """Make copies that are of earlier facts those of the facts, where these are whole."""
    for kept in (StoredClusterings(folder), StoredMaps(folder)):
        for name in kept.names():
            place = folder / f"{kept.kind}s" / name
            with contextlib.suppress(LookalikeError, OSError), kept.lock():
                kept.read(name)
                facts, copy = place / f"{kept.kind}.json", place / COPY
                content = copy.read_bytes()
                if content != facts.read_bytes() and is_as_written(content):
                    _replace(copy, facts)


def _anew(kept: NamedFolders[Any], name: str) -> str:
    words = "it is moved aside, and cannot be brought back"
    return Sentence(words, Hint(f"make_{kept.kind}", name=name))


def _mend_copy(looking: Looking, kept: NamedFolders[Any], facts: Path, copy: Path) -> Mended:
    with kept.lock():
        looking.keep_copy(copy)
        _replace(copy, facts)
    return Mended("it was written again")


def _mend(looking: Looking, kept: NamedFolders[Any], folder: Path) -> Mended:
    with kept.lock():
        with contextlib.suppress(LookalikeError):
            kept.read(folder.name)
            return Mended("it was made again meanwhile")
        if kept.reads_with_copy(folder):
            looking.keep_copy(folder / f"{kept.kind}.json")
            _replace(folder / f"{kept.kind}.json", folder / COPY)
            return Mended("its facts were made again of their copy")
        looking.move_aside(folder)
    return Mended(
        Sentence("it was moved aside, and is lost", Hint(f"make_{kept.kind}", name=folder.name)),
        is_back=False,
    )


def _replace(file: Path, source: Path) -> None:
    from lookalike.system.replace_file import replace_file

    replace_file(file, source.read_bytes(), durable=True)
    os.utime(file)
