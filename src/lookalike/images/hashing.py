"""What an image is, by its bytes, and what it looks like, in 64 bits."""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.types import ImageId

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDE = 32  # the grey picture that is transformed
_LOW = 8  # its lowest frequencies along each axis
_BITS = _LOW * _LOW


def content_id(data: bytes) -> tuple[ImageId, bytes]:
    """Return the id of an image, the first 63 bits of the sha256 of its bytes, and the sha256 itself.

    >>> format(content_id(b"abc")[0], "016x"), content_id(b"abc")[1].hex()[:16]
    ('5d3c0b5fc780e7f5', 'ba7816bf8f01cfea')
    """
    digest = hashlib.sha256(data).digest()
    return id_of(digest), digest


def id_of(sha256: bytes) -> ImageId:
    """Return the id of an image by the sha256 of its content."""
    return ImageId(int.from_bytes(sha256[:8]) >> 1)


def pixels_id(pixels: npt.NDArray[np.uint8]) -> tuple[ImageId, bytes]:
    """Return the id of an image that is no file, by its pixels and their shape, and the sha256 of those."""
    return content_id(repr(pixels.shape).encode() + pixels.tobytes())


def perceptual_hash(image: Image) -> int:
    """Return 64 bits that stay nearly the same under scaling, recompression and small edits.

    The picture in grey at 32 × 32, its 8 × 8 lowest cosine frequencies, one bit each: above their median
    or not. Differing bits (the Hamming distance) measure how unlike two pictures are; copies differ in
    about 10 or fewer.

    References
    ----------
    C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, section 3.2.1.
    """
    return int(bits_of(low_frequencies(image)))


def low_frequencies(image: Image) -> npt.NDArray[np.float64]:
    """Return what hashes are made of: the lowest cosine frequencies of a picture in grey, (8, 8) float64."""
    from PIL.Image import Resampling

    # Area means: the 8 lowest frequencies of 32 need no sharper filter, and it costs a fifth of one.
    grey = np.asarray(image.convert("L").resize((_SIDE, _SIDE), Resampling.BOX), dtype=np.float64)
    basis = _cosines()
    # Frequencies that a flat or symmetric picture does not have are 0, not the sign of a rounding error.
    # Not `@`: its library ends the process where there is no memory for its buffers.
    low: npt.NDArray[np.float64] = np.einsum("ik,lk->il", np.einsum("ij,jk->ik", basis, grey), basis)
    return np.round(low, 6)


def bits_of(low: npt.NDArray[np.float64]) -> npt.NDArray[np.uint64]:
    """Return the hashes of pictures by their lowest frequencies: (..., 8, 8) to (...) uint64."""
    flat = low.reshape(*low.shape[:-2], _BITS)
    ordered = np.sort(flat, axis=-1)  # np.median takes five times as long on so few
    median = (ordered[..., _BITS // 2 - 1] + ordered[..., _BITS // 2]) / 2
    bits = np.packbits(flat > median[..., None], axis=-1)  # (..., 8)
    hashes: npt.NDArray[np.uint64] = bits.view(">u8")[..., 0].astype(np.uint64)
    return hashes


@functools.cache
def _cosines() -> npt.NDArray[np.float64]:
    """The first 8 rows of the 32-point DCT-II matrix, unnormalised: (8, 32)."""
    frequency = np.arange(_LOW)[:, None]
    position = np.arange(_SIDE)[None, :] + 0.5
    return 2 * np.cos(np.pi / _SIDE * frequency * position)
