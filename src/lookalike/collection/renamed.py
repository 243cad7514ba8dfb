"""Names that methods of a collection had before its clusterings, maps and models had methods of their own."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

RENAMED: Mapping[str, str] = MappingProxyType(
    {
        "cluster": "clusterings.make",
        "clustering": "clusterings.get",
        "delete_clustering": "clusterings.delete",
        "change_clusters": "clusterings.edit",
        "assign_to_clusters": "clusterings.assign",
        "rename_cluster": "clusterings.rename",
        "merge_clusters": "clusterings.merge",
        "move_to_cluster": "clusterings.move",
        "export_clustering": "clusterings.export",
        "try_ks": "clusterings.try_ks",
        "try_distances": "clusterings.try_distances",
        "map": "maps.make",
        "read_map": "maps.get",
        "place_on_map": "maps.place",
        "delete_map": "maps.delete",
        "reduce": "models.reduce",
        "pca": "models.pca",
        "train": "models.train",
        "evaluate": "evaluation.retrieval",
        "evaluate_clusterings": "evaluation.clusterings",
        "compare_indexes": "evaluation.indexes",
        "default_index": "evaluation.default_index",
    }
)
"""By the old name, where it is found from a collection now; what it takes and gives is the same.

But for `Evaluations.indexes`, which takes by name what follows k.
"""


def takes_timeout(method: Callable[P, R]) -> Callable[P, R]:
    """Let a method take what is called `wait` now by its old name, too."""

    @functools.wraps(method)
    def call(*given: P.args, **named: P.kwargs) -> R:
        if "timeout" in named:
            warnings.warn("timeout is called wait now", DeprecationWarning, stacklevel=2)
            named["wait"] = named.pop("timeout")
        return method(*given, **named)

    return call


def takes_by_place(places: int, *names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a method take what goes by name now also where it had its place, after so many others."""

    def of_method(method: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(method)
        def call(*given: P.args, **named: P.kwargs) -> R:
            more = given[places:]
            if not 0 < len(more) <= len(names):
                return method(*given, **named)
            told = ", ".join(names[: len(more)])
            warnings.warn(f"{told}: to be given by name now", DeprecationWarning, stacklevel=2)
            by_name = dict(zip(names, more, strict=False))
            return method(*given[:places], **by_name, **named)  # type: ignore[arg-type]

        return call

    return of_method
