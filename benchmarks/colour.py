"""Is a photo in another colour space the same photo? And how much time does the conversion take?

72 photos of Caltech-101, spread over its classes, are converted by LittleCMS (relative colorimetric) into
Display P3, Adobe RGB, ProPhoto and a printer's CMYK, and written with the profile, as lossless TIFF and as
JPEG of quality 95, chroma in full. Each is compared with its sRGB twin, written alike: the cosine of the two
embeddings, read by the profile and, as if it were not there, without. (A photo and its own JPEG have 0.998.)

The time is that of decoding photos which carry Display P3, over that of the same without a profile, in
turns; and of the conversion alone, by LittleCMS and by the table that takes over.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from benchmarks import report
from benchmarks.profiles import cmyk_profile, rgb_profiles
from lookalike.embed import OnnxEmbedder, load_model
from lookalike.images import decode, scan
from lookalike.images.color.srgb import _Table, conversion

MODEL = "lite0-int8"
PHOTOS = 72
TIMED = 400
ROUNDS = 9
WRITTEN: dict[str, dict[str, Any]] = {"TIFF": {}, "JPEG": {"quality": 95, "subsampling": 0}}


def main() -> None:
    root = report.caltech101()
    names = list(scan(root, exclude=("BACKGROUND_Google",)).files)
    embedder = load_model(MODEL)
    photos = [open_rgb(root / name) for name in names[:: len(names) // PHOTOS][:PHOTOS]]
    spaces = {name: (profile, "RGB") for name, profile in rgb_profiles().items()}
    printer = cmyk_profile()
    if printer is not None:
        spaces["CMYK"] = (printer, "CMYK")
    twins = {form: embed(embedder, [encode(photo, form) for photo in photos]) for form in WRITTEN}
    report.save(
        "colour",
        {
            "model": MODEL,
            "photos": len(photos),
            "cmyk_profile": printer and ImageCms.getProfileDescription(opened(printer)).strip(),
            "cosine_to_the_srgb_twin": {
                name: compare(embedder, photos, twins, *space) for name, space in spaces.items()
            },
            "decoding": timing(
                [root / name for name in names[:: len(names) // TIMED]], spaces["Display P3"][0]
            ),
        },
    )


def open_rgb(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def opened(profile: bytes) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(profile))


def encode(image: Image.Image, form: str, profile: bytes | None = None) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, icc_profile=profile, **WRITTEN[form])
    return stream.getvalue()


def embed(embedder: OnnxEmbedder, files: list[bytes]) -> np.ndarray:
    pictures = [decode(data, "photo", embedder.model.decode_side).image for data in files]
    return np.concatenate([embedder.embed(embedder.prepare(picture)[None]) for picture in pictures])


def compare(
    embedder: OnnxEmbedder,
    photos: list[Image.Image],
    twins: dict[str, np.ndarray],
    profile: bytes,
    mode: str,
) -> dict[str, dict[str, float]]:
    """Return the mean and the worst cosine of photos in a colour space to their twins, managed and not."""
    transform = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), opened(profile), "RGB", mode, ImageCms.Intent.RELATIVE_COLORIMETRIC
    )
    converted = []
    for photo in photos:
        image = ImageCms.applyTransform(photo, transform)
        assert image is not None
        image.info.clear()
        converted.append(image)
    figures = {}
    for words, form, tag in (
        ("managed", "TIFF", profile),
        ("managed_jpeg", "JPEG", profile),
        ("not_managed", "TIFF", None),
    ):
        vectors = embed(embedder, [encode(image, form, tag) for image in converted])
        cosines = (vectors * twins[form]).sum(axis=1)
        figures[words] = {"mean": round(float(cosines.mean()), 4), "worst": round(float(cosines.min()), 4)}
    return figures


def timing(files: list[Path], profile: bytes) -> dict[str, Any]:
    """Return processor milliseconds a photo."""
    photos = list(map(open_rgb, files))
    plain = [path.read_bytes() for path in files]
    body = b"ICC_PROFILE\0\x01\x01" + profile
    segment = b"\xff\xe2" + (len(body) + 2).to_bytes(2) + body
    tagged = [data[:2] + segment + data[2:] for data in plain]
    table = conversion(profile, "RGB")
    assert isinstance(table, _Table)
    transform = ImageCms.buildTransform(
        opened(profile), ImageCms.createProfile("sRGB"), "RGB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC
    )
    steps: dict[str, Callable[[], object]] = {
        "littlecms_alone": lambda: [ImageCms.applyTransform(photo, transform) for photo in photos],
        "table_alone": lambda: [table(photo) for photo in photos],
        "decoding_without_profile": lambda: [decode(data, "photo", 256) for data in plain],
        "decoding_with_profile": lambda: [decode(data, "photo", 256) for data in tagged],
    }
    for work in steps.values():
        work()
    rounds = [
        {name: processor_time(work) / len(files) * 1e3 for name, work in steps.items()} for _ in range(ROUNDS)
    ]
    return {
        "photos": len(files),
        "pixels": round(float(np.mean([photo.width * photo.height for photo in photos]))),
        "milliseconds": {name: round(median(one[name] for one in rounds), 3) for name in steps},
    }


def processor_time(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
