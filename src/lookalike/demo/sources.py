"""Which pictures the demo shows: the best that are within reach, whatever network there is."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lookalike.datasets import ImageFolder, caltech101, clipart, digits
from lookalike.errors import DatasetError, DatasetNotFoundError
from lookalike.hints import Hint
from lookalike.system.progress import CancelToken, ProgressReport, Watch
from lookalike.system.watching import watching


@dataclass(frozen=True, slots=True)
class Source:
    """The pictures chosen.

    Attributes
    ----------
    images : ImageFolder
    reasons : tuple of str
        Why these, where nobody named them: what was tried before and why it was not to be had; then where
        they come from.
    """

    images: ImageFolder
    reasons: tuple[str, ...]


Step = tuple[str, Callable[[Watch], ImageFolder | None]]

# In this order (photos before drawings before digits); each gives None or raises where it has nothing.
_STEPS: tuple[Step, ...] = (
    ("Caltech-101 on this machine", lambda watch: caltech101.find()),
    ("Caltech-101 from its official address", lambda watch: caltech101.fetch(watch=watch)),
    ("the clip art of Debian's package openclipart-png on this machine", lambda watch: clipart.find()),
    ("the clip art of Debian's package openclipart-png", lambda watch: clipart.fetch(watch=watch)),
    ("the scanned digits inside scikit-learn", lambda watch: digits.fetch(watch=watch)),
)

_NAMED: dict[str, Callable[[Watch], ImageFolder]] = {
    "caltech-101": lambda watch: caltech101.find() or caltech101.fetch(watch=watch),
    "clipart": lambda watch: clipart.find() or clipart.fetch(watch=watch),
    "digits": lambda watch: digits.fetch(watch=watch),
}


def choose_source(
    wanted: str | None = None,
    tell: Callable[[str], None] = lambda line: None,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
) -> Source:
    """Find pictures for the demo.

    Parameters
    ----------
    wanted : str, optional
        A folder, or one of ``caltech-101``, ``clipart``, ``digits``; by default the first within reach.
    tell : callable
        Told, a line each, what is tried.
    report, cancel : optional
        As for `Collection.sync`.

    Raises
    ------
    DatasetError
        If what was wanted is not to be had.
    """
    if wanted is not None:
        if os.path.isdir(wanted):
            return Source(_own(Path(wanted)), ())
        if wanted not in _NAMED:
            raise DatasetNotFoundError(f"{wanted!r} is neither a folder nor one of {', '.join(_NAMED)}")
        with watching(report, cancel) as watch:
            images = _NAMED[wanted](watch)
        return Source(images, ())
    with watching(report, cancel) as watch:
        return _first_within_reach(tell, watch)


def _first_within_reach(tell: Callable[[str], None], watch: Watch) -> Source:
    reasons = []
    for title, take in _STEPS:
        try:
            images_or_none = take(watch)
        except DatasetError as error:
            reasons.append(f"Tried {title}: {error}.")
            tell(reasons[-1])
            continue
        if images_or_none is not None:
            reasons.append(f"Took {title}: {images_or_none.origin}.")
            tell(reasons[-1])
            return Source(images_or_none, tuple(reasons))
        reasons.append(f"Looked for {title}: not there.")
    raise DatasetNotFoundError("no pictures are within reach", hint=Hint("demo_pictures"))


def _own(folder: Path) -> ImageFolder:
    return ImageFolder(
        name=folder.resolve().name or "pictures",
        title=str(folder),
        root=folder.resolve(),
        licence="your own",
        origin=f"your folder {folder}",
        labels=True,
        is_own=True,
    )
