"""Where the labels of a folder's images come from, as a manifest keeps it, and whether they tell anything.

One text says where from: ``folders``, the last folder of an image; ``folders:1``, the one above it; ``path``,
all of them; ``none``; a glob with one ``{label}``; or a table, by its path.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

Labeling = str | os.PathLike[str]
"""What labels are: ``folders``, ``folders:1``, ``path``, ``none``, a glob with ``{label}``, or a table."""

BY_FOLDER = "folders"
BY_PATH = "path"
NO_LABELS = "none"
MARK = "{label}"

TELLS_FROM = 0.1
"""The agreement from which folders are taken to say what images show; see docs/labels.md."""

FEWEST = 30
"""Images with a label of which that can be told."""

_LEVELS = re.compile(r"folders(?::(\d{1,2}))?")


def levels_above(labels: str) -> int | None:
    """Return how far above an image's own folder the one lies that names it; None where none does.

    >>> levels_above("folders"), levels_above("folders:1"), levels_above("path")
    (0, 1, None)
    """
    found = _LEVELS.fullmatch(labels)
    return int(found[1] or 0) if found else None


def is_of_folders(labels: str) -> bool:
    """Tell whether labels are names of folders."""
    return labels == BY_PATH or levels_above(labels) is not None


@dataclass(frozen=True, slots=True)
class LabelVerdict:
    """How much the labels of a root agree with what its images look like, of a sample.

    Attributes
    ----------
    images : int
        Of the sample, each with a label that another one has, too.
    labels : int
        Of all images.
    precision : float
        R-precision: for an image whose label n others have, the share of these among its n nearest.
    chance : float
        What that would be if labels were dealt out at random.
    of : str
        The state of the tables that it was measured on.
    """

    images: int
    labels: int
    precision: float
    chance: float
    of: str

    @property
    def agreement(self) -> float:
        """Between 0, which is chance, and 1: all images of a label lie nearer to each other than to others.

        >>> LabelVerdict(100, 2, precision=0.75, chance=0.5, of="").agreement
        0.5
        """
        return 0.0 if self.chance >= 1 else (self.precision - self.chance) / (1 - self.chance)

    @property
    def tells(self) -> bool:
        """Whether labels say what images show; of a few images nobody knows, and they are taken to.

        >>> LabelVerdict(500, 20, 0.06, 0.05, "").tells, LabelVerdict(9, 2, 0.5, 0.5, "").tells
        (False, True)
        """
        return self.images < FEWEST or self.agreement >= TELLS_FROM
