"""Point it at images: it finds look-alikes.

What may be imported from here is one table, below; each name is loaded when it is first used, so that the
command line starts at once. Beside it the modules `bench`, `cluster`, `datasets`, `drawing`, `duplicates`,
`evaluate`, `index`, `pca`, `plots`, `projection` and `train` are public, each with an ``__all__`` of its own,
and loaded when they are first used, too. All else may change without notice.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any
from warnings import warn

from lookalike.system.on_demand import load

if TYPE_CHECKING:  # the same table, for those that read the code without running it
    from lookalike.bench import IndexComparison as IndexComparison
    from lookalike.bench import IndexFigures as IndexFigures
    from lookalike.bench import SameKindFigures as SameKindFigures
    from lookalike.cluster import AtDistance as AtDistance
    from lookalike.cluster import Choice as Choice
    from lookalike.cluster import KDistances as KDistances
    from lookalike.collection import Collection as Collection
    from lookalike.collection.adding import Addition as Addition
    from lookalike.collection.adding import AnyAddition as AnyAddition
    from lookalike.collection.clusterings.clusterings import Clusterings as Clusterings
    from lookalike.collection.coding import Coded as Coded
    from lookalike.collection.coding import CodedLists as CodedLists
    from lookalike.collection.columns import FileColumns as FileColumns
    from lookalike.collection.columns import ImageColumns as ImageColumns
    from lookalike.collection.duplicates.duplicates import Duplicates as Duplicates
    from lookalike.collection.duplicates.grouping import DuplicatePairs as DuplicatePairs
    from lookalike.collection.evaluation.evaluation import Evaluations as Evaluations
    from lookalike.collection.export.exporting import Exportable as Exportable
    from lookalike.collection.fields.fields import Fields as Fields
    from lookalike.collection.fields.fields import FieldsByFile as FieldsByFile
    from lookalike.collection.maps.maps import Maps as Maps
    from lookalike.collection.models.models import Models as Models
    from lookalike.collection.own_fields import OwnFields as OwnFields
    from lookalike.collection.said import Said as Said
    from lookalike.collection.snapshot import Snapshot as Snapshot
    from lookalike.collection.statements.changes import Changes as Changes
    from lookalike.collection.statements.decisions import Decisions as Decisions
    from lookalike.collection.statements.feedback import Feedback as Feedback
    from lookalike.collection.statements.labels import Labels as Labels
    from lookalike.collection.statements.naming import ImageName as ImageName
    from lookalike.collection.statements.naming import Images as Images
    from lookalike.collection.statements.sets import Sets as Sets
    from lookalike.collection.statements.statements import Statements as Statements
    from lookalike.embed import Model as Model
    from lookalike.errors import BusyError as BusyError
    from lookalike.errors import CacheError as CacheError
    from lookalike.errors import CancelledError as CancelledError
    from lookalike.errors import CollectionConflictError as CollectionConflictError
    from lookalike.errors import CollectionDamagedError as CollectionDamagedError
    from lookalike.errors import CollectionError as CollectionError
    from lookalike.errors import CollectionNotFoundError as CollectionNotFoundError
    from lookalike.errors import CollectionResourceError as CollectionResourceError
    from lookalike.errors import ConflictError as ConflictError
    from lookalike.errors import DamagedError as DamagedError
    from lookalike.errors import DamageWarning as DamageWarning
    from lookalike.errors import DatasetDamagedError as DatasetDamagedError
    from lookalike.errors import DatasetError as DatasetError
    from lookalike.errors import DatasetNotFoundError as DatasetNotFoundError
    from lookalike.errors import DatasetResourceError as DatasetResourceError
    from lookalike.errors import DatasetUnreachableError as DatasetUnreachableError
    from lookalike.errors import FetchError as FetchError
    from lookalike.errors import ImageDamagedError as ImageDamagedError
    from lookalike.errors import ImageError as ImageError
    from lookalike.errors import ImageExtraError as ImageExtraError
    from lookalike.errors import ImageResourceError as ImageResourceError
    from lookalike.errors import IndexExtraError as IndexExtraError
    from lookalike.errors import IndexFileError as IndexFileError
    from lookalike.errors import InvalidInputError as InvalidInputError
    from lookalike.errors import InvalidTypeError as InvalidTypeError
    from lookalike.errors import LockedError as LockedError
    from lookalike.errors import LookalikeError as LookalikeError
    from lookalike.errors import MissingExtraError as MissingExtraError
    from lookalike.errors import MissingImagesError as MissingImagesError
    from lookalike.errors import ModelBusyError as ModelBusyError
    from lookalike.errors import ModelConflictError as ModelConflictError
    from lookalike.errors import ModelDamagedError as ModelDamagedError
    from lookalike.errors import ModelError as ModelError
    from lookalike.errors import ModelExtraError as ModelExtraError
    from lookalike.errors import ModelInputError as ModelInputError
    from lookalike.errors import ModelMemoryError as ModelMemoryError
    from lookalike.errors import ModelNotFoundError as ModelNotFoundError
    from lookalike.errors import ModelResourceError as ModelResourceError
    from lookalike.errors import ModelUnreachableError as ModelUnreachableError
    from lookalike.errors import NotFoundError as NotFoundError
    from lookalike.errors import QueryConflictError as QueryConflictError
    from lookalike.errors import QueryError as QueryError
    from lookalike.errors import QueryInputError as QueryInputError
    from lookalike.errors import QueryNotFoundError as QueryNotFoundError
    from lookalike.errors import QueryUnreachableError as QueryUnreachableError
    from lookalike.errors import ResourceError as ResourceError
    from lookalike.errors import StoreDamagedError as StoreDamagedError
    from lookalike.errors import StoreError as StoreError
    from lookalike.errors import StoreResourceError as StoreResourceError
    from lookalike.errors import TooLittleMemoryError as TooLittleMemoryError
    from lookalike.errors import UnreachableError as UnreachableError
    from lookalike.evaluate import ClassScores as ClassScores
    from lookalike.evaluate import ClusteringScores as ClusteringScores
    from lookalike.evaluate import ConfusedPair as ConfusedPair
    from lookalike.evaluate import Estimate as Estimate
    from lookalike.hints import Hint as Hint
    from lookalike.hints import Sentence as Sentence
    from lookalike.images.finding.passed_over import PassedOver as PassedOver
    from lookalike.images.metadata.metadata import Metadata as Metadata
    from lookalike.pca import PCA as PCA
    from lookalike.query.appearance import Appearance as Appearance
    from lookalike.query.appearance import Color as Color
    from lookalike.query.conditions import ClusterRef as ClusterRef
    from lookalike.query.conditions import FieldCondition as FieldCondition
    from lookalike.query.conditions import MapPolygon as MapPolygon
    from lookalike.query.embedding import EmbeddedQuery as EmbeddedQuery
    from lookalike.query.facts import Facts as Facts
    from lookalike.query.filter import Filter as Filter
    from lookalike.query.reading import Query as Query
    from lookalike.query.request import SearchRequest as SearchRequest
    from lookalike.query.terms import Example as Example
    from lookalike.query.terms import ImageFile as ImageFile
    from lookalike.query.terms import ImageRef as ImageRef
    from lookalike.query.terms import Pixels as Pixels
    from lookalike.query.terms import Term as Term
    from lookalike.query.terms import Url as Url
    from lookalike.query.terms import Vector as Vector
    from lookalike.query.terms import Words as Words
    from lookalike.results.adding import AddedImage as AddedImage
    from lookalike.results.adding import AddReport as AddReport
    from lookalike.results.adding import FieldReport as FieldReport
    from lookalike.results.adding import VectorReport as VectorReport
    from lookalike.results.browsing import BrowseResult as BrowseResult
    from lookalike.results.browsing import Facet as Facet
    from lookalike.results.browsing import Facets as Facets
    from lookalike.results.checking import CheckReport as CheckReport
    from lookalike.results.checking import Damage as Damage
    from lookalike.results.clusterings import Cluster as Cluster
    from lookalike.results.clusterings import Clustering as Clustering
    from lookalike.results.clusterings import ClusteringInfo as ClusteringInfo
    from lookalike.results.copying import CopyReport as CopyReport
    from lookalike.results.duplicate_acts import ActedFile as ActedFile
    from lookalike.results.duplicate_acts import ActReport as ActReport
    from lookalike.results.duplicate_plans import DuplicatePlan as DuplicatePlan
    from lookalike.results.duplicate_plans import LeftFile as LeftFile
    from lookalike.results.duplicate_plans import PlannedFile as PlannedFile
    from lookalike.results.duplicate_plans import PlannedRow as PlannedRow
    from lookalike.results.duplicates import DuplicateFile as DuplicateFile
    from lookalike.results.duplicates import DuplicateGroup as DuplicateGroup
    from lookalike.results.duplicates import DuplicateGroups as DuplicateGroups
    from lookalike.results.duplicates import DuplicateImage as DuplicateImage
    from lookalike.results.duplicates import DuplicatesReport as DuplicatesReport
    from lookalike.results.evaluation import ClusteringEvaluation as ClusteringEvaluation
    from lookalike.results.evaluation import ClusteringEvaluations as ClusteringEvaluations
    from lookalike.results.evaluation import Evaluation as Evaluation
    from lookalike.results.evaluation import QueryScores as QueryScores
    from lookalike.results.evaluation import SearchComparison as SearchComparison
    from lookalike.results.evaluation import WithoutDuplicates as WithoutDuplicates
    from lookalike.results.hits import Hits as Hits
    from lookalike.results.info import ImageInfo as ImageInfo
    from lookalike.results.info import Info as Info
    from lookalike.results.info import RootInfo as RootInfo
    from lookalike.results.maps import ImageMap as ImageMap
    from lookalike.results.maps import MapUpdate as MapUpdate
    from lookalike.results.matching import MatchedPair as MatchedPair
    from lookalike.results.matching import Matching as Matching
    from lookalike.results.models import TrainedModel as TrainedModel
    from lookalike.results.said import Change as Change
    from lookalike.results.said import ChangeKind as ChangeKind
    from lookalike.results.said import Decision as Decision
    from lookalike.results.said import Imported as Imported
    from lookalike.results.said import Judgment as Judgment
    from lookalike.results.said import PairDecision as PairDecision
    from lookalike.results.said import SetInfo as SetInfo
    from lookalike.results.said import Verdict as Verdict
    from lookalike.results.search import HitCluster as HitCluster
    from lookalike.results.search import SearchResult as SearchResult
    from lookalike.results.sync import Failure as Failure
    from lookalike.results.sync import Note as Note
    from lookalike.results.sync import SyncReport as SyncReport
    from lookalike.results.tags import Tag as Tag
    from lookalike.results.understood import Understood as Understood
    from lookalike.store import Labeling as Labeling
    from lookalike.store import Wait as Wait
    from lookalike.system.progress import CancelToken as CancelToken
    from lookalike.system.progress import Progress as Progress
    from lookalike.system.progress import ProgressReport as ProgressReport
    from lookalike.system.progress import silent as silent
    from lookalike.train import AutoencoderSettings as AutoencoderSettings
    from lookalike.train import Card as Card
    from lookalike.train import Epoch as Epoch
    from lookalike.train import FinetuneSettings as FinetuneSettings
    from lookalike.train import Running as Running
    from lookalike.train import Trained as Trained
    from lookalike.train import TrainingProgress as TrainingProgress
    from lookalike.types import FieldKind as FieldKind
    from lookalike.types import FieldValue as FieldValue
    from lookalike.types import Hit as Hit
    from lookalike.types import Ids as Ids
    from lookalike.types import ImageId as ImageId
    from lookalike.types import Metric as Metric
    from lookalike.types import Neighborhoods as Neighborhoods
    from lookalike.types import Neighbors as Neighbors
    from lookalike.types import PixelArray as PixelArray
    from lookalike.types import Vectors as Vectors

__version__ = "0.6.0"

_PUBLIC: tuple[tuple[str, str], ...] = (
    # A collection, and what it is asked by:
    ("collection", "Collection"),
    ("collection.clusterings.clusterings", "Clusterings"),
    ("collection.maps.maps", "Maps"),
    ("collection.models.models", "Models"),
    ("collection.duplicates.duplicates", "Duplicates"),
    ("collection.evaluation.evaluation", "Evaluations"),
    ("collection.fields.fields", "Fields"),
    ("collection.statements.sets", "Sets"),
    ("collection.statements.labels", "Labels"),
    ("collection.statements.feedback", "Feedback"),
    ("collection.statements.decisions", "Decisions"),
    ("collection.statements.changes", "Changes"),
    ("collection.statements.statements", "Statements"),
    # What its methods return:
    ("results.browsing", "BrowseResult Facet Facets"),
    ("results.clusterings", "Cluster Clustering ClusteringInfo"),
    (
        "results.evaluation",
        "ClusteringEvaluation ClusteringEvaluations Evaluation QueryScores SearchComparison "
        "WithoutDuplicates",
    ),
    ("collection.duplicates.grouping", "DuplicatePairs"),
    ("results.duplicate_acts", "ActReport ActedFile"),
    ("results.duplicate_plans", "DuplicatePlan LeftFile PlannedFile PlannedRow"),
    ("results.matching", "MatchedPair Matching"),
    ("results.duplicates", "DuplicateFile DuplicateGroup DuplicateGroups DuplicateImage DuplicatesReport"),
    ("results.adding", "AddReport AddedImage FieldReport VectorReport"),
    ("results.info", "ImageInfo Info RootInfo"),
    ("results.maps", "ImageMap MapUpdate"),
    ("results.models", "TrainedModel"),
    ("results.hits", "Hits"),
    ("results.search", "HitCluster SearchResult"),
    ("results.tags", "Tag"),
    ("results.understood", "Understood"),
    ("results.said", "Change ChangeKind Decision Imported Judgment PairDecision SetInfo Verdict"),
    ("results.sync", "Failure Note SyncReport"),
    ("results.checking", "CheckReport Damage"),
    ("results.copying", "CopyReport"),
    ("collection.snapshot", "Snapshot"),
    ("collection.coding", "Coded CodedLists"),
    ("collection.columns", "FileColumns ImageColumns"),
    ("collection.own_fields", "OwnFields"),
    ("collection.said", "Said"),
    ("bench", "IndexComparison IndexFigures SameKindFigures"),
    ("cluster", "AtDistance Choice KDistances"),
    ("embed", "Model"),
    ("evaluate", "ClassScores ClusteringScores ConfusedPair Estimate"),
    ("images.finding.passed_over", "PassedOver"),
    ("images.metadata.metadata", "Metadata"),
    ("query.appearance", "Appearance Color"),
    ("query.facts", "Facts"),
    ("train", "Card Epoch Trained"),
    # What they take:
    ("collection.adding", "Addition AnyAddition"),
    ("collection.fields.fields", "FieldsByFile"),
    ("pca", "PCA"),
    ("query.embedding", "EmbeddedQuery"),
    ("query.filter", "Filter"),
    ("collection.export.exporting", "Exportable"),
    ("query.reading", "Query"),
    ("query.conditions", "ClusterRef FieldCondition MapPolygon"),
    ("query.request", "SearchRequest"),
    ("query.terms", "Example ImageFile ImageRef Pixels Term Url Vector Words"),
    ("collection.statements.naming", "ImageName Images"),
    ("store", "Labeling Wait"),
    ("train", "AutoencoderSettings FinetuneSettings Running TrainingProgress"),
    # Words that all share:
    ("types", "FieldKind FieldValue Hit Ids ImageId Metric Neighborhoods Neighbors PixelArray Vectors"),
    ("system.progress", "CancelToken Progress ProgressReport silent"),
    ("hints", "Hint Sentence"),
    # What can go wrong:
    (
        "errors",
        "BusyError CacheError CancelledError CollectionConflictError CollectionDamagedError CollectionError "
        "CollectionNotFoundError CollectionResourceError ConflictError DamagedError DamageWarning "
        "DatasetDamagedError DatasetError DatasetNotFoundError DatasetResourceError "
        "DatasetUnreachableError FetchError ImageDamagedError ImageError ImageExtraError "
        "ImageResourceError IndexExtraError IndexFileError InvalidInputError InvalidTypeError LockedError "
        "LookalikeError MissingExtraError MissingImagesError ModelBusyError ModelConflictError "
        "ModelDamagedError ModelError ModelExtraError ModelInputError ModelMemoryError "
        "ModelNotFoundError ModelResourceError ModelUnreachableError NotFoundError QueryConflictError "
        "QueryError QueryInputError QueryNotFoundError QueryUnreachableError ResourceError "
        "StoreDamagedError StoreError StoreResourceError TooLittleMemoryError UnreachableError",
    ),
)
"""Modules, and the names that are public from them."""

_MODULES = frozenset(
    {
        *("bench", "cluster", "datasets", "drawing", "duplicates", "evaluate", "index", "pca", "plots"),
        *("projection", "train"),
    }
)
"""Modules that are public, each with an ``__all__`` of its own."""

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

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _RENAMED:
        new = _RENAMED[name]
        warn(f"lookalike.{name} is called lookalike.{new} now", DeprecationWarning, stacklevel=2)
        name = new
    if name in _MODULES:
        return importlib.import_module(f"lookalike.{name}")
    if name in _MOVED:
        return sys.modules[f"lookalike.{name}"]
    if name not in _HOMES:
        raise AttributeError(f"module 'lookalike' has no attribute {name!r}")
    return load(f"lookalike.{_HOMES[name]}:{name}")


def __dir__() -> list[str]:
    """List what is public, and what Python itself keeps in a module."""
    return [
        *__all__,
        *_MODULES,
        *(name for name in globals() if name.startswith("__") and name not in __all__),
    ]


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
