"""Images that came with a sync, compared with those that were there, if that is soon done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lookalike.collection.duplicates.finding import find
from lookalike.collection.duplicates.grouping import near_of
from lookalike.collection.folding import Copies
from lookalike.collection.resources import Opener, Resources
from lookalike.errors import CancelledError, LookalikeError
from lookalike.results.sync import SyncReport
from lookalike.system.progress import Watch
from lookalike.system.time_limits import within
from lookalike.types import Ids

MOST = 500
"""So many images are compared with all others at the end of a sync, at most, and for so long."""

SECONDS = 30.0


def and_compare(
    newest: Opener, sync: Callable[[Resources], SyncReport], watch: Watch, is_wanted: bool
) -> SyncReport:
    """Bring a collection up to date, then compare what came, if that is wanted."""
    resources = newest()
    is_usual = is_wanted and near_of(resources).n_compared > 0
    before = resources.places.snapshot.images.ids if is_usual else None
    done = sync(resources)
    return done if before is None else replace(done, alike=count_alike(newest, before, watch))


def count_alike(newest: Opener, before: Ids, watch: Watch) -> int | None:
    """Compare the images that came; return how many are near-duplicates, of each picture all but one.

    None where that would take long, or what is found cannot be kept: the sync that brought them is done all
    the same.

    Parameters
    ----------
    newest : Opener
    before : (n,) int64
        The images that were there.
    """
    try:
        resources = newest()
        there = resources.places.snapshot.images.ids
        if len(there) - near_of(resources).n_compared > MOST:
            return None
        find(newest, within(SECONDS, watch))
        copies = Copies.found(newest())
    except CancelledError:  # which may be the end of its time
        watch.check()
        return None
    except LookalikeError:
        return None
    new = np.setdiff1d(there, before)
    taken = set(before.tolist()) if len(new) else set()
    n_alike = 0
    for image in new.tolist():
        n_alike += any(copy in taken for copy in copies.of(image).tolist())
        taken.add(image)
    return n_alike
