"""Groups of duplicates, with what is suggested to be kept of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

from lookalike.duplicates.kinds import DuplicateKind
from lookalike.results.documents import Result, rounded
from lookalike.types import ImageId, format_id


@dataclass(frozen=True, slots=True)
class DuplicateFile:
    """A file of an image that has duplicates.

    Attributes
    ----------
    path : str
        Where it lies.
    stored_path : str
        As the collection keeps it, by which decisions name it.
    keep : bool
        Whether it is to stay: by what was decided, else by the rules.
    """

    path: str
    stored_path: str
    keep: bool

    def to_dict(self, path: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {"path": path(self.path), "keep": self.keep}


@dataclass(frozen=True, slots=True)
class DuplicateImage:
    """An image of a group.

    Attributes
    ----------
    id : ImageId
    probability : float
        That it is, to the group's first image, what its kind says; 1 of the first.
    turn : int
        EXIF's orientation, 1 to 8: how it is to be turned to stand as the group's first does.
    kind : str
        What it is to the group's first image; of the first, that of the group.
    files : tuple of DuplicateFile
    """

    id: ImageId
    probability: float
    turn: int
    kind: DuplicateKind
    files: tuple[DuplicateFile, ...]

    def to_dict(self, path: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "id": format_id(self.id),
            "probability": rounded(self.probability),
            "turn": self.turn,
            "files": [each.to_dict(path) for each in self.files],
        }


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Images that are one picture, or were taken together.

    Attributes
    ----------
    kind : str
        That of the weakest link.
    probability : float
        That of the weakest link.
    images : tuple of DuplicateImage
        The one to keep is the first: each of the others was laid on it.
    """

    kind: DuplicateKind
    probability: float
    images: tuple[DuplicateImage, ...]

    def to_dict(self, path: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "kind": self.kind,
            "probability": rounded(self.probability),
            "images": [each.to_dict(path) for each in self.images],
        }


@dataclass(frozen=True, slots=True)
class DuplicateGroups(Result, Sequence[DuplicateGroup]):
    """The groups of duplicates of a collection.

    Attributes
    ----------
    groups : tuple of DuplicateGroup
        Identical ones first, then by kind and probability.
    n_compared : int
        How many images were compared with all others.
    n_new : int
        How many images of the collection were not.
    """

    groups: tuple[DuplicateGroup, ...]
    n_compared: int = 0
    n_new: int = 0

    def __len__(self) -> int:
        """Return how many groups there are."""
        return len(self.groups)

    @overload
    def __getitem__(self, index: int) -> DuplicateGroup: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[DuplicateGroup, ...]: ...
    def __getitem__(self, index: int | slice) -> DuplicateGroup | tuple[DuplicateGroup, ...]:
        """Return a group, or some."""
        return self.groups[index]

    def __iter__(self) -> Iterator[DuplicateGroup]:
        """Go through the groups."""
        return iter(self.groups)

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return them as a document of JSON."""
        return {"groups": [each.to_dict(path) for each in self.groups]}
