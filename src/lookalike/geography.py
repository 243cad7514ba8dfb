"""How far places on the Earth are from one another, and between which degrees all lies that is near.

The Earth is a sphere here, which errs by at most 0.6 %. Distances are by the haversine formula (Sinnott,
"Virtues of the Haversine", Sky and Telescope 68, 1984), which keeps its digits where places are close.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

EARTH_RADIUS = 6371.0088
"""Kilometres: the mean radius (IUGG; Moritz, Geodetic Reference System 1980)."""

_SLACK = 1e-9  # degrees, a tenth of a millimetre: what rounding may take from a box


@dataclass(frozen=True, slots=True)
class Box:
    """Latitudes and longitudes between which all places near one lie, and some others in its corners.

    Attributes
    ----------
    south, north : float
        Degrees.
    longitudes : tuple of (float, float)
        West and east, degrees; two where the box lies across the meridian of 180°, none where it holds a
        pole, and so all longitudes.
    """

    south: float
    north: float
    longitudes: tuple[tuple[float, float], ...]


def box_around(latitude: float, longitude: float, radius: float) -> Box:
    """Return the box of what is within a radius, in kilometres, of a place, in degrees."""
    angle = math.degrees(min(radius / EARTH_RADIUS, math.pi)) + _SLACK
    south, north = latitude - angle, latitude + angle
    if south <= -90 or north >= 90:
        return Box(max(south, -90.0), min(north, 90.0), ())
    # Where a great circle through the pole touches the circle of what is near.
    sine = math.sin(math.radians(angle)) / math.cos(math.radians(latitude))
    reach = math.degrees(math.asin(min(sine, 1.0))) + _SLACK
    west, east = longitude - reach, longitude + reach
    if west < -180:
        return Box(south, north, ((west + 360, 180.0), (-180.0, east)))
    if east > 180:
        return Box(south, north, ((west, 180.0), (-180.0, east - 360)))
    return Box(south, north, ((west, east),))


def distances(
    latitude: float,
    longitude: float,
    latitudes: npt.NDArray[np.float64],
    longitudes: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return how far places are from one.

    Parameters
    ----------
    latitude, longitude : float
        Degrees.
    latitudes, longitudes : (n,) float64
        Degrees.

    Returns
    -------
    (n,) float64
        Kilometres, along the great circle.
    """
    here, there = math.radians(latitude), np.radians(latitudes)
    up, along = there - here, np.radians(longitudes - longitude)
    chord = np.sin(up / 2) ** 2 + math.cos(here) * np.cos(there) * np.sin(along / 2) ** 2
    found: npt.NDArray[np.float64] = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(chord, 1.0)))
    return found
