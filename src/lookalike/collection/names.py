"""What a collection has several of, each under a name."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from lookalike.collection.resources import Opener, Resources
from lookalike.collection.stored.named_folders import NamedFolders, read_each
from lookalike.errors import CollectionConflictError, CollectionNotFoundError
from lookalike.hints import Hint
from lookalike.images.finding.spelling import composed
from lookalike.system.checked_calls import checked

T = TypeVar("T")

Listed = tuple[list[T], dict[str, str]]  # what `list` gives, which hides Python's own in the class


@checked
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


@checked
class KeptNames(Names, Generic[T]):
    """What is kept in folders, under names that its user may have given."""

    _usual: ClassVar[str]  # the name of one that was made without giving a name

    def __init__(self, resources: Opener) -> None:
        self._resources = resources

    @abstractmethod
    def _stored(self, resources: Resources) -> NamedFolders[Any]:
        """Return the folders."""

    @abstractmethod
    def _read(self, resources: Resources, name: str) -> T:
        """Return one as users see it."""

    def names(self) -> list[str]:
        """Return the names of those that are kept."""
        return self._stored(self._resources()).names()

    def get(self, name: str) -> T:
        """Return one that is kept, as far as its images are still there.

        Raises
        ------
        CollectionError
            If there is none of that name.
        StoreError
            If it is damaged.
        """
        return self._read(self._resources(), name)

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
        stored = self._stored(self._resources())
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
                f"there are several {stored.kind}s: {', '.join(names)}", hint="name one"
            )
        raise CollectionNotFoundError(
            f"there is no {stored.kind} in this collection yet", hint=Hint(f"make_first_{stored.kind}")
        )

    def delete(self, name: str) -> None:
        """Delete one, damaged or not.

        Raises
        ------
        CollectionError
            If there is none of that name.
        """
        self._stored(self._resources()).delete(name)

    def list(self) -> Listed[T]:
        """Return all that are kept.

        Returns
        -------
        kept : list
            By name.
        damaged : dict of str to str
            By the names of those that cannot be read, what is wrong with them.
        """
        resources = self._resources()
        return read_each(self._stored(resources).names(), lambda name: self._read(resources, name))

    def __call__(self) -> Sequence[str]:
        """Return the names: what `Collection.clusterings` and `Collection.maps` were, as methods."""
        stored = self._stored(self._resources())
        word = f"Collection.{stored.kind}s"
        warnings.warn(f"{word}() is {word}.names() now", DeprecationWarning, stacklevel=2)
        return stored.names()
