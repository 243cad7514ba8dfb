"""Which pictures the demo does not show, since others of them are shown: near-duplicates.

Where pictures are few, they are compared; else those whose hashes are nearly the same count as one picture.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.collection import Collection
from lookalike.errors import CancelledError, LookalikeError
from lookalike.system.progress import Watch
from lookalike.system.time_limits import within
from lookalike.types import Ids

Hashes = npt.NDArray[np.uint64]

MOST_COMPARED = 2_000
"""So many pictures are compared with one another, at most, and for so long."""

SECONDS = 15.0

_NEAR = 6  # bits of 64
_MOST_LEFT_OUT = 0.5  # of the pictures: where there are more, they are of a kind, such as digits


def find_copies(collection: Collection, watch: Watch) -> tuple[frozenset[int], bool]:
    """Return the images that are left out, and whether searches fold them, too.

    Of each set of near-duplicates one stays.
    """
    n, is_compared = len(collection), False
    left_out: frozenset[int] = frozenset()
    if n <= MOST_COMPARED:
        try:
            collection.duplicates.find(**within(SECONDS, watch).told)
            groups = collection.duplicates.groups(kinds=["same", "edited"], decided=True)
            left_out = frozenset(image.id for group in groups for image in group.images[1:])
            is_compared = True
        except CancelledError:  # which may be the end of its time
            watch.check()
        except LookalikeError:  # a full disk, say: the demo goes on
            is_compared = False
    if not is_compared:
        images = collection.snapshot().images
        left_out = near_hashes(images.ids, images.phashes)
    return (left_out, is_compared) if len(left_out) <= _MOST_LEFT_OUT * n else (frozenset(), False)


def near_hashes(ids: Ids, hashes: Hashes) -> frozenset[int]:
    """Return the images whose hash is near that of an earlier one that is not among them.

    Parameters
    ----------
    ids : (n,) int64
    hashes : (n,) uint64

    Examples
    --------
    >>> import numpy as np
    >>> near_hashes(np.array([4, 5, 6]), np.array([0, 0b111, 2**64 - 1], np.uint64))
    frozenset({5})
    """
    is_left_out = np.zeros(len(ids), bool)
    counts = np.array([number.bit_count() for number in range(1 << 16)], np.uint8)
    for row in range(len(ids)):
        if not is_left_out[row]:
            differing = (hashes[row + 1 :] ^ hashes[row]).view(np.uint16).reshape(-1, 4)
            is_left_out[row + 1 :] |= counts[differing].sum(axis=1) <= _NEAR
    return frozenset(ids[is_left_out].tolist())
