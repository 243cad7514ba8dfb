"""ICC profiles of every kind, made by hand, with what they say about a colour. They share no code with ours.

Each space is given by one formula from its device values to linear light, so that the value that stands for
an sRGB colour is known, and what comes back can be compared with that colour.
"""

import struct
from dataclasses import dataclass
from itertools import product

import numpy as np

D50 = np.array([0.9642, 1.0, 0.8249])
D65 = (0.3127, 0.3290)
SRGB = [(0.640, 0.330), (0.300, 0.600), (0.150, 0.060)]
DISPLAY_P3 = [(0.680, 0.320), (0.265, 0.690), (0.150, 0.060)]
ADOBE_RGB = [(0.640, 0.330), (0.210, 0.710), (0.150, 0.060)]
PROPHOTO = [(0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)]
BT2020 = [(0.708, 0.292), (0.170, 0.797), (0.131, 0.046)]
PROPHOTO_WHITE = (0.3457, 0.3585)


def to_xyz(primaries, white=D65):
    """From linear RGB to XYZ under D50, by Bradford's adaptation: (3, 3)."""

    def xyz(x, y):
        return np.array([x / y, 1, (1 - x - y) / y])

    corners = np.stack([xyz(*primary) for primary in primaries], axis=1)
    matrix = corners * np.linalg.solve(corners, xyz(*white))
    cone = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    return np.linalg.inv(cone) @ np.diag((cone @ D50) / (cone @ xyz(*white))) @ cone @ matrix


def srgb_light(value):
    value = np.asarray(value, float)
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def srgb_value(light):
    light = np.asarray(light, float)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)


def levels_of(colours, primaries, value=srgb_value, white=D65):
    """Return what stands for sRGB colours, (n, 3), in a space of these primaries: (n, 3) uint8."""
    light = srgb_light(np.asarray(colours) / 255) @ (np.linalg.inv(to_xyz(primaries, white)) @ to_xyz(SRGB)).T
    return np.rint(np.clip(value(np.clip(light, 0, 1)), 0, 1) * 255).astype(np.uint8)


def lab(xyz):
    ratio = np.asarray(xyz) / D50
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


# --- tags


def fixed(*values):
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def xyz_tag(values):
    return b"XYZ \0\0\0\0" + fixed(*values)


def gamma_v2(exponent):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(exponent * 256))


def curve_table(values):
    return b"curv\0\0\0\0" + struct.pack(
        f">I{len(values)}H", len(values), *(round(v * 65535) for v in values)
    )


def gamma_v4(exponent):
    return b"para\0\0\0\0" + struct.pack(">HH", 0, 0) + fixed(exponent)


SRGB_CURVE = (
    b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
)


def mft(grid, n_inputs, size, curve, depth):
    """A table (mft1 or mft2): input curves, a grid of PCS values of 0 to 1, output curves that do nothing.

    grid: (size ** n_inputs, 3), the last input varying fastest.
    """
    kind, most, code = (b"mft1", 255, "B") if depth == 8 else (b"mft2", 65535, "H")
    entries = 256  # mft1 has no choice
    inputs = np.tile(np.rint(curve(np.linspace(0, 1, entries)) * most).astype(int), n_inputs)
    outputs = np.tile(np.rint(np.linspace(0, 1, 256) * most).astype(int), 3)
    matrix = fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    head = kind + bytes(4) + bytes([n_inputs, 3, size, 0]) + matrix
    if depth == 16:
        head += struct.pack(">HH", entries, 256)
    numbers = np.concatenate([inputs, np.rint(np.clip(grid, 0, 1) * most).astype(int).ravel(), outputs])
    return head + struct.pack(f">{len(numbers)}{code}", *numbers)


def mab(grid, n_inputs, size, curve):
    """A table of version 4 (mAB): curves, a grid of PCS values of 0 to 1, curves that do nothing."""
    nothing = b"curv\0\0\0\0\0\0\0\0"
    b_curves = nothing * 3
    clut = bytes([size] * n_inputs).ljust(16, b"\0") + b"\x02\0\0\0"
    numbers = np.rint(np.clip(grid, 0, 1) * 65535).astype(int).ravel()
    clut += struct.pack(f">{len(numbers)}H", *numbers)
    clut += bytes(-len(clut) % 4)
    a_curves = curve * n_inputs
    places = (32, 0, 0, 32 + len(b_curves), 32 + len(b_curves) + len(clut))
    return (
        b"mAB \0\0\0\0"
        + bytes([n_inputs, 3, 0, 0])
        + struct.pack(">5I", *places)
        + b_curves
        + clut
        + a_curves
    )


# --- profiles


def profile(version, space, pcs, tags, kind=b"mntr"):
    named = {b"desc": b"desc\0\0\0\0\0\0\0\x05made\0" + bytes(78), b"cprt": b"text\0\0\0\0none\0"}
    if version == 4:
        named = dict.fromkeys(
            (b"desc", b"cprt"), b"mluc\0\0\0\0\0\0\0\x01\0\0\0\x0cenUS\0\0\0\x02\0\0\0\x1c\0x"
        )
    tags = {**named, b"wtpt": xyz_tag(D50), **tags}
    table, body, at = b"", b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        table += name + struct.pack(">II", at + len(body), len(content))
        body += padded
    head = struct.pack(
        ">I4sI4s4s4s6H4s", 0, b"none", version << 24, kind, space, pcs, 2020, 1, 1, 0, 0, 0, b"acsp"
    )
    head = head.ljust(68, b"\0") + fixed(*D50)
    made = head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(made)) + made[4:]


