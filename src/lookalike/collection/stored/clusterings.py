"""Clusterings as they lie on the disk: ``clusterings/<name>/`` in the ``.lookalike`` folder."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.stored.named_folders import NamedFolders, parse_facts, read_arrays
from lookalike.errors import InvalidInputError, StoreError
from lookalike.hints import Sentence
from lookalike.images.finding.spelling import composed
from lookalike.types import Ids, Vectors

NOISE = -1
_EXPECTED: dict[str, Any] = dict.fromkeys(("name", "model", "algorithm", "made", "changed"), str)
_EXPECTED |= {"parameters": dict, "names": dict, "random_state": int, "n_images": int, "is_edited": bool}
_ARRAYS = {"ids": (np.int64, 1), "clusters": (np.int32, 1), "distances": (np.float32, 1)}
_ARRAYS |= {"margins": (np.float32, 1), "centres": (np.float32, 2)}
_ATTRIBUTES = {name: "centers" if name == "centres" else name for name in _ARRAYS}  # by array on the disk


@dataclass(frozen=True, slots=True, eq=False)
class StoredClustering:
    """A clustering, as it is kept.

    Attributes
    ----------
    name, model, algorithm : str
    parameters : mapping of str to number
        As they were used, those that were found included.
    random_state : int
    made : str
        When, as ISO 8601.
    n_images : int
        How many were clustered; others may have been assigned since.
    names : mapping of int to str
        The names that the user gave to clusters.
    is_edited : bool
        Whether the user has named, merged or moved anything: work that must not be lost.
    changed : str
        When that was last, as ISO 8601; empty if never.
    ids : (n,) int64
        Rising.
    clusters : (n,) int32
        The number of each image's cluster, a row of `centers`; -1 for noise.
    distances : (n,) float32
        To its centre as the model compares; of noise, to the nearest one.
    margins : (n,) float32
        How much farther the nearest other centre is, euclidean; infinite where there is none, NaN for noise.
    centers : (n_clusters, d) float32
        The means of the images; NaN where a cluster has none any more, so that numbers stay what they are.
    """

    name: str
    model: str
    algorithm: str
    parameters: Mapping[str, float]
    random_state: int
    made: str
    n_images: int
    names: Mapping[int, str]
    is_edited: bool
    ids: Ids
    clusters: npt.NDArray[np.int32]
    distances: npt.NDArray[np.float32]
    margins: npt.NDArray[np.float32]
    centers: Vectors
    changed: str = ""

    @property
    def there(self) -> list[int]:
        """The numbers of the clusters that have images."""
        return [int(number) for number in np.unique(self.clusters) if number != NOISE]

    def with_edited(self, old_of: Mapping[int, int]) -> StoredClustering:
        """Return a clustering in which new content stands beside the old, with the figures of that.

        Parameters
        ----------
        old_of : mapping of int to int
            The ids of the old content, by those of the new.
        """
        new, old = np.array([*old_of.keys()], np.int64), np.array([*old_of.values()], np.int64)
        is_meant = np.isin(old, self.ids) & ~np.isin(new, self.ids)
        rows = np.searchsorted(self.ids, old[is_meant])
        ids = np.concatenate([self.ids, new[is_meant]])
        order = np.argsort(ids)
        columns: dict[str, Any] = {
            name: np.concatenate([values := getattr(self, name), values[rows]])[order]
            for name in ("clusters", "distances", "margins")
        }
        return dataclasses.replace(self, ids=ids[order], **columns)


@dataclass(frozen=True, slots=True, eq=False)
class NamedClusters:
    """The clusters of a clustering that have names.

    Attributes
    ----------
    clustering : str
    changed : float
        When the user last named, merged or moved anything, seconds since 1970.
    names : mapping of int to str
    ids : (n,) int64
        The images in clusters that have a name, rising.
    numbers : (n,) int32
        The cluster of each.
    """

    clustering: str
    changed: float
    names: Mapping[int, str]
    ids: Ids
    numbers: npt.NDArray[np.int32]

    @classmethod
    def of(cls, stored: StoredClustering) -> NamedClusters:
        """Return those of a clustering."""
        changed = datetime.datetime.fromisoformat(stored.changed or stored.made).timestamp()
        is_named = np.isin(stored.clusters, list(stored.names))
        return cls(stored.name, changed, stored.names, stored.ids[is_named], stored.clusters[is_named])

    def names_of(self, images: Ids) -> list[str | None]:
        """Return the name of each image's cluster; None if it is in none that has one."""
        if not len(self.ids):
            return [None] * len(images)
        rows = np.minimum(np.searchsorted(self.ids, images), len(self.ids) - 1)
        numbers = np.where(self.ids[rows] == images, self.numbers[rows], NOISE)
        return [self.names.get(number) for number in numbers.tolist()]


