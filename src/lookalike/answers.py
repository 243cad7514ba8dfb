"""What a collection answers: the results of a sync, of a search, and of a look at it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.evaluate import ClassScores, ClusteringScores, Comparison, Confusions, Estimate
from lookalike.images.finding.passed_over import PassedOver
from lookalike.images.metadata.metadata import NO_METADATA, Metadata
from lookalike.query.appearance import Appearance, Color, shape_of
from lookalike.query.embedding import EmbeddedQuery
from lookalike.query.facts import Facts
from lookalike.types import Hit, Ids, ImageId, Metric, Vectors, format_id

if TYPE_CHECKING:
    from lookalike.train import Trained


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that is in the folder but could not be taken into the collection, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """A file that is in the collection although a part of it is missing, and what that is."""

    path: str
    note: str


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, or with ``dry_run`` would do.

    Attributes
    ----------
    added, changed, moved, removed, unchanged : int
        Files, by what became of them. A file that fails is in none of these, but for one that has changed
        and is no image any more: it counts as removed. What could only not be read now stays.
    embedded : int
        Images that went through the network. Copies and renamed files do not.
    failures : tuple of Failure
        All files that fail now, not only the new ones.
    seconds : float
    refreshed : int
        Files that were read again: for `reread`, or because an earlier version had read them. They are in
        one of the counts above, too.
    doubtful : int
        With ``dry_run``, which opens no file: how many of the counts above are guesses. The content of these
        files would be compared, since they may have been touched or changed, or be others under a new name;
        they are counted as unchanged or moved.
    notes : tuple of Note
        All files of which a part is missing, not only the new ones. None of them has failed.
    passed_over : mapping of str to PassedOver
        By kind, such as ``videos``, how many files and folders were not looked at, or are no pictures of
        the user's. Hidden ones do not count.
    unmet_excludes : frozenset of str
        What is to be excluded, but nothing that was looked at is it.
    """

    added: int
    embedded: int
    changed: int
    moved: int
    removed: int
    unchanged: int
    failures: tuple[Failure, ...]
    seconds: float
    refreshed: int = 0
    doubtful: int = 0
    notes: tuple[Note, ...] = ()
    passed_over: Mapping[str, PassedOver] = field(default_factory=dict, hash=False)
    unmet_excludes: frozenset[str] = frozenset()

    @property
    def failed(self) -> int:
        """How many files fail now."""
        return len(self.failures)


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model that was trained on a collection's images, and what embedding them with it did.

    Attributes
    ----------
    trained : Trained
    synced : SyncReport
    card_file : Path
        Where one can read about it: the data, all settings, the loss of each epoch, the measures.
    """

    trained: Trained
    synced: SyncReport
    card_file: Path


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
    cluster : HitCluster or None
        The cluster that all hits are of, where only those were asked for.
    warnings : tuple of str
        Clusterings that are damaged, so that no hit has their names; images that a filter knows too little
        of.
    """

    hits: tuple[Hit, ...]
    model: str
    index: str
    queries: tuple[EmbeddedQuery, ...]
    unwanted: tuple[EmbeddedQuery, ...] = ()
    colors: tuple[str, ...] = ()
    cluster: HitCluster | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HitCluster:
    """A cluster that a search kept to: whose, its number, and the name that the user gave it, if any."""

    clustering: str
    number: int
    name: str | None


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster of a clustering, or its noise.

    Attributes
    ----------
    number : int
        -1 for noise. It stays the same while other clusters are merged.
    name : str or None
        What the user calls it.
    size : int
        Images.
    cohesion : float or None
        How near its images are to its centre, on average: cosine similarity; euclidean distance for models
        that are compared so. None for noise.
    label : str or None
        The most common label, if any image has one; names that come from this clustering do not count.
    label_share : float or None
        The share of the images that have it.
    central : tuple of Hit
        Up to 12 images nearest to the centre, nearest first, with their distances to it; of noise, those
        nearest to any.
    doubtful : tuple of Hit
        Up to 12 images that another centre is nearest to in comparison, the most doubtful first; none of
        noise, or where there is only one cluster.
    """

    number: int
    name: str | None
    size: int
    cohesion: float | None
    label: str | None
    label_share: float | None
    central: tuple[Hit, ...]
    doubtful: tuple[Hit, ...]

    @property
    def is_noise(self) -> bool:
        """Whether it is what is left over."""
        return self.number < 0

    @property
    def title(self) -> str:
        """Its name, or its number in words."""
        return "noise" if self.is_noise else self.name or f"cluster {self.number}"


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """A clustering of a collection's images, as they are now.

    Attributes
    ----------
    name, model, algorithm : str
    metric : {"cosine", "euclidean"}
    parameters : mapping of str to number
        As they were used, those that were found included.
    random_state : int
    made : str
        When, as ISO 8601.
    is_edited : bool
        Whether clusters were named or merged, or images moved.
    clusters : tuple of Cluster
        The largest first, noise last.
    ids : (n,) int64
        Of its images, rising; those that have left the collection are not among them.
    numbers : (n,) int32
        The cluster of each; -1 for noise.
    distances : (n,) float32
        To the centre; of noise, to the nearest one.
    margins : (n,) float32
        How much farther the nearest other centre is, euclidean; NaN for noise.
    n_unassigned : int
        Images of the collection that came later, and are in no cluster yet.
    scores : ClusteringScores or None
        How it agrees with the labels, where there are two or more.
    notes : tuple of str
        Where this is the answer to a change, in words: which names of clusters went by it.
    """

    name: str
    model: str
    algorithm: str
    metric: Metric
    parameters: Mapping[str, float]
    random_state: int
    made: str
    is_edited: bool
    clusters: tuple[Cluster, ...]
    ids: Ids
    numbers: npt.NDArray[np.int32]
    distances: npt.NDArray[np.float32]
    margins: npt.NDArray[np.float32]
    n_unassigned: int
    scores: ClusteringScores | None
    notes: tuple[str, ...] = ()

    @property
    def n_clusters(self) -> int:
        """Without noise."""
        return sum(not cluster.is_noise for cluster in self.clusters)

    @property
    def n_noise(self) -> int:
        """Images in no cluster."""
        return sum(cluster.size for cluster in self.clusters if cluster.is_noise)


@dataclass(frozen=True, slots=True)
class ClusteringInfo:
    """A clustering that is kept, in short.

    Attributes
    ----------
    name, model, algorithm : str
    n_clusters, n_images : int
        As far as its images are still there; without noise.
    n_noise : int
        Images in no cluster.
    named : tuple of str
        The names that the user gave to clusters.
    """

    name: str
    model: str
    algorithm: str
    n_clusters: int
    n_images: int
    n_noise: int
    named: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ImageMap:
    """A map of a collection's images, as they are now.

    Attributes
    ----------
    name, model : str
    method : str
        A row of `lookalike.projection.MAP_METHODS`.
    metric : {"cosine", "euclidean"}
    perplexity : float or None
        As it was asked for; what was used is among the parameters.
    parameters, figures : mapping of str to number
        As used, and how good the map is; see `lookalike.projection.Projection`.
    random_state : int
    made : str
        When, as ISO 8601.
    images : tuple of Hit
        Of rank 0 and distance 0: they answer no query. Those that have left the collection are not among
        them.
    points : (n, 2) float32
        Row i is that of ``images[i]``; x to the right, y upwards.
    is_placed : (n,) bool
        Which images came later, and were placed on the map that was there.
    n_unplaced : int
        Images of the collection that are not on the map yet.
    """

    name: str
    model: str
    method: str
    metric: Metric
    perplexity: float | None
    parameters: Mapping[str, float]
    figures: Mapping[str, float]
    random_state: int
    made: str
    images: tuple[Hit, ...]
    points: Vectors
    is_placed: npt.NDArray[np.bool_]
    n_unplaced: int


@dataclass(frozen=True, slots=True, eq=False)
class MapUpdate:
    """A map that was brought up to date, and how.

    Attributes
    ----------
    map : ImageMap
    is_new : bool
        Whether it was made now.
    n_placed : int
        How many images came later, and were placed on the map that was there.
    replaced : ImageMap or None
        The map of another kind that was there under its name, if it was made anew in place of one.
    """

    map: ImageMap
    is_new: bool
    n_placed: int = 0
    replaced: ImageMap | None = None


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


@dataclass(frozen=True, slots=True)
class QueryScores:
    """One query of an evaluation, and what it found.

    Attributes
    ----------
    image : Hit
        The query, of rank 0; labels here and in `hits` are those measured against.
    hits : tuple of Hit
        The first, nearest first.
    values : dict of str to float
        Its measures.
    """

    image: Hit
    hits: tuple[Hit, ...]
    values: dict[str, float]


@dataclass(frozen=True, slots=True)
class SearchComparison:
    """Another model or index on the same queries.

    Attributes
    ----------
    model, index : str
        As in `Evaluation`.
    measures : dict of str to Comparison
        By measure: the first is the evaluation itself, the second this one.
    """

    model: str
    index: str
    measures: dict[str, Comparison]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """How well images are found by others of their label.

    Attributes
    ----------
    model : str
    index : str
        What ranked the images: "exact" ranks all of them.
    metric : {"cosine", "euclidean"}
    ks : tuple of int
        Where rankings are cut; all are looked at up to the last.
    labels_from : str
        Where the labels are from, in words.
    unknown : tuple of str
        Paths of a table of labels that are no image of the collection.
    query_split, gallery_split : str or None
    n_images : int
        Searched.
    n_queries : int
        That count; of `n_drawn_from`, where not all were taken.
    n_drawn_from : int
    n_without_relevant : int
        Queries left out since no other image has their label.
    n_unlabelled : int
        Images left out since they have no label.
    n_not_in_all : int
        Images left out since not all models that are compared have embedded them.
    scores : dict of str to Estimate
        The mean of each measure over the queries, with its 95 % interval.
    classes : tuple of ClassScores
        By label.
    confusions : Confusions
    worst : tuple of QueryScores
        The queries of least average precision, the worst first.
    comparisons : tuple of SearchComparison
    ids : (n_queries,) int64
        Of the queries.
    values : dict of str to (n_queries,) float64
        By measure, query by query.
    """

    model: str
    index: str
    metric: Metric
    ks: tuple[int, ...]
    labels_from: str
    unknown: tuple[str, ...]
    query_split: str | None
    gallery_split: str | None
    n_images: int
    n_queries: int
    n_drawn_from: int
    n_without_relevant: int
    n_unlabelled: int
    n_not_in_all: int
    scores: dict[str, Estimate]
    classes: tuple[ClassScores, ...]
    confusions: Confusions
    worst: tuple[QueryScores, ...]
    comparisons: tuple[SearchComparison, ...]
    ids: Ids
    values: dict[str, npt.NDArray[np.float64]]

    @property
    def mean_ap(self) -> str:
        """The name of the measure that is of the whole ranking, as far as it is known: mAP or mAP@k."""
        return next(name for name in self.scores if name.startswith("mAP"))


@dataclass(frozen=True, slots=True)
class ClusteringEvaluation:
    """How good a clustering is.

    Attributes
    ----------
    name, model, algorithm : str
    n_images, n_clusters : int
    noise : float
        The share of images in no cluster.
    scores : ClusteringScores or None
        Next to the labels of the images that have one; None where these are not two or more.
    silhouette : float or None
        The mean over some 2,000 images; None where there are not two clusters, or as many as images.
    """

    name: str
    model: str
    algorithm: str
    n_images: int
    n_clusters: int
    noise: float
    scores: ClusteringScores | None
    silhouette: float | None


@dataclass(frozen=True, slots=True)
class ClusteringEvaluations:
    """How good clusterings are.

    Attributes
    ----------
    clusterings : tuple of ClusteringEvaluation
        Those measured.
    damaged : dict of str to str
        Those that were passed over, since they cannot be read or their model is missing, and what is wrong.
    """

    clusterings: tuple[ClusteringEvaluation, ...]
    damaged: dict[str, str]
