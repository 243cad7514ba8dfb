"""From files and addresses to pixels: find, fetch, decode, hash, thumbnail."""

from lookalike.images.decode import MAX_PIXELS, Decoded, decode, read_image
from lookalike.images.fetch import fetch
from lookalike.images.hashing import content_id, perceptual_hash
from lookalike.images.scan import FileStat, Scan, scan
from lookalike.images.thumbnails import encode_thumbnail, make_thumbnail

__all__ = [
    "MAX_PIXELS",
    "Decoded",
    "FileStat",
    "Scan",
    "content_id",
    "decode",
    "encode_thumbnail",
    "fetch",
    "make_thumbnail",
    "perceptual_hash",
    "read_image",
    "scan",
]
