"""What pictures of results are made of, and what is found on them: names, thumbnails, texts, places."""

import io

import numpy as np
from matplotlib.text import Text
from PIL import Image

NAMES = [
    "plain.jpg",
    "W" * 80 + ".jpg",
    "i" * 300,
    "日本語の写真.jpg",
    "شمس.jpg",
    "emoji 😀👩‍🚀.png",
    "cost $5 or $6.jpg",
    "$x^2$_{3}\\$.png",
    "\udce9\x07\n\t.jpg",
    "",
    "%s {} <b>&amp;",
    "Größe — ½.jpg",
]


def jpeg(width=64, height=48):
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x * 255 // width, y * 255 // height, x ^ y], axis=2).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG")
    return stream.getvalue()


def texts(figure):
    return [text for text in figure.findobj(Text) if text.get_text()]


def pictures(figure):
    return [axes.get_window_extent() for axes in figure.axes]
