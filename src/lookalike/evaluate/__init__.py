"""How good is a search, or a clustering, measured against labels."""

from lookalike.evaluate.classes import ClassScores, ConfusedPair, Confusions, confuse, score_classes
from lookalike.evaluate.clusterings import ClusteringScores, compare_with_labels, silhouette
from lookalike.evaluate.comparing import Comparison, Estimate, bootstrap_means, compare_paired
from lookalike.evaluate.retrieval import (
    MEAN_AP,
    Retrieval,
    RetrievalScores,
    leave_one_out,
    measure_hits,
    precision_of_neighbors,
    rank_all,
    rank_others,
)

__all__ = [
    "MEAN_AP",
    "ClassScores",
    "ClusteringScores",
    "Comparison",
    "ConfusedPair",
    "Confusions",
    "Estimate",
    "Retrieval",
    "RetrievalScores",
    "bootstrap_means",
    "compare_paired",
    "compare_with_labels",
    "confuse",
    "leave_one_out",
    "measure_hits",
    "precision_of_neighbors",
    "rank_all",
    "rank_others",
    "score_classes",
    "silhouette",
]
