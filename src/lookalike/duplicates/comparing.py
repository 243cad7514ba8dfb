"""Two pictures compared, without a collection: what one is to the other, how surely, and where they differ.

The second is laid on the first in every turn, as `verifying` does it for the pairs of a collection; the best
fit counts. What a collection tells by its other pictures, that two pages are of one template, is not known
here: such pages are called edited.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from lookalike.duplicates.comparison import ComparedImage, Comparison
from lookalike.duplicates.differing import share_differing, share_of_other
from lookalike.duplicates.kinds import KINDS, DuplicateKind
from lookalike.errors import (
    FetchError,
    ImageError,
    QueryInputError,
    QueryNotFoundError,
    QueryUnreachableError,
)
from lookalike.query.embedding import read_file_of
from lookalike.query.pictures import describe_kind
from lookalike.query.reading import Query, read_query
from lookalike.query.terms import ImageFile, Pixels, Url, Words
from lookalike.system.checked_calls import checked

if TYPE_CHECKING:
    from PIL.Image import Image

    from lookalike.duplicates.verdicts import ImageFacts
    from lookalike.duplicates.verifying import Alignment
    from lookalike.images.metadata.metadata import Metadata

SIDE = 1_024
"""The longer side of what differences are looked for in, pixels, at most."""

_SURE = 0.9  # a turn in which they fit so surely is not looked beyond
_LIKELY = 0.5  # less than this, they are called different


@checked
def compare(a: Query, b: Query, *, allow_private: bool = False) -> Comparison:
    """Say what two pictures are to each other, without a collection.

    Parameters
    ----------
    a, b : path, URL, bytes, image of Pillow's, open file, or (height, width, 1 to 4) array
        As `Collection.search` takes pictures.
    allow_private : bool
        Whether URLs may name addresses of the local network.

    Raises
    ------
    QueryError
        If one of them is no picture, or cannot be read.

    Examples
    --------
    >>> from PIL import Image
    >>> found = compare(Image.new("L", (64, 64), 30), Image.radial_gradient("L"))
    >>> found.kind, found.alignment
    (None, None)
    """
    first, second = (_read(each, name, allow_private) for each, name in ((a, "a"), (b, "b")))
    same_bytes = first.data is not None and first.data == second.data
    same_pixels = same_bytes or (
        first.whole.size == second.whole.size
        and bool(np.array_equal(np.asarray(first.whole), np.asarray(second.whole)))
    )
    alignment, kind, probability = _align(first, second)
    if same_pixels:
        kind, probability = "identical" if same_bytes else "same", 1.0
    if probability < _LIKELY or kind is None:
        return Comparison(first.shown, second.shown, None, probability)
    if alignment is None:  # a picture of one color
        return Comparison(first.shown, second.shown, kind, probability, 1, None, 1.0, same_bytes, same_pixels)
    return Comparison(
        first.shown,
        second.shown,
        kind,
        probability,
        1 if same_pixels else alignment.turn,
        alignment,
        1.0 if same_pixels else share_of_other(alignment),
        same_bytes,
        same_pixels,
        0.0 if same_pixels else share_differing(first.shown.image, second.shown.image, alignment),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """A picture as it was given: its file, if it is one, all its pixels, what its file says, what is kept."""

    data: bytes | None
    whole: Image
    metadata: Metadata
    shown: ComparedImage


def _read(given: Query, which: str, allow_private: bool) -> _Given:
    """Read a picture, from wherever it is."""
    from PIL import Image as Pillow

    from lookalike.images import decode, make_thumbnail
    from lookalike.images.metadata.metadata import NO_METADATA
    from lookalike.images.metadata.reading import read_metadata

    called = "the first" if which == "a" else "the second"
    term = read_query(given)
    if isinstance(term, Words):
        raise QueryNotFoundError(
            f"there is no file {term.words!r}; expected an image file or a URL", field=which
        )
    if not isinstance(term, ImageFile | Url | Pixels):
        raise QueryInputError(
            f"{which} is {describe_kind(given)}; expected an image file, a URL, or a picture in memory",
            field=which,
        )
    if isinstance(term, Pixels) and term.file is None:
        whole = Pillow.fromarray(term.array)
        shown = ComparedImage(called, None, *whole.size, None, make_thumbnail(whole, SIDE))
        return _Given(None, whole, NO_METADATA, shown)
    location = {ImageFile: "path", Url: "url"}.get(type(term))
    name = called if location is None else os.fspath(getattr(term, location))
    try:
        data = read_file_of(term, allow_private)
        decoded = decode(data, name)
    except FetchError as error:
        raise QueryUnreachableError(f"{which} cannot be fetched: {error}", hint=error.hint) from error
    except ImageError as error:
        if isinstance(term, ImageFile) and not os.path.lexists(name):
            raise QueryNotFoundError(f"there is no file {name!r}", field=which) from error
        raise QueryInputError(f"{which} cannot be read: {error}", field=which) from error
    whole = decoded.image
    short = PurePath(name).name or name
    shown = ComparedImage(
        short, decoded.format, decoded.width, decoded.height, len(data), make_thumbnail(whole, SIDE)
    )
    return _Given(data, whole, read_metadata(data), shown)


def _align(a: _Given, b: _Given) -> tuple[Alignment | None, DuplicateKind | None, float]:
    """Lay one on the other in every turn; return the best fit, what they are by it, and how surely."""
    from lookalike.duplicates.looks import Look
    from lookalike.duplicates.verdicts import verdicts
    from lookalike.duplicates.verifying import align, verify
    from lookalike.images import encode_thumbnail, make_thumbnail

    # As a collection would: its thumbnails are what kinds and probabilities were fitted to.
    one, other = (Look.of(encode_thumbnail(make_thumbnail(each.whole))) for each in (a, b))
    facts = _facts(a.metadata, b.metadata)
    best: tuple[float, float, int, DuplicateKind] | None = None
    for turn in range(1, 9):
        evidence = verify(one, other, turn)
        if not len(evidence):
            continue
        found = verdicts(evidence, facts)
        kind, probability = KINDS[int(found.kinds[0])], float(found.probabilities[0])
        now = (probability, float(evidence["score"][0]), int(evidence["turn"][0]), kind)
        best = now if best is None else max(best, now)
        if probability >= _SURE:
            break
    if best is None:
        return None, None, 0.0
    return align(one, other, best[2]), best[3], best[0]


def _facts(a: Metadata, b: Metadata) -> ImageFacts:
    """Return when the two were taken, and by which camera, as `verdicts` takes it."""
    from lookalike.duplicates.verdicts import ImageFacts

    times = [math.nan if each.taken is None else each.taken.timestamp() for each in (a, b)]
    cameras = [name for name in dict.fromkeys((a.camera, b.camera)) if name is not None]
    numbers = [-1 if each.camera is None else cameras.index(each.camera) for each in (a, b)]
    return ImageFacts(np.arange(2, dtype=np.int64), np.array(times, np.float64), np.array(numbers, np.int32))
