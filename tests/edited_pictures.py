"""Pictures and pages that tests edit, or lay on one another."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WORDS = ("time", "year", "people", "way", "day", "man", "thing", "life", "child", "world", "school", "state")


def scene(seed: int, width: int = 320, height: int = 240) -> Image.Image:
    """Return a picture with shapes of all sizes, and colors: much like a photo."""
    random = np.random.default_rng(seed)
    levels = np.zeros((height, width, 3))
    for n in (3, 6, 12, 24, 48):
        noise = random.normal(size=(n * height // width + 1, n, 3)) + random.normal(size=(1, 1, 3)) * 0.1
        layer = [
            np.asarray(
                Image.fromarray(noise[..., c].astype(np.float32)).resize((width, height), Image.BICUBIC)
            )
            for c in range(3)
        ]
        levels += np.stack(layer, axis=-1) / n**0.6 + layer[0][..., None] * 1.5 / n**0.6
    levels = (levels - levels.mean()) / levels.std()
    return Image.fromarray(np.clip(128 + 52 * levels, 0, 255).astype(np.uint8))


def page(seed: int, layout: int = 0) -> Image.Image:
    """Return a page of text: the words are its own, the layout that of all of its number."""
    random, look = np.random.default_rng(seed), np.random.default_rng(1000 + layout)
    image = Image.new("RGB", (620, 800), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 620, 70), fill=tuple(look.integers(20, 160, 3).tolist()))
    draw.text((40, 90), " ".join(random.choice(WORDS, 3)).title(), "black", font(24))
    for y in range(150, 760, 17):
        if look.random() < 0.1:
            continue
        draw.text((50, y), " ".join(random.choice(WORDS, 14)), (20, 20, 20), font(12))
    return image


def font(size: int) -> ImageFont.ImageFont:
    return ImageFont.load_default(size)


def captioned(image: Image.Image, text: str = "SOME OTHER DAY") -> Image.Image:
    image = image.copy()
    draw, size = ImageDraw.Draw(image), max(image.size) // 13
    draw.text(
        (image.width / 2, image.height * 0.9),
        text,
        "white",
        font(size),
        "mm",
        stroke_width=2,
        stroke_fill="black",
    )
    return image


def bordered(image: Image.Image, by: int = 24, color: str = "black") -> Image.Image:
    frame = Image.new("RGB", (image.width + 2 * by, image.height + 2 * by), color)
    frame.paste(image, (by, by))
    return frame


def letterboxed(image: Image.Image) -> Image.Image:
    side = max(image.size)
    frame = Image.new("RGB", (side, side), "black")
    frame.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return frame


def in_a_screenshot(image: Image.Image) -> Image.Image:
    screen = Image.new("RGB", (image.width * 8 // 5, image.height * 9 // 5), "white")
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 0, screen.width, 30), fill="navy")
    for y in range(40, screen.height, 14):
        draw.text((8, y), " ".join(WORDS), (50, 50, 50), font(11))
    draw.rectangle((90, 50, 90 + image.width + 12, 62 + image.height), fill="white")
    screen.paste(image, (96, 56))
    return screen


def encoded(image: Image.Image, quality: int = 85) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def blots(seed: int, side: int) -> Image.Image:
    """Return a picture with as much in it as a photo has: blots of all sizes."""
    random = np.random.default_rng(seed)
    pixels = np.zeros((side, side, 3))
    for scale in (4, 8, 16, 32, 64):
        coarse = Image.fromarray(random.integers(0, 255, (scale, scale, 3), dtype=np.uint8))
        pixels += np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), float) / scale
    pixels -= pixels.min()
    return Image.fromarray((255 * pixels / pixels.max()).astype(np.uint8))
