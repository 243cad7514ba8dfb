"""What people said of images, statement by statement, and the changes that it came in."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from lookalike.query.terms import Term
from lookalike.types import ImageId, format_id

Verdict: TypeAlias = Literal["yes", "no", "skip"]
"""Whether an image answers a query; to skip is to say neither."""

PairDecision: TypeAlias = Literal["keep", "remove", "not_duplicate", "alternates"]
"""Of two pictures: the first is the one to keep, or to remove; they are two pictures; both are wanted."""

ChangeKind: TypeAlias = Literal["sets", "labels", "judgments", "decisions", "import", "carry", "undo"]
"""What a change came from; to carry over is what a sync does where a file was edited, and what is
done where duplicates go."""


@dataclass(frozen=True, slots=True)
class Judgment:
    """What somebody said of a hit.

    Attributes
    ----------
    query : Term
        What was searched for: an `ImageRef`, `Words`, or a `Url`.
    image : ImageId
        The hit.
    verdict : {"yes", "no", "skip"}
    models : tuple of str
        Those that showed it.
    time : datetime
        When, in UTC.
    """

    query: Term
    image: ImageId
    verdict: Verdict
    models: tuple[str, ...]
    time: datetime.datetime

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON; the query is an id, or a document of its own."""
        return {
            "query": query_document(self.query),
            "image": format_id(self.image),
            "verdict": self.verdict,
            "models": list(self.models),
            "time": as_text(self.time),
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided of two pictures that may be one.

    Attributes
    ----------
    a, b : ImageId or str
        Two images; or, of one image that lies in several places, two stored paths.
    decision : {"keep", "remove", "not_duplicate", "alternates"}
        Keep `a` rather than `b`; remove `a`, and keep `b`; they are no duplicates; both are wanted.
    """

    a: ImageId | str
    b: ImageId | str
    decision: PairDecision

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON."""
        a, b = (each if isinstance(each, str) else format_id(each) for each in (self.a, self.b))
        return {"a": a, "b": b, "decision": self.decision}


@dataclass(frozen=True, slots=True)
class SetInfo:
    """A named list of images.

    Attributes
    ----------
    name : str
    size : int
        How many of its images are in the collection.
    missing : int
        How many are not, as no file holds them any more; they are kept.
    """

    name: str
    size: int
    missing: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {"name": self.name, "size": self.size, "missing": self.missing}


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was said at once, and can be undone at once.

    Attributes
    ----------
    number : int
        Changes are counted from 1.
    time : datetime
        When, in UTC.
    kind : str
        What it came from: sets, labels, judgments, decisions, import, carry or undo.
    words : str
        What it says, for people.
    undoes : int or None
        The change that it takes back.
    undone_by : int or None
        The change that takes it back.
    """

    number: int
    time: datetime.datetime
    kind: ChangeKind
    words: str
    undoes: int | None = None
    undone_by: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "number": self.number,
            "time": as_text(self.time),
            "kind": self.kind,
            "words": self.words,
            "undoes": self.undoes,
            "undone_by": self.undone_by,
        }


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import.

    Attributes
    ----------
    change : Change or None
        None where all was known already.
    statements : int
        How many lines said something.
    new : int
        How many of them said something new.
    unknown : int
        How many of them are about images that are not in the collection; they are kept, too.
    unmatched : int
        How many name an image by its path alone, and no such file is in the collection; they are left out.
    kept : int
        How many say something else than is said here of the same image or pair; what is here stays.
    """

    change: Change | None
    statements: int
    new: int
    unknown: int
    unmatched: int
    kept: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "change": None if self.change is None else self.change.to_dict(),
            "statements": self.statements,
            "new": self.new,
            "unknown": self.unknown,
            "unmatched": self.unmatched,
            "kept": self.kept,
        }


def query_document(query: Term) -> str | Mapping[str, Any]:
    """Return a query as judgments name it: an image by its id alone, others as a document without weight."""
    document = query.to_dict()
    del document["weight"]
    return str(document["id"]) if set(document) == {"id"} else document


def query_key(query: Term) -> str:
    """Return a text that two queries share if and only if they are the same."""
    document = query_document(query)
    return document if isinstance(document, str) else json.dumps(document, sort_keys=True)


def query_of(key: str) -> Term:
    """Return the query of a key."""
    return Term.from_dict(json.loads(key) if key.startswith("{") else {"id": key})


def as_text(time: datetime.datetime) -> str:
    """Write a time of UTC as ISO 8601 has it."""
    return time.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
