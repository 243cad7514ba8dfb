"""Colour profiles for measurements: what phones, cameras and printers put into their files."""

from __future__ import annotations

from pathlib import Path

from lookalike.images.color import icc
from lookalike.images.color.h273 import PRIMARIES, Power, srgb
from lookalike.images.color.icc import Curve, Primaries, Space

DISPLAY_P3 = PRIMARIES[12]
ADOBE_RGB = Primaries((0.6400, 0.3300), (0.2100, 0.7100), (0.1500, 0.0600), (0.3127, 0.3290))
PROPHOTO = Primaries((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001), (0.3457, 0.3585))

CMYK_FILES = (
    "/usr/share/color/icc/ghostscript/default_cmyk.icc",  # Debian's libgs-common: Artifex CMYK SWOP
    "/usr/share/color/icc/colord/FOGRA39L_coated.icc",
)


def matrix_profile(primaries: Primaries, curve: Curve = srgb) -> bytes:
    """Return the profile of an RGB space with these primaries, by default with sRGB's tone curve."""
    profile = icc.profile(Space(primaries, curve))
    assert profile is not None
    return profile


def rgb_profiles() -> dict[str, bytes]:
    return {
        "Display P3": matrix_profile(DISPLAY_P3),
        "Adobe RGB": matrix_profile(ADOBE_RGB, Power(563 / 256)),
        "ProPhoto": matrix_profile(PROPHOTO, Power(1.8)),
    }


def cmyk_profile() -> bytes | None:
    """Return a printer's profile of this system, or None if it has none."""
    found = next((Path(name) for name in CMYK_FILES if Path(name).exists()), None)
    return found.read_bytes() if found else None
