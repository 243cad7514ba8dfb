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
    from lookalike.facts import Facts
    from lookalike.filters import Filter
    from lookalike.images.metadata import Metadata
    from lookalike.images.passed_over import PassedOver
    from lookalike.looks import Color, Looks
    from lookalike.types import Hit, Neighborhoods, Neighbors

__version__ = "0.2.0"

_HOMES = {
    "Cluster": "lookalike.answers",
    "Clustering": "lookalike.answers",
    "ClusteringEvaluation": "lookalike.answers",
    "ClusteringEvaluations": "lookalike.answers",
    "Collection": "lookalike.collection",
    "Color": "lookalike.looks",
    "Evaluation": "lookalike.answers",
    "Facts": "lookalike.facts",
    "Failure": "lookalike.answers",
    "Filter": "lookalike.filters",
    "Hit": "lookalike.types",
    "ImageInfo": "lookalike.answers",
    "Info": "lookalike.answers",
    "Looks": "lookalike.looks",
    "LookalikeError": "lookalike.errors",
    "Metadata": "lookalike.images.metadata",
    "Neighborhoods": "lookalike.types",
    "Neighbors": "lookalike.types",
    "Note": "lookalike.answers",
    "PassedOver": "lookalike.images.passed_over",
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
