"""What a training tells while it runs, and what is known of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from lookalike.system.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingProgress(Progress):
    """How far a training has come: a `Progress` in steps of all epochs, that knows more.

    Attributes
    ----------
    epoch, epochs : int
        Under way, from 1; and how many there are at most.
    step, steps : int
        Batches of this epoch that are done, and how many it has.
    loss : float
        The mean of this epoch so far.
    held_out_loss : float or None
        After the last epoch that is done.
    seconds_left : float or None
        Until the last epoch ends, at the pace so far; less where it stops early. None until it can be told.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    held_out_loss: float | None
    seconds_left: float | None

    @classmethod
    def of(cls, **known: Any) -> Self:
        """Return it with what `Progress` has, made of what is known."""
        epoch, epochs, steps = known["epoch"], known["epochs"], known["steps"]
        held_out = known["held_out_loss"]
        words = f"epoch {epoch} of {epochs}, loss {known['loss']:.4f}"
        return cls(
            phase="training",
            done=(epoch - 1) * steps + known["step"],
            total=epochs * steps,
            words=words if held_out is None else f"{words}, held out {held_out:.4f}",
            **known,
        )


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch, done.

    Attributes
    ----------
    loss : float
        The mean over the images learned from, each as it was when it came.
    held_out_loss : float or None
        Afterwards; None where nothing is held out.
    seconds : float
    """

    loss: float
    held_out_loss: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a training.

    Attributes
    ----------
    epochs : tuple of Epoch
    best : int
        The epoch, from 1, whose weights the network has now.
    failed : tuple of str
        Images that could not be read, with the reasons; the first few.
    n_failed : int
    """

    epochs: tuple[Epoch, ...]
    best: int
    failed: tuple[str, ...]
    n_failed: int
