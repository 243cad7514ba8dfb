"""How good is a search, or a clustering, measured against labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.system.on_demand import public_names

if TYPE_CHECKING:
    from lookalike.evaluate.classes import ClassScores, ConfusedPair, Confusions, confuse, score_classes
    from lookalike.evaluate.clusterings import ClusteringScores, compare_with_labels, silhouette
    from lookalike.evaluate.comparing import Comparison, Estimate, bootstrap_means, compare_paired
    from lookalike.evaluate.measures import MEAN_AP, MEASURES, Measure
    from lookalike.evaluate.retrieval import (
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
    "MEASURES",
    "ClassScores",
    "ClusteringScores",
    "Comparison",
    "ConfusedPair",
    "Confusions",
    "Estimate",
    "Measure",
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

__getattr__, __dir__ = public_names(
    __name__,
    {
        "ClassScores": "classes",
        "ClusteringScores": "clusterings",
        "Comparison": "comparing",
        "ConfusedPair": "classes",
        "Confusions": "classes",
        "Estimate": "comparing",
        "MEAN_AP": "measures",
        "MEASURES": "measures",
        "Measure": "measures",
        "Retrieval": "retrieval",
        "RetrievalScores": "retrieval",
        "bootstrap_means": "comparing",
        "compare_paired": "comparing",
        "compare_with_labels": "clusterings",
        "confuse": "classes",
        "leave_one_out": "retrieval",
        "measure_hits": "retrieval",
        "precision_of_neighbors": "retrieval",
        "rank_all": "retrieval",
        "rank_others": "retrieval",
        "score_classes": "classes",
        "silhouette": "clusterings",
    },
)
