"""The last comparisons: of a keeper with members of its group that were only compared with others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lookalike.collection.duplicates.asked import GroupsRequest
from lookalike.collection.duplicates.grouping import Grouping, group
from lookalike.collection.resources import Resources
from lookalike.collection.stored.duplicates import PAIR, StoredDuplicates
from lookalike.collection.thumbnails import thumbnails
from lookalike.duplicates.evidence import EVIDENCE, Evidence
from lookalike.duplicates.looks import Look
from lookalike.duplicates.verifying import verify
from lookalike.errors import StoreResourceError
from lookalike.system.progress import Progress, Watch

_ROUNDS = 4  # a group that loses a member may have another keeper
_AT_ONCE = 256  # pairs between two writings


def complete(resources: Resources, request: GroupsRequest, watch: Watch) -> Grouping:
    """Group the images, and compare what has to be compared for that; what is found is kept.

    Where nothing can be written, groups are as they are known.
    """
    stored = StoredDuplicates(resources.store.folder)
    found = group(resources, request, lambda: _unlike(stored))
    for _ in range(_ROUNDS):
        if not found.missing:
            break
        try:
            with stored.lock("comparing images", watch):
                lay(resources, stored, found.missing, watch)
        except StoreResourceError:
            break
        found = group(resources, request, lambda: _unlike(stored))
    return found


def lay(
    resources: Resources, stored: StoredDuplicates, pairs: Sequence[tuple[int, int, int]], watch: Watch
) -> None:
    """Lay pictures on each other, in a turn each, and keep what comes of it; the caller holds the lock."""
    for start in range(0, len(pairs), _AT_ONCE):
        watch(Progress("comparing", start, len(pairs), "comparing within groups", unit="pairs"))
        some = pairs[start : start + _AT_ONCE]
        jpegs = thumbnails(resources.store, {image for a, b, _ in some for image in (a, b)})
        looks = {int(image): each for image, jpeg in jpegs.items() if (each := _look(jpeg)) is not None}
        found: list[Evidence] = []
        unlike = []
        for a, b, turn in watch.each(some):
            if a in looks and b in looks:
                found.append(verify(looks[a], looks[b], turn, (a, b)))
            if a not in looks or b not in looks or not len(found[-1]):
                unlike.append((a, b))
        more = {
            "evidence": np.concatenate([np.empty(0, EVIDENCE), *found]),
            "unlike": np.array(unlike, PAIR),
        }
        stored.write(stored.read(), more=more)


def _look(jpeg: bytes) -> Look | None:
    try:
        return Look.of(jpeg)
    except OSError:
        return None


def _unlike(stored: StoredDuplicates) -> set[tuple[int, int]]:
    _, rows = stored.with_rows("unlike")
    return set(zip(rows["unlike"]["a"].tolist(), rows["unlike"]["b"].tolist(), strict=True))
