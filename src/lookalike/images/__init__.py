"""From files and addresses to pixels: find, fetch, decode, hash, thumbnail."""

from __future__ import annotations

from typing import TYPE_CHECKING

# At once, as modules of these names would otherwise stand here in their place.
from lookalike.images.decode import MAX_PIXELS, Decoded, decode, from_pixels, read_image
from lookalike.images.sharpness import sharpness
from lookalike.system.on_demand import public_names

if TYPE_CHECKING:
    from lookalike.images.finding.scan import FileStat, Scan, scan
    from lookalike.images.hashing import content_id, perceptual_hash, pixels_id
    from lookalike.images.palette import dominant_colors, palettes, sample_colors
    from lookalike.images.thumbnails import encode_thumbnail, make_thumbnail

__all__ = [
    "MAX_PIXELS",
    "Decoded",
    "FileStat",
    "Scan",
    "content_id",
    "decode",
    "dominant_colors",
    "encode_thumbnail",
    "from_pixels",
    "make_thumbnail",
    "palettes",
    "perceptual_hash",
    "pixels_id",
    "read_image",
    "sample_colors",
    "scan",
    "sharpness",
]

__getattr__, __dir__ = public_names(
    __name__,
    {
        "FileStat": "finding.scan",
        "Scan": "finding.scan",
        "content_id": "hashing",
        "dominant_colors": "palette",
        "encode_thumbnail": "thumbnails",
        "make_thumbnail": "thumbnails",
        "palettes": "palette",
        "perceptual_hash": "hashing",
        "pixels_id": "hashing",
        "sample_colors": "palette",
        "scan": "finding.scan",
    },
    former={
        "dominant_colours": "lookalike.images.palette:dominant_colors",
        "sample_colours": "lookalike.images.palette:sample_colors",
    },
)
