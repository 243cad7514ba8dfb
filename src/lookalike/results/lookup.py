"""What a result looks up in its collection when somebody looks at it: thumbnails, and where images lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

from lookalike.types import ImageId


class Lookup:
    """The collection behind a result, as it was when it answered. Pickled, there is none behind it.

    Parameters
    ----------
    thumbnails : callable
        Gives the thumbnails of images, as JPEG files; those that are missing are passed over.
    paths : callable
        Gives the paths of images, by their ids; those that lie nowhere are passed over.
    """

    __slots__ = ("paths", "thumbnails")

    def __init__(
        self,
        thumbnails: Callable[[Iterable[ImageId]], Mapping[ImageId, bytes]],
        paths: Callable[[Iterable[int]], Mapping[int, Sequence[str]]],
    ) -> None:
        self.thumbnails = thumbnails
        self.paths = paths

    def fetched(self, images: Iterable[ImageId]) -> Lookup:
        """Return one that has the thumbnails of some images, all read at once."""
        found = self.thumbnails(images)
        return Lookup(lambda wanted: found, self.paths)

    def __repr__(self) -> str:
        return "Lookup()" if self is NOTHING else "Lookup(…)"

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Callable[[], Lookup], tuple[()]]:
        return _nothing, ()


NOTHING = Lookup(lambda images: {}, lambda images: {})
"""No collection."""


def _nothing() -> Lookup:
    return NOTHING
