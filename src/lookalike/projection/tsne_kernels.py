"""The compiled part of t-SNE: affinities, attraction, repulsion, and the step. Inputs are already checked.

Points lie in two rows, x and y: (2, n) float64. Kernels that take `begin` and `end` do a part of the points,
each point by itself, so that the parts may go to threads and the sums are always taken in the same order.
"""

from __future__ import annotations

import numpy as np

from lookalike.index.kernels import FAST, compiled

_MOST_ROUNDS = 60
_NEAR_ENOUGH = 1e-5  # of the entropy


@compiled(FAST)
def fill_affinities(distances, are_squares, log_perplexity, affinities, begin, end):
    """Give each row of distances a Gaussian, as wide as the perplexity wants it.

    Newton's method on the logarithm of the precision, kept between bounds by bisection.

    Parameters
    ----------
    distances : (n, k) float32
    are_squares : bool
        Whether they are squares already, as 1 - cosine is half a square.
    log_perplexity : float
    affinities : (n, k) float32
        OUT: p(j|i), rows of sum 1.
    """
    k = distances.shape[1]
    squares = np.empty(k)
    for i in range(begin, end):
        for j in range(k):
            distance = np.float64(distances[i, j])
            squares[j] = distance if are_squares else distance * distance
        squares -= squares.min()
        mean = squares.mean()
        low, high = -60.0, 60.0
        scale = 1.0 / mean if mean > 0 else 1.0
        at = 0.0  # the logarithm of precision over scale
        for _ in range(_MOST_ROUNDS):
            precision = np.exp(at) * scale
            total = first = second = 0.0
            for j in range(k):
                exponent = precision * squares[j]
                weight = np.exp(-exponent)
                affinities[i, j] = weight  # OUT
                total += weight
                first += weight * exponent
                second += weight * exponent * exponent
            first /= total
            excess = np.log(total) + first - log_perplexity
            if abs(excess) < _NEAR_ENOUGH:
                break
            if excess > 0:
                low = at
            else:
                high = at
            variance = second / total - first * first
            at = at + excess / variance if variance > 1e-12 else (low + high) / 2
            if not low < at < high:
                at = (low + high) / 2
        for j in range(k):
            affinities[i, j] /= total


@compiled(FAST)
def attract(points, indptr, indices, affinities, forces, begin, end):
    """Pull each point to those that it is near to.

    Parameters
    ----------
    points : (2, n) float32
    indptr, indices, affinities : (n + 1,), (entries,) int32, (entries,) float32
    forces : (2, n) float32
        OUT
    """
    longest = 0
    for i in range(begin, end):
        longest = max(longest, indptr[i + 1] - indptr[i])
    # What is collected first is worked on in vectors: nearly twice as fast.
    x_others, y_others = np.empty(longest, np.float32), np.empty(longest, np.float32)
    one = np.float32(1)
    for i in range(begin, end):
        row = slice(indptr[i], indptr[i + 1])
        near, weights = indices[row], affinities[row]
        for j in range(len(near)):
            x_others[j], y_others[j] = points[0, near[j]], points[1, near[j]]
        x, y = points[0, i], points[1, i]
        force_x = force_y = np.float32(0)
        for j in range(len(near)):
            dx, dy = x_others[j] - x, y_others[j] - y
            pull = weights[j] / (one + dx * dx + dy * dy)
            force_x += pull * dx
            force_y += pull * dy
        forces[0, i], forces[1, i] = force_x, force_y


@compiled(FAST)
def sum_logarithms(points, indptr, indices, affinities, begin, end):
    """Return the sum of p log(p (1 + d²)) over the entries of some points, (2, n) float32."""
    total = 0.0
    for i in range(begin, end):
        for entry in range(indptr[i], indptr[i + 1]):
            j, p = indices[entry], np.float64(affinities[entry])
            dx, dy = points[0, j] - points[0, i], points[1, j] - points[1, i]
            if p > 0:
                total += p * np.log(p * (1 + dx * dx + dy * dy))
    return total


@compiled(FAST)
def repel(points, potential, slopes, begin, end):
    """Sum up 1 / (1 + d²) over all points, and its slope, at each point: exactly.

    Parameters
    ----------
    points : (2, n) float64
    potential, slopes : (n,), (2, n) float64
        OUT
    """
    xs, ys = points[0], points[1]
    for i in range(begin, end):
        x, y = points[0, i], points[1, i]
        total = slope_x = slope_y = 0.0
        for j in range(len(xs)):
            dx, dy = xs[j] - x, ys[j] - y
            near = 1.0 / (1.0 + dx * dx + dy * dy)
            total += near
            near *= near
            slope_x += near * dx
            slope_y += near * dy
        potential[i], slopes[0, i], slopes[1, i] = total, 2 * slope_x, 2 * slope_y  # OUT


