"""``collection.json``: what a collection is made of, and finding it.

A collection lies in a folder called ``.lookalike``, found from any folder below the one that holds it, as
git finds ``.git``. A root is a folder of images; its path is relative to the folder that holds
``.lookalike`` where it lies below that, so that a moved folder still works.

The file has a checksum in it, and a copy beside it, ``collection.json.copy``, from which it can be mended.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import Any

from lookalike.errors import (
    CollectionConflictError,
    CollectionDamagedError,
    CollectionNotFoundError,
    CollectionResourceError,
    LookalikeError,
)
from lookalike.hints import Hint
from lookalike.store.labeling import BY_FOLDER, NO_LABELS, LabelVerdict
from lookalike.store.schema import FORMAT_VERSION
from lookalike.system.file_identity import FileIdentity
from lookalike.system.file_names import escape, unescape
from lookalike.system.limits import LEAST_THUMBNAIL_SIDE, MOST_THUMBNAIL_SIDE, THUMBNAIL_SIDE
from lookalike.system.replace_file import replace_file
from lookalike.system.sums import read_document, summed, why_unread

FOLDER_NAME = ".lookalike"
FILE_NAME = "collection.json"
COPY_NAME = "collection.json.copy"

_WITH_SUMS = 5


@dataclass(frozen=True, slots=True)
class Root:
    """A folder of images.

    Attributes
    ----------
    name : str
        Unique in the collection; the first part of every stored path, ``name:relative/path``.
    path : str
        Where it lies: relative to the collection's folder, or absolute (escaped, see `images.finding.scan`).
    labels : str
        Where labels come from; see `lookalike.store.labeling`.
    exclude : tuple of str
        Globs that a scan passes over.
    dataset : str or None
        The name of a data set that stands in for a folder; then `path` is empty.
    is_told : bool
        Whether somebody said where labels come from: then they are used, whatever images look like.
    verdict : LabelVerdict or None
        Whether labels say what images show, if that was measured.
    """

    name: str
    path: str
    labels: str = BY_FOLDER
    exclude: tuple[str, ...] = ()
    dataset: str | None = None
    is_told: bool = False
    verdict: LabelVerdict | None = None

    @property
    def has_silent_labels(self) -> bool:
        """Whether it has labels that nobody asked for, and that do not say what its images show."""
        return not self.is_told and self.verdict is not None and not self.verdict.tells

    def with_labels(self, labels: str) -> Root:
        """Return it with labels from elsewhere, as somebody said."""
        verdict = self.verdict if labels == self.labels else None
        return replace(self, labels=labels, is_told=True, verdict=verdict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of ``collection.json``.

    Attributes
    ----------
    model : str
        The default model, chosen once.
    roots : tuple of Root
    format : int
        The version that it was read as; what is written is always the newest.
    thumbnail_side : int
        Longer side of the thumbnails that are made from now on, pixels.
    """

    model: str
    roots: tuple[Root, ...] = ()
    format: int = FORMAT_VERSION
    thumbnail_side: int = THUMBNAIL_SIDE

    def with_root(self, root: Root) -> Manifest:
        """Return a manifest in which `root` stands in for the one of its name, or is added."""
        others = tuple(other for other in self.roots if other.name != root.name)
        return replace(self, roots=(*others, root))

    def with_verdicts(self, verdicts: Mapping[str, LabelVerdict]) -> Manifest:
        """Return a manifest that says of roots, by name, whether their labels tell anything."""
        roots = (replace(root, verdict=verdicts.get(root.name, root.verdict)) for root in self.roots)
        return replace(self, roots=tuple(roots))

    def save(self, folder: Path) -> None:
        """Write it to the ``.lookalike`` folder, so that no reader sees half of it."""
        content = summed(
            {
                "format": FORMAT_VERSION,
                "model": self.model,
                "roots": [_root_document(root) for root in self.roots],
                "labels": {root.name: facts for root in self.roots if (facts := _label_facts(root))},
                **({} if self.thumbnail_side == THUMBNAIL_SIDE else {"thumbnail_side": self.thumbnail_side}),
            }
        )
        text = json.dumps(content, indent=2, ensure_ascii=False)
        # A glob may hold bytes that are not UTF-8: `\udce9` is how JSON writes them, too.
        written = f"{text}\n".encode(errors="backslashreplace")
        for name in (FILE_NAME, COPY_NAME):
            replace_file(folder / name, written, durable=True)

    @staticmethod
    def renew_copy(folder: Path) -> None:
        """Make the copy that of a manifest which is whole: who is killed in between leaves an earlier one."""
        content = (folder / FILE_NAME).read_bytes()
        with contextlib.suppress(OSError):
            if (folder / COPY_NAME).read_bytes() == content:
                return
        replace_file(folder / COPY_NAME, content, durable=True)

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read it from a ``.lookalike`` folder; see `read`."""
        return cls.read(folder)[0]

    @classmethod
    def read(cls, folder: Path, name: str = FILE_NAME) -> tuple[Manifest, FileIdentity]:
        """Read it from a ``.lookalike`` folder, and tell the file apart that it was read from.

        Parameters
        ----------
        folder : Path
        name : str
            Of the file: `FILE_NAME`, or `COPY_NAME`.

        Raises
        ------
        CollectionError
            If it is missing, damaged, or of a newer format.
        """
        file = folder / name
        mended = Hint("repair_unopened", folder=os.fspath(folder))
        try:
            with file.open("rb") as stream:
                identity = FileIdentity.of(os.fstat(stream.fileno()))
                content = read_document(stream.read())
            version = int(content["format"])
            if version > FORMAT_VERSION:
                raise CollectionConflictError(
                    f"the collection {folder} has format {version}; this lookalike reads up to"
                    f" {FORMAT_VERSION}",
                    hint="upgrade it (pip install --upgrade lookalike)",
                )
            if not isinstance(content["model"], str):
                raise ValueError(f"the model is {content['model']!r}")
            facts = content.get("labels", {})  # which no version before 0.5 wrote
            roots = tuple(_read_root(row, facts.get(row["name"], {})) for row in content["roots"])
            side = content.get("thumbnail_side", THUMBNAIL_SIDE)  # which earlier versions pass over, too
            if type(side) is not int or not LEAST_THUMBNAIL_SIDE <= side <= MOST_THUMBNAIL_SIDE:
                raise ValueError(f"the longer side of thumbnails is {side!r}")
            return cls(content["model"], roots, version, side), identity
        except FileNotFoundError as error:
            if name == FILE_NAME and (folder / COPY_NAME).is_file():
                raise CollectionDamagedError(f"{file} is missing", hint=mended) from error
            raise CollectionNotFoundError(
                f"there is no collection in {folder}", hint=Hint("make_collection")
            ) from error
        except OSError as error:
            raise CollectionResourceError(f"cannot read {file}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise CollectionDamagedError(f"{file} is damaged: {why_unread(error)}", hint=mended) from error


def has_sums(folder: Path) -> bool:
    """Tell whether all that can open the collection in a ``.lookalike`` folder know of checksums in files.

    Versions before format 5 refuse documents that carry one.
    """
    try:
        return Manifest.load(folder).format >= _WITH_SUMS
    except LookalikeError:  # which is not for who writes something else to say
        return True


def file_identity(folder: Path) -> FileIdentity | None:
    """Return which file the manifest in a ``.lookalike`` folder is now; None if there is none to be seen."""
    try:
        return FileIdentity.of(os.stat(folder / FILE_NAME))
    except OSError:
        return None


def _root_document(root: Root) -> dict[str, Any]:
    """Return a root as all versions know it: to earlier ones, labels are those of folders, or none."""
    labels = NO_LABELS if root.labels == NO_LABELS else BY_FOLDER
    return {
        "name": root.name,
        "path": root.path,
        "labels": labels,
        "exclude": root.exclude,
        "dataset": root.dataset,
    }


def _label_facts(root: Root) -> dict[str, Any]:
    """Return what earlier versions do not know of a root, and pass over."""
    told = {"from": root.labels} if root.is_told else {}
    return told if root.verdict is None else told | {"verdict": asdict(root.verdict)}


def _read_root(row: dict[str, Any], facts: dict[str, Any]) -> Root:
    exclude = row["exclude"]
    root = Root(**{**row, "exclude": tuple(exclude)})
    words = (root.name, root.path, root.labels, root.dataset or "", *root.exclude)
    is_known = root.labels in (BY_FOLDER, NO_LABELS) and isinstance(exclude, list)
    if "from" in facts:
        root = replace(root, labels=facts["from"], is_told=True)
    if "verdict" in facts:
        verdict = LabelVerdict(**facts["verdict"])
        root = replace(root, verdict=verdict)
        is_known = is_known and all(isinstance(each, int | float | str) for each in astuple(verdict))
    if not is_known or not all(isinstance(word, str) for word in (*words, root.labels)):
        raise ValueError(f"a root is {row}")
    return root


def find_collection(start: Path, above: bool = True) -> Path | None:
    """Return the ``.lookalike`` folder of the collection in `start`, or with `above` around it; else None.

    `start` may also be the ``.lookalike`` folder itself.
    """
    start = Path(os.path.abspath(start))
    if start.name == FOLDER_NAME and _is_collection(start):
        return start
    for folder in (start, *start.parents) if above else (start,):
        if _is_collection(folder / FOLDER_NAME):
            return folder / FOLDER_NAME
    return None


def _is_collection(folder: Path) -> bool:
    """Tell whether a ``.lookalike`` folder holds a collection; who may not look into it learns why later."""
    try:
        return stat.S_ISREG(os.stat(folder / FILE_NAME).st_mode)
    except PermissionError:
        return os.path.isdir(folder)
    except FileNotFoundError:  # with a copy that is still there, it can be mended
        return os.path.isfile(folder / COPY_NAME)
    except (OSError, ValueError):
        return False


def root_folder(collection: Path, root: Root) -> Path:
    """Return the absolute path of a root of the collection in `collection`, a ``.lookalike`` folder."""
    return Path(os.path.normpath(collection.parent / unescape(root.path)))


def name_root(path: Path, taken: set[str]) -> str:
    """Name a new root after its folder, with a number behind it where that name is taken."""
    base = escape(path.name).replace(":", "_") or "root"
    number = 2
    name = base
    while name in taken:
        name = f"{base}-{number}"
        number += 1
    return name


def stored_root_path(collection: Path, path: Path) -> str:
    """Return how a root's path is kept: relative where it lies at or below the collection's own folder."""
    home = collection.parent
    if path == home or home in path.parents:
        return escape(path.relative_to(home).as_posix())
    return escape(str(path))
