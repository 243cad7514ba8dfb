"""Models that were trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.results.documents import Result
from lookalike.results.sync import SyncReport

if TYPE_CHECKING:
    from lookalike.train import Trained


@dataclass(frozen=True, slots=True)
class TrainedModel(Result):
    """A model that was trained on a collection's images, and what embedding them with it did.

    Attributes
    ----------
    trained : Trained
    synced : SyncReport
    card_file : Path
        Where one can read about it: the data, all settings, the loss of each epoch, the measures.
    """

    trained: Trained
    synced: SyncReport
    card_file: Path

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return the model's card as a document of JSON; see `SearchResult.to_dict`."""
        return {
            **self.trained.card.document(),
            "embedded": self.synced.embedded,
            "card": path(str(self.card_file)),
        }

    def __repr__(self) -> str:
        return f"<TrainedModel {self.trained.card.model!r}>"
