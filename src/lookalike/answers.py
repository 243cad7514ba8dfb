"""What a collection answers: the results of a sync, of a search, and of a look at it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lookalike.looks import Color, Looks, shape_of
from lookalike.query import EmbeddedQuery
from lookalike.types import Hit, ImageId, format_id


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that is in the folder but could not be taken into the collection, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, or with ``dry_run`` would do.

    Attributes
    ----------
    added, changed, moved, removed, unchanged : int
        Files, by what became of them. A file that fails is in none of these, but counts as removed if it
        was in the collection before.
    embedded : int
        Images that went through the network. Copies and renamed files do not.
    failures : tuple of Failure
        All files that fail now, not only the new ones.
    seconds : float
    """

    added: int
    embedded: int
    changed: int
    moved: int
    removed: int
    unchanged: int
    failures: tuple[Failure, ...]
    seconds: float

    @property
    def failed(self) -> int:
        """How many files fail now."""
        return len(self.failures)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer of a search.

    Attributes
    ----------
    hits : tuple of Hit
        Nearest first.
    model, index : str
        What answered; both ``color`` where only colours were asked for.
    queries, unwanted : tuple of EmbeddedQuery
        What was asked.
    colors : tuple of str
        Colours that were asked for, as ``#rrggbb``.
    """

    hits: tuple[Hit, ...]
    model: str
    index: str
    queries: tuple[EmbeddedQuery, ...]
    unwanted: tuple[EmbeddedQuery, ...] = ()
    colors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Info:
    """What a collection holds.

    Attributes
    ----------
    folder : Path
        The ``.lookalike`` folder.
    roots : tuple of Path
        Folders of images.
    datasets : tuple of str
        Data sets that were added by name.
    files, images : int
        Content that lies in several places is one image.
    models : dict of str to int
        Images embedded, by model; the default one first.
    model : str
        The default model.
    formats, labels : dict of str to int
        Images by format; files by label. Most frequent first.
    failures : tuple of Failure
    size : int
        Bytes on the disk.
    looks : Looks or None
        Sizes, shapes, sharpness and colours of all images together; None if there are none.
    """

    folder: Path
    roots: tuple[Path, ...]
    datasets: tuple[str, ...]
    files: int
    images: int
    models: dict[str, int]
    model: str
    formats: dict[str, int]
    labels: dict[str, int]
    failures: tuple[Failure, ...]
    size: int
    looks: Looks | None = None


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a collection knows of one image.

    Attributes
    ----------
    id : ImageId
    paths : tuple of str
        Every place where it lies; absolute for files.
    labels, splits : tuple of str
        Of those places, each once.
    format : str
    width, height : int
        Upright, pixels.
    colors : tuple of Color
        What it is made of, the largest share first; none, as of `sharpness`, where an earlier lookalike
        made the collection and it has not been synced since.
    sharpness : float or None
        Variance of the Laplacian at thumbnail size; 0 for a flat picture.
    models : tuple of str
        Which have embedded it.
    """

    id: ImageId
    paths: tuple[str, ...]
    labels: tuple[str, ...]
    splits: tuple[str, ...]
    format: str
    width: int
    height: int
    colors: tuple[Color, ...]
    sharpness: float | None
    models: tuple[str, ...]

    @property
    def hex_id(self) -> str:
        """The id as people and JSON see it."""
        return format_id(self.id)

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width / self.height

    @property
    def megapixels(self) -> float:
        """Width times height, in millions."""
        return self.width * self.height / 1e6

    @property
    def shape(self) -> str:
        """Landscape, portrait or square; see `lookalike.Filter`."""
        return shape_of(self.width, self.height)
