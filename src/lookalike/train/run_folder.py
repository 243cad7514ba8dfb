"""The folder of a training that is under way: what was asked, its images, and how far it has come.

    run.json         the settings, with which alone a run is gone on with; and what was found out at its start
    split.csv        the images, the part that each is in, and its label
    checkpoint.pt    all that the training needs to go on as if nothing had happened

It is gone when the model is kept. One process at a time works on it.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.errors import (
    LockedError,
    ModelConflictError,
    ModelDamagedError,
    ModelError,
    ModelResourceError,
)
from lookalike.hints import Hint
from lookalike.system.flush import make_durable_folder
from lookalike.system.replace_file import replace_file
from lookalike.system.sums import read_document, why_unread
from lookalike.train.device import import_torch
from lookalike.train.split import Split
from lookalike.types import Ids, format_id

_CHECKPOINT = "checkpoint.pt"
_MAGIC = b"lookalike checkpoint 1\n"


@dataclass(frozen=True, slots=True)
class RunImages:
    """The images of a run, as they were when it began.

    Attributes
    ----------
    ids : (n,) int64
    labels : list of str, or None
    split : Split
    """

    ids: Ids
    labels: list[str] | None
    split: Split

    def to_csv(self) -> bytes:
        """Return a table with the columns id, part and label."""
        part_of = np.full(len(self.ids), "", object)
        for name, rows in self.split.parts().items():
            part_of[rows] = name
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(("id", "part", "label"))
        for row, (image, part) in enumerate(zip(self.ids.tolist(), part_of.tolist(), strict=True)):
            table.writerow((format_id(image), part, "" if self.labels is None else self.labels[row]))
        return text.getvalue().encode("utf-8", "surrogateescape")

    @classmethod
    def from_csv(cls, content: bytes) -> RunImages:
        """Read what `to_csv` wrote."""
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8", "surrogateescape"))))
        parts = np.array([row["part"] for row in rows], str)
        labels = [row["label"] for row in rows]
        return cls(
            np.array([int(row["id"], 16) for row in rows], np.int64),
            labels if any(labels) else None,
            Split(*(np.flatnonzero(parts == part) for part in ("train", "validation", "test"))),
        )


def _digest(facts: Mapping[str, Any], split: bytes) -> str:
    """Return what tells whether a run's settings and images are those that it was begun with."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode() + split).hexdigest()


def why_damaged(folder: Path) -> str | None:
    """Return why a training under way cannot be gone on with, its files being damaged; None if it can.

    Nothing of it is loaded but its text.
    """
    try:
        content = (folder / _CHECKPOINT).read_bytes()
    except FileNotFoundError:
        return None  # it has not come far enough for anything to be lost
    except OSError as error:
        return f"the checkpoint cannot be read: {error.strerror or error}"
    if not _is_checkpoint(content):
        return "the checkpoint is cut short, or not what was written"
    try:
        _read_run(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"its settings are damaged: {why_unread(error)}"
    return None


def _is_checkpoint(content: bytes) -> bool:
    start = len(_MAGIC) + 32
    return (
        content.startswith(_MAGIC) and hashlib.sha256(content[start:]).digest() == content[start - 32 : start]
    )


def _read_run(folder: Path) -> tuple[dict[str, Any], dict[str, Any], RunImages]:
    """Read the settings of a run, what was found out, and its images, once it is sure that they are these."""
    document = read_document((folder / "run.json").read_bytes())
    began, found = dict(document["settings"]), dict(document["found"])
    split = (folder / "split.csv").read_bytes()
    if document["sha256"] != _digest({"settings": began, "found": found}, split):
        raise ValueError("it is not what was written")
    return began, found, RunImages.from_csv(split)


class RunFolder:
    """A training that can be gone on with.

    Parameters
    ----------
    folder : Path
        It need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._checkpoint = folder / _CHECKPOINT

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes off.

        Raises
        ------
        LockedError
            If one is training it already.
        """
        import filelock

        with self._writing():
            make_durable_folder(self.folder)
        lock = filelock.FileLock(self.folder / "lock", timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise LockedError(
                f"another lookalike is training in {self.folder}",
                hint=Hint("name_model", first="wait for it to end"),
            ) from error
        except OSError as error:
            raise ModelResourceError(f"cannot write to {self.folder}: {error.strerror or error}") from error
        try:
            yield
        finally:
            lock.release()
            if not self._checkpoint.exists():
                self.remove()  # nothing came of it

    def begin(self, settings: Mapping[str, Any], found: Mapping[str, Any], images: RunImages) -> None:
        """Write down what a new run is about.

        Parameters
        ----------
        settings : mapping
            What was asked for.
        found : mapping
            What was found out from the images, and holds for the whole of the run.
        images : RunImages
        """
        facts, split = {"settings": settings, "found": found}, images.to_csv()
        document = json.dumps({**facts, "sha256": _digest(facts, split)}, indent=2)
        with self._writing():
            self._checkpoint.unlink(missing_ok=True)
            replace_file(self.folder / "split.csv", split, durable=True)
            replace_file(self.folder / "run.json", document.encode(), durable=True)

    def resume(self, settings: Mapping[str, Any]) -> tuple[RunImages, dict[str, Any]] | None:
        """Return the images of the run that is here, and what was found out; None without a checkpoint.

        Raises
        ------
        ModelError
            If it was begun with other settings, or is damaged.
        """
        if not self._checkpoint.exists():
            return None  # it has not come far enough for anything to be lost
        try:
            began, found, images = _read_run(self.folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._damaged(f"the training in {self.folder}", why_unread(error)) from error
        for key, value in json.loads(json.dumps(settings)).items():
            if began.get(key) != value:
                raise ModelConflictError(
                    f"the training in {self.folder} was begun with {key} = {began.get(key)!r}, not {value!r}",
                    hint=Hint("same_settings"),
                )
        return images, found

    def save(self, state: Mapping[str, Any]) -> None:
        """Write a checkpoint, whole or not at all.

        Parameters
        ----------
        state : mapping
            Tensors, numbers, text, and lists and dicts of these.
        """
        torch = import_torch()
        stream = io.BytesIO()
        torch.save(dict(state), stream)
        content = stream.getvalue()
        with self._writing():
            replace_file(
                self._checkpoint,
                _MAGIC + hashlib.sha256(content).digest() + content,
                durable=True,
            )

    def load(self) -> dict[str, Any] | None:
        """Return the last checkpoint; None if there is none.

        Raises
        ------
        ModelError
            If it is damaged.
        """
        file = self._checkpoint
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ModelResourceError(f"cannot read {file}: {error.strerror or error}") from error
        body = content[len(_MAGIC) + 32 :]
        if not _is_checkpoint(content):
            raise self._damaged(f"the checkpoint {file}", "it is cut short, or not what was written")
        torch = import_torch()
        try:
            # Only tensors, numbers and text: a checkpoint cannot run code.
            state: dict[str, Any] = torch.load(io.BytesIO(body), map_location="cpu", weights_only=True)
        except Exception as error:  # torch's own classes, and those of pickles
            reason = " ".join(str(error).split())[:100]
            raise self._damaged(f"the checkpoint {file}", reason) from error
        return state

    def remove(self) -> None:
        """Forget the run."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # others are there
            self.folder.parent.rmdir()

    def _damaged(self, what: str, reason: str) -> ModelError:
        return ModelDamagedError(f"{what} is damaged: {reason}", hint=Hint("begin_again"))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ModelResourceError(f"cannot write to {self.folder}: {error.strerror or error}") from error
