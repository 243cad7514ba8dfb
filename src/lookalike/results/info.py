"""What a collection, a root, an image is."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lookalike.images.metadata.metadata import NO_METADATA, Metadata
from lookalike.query.appearance import Appearance, Color, shape_of
from lookalike.query.facts import Facts
from lookalike.results.clusterings import ClusteringInfo
from lookalike.results.sync import Failure, Note
from lookalike.types import FieldValue, ImageId, format_id


@dataclass(frozen=True, slots=True)
class RootInfo:
    """A folder, or a data set, that a collection is made of.

    Attributes
    ----------
    name : str
        What the collection calls it.
    folder : Path or None
        Where it lies, absolute; None for a data set.
    dataset : str or None
        The data set.
    images : int
        How many images of the collection lie in it.
    is_there : bool
        Whether the folder is there now; data sets are.
    labels : {"folders", "none"}
        Whether the name of the folder that an image lies in is its label.
    exclude : tuple of str
        Globs of names and relative paths that are passed over.
    """

    name: str
    folder: Path | None
    dataset: str | None
    images: int
    is_there: bool
    labels: str
    exclude: tuple[str, ...]


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
    appearance : Appearance or None
        Sizes, shapes, sharpness and colours of all images together; None if there are none.
    clusterings : tuple of ClusteringInfo
        By name.
    damaged : dict of str to str
        Clusterings that cannot be read, and what is wrong.
    facts : Facts
        Dates, cameras, places, keywords and ratings, as the files say.
    notes : tuple of Note
        Files of which a part is missing.
    added : int
        Keys that images were added under by call.
    fields : mapping of str to str
        The user's own columns, and what they hold.
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
    appearance: Appearance | None = None
    clusterings: tuple[ClusteringInfo, ...] = ()
    damaged: dict[str, str] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    notes: tuple[Note, ...] = ()
    added: int = 0
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def looks(self) -> Appearance | None:
        """The old name of `appearance`."""
        warnings.warn("Info.looks is called Info.appearance now", DeprecationWarning, stacklevel=2)
        return self.appearance


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a collection knows of one image.

    Attributes
    ----------
    id : ImageId
    paths : tuple of str
        Every place where it lies; absolute for files.
    labels, splits : tuple of str
        Of those places, each once; see `lookalike.types.Hit` for what is a label.
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
    clusters : mapping of str to str
        The clusters with a name that it is in: clustering to name, the one changed last first.
    metadata : Metadata
        What its file says of it.
    knows_metadata : bool
        False where an earlier lookalike took it in and it has not been synced since, so that `metadata` is
        empty.
    note : str or None
        What is missing of the picture, as its file is damaged, but could be read all the same.
    fields : mapping of str to FieldValue
        What the user says of it in columns of his own: of the file that was asked for, else of the first.
    keys : tuple of str
        Those that it was added under by call.
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
    clusters: Mapping[str, str] = field(default_factory=dict, hash=False)
    metadata: Metadata = NO_METADATA
    knows_metadata: bool = True
    note: str | None = None
    fields: Mapping[str, FieldValue] = field(default_factory=dict, hash=False)
    keys: tuple[str, ...] = ()

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
