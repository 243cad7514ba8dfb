"""Point it at images: it finds look-alikes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lookalike.answers import (
        Cluster,
        Clustering,
        ClusteringEvaluation,
        ClusteringEvaluations,
        Evaluation,
        Failure,
        ImageInfo,
        Info,
        Note,
        RootInfo,
        SearchResult,
        SyncReport,
    )
    from lookalike.collection import Collection
    from lookalike.errors import LookalikeError
    from lookalike.images.finding.passed_over import PassedOver
    from lookalike.images.metadata.metadata import Metadata
    from lookalike.query.appearance import Color, Looks
    from lookalike.query.facts import Facts
    from lookalike.query.filter import Filter
    from lookalike.types import Hit, Neighborhoods, Neighbors

__version__ = "0.2.0"

_HOMES = {
    "Cluster": "lookalike.answers",
    "Clustering": "lookalike.answers",
    "ClusteringEvaluation": "lookalike.answers",
    "ClusteringEvaluations": "lookalike.answers",
    "Collection": "lookalike.collection",
    "Color": "lookalike.query.appearance",
    "Evaluation": "lookalike.answers",
    "Facts": "lookalike.query.facts",
    "Failure": "lookalike.answers",
    "Filter": "lookalike.query.filter",
    "Hit": "lookalike.types",
    "ImageInfo": "lookalike.answers",
    "Info": "lookalike.answers",
    "Looks": "lookalike.query.appearance",
    "LookalikeError": "lookalike.errors",
    "Metadata": "lookalike.images.metadata.metadata",
    "Neighborhoods": "lookalike.types",
    "Neighbors": "lookalike.types",
    "Note": "lookalike.answers",
    "PassedOver": "lookalike.images.finding.passed_over",
    "RootInfo": "lookalike.answers",
    "SearchResult": "lookalike.answers",
    "SyncReport": "lookalike.answers",
}

__all__ = [
    "Cluster",
    "Clustering",
    "ClusteringEvaluation",
    "ClusteringEvaluations",
    "Collection",
    "Color",
    "Evaluation",
    "Facts",
    "Failure",
    "Filter",
    "Hit",
    "ImageInfo",
    "Info",
    "LookalikeError",
    "Looks",
    "Metadata",
    "Neighborhoods",
    "Neighbors",
    "Note",
    "PassedOver",
    "RootInfo",
    "SearchResult",
    "SyncReport",
]


def __getattr__(name: str) -> object:
    """Import the public names when they are first used, so that the command line starts at once."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'lookalike' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
