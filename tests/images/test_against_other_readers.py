"""Every picture, read by a reader that shares no code with ours: ImageMagick, and tifffile.

The files come from encoders, ImageMagick's or Pillow's; tifffile is asked where ImageMagick cannot read them.
To compare one more, add a row to the function of its format. Transparency is laid on our own ground, as other
readers have another or none. Profiles are heeded by ImageMagick, through the same LittleCMS; how they are
found, and whether twice, is each reader's own.
"""

from __future__ import annotations

import functools
import io
import itertools
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from icc_profiles import all_profiles
from lookalike.images.decode import decode
from lookalike.images.ground import choose_ground
from tiff_files import tiff

MOST = 2  # of 255: the mean difference of a pixel's channels
SIZE = WIDTH, HEIGHT = 48, 32
Y, X = np.mgrid[:HEIGHT, :WIDTH]
COLOURS = np.dstack([X * 255 // (WIDTH - 1), Y * 255 // (HEIGHT - 1), (X + Y) * 255 // (WIDTH + HEIGHT - 2)])
RGB = Image.fromarray(COLOURS.astype(np.uint8))
OPACITY = np.clip((X - 8) * 12, 0, 255)
RGBA = Image.fromarray(np.dstack([COLOURS, OPACITY]).astype(np.uint8))
# ImageMagick's names of the orientations 1 to 8.
ORIENT = (
    "",
    "TopLeft",
    "TopRight",
    "BottomRight",
    "BottomLeft",
    "LeftTop",
    "RightTop",
    "RightBottom",
    "LeftBottom",
)
ORIENTATIONS = range(1, 9)
IN_MODE = {
    "1": RGB.convert("1"),
    "L": RGB.convert("L"),
    "P": RGB.quantize(64),
    "RGB": RGB,
    "LA": RGBA.convert("LA"),
    "RGBA": RGBA,
    "CMYK": RGB.convert("CMYK"),
}


def _is_imagemagick() -> bool:
    """A program called convert may be anybody's."""
    if shutil.which("convert") is None:
        return False
    said = subprocess.run(["convert", "-version"], capture_output=True, text=True, check=False).stdout
    return "ImageMagick" in said


HAS_IMAGEMAGICK = _is_imagemagick()


@dataclass(frozen=True)
class Case:
    """One file: what it is, its bytes, who else reads it, and what they do not look for by themselves.

    That is an orientation, or a profile.
    """

    name: str
    suffix: str
    data: bytes
    reader: str = "ImageMagick"
    unseen: int = 1
    has_profile: bool = False


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    if form == "HEIC":
        pillow_heif.from_pillow(image).save(stream, **options)
    else:
        image.save(stream, form, **options)
    return stream.getvalue()


def exif(orientation: int) -> bytes:
    data = Image.Exif()
    data[0x0112] = orientation
    return data.tobytes()


def jpegs() -> Iterator[Case]:
    for mode, quality, progressive, sampling in itertools.product(
        ("L", "RGB", "CMYK"), (75, 95), (False, True), (0, 1, 2)
    ):
        if mode == "L" and sampling:
            continue
        data = saved(IN_MODE[mode], "JPEG", quality=quality, progressive=progressive, subsampling=sampling)
        yield Case(f"{mode}, quality {quality}, {sampling}, {'progressive' * progressive}", "jpg", data)
    for orientation in ORIENTATIONS:
        yield Case(
            f"orientation {orientation}", "jpg", saved(RGB, "JPEG", quality=95, exif=exif(orientation))
        )


def pngs() -> Iterator[Case]:
    for mode in ("1", "L", "P", "RGB", "LA", "RGBA"):
        yield Case(f"{mode}", "png", saved(IN_MODE[mode], "PNG"))
    for bits in (1, 2, 4):
        yield Case(f"palette of {bits} bits", "png", saved(RGB.quantize(2**bits), "PNG", bits=bits))
    for orientation in ORIENTATIONS:
        data = saved(RGB, "PNG", exif=exif(orientation))
        yield Case(f"orientation {orientation}", "png", data, unseen=orientation)
    for kind, depth, interlaced in itertools.product((0, 2, 3, 4, 6), (1, 2, 4, 8, 16), (False, True)):
        words = [
            "-define",
            f"png:color-type={kind}",
            "-define",
            f"png:bit-depth={depth}",
            "-depth",
            f"{depth}",
        ]
        words += ["-interlace", "PNG"] if interlaced else []
        words += ["-colorspace", "Gray"] if kind in (0, 4) else []
        words += ["-colors", str(min(256, 2**depth))] if kind == 3 else []
        if (kind == 3 and depth == 16) or (kind in (2, 4, 6) and depth < 8):
            continue
        data = by_imagemagick(RGBA if kind in (4, 6) else RGB, "png", *words)
        yield Case(f"type {kind}, {depth} bits{', interlaced' * interlaced}", "png", data)


def webps() -> Iterator[Case]:
    for mode, quality in itertools.product(("RGB", "RGBA", "L"), (80, 95, None)):
        options = {"lossless": True} if quality is None else {"quality": quality}
        yield Case(f"{mode}, quality {quality}", "webp", saved(IN_MODE[mode], "WEBP", **options))
    for orientation in ORIENTATIONS:
        data = saved(RGB, "WEBP", lossless=True, exif=exif(orientation))
        yield Case(f"orientation {orientation}", "webp", data, unseen=orientation)


def gifs() -> Iterator[Case]:
    for colours, interlace in itertools.product((2, 5, 16, 256), (0, 1)):
        data = saved(RGB.quantize(colours), "GIF", interlace=interlace)
        yield Case(f"{colours} colours, interlace {interlace}", "gif", data)
    yield Case("transparent", "gif", saved(IN_MODE["P"], "GIF", transparency=3))
    yield Case("animated", "gif", saved(IN_MODE["P"], "GIF", save_all=True, append_images=[IN_MODE["L"]]))


def bmps() -> Iterator[Case]:
    for mode in ("1", "L", "P", "RGB"):
        yield Case(mode, "bmp", saved(IN_MODE[mode], "BMP"))
    for version in ("bmp2", "bmp3"):
        yield Case(version, "bmp", by_imagemagick(RGB, version))
    yield Case("RGBA", "bmp", by_imagemagick(RGBA, "bmp"))


def heifs() -> Iterator[Case]:
    for form, mode, quality in itertools.product(("HEIC", "AVIF"), ("L", "RGB"), (80, 95)):
        options = {"subsampling": "4:4:4"} if form == "AVIF" else {"chroma": 444}
        yield Case(
            f"{mode}, quality {quality}", form.lower(), saved(IN_MODE[mode], form, quality=quality, **options)
        )


def tiffs() -> Iterator[Case]:
    for mode, compression in itertools.product(
        ("1", "L", "P", "RGB", "RGBA", "LA", "CMYK"), (None, "tiff_lzw", "tiff_adobe_deflate", "packbits")
    ):
        options = {} if compression is None else {"compression": compression}
        yield Case(f"{mode}, {compression}", "tif", saved(IN_MODE[mode], "TIFF", **options))
    for compression in ("group3", "group4"):
        yield Case(f"1 bit, {compression}", "tif", saved(IN_MODE["1"], "TIFF", compression=compression))
    for quality in (75, 95):
        data = saved(RGB, "TIFF", compression="jpeg", quality=quality)
        yield Case(f"JPEG of quality {quality}", "tif", data)
    for orientation in ORIENTATIONS:
        yield Case(f"orientation {orientation}", "tif", saved(RGB, "TIFF", exif=exif(orientation)))
    for depth, order, interlace in itertools.product((8, 16, 32), ("MSB", "LSB"), ("none", "plane")):
        for kind, image in (("RGB", RGB), ("RGBA", RGBA), ("grey", RGB), ("CMYK", RGB)):
            words = ["-depth", str(depth), "-endian", order, "-interlace", interlace, "-compress", "zip"]
            words += {"grey": ["-colorspace", "Gray"], "CMYK": ["-colorspace", "CMYK"]}.get(kind, [])
            data = by_imagemagick(image, "tif", *words)
            yield Case(f"{kind}, {depth} bits, {order}, interlace {interlace}", "tif", data)
    for depth, kind in itertools.product((16, 32, 64), ("RGB", "grey")):
        words = ["-depth", str(depth), "-define", "quantum:format=floating-point", "-compress", "lzw"]
        words += ["-colorspace", "Gray"] if kind == "grey" else []
        yield Case(f"{kind}, floats of {depth} bits", "tif", by_imagemagick(RGB, "tif", *words))
    for depth in (1, 8, 16):  # with 2 and 4 bits ImageMagick 6 only says so, and believes nobody who does
        words = ["-colorspace", "Gray", "-depth", str(depth), "-define", "quantum:polarity=min-is-white"]
        yield Case(f"white is 0, {depth} bits", "tif", by_imagemagick(RGB, "tif", *words))
    for bits, order in itertools.product((10, 12, 14), ("<", ">")):
        samples = np.rint(COLOURS / 255 * (2**bits - 1)).astype(np.uint16)
        yield Case(f"{bits} bits, {order}", "tif", tiff(samples, 2, bits, order), "ImageMagick")
    for kind, order, tile in itertools.product(("u1", "u2", "u4", "f2", "f4", "f8"), "<>", (None, (16, 16))):
        top = 1 if kind[0] == "f" else np.iinfo(kind).max
        samples = (COLOURS / 255 * top).astype(kind)
        data = tiff(samples, 2, order=order, tile=tile, compression=8, predictor=1 if kind[0] == "f" else 2)
        yield Case(f"{kind}, {order}, {'tiles' if tile else 'strips'}", "tif", data, "tifffile")


def with_profiles() -> Iterator[Case]:
    opaque = {"JPEG": {"quality": 95, "subsampling": 0}, "PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}}
    modes = {
        "JPEG": ("L", "RGB", "CMYK"),
        "TIFF": ("L", "RGB", "CMYK"),
        "PNG": ("L", "RGB"),
        "WEBP": ("RGB",),
    }
    for made, (form, options) in itertools.product(all_profiles(), opaque.items()):
        if made.mode in modes[form]:
            data = saved(IN_MODE[made.mode], form, icc_profile=made.data, **options)
            yield Case(f"{form}, {made.name}", form.lower(), data, has_profile=True)


def by_imagemagick(image: Image.Image, form: str, *words: str) -> bytes:
    """Encode an image; nothing where there is no ImageMagick."""
    if not HAS_IMAGEMAGICK:
        return b""
    line = ["convert", "png:-", *words, f"{form}:-"]
    return subprocess.run(line, input=saved(image, "PNG"), capture_output=True, check=True).stdout


def read_by_imagemagick(case: Case, folder: Path) -> np.ndarray:
    """RGBA of the first frame, (h, w, 4), 0 to 255."""
    file = folder / f"it.{case.suffix}"
    file.write_bytes(case.data)
    orient = ["-orient", ORIENT[case.unseen]] if case.unseen > 1 else []
    into_srgb = ["-colorspace", "sRGB"]
    if case.has_profile:
        (folder / "srgb.icc").write_bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
        into_srgb = ["-intent", "relative", "+black-point-compensation", "-profile", f"{folder / 'srgb.icc'}"]
    line = ["convert", f"{file}[0]", *orient, "-auto-orient", *into_srgb, "-depth", "8", "png32:-"]
    found = subprocess.run(line, capture_output=True, check=True).stdout
    return np.asarray(Image.open(io.BytesIO(found)).convert("RGBA")).astype(float)


def read_by_tifffile(case: Case, folder: Path) -> np.ndarray:
    tifffile = pytest.importorskip("tifffile")
    found = tifffile.imread(io.BytesIO(case.data)).astype(float)
    top = 1 if found.max() <= 1 else next(top for top in (255, 65535, 2**32 - 1) if found.max() <= top)
    return np.dstack([found / top * 255, np.full(found.shape[:2], 255.0)])


READERS: dict[str, Callable[[Case, Path], np.ndarray]] = {
    "ImageMagick": read_by_imagemagick,
    "tifffile": read_by_tifffile,
}
FORMATS = [jpegs, pngs, webps, gifs, bmps, heifs, tiffs, with_profiles]


@functools.cache
def cases(form: Callable[[], Iterator[Case]]) -> list[Case]:
    """All files of a format; encoded once."""
    return list(form())


@pytest.mark.skipif(not HAS_IMAGEMAGICK, reason="ImageMagick is not here")
@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.__name__)
def test_other_readers_see_the_same_picture(form, tmp_path):
    wrong = {}
    for case in cases(form):
        theirs = READERS[case.reader](case, tmp_path)
        ours = np.asarray(decode(case.data, case.name).image).astype(float)
        assert ours.shape[:2] == theirs.shape[:2], case
        ground = choose_ground(Image.fromarray(theirs.astype(np.uint8)))
        share = theirs[..., 3:] / 255
        error = np.abs(ours - theirs[..., :3] * share - np.array(ground) * (1 - share)).mean()
        if error > MOST:
            wrong[case.name] = round(float(error), 2)
    assert not wrong


@pytest.mark.skipif(not HAS_IMAGEMAGICK, reason="ImageMagick is not here")
def test_there_are_two_hundred_of_them():
    assert sum(1 for form in FORMATS for _ in cases(form)) >= 200