@compiled(FAST)
def spread(points, corner, spacing, density):
    """Spread each point over the 6 x 6 nodes around it, by quintic B-splines.

    Parameters
    ----------
    points : (2, n) float64
    corner : (2,) float64
        Where node (0, 0) lies.
    density : (rows, columns) float64
        OUT, added to.
    """
    for i in range(points.shape[1]):
        u, v = (points[0, i] - corner[0]) / spacing, (points[1, i] - corner[1]) / spacing
        a, b = int(u), int(v)
        across, down = _weights(u - a), _weights(v - b)
        for p in range(6):
            row = density[a - 2 + p]
            for q in range(6):
                row[b - 2 + q] += across[p] * down[q]


@compiled(FAST)
def read(points, corner, spacing, nodes, potential, slopes, begin, end):
    """Read a potential, and its slope, at points between nodes.

    Parameters
    ----------
    nodes : (rows, columns) float64
        Its B-spline coefficients.
    potential, slopes : (n,), (2, n) float64
        OUT
    """
    for i in range(begin, end):
        u, v = (points[0, i] - corner[0]) / spacing, (points[1, i] - corner[1]) / spacing
        a, b = int(u), int(v)
        across, down = _weights(u - a), _weights(v - b)
        steep_across, steep_down = _slopes(u - a), _slopes(v - b)
        total = slope_x = slope_y = 0.0
        for p in range(6):
            row = nodes[a - 2 + p]
            here = steep = 0.0
            for q in range(6):
                here += down[q] * row[b - 2 + q]
                steep += steep_down[q] * row[b - 2 + q]
            total += across[p] * here
            slope_x += steep_across[p] * here
            slope_y += across[p] * steep
        potential[i], slopes[0, i], slopes[1, i] = total, slope_x / spacing, slope_y / spacing  # OUT


@compiled(FAST)
def _weights(t):
    """Return the quintic B-spline at t + 2, t + 1, t, t - 1, t - 2, t - 3; t is 0 to 1."""
    s = 1 - t
    return (
        s**5 / 120,
        (1 + s * (5 + s * (10 + s * (10 + s * (5 - 5 * s))))) / 120,
        (66 + t * t * (-60 + t * t * (30 - 10 * t))) / 120,
        (66 + s * s * (-60 + s * s * (30 - 10 * s))) / 120,
        (1 + t * (5 + t * (10 + t * (10 + t * (5 - 5 * t))))) / 120,
        t**5 / 120,
    )


@compiled(FAST)
def _slopes(t):
    """Return the derivatives of `_weights`."""
    s = 1 - t
    return (
        -(s**4) / 24,
        -(1 + s * (4 + s * (6 + s * (4 - 5 * s)))) / 24,
        t * (-12 + t * t * (12 - 5 * t)) / 12,
        -s * (-12 + s * s * (12 - 5 * s)) / 12,
        (1 + t * (4 + t * (6 + t * (4 - 5 * t)))) / 24,
        t**4 / 24,
    )


@compiled(FAST)
def step(points, attraction, slopes, exaggeration, share, updates, gains, rate, momentum, most):
    """Move the points along the forces, with momentum, each coordinate at a pace of its own.

    Parameters
    ----------
    points, updates, gains : (2, n) float64
        OUT
    attraction, slopes : (2, n)
    exaggeration, share : float
        What they are multiplied by.
    most : float
        How far a point may go.
    """
    n = points.shape[1]
    for i in range(n):
        moves = 0.0
        for axis in range(2):
            force = exaggeration * attraction[axis, i] - share * slopes[axis, i]
            update = updates[axis, i]
            if (force > 0) == (update > 0):
                gains[axis, i] += 0.2
            else:
                gains[axis, i] = gains[axis, i] * 0.8 + 0.01
            update = momentum * update + rate * gains[axis, i] * force
            updates[axis, i] = update
            moves += update * update
        if moves > most * most:
            shorter = most / np.sqrt(moves)
            updates[0, i] *= shorter
            updates[1, i] *= shorter
    for axis in range(2):
        total = 0.0
        for i in range(n):
            points[axis, i] += updates[axis, i]
            total += points[axis, i]
        total /= n
        for i in range(n):
            points[axis, i] -= total