def matrix_profile(version, primaries, curve, white=D65):
    columns = to_xyz(primaries, white).T
    tags = {
        letter + b"XYZ": xyz_tag(column) for letter, column in zip((b"r", b"g", b"b"), columns, strict=True)
    }
    return profile(version, b"RGB ", b"XYZ ", {**tags, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)})


def corners_of(primaries):
    """XYZ, as a table holds it, of the eight corners of an RGB space: linear in between."""
    corners = np.array(list(product((0, 1), repeat=3)), float)
    return corners @ to_xyz(primaries).T * 32768 / 65535


@dataclass(frozen=True)
class Made:
    """A profile, the mode of its images, and what stands for sRGB colours in it."""

    name: str
    mode: str
    data: bytes
    encode: object  # from (n, 3) sRGB colours to (n, channels) uint8

    def __str__(self):
        return self.name


def power(exponent):
    return lambda light: np.maximum(light, 0) ** (1 / exponent)


def _rgb(name, data, primaries, value, white=D65):
    return Made(name, "RGB", data, lambda colours: levels_of(colours, primaries, value, white))


def _grey(name, version, curve, exponent):
    def encode(colours):
        return np.rint(srgb_light(np.asarray(colours)[:, :1] / 255) ** (1 / exponent) * 255).astype(np.uint8)

    return Made(name, "L", profile(version, b"GRAY", b"XYZ ", {b"kTRC": curve}), encode)


def _inks(name, version, table):
    def encode(colours):
        inks = 255 - 255 * (np.asarray(colours) / 255) ** (1 / 1.5)
        return np.rint(np.column_stack([inks, np.zeros(len(inks))])).astype(np.uint8)

    return Made(name, "CMYK", profile(version, b"CMYK", b"Lab ", {b"A2B0": table}, b"prtr"), encode)


def _printed(encode, size=9):
    """A grid of inks that print darker than the usual formula says: sRGB = ((1 - ink) (1 - black)) ** 1.5."""
    inks = np.array(list(product(np.linspace(0, 1, size), repeat=4)))
    colours = ((1 - inks[:, :3]) * (1 - inks[:, 3:])) ** 1.5
    return encode(lab(srgb_light(colours) @ to_xyz(SRGB).T))


def _lab_8(values):
    return (values * [2.55, 1, 1] + [0, 128, 128]) / 255


def _lab_16_v2(values):
    return (values * [652.8, 256, 256] + [0, 32768, 32768]) / 65535


def _lab_16_v4(values):
    return values / [100, 255, 255] + [0, 128 / 255, 128 / 255]


def _nothing(values):
    return values


def all_profiles():
    """Return a profile of each kind."""
    # 8 bits are too few for light, but not for CIELAB: a grid of sRGB's primaries with another curve.
    levels = np.array(list(product(np.linspace(0, 1, 17), repeat=3)))
    in_lab = mft(_lab_8(lab(levels**1.8 @ to_xyz(SRGB).T)), 3, 17, _nothing, 8)
    in_xyz = mft(corners_of(ADOBE_RGB), 3, 2, lambda level: level**1.8, 16)
    in_xyz_v4 = mab(corners_of(DISPLAY_P3), 3, 2, gamma_v4(1.8))
    adobe, prophoto = 2.19921875, 1.80078125  # as version 2 can write them
    long_curve = curve_table(np.linspace(0, 1, 1024) ** 1.8)
    rgb_v2 = matrix_profile(2, ADOBE_RGB, gamma_v2(adobe))
    prophoto_v2 = matrix_profile(2, PROPHOTO, gamma_v2(prophoto), PROPHOTO_WHITE)
    return [
        _rgb("rgb-matrix-v2", rgb_v2, ADOBE_RGB, power(adobe)),
        _rgb("rgb-matrix-v4", matrix_profile(4, DISPLAY_P3, SRGB_CURVE), DISPLAY_P3, srgb_value),
        _rgb("rgb-prophoto-v2", prophoto_v2, PROPHOTO, power(prophoto), PROPHOTO_WHITE),
        _rgb("rgb-curve-table-v2", matrix_profile(2, DISPLAY_P3, long_curve), DISPLAY_P3, power(1.8)),
        _rgb("rgb-table-8-v2", profile(2, b"RGB ", b"Lab ", {b"A2B0": in_lab}), SRGB, power(1.8)),
        _rgb("rgb-table-16-v2", profile(2, b"RGB ", b"XYZ ", {b"A2B0": in_xyz}), ADOBE_RGB, power(1.8)),
        _rgb("rgb-table-v4", profile(4, b"RGB ", b"XYZ ", {b"A2B0": in_xyz_v4}), DISPLAY_P3, power(1.8)),
        _grey("grey-v2", 2, gamma_v2(1.5), 1.5),
        _grey("grey-v4", 4, gamma_v4(3.0), 3.0),
        _inks("cmyk-table-8-v2", 2, mft(_printed(_lab_8), 4, 9, _nothing, 8)),
        _inks("cmyk-table-16-v2", 2, mft(_printed(_lab_16_v2), 4, 9, _nothing, 16)),
        _inks("cmyk-table-v4", 4, mab(_printed(_lab_16_v4), 4, 9, b"curv" + bytes(8))),
    ]
