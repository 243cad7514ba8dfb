"""Models that were trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.results.sync import SyncReport

if TYPE_CHECKING:
    from lookalike.train import Trained


@dataclass(frozen=True, slots=True)
class TrainedModel:
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
