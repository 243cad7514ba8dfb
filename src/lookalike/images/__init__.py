"""From files and addresses to pixels: find, fetch, decode, hash, thumbnail."""

from lookalike.images.decode import MAX_PIXELS, Decoded, decode, from_pixels, read_image
from lookalike.images.fetch import fetch
from lookalike.images.finding.scan import FileStat, Scan, scan
from lookalike.images.hashing import content_id, perceptual_hash, pixels_id
from lookalike.images.palette import dominant_colours, palettes, sample_colours
from lookalike.images.sharpness import sharpness
from lookalike.images.thumbnails import encode_thumbnail, make_thumbnail

__all__ = [
    "MAX_PIXELS",
    "Decoded",
    "FileStat",
    "Scan",
    "content_id",
    "decode",
    "dominant_colours",
    "encode_thumbnail",
    "fetch",
    "from_pixels",
    "make_thumbnail",
    "palettes",
    "perceptual_hash",
    "pixels_id",
    "read_image",
    "sample_colours",
    "scan",
    "sharpness",
]
