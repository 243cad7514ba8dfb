"""What people said of images, as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from lookalike.types import Ids


@dataclass(frozen=True, slots=True)
class Said:
    """What people said, all changes taken together.

    Attributes
    ----------
    sets : mapping of str to (n,) int64
        Named lists of images, in the order in which they were put there.
    labels : mapping of int to str
        Labels given by hand, by image; they go before those of folders.
    """

    sets: Mapping[str, Ids] = field(default_factory=lambda: MappingProxyType({}))
    labels: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
