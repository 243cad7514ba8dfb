"""From whatever mode an image was decoded in to 8-bit sRGB: depth, transparency, and shrinking on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.images.ground import choose_ground

if TYPE_CHECKING:
    from PIL.Image import Image

_STRIP_PIXELS = 4_000_000
_TRANSPARENT = {"RGBA", "LA", "PA", "RGBa", "La"}


def to_rgb(image: Image, ground: tuple[int, int, int] | None = None) -> Image:
    """Turn any mode into 8-bit RGB: deep greys scaled rather than clipped, what is transparent on `ground`.

    By default the ground is chosen by what the image shows, see `lookalike.images.ground`.
    """
    from PIL import Image as Pillow

    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _deep_grey_to_rgb(image)
    if _is_transparent(image):
        layer = image.convert("RGBA")
        page = Pillow.new("RGB", layer.size, ground or choose_ground(layer))
        page.paste(layer, mask=layer.getchannel("A"))
        return page
    return image.convert("RGB")


def to_small_rgb(image: Image, shorter_side: int | None) -> Image:
    """Turn a large image into RGB, strip by strip, each shrunk at once.

    Converting the whole of a 200-megapixel image takes two or three times the memory of decoding it. Here
    it takes next to none. The result keeps twice the pixels asked for, for a finer filter to work on.
    """
    from PIL import Image as Pillow

    factor = 1 if shorter_side is None else min(image.size) // (2 * shorter_side)
    if factor < 2 or image.mode.startswith("I") or image.mode == "F":  # deep greys: see below
        return to_rgb(image)
    width, height = image.size
    small = Pillow.new("RGB", (-(-width // factor), -(-height // factor)))
    rows = factor * max(1, _STRIP_PIXELS // (factor * width))
    ground = choose_ground(image) if _is_transparent(image) else None  # one for all strips
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        small.paste(to_rgb(strip, ground).reduce(factor), (0, top // factor))
    return small


def _is_transparent(image: Image) -> bool:
    return image.mode in _TRANSPARENT or "transparency" in image.info


def _deep_grey_to_rgb(image: Image) -> Image:
    """Scale 16-bit, 32-bit and float greys to 8 bits.

    16 bits keep their high byte. Wider integers and floats have no agreed white, so their own range is
    stretched to 0..255, except for floats within 0..1, which is what such files usually mean. Infinite
    values count as the ends of that range, and NaN as the dark one.
    """
    import numpy as np
    from PIL import Image as Pillow

    values = np.asarray(image).astype(np.float32)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    if image.mode.startswith("I;16") or (image.mode == "I" and 255 < high < 65536):
        grey = values / 257.0
    elif image.mode == "F" and low >= 0 and high <= 1:
        grey = values * 255.0
    elif low >= 0 and high <= 255:
        grey = values
    else:
        # In float64: the range of a float file may be wider than float32 can hold.
        grey = np.subtract(values, low, dtype=np.float64) * (255.0 / max(high - low, 1e-12))
    return Pillow.fromarray(np.clip(np.rint(grey), 0, 255).astype(np.uint8)).convert("RGB")
