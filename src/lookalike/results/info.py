"""What a collection, a root, an image is."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lookalike.images.metadata.metadata import NO_METADATA, Metadata
from lookalike.query.appearance import Appearance, Color, shape_of
from lookalike.query.facts import Facts
from lookalike.results.clusterings import ClusteringInfo
from lookalike.results.documents import Result, damaged_documents, rounded
from lookalike.results.lookup import NOTHING, Lookup
from lookalike.results.notebook import Card, listing, show_cards, show_facts
from lookalike.results.sync import Failure, Note
from lookalike.results.tags import Tag
from lookalike.system.limits import THUMBNAIL_SIDE
from lookalike.system.wording import count_images
from lookalike.types import FieldValue, ImageId, field_documents, format_id


@dataclass(frozen=True, slots=True)
class RootInfo(Result):
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
    labels : str
        Where labels come from; see `Collection.add_root`.
    exclude : tuple of str
        Globs of names and relative paths that are passed over.
    is_told : bool
        Whether somebody said where labels come from.
    agreement : float or None
        How much labels agree with what images look like: 0 is chance, 1 perfect; None where that was not
        measured.
    has_silent_labels : bool
        Whether it has labels that nobody asked for, and that say nothing of what images show: images are
        found by them, but nothing is named or measured by them.
    """

    name: str
    folder: Path | None
    dataset: str | None
    images: int
    is_there: bool
    labels: str
    exclude: tuple[str, ...]
    is_told: bool = False
    agreement: float | None = None
    has_silent_labels: bool = False

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        return {
            "name": self.name,
            "path": None if self.folder is None else path(str(self.folder)),
            "dataset": self.dataset,
            "images": self.images,
            "is_there": self.is_there,
            "labels": self.labels,
            "labels_told": self.is_told,
            "labels_agreement": rounded(self.agreement, 4),
            "labels_silent": self.has_silent_labels,
            "exclude": list(self.exclude),
        }

    def _repr_html_(self) -> str:
        """Show it in a notebook."""
        return show_facts(self.name, self.to_dict() | {"exclude": ", ".join(self.exclude)})


@dataclass(frozen=True, slots=True)
class Info(Result):
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
    exclude : mapping of Path to tuple of str
        What is passed over of each root of which anything is: globs of names and relative paths.
    unused_labels : dict of str to int
        Files by those labels of folders that say nothing of what images show, and are not in `labels`.
    label_note : str or None
        Says so, where there are any.
    sizes : mapping of str to int
        The same bytes by part: thumbnails, vectors, indexes, old versions of tables, and the rest.
    thumbnail_side : int
        Longer side of the thumbnails that are made from now on, pixels.
    tags : mapping of str to int
        How many images most probably show what, as the network takes them, most frequent first.
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
    exclude: Mapping[Path, tuple[str, ...]] = field(default_factory=dict)
    unused_labels: dict[str, int] = field(default_factory=dict)
    label_note: str | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    thumbnail_side: int = THUMBNAIL_SIDE
    tags: Mapping[str, int] = field(default_factory=dict)

    @property
    def looks(self) -> Appearance | None:
        """The old name of `appearance`."""
        warnings.warn("Info.looks is called Info.appearance now", DeprecationWarning, stacklevel=2)
        return self.appearance

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        return {
            "collection": path(str(self.folder)),
            "roots": [path(str(root)) for root in self.roots],
            "exclude": {path(str(root)): list(globs) for root, globs in self.exclude.items()},
            "datasets": list(self.datasets),
            "files": self.files,
            "images": self.images,
            "model": self.model,
            "models": dict(self.models),
            "formats": dict(self.formats),
            "labels": dict(self.labels),
            "unused_labels": dict(self.unused_labels),
            "label_note": self.label_note and tell(self.label_note),
            "fields": dict(self.fields),
            "failed": len(self.failures),
            "failures": [each.to_dict(path) for each in self.failures],
            "notes": [each.to_dict(path) for each in self.notes],
            "clusterings": [each.to_dict(path, tell) for each in self.clusterings]
            + damaged_documents(self.damaged, tell),
            "bytes": self.size,
            "bytes_by_part": {name.replace(" ", "_"): size for name, size in self.sizes.items()},
            "thumbnail_side": self.thumbnail_side,
            "looks": None if self.appearance is None else _appearance(self.appearance),
            "metadata": _facts(self.facts),
            "tags": dict(self.tags),
        }

    def __repr__(self) -> str:
        return f"<Info: {count_images(self.images)} in {self.files:,} files, {self.folder}>"

    def _repr_html_(self) -> str:
        """Show it in a notebook."""
        facts = {
            "images": f"{self.images:,} in {self.files:,} files",
            "roots": ", ".join(map(str, self.roots)),
            "data sets": ", ".join(self.datasets),
            "models": listing(self.models),
            "formats": listing(self.formats),
            "labels": listing(self.labels),
            "tags": listing(self.tags),
            "clusterings": listing(each.name for each in self.clusterings),
            "failed": len(self.failures) or None,
            "thumbnails": None if self.thumbnail_side == THUMBNAIL_SIDE else f"{self.thumbnail_side} pixels",
            "size": f"{self.size / 1e6:,.1f} MB",
            **{f"of it {name}": f"{size / 1e6:,.1f} MB" for name, size in self.sizes.items()},
        }
        return show_facts(str(self.folder), facts)


