"""How a sync works, and whom it tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lookalike.store.store import Changes, FileRow
from lookalike.system.limits import PICTURE_SECONDS, THUMBNAIL_SIDE
from lookalike.system.progress import UNWATCHED, Watch

COMMIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Work:
    """How a sync works, and whom it tells.

    Attributes
    ----------
    jobs : int
        Threads.
    watch : Watch
        Told of the progress after each file.
    say : callable
        Told in words of what may take a while.
    commit_seconds : float
        A kill loses at most what was done in this time.
    picture_seconds : float
        A picture that takes longer to decode is stopped.
    thumbnail_side : int
        Longer side of the thumbnails, pixels.
    edited : callable
        Told of the files whose content is another now, the old rows and the new, before that is written; and
        of all that is written with it.
    """

    jobs: int
    watch: Watch = UNWATCHED
    say: Callable[[str], None] = lambda words: None
    commit_seconds: float = COMMIT_SECONDS
    picture_seconds: float = PICTURE_SECONDS
    thumbnail_side: int = THUMBNAIL_SIDE
    edited: Callable[[Sequence[tuple[FileRow, FileRow]], Changes], None] = lambda rows, changes: None
