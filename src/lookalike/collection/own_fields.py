"""What a user has said of images in columns of his own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

FieldKind = Literal["number", "text", "date", "boolean", "tags"]


@dataclass(frozen=True, slots=True)
class OwnFields:
    """The user's own columns, row for row as `FileColumns`.

    Attributes
    ----------
    columns : mapping of str to pyarrow.Array
        By name, null where nothing is known: float64, dictionary of string, timestamp[us], bool, or list of
        dictionary of string.
    kinds : mapping of str to FieldKind
    """

    columns: Mapping[str, pa.Array] = field(default_factory=lambda: MappingProxyType({}))
    kinds: Mapping[str, FieldKind] = field(default_factory=lambda: MappingProxyType({}))
