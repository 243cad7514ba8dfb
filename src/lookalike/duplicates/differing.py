"""Where two pictures differ that lie on each other: pixel by pixel, once their brightness is evened out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.registration.registering import turned

if TYPE_CHECKING:
    from PIL.Image import Image

    from lookalike.duplicates.verifying import Alignment

_COLORFUL = 6.0  # grey levels between the channels, in the mean, of a picture that has colors
_DIFFERS = 40  # grey levels, of means of so many pixels each way:
_WINDOW = 5
_GRID = 256  # points each way

Plane = npt.NDArray[np.float32]


class Laid(NamedTuple):
    """Two pictures in the frame of the first.

    Attributes
    ----------
    a, b : (h, w, 3) uint8
    both : (h, w) bool
        Where b shows something, too.
    """

    a: npt.NDArray[np.uint8]
    b: npt.NDArray[np.uint8]
    both: npt.NDArray[np.bool_]


def lay(a: Image, b: Image, alignment: Alignment) -> Laid:
    """Lay picture b on picture a, both RGB."""
    from PIL import Image as Pillow

    upright = Pillow.fromarray(np.ascontiguousarray(turned(np.asarray(b), alignment.turn)))
    from_shares = np.diag([1 / a.width, 1 / a.height, 1.0])
    to_shares = np.diag([upright.width, upright.height, 1.0])
    matrix = to_shares @ alignment.matrix @ from_shares
    numbers = (matrix / matrix[2, 2]).ravel()[:8].tolist()

    def warped(picture: Image, how: Any) -> npt.NDArray[np.uint8]:
        found = picture.transform(a.size, Pillow.Transform.PERSPECTIVE, numbers, how)
        return np.asarray(found)

    there = warped(Pillow.new("L", upright.size, 255), Pillow.Resampling.NEAREST)
    scale = math.sqrt(abs(float(np.linalg.det(matrix[:2, :2]))))
    if scale > 1.5:  # b is the finer one, and is made coarser first
        size = max(1, round(upright.width / scale)), max(1, round(upright.height / scale))
        matrix = np.diag([size[0] / upright.width, size[1] / upright.height, 1.0]) @ matrix
        numbers[:] = (matrix / matrix[2, 2]).ravel()[:8].tolist()
        upright = upright.resize(size, Pillow.Resampling.BOX)
    return Laid(np.asarray(a), warped(upright, Pillow.Resampling.BICUBIC), there > 0)


def differences(laid: Laid) -> Plane:
    """Return how much two pictures differ where both are, (h, w) float32, 0 to 1; NaN elsewhere.

    Brightness and contrast are evened out, channel by channel; where only one has colors, these do not count.
    """
    both = laid.both
    found = np.full(both.shape, np.nan, np.float32)
    if not both.any():
        return found
    ours, theirs = laid.a.astype(np.float32), laid.b.astype(np.float32)
    colors = [float(np.ptp(each[both], axis=1).mean()) for each in (ours, theirs)]
    if min(colors) < _COLORFUL < max(colors):
        ours, theirs = (each.mean(axis=2, keepdims=True) for each in (ours, theirs))
    weights = np.maximum(_means(both.astype(np.float32)), 1e-6)
    gaps = [
        np.abs(_means(_gap(ours[..., channel], theirs[..., channel], both))) / weights
        for channel in range(ours.shape[2])
    ]
    found[both] = np.clip(np.max(gaps, axis=0)[both] / 255, 0, 1)
    return found


def _gap(ours: Plane, theirs: Plane, both: npt.NDArray[np.bool_]) -> Plane:
    """Return by how much a channel differs from another of other brightness and contrast, (h, w).

    What is as bright or dark as can be, in either, may have been brighter or darker before.
    """
    slope, shift = _evening(theirs[both][::7].astype(np.float64), ours[both][::7].astype(np.float64))
    there = ours - np.clip(slope * theirs + shift, 0, 255)
    back = there if abs(slope) < 1e-3 else slope * (np.clip((ours - shift) / slope, 0, 255) - theirs)
    gap: Plane = np.where(np.abs(there) < np.abs(back), there, back).astype(np.float32)
    return gap * both


def _evening(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and shift that make x most like y; what differs most has little say in them."""
    weights = np.ones_like(x)
    slope, shift = 1.0, 0.0
    for _ in range(3):
        total = max(float(weights.sum()), 1e-9)
        middle_x, middle_y = float(weights @ x) / total, float(weights @ y) / total
        spread = float(weights @ (x - middle_x) ** 2)
        slope = float(weights @ ((x - middle_x) * (y - middle_y))) / spread if spread > 1e-6 else 1.0
        shift = middle_y - slope * middle_x
        weights = 1 / (1 + ((y - slope * x - shift) / 20) ** 2)
    return slope, shift


def _means(plane: Plane) -> Plane:
    """Return the mean of the pixels around each; those beyond the edge are 0."""
    n = _WINDOW
    for axis in (0, 1):
        sums = np.cumsum(
            np.pad(plane, [(n // 2 + 1, n // 2) if at == axis else (0, 0) for at in (0, 1)]), axis
        )
        plane = np.take(sums, range(n, sums.shape[axis]), axis) - np.take(
            sums, range(sums.shape[axis] - n), axis
        )
    mean: Plane = (plane / (n * n)).astype(np.float32)
    return mean


def share_differing(a: Image, b: Image, alignment: Alignment) -> float:
    """Return the share of what both show in which they differ."""
    found = differences(lay(a, b, alignment))
    there = found[~np.isnan(found)]
    return float((there > _DIFFERS / 255).mean()) if len(there) else 0.0


def share_of_other(alignment: Alignment) -> float:
    """Return the share of b that lies on a: that of a grid of its points."""
    middles = (np.arange(_GRID) + 0.5) / _GRID
    grid = np.stack([*np.meshgrid(middles, middles), np.ones((_GRID, _GRID))]).reshape(3, -1)
    x, y, depth = np.linalg.inv(alignment.matrix) @ grid
    is_front = depth > 1e-9
    x, y = x[is_front] / depth[is_front], y[is_front] / depth[is_front]
    inside = (x >= -1e-9) & (x <= 1 + 1e-9) & (y >= -1e-9) & (y <= 1 + 1e-9)
    return float(inside.sum()) / grid.shape[1]
