"""What is made of a snapshot's columns, for filters, orders and facets: once for all who ask."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from lookalike.collection.coding import Coded, small_codes
from lookalike.collection.columns import FileColumns, ImageColumns
from lookalike.collection.joined import ORDERS, Joined
from lookalike.collection.own_columns import OwnColumns
from lookalike.collection.own_fields import OwnFields
from lookalike.collection.said import Said
from lookalike.collection.silent_labels import without_silent
from lookalike.collection.stored.cluster_names import ClusterLabels
from lookalike.collection.stored.clusterings import (
    NOISE,
    NamedClusters,
    StoredClustering,
    StoredClusterings,
)
from lookalike.store import ADDED, Manifest
from lookalike.system.checked_calls import checked
from lookalike.system.file_identity import FileIdentity
from lookalike.system.memo import Memo, Recent

T = TypeVar("T")

_SELECTIONS = 4  # that are kept: a page of hits after the other is about the same images


class ClusterColumns(NamedTuple):
    """The clusters of a clustering, a row an image.

    Attributes
    ----------
    name : str
    coded : Coded
        (n_images,), the numbers of clusters, as text, the first of them -1 for noise; none for what came
        later.
    distances : (n_images,) float32
        To the centre of its cluster, as the model compares; NaN for what came later.
    names : mapping of int to str
        Those that the user gave.
    """

    name: str
    coded: Coded
    distances: npt.NDArray[np.float32]
    names: Mapping[int, str]


@checked
class SnapshotColumns(ABC):
    """The columns of a collection at one moment, and what is made of them. Several threads may use it.

    Parameters
    ----------
    clusterings : StoredClusterings
    seen : mapping of str to FileIdentity
        Which these were at that moment, by name.

    Attributes
    ----------
    labels : ClusterLabels
        The names of clusters.
    manifest : Manifest
        What the collection was made of.
    selections, orders : Recent
        What was asked for last.
    """

    labels: ClusterLabels
    manifest: Manifest

    def __init__(self, clusterings: StoredClusterings, seen: Mapping[str, FileIdentity]) -> None:
        self._clusterings = clusterings
        self._seen = seen
        self._joined: Memo[str, Joined] = Memo()
        self._made: Memo[Hashable, Any] = Memo()
        self._made_of_fields: Memo[Hashable, Any] = Memo()
        self._made_of_clusters: Memo[Hashable, Any] = Memo()
        self.selections: Recent[Hashable, Any] = Recent(_SELECTIONS)
        self.orders: Recent[Hashable, Any] = Recent(ORDERS)

    @property
    @abstractmethod
    def files(self) -> FileColumns:
        """Where images lie."""

    @property
    @abstractmethod
    def images(self) -> ImageColumns:
        """What images are."""

    @property
    @abstractmethod
    def fields(self) -> OwnFields:
        """The user's own columns."""

    @property
    @abstractmethod
    def said(self) -> Said:
        """What people said."""

    @property
    def joined(self) -> Joined:
        """Both together; what is made of them stays while neither changes."""
        last = (
            f"{ADDED}:" if self.holds_added else None
        )  # a file of the user's says more, and may have a label
        return self._joined.get("", lambda: Joined(self.files, self.images, last))

    @property
    def holds_added(self) -> bool:
        """Whether ``added:`` means images that were added by call, and no folder of that name."""
        return all(root.name != ADDED for root in self.manifest.roots)

    @property
    def own(self) -> OwnColumns:
        """The user's own columns, as they are searched."""
        return self.keep_of_fields("own", lambda: OwnColumns(self.fields))

    @property
    def file_labels(self) -> Coded:
        """What each file's image is labelled: by hand, else by its folder or data set, if that tells."""
        return self.keep("labels", lambda: self._label_files(self._telling_labels()))

    @property
    def every_file_label(self) -> Coded:
        """What each file's image is labelled, by silent labels, too: what it is found by."""
        return self.keep("every label", lambda: self._label_files(self.files.coded_labels))

    def _telling_labels(self) -> Coded:
        return without_silent(self.files.coded_labels, self.files, self.manifest)

    def _label_files(self, by_folder: Coded) -> Coded:
        by_hand = self.said.labels
        if not by_hand:
            return by_folder
        values = tuple(dict.fromkeys((*by_folder.values, *by_hand.values())))
        code_of = {value: code for code, value in enumerate(values)}
        ids = np.array(sorted(by_hand), np.int64)
        given = np.array([code_of[by_hand[image]] for image in ids.tolist()], np.int32)
        at = np.minimum(np.searchsorted(ids, self.files.ids), len(ids) - 1)
        codes = np.where(ids[at] == self.files.ids, given[at], by_folder.codes)
        return Coded(values, small_codes(codes, len(values)))

    @property
    def named_clusters(self) -> tuple[Coded, ...]:
        """The names of clusters, by clustering, the one that its user changed last first; a row an image."""
        names: tuple[Coded, ...] = self._made_of_clusters.get(
            "named", lambda: tuple(map(self._name_clusters, self.labels.named))
        )
        return names

    def _name_clusters(self, named: NamedClusters) -> Coded:
        values = tuple(dict.fromkeys(named.names.values()))
        code_of = {value: code for code, value in enumerate(values)}
        codes = np.full(len(self.images), -1, np.int32)
        rows = self.images.rows_of(named.ids)
        given = [code_of[named.names[number]] for number in named.numbers.tolist()]
        codes[rows[rows >= 0]] = np.array(given, np.int32)[rows >= 0]
        return Coded(values, small_codes(codes, len(values)))

    def clustering(self, name: str) -> ClusterColumns:
        """Return the clusters of a clustering, a row an image as `images` has them.

        Raises
        ------
        CollectionError
            If there is none of that name; CollectionConflictError if it was not read before it was changed.
        StoreError
            If it is damaged.
        """
        # Not kept where there is none, or it cannot be read: that raises.
        found: ClusterColumns = self._made_of_clusters.get(
            ("clustering", name), lambda: self._read_clustering(name)
        )
        return found

    def stored_clustering(self, name: str) -> StoredClustering:
        """Read a clustering as it was at that moment; not kept. It raises as `clustering` does."""
        return self._clusterings.read_seen(name, self._seen)

    def _read_clustering(self, name: str) -> ClusterColumns:
        stored = self.stored_clustering(name)
        rows = self.images.rows_of(stored.ids)
        codes = np.full(len(self.images), -1, np.int32)
        distances = np.full(len(self.images), np.nan, np.float32)
        codes[rows[rows >= 0]] = stored.clusters[rows >= 0] - NOISE
        distances[rows[rows >= 0]] = stored.distances[rows >= 0]
        there = tuple(map(str, range(NOISE, len(stored.centers))))
        coded = Coded(there, small_codes(codes, len(there)))
        return ClusterColumns(stored.name, coded, distances, stored.names)

    def keep(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made of this snapshot before, or make it now, once for all who ask."""
        found: T = self._made.get(key, make)
        return found

    def keep_of_fields(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made of the user's own columns before, or make it now, once for all who ask.

        It stays while neither they nor the tables of files and images change.
        """
        found: T = self._made_of_fields.get(key, make)
        return found
