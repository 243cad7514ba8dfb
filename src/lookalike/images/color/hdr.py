"""High dynamic range, PQ and HLG, brought into what a screen of ordinary range shows.

Each stored signal is turned into the light that it stands for on a display, L in cd/m²; then, channel by
channel, into light between 0 and 1 by Reinhard's curve with a white point:

    x = L / L0,    w = Lmax / L0,    t(L) = x (1 + x / w²) / (1 + x)

Lmax, which becomes 1, is the brightest that the signal can say: 10,000 cd/m² for PQ, 1,000 for HLG on its
reference display. L0 is chosen so that 18 % grey, which BT.2408 puts at a signal of 38 % in both (26 cd/m²),
becomes 0.18, as it is in sRGB (level 118 of 255). The curve rises all the way: nothing is clipped, and
diffuse white (203 cd/m², 58 % of PQ, 75 % of HLG) comes to lie at level 208 or 210, highlights above it.

References
----------
ITU-R BT.2100-2, tables 4 (PQ) and 5 (HLG).
ITU-R BT.2408-7, table 1 (reference levels).
E. Reinhard, M. Stark, P. Shirley, J. Ferwerda, "Photographic tone reproduction for digital images", 2002,
equation 4.
"""

from __future__ import annotations

import numpy as np

from lookalike.images.color.icc import Levels

GREY_SIGNAL = 0.38
"""Where BT.2408 puts 18 % grey, in PQ and in HLG."""

_GREY = 0.18
_PQ_PEAK, _HLG_PEAK = 10_000.0, 1_000.0  # cd/m²
_HLG_GAMMA = 1.2  # of the reference display: from the light of the scene to that of the display


def pq(signal: Levels) -> Levels:
    """Turn PQ signals, 0 to 1, into light as sRGB shows it, 0 to 1."""
    return _tone_mapped(_pq_light(signal), _pq_light(np.array([GREY_SIGNAL])), _PQ_PEAK)


def hlg(signal: Levels) -> Levels:
    """Turn HLG signals, 0 to 1, into light as sRGB shows it, 0 to 1."""
    return _tone_mapped(_hlg_light(signal), _hlg_light(np.array([GREY_SIGNAL])), _HLG_PEAK)


def _pq_light(signal: Levels) -> Levels:
    """The EOTF of PQ, in cd/m²."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = signal ** (1 / m2)
    light: Levels = _PQ_PEAK * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return light


def _hlg_light(signal: Levels) -> Levels:
    """The inverse OETF of HLG and the reference display's gamma, a channel at a time, in cd/m²."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    light: Levels = _HLG_PEAK * scene**_HLG_GAMMA
    return light


def _tone_mapped(light: Levels, grey: Levels, peak: float) -> Levels:
    unit = (1 - _GREY) * grey / (_GREY - (grey / peak) ** 2)  # L0, from t(grey) = 0.18
    mapped: Levels = light * (1 + light * unit / peak**2) / (unit + light)
    return mapped
