"""Work that is given so many seconds, beside who else may stop it."""

from __future__ import annotations

import time

from lookalike.system.progress import CancelToken, Watch


class TimeLimit(CancelToken):
    """Stops work after some time, or when somebody else does.

    Parameters
    ----------
    seconds : float
    other : CancelToken, optional

    Examples
    --------
    >>> TimeLimit(60).is_cancelled, TimeLimit(0).is_cancelled
    (False, True)
    """

    def __init__(self, seconds: float, other: CancelToken | None = None) -> None:
        super().__init__()
        self._end, self._other = time.monotonic() + seconds, other

    @property
    def is_cancelled(self) -> bool:
        """Whether it is to stop."""
        is_stopped = self._other is not None and self._other.is_cancelled
        return super().is_cancelled or is_stopped or time.monotonic() >= self._end


def within(seconds: float, watch: Watch) -> Watch:
    """Return a watch that stops what it is given to after some time; who had it still can, too."""
    return Watch(watch.report, TimeLimit(seconds, watch.cancel))
