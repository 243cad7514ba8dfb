"""Data sets in MNIST's form, of any pictures: four files, each an array behind a header."""

import gzip
import struct
from pathlib import Path

import numpy as np


def write_idx(file: Path, array: np.ndarray) -> None:
    """Write whole numbers, 0 to 255, as an idx file of bytes, compressed."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    file.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))


def write_mnist(folder: Path, images: np.ndarray, labels: np.ndarray, n_train: int) -> None:
    """Write images, (n, 28, 28), and their labels; the first are those to learn from."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, rows in (("train", slice(0, n_train)), ("t10k", slice(n_train, None))):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", images[rows])
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels[rows])
