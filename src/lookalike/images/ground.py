"""What a transparent picture is laid on, so that it can be seen.

White, as on paper and on most pages, unless white would swallow the picture: a white drawing on white is an
empty page, and all such drawings would be the same one. Then it is laid on a dark grey.

A pixel is swallowed by white if each of its channels is within 48 of 255: light greys and tints that are
hardly told from paper. White is kept as long as one hundredth of what is visible, each pixel weighted by
its opacity, is not swallowed: the dark outline of a white figure is enough, as it shows the figure. What
cannot be seen has no say, whatever colour is stored under it, and a picture of which nothing can be seen is
white.

One ground serves the whole picture, so it is chosen before the picture is cut into strips. Looking stops as
soon as enough is seen that stands out; a photograph with an alpha channel costs one strip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

WHITE = (255, 255, 255)
DARK = (64, 64, 64)
"""Dark enough for any white, and not black, so that black parts can still be told from it."""

_SWALLOWED = 48  # how far from 255 a channel may be
_STANDS_OUT = 0.01  # of what is visible
_STRIP_PIXELS = 1_000_000


def choose_ground(image: Image) -> tuple[int, int, int]:
    """Return the colour, RGB, that a picture with transparency is to be laid on: ``WHITE`` or ``DARK``."""
    from PIL import ImageChops

    width, height = image.size
    rows = max(1, _STRIP_PIXELS // width)
    enough = _STANDS_OUT * width * height * 255  # of a picture that is all visible
    stands_out = [255 if darkest < 255 - _SWALLOWED else 0 for darkest in range(256)]
    seen = visible = 0
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height))).convert("RGBA")
        red, green, blue, alpha = strip.split()
        darkest = ImageChops.darker(ImageChops.darker(red, green), blue)
        visible += _total(alpha)
        seen += _total(ImageChops.darker(darkest.point(stands_out), alpha))
        if seen >= enough:
            return WHITE
    return WHITE if seen >= _STANDS_OUT * visible else DARK


def _total(grey: Image) -> int:
    return sum(level * count for level, count in enumerate(grey.histogram()))
