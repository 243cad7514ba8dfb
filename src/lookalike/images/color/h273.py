"""The numbers that PNG, HEIC and AVIF name colour spaces by: "coding-independent code points".

What is not specified (2) is taken to be as in sRGB. Video's camera curves (BT.709 and its kin) are taken to
be sRGB's, as browsers do: their inverse would give the light of the scene, not what a screen is to show.

References
----------
ITU-T H.273 (07/2024), tables 2 (primaries) and 3 (transfer characteristics).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.images.color.hdr import hlg, pq
from lookalike.images.color.icc import Curve, Levels, Primaries, Space

_D65, _C, _DCI = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351)
_BT709 = Primaries((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65)
_SMPTE_170M = Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65)

PRIMARIES: dict[int, Primaries] = {
    1: _BT709,
    2: _BT709,
    4: Primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),  # NTSC of 1953
    5: Primaries((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), _D65),  # PAL
    6: _SMPTE_170M,
    7: _SMPTE_170M,  # SMPTE 240M
    8: Primaries((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),  # film
    9: Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),  # BT.2020
    10: Primaries((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (1 / 3, 1 / 3)),  # XYZ
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _DCI),
    12: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),  # Display P3
    22: Primaries((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), _D65),
}


@dataclass(frozen=True, slots=True)
class Power:
    """A tone curve that is a power of the signal."""

    exponent: float

    def __call__(self, signal: Levels) -> Levels:
        """Turn signals into light."""
        light: Levels = signal**self.exponent
        return light


@dataclass(frozen=True, slots=True)
class VideoRange:
    """The curve of signals of which 16 is black and 235 white, of 255."""

    curve: Curve

    def __call__(self, signal: Levels) -> Levels:
        """Turn signals into light."""
        return self.curve(np.clip((255 * signal - 16) / 219, 0, 1))


def srgb(signal: Levels) -> Levels:
    """Turn signals into light by the curve of sRGB (IEC 61966-2-1)."""
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def _logarithmic(signal: Levels) -> Levels:
    return np.where(signal > 0, 10 ** (2 * (signal - 1)), 0.0)


def _logarithmic_sqrt(signal: Levels) -> Levels:
    return np.where(signal > 0, 10 ** (2.5 * (signal - 1)), 0.0)


def _cinema(signal: Levels) -> Levels:
    return np.minimum(52.37 / 48 * signal**2.6, 1)


CURVES: dict[int, Curve] = {
    **dict.fromkeys((1, 2, 6, 7, 11, 12, 13, 14, 15), srgb),
    4: Power(2.2),
    5: Power(2.8),
    8: Power(1.0),
    9: _logarithmic,
    10: _logarithmic_sqrt,
    16: pq,
    17: _cinema,
    18: hlg,
}

SRGB = Space(_BT709, srgb)


def space(primaries: int, transfer: int) -> Space | None:
    """Return the colour space of these two numbers, or None where one means nothing.

    >>> space(1, 13) == SRGB, space(200, 13)
    (True, None)
    """
    if primaries not in PRIMARIES or transfer not in CURVES:
        return None
    return Space(PRIMARIES[primaries], CURVES[transfer])
