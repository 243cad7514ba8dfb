"""The idx format, in which MNIST and its kin are published.

An idx file is two zero bytes, a byte for the type of the numbers, a byte for how many dimensions there are,
the size of each dimension as a big-endian uint32, and the numbers, big-endian, the last dimension fastest.
It may lie there compressed by gzip; its first bytes tell, whatever it is called.

References
----------
"The IDX file format", at the foot of http://yann.lecun.com/exdb/mnist/
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import DatasetDamagedError, DatasetResourceError

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

_CHUNK = 1 << 20
_DEFLATE_LIMIT = 1032  # to 1: the most that deflate can compress, https://zlib.net/zlib_tech.html


def read_idx(path: Path) -> npt.NDArray[Any]:
    """Read an idx file, plain or compressed by gzip.

    Beside the array itself, never more than a megabyte is held.

    Parameters
    ----------
    path : Path

    Returns
    -------
    array
        Of the shape and type that the file says, in this machine's byte order.

    Raises
    ------
    DatasetError
        If the file cannot be read, is no idx file, or holds less or more than its header says.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            is_compressed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not is_compressed:
                return _read(file, path, size)
            with gzip.GzipFile(fileobj=file) as stream:
                return _read(stream, path, size * _DEFLATE_LIMIT)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DatasetDamagedError(
            f"{path}: expected a whole gzip file, but it is damaged or cut short ({error})",
            hint="fetch it again",
        ) from error
    except OSError as error:
        raise DatasetResourceError(f"{path}: expected an idx file, but: {error.strerror or error}") from error


def _read(stream: io.BufferedIOBase, path: Path, most: int) -> npt.NDArray[Any]:
    """Read an idx stream that holds `most` bytes at most."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES or not 1 <= magic[3] <= 32:
        raise DatasetDamagedError(
            f"{path}: expected an idx file, whose magic number is 00 00, a type from 08 to 0e, and how many "
            f"dimensions there are, got {magic.hex(' ') or 'nothing'}",
            hint="fetch it again",
        )
    sizes = stream.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DatasetDamagedError(f"{path}: it is cut short within its header", hint="fetch it again")
    shape = struct.unpack(f">{magic[3]}I", sizes)
    dtype = np.dtype(TYPES[magic[2]])
    n_bytes = math.prod(shape) * dtype.itemsize
    promise = f"{path}: its header says {dtype.name} of shape {shape}, {n_bytes:,} bytes"
    if n_bytes > most:  # before memory is asked for
        raise DatasetDamagedError(f"{promise}, more than the file can hold", hint="fetch it again")
    try:
        array = np.empty(shape, dtype)
    except (ValueError, MemoryError) as error:
        raise DatasetResourceError(f"{promise}, which does not fit into memory: {error}") from error

    buffer = array.reshape(-1).view(np.uint8).data  # OUT
    filled = 0
    while filled < n_bytes:
        come = stream.readinto(buffer[filled : filled + _CHUNK])
        if not come:
            raise DatasetDamagedError(
                f"{promise}, but only {filled:,} came: it is cut short", hint="fetch it again"
            )
        filled += come
    if stream.read(1):  # where gzip checks its sum, too
        raise DatasetDamagedError(f"{promise}, but there are more", hint="fetch it again")
    return array.astype(dtype.newbyteorder("="), copy=False)
