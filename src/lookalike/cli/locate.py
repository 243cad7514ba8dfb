"""Which collection a command is about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lookalike.collection import Collection


def open_named(at: Path | None) -> Collection:
    """Open the collection named, else the one around the working directory."""
    from lookalike.collection import Collection

    return Collection.open() if at is None else Collection.open(at, above=False)


def open_near(images: Sequence[str], at: Path | None) -> Collection:
    """Open the collection named, else the one around the working directory, else around one of the images."""
    from lookalike.collection import Collection

    return Collection.open_near(images, at)
