"""The files of images that were added, and trainings under way."""

from __future__ import annotations

import contextlib
from pathlib import Path

from lookalike.collection.checking.parts import Looking, Mended
from lookalike.hints import Hint, Sentence
from lookalike.images import content_id
from lookalike.results.checking import Damage
from lookalike.store import ADDED, Manifest, Store, root_folder
from lookalike.system.file_names import unescape
from lookalike.system.flush import make_durable_folder
from lookalike.system.replace_file import replace_file
from lookalike.types import format_id


def look_at_added(looking: Looking, rows: list[dict[str, object]], manifest: Manifest | None) -> None:
    """Look at the kept files of images that were added.

    Parameters
    ----------
    looking : Looking
    rows : list of dict
        Of the table of files: path, id and size.
    manifest : Manifest or None
    """
    kept = Store(looking.folder).kept
    by_image: dict[int, list[str]] = {}
    for row in rows:
        if str(row["path"]).startswith(f"{ADDED}:"):
            by_image.setdefault(int(str(row["id"])), []).append(str(row["path"]))
    for image, paths in by_image.items():
        file = kept.path_of(image)
        looking.count(file)
        reason = _wrong_with(file, image)
        if reason is None:
            continue
        others = [str(row["path"]) for row in rows if row["id"] == image and str(row["path"]) not in paths]
        looking.find(
            Damage(
                "added",
                looking.place(file),
                reason,
                "the image itself, in its full size; what is known of it is still there",
                "it is copied from another place where the image lies, if there is one",
                tuple(paths),
            ),
            lambda image=image, file=file, others=others: _mend(looking, file, image, others, manifest),  # type: ignore[misc]
            70,
        )


def _wrong_with(file: Path, image: int) -> str | None:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return "the file is missing"
    except OSError as error:
        return f"the file cannot be read: {error.strerror or error}"
    if content_id(content)[0] != image:
        return "its content is not the one that it is named after"
    return None


def _mend(looking: Looking, file: Path, image: int, others: list[str], manifest: Manifest | None) -> Mended:
    places = {root.name: root_folder(looking.folder, root) for root in manifest.roots} if manifest else {}
    for path in others:
        name, _, relative = path.partition(":")
        if name in places:
            with contextlib.suppress(OSError):
                content = (places[name] / unescape(relative)).read_bytes()
                if content_id(content)[0] == image:
                    looking.move_aside(file)
                    ending = file.suffix or Path(relative).suffix
                    file = file.with_name(f"{format_id(image)}{ending}")
                    make_durable_folder(file.parent)
                    replace_file(file, content, durable=True)
                    return Mended(f"it was copied from {path}")
    return Mended(
        Sentence(
            "there is no other copy of it",
            Hint("as_told", words="add the image again under its key, or remove it"),
        ),
        is_back=False,
    )


def look_at_trainings(looking: Looking) -> None:
    """Look at trainings under way."""
    place = looking.folder / "training"
    if not place.is_dir():
        return
    from lookalike.train.run_folder import why_damaged

    for folder in sorted(each for each in place.iterdir() if each.is_dir()):
        for file in sorted(folder.iterdir()):
            looking.count(file)
        reason = why_damaged(folder)
        if reason is not None:
            looking.find(
                Damage(
                    "training",
                    looking.place(folder),
                    reason,
                    "what the training had learned so far",
                    "it is moved aside, and the training begins again",
                ),
                lambda folder=folder: _mend_training(looking, folder),  # type: ignore[misc]
                70,
            )


def _mend_training(looking: Looking, folder: Path) -> Mended:
    looking.move_aside(folder)
    return Mended(Sentence("it was moved aside", Hint("begin_again")), is_back=False)
