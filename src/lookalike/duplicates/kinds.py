"""What two pictures may be to each other; the nearest first."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

DuplicateKind: TypeAlias = Literal["identical", "same", "edited", "together", "series"]
"""How two files, or two images, belong together.

identical: one image in several files. same: one picture, encoded, sized or turned otherwise. edited: cropped,
with a border, other colors, text or a logo on it, or a part of a screenshot. together: taken within seconds
of each other, and alike. series: documents of one template, which are no duplicates.
"""

KINDS: tuple[DuplicateKind, ...] = get_args(DuplicateKind)
"""All of them, the nearest first: a group is of the last of the kinds that its members have."""

USUAL: tuple[DuplicateKind, ...] = KINDS[:4]
"""Those that are shown unless others are asked for."""
