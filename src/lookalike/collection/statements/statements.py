"""All that was said, statement by statement, to a file of JSON lines and from it.

A line is a document, of an image, a hit or a pair:

    {"kind": "label", "label": "owl", "image": "5d3c0b5fc780e7f5", "path": "photos:2019/owl.jpg"}
    {"kind": "set", "set": "best", "image": "5d3c0b5fc780e7f5", "path": "photos:2019/owl.jpg"}
    {"kind": "judgment", "query": "…", "image": "…", "verdict": "yes", "models": ["lite0"], "time": "…", …}
    {"kind": "decision", "a": "…", "b": "…", "decision": "not_duplicate", "paths": ["…", "…"]}

Images are known by their content, so that lines hold in any collection of the same pictures. Paths are for
people; where a line has no id, the path is looked for.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np

from lookalike.collection.faces import Face
from lookalike.collection.places import Places
from lookalike.collection.resources import Opener
from lookalike.collection.statements.decisions import check_decision
from lookalike.collection.statements.draft import Draft
from lookalike.collection.statements.feedback import check_verdict
from lookalike.collection.statements.naming import check_label, check_models, read_judged_query
from lookalike.collection.stored.edits import Decided, Judged, JudgmentKey, PairKey
from lookalike.errors import InvalidInputError, LookalikeError
from lookalike.query.terms import ImageRef, Term, read_id
from lookalike.results.said import Imported, query_key
from lookalike.system.checked_calls import check_path, checked, shown
from lookalike.system.output import check_output, write_output
from lookalike.system.plain_files import read_named, read_stream
from lookalike.types import ImageId, format_id

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_T = TypeVar("_T")


@checked
class Statements(Face):
    """What was said, as files of JSON lines: `Collection.said`.

    Examples
    --------
    >>> photos = Collection.create(photo_folder)
    >>> report = photos.sync()
    >>> change = photos.labels.give([photo_folder / "stripes.png"], "fabric")
    >>> photos.said.export(photo_folder / "said.jsonl")
    1
    >>> photos.said.load(photo_folder / "said.jsonl").new  # all of it is said already
    0
    """

    def __init__(self, resources: Opener) -> None:
        self._resources = resources

    def export(self, file: str | os.PathLike[str], *, force: bool = False) -> int:
        """Write all that is said to a file; return how many lines that are.

        Parameters
        ----------
        file : path
            One that is not there yet.
        force : bool
            Whether to write over a file that is there.

        Raises
        ------
        ConflictError
            If something is there.
        ResourceError
            If the file cannot be written.
        """
        check_output(Path(file), force=force)
        content = self.to_bytes()
        write_output(Path(file), content, force=force)
        return content.count(b"\n")

    def to_bytes(self) -> bytes:
        """Return what `export` writes."""
        lines = (json.dumps(each, ensure_ascii=False) for each in self.documents())
        return "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace")

    def documents(self) -> Iterator[dict[str, Any]]:
        """Return all that is said, a document each; see above."""
        places = self._resources().places
        said = places.snapshot.said
        path_of = _Paths(places, said.images)
        for image, label in said.labels.items():
            yield {"kind": "label", "label": label, **path_of.image(image)}
        for name in sorted(said.sets):
            images = said.sets[name].tolist()
            for image in images:
                yield {"kind": "set", "set": name, **path_of.image(image)}
            if not images:
                yield {"kind": "set", "set": name}
        for judgment in said.judgments:
            yield {"kind": "judgment", **judgment.to_dict(), **path_of.image(judgment.image)}
        for decision in said.decisions:
            ends = (decision.a, decision.b)
            paths = [each if isinstance(each, str) else path_of.path(each) for each in ends]
            yield {"kind": "decision", **decision.to_dict(), "paths": paths}

    def load(self, file: str | os.PathLike[str] | BinaryIO) -> Imported:
        """Say what a file says, or a stream that is open, in one change; what is said already is left out.

        Where a line gives an image another label, or a pair another decision, than it has here, what is here
        stays. Sets get the images that they lack.

        Raises
        ------
        InvalidInputError
            If the file cannot be read, or a line is none of the above; nothing is said then.
        """
        resources = self._resources()
        reading = _Reading(resources.places)
        try:
            if isinstance(file, str | os.PathLike):
                content = read_named(check_path("file", file))
            elif callable(getattr(file, "read", None)):
                content, file = read_stream(file, "the stream"), "the stream"
            else:
                raise InvalidInputError(
                    f"file is {shown(file)}; expected a path, or a stream of bytes that is open", field="file"
                )
            with io.StringIO(content.decode("utf-8")) as stream:
                for number, line in enumerate(stream, start=1):
                    if line.strip():
                        try:
                            reading.take(json.loads(line))
                        except json.JSONDecodeError as error:
                            reason = f"it is no JSON ({error.msg})"
                            raise InvalidInputError(f"{file}, line {number}: {reason}") from error
                        except LookalikeError as error:
                            raise error.amended(before=f"{file}, line {number}: ") from error
        except OSError as error:
            raise InvalidInputError(f"cannot read {file}: {error.strerror or error}", field="file") from error
        except UnicodeDecodeError as error:
            raise InvalidInputError(f"{file} is no text in UTF-8", field="file") from error
        counts = {"new": 0, "kept": 0}

        def make(draft: Draft) -> None:
            counts["new"], counts["kept"] = reading.add_to(draft)

        change = resources.change("import", make)
        return Imported(
            change=change,
            statements=reading.n_lines,
            unknown=reading.n_unknown(),
            unmatched=reading.n_unmatched,
            **counts,
        )


class _Paths:
    """Where images lie, for people."""

    def __init__(self, places: Places, images: Iterable[int]) -> None:
        files = places.snapshot.files
        rows = np.sort(files.rows_of(images))
        self._paths: dict[int, str] = {}
        for path, image, _ in files.facts(rows):
            self._paths.setdefault(image, path)

    def path(self, image: int) -> str | None:
        return self._paths.get(image)

    def image(self, image: int) -> dict[str, str | None]:
        return {"image": format_id(image), "path": self.path(image)}


@dataclass
class _Reading:
    """The lines of a file as they are read."""

    places: Places
    n_lines: int = 0
    n_unmatched: int = 0
    labels: dict[int, str] = field(default_factory=dict)
    sets: dict[str, list[int]] = field(default_factory=dict)
    judgments: list[tuple[JudgmentKey, Judged]] = field(default_factory=list)
    decisions: dict[PairKey, Decided] = field(default_factory=dict)
    images: list[int] = field(default_factory=list)  # one for each line that is about any

    def take(self, document: Any) -> None:
        if not isinstance(document, Mapping):
            raise InvalidInputError(f"it is {shown(document)}; expected an object")
        kind = document.get("kind") or ("judgment" if "verdict" in document else None)
        if not isinstance(kind, str) or kind not in _READERS:
            raise InvalidInputError(f"kind is {shown(kind)}; expected {', '.join(_READERS)}", field="kind")
        self.n_lines += 1
        try:
            getattr(self, _READERS[str(kind)])(document)
        except KeyError as error:
            raise InvalidInputError(f"a {kind} needs {error.args[0]!r}", field=str(error.args[0])) from error

    def _label(self, document: Mapping[str, Any]) -> None:
        image, label = self._image(document), check_label("label", document["label"])
        if image is not None and self.labels.setdefault(image, label) != label:
            raise InvalidInputError(
                f"the label is {label!r}, but the same image is {self.labels[image]!r} in a line above",
                field="label",
            )

    def _set(self, document: Mapping[str, Any]) -> None:
        images = self.sets.setdefault(check_label("set", document["set"]), [])
        if "image" in document or "path" in document:
            image = self._image(document)
            if image is not None:
                images.append(image)

    def _judgment(self, document: Mapping[str, Any]) -> None:
        asked = document["query"]
        term: Term = ImageRef(asked) if isinstance(asked, str) else Term.from_dict(asked)
        query = query_key(read_judged_query(self.places, term))
        judged = Judged(
            check_verdict(document["verdict"]),
            check_models(document.get("models", ())),
            _time(document.get("time")),
        )
        image = self._image(document)
        if image is not None:
            self.judgments.append(((query, int(image)), judged))

    def _decision(self, document: Mapping[str, Any]) -> None:
        ends = [_end(name, document[name]) for name in ("a", "b")]
        decision = check_decision(document["decision"])
        if ends[0] == ends[1] or len({":" in each for each in ends}) > 1:
            raise InvalidInputError(f"a and b are {ends[0]} and {ends[1]}; expected two ids, or two paths")
        first, second = sorted(ends)
        about = ends[0] if decision in ("keep", "remove") else first
        self.decisions[first, second] = Decided(about, decision)
        if ":" not in first:
            self.images.append(int(first, 16))

    def _image(self, document: Mapping[str, Any]) -> ImageId | None:
        """Return the image of a line; None where it has a path alone, and nothing lies there."""
        if document.get("image") is not None:
            image = document["image"]
            if not isinstance(image, str):
                raise InvalidInputError(
                    f"image is {shown(image)}; expected 16 hexadecimal digits", field="image"
                )
            found: ImageId | None = read_id(image)
        else:
            found = self._at(document["path"])
        if found is None:
            self.n_unmatched += 1
        else:
            self.images.append(found)
        return found

    def _at(self, path: Any) -> ImageId | None:
        if not isinstance(path, str) or not path:
            raise InvalidInputError(f"path is {shown(path)}; expected that of an image", field="path")
        found = self.places.snapshot.files.image_at(path)
        if found is None:
            with contextlib.suppress(LookalikeError):
                found = self.places.find(path)
        return found

    def n_unknown(self) -> int:
        """Return how many lines are about images that are not in the collection."""
        ids = np.array(self.images, np.int64)
        return int((~np.isin(ids, self.places.snapshot.files.ids)).sum())

    def add_to(self, draft: Draft) -> tuple[int, int]:
        """Say what is not said yet; return how many statements that are, and how many what is here beats."""
        new = kept = 0
        for image, label in self.labels.items():
            there = draft.label(image)
            if there is None:
                draft.give_label([image], label)
                new += 1
            kept += there not in (None, label)
        for name, images in self.sets.items():
            is_new = not draft.has_set(name)
            n_put = draft.put_into(name, images)
            new += n_put or is_new
        new += sum(draft.judge(key, judged) for key, judged in self.judgments)
        for key, decided in self.decisions.items():
            decision = draft.decision(key)
            if decision is None:
                draft.decide(key, decided)
                new += 1
            kept += decision not in (None, decided)
        return new, kept


_READERS: Mapping[str, str] = {
    "label": "_label",
    "set": "_set",
    "judgment": "_judgment",
    "decision": "_decision",
}


def _end(name: str, value: Any) -> str:
    if isinstance(value, str) and ":" in value:
        return value
    if not isinstance(value, str):
        raise InvalidInputError(f"{name} is {shown(value)}; expected an id, or a stored path", field=name)
    return format_id(read_id(value))


def _time(text: Any) -> int:
    """Return a time of ISO 8601 in microseconds since 1970; 0 where none is given."""
    if text is None:
        return 0
    try:
        moment = datetime.datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            f"time is {shown(text)}; expected one such as 2026-11-27T18:00:00Z", field="time"
        ) from error
    moment = moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1)
