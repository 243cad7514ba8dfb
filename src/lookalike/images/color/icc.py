"""Colour spaces that are known by their numbers, written as ICC profiles.

An image may bring a profile, or only the numbers of one: the chromaticities of its primaries and its tone
curve. Written as a profile, the latter go the same way as the former: through LittleCMS.

References
----------
ICC.1:2010 (version 4.3), sections 7.2 (header), 8.3 (what a profile needs), 10 (types), annex E (Bradford).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Levels: TypeAlias = npt.NDArray[np.float64]
"""(n,) float64: signals as they are stored, or light, from 0 to 1."""

Curve: TypeAlias = Callable[[Levels], Levels]
"""From the stored signal to light, both 0 to 1; has to be hashable."""

_ENTRIES = 4096  # of a tone curve: linear between them, PQ and sRGB are exact to 1/8 of an 8-bit level
_D50 = np.array([0.9642, 1.0, 0.8249])  # the white of all profiles
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_LARGEST = 8.0  # of a primary's X, Y or Z; XYZ itself has 1


@dataclass(frozen=True, slots=True)
class Primaries:
    """Chromaticities, CIE 1931 x and y each: of red, green, blue and white."""

    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]
    white: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Space:
    """A colour space: its primaries, and the tone curve of each channel."""

    primaries: Primaries
    curve: Curve


@functools.lru_cache(maxsize=64)
def profile(space: Space, is_grey: bool = False) -> bytes | None:
    """Write a colour space as an ICC profile, for RGB or for grey images.

    Returns
    -------
    bytes or None
        None where the chromaticities are none of a colour space: no triangle, or one that is absurd.
    """
    light = np.nan_to_num(space.curve(np.linspace(0, 1, _ENTRIES)))
    table = np.rint(np.clip(light, 0, 1) * 65535).astype(">u2").tobytes()
    tone = b"curv" + bytes(4) + _ENTRIES.to_bytes(4) + table
    tags = {b"desc": _text("made from numbers"), b"cprt": _text("none"), b"wtpt": _xyz(_D50)}
    if is_grey:
        return _assemble(b"GRAY", {**tags, b"kTRC": tone})
    columns = _columns(space.primaries)
    if columns is None:
        return None
    for letter, column in zip((b"r", b"g", b"b"), columns.T, strict=True):
        tags[letter + b"XYZ"] = _xyz(column)
    return _assemble(b"RGB ", {**tags, b"rTRC": tone, b"gTRC": tone, b"bTRC": tone})


@functools.cache
def lab_profile() -> bytes:
    """Return the profile of CIELAB under D50, which is what images in it are stored in."""
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def _columns(primaries: Primaries) -> npt.NDArray[np.float64] | None:
    """Return the (3, 3) matrix from linear RGB to XYZ under D50; None where there is none."""
    red, green, blue, white = (
        np.array([x, y, 1 - x - y])
        for x, y in (primaries.red, primaries.green, primaries.blue, primaries.white)
    )
    if white[1] <= 0:
        return None
    white = white / white[1]
    cone = _BRADFORD @ white
    if min(cone) <= 0:
        return None
    corners = np.stack([red, green, blue], axis=1)
    try:
        columns = corners * np.linalg.solve(corners, white)
    except np.linalg.LinAlgError:
        return None
    columns = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ _D50 / cone) @ _BRADFORD @ columns
    return columns if np.isfinite(columns).all() and np.abs(columns).max() < _LARGEST else None


def _assemble(kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Put the header, the table of tags and what they hold together; equal tags share their place."""
    places: dict[bytes, int] = {}
    body, table = b"", len(tags).to_bytes(4)
    for name, content in tags.items():
        if content not in places:
            places[content] = 128 + 4 + 12 * len(tags) + len(body)
            body += content + bytes(-len(content) % 4)
        table += name + places[content].to_bytes(4) + len(content).to_bytes(4)
    size = 128 + len(table) + len(body)
    head = size.to_bytes(4) + bytes(4) + b"\x04\x30\0\0" + b"mntr" + kind + b"XYZ " + _DATE + b"acsp"
    return head.ljust(68, b"\0") + _xyz(_D50)[8:] + bytes(48) + table + body


_DATE = b"".join(number.to_bytes(2) for number in (2026, 1, 1, 0, 0, 0))  # a profile has to have one


def _xyz(values: npt.NDArray[np.float64]) -> bytes:
    """Write three numbers as s15Fixed16."""
    return b"XYZ " + bytes(4) + np.rint(values * 65536).astype(">i4").tobytes()


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return (
        b"mluc" + bytes(4) + b"\0\0\0\x01\0\0\0\x0cenUS" + len(encoded).to_bytes(4) + b"\0\0\0\x1c" + encoded
    )
