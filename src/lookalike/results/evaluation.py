"""How good searches and clusterings are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.types import Hit, Ids, Metric

if TYPE_CHECKING:
    from lookalike.evaluate import ClassScores, ClusteringScores, Comparison, Confusions, Estimate


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
