"""TIFF structures and camera files, written by hand: the small cases that no camera makes."""

import io
import struct

import numpy as np

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL = 1, 2, 3, 4, 5, 7, 10
FORMS = {SHORT: "H", LONG: "I", RATIONAL: "II", SRATIONAL: "ii"}


class Stored(bytes):
    """Bytes that a tag says the place of, as a strip of pixels is given."""


def tiff(first, order="<", magic=42, gap=b""):
    """A TIFF structure of directories: tag → (type, values), another directory, or a list of these."""
    out = bytearray({"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", magic, 8 + len(gap)) + gap)

    def put_bytes(data):
        at = len(out)
        out.extend(data + bytes(len(data) % 2))
        return at

    def put(directory):
        at = put_bytes(bytes(2 + 12 * len(directory) + 4))
        table = struct.pack(order + "H", len(directory))
        for tag, value in sorted(directory.items()):
            if isinstance(value, dict):
                kind, data, count = LONG, struct.pack(order + "I", put(value)), 1
            elif isinstance(value, list):
                places = [put(inner) for inner in value]
                kind, data, count = LONG, struct.pack(f"{order}{len(places)}I", *places), len(places)
            elif isinstance(value, Stored):
                kind, data, count = LONG, struct.pack(order + "I", put_bytes(value)), 1
            else:
                kind, data = value
                count = len(data)
                if kind in FORMS:
                    numbers = [number for item in data for number in np.atleast_1d(item).tolist()]
                    form = FORMS[kind]
                    data = struct.pack(f"{order}{len(numbers)}{form[0]}", *numbers)
            field = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(order + "I", put_bytes(data))
            table += struct.pack(order + "HHI", tag, kind, count) + field
        out[at : at + len(table)] = table
        return at

    put(first)
    return bytes(out)


def text(value):
    data = value if isinstance(value, bytes) else value.encode("utf-8")
    return ASCII, data + b"\0"


def mosaic(picture):
    """What a sensor with red, green / green, blue cells would have seen of a picture, 16 bits."""
    signal = np.asarray(picture.convert("RGB"), dtype=float) / 255
    light = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    cells = light[..., 1].copy()
    cells[::2, ::2] = light[::2, ::2, 0]
    cells[1::2, 1::2] = light[1::2, 1::2, 2]
    return np.rint(cells * 60000).astype("<u2")


# From XYZ to a camera whose channels are sRGB's own primaries (IEC 61966-2-1).
XYZ_TO_SRGB = [32406, -15372, -4986, -9689, 18758, 415, 557, -2040, 10570]


def jpeg(picture, **options):
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=95, **options)
    return stream.getvalue()


def dng(picture, orientation=1, preview=None, make="Maker", version=True, more=None):
    """A camera file of TIFF's kind: the sensor's cells, uncompressed, and perhaps a JPEG preview."""
    cells = mosaic(picture)
    height, width = cells.shape
    sensor = {
        254: (LONG, [0]),
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [16]),
        259: (SHORT, [1]),
        262: (SHORT, [32803]),
        273: Stored(cells.tobytes()),
        277: (SHORT, [1]),
        278: (LONG, [height]),
        279: (LONG, [cells.nbytes]),
        33421: (SHORT, [2, 2]),
        33422: (BYTE, b"\0\1\1\2"),
        50717: (LONG, [60000]),
    }
    camera = {
        271: text(make),
        272: text("Model 1"),
        274: (SHORT, [orientation]),
        50721: (SRATIONAL, [(number, 10000) for number in XYZ_TO_SRGB]),
        50728: (RATIONAL, [(1, 1)] * 3),
        50778: (SHORT, [21]),  # D65
        **(more or {}),
    }
    if version:
        camera |= {50706: (BYTE, b"\1\4\0\0"), 50708: text("Maker Model 1")}
    if preview is None:
        return tiff(sensor | camera)
    small = jpeg(preview)
    return tiff(
        {
            254: (LONG, [1]),
            256: (LONG, [preview.width]),
            257: (LONG, [preview.height]),
            258: (SHORT, [8, 8, 8]),
            259: (SHORT, [7]),
            262: (SHORT, [6]),
            273: Stored(small),
            277: (SHORT, [3]),
            278: (LONG, [preview.height]),
            279: (LONG, [len(small)]),
            330: [sensor],
            **camera,
        }
    )