@dataclass(frozen=True, slots=True)
class ImageInfo(Result):
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
        Variance of the Laplacian at 256 pixels on the longer side; 0 for a flat picture.
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
    tags : tuple of Tag
        What it shows, as the network takes it, the likeliest first; none where that was not kept when it was
        embedded, or nothing is likely.
    lookup : Lookup
        The collection behind it, for its thumbnail.
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
    tags: tuple[Tag, ...] = ()
    lookup: Lookup = field(default=NOTHING, repr=False, compare=False)

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

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        said = self.metadata
        return {
            "id": self.hex_id,
            "path": path(self.paths[0]),
            "paths": [path(each) for each in self.paths],
            "labels": list(self.labels),
            "clusters": dict(self.clusters),
            "splits": list(self.splits),
            "format": self.format,
            "width": self.width,
            "height": self.height,
            "aspect": round(self.aspect, 4),
            "shape": self.shape,
            "sharpness": rounded(self.sharpness, 1),
            "colors": _colors(self.colors),
            "models": list(self.models),
            "taken": None if said.taken is None else moment_of(said).isoformat(),
            "camera": said.camera,
            "lens": said.lens,
            "latitude": said.latitude,
            "longitude": said.longitude,
            "keywords": list(said.keywords),
            "rating": said.rating,
            "caption": said.caption,
            "note": self.note,
            "fields": field_documents(self.fields),
            "keys": list(self.keys),
            "tags": [tag.to_dict() for tag in self.tags],
        }

    def _repr_html_(self) -> str:
        """Show it in a notebook."""
        thumbnail = self.lookup.thumbnails([self.id]).get(self.id)
        facts = self.to_dict() | {
            "paths": ", ".join(self.paths[1:]),
            "clusters": ", ".join(self.clusters.values()),
            "colors": ", ".join(color.hex for color in self.colors),
            "tags": ", ".join(map(str, self.tags)),
            "fields": ", ".join(f"{name}: {value}" for name, value in self.fields.items()),
        }
        shown = {
            name: ", ".join(value) if isinstance(value, list) else value for name, value in facts.items()
        }
        title = str(shown.pop("path"))
        return show_cards([Card(thumbnail, "", title)]) + show_facts(title, shown)


def moment_of(metadata: Metadata) -> datetime.datetime:
    """Return when an image was taken, with the time zone of the camera's clock where that is known."""
    assert metadata.taken is not None
    if metadata.offset is None:
        return metadata.taken
    return metadata.taken.replace(tzinfo=datetime.timezone(datetime.timedelta(minutes=metadata.offset)))


def _appearance(seen: Appearance) -> dict[str, Any]:
    ends = ("min", "median", "max")
    return {
        "width": dict(zip(ends, seen.widths, strict=True)),
        "height": dict(zip(ends, seen.heights, strict=True)),
        "shapes": dict(seen.shapes),
        "sharpness": rounded(seen.sharpness, 1),
        "colors": _colors(seen.colors),
    }


def _colors(colors: Sequence[Color]) -> list[dict[str, Any]]:
    return [{"hex": color.hex, "share": color.share} for color in colors]


def _facts(facts: Facts) -> dict[str, Any]:
    return {
        "dated": facts.dated,
        "earliest": None if facts.earliest is None else facts.earliest.isoformat(),
        "latest": None if facts.latest is None else facts.latest.isoformat(),
        "cameras": dict(facts.cameras),
        "lenses": dict(facts.lenses),
        "placed": facts.placed,
        "keywords": dict(facts.keywords),
        "ratings": dict(facts.ratings),
        "unread": facts.unread,
    }
