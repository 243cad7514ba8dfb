"""Lay one picture on another, in any of the eight turns, and measure how well it fits.

Both are grey, 64 pixels on the long side. Each turn of the second is first compared as it is, frame on frame,
at 16 × 16; the upright one and the best of the others are then fitted: an affine warp W, a gain g and a bias
b are sought for which

    A(x) ≈ g · B(W(x)) + b

by Gauss–Newton, at half the size first, with at most five steps at each. Pixels that do not fit count
less (Cauchy's weights, on the scale 2 · var(A) · (1 − ncc²)). The score is the mean correlation of blocks of
12 × 12 pixels, weighted by their texture, times the root of the larger share that both have in common.
One pair takes some 1.5 ms.

References
----------
S. Baker and I. Matthews, "Lucas-Kanade 20 Years On: A Unifying Framework", International Journal of Computer
Vision 56, 2004.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.Image import Image

Grey: TypeAlias = npt.NDArray[np.float32]
"""(h, w) float32, grey levels from 0 to 255."""

SAME, SAME_PLAIN = 0.8, 0.9
"""The least score of two pictures that are one, edited; and where they are plain, see `Fit.is_same`.

Of photos of Caltech-101 beside themselves encoded anew, at half the size, stretched, turned, mirrored,
lighter, darker, cropped by 10 %, or straightened by 3°, 99 % score 0.88 or more, and the worst of 4,000 0.77;
cropped by 10 % at two sides, 2 % score below 0.6. Of 750 pairs of different photos the highest is 0.78; of
2,856 pairs of one class, 11 are above: drawings of few lines, such as yin and yang. What becomes of other
photos, of drawings and of digits, ``python -m benchmarks registration`` tells.
"""

SIDE = 64
"""The long side of what is compared, pixels."""

_MOST_CHANGE, _MOST_CHANGE_PLAIN = 0.3, 0.2  # of the warp, of two pictures that are one
_PLAIN, _DETAILED = 0.12, 0.16  # in units of `Fit.detail`
_COARSE = 16  # pixels each way, to tell the turns apart
_STEPS = 5


@dataclass(frozen=True, slots=True)
class Fit:
    """How one picture lies on another.

    Attributes
    ----------
    score : float
        How well it fits, 1 at best; NaN where neither has any texture to tell by.
    turn : int
        EXIF's orientation, 1 to 8: how the second is to be turned to stand as the first does.
    matrix : (2, 3) float64
        The warp, from x, y of the first to those of the turned second, in shares of width and height.
    gain, bias : float
        Of the second's grey levels, to give those of the first.
    overlap : float
        The share of the first that lies on the second.
    change : float
        How far the warp is from laying frame on frame, shifts aside: 0.1 where it enlarges by a tenth, turns
        by a tenth of a radian, or slants by as much.
    detail : float
        How much grey levels change from pixel to pixel, in the plainer of the two: the mean square of the
        gradient over the variance. Some 0.25 for photos, 0.1 for digits of a few strokes.
    """

    score: float
    turn: int
    matrix: npt.NDArray[np.float64]
    gain: float
    bias: float
    overlap: float
    change: float
    detail: float

    @property
    def is_same(self) -> bool:
        """Whether the two are one picture, edited; not where neither has any texture to tell by.

        Warps make two handwritten ones, or two plain shirts, much alike. So more is asked of
        pictures that are plain: a score of 0.9, not 0.8, and a change of at most 0.2, not 0.3; of those in
        between, something between.
        """
        plain = min(1.0, max(0.0, (_DETAILED - self.detail) / (_DETAILED - _PLAIN)))
        least = SAME + plain * (SAME_PLAIN - SAME)
        most = _MOST_CHANGE + plain * (_MOST_CHANGE_PLAIN - _MOST_CHANGE)
        return self.score >= least and self.change <= most


def picture_of(image: Image | bytes) -> Grey:
    """Return a picture as `register` takes it: a thumbnail as a file, or an image of Pillow's.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    from PIL import Image as PillowImage

    picture = PillowImage.open(io.BytesIO(image)) if isinstance(image, bytes) else image
    if picture.format == "JPEG":
        picture.draft("L", (SIDE, SIDE))
    width, height = picture.size
    scale = SIDE / max(width, height)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    grey = picture.convert("L").resize(
        size, PillowImage.Resampling.BOX if scale < 1 else PillowImage.Resampling.BILINEAR
    )
    return np.asarray(grey, np.float32)


