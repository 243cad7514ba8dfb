"""``collection.json`` and its copy."""

from __future__ import annotations

import contextlib
from pathlib import Path

from lookalike.collection.checking.parts import Looking, Mended, whatever_goes_wrong
from lookalike.embed import DEFAULT_MODEL
from lookalike.errors import CollectionConflictError, LookalikeError
from lookalike.results.checking import Damage
from lookalike.store import ADDED, Manifest, Root, Store
from lookalike.store.manifest import COPY_NAME, FILE_NAME
from lookalike.system.sums import is_as_written

FIRST = 0


def look_at_manifest(looking: Looking) -> Manifest | None:
    """Look at the manifest; return it, or its copy, if one of them can be read.

    Raises
    ------
    CollectionConflictError
        If a newer lookalike has written it.
    """
    found: dict[str, Manifest | None] = {}
    reasons: dict[str, str] = {}
    for name in (FILE_NAME, COPY_NAME):
        try:
            found[name] = Manifest.read(looking.folder, name)[0]
        except CollectionConflictError:
            if name == FILE_NAME:
                raise
        except LookalikeError as error:
            found[name], reasons[name] = None, str(error)
        looking.count(looking.folder / name)
    manifest, copy = found[FILE_NAME], found.get(COPY_NAME)
    if manifest is None:
        looking.find(
            Damage(
                "manifest",
                FILE_NAME,
                reasons[FILE_NAME],
                "nothing can be asked: it says which folders and model the collection is made of",
                "it is made again of its copy" if copy else "it is made again of what the tables say",
            ),
            lambda: _mend(looking, copy),
            FIRST,
        )
    elif (looking.folder / COPY_NAME).exists() and not _is_earlier(looking.folder, copy):
        looking.find(
            Damage(
                "manifest",
                COPY_NAME,
                reasons.get(COPY_NAME, "it is not a copy of collection.json"),
                "nothing, while collection.json is whole",
                "it is written again",
            ),
            lambda: _mend_copy(looking, manifest),
            FIRST,
        )
    return manifest or copy


def renew_copy(folder: Path) -> None:
    """Make a copy that is an earlier one that of the manifest, where this is whole."""
    with contextlib.suppress(LookalikeError):
        Manifest.load(folder)
        if _is_earlier(folder, Manifest.read(folder, COPY_NAME)[0]):
            Manifest.renew_copy(folder)


def _is_earlier(folder: Path, copy: Manifest | None) -> bool:
    """Tell whether the copy is whole: of this manifest, or of the one before, if somebody was killed."""
    with contextlib.suppress(OSError):
        return copy is not None and is_as_written((folder / COPY_NAME).read_bytes())
    return False


def _mend_copy(looking: Looking, manifest: Manifest) -> Mended:
    looking.move_aside(looking.folder / COPY_NAME)
    manifest.save(looking.folder)
    return Mended("it was written again")


def _mend(looking: Looking, copy: Manifest | None) -> Mended:
    looking.keep_copy(looking.folder / FILE_NAME)
    if copy is not None:
        copy.save(looking.folder)
        return Mended("it was made again of its copy")
    manifest = _from_tables(looking.folder)
    manifest.save(looking.folder)
    names = ", ".join(f"{root.name} in {root.path or 'this folder'}" for root in manifest.roots)
    looking.must_read_again()
    return Mended(
        f"it was made again of what the tables say: the model {manifest.model}, the folders"
        f" {names or 'none'}; look whether they are right",
        is_back=False,
    )


def _from_tables(folder: Path) -> Manifest:
    """Guess a manifest: the roots that stored paths name, beside the collection or the folder itself."""
    store, problems = Store(folder), list[str]()
    paths: list[str] = []
    with whatever_goes_wrong(problems):
        paths = store.files.read(["path"])["path"].to_pylist()
    counts: dict[str, int] = {}
    for path in paths:
        name = path.partition(":")[0]
        counts[name] = counts.get(name, 0) + 1
    roots = []
    for name in counts:
        if name == ADDED:
            continue
        inside = folder.parent / name
        path = name if inside.is_dir() and name != folder.parent.name else ""
        roots.append(Root(name, path or "."))
    models = {name: 0 for name in store.vector_tables() if "+pca" not in name}
    for name in models:
        with contextlib.suppress(LookalikeError):
            models[name] = store.vector_tables()[name].count()
    # The collection's own model has a vector of every image.
    model = max(models, key=lambda each: (models[each], each == DEFAULT_MODEL), default=DEFAULT_MODEL)
    return Manifest(model, tuple(roots))
