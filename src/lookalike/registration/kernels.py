"""The loops of `registering`, compiled. Inputs are already checked: C-contiguous float32, at least 2 × 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"reassoc", "contract", "arcp", "nsz"},
}
_BLOCK = 12  # pixels, each way
_LEAST_VARIANCE = 16.0  # of a block that says anything: grey levels, squared
_FLAT = 1e-9
_WORSE = 0.02  # by so much, a step may make the correlation worse on its way


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel, and keep it on disk where there is a place for it."""
    kernel: Callable[..., Any]
    try:
        kernel = numba.njit(cache=True, **OPTIONS)(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written to
        kernel = numba.njit(**OPTIONS)(function)
    return kernel


@compiled
def warp(b, matrix, out, inside):
    """Sample b where matrix leads the pixels of a picture of the shape of `out`; return how many lie in it.

    matrix: (2, 3), from (x, y, 1) of the one to (x, y) of the other. out, inside: (h, w)  # OUT
    """
    height, width = b.shape
    n = 0
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            u = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
            v = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
            # Half a pixel beyond the last is still of the picture.
            is_inside = u >= -0.5 and v >= -0.5 and u <= width - 0.5 and v <= height - 0.5
            inside[y, x] = is_inside
            out[y, x] = 0.0
            if is_inside:
                n += 1
                u = min(max(u, 0.0), width - 1.0)
                v = min(max(v, 0.0), height - 1.0)
                left = min(int(u), width - 2)
                top = min(int(v), height - 2)
                p = u - left
                q = v - top
                upper = (1 - p) * b[top, left] + p * b[top, left + 1]
                lower = (1 - p) * b[top + 1, left] + p * b[top + 1, left + 1]
                out[y, x] = (1 - q) * upper + q * lower
    return n


@compiled
def correlate(a, warped, inside):
    """Return the normalised cross-correlation of what lies in both, gain and bias of the line through it."""
    n = 0
    sum_a = sum_b = sum_aa = sum_bb = sum_ab = 0.0
    for y in range(a.shape[0]):
        for x in range(a.shape[1]):
            if inside[y, x]:
                one, other = a[y, x], warped[y, x]
                n += 1
                sum_a += one
                sum_b += other
                sum_aa += one * one
                sum_bb += other * other
                sum_ab += one * other
    if n < 16:
        return 0.0, 1.0, 0.0
    var_a = sum_aa / n - (sum_a / n) ** 2
    var_b = sum_bb / n - (sum_b / n) ** 2
    covariance = sum_ab / n - sum_a / n * (sum_b / n)
    if var_a < _FLAT or var_b < _FLAT:
        return 0.0, 1.0, (sum_a - sum_b) / n
    gain = covariance / var_b
    return covariance / np.sqrt(var_a * var_b), gain, (sum_a - gain * sum_b) / n


@compiled
def step(a, warped, inside, gain, bias, scale, gradients, normal, right):
    """Set up one step of Gauss–Newton: what warp, gain and bias best explain what is left of a.

    The unknowns are those of the warp, in a's pixels: a change of x and y that is linear in (x, y, 1), then
    gain and bias. Weights are Cauchy's, of the residual over the scale.
    gradients: (2, h, w), of the warped picture  # OUT
    normal: (8, 8), right: (8,)  # OUT
    """
    height, width = a.shape
    for y in range(height):
        for x in range(width):
            gradients[0, y, x] = 0.0
            gradients[1, y, x] = 0.0
            is_within = 0 < x < width - 1 and 0 < y < height - 1
            if is_within and inside[y, x - 1] and inside[y, x + 1] and inside[y - 1, x] and inside[y + 1, x]:
                gradients[0, y, x] = 0.5 * (warped[y, x + 1] - warped[y, x - 1])
                gradients[1, y, x] = 0.5 * (warped[y + 1, x] - warped[y - 1, x])
    normal[:] = 0.0
    right[:] = 0.0
    row = np.empty(8)
    middle_x, middle_y = 0.5 * (width - 1), 0.5 * (height - 1)
    unit = 2.0 / max(width, height)
    for y in range(height):
        for x in range(width):
            if not inside[y, x]:
                continue
            left = a[y, x] - gain * warped[y, x] - bias
            weight = 1.0 / (1.0 + left * left / scale)
            along, down = gain * gradients[0, y, x], gain * gradients[1, y, x]
            s, t = (x - middle_x) * unit, (y - middle_y) * unit
            row[0], row[1], row[2] = along * s, along * t, along
            row[3], row[4], row[5] = down * s, down * t, down
            row[6], row[7] = warped[y, x], 1.0
            for i in range(8):
                part = weight * row[i]
                right[i] += part * left
                for j in range(i, 8):
                    normal[i, j] += part * row[j]
    for i in range(8):
        for j in range(i):
            normal[i, j] = normal[j, i]


@compiled
def solve(normal, right):
    """Solve the 8 equations by elimination, a little damped; the answer stands in `right`  # OUT."""
    n = len(right)
    for i in range(n):
        normal[i, i] = normal[i, i] * (1.0 + 1e-4) + 1e-6
    for i in range(n):
        at = i
        for row in range(i + 1, n):
            if abs(normal[row, i]) > abs(normal[at, i]):
                at = row
        if at != i:
            for column in range(n):
                normal[i, column], normal[at, column] = normal[at, column], normal[i, column]
            right[i], right[at] = right[at], right[i]
        for row in range(i + 1, n):
            factor = normal[row, i] / normal[i, i]
            right[row] -= factor * right[i]
            for column in range(i, n):
                normal[row, column] -= factor * normal[i, column]
    for i in range(n - 1, -1, -1):
        for column in range(i + 1, n):
            right[i] -= normal[i, column] * right[column]
        right[i] /= normal[i, i]


@compiled
def refine(a, b, matrix, n_steps):
    """Fit b to a, from a first guess of the matrix, (2, 3)  # OUT; return correlation, gain, bias, overlap.

    A step that makes the correlation much worse, or leads away, is not taken.
    """
    height, width = a.shape
    warped = np.empty((height, width), np.float32)
    inside = np.empty((height, width), np.bool_)
    gradients = np.empty((2, height, width), np.float32)
    normal = np.empty((8, 8))
    right = np.empty(8)
    middle_x, middle_y = 0.5 * (width - 1), 0.5 * (height - 1)
    unit = 2.0 / max(width, height)
    n = warp(b, matrix, warped, inside)
    ncc, gain, bias = correlate(a, warped, inside)
    variance = np.var(a)
    trial = np.empty((2, 3))
    for _ in range(n_steps):
        if n < 64:
            break
        scale = 2.0 * variance * max(1.0 - ncc * ncc, 1e-3) + 1.0
        step(a, warped, inside, gain, bias, scale, gradients, normal, right)
        solve(normal, right)
        # From s, t of the middle back to x, y; then the old warp after the new one.
        moved = np.empty((2, 3))
        for i in range(2):
            p, q, r = right[3 * i] * unit, right[3 * i + 1] * unit, right[3 * i + 2]
            moved[i, 0], moved[i, 1] = p, q
            moved[i, 2] = r - p * middle_x - q * middle_y
        moved[0, 0] += 1.0
        moved[1, 1] += 1.0
        for i in range(2):
            for j in range(3):
                trial[i, j] = matrix[i, 0] * moved[0, j] + matrix[i, 1] * moved[1, j]
            trial[i, 2] += matrix[i, 2]
        n_now = warp(b, trial, warped, inside)
        ncc_now, gain_now, bias_now = correlate(a, warped, inside)
        if not ncc_now > ncc - _WORSE or 2 * n_now < height * width:
            break
        matrix[:] = trial
        is_done = abs(ncc_now - ncc) < 1e-4
        n, ncc, gain, bias = n_now, ncc_now, gain_now, bias_now
        if is_done:
            break
    return ncc, gain, bias, n / (height * width)


@compiled
def score(a, b, matrix):
    """Return the mean correlation of blocks, weighted by their texture; minus 2 where nothing has any."""
    height, width = a.shape
    warped = np.empty((height, width), np.float32)
    inside = np.empty((height, width), np.bool_)
    warp(b, matrix, warped, inside)
    total = weights = 0.0
    for top in range(0, height, _BLOCK):
        for left in range(0, width, _BLOCK):
            bottom, end = min(top + _BLOCK, height), min(left + _BLOCK, width)
            n = 0
            sum_a = sum_b = sum_aa = sum_bb = sum_ab = 0.0
            for y in range(top, bottom):
                for x in range(left, end):
                    if inside[y, x]:
                        one, other = a[y, x], warped[y, x]
                        n += 1
                        sum_a += one
                        sum_b += other
                        sum_aa += one * one
                        sum_bb += other * other
                        sum_ab += one * other
            if 2 * n <= _BLOCK * _BLOCK:
                continue
            var_a = max(sum_aa / n - (sum_a / n) ** 2, 0.0)
            var_b = max(sum_bb / n - (sum_b / n) ** 2, 0.0)
            if max(var_a, var_b) < _LEAST_VARIANCE:
                continue
            covariance = sum_ab / n - sum_a / n * (sum_b / n)
            # One that is flat where the other is not, is not alike.
            ncc = covariance / np.sqrt(max(var_a, 1.0) * max(var_b, 1.0))
            weight = np.sqrt(np.sqrt(var_a * var_b)) + 1.0
            total += weight * ncc
            weights += weight
    return total / weights if weights > 0.0 else -2.0
