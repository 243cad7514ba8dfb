"""Point it at images: it finds look-alikes.

What may be imported from here is one table, below; each name is loaded when it is first used, so that the
command line starts at once. Beside it the modules `bench`, `cluster`, `datasets`, `drawing`, `evaluate`,
`index`, `pca`, `plots`, `projection` and `train` are public, each with an ``__all__`` of its own. All else
may change without notice.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any
from warnings import warn

from lookalike.system.on_demand import load

if TYPE_CHECKING:  # the same table, for those that read the code without running it
    from lookalike.answers import (
        Cluster as Cluster,
        Clustering as Clustering,
        ClusteringEvaluation as ClusteringEvaluation,
        ClusteringEvaluations as ClusteringEvaluations,
        ClusteringInfo as ClusteringInfo,
        Evaluation as Evaluation,
        Failure as Failure,
        HitCluster as HitCluster,
        ImageInfo as ImageInfo,
        ImageMap as ImageMap,
        Info as Info,
        Note as Note,
        QueryScores as QueryScores,
        RootInfo as RootInfo,
        SearchComparison as SearchComparison,
        SearchResult as SearchResult,
        SyncReport as SyncReport,
    )
    from lookalike.bench import IndexComparison as IndexComparison, IndexFigures as IndexFigures
    from lookalike.cluster import AtDistance as AtDistance, Choice as Choice, KDistances as KDistances
    from lookalike.collection import Collection as Collection
    from lookalike.embed import Model as Model
    from lookalike.errors import (
        BusyError as BusyError,
        CacheError as CacheError,
        CollectionConflictError as CollectionConflictError,
        CollectionDamagedError as CollectionDamagedError,
        CollectionError as CollectionError,
        CollectionNotFoundError as CollectionNotFoundError,
        CollectionResourceError as CollectionResourceError,
        ConflictError as ConflictError,
        DamagedError as DamagedError,
        DatasetDamagedError as DatasetDamagedError,
        DatasetError as DatasetError,
        DatasetNotFoundError as DatasetNotFoundError,
        DatasetResourceError as DatasetResourceError,
        DatasetUnreachableError as DatasetUnreachableError,
        FetchError as FetchError,
        ImageDamagedError as ImageDamagedError,
        ImageError as ImageError,
        ImageExtraError as ImageExtraError,
        ImageResourceError as ImageResourceError,
        IndexExtraError as IndexExtraError,
        IndexFileError as IndexFileError,
        InvalidInputError as InvalidInputError,
        LockedError as LockedError,
        LookalikeError as LookalikeError,
        MissingExtraError as MissingExtraError,
        MissingImagesError as MissingImagesError,
        ModelBusyError as ModelBusyError,
        ModelConflictError as ModelConflictError,
        ModelDamagedError as ModelDamagedError,
        ModelError as ModelError,
        ModelExtraError as ModelExtraError,
        ModelInputError as ModelInputError,
        ModelMemoryError as ModelMemoryError,
        ModelNotFoundError as ModelNotFoundError,
        ModelResourceError as ModelResourceError,
        ModelUnreachableError as ModelUnreachableError,
        NotFoundError as NotFoundError,
        QueryConflictError as QueryConflictError,
        QueryError as QueryError,
        QueryInputError as QueryInputError,
        QueryNotFoundError as QueryNotFoundError,
        QueryUnreachableError as QueryUnreachableError,
        ResourceError as ResourceError,
        StoreDamagedError as StoreDamagedError,
        StoreError as StoreError,
        StoreResourceError as StoreResourceError,
        TooLittleMemoryError as TooLittleMemoryError,
        UnreachableError as UnreachableError,
    )
    from lookalike.evaluate import (
        ClassScores as ClassScores,
        ClusteringScores as ClusteringScores,
        ConfusedPair as ConfusedPair,
        Estimate as Estimate,
    )
    from lookalike.hints import Hint as Hint, Sentence as Sentence
    from lookalike.images.finding.passed_over import PassedOver as PassedOver
    from lookalike.images.metadata.metadata import Metadata as Metadata
    from lookalike.pca import PCA as PCA
    from lookalike.query.appearance import Appearance as Appearance, Color as Color
    from lookalike.query.facts import Facts as Facts
    from lookalike.query.filter import Filter as Filter
    from lookalike.sync import Progress as Progress
    from lookalike.train import (
        AutoencoderSettings as AutoencoderSettings,
        Card as Card,
        Epoch as Epoch,
        FinetuneSettings as FinetuneSettings,
        Running as Running,
        Trained as Trained,
        TrainingProgress as TrainingProgress,
    )
    from lookalike.types import (
        Hit as Hit,
        Ids as Ids,
        ImageId as ImageId,
        Metric as Metric,
        Neighborhoods as Neighborhoods,
        Neighbors as Neighbors,
        Pixels as Pixels,
        Vectors as Vectors,
    )

__version__ = "0.2.0"

_PUBLIC: tuple[tuple[str, str], ...] = (
    # A collection:
    ("collection", "Collection"),
    # What its methods return:
    (
        "answers",
        "Cluster Clustering ClusteringEvaluation ClusteringEvaluations ClusteringInfo Evaluation "
        "Failure HitCluster ImageInfo ImageMap Info Note QueryScores RootInfo SearchComparison "
        "SearchResult SyncReport",
    ),
    ("bench", "IndexComparison IndexFigures"),
    ("cluster", "AtDistance Choice KDistances"),
    ("embed", "Model"),
    ("evaluate", "ClassScores ClusteringScores ConfusedPair Estimate"),
    ("images.finding.passed_over", "PassedOver"),
    ("images.metadata.metadata", "Metadata"),
    ("query.appearance", "Appearance Color"),
    ("query.facts", "Facts"),
    ("train", "Card Epoch Trained"),
    # What they take:
    ("pca", "PCA"),
    ("query.filter", "Filter"),
    ("sync", "Progress"),
    ("train", "AutoencoderSettings FinetuneSettings Running TrainingProgress"),
    # Words that all share:
    ("types", "Hit Ids ImageId Metric Neighborhoods Neighbors Pixels Vectors"),
    ("hints", "Hint Sentence"),
    # What can go wrong:
    (
        "errors",
        "BusyError CacheError CollectionConflictError CollectionDamagedError CollectionError "
        "CollectionNotFoundError CollectionResourceError ConflictError DamagedError "
        "DatasetDamagedError DatasetError DatasetNotFoundError DatasetResourceError "
        "DatasetUnreachableError FetchError ImageDamagedError ImageError ImageExtraError "
        "ImageResourceError IndexExtraError IndexFileError InvalidInputError LockedError "
        "LookalikeError MissingExtraError MissingImagesError ModelBusyError ModelConflictError "
        "ModelDamagedError ModelError ModelExtraError ModelInputError ModelMemoryError "
        "ModelNotFoundError ModelResourceError ModelUnreachableError NotFoundError QueryConflictError "
        "QueryError QueryInputError QueryNotFoundError QueryUnreachableError ResourceError "
        "StoreDamagedError StoreError StoreResourceError TooLittleMemoryError UnreachableError",
    ),
)
"""Modules, and the names that are public from them."""

_RENAMED: Mapping[str, str] = MappingProxyType({"Looks": "Appearance"})
"""Names that were public: what they are called now."""

_MOVED: Mapping[str, str] = MappingProxyType(
    {
        "facts": "query.facts",
        "filters": "query.filter",
        "looks": "query.appearance",
        "reduce": "pca",
    }
)
"""Modules that the documentation named: where their content is now."""

_HOMES: Mapping[str, str] = MappingProxyType(
    {name: home for home, names in _PUBLIC for name in names.split()}
)

__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _RENAMED:
        new = _RENAMED[name]
        warn(f"lookalike.{name} is called lookalike.{new} now", DeprecationWarning, stacklevel=2)
        name = new
    if name in _MOVED:
        return sys.modules[f"lookalike.{name}"]
    if name not in _HOMES:
        raise AttributeError(f"module 'lookalike' has no attribute {name!r}")
    return load(f"lookalike.{_HOMES[name]}:{name}")


def __dir__() -> list[str]:
    """List what is public, and what Python itself keeps in a module."""
    return [*__all__, *(name for name in globals() if name.startswith("__") and name not in __all__)]


class _Moved(ModuleType):
    """A module that was public, for those who import from it still."""

    def __getattr__(self, name: str) -> Any:
        """Import what is asked for from where it is now."""
        old = self.__name__.removeprefix("lookalike.")
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        new = _RENAMED.get(name, name)
        found = load(f"lookalike.{_MOVED[old]}:{new}")
        home = "lookalike" if new in _HOMES else f"lookalike.{_MOVED[old]}"
        warn(f"{self.__name__}.{name} is {home}.{new} now", DeprecationWarning, stacklevel=2)
        return found


sys.modules.update({f"lookalike.{old}": _Moved(f"lookalike.{old}") for old in _MOVED})
