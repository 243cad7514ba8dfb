"""What does a pixel cost to decode? `lookalike.images.cost` reckons it; here it is measured.

Of each kind a file of 12 megapixels, with some grain, is made and decoded in a process of its own: shrunk to
256 pixels, and whole. Printed are bytes a pixel at the peak (resident, or of data, which is what is bounded;
the greater) and nanoseconds of the processor a pixel, each beside what is reckoned. Where more is taken than
is reckoned, a line says so, and the program ends with 1.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import report
from lookalike.images.cost import reckon
from lookalike.images.decode import decode_here

SIZE = 4000, 3000
_POLLED = 0.002  # seconds


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks decoding_costs")
    parser.add_argument("--only", action="append", help="kinds that have this in their name; may be repeated")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args(options)
    if chosen.one:
        kind, file, wanted = chosen.one
        print(json.dumps(measure(kind, Path(file).read_bytes(), json.loads(wanted))))
        return
    rows, faults = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for name, make in kinds():
            if chosen.only and not any(word in name for word in chosen.only):
                continue
            path = Path(folder, "picture")
            path.write_bytes(make())
            for side in (256, None):
                words = ["--one", name.split()[0], str(path), json.dumps(side)]
                command = [sys.executable, "-m", "benchmarks", "decoding_costs", *words]
                row = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
                key = f"{name}, {'whole' if side is None else 'shrunk'}"
                print(f"{key:38}{row}", file=sys.stderr, flush=True)
                rows[key] = row
                faults += [
                    f"{key}: {what}" for what in ("bytes", "ns") if row[what] > row[f"{what}_reckoned"]
                ]
    report.save("decoding_costs", {"kinds": rows, "more_than_reckoned": faults})
    sys.exit(1 if faults else 0)


def measure(kind: str, data: bytes, side: int | None) -> dict[str, Any]:
    """Decode a picture, and say what a pixel of it took and was reckoned to take."""
    small = io.BytesIO()
    Image.new("RGB", (64, 64)).save(small, "PNG")
    decode_here(small.getvalue(), "", 32)
    cost = reckon(kind, data, side)
    assert cost is not None
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before, most, is_over = _memory(), _memory(), threading.Event()

    def watch() -> None:
        while not is_over.wait(_POLLED):
            most[:] = np.maximum(most, _memory())

    thread = threading.Thread(target=watch)
    thread.start()
    used = time.process_time()
    decoded = decode_here(data, "", side)
    used = time.process_time() - used
    is_over.set()
    thread.join()
    pixels = decoded.width * decoded.height
    taken = np.maximum(most, _memory()) - before
    figures = {
        "bytes": taken.max() / pixels,
        "bytes_reckoned": cost.memory / pixels,
        "ns": 1e9 * used / pixels,
        "ns_reckoned": 1e9 * cost.seconds / pixels,
    }
    return {name: round(float(number), 1) for name, number in figures.items()}


def _memory() -> Any:
    facts = Path("/proc/self/status").read_text()
    return 1024 * np.array([int(re.search(rf"{name}:\s*(\d+)", facts)[1]) for name in ("VmHWM", "VmData")])  # type: ignore[index]


def kinds() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield names, each of which begins with a format, and what makes such a file."""
    import pillow_heif
    import pillow_jxl  # noqa: F401
    import tifffile

    pillow_heif.register_heif_opener()
    rgb = Image.fromarray(_grainy(3))
    modes = {mode: rgb.convert(mode) for mode in ("L", "1", "RGB", "RGBA", "CMYK", "P", "LA")}
    modes["I;16"] = Image.fromarray(_grainy(1)[..., 0].astype(np.uint16) * 257)
    for form, some, options in (
        ("JPEG", ("L", "RGB", "CMYK"), ({}, {"progressive": True})),
        ("PNG", ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), ({"compress_level": 1},)),
        ("WEBP", ("RGB", "RGBA"), ({"method": 0}, {"lossless": True, "method": 0})),
        ("GIF", ("P",), ({},)),
        ("BMP", ("L", "RGB"), ({},)),
        ("TIFF", ("L", "RGB", "RGBA", "P", "I;16"), ({}, {"compression": "tiff_lzw"})),
        ("AVIF", ("RGB", "RGBA"), ({"speed": 10},)),
        ("HEIC", ("RGB", "RGBA"), ({"quality": 40}, {"chroma": 444})),
        ("JXL", ("L", "RGB", "RGBA", "I;16"), ({"effort": 1}, {"lossless": True, "effort": 1})),
        ("JXL", ("RGB",), ({"effort": 6}, {"lossless": True, "effort": 4})),
    ):
        for mode in some:
            for each in options:
                words = " ".join(str(word) for pair in each.items() for word in pair)
                yield f"{form} {mode} {words}".strip(), partial(_saved, modes[mode], form, each)
    yield "HEIC 10 bits, 444", partial(_deep_heic, pillow_heif)
    for kind, channels in (("uint8", 3), ("uint16", 3), ("float32", 1), ("float64", 1), ("float64", 3)):
        for layout in (
            {},
            {"tile": (256, 256)},
            {"planarconfig": "separate"} if channels > 1 else {"rowsperstrip": SIZE[1]},
        ):
            yield (
                f"TIFF {kind} {channels} {layout}",
                partial(_tiff, tifffile, kind, channels, layout),
            )


def _grainy(channels: int) -> Any:
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (30, 40, channels), np.uint8).squeeze())
    smooth = np.asarray(coarse.resize(SIZE, Image.Resampling.BICUBIC)).reshape(SIZE[1], SIZE[0], channels)
    return np.clip(smooth.astype(np.int16) + random.integers(-6, 7, smooth.shape, np.int16), 0, 255).astype(
        np.uint8
    )


def _saved(image: Image.Image, form: str, options: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    image.save(stream, {"HEIC": "HEIF"}.get(form, form), **options)
    return stream.getvalue()


def _deep_heic(pillow_heif: Any) -> bytes:
    stream = io.BytesIO()
    pixels = (_grainy(3).astype(np.uint16) * 257).tobytes()
    pillow_heif.encode("RGB;16", SIZE, pixels, stream, quality=40, chroma=444)
    return stream.getvalue()


def _tiff(tifffile: Any, kind: str, channels: int, options: dict[str, Any]) -> bytes:
    pixels = _grainy(channels).squeeze().astype(kind)
    if options.get("planarconfig"):
        pixels = np.moveaxis(pixels, -1, 0)
    stream = io.BytesIO()
    photometric = "rgb" if channels > 1 else "minisblack"
    tifffile.imwrite(stream, pixels, photometric=photometric, compression="zlib", **options)
    return stream.getvalue()
