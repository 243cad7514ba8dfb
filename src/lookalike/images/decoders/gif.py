"""GIFs, of which the first frame is read, however large, and whatever limit the process has set Pillow.

Pillow looks at its own limit of pixels, a global of the process, where a frame reaches beyond the screen that
the header states, and where it is to be removed before the next. The first is seen to before Pillow comes to
it, and there is no next frame for us: `lookalike.images.decode` has a limit of its own.
"""

from __future__ import annotations

from PIL.GifImagePlugin import GifImageFile

from lookalike.images.metadata.containers import gif_blocks
from lookalike.images.metadata.ifd import read_at


class GifFile(GifImageFile):
    """Pillow's reader of GIFs, for the first frame."""

    @property
    def disposal_method(self) -> int:
        """How a frame is removed before the next, which is never asked for: not at all."""
        return 0

    @disposal_method.setter
    def disposal_method(self, found: int) -> None:
        """Forget what the file says."""

    def _seek(self, frame: int, update_image: bool = True) -> None:
        """Find a frame, the screen being made to hold the first, as Pillow would make it."""
        if frame == 0 and self.fp is not None:
            block = next((part for part in gif_blocks(self.fp) if part.name == b","), None)
            sides = b"" if block is None else read_at(self.fp, block.offset, block.size)
            left, top, width, height = (int.from_bytes(sides[at : at + 2], "little") for at in (0, 2, 4, 6))
            self._size = max(self.width, left + width), max(self.height, top + height)
        super()._seek(frame, update_image)