class StoredClusterings(NamedFolders[StoredClustering]):
    """The clusterings of the collection in a ``.lookalike`` folder."""

    kind = "clustering"

    def __init__(self, collection: Path) -> None:
        super().__init__(collection)
        self._named: dict[str, tuple[bytes, NamedClusters | None]] = {}

    def _parse(self, folder: Path, facts_name: str = "") -> StoredClustering:
        facts = _parse_facts((folder / (facts_name or self._facts)).read_bytes())
        arrays = read_arrays(folder / Path(facts.pop("arrays")).name, _ARRAYS)
        columns: dict[str, Any] = {attribute: arrays[name] for name, attribute in _ATTRIBUTES.items()}
        clusters, n = columns["clusters"], len(columns["ids"])
        if any(len(columns[each]) != n for each in ("clusters", "distances", "margins")):
            raise ValueError("its arrays differ in length")
        if n and not NOISE <= clusters.min() <= clusters.max() < len(columns["centers"]):
            raise ValueError("it names clusters that are not there")
        facts["name"] = folder.name  # should somebody have renamed the folder
        return StoredClustering(**facts, **columns)

    def named(self) -> tuple[list[NamedClusters], list[Sentence]]:
        """Return the clusters that have names, and what is wrong with clusterings that cannot be read.

        Where nothing was named, only a few lines of each clustering are read; and what was read, once.
        """
        found, damaged = [], []
        for name in self.names():
            try:
                clusters = self._attempt(name, self._parse_named)
            except StoreError as error:
                if name in self.names():  # else it was deleted meanwhile
                    damaged.append(error.told)
                continue
            if clusters is not None:
                found.append(clusters)
        return found, damaged

    def _parse_named(self, folder: Path) -> NamedClusters | None:
        text = (folder / self._facts).read_bytes()
        seen, clusters = self._named.get(folder.name, (None, None))
        if text != seen:
            clusters = NamedClusters.of(self._parse(folder)) if _parse_facts(text)["names"] else None
            self._named[folder.name] = text, clusters
        return clusters

    def write(self, clustering: StoredClustering) -> None:
        """Keep a clustering in place of the one of its name; the caller holds the lock."""
        others = {*_ATTRIBUTES.values(), "names"}
        fields = {field.name for field in dataclasses.fields(clustering)} - others
        facts = {name: getattr(clustering, name) for name in sorted(fields)}
        facts["names"] = {str(number): given for number, given in clustering.names.items()}
        arrays = {name: getattr(clustering, attribute) for name, attribute in _ATTRIBUTES.items()}
        self._write(clustering.name, facts, arrays)

    def carry_over(self, old_of: Mapping[int, int]) -> None:
        """Leave edited images in their clusters, where the user has named, merged or moved anything.

        In other clusterings they count as new. See `StoredClustering.with_edited`; what is damaged is passed
        over.
        """
        if not old_of or not self.names():
            return
        with self.lock():
            for name in self.names():
                try:
                    stored = self.read(name)
                except (StoreError, InvalidInputError):
                    continue
                carried = stored.with_edited(old_of)
                if stored.is_edited and len(carried.ids) > len(stored.ids):
                    self.write(carried)


def _parse_facts(text: bytes) -> dict[str, Any]:
    facts = parse_facts(text, _EXPECTED, {"changed": ""})
    facts["names"] = {int(number): composed(str(given)) for number, given in facts["names"].items()}
    return facts
