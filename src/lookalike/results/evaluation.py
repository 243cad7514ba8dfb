"""How good searches and clusterings are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.results.documents import Result, all_rounded, damaged_documents, rounded
from lookalike.results.hits import show_hits
from lookalike.results.lookup import NOTHING, Lookup
from lookalike.system.tables import Columns, Table, escape, html_table
from lookalike.system.wording import count_of
from lookalike.types import Hit, Ids, Metric

if TYPE_CHECKING:
    from lookalike.evaluate import ClassScores, ClusteringScores, Comparison, Confusions, Estimate

_PAIRS = 50  # confused pairs in the JSON
_WORST = 3  # queries, in a notebook
_FOUND = 7


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
    lookup : Lookup
        The collection behind it, for its thumbnails.
    """

    image: Hit
    hits: tuple[Hit, ...]
    values: dict[str, float]
    lookup: Lookup = field(default=NOTHING, repr=False, compare=False)

    def __repr__(self) -> str:
        values = ", ".join(f"{name} {value:.3f}" for name, value in self.values.items())
        return f"<QueryScores: {self.image.label}, {values}, {self.image.path}>"

    def to_dict(self, path: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        return {
            "path": path(self.image.path),
            "label": self.image.label,
            **all_rounded(self.values),
            "hits": [
                {"path": path(hit.path), "label": hit.label, "distance": rounded(hit.distance)}
                for hit in self.hits
            ],
        }

    def _repr_html_(self) -> str:
        """Show the query in a notebook, and what it found."""
        return self._show(self.lookup)

    @property
    def _shown(self) -> list[Hit]:
        return [self.image, *self.hits[:_FOUND]]

    def _show(self, lookup: Lookup) -> str:
        said = f"<p><b>{escape(self.image.label)}</b>, and what it found:</p>"
        return said + show_hits(self._shown, lookup, lambda hit: hit.label or "")


@dataclass(frozen=True, slots=True)
class WithoutDuplicates:
    """The measures of the same queries, none of which finds its own near-duplicates.

    Attributes
    ----------
    scores : dict of str to Estimate
        As of `Evaluation`; empty where no query is left that counts.
    n_queries : int
        That count: others have no other image of their label then.
    n_with_duplicates : int
        How many of all queries have duplicates among the images searched.
    """

    scores: dict[str, Estimate]
    n_queries: int
    n_with_duplicates: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "queries": self.n_queries,
            "with_duplicates": self.n_with_duplicates,
            "scores": {name: _estimate(each) for name, each in self.scores.items()},
        }


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

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "model": self.model,
            "index": self.index,
            "scores": {
                name: {
                    **_estimate(each.second),
                    "difference": _estimate(each.difference),
                    "p": rounded(each.p),
                }
                for name, each in self.measures.items()
            },
        }


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation(Table, Result):
    """How well images are found by others of their label.

    As a table it has a row a measure.

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
    lookup : Lookup
        The collection behind it, for its thumbnails.
    without_duplicates : WithoutDuplicates or None
        The same without each query's own near-duplicates, see `Collection.duplicates`; None where none were
        looked for.
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
    lookup: Lookup = field(default=NOTHING, repr=False)
    without_duplicates: WithoutDuplicates | None = None

    def __repr__(self) -> str:
        queries = count_of(self.n_queries, "query", "queries")
        mean = self.scores[self.mean_ap].mean
        return f"<Evaluation: {self.mean_ap} {mean:.4f} of {queries}, {self.model}, {self.index}>"

    @property
    def mean_ap(self) -> str:
        """The name of the measure that is of the whole ranking, as far as it is known: mAP or mAP@k."""
        return next(name for name in self.scores if name.startswith("mAP"))

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        return {
            "model": self.model,
            "index": self.index,
            "k": list(self.ks),
            "labels_from": self.labels_from,
            "query_split": self.query_split,
            "gallery_split": self.gallery_split,
            "images": self.n_images,
            "queries": self.n_queries,
            "drawn_from": self.n_drawn_from,
            "left_out": {
                "without_label": self.n_unlabelled,
                "without_relevant_image": self.n_without_relevant,
                "not_in_all_models": self.n_not_in_all,
            },
            "unknown_paths": list(self.unknown),
            "scores": {name: _estimate(each) for name, each in self.scores.items()},
            "without_duplicates": (
                None if self.without_duplicates is None else self.without_duplicates.to_dict()
            ),
            "comparisons": [each.to_dict() for each in self.comparisons],
            "classes": [
                {
                    "label": each.label,
                    "images": each.n_images,
                    "queries": each.n_queries,
                    **all_rounded(each.means),
                }
                for each in self.classes
            ],
            "confused": [
                {"label": pair.label, "found": pair.found, "share": rounded(pair.share)}
                for pair in self.confusions.pairs(_PAIRS)
            ],
            "worst": [each.to_dict(path) for each in self.worst],
        }

    def _columns(self) -> Columns:
        scores, apart = self.scores.values(), self.without_duplicates
        found: dict[str, Any] = {
            "measure": list(self.scores),
            "mean": [each.mean for each in scores],
            "low": [each.low for each in scores],
            "high": [each.high for each in scores],
        }
        if apart is None or not apart.scores:
            return found
        return found | {"mean without duplicates": [apart.scores[name].mean for name in self.scores]}

    def _repr_html_(self) -> str:
        """Show the measures in a notebook, and the worst queries with what they found."""
        parts = [f"<p>{escape(repr(self)[1:-1])}</p>"]
        rows = [[name, each.mean, f"{each.low:.4f} to {each.high:.4f}"] for name, each in self.scores.items()]
        head, apart = ["measure", "mean", "95 % interval"], self.without_duplicates
        if apart is not None and apart.scores:
            head.append("mean without duplicates")
            rows = [[*row, apart.scores[name].mean] for row, name in zip(rows, self.scores, strict=True)]
        parts.append(html_table(head, rows))
        worst = self.worst[:_WORST]
        lookup = self.lookup.fetched(image.id for each in worst for image in each._shown)
        return "".join(parts + [each._show(lookup) for each in worst])


def _estimate(each: Estimate) -> dict[str, float]:
    return all_rounded({"mean": each.mean, "low": each.low, "high": each.high})


@dataclass(frozen=True, slots=True)
class ClusteringEvaluation(Result):
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

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        scores: dict[str, float | None] = {
            name: None if self.scores is None else getattr(self.scores, name)
            for name in ("nmi", "ari", "purity")
        }
        return {
            "name": self.name,
            "model": self.model,
            "algorithm": self.algorithm,
            "images": self.n_images,
            "clusters": self.n_clusters,
            "noise": rounded(self.noise),
            **{name: rounded(value) for name, value in scores.items()},
            "silhouette": rounded(self.silhouette),
        }


@dataclass(frozen=True, slots=True)
class ClusteringEvaluations(Table, Result):
    """How good clusterings are; a sequence of them, and as a table a row each.

    Attributes
    ----------
    clusterings : tuple of ClusteringEvaluation
        Those measured.
    damaged : dict of str to str
        Those that were passed over, since they cannot be read or their model is missing, and what is wrong.
    """

    clusterings: tuple[ClusteringEvaluation, ...]
    damaged: dict[str, str]

    def __len__(self) -> int:
        return len(self.clusterings)

    def __iter__(self) -> Iterator[ClusteringEvaluation]:
        return iter(self.clusterings)

    def __getitem__(self, at: int) -> ClusteringEvaluation:
        return self.clusterings[at]

    def __repr__(self) -> str:
        names = ", ".join(each.name for each in self.clusterings)
        return f"<ClusteringEvaluations: {names or 'none'}>"

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        measured = [each.to_dict(path, tell) for each in self.clusterings]
        return {"clusterings": measured + damaged_documents(self.damaged, tell)}

    def _columns(self) -> Columns:
        rows = [each.to_dict() for each in self.clusterings]
        names = ClusteringEvaluation("", "", "", 0, 0, 0.0, None, None).to_dict()
        return {name: [row[name] for row in rows] for name in names}
