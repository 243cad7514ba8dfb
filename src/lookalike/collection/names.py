"""What a collection has several of, each under a name."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Protocol

from lookalike.errors import CollectionConflictError, CollectionNotFoundError
from lookalike.hints import Hint
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


class _Stored(Protocol):
    """The folders of what is kept under names."""

    def names(self) -> list[str]: ...

    def check_there(self, name: str) -> None: ...

    def delete(self, name: str) -> None: ...


class KeptNames(Names):
    """What is kept in folders, under names that its user may have given."""

    _kind: ClassVar[str]  # what each is, in one word
    _usual: ClassVar[str]  # the name of one that was made without giving a name

    @abstractmethod
    def _stored(self) -> _Stored:
        """Return the folders, as they are now."""

    def names(self) -> list[str]:
        """Return the names of those that are kept."""
        return self._stored().names()

    def usual(self, name: str | None = None) -> str:
        """Return the name of the one that is meant.

        Parameters
        ----------
        name : str, optional
            The one that was named, if any; else the one that has its name by default, or the only one.

        Raises
        ------
        CollectionError
            If there is none of that name, none at all, or several, none of which has its name by default.
        """
        stored = self._stored()
        if name is not None:
            stored.check_there(name)
            return composed(name)
        names = stored.names()
        if self._usual in names:
            return self._usual
        if len(names) == 1:
            return names[0]
        if names:
            raise CollectionConflictError(
                f"there are several {self._kind}s: {', '.join(names)}", hint="name one"
            )
        raise CollectionNotFoundError(
            f"there is no {self._kind} in this collection yet", hint=Hint(f"make_first_{self._kind}")
        )

    def delete(self, name: str) -> None:
        """Delete one, damaged or not.

        Raises
        ------
        CollectionError
            If there is none of that name.
        """
        self._stored().delete(name)

    def __call__(self) -> list[str]:
        """Return the names: what `Collection.clusterings` and `Collection.maps` were, as methods."""
        word = f"Collection.{self._kind}s"
        warnings.warn(f"{word}() is {word}.names() now", DeprecationWarning, stacklevel=2)
        return self.names()
