"""How fast long work is, and how long it will still take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from lookalike.system.progress import Progress

_WINDOW = 15.0  # seconds that the rate is taken over: a commit is not to make it jump
_LEAST = 0.5  # seconds after which there is one
_MOMENTS = 64  # that are remembered, at most


class Pace:
    """The rate of the phase that is under way, over its last seconds.

    Parameters
    ----------
    clock : callable
        Seconds that never go back.

    Attributes
    ----------
    rate : float or None
        Steps a second; None until it can be told.
    seconds_left : float or None
        Until the phase ends, at this rate; None where nobody knows.

    Examples
    --------
    >>> pace = Pace(clock=iter([0.0, 2.0]).__next__)
    >>> pace.note(Progress("embedding", 0, 100))
    >>> pace.note(Progress("embedding", 20, 100))
    >>> pace.rate, pace.seconds_left
    (10.0, 8.0)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._phase: str | None = None
        self._moments: deque[tuple[float, int]] = deque()
        self.rate: float | None = None
        self.seconds_left: float | None = None

    def note(self, progress: Progress) -> None:
        """Take note of how far the work has come."""
        now = self._clock()
        moments = self._moments
        if progress.phase != self._phase or (moments and progress.done < moments[-1][1]):
            self._phase, self.rate = progress.phase, None
            moments.clear()
        if len(moments) < 2 or now - moments[-2][0] >= _WINDOW / _MOMENTS:
            moments.append((now, progress.done))
        else:  # many reports a second: the last one stands for them
            moments[-1] = (now, progress.done)
        while len(moments) > 2 and now - moments[1][0] >= _WINDOW:
            moments.popleft()
        began, before = moments[0]
        if now - began >= _LEAST and progress.done > before:
            self.rate = (progress.done - before) / (now - began)
        left = None if progress.total is None else max(progress.total - progress.done, 0)
        self.seconds_left = None if left is None or not self.rate else left / self.rate

    def to_dict(self) -> dict[str, float | None]:
        """Return what JSON says of it, beside `Progress.to_dict`: rate and seconds_left."""
        return {"rate": self.rate, "seconds_left": self.seconds_left}
