"""The ways to train, as a table. To add one, add a row, its settings, and a file that trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookalike.errors import InvalidInputError
from lookalike.system.checked_calls import shown
from lookalike.system.on_demand import load

if TYPE_CHECKING:
    from lookalike.system.progress import Watch
    from lookalike.train.images import TrainingImages
    from lookalike.train.run_folder import RunFolder
    from lookalike.train.settings import Running
    from lookalike.train.trained import Trained


@dataclass(frozen=True, slots=True)
class Training:
    """One way to train.

    Attributes
    ----------
    name : str
        As users call it.
    settings : str
        ``module:class`` of what is asked of it.
    function : str
        ``module:function`` that trains: images, settings, run folder, running and watch to
        `Trained`.
    takes_labels : bool
        Whether it learns from labels.
    """

    name: str
    settings: str
    function: str
    takes_labels: bool

    def train(
        self, images: TrainingImages, settings: Any, run: RunFolder, running: Running, watch: Watch
    ) -> Trained:
        """Train a network, or go on with a run that is there."""
        trained: Trained = load(self.function)(images, settings, run, running, watch)
        return trained


TRAININGS: tuple[Training, ...] = (
    Training(
        "autoencoder",
        "lookalike.train.settings:AutoencoderSettings",
        "lookalike.train.autoencoder:train_autoencoder",
        takes_labels=False,
    ),
    Training(
        "finetune",
        "lookalike.train.settings:FinetuneSettings",
        "lookalike.train.finetuning:finetune",
        takes_labels=True,
    ),
)


def training_of(settings: object) -> Training:
    """Return the row whose settings these are.

    Raises
    ------
    InvalidInputError
        If they are no settings of a training.
    """
    for row in TRAININGS:
        if isinstance(settings, load(row.settings)):
            return row
    expected = " or ".join(row.settings.partition(":")[2] for row in TRAININGS)
    raise InvalidInputError(f"settings is {shown(settings)}; expected {expected}", field="settings")
