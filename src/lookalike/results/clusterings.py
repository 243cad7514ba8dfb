"""Clusterings, as they are now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.query.checking import check_count
from lookalike.results.documents import Result, rounded
from lookalike.results.hits import show_hits
from lookalike.results.lookup import NOTHING, Lookup
from lookalike.results.notebook import MOST_PICTURES, show_facts
from lookalike.results.tags import Tag
from lookalike.system.checked_calls import checked
from lookalike.system.tables import Columns, Table, escape
from lookalike.system.wording import count_images, count_of
from lookalike.types import Hit, Ids, Metric, format_id

if TYPE_CHECKING:
    from lookalike.evaluate import ClusteringScores

MOST_SHOW = 0.5
"""How sure it must be, on average, what the images of a cluster show, for it to be called so."""
_SHOWN = 8  # clusters, in a notebook
_CENTRAL = MOST_PICTURES // _SHOWN


@checked
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
    tags : tuple of Tag
        What its images show, as the network takes them, with how sure that is on average: first the word for
        most of them, if there is one. None where that was not kept when they were embedded.
    lookup : Lookup
        The collection behind it, for its thumbnails.
    """

    number: int
    name: str | None
    size: int
    cohesion: float | None
    label: str | None
    label_share: float | None
    central: tuple[Hit, ...]
    doubtful: tuple[Hit, ...]
    tags: tuple[Tag, ...] = ()
    lookup: Lookup = field(default=NOTHING, repr=False, compare=False)

    @property
    def is_noise(self) -> bool:
        """Whether it is what is left over."""
        return self.number < 0

    @property
    def most_are(self) -> str | None:
        """The label of more than half of its images, if there is one."""
        return None if self.label_share is None or self.label_share <= 0.5 else self.label

    @property
    def title(self) -> str:
        """Its name; else its number, and the label of most of its images, or what most show, if any."""
        if self.is_noise:
            return "noise"
        what = self.most_are or (self.most_show and f"{self.most_show.name}?")
        return self.name or f"cluster {self.number}{f': {what}' if what else ''}"

    @property
    def most_show(self) -> Tag | None:
        """What most of its images show, where they have no labels; None if that is not one thing."""
        is_one = self.label is None and self.tags and self.tags[0].probability >= MOST_SHOW
        return self.tags[0] if is_one else None

    def __repr__(self) -> str:
        return f"<Cluster: {self.title}, {count_images(self.size)}>"

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        return {
            "cluster": self.number,
            "name": self.name,
            "size": self.size,
            "cohesion": rounded(self.cohesion),
            "label": self.label,
            "label_share": rounded(self.label_share, 4),
            "tags": [tag.to_dict() for tag in self.tags],
            "central": [path(hit.path) for hit in self.central],
            "doubtful": [path(hit.path) for hit in self.doubtful],
        }

    def _repr_html_(self) -> str:
        """Show its most central images in a notebook, and the doubtful ones."""
        facts = [count_images(self.size)]
        facts += [] if self.cohesion is None else [f"cohesion {self.cohesion:.2f}"]
        parts = [f"<p><b>{escape(self.title)}</b>, {', '.join(facts)}</p>", _show(self.central, self.lookup)]
        if self.doubtful:
            parts += ["<p>doubtful:</p>", _show(self.doubtful, self.lookup)]
        return "".join(parts)


@dataclass(frozen=True, slots=True, eq=False)
class Clustering(Table, Result):
    """A clustering of a collection's images, as they are now; a sequence of its clusters.

    As a table it has a row an image.

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
    lookup : Lookup
        The collection behind it, for its paths and thumbnails.
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
    lookup: Lookup = field(default=NOTHING, repr=False)

    def __len__(self) -> int:
        return len(self.clusters)

    def __iter__(self) -> Iterator[Cluster]:
        return iter(self.clusters)

    def __getitem__(self, at: int) -> Cluster:
        return self.clusters[at]

    def __repr__(self) -> str:
        images, clusters = count_images(len(self.ids)), count_of(self.n_clusters, "cluster")
        return f"<Clustering {self.name!r}: {images} in {clusters}, {self.algorithm}, {self.model}>"

    @property
    def n_clusters(self) -> int:
        """Without noise."""
        return sum(not cluster.is_noise for cluster in self.clusters)

    @property
    def n_noise(self) -> int:
        """Images in no cluster."""
        return sum(cluster.size for cluster in self.clusters if cluster.is_noise)

    def about(self) -> dict[str, Any]:
        """Return what it is as a document of JSON, without its clusters."""
        document: dict[str, Any] = {
            "name": self.name,
            "algorithm": self.algorithm,
            "parameters": dict(self.parameters),
            "random_state": self.random_state,
            "model": self.model,
            "made": self.made,
            "edited": self.is_edited,
            "images": len(self.ids),
            "noise": self.n_noise,
            "unassigned": self.n_unassigned,
        }
        return document | ({"notes": list(self.notes)} if self.notes else {})

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; `to_arrow` says which image is where."""
        scores = self.scores
        return self.about() | {
            "scores": scores
            and {name: rounded(getattr(scores, name), 4) for name in ("purity", "nmi", "ari")},
            "clusters": [each.to_dict(path, tell) for each in self.clusters],
        }

    def _columns(self) -> Columns:
        names = {cluster.number: cluster.name for cluster in self.clusters}
        images = self.ids.tolist()
        paths = self.lookup.paths(images)
        return {
            "id": [format_id(image) for image in images],
            "path": [next(iter(paths.get(image, ())), None) for image in images],
            "cluster": self.numbers,
            "name": [names[number] for number in self.numbers.tolist()],
            "distance": self.distances,
            "margin": self.margins,
        }

    def _repr_html_(self) -> str:
        """Show the largest clusters in a notebook, each by its most central images."""
        return self.to_html(_SHOWN, _CENTRAL)

    def to_html(self, n_clusters: int, n_central: int) -> str:
        """Return the first clusters, which are the largest, as HTML, each by its most central images.

        Raises
        ------
        InvalidInputError
            If a number is negative.
        """
        check_count("n_clusters", n_clusters, least=0)
        check_count("n_central", n_central, least=0)
        shown = self.clusters[:n_clusters]
        lookup = self.lookup.fetched(hit.id for each in shown for hit in each.central[:n_central])
        parts = [f"<p>{escape(repr(self)[1:-1])}</p>"]
        for each in shown:
            parts.append(f"<p><b>{escape(each.title)}</b>, {count_images(each.size)}</p>")
            parts.append(_show(each.central[:n_central], lookup))
        rest = len(self.clusters) - len(shown)
        return "".join(parts) + (f"<p>… and {count_of(rest, 'more cluster')}</p>" if rest else "")


def _show(hits: tuple[Hit, ...], lookup: Lookup) -> str:
    return show_hits(hits, lookup, lambda hit: hit.label or "")


@dataclass(frozen=True, slots=True)
class ClusteringInfo(Result):
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

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        return {
            "name": self.name,
            "algorithm": self.algorithm,
            "model": self.model,
            "clusters": self.n_clusters,
            "images": self.n_images,
            "noise": self.n_noise,
            "named": list(self.named),
        }

    def _repr_html_(self) -> str:
        """Show it in a notebook."""
        return show_facts(self.name, self.to_dict() | {"named": ", ".join(self.named)})
