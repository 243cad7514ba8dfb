"""Vectors to be measured, unit rows: at angles of the plane, and anywhere."""

import numpy as np


def at_angles(degrees):
    """Unit rows in the plane: the nearer two angles, the more similar the rows."""
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def random_rows(n, d, seed=0):
    rows = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
