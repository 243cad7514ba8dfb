"""What the files of a collection say of their images: dates, cameras, places, keywords, ratings."""

from __future__ import annotations

import datetime
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lookalike.errors import CollectionConflictError, QueryNotFoundError
from lookalike.hints import Hint
from lookalike.images.metadata.metadata import Metadata
from lookalike.query.checking import near_misses
from lookalike.store import Store
from lookalike.system.wording import frequencies

SAID_COLUMNS = (
    "taken",
    "taken_offset",
    "camera",
    "lens",
    "latitude",
    "longitude",
    "keywords",
    "rating",
    "caption",
)
"""Of the table of images; `metadata_of` makes sense of them."""

# Images of data sets come without a file that could say anything.
_UNREAD = "reader IS NULL AND format <> 'PIXELS'"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the files of a collection say of their images, taken together.

    Attributes
    ----------
    earliest, latest : datetime.datetime or None
        When images were taken, as the cameras' clocks showed it.
    dated, placed : int
        How many images say when, and where, they were taken.
    cameras, lenses, keywords : dict of str to int
        Images by each, most frequent first. Keywords that differ in case only are one.
    ratings : dict of int to int
        Images by stars, most stars first; -1 for those that were rejected.
    unread : int
        Images that an earlier lookalike took in, so that what they say is not known yet; see
        `Collection.sync`.
    """

    earliest: datetime.datetime | None = None
    latest: datetime.datetime | None = None
    dated: int = 0
    placed: int = 0
    cameras: Mapping[str, int] = field(default_factory=dict)
    lenses: Mapping[str, int] = field(default_factory=dict)
    keywords: Mapping[str, int] = field(default_factory=dict)
    ratings: Mapping[int, int] = field(default_factory=dict)
    unread: int = 0


def metadata_of(row: Mapping[str, Any]) -> Metadata:
    """Return what a row of the table of images keeps of what the file says."""
    names = ("taken", "camera", "lens", "latitude", "longitude", "rating", "caption")
    return Metadata(
        **{name: row[name] for name in names},
        offset=row["taken_offset"],
        keywords=tuple(row["keywords"] or ()),
    )


def summarize_facts(store: Store) -> Facts:
    """Say what the files say of their images, taken together."""
    import pyarrow.compute as pc

    rows = store.images.read([name for name in SAID_COLUMNS if name != "caption"])
    span = pc.min_max(rows["taken"]).as_py()
    ratings = Counter(rows["rating"].drop_null().to_pylist())
    return Facts(
        earliest=span["min"],
        latest=span["max"],
        dated=pc.count(rows["taken"]).as_py(),
        placed=len(rows["longitude"].drop_null()),
        cameras=frequencies(rows["camera"].drop_null().to_pylist()),
        lenses=frequencies(rows["lens"].drop_null().to_pylist()),
        keywords=_count_keywords(pc.list_flatten(rows["keywords"]).drop_null().to_pylist()),
        ratings=dict(sorted(ratings.items(), reverse=True)),
        unread=count_unread(store),
    )


def _count_keywords(keywords: Sequence[str]) -> dict[str, int]:
    """Count keywords, those that a filter holds to be the same as one, in the spelling that is most usual."""
    spellings: dict[str, str] = {}
    counts = Counter[str]()
    for keyword, count in frequencies(keywords).items():
        counts[spellings.setdefault(fold(keyword), keyword)] += count
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def count_unread(store: Store) -> int:
    """Count the images that an earlier lookalike took in, which read nothing but their pixels."""
    if "reader" in store.images.missing_columns():
        return store.images.count()
    return len(store.images.read(["id"], _UNREAD))


def check_facts_known(store: Store) -> None:
    """Raise CollectionError where an earlier lookalike made the collection."""
    if "taken" in store.images.missing_columns():
        raise CollectionConflictError(
            f"the collection in {store.folder} was made by an earlier lookalike, which kept no dates,"
            " cameras, places, keywords and ratings",
            hint=Hint("sync", then=" once, it reads them from the images' files"),
        )


def fold(word: str) -> str:
    r"""Return a word as it is compared: its case, how its accents are coded, and spaces around do not count.

    >>> fold(" E\u0301TE\u0301") == fold("été")
    True
    """
    folded = unicodedata.normalize("NFC", word).casefold()
    return unicodedata.normalize("NFC", folded).strip()


@dataclass(frozen=True, slots=True)
class Said:
    """A column of words of the table of images that is searched without regard to case.

    Attributes
    ----------
    is_meant : callable
        Whether a value, folded, is what a word, folded, asks for.
    missing : str
        What to say of a word that asks for no image.
    plural : str
        What `lookalike info` calls them.
    """

    column: str
    is_meant: Callable[[str, str], bool]
    missing: str
    plural: str


def _holds(value: str, word: str) -> bool:
    return word in value


def _is(value: str, word: str) -> bool:
    return word == value


SAID = {
    "cameras": Said("camera", _holds, "no image here was taken with a camera called", "cameras"),
    "lenses": Said("lens", _holds, "no image here was taken with a lens called", "lenses"),
    "keywords": Said("keywords", _is, "no image here has the keyword", "keywords"),
}
"""By attribute of a filter."""


def codes_that_say(
    said: Said, words: Sequence[str], values: Sequence[str], folded: Sequence[str]
) -> list[int]:
    """Return which of the values that there are say one of some words.

    Parameters
    ----------
    said : Said
    words : sequence of str
    values, folded : sequence of str
        All that the images of the collection say, as they stand and folded.

    Raises
    ------
    QueryError
        For a word that no image says.
    """
    codes: set[int] = set()
    for word in words:
        meant = {code for code, value in enumerate(folded) if said.is_meant(value, fold(word))}
        if not meant:
            raise _not_said(said, word, values)
        codes |= meant
    return sorted(codes)


def _not_said(said: Said, word: str, values: Sequence[str]) -> QueryNotFoundError:
    """Return the error that no image says a word."""
    if not values:
        return QueryNotFoundError(f"{said.missing} {word!r}: no image's file names any {said.plural}")
    # Part of a name is asked for, so it is like part of a name: as many words of it, in a row.
    n = len(word.split())
    parts = {
        fold(part): part
        for value in sorted(values)
        for part in ([value] if said.is_meant is _is else _runs(value.split(), n))
    }
    close = near_misses(fold(word), parts)
    meant = close and f"did you mean {' or '.join(parts[each] for each in close)}?"
    return QueryNotFoundError(
        f"{said.missing} {word!r}", hint=meant or Hint("list_facts", plural=said.plural)
    )


def _runs(words: Sequence[str], n: int) -> list[str]:
    """Return n words in a row, from every place where there are so many.

    >>> _runs(["Canon", "EOS", "5D"], 2)
    ['Canon EOS', 'EOS 5D']
    """
    return [" ".join(words[start : start + n]) for start in range(max(1, len(words) - n + 1))]