def register(a: Grey, b: Grey, turns: Sequence[int] | None = None) -> Fit:
    """Lay picture b on picture a; see above.

    Parameters
    ----------
    a, b : (h, w) float32
        From `picture_of`, each of its own shape.
    turns : sequence of int, optional
        Which to fit, as `Fit.turn` counts them; by default upright, and the best of the others at a glance.

    Examples
    --------
    >>> y, x = np.mgrid[:48, :64].astype(np.float32)
    >>> picture = 120 + 60 * np.sin(x / 5 + np.sin(y / 7)) + 40 * np.cos(y / 4)
    >>> fit = register(picture, np.rot90(picture) * 0.8 + 10)
    >>> fit.turn, round(fit.score, 2), round(fit.gain, 2)
    (6, 1.0, 1.25)
    """
    from lookalike.registration.kernels import refine, score

    first = np.ascontiguousarray(a, np.float32)
    detail = min(_detail(a), _detail(b))
    best: Fit | None = None
    for turn in turns or _turns_to_try(first, b):
        second = np.ascontiguousarray(turned(b, turn), np.float32)
        matrix = _frame_on_frame(first.shape, second.shape)
        small, of_second = _halved(first), _halved(second)
        half = _rescaled(matrix, 0.5)
        refine(small, of_second, half, _STEPS)
        matrix = _rescaled(half, 2.0)
        _, gain, bias, overlap = refine(first, second, matrix, _STEPS)
        fitting = score(first, second, matrix)
        shares = overlap, _share_of_other(matrix, first.shape, second.shape, overlap)
        value = math.nan if fitting < -1.5 else fitting * math.sqrt(min(1.0, max(shares)))
        fit = Fit(
            value,
            turn,
            _in_shares(matrix, first.shape, second.shape),
            gain,
            bias,
            overlap,
            _change(matrix, first.shape, second.shape),
            detail,
        )
        if best is None or not value <= best.score:
            best = fit
    assert best is not None
    return best


def turned(picture: npt.NDArray[np.float32], turn: int) -> npt.NDArray[np.float32]:
    """Return a picture, (h, w) or (h, w, 3), turned as EXIF's orientation says that it is to be.

    >>> turned(np.array([[1, 2], [3, 4]]), 6).tolist()  # clockwise by a quarter
    [[3, 1], [4, 2]]
    """
    if turn in (5, 6, 7, 8):
        picture = picture.swapaxes(0, 1)
    if turn in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    if turn in (3, 4, 7, 8):
        picture = picture[::-1]
    return picture


def _turns_to_try(a: Grey, b: Grey) -> list[int]:
    """Return upright, and that of the other turns in which the pictures are most alike."""
    one = _coarse(a)
    alike = {turn: float((one * _coarse(turned(b, turn))).mean()) for turn in range(2, 9)}
    return [1, max(alike, key=alike.__getitem__)]


def _coarse(picture: Grey) -> npt.NDArray[np.float64]:
    """Return the means of 16 × 16 cells, less their mean, of variance 1."""
    cells = picture
    for axis in (0, 1):
        cuts = np.linspace(0, cells.shape[axis], _COARSE + 1)[:-1].astype(np.intp)
        sums = np.add.reduceat(cells, cuts, axis)
        counts = np.maximum(np.diff([*cuts.tolist(), cells.shape[axis]]), 1)
        cells = sums / np.expand_dims(counts, 1 - axis)
    cells = cells - cells.mean()
    found: npt.NDArray[np.float64] = cells / max(float(cells.std()), 1e-6)
    return found


def _frame_on_frame(a: tuple[int, ...], b: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return the warp that lays one frame on the other, for the middles of pixels."""
    along, down = b[1] / a[1], b[0] / a[0]
    return np.array([[along, 0, (along - 1) / 2], [0, down, (down - 1) / 2]])


def _halved(picture: Grey) -> Grey:
    height, width = (size // 2 * 2 for size in picture.shape)
    cut = picture[:height, :width]
    return np.ascontiguousarray(0.25 * (cut[::2, ::2] + cut[1::2, ::2] + cut[::2, 1::2] + cut[1::2, 1::2]))


def _rescaled(matrix: npt.NDArray[np.float64], factor: float) -> npt.NDArray[np.float64]:
    """Return a warp of pixels' middles for both pictures at another scale."""
    found = matrix.copy()
    # The middle of pixel x lies at x + 0.5.
    found[:, 2] = factor * (matrix[:, 2] + 0.5 - 0.5 * matrix[:, :2].sum(axis=1))
    found[:, 2] += 0.5 * matrix[:, :2].sum(axis=1) - 0.5
    return found


def _in_shares(
    matrix: npt.NDArray[np.float64], a: tuple[int, ...], b: tuple[int, ...]
) -> npt.NDArray[np.float64]:
    """Return a warp of pixels' middles as one of shares of width and height."""
    from_shares = np.array([[a[1], 0, -0.5], [0, a[0], -0.5], [0, 0, 1]])
    to_shares = np.array([[1 / b[1], 0, 0.5 / b[1]], [0, 1 / b[0], 0.5 / b[0]], [0, 0, 1]])
    found: npt.NDArray[np.float64] = (to_shares @ np.vstack([matrix, [0, 0, 1]]) @ from_shares)[:2]
    return found


def _change(matrix: npt.NDArray[np.float64], a: tuple[int, ...], b: tuple[int, ...]) -> float:
    """Return by how much, at most, a warp changes a step of length 1, beyond what frame on frame does."""
    beyond = matrix[:, :2] / np.array([[b[1] / a[1]], [b[0] / a[0]]]) - np.eye(2)
    return float(np.linalg.norm(beyond, 2))


def _detail(picture: Grey) -> float:
    down, along = np.gradient(picture)
    return float((down * down + along * along).mean() / max(float(picture.var()), 1e-6))


def _share_of_other(
    matrix: npt.NDArray[np.float64], a: tuple[int, ...], b: tuple[int, ...], overlap: float
) -> float:
    """Return the share of the second that lies on the first."""
    area = abs(float(np.linalg.det(matrix[:, :2])))
    return overlap * a[0] * a[1] * area / (b[0] * b[1])
