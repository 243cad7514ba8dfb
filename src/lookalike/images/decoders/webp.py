"""WebPs, however large, and whatever limit the process has set Pillow.

Pillow finds the size in the first 30 bytes, to hold it against its own limit of pixels, a global of the
process, and then gives all bytes to libwebp, which finds it once more. `lookalike.images.decode` has a limit
of its own. So the first bytes come without the size, which Pillow takes for what it is: nothing to compare.
"""

from __future__ import annotations

import io

from PIL.WebPImagePlugin import WebPImageFile

_NAMES = 16  # bytes: RIFF, a length, WEBP, and the name of the first chunk, but nothing out of it


class WebPFile(WebPImageFile):
    """Pillow's reader of WebPs, which does not look at Pillow's limit."""

    def _open(self) -> None:
        assert self.fp is not None
        self.fp = _Sips(self.fp.read())
        super()._open()


class _Sips(io.BytesIO):
    """A file that gives few bytes at a time to whoever asks for a number of them."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return so many bytes, or fewer; all that are left for -1."""
        return super().read(size if size is None or size < 0 else min(size, _NAMES))
