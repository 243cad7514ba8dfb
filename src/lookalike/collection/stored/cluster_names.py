"""What images are called by the names that the user gave to clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lookalike.collection.stored.clusterings import NamedClusters, StoredClusterings
from lookalike.hints import Sentence
from lookalike.types import FrozenDict, Ids

NO_CLUSTERS: Mapping[str, str] = FrozenDict()


@dataclass(frozen=True, slots=True)
class ClusterLabels:
    """The names of a collection's clusters as they are at one moment.

    Attributes
    ----------
    named : tuple of NamedClusters
        The clustering that its user changed last comes first.
    damaged : tuple of Sentence
        What is wrong with clusterings that cannot be read.
    """

    named: tuple[NamedClusters, ...]
    damaged: tuple[Sentence, ...]

    @classmethod
    def read(cls, clusterings: StoredClusterings) -> ClusterLabels:
        """Read them from the disk; what is damaged is passed over."""
        named, damaged = clusterings.named()
        named.sort(key=lambda each: (-each.changed, each.clustering))
        return cls(tuple(named), tuple(damaged))

    def of_images(self, images: Ids) -> dict[int, Mapping[str, str]]:
        """Return clustering and name of those images that are in named clusters."""
        if not self.named:
            return {}
        ids = np.unique(images)
        columns = [each.names_of(ids) for each in self.named]
        shared: dict[tuple[str | None, ...], Mapping[str, str]] = {}  # few differ, and there may be a million
        for names in set(zip(*columns, strict=True)):
            pairs = zip(self.named, names, strict=True)
            shared[names] = FrozenDict({each.clustering: name for each, name in pairs if name is not None})
        rows = zip(ids.tolist(), zip(*columns, strict=True), strict=True)
        return {image: shared[names] for image, names in rows if shared[names]}

    def images(self, name: str) -> Ids:
        """Return the images in clusters of a name, rising."""
        parts = [
            each.ids[np.isin(each.numbers, [number for number, own in each.names.items() if own == name])]
            for each in self.named
        ]
        return np.unique(np.concatenate([np.empty(0, np.int64), *parts]))

    @property
    def names(self) -> set[str]:
        """All names."""
        return {name for each in self.named for name in each.names.values()}
