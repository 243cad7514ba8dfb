"""Whether two pictures are one, edited: the one is laid on the other, and what does not fit is measured.

Both are grey, at 256, 128, 64 and 32 pixels on the long side. A warp W, a gain g and a bias b are sought for
which

    A(x) ≈ g · B(W(x)) + b

1. Frame on frame, upright and in the turn that is given: W affine, by Gauss–Newton with Cauchy's weights on
   the scale 2 · var(A) · (1 − ncc²), at 32 and 64 pixels. A score above 0.9 is taken.
2. Else each picture is sought in the other, at 32 pixels, in 10 sizes from 1 to 0.4, by normalized
   cross-correlation at all places where 80 % of it lie inside. The four best by atanh(ncc) · √size are
   fitted as above. Where nothing scores 0.3, the two are strangers.
3. W becomes a homography, at 128 pixels and then at 256, and what does not fit is measured:
   `evidence.DETAILS`.

The score is the mean correlation of blocks of 12 × 12 pixels, weighted by their texture, times the root of
the larger share that both have in common. Two strangers take some 1.4 ms, two copies 1.0 ms.

Which of the two is laid on the other follows from their pixels, so that it does not matter in which order
they are given.

References
----------
S. Baker and I. Matthews, "Lucas-Kanade 20 Years On: A Unifying Framework", International Journal of Computer
Vision 56, 2004.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.duplicates.evidence import DETAILS, EVIDENCE, LEAST_SCORE, Evidence, nothing
from lookalike.duplicates.looks import SIDE, Look
from lookalike.duplicates.turns import INVERSE
from lookalike.system.native import at, kernel

_NUMBERS = 15  # score, turn, nine of the matrix, gain, bias, the shares of a and of b that both have

_verify = kernel("verifying_verify", "aaa aaa id aaa", "i")


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a picture b lies on a picture a.

    Attributes
    ----------
    score : float
        How well it fits, 1 at best.
    turn : int
        EXIF's orientation, 1 to 8: how b is to be turned to stand as a does.
    matrix : (3, 3) float64
        The homography, from x, y of a to those of the turned b, in shares of width and height.
    gain, bias : float
        Of b's grey levels, to give those of a.
    overlap : float
        The share of a that lies on b.
    """

    score: float
    turn: int
    matrix: npt.NDArray[np.float64]
    gain: float
    bias: float
    overlap: float


def verify(a: Look, b: Look, turn: int = 1, ids: tuple[int, int] = (0, 1)) -> Evidence:
    """Return a row of evidence, or none, where nothing is alike.

    Parameters
    ----------
    turn : int
        How b may have to be turned to stand as a does, EXIF's 1 to 8; upright is always tried.
    ids : (int, int)
        Of the images, the lower one first.
    """
    found = _lay(a, b, turn, LEAST_SCORE)
    if found is None:
        return nothing()
    numbers, details, cells = found
    row = np.empty(1, EVIDENCE)
    row["a"], row["b"] = ids
    row["turn"] = numbers[1]
    row["score"] = numbers[0]
    row["details"] = details
    row["cells_a"], row["cells_b"] = cells
    return row


def align(a: Look, b: Look, turn: int = 1) -> Alignment | None:
    """Return how b lies on a; None where nothing is alike. `turn` as in `verify`."""
    found = _lay(a, b, turn, 0.0)
    if found is None:
        return None
    numbers = found[0]
    score, turned, *matrix, gain, bias, overlap, _ = numbers.tolist()
    first, second = a.grey.shape, b.grey.shape if turned < 5 else b.grey.shape[::-1]
    from_shares = np.diag([first[1] / SIDE, first[0] / SIDE, 1.0])
    to_shares = np.diag([SIDE / second[1], SIDE / second[0], 1.0])
    found_matrix = to_shares @ np.reshape(matrix, (3, 3)) @ from_shares
    return Alignment(score, int(turned), found_matrix / found_matrix[2, 2], gain, bias, min(overlap, 1.0))


def _lay(
    a: Look, b: Look, turn: int, least: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32], npt.NDArray[np.uint8]] | None:
    """Lay one on the other; return what native/verifying.cpp found, as of b laid on a."""
    is_swapped = _rank(a) > _rank(b)
    first, second, hint = (b, a, INVERSE[turn]) if is_swapped else (a, b, turn)
    shapes = [np.array([*look.grey.shape, *look.colors.shape[1:]], np.int64) for look in (first, second)]
    numbers = np.zeros(_NUMBERS)
    details, cells = np.zeros(len(DETAILS), np.float32), np.zeros((2, 32), np.uint8)
    is_alike = _verify(
        at(first.grey, np.uint8), at(first.colors, np.uint8), at(shapes[0], np.int64),
        at(second.grey, np.uint8), at(second.colors, np.uint8), at(shapes[1], np.int64),
        hint, least, at(numbers, np.float64), at(details, np.float32), at(cells, np.uint8),
    )  # fmt: skip
    if is_alike < 0:
        raise MemoryError
    if not is_alike:
        return None
    if is_swapped:
        numbers, cells = _turned_round(numbers, a, b), cells[::-1]
    return numbers, details, cells


def _rank(look: Look) -> tuple[int, int, bytes]:
    """Return what a picture is ordered by: something of its pixels only."""
    grey = look.grey
    return grey.size, int(grey[::7].sum()), grey[::16, ::16].tobytes()


def _turned_round(numbers: npt.NDArray[np.float64], a: Look, b: Look) -> npt.NDArray[np.float64]:
    """Return what was found of a, turned, laid on b, as of b, turned, laid on a."""
    score, turn, *matrix, gain, bias, share, other_share = numbers.tolist()
    back = INVERSE[int(turn)]
    to_turned = _turning(int(turn), *a.grey.shape)
    found = _turning(back, *b.grey.shape) @ np.linalg.inv(np.reshape(matrix, (3, 3))) @ to_turned
    slope = gain if abs(gain) > 1e-3 else 1e-3
    return np.array(
        [score, back, *(found / found[2, 2]).ravel(), 1 / slope, -bias / slope, other_share, share]
    )


def _turning(turn: int, height: int, width: int) -> npt.NDArray[np.float64]:
    """Return the matrix from coordinates of a picture to those of it turned, in units of its long side."""
    down, along = height / SIDE, width / SIDE
    found = np.eye(3)
    if turn >= 5:
        found, down, along = found[[1, 0, 2]], along, down
    if turn in (2, 3, 6, 7):
        found[0] = along * found[2] - found[0]
    if turn in (3, 4, 7, 8):
        found[1] = down * found[2] - found[1]
    return found
