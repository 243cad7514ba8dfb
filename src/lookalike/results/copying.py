"""What a copy of a collection is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.results.documents import Result
from lookalike.results.notebook import show_facts
from lookalike.system.wording import count_images


@dataclass(frozen=True, slots=True)
class CopyReport(Result):
    """What was copied, and where to.

    Attributes
    ----------
    folder : Path
        The ``.lookalike`` folder of the copy.
    images : int
        How many it holds.
    files : int
        How many files it is made of.
    size : int
        Bytes of these.
    seconds : float
    """

    folder: Path
    images: int
    files: int
    size: int
    seconds: float

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        return {
            "folder": path(str(self.folder)),
            "images": self.images,
            "files": self.files,
            "bytes": self.size,
            "seconds": round(self.seconds, 3),
        }

    def __repr__(self) -> str:
        return f"<CopyReport: {count_images(self.images)} in {self.folder}, {self.size / 1e6:,.1f} MB>"

    def _repr_html_(self) -> str:
        """Show it in a notebook."""
        facts: dict[str, object] = {"folder": str(self.folder), "images": self.images, "files": self.files}
        return show_facts(
            "copy", facts | {"MB": round(self.size / 1e6, 1), "seconds": round(self.seconds, 1)}
        )
