"""Groups of duplicates, with what is suggested to be kept of each; and what comparing the images came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

from lookalike.duplicates.kinds import DuplicateKind
from lookalike.results.documents import Result, rounded
from lookalike.results.notebook import show_facts
from lookalike.results.sync import Failure
from lookalike.system.checked_calls import checked
from lookalike.system.tables import Columns, Table
from lookalike.system.wording import count_of
from lookalike.types import ImageId, format_id


@checked
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
        Whether it is to stay: by what was decided, else by the rules. Of what was only taken together, or is
        of a series, all are, unless it was decided otherwise.
    size : int
        Bytes.
    """

    path: str
    stored_path: str
    keep: bool
    size: int = 0

    def to_dict(self, path: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {"path": path(self.path), "keep": self.keep}


@checked
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
        The one to keep of them first.
    width, height : int
        Pixels.
    """

    id: ImageId
    probability: float
    turn: int
    kind: DuplicateKind
    files: tuple[DuplicateFile, ...]
    width: int = 0
    height: int = 0

    def to_dict(self, path: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "id": format_id(self.id),
            "probability": rounded(self.probability),
            "turn": self.turn,
            "files": [each.to_dict(path) for each in self.files],
        }


@checked
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
    because : str
        Why the first file is the one to keep: the rule that told it from the others, in words.
    is_decided : bool
        Whether something was decided of each of the others.
    """

    kind: DuplicateKind
    probability: float
    images: tuple[DuplicateImage, ...]
    because: str = ""
    is_decided: bool = False

    @property
    def files(self) -> tuple[DuplicateFile, ...]:
        """All files of its images."""
        return tuple(file for image in self.images for file in image.files)

    @property
    def n_bytes_freed(self) -> int:
        """Bytes of the files that are not to be kept."""
        return sum(file.size for file in self.files if not file.keep)

    def to_dict(self, path: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "kind": self.kind,
            "probability": rounded(self.probability),
            "images": [each.to_dict(path) for each in self.images],
        }


@dataclass(frozen=True, slots=True)
class DuplicateGroups(Table, Result, Sequence[DuplicateGroup]):
    """The groups of duplicates of a collection.

    Attributes
    ----------
    groups : tuple of DuplicateGroup
        Identical ones first, then by kind and probability.
    n_compared : int
        How many images were compared with all others.
    n_new : int
        How many images of the collection were not.
    n_decided : int
        How many groups are left out, as something was decided of all that is in them.
    """

    groups: tuple[DuplicateGroup, ...]
    n_compared: int = 0
    n_new: int = 0
    n_decided: int = 0

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

    def __repr__(self) -> str:
        n = sum(len(group.files) for group in self.groups)
        return f"<DuplicateGroups: {count_of(len(self), 'group')} of {count_of(n, 'file')}>"

    @property
    def n_bytes_freed(self) -> int:
        """Bytes of the files that are not to be kept."""
        return sum(group.n_bytes_freed for group in self.groups)

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return them as a document of JSON."""
        return {"groups": [each.to_dict(path) for each in self.groups]}

    def _columns(self) -> Columns:
        """Return a row a file."""
        rows = [
            (number, group, image, file)
            for number, group in enumerate(self.groups)
            for image in group.images
            for file in image.files
        ]
        return {
            "group": [number for number, _, _, _ in rows],
            "kind": [group.kind for _, group, _, _ in rows],
            "id": [format_id(image.id) for _, _, image, _ in rows],
            "image_kind": [image.kind for _, _, image, _ in rows],
            "probability": [float(image.probability) for _, _, image, _ in rows],
            "turn": [image.turn for _, _, image, _ in rows],
            "width": [image.width for _, _, image, _ in rows],
            "height": [image.height for _, _, image, _ in rows],
            "bytes": [file.size for _, _, _, file in rows],
            "keep": [file.keep for _, _, _, file in rows],
            "path": [file.path for _, _, _, file in rows],
        }


@dataclass(frozen=True, slots=True)
class DuplicatesReport(Result):
    """What comparing the images of a collection came to.

    Attributes
    ----------
    n_images : int
        How many the collection has.
    n_new : int
        How many of them were compared with all others now.
    n_pairs : int
        How many pairs that are alike were found now.
    n_left_out : int
        How many of the new images have so many candidates that only the closest were compared.
    failures : tuple of Failure
        Images that could not be compared, and why.
    seconds : float
    anew : tuple of str
        What was there and could not be used, as it is damaged or of another version: it was made anew.
    """

    n_images: int
    n_new: int
    n_pairs: int
    n_left_out: int = 0
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0
    anew: tuple[str, ...] = ()

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "images": self.n_images,
            "new": self.n_new,
            "pairs": self.n_pairs,
            "left_out": self.n_left_out,
            "failures": [each.to_dict(path) for each in self.failures],
            "seconds": round(self.seconds, 3),
            "anew": list(self.anew),
        }

    def __repr__(self) -> str:
        return (
            f"<DuplicatesReport: {self.n_new:,} new of {count_of(self.n_images, 'image')},"
            f" {count_of(self.n_pairs, 'pair')} alike>"
        )

    def _repr_html_(self) -> str:
        """Show the counts in a notebook."""
        facts = {"images": self.n_images, "new": self.n_new, "pairs alike": self.n_pairs}
        return show_facts("duplicates", facts | {"seconds": round(self.seconds, 1)})
