"""How long a network learns, how fast, and when it stops."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Schedule:
    """How a network learns, by settings that were checked.

    The rate rises for the first steps and then falls to zero along a cosine (Loshchilov and Hutter, *SGDR*,
    2017): it depends on the step alone, so that a run that goes on is where it was.

    Attributes
    ----------
    epochs : int
        At most.
    batch_size : int
    learning_rate : float
        The highest, of AdamW.
    weight_decay : float
    patience : int
        Stop after so many epochs in which the held-out loss has not fallen by a thousandth.
    warm_up : float
        Share of the steps in which the rate rises.
    checkpoint_seconds : float
        How much work a kill may lose.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 0.0
    patience: int = 5
    warm_up: float = 0.02
    checkpoint_seconds: float = 60.0

    def rate(self, done: float) -> float:
        """Return the factor on the learning rate once a share of all steps is done.

        >>> schedule = Schedule(epochs=10, batch_size=8, learning_rate=1e-3, warm_up=0.5)
        >>> [round(schedule.rate(done), 3) for done in (0.25, 0.5, 0.75, 1.0)]
        [0.5, 1.0, 0.5, 0.0]
        """
        if done < self.warm_up:
            return done / self.warm_up
        return 0.5 * (1 + math.cos(math.pi * (done - self.warm_up) / (1 - self.warm_up)))
