"""Distances on the Earth, and boxes that lose nothing that is near: by hand, at the poles, across 180°."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lookalike.geography import EARTH_RADIUS, box_around, distances

DEGREE = math.pi * EARTH_RADIUS / 180  # kilometres along a great circle

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)


def distance(one, other):
    return float(distances(*one, np.array(other[:1]), np.array(other[1:]))[0])


def angle_between(one, other):
    """Measure again, by vectors: the angle is that of their cross and dot products."""
    a, b = (
        np.array(
            [
                math.cos(math.radians(lat)) * math.cos(math.radians(lon)),
                math.cos(math.radians(lat)) * math.sin(math.radians(lon)),
                math.sin(math.radians(lat)),
            ]
        )
        for lat, lon in (one, other)
    )
    return math.atan2(float(np.linalg.norm(np.cross(a, b))), float(a @ b))


def test_distances_worked_out_by_hand():
    assert distance((0, 0), (0, 1)) == pytest.approx(DEGREE)
    assert distance((0, 0), (1, 0)) == pytest.approx(DEGREE)
    assert distance((60, 0), (60, 180)) == pytest.approx(60 * DEGREE)  # over the pole
    assert distance((0, 179.5), (0, -179.5)) == pytest.approx(DEGREE)
    assert distance((90, 0), (90, 123)) == pytest.approx(0, abs=1e-9)
    assert distance((0, 0), (0, 180)) == pytest.approx(180 * DEGREE)
    assert distance((48.8584, 2.2945), (51.5007, -0.1246)) == pytest.approx(341, abs=1)  # Eiffel to Big Ben


@given(latitudes, longitudes, latitudes, longitudes)
def test_distances_agree_with_those_by_vectors(lat, lon, other_lat, other_lon):
    one, other = (lat, lon), (other_lat, other_lon)
    assert distance(one, other) / EARTH_RADIUS == pytest.approx(angle_between(one, other), abs=1e-7)


def holds(box, lat, lon):
    along = not box.longitudes or any(west <= lon <= east for west, east in box.longitudes)
    return box.south <= lat <= box.north and along


@example(0.0, 179.9, 50.0, 0.0, -179.9)
@example(89.9, 0.0, 50.0, 89.9, 180.0)
@example(-90.0, 0.0, 0.0, -90.0, 77.0)
@example(10.0, 180.0, 0.0, 10.0, -180.0)
@given(latitudes, longitudes, st.floats(0, 21_000), latitudes, longitudes)
def test_a_box_holds_all_that_is_near(lat, lon, radius, other_lat, other_lon):
    if distance((lat, lon), (other_lat, other_lon)) <= radius:
        assert holds(box_around(lat, lon, radius), other_lat, other_lon)


@given(latitudes, longitudes, st.floats(0, 15_000), st.floats(0, 2 * math.pi))
def test_a_box_holds_the_rim_of_what_is_near(lat, lon, radius, bearing):
    angle = radius / EARTH_RADIUS
    here = math.radians(lat)
    sine = math.sin(here) * math.cos(angle) + math.cos(here) * math.sin(angle) * math.cos(bearing)
    there = math.asin(max(-1.0, min(1.0, sine)))
    along = math.atan2(
        math.sin(bearing) * math.sin(angle) * math.cos(here),
        math.cos(angle) - math.sin(here) * math.sin(there),
    )
    rim = math.degrees(there), (lon + math.degrees(along) + 540) % 360 - 180
    if distance((lat, lon), rim) <= radius:
        assert holds(box_around(lat, lon, radius), *rim)


def test_a_box_is_no_larger_than_it_has_to_be():
    box = box_around(0, 0, DEGREE)
    assert (box.south, box.north) == pytest.approx((-1, 1), abs=1e-6)
    assert box.longitudes[0] == pytest.approx((-1, 1), abs=1e-6)
    (west, east), (other_west, other_east) = box_around(60, 180, DEGREE).longitudes
    assert (east, other_west) == (180, -180)
    assert 180 - west == pytest.approx(other_east + 180) == pytest.approx(2, abs=0.01)  # cos 60° is ½
