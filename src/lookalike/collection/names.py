"""What a collection has several of, each under a name."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator

from lookalike.images.finding.spelling import composed


class Names(ABC):
    """Something of which there are several, by name: iterated over, counted, and asked for membership."""

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names of those that are there."""

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self.names())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.names())

    def __contains__(self, name: object) -> bool:
        """Tell whether there is one of a name."""
        return isinstance(name, str) and composed(name) in self.names()

    def __repr__(self) -> str:
        """Return the class and the names."""
        return f"{type(self).__name__}({', '.join(self.names())})"


class KeptNames(Names):
    """Names that were asked for by a call, before what they name had methods of its own."""

    def __call__(self) -> list[str]:
        """Return the names; to be written as `names` now."""
        word = type(self).__name__.lower()
        warnings.warn(
            f"Collection.{word}() is Collection.{word}.names() now", DeprecationWarning, stacklevel=2
        )
        return self.names()
