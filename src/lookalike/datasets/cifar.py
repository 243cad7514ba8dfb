"""CIFAR-10 and CIFAR-100: 60,000 colour pictures, 32 × 32, in each of two official layouts.

An image is 3,072 bytes, its red plane first, then green, then blue, each row by row. In the *binary* layout
a file is records of the label, or of the coarse and the fine label, and the image. In the *python* layout
it is a pickled dict of ``data``, an (n, 3072) uint8 array, and lists of labels. A pickle can name any
function and have it called; `_Unpickler` knows arrays of bytes and nothing else, and makes them itself:
no code of numpy's runs on what the file says. What is downloaded is the binary layout.

References
----------
A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
https://www.cs.toronto.edu/~kriz/cifar.html
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.datasets import locate
from lookalike.datasets.archives import unpack_tar
from lookalike.datasets.dataset import Dataset, Labels, check_labels
from lookalike.datasets.download import RemoteFile, download
from lookalike.datasets.locate import Place, found_or_fetched
from lookalike.datasets.staging import build_folder
from lookalike.errors import DatasetDamagedError, DatasetError, DatasetResourceError
from lookalike.system.progress import UNWATCHED, Watch

LICENCE = "none stated"
SIDE = 32
PIXELS = 3 * SIDE * SIDE


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of a data set in one of its layouts.

    Attributes
    ----------
    folder : str
        As the archive unpacks.
    train : tuple of str
        Of equally many images each.
    test : str
    names : str
        The file of the class names.
    """

    folder: str
    train: tuple[str, ...]
    test: str
    names: str


@dataclass(frozen=True, slots=True)
class CifarSet:
    """One of the two data sets.

    Attributes
    ----------
    name, title : str
    n_classes : int
    parents : tuple of str
        Folders in a data folder that may hold a layout's folder, beside the data folder itself.
    python, binary : Layout
    labels_key, names_key : str
        In the dicts of the python layout.
    n_label_bytes : int
        In a record of the binary layout; the last is the label.
    archive : RemoteFile
        Of the binary layout.
    """

    name: str
    title: str
    n_classes: int
    parents: tuple[str, ...]
    python: Layout
    binary: Layout
    labels_key: str
    names_key: str
    n_label_bytes: int
    archive: RemoteFile


CIFAR_10 = CifarSet(
    name="cifar-10",
    title="CIFAR-10",
    n_classes=10,
    parents=("cifar-10", "cifar10"),
    python=Layout(
        "cifar-10-batches-py", tuple(f"data_batch_{n}" for n in range(1, 6)), "test_batch", "batches.meta"
    ),
    binary=Layout(
        "cifar-10-batches-bin",
        tuple(f"data_batch_{n}.bin" for n in range(1, 6)),
        "test_batch.bin",
        "batches.meta.txt",
    ),
    labels_key="labels",
    names_key="label_names",
    n_label_bytes=1,
    archive=RemoteFile(
        name="CIFAR-10",
        url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        size=170_052_171,
    ),
)

CIFAR_100 = CifarSet(
    name="cifar-100",
    title="CIFAR-100",
    n_classes=100,
    parents=("cifar-100", "cifar100"),
    python=Layout("cifar-100-python", ("train",), "test", "meta"),
    binary=Layout("cifar-100-binary", ("train.bin",), "test.bin", "fine_label_names.txt"),
    labels_key="fine_labels",
    names_key="fine_label_names",
    n_label_bytes=2,
    archive=RemoteFile(
        name="CIFAR-100",
        url="https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
        sha256="58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        size=168_513_733,
    ),
)


def load(cifar_set: CifarSet, *, download: bool = True, watch: Watch = UNWATCHED) -> Dataset:
    """Find a data set, or fetch it, and read it.

    Parameters
    ----------
    cifar_set : CifarSet
        ``CIFAR_10`` or ``CIFAR_100``, with its 100 fine labels.
    download : bool
        Fetch it where it is not on this computer.
    watch : Watch

    Raises
    ------
    DatasetError
        If it is not there and cannot be fetched, or a file is damaged.
    """
    layout = f"{cifar_set.python.folder} or {cifar_set.binary.folder}"

    place = found_or_fetched(
        cifar_set.title, layout, find(cifar_set), partial(fetch, cifar_set), download=download, watch=watch
    )
    return read(cifar_set, place)


def find(cifar_set: CifarSet) -> Place | None:
    """Return where the data set lies, in either layout, in a data folder or the cache; else None."""
    folders = [layout.folder for layout in (cifar_set.python, cifar_set.binary)]
    nested = [f"{parent}/{folder}" for parent in cifar_set.parents for folder in folders]
    root = locate.find(*folders, *nested)
    return None if root is None else Place(root, f"found in {root}")


def fetch(cifar_set: CifarSet, *, watch: Watch = UNWATCHED) -> Place:
    """Download the data set from its official address into the cache, unless it is there.

    Parameters
    ----------
    cifar_set : CifarSet
    watch : Watch

    Raises
    ------
    DatasetError
        If it cannot be reached, is damaged, or cannot be written.
    """
    cache = locate.cached_data_folder()
    archive = cifar_set.archive
    file = cache / "downloads" / archive.url.rpartition("/")[2]

    def fill(folder: Path) -> None:
        otherwise = f"set LOOKALIKE_DATA to a folder that holds {cifar_set.python.folder}"
        download(archive, file, otherwise=otherwise, watch=watch)
        with file.open("rb") as stream:
            try:
                unpack_tar(stream, folder)
            except DatasetError as error:
                raise error.amended(before=f"{file}: ") from error

    build_folder(cache / cifar_set.name, fill)
    return Place(cache / cifar_set.name / cifar_set.binary.folder, f"downloaded from {archive.url}")


def read(cifar_set: CifarSet, place: Place) -> Dataset:
    """Read a data set from the folder of its files, in either layout.

    Raises
    ------
    DatasetError
        If a file is missing or damaged, or labels and images do not match.
    """
    is_binary = os.path.exists(place.root / cifar_set.binary.train[0])
    layout = cifar_set.binary if is_binary else cifar_set.python
    for name in (*layout.train, layout.test, layout.names):
        if not os.path.isfile(place.root / name):
            raise DatasetDamagedError(
                f"{place.root}: expected the file {name} of {cifar_set.title}, but it is not there",
                hint="unpack the archive again",
            )
    names_file = place.root / layout.names
    names = _read_names(names_file) if is_binary else _read_pickled_names(names_file, cifar_set.names_key)
    if len(names) != cifar_set.n_classes:
        raise DatasetDamagedError(
            f"{names_file}: expected the names of {cifar_set.n_classes} classes, got {len(names)}",
            hint="unpack the archive again",
        )
    train_X, train_y = _read_split(cifar_set, [place.root / name for name in layout.train], is_binary)
    test_X, test_y = _read_split(cifar_set, [place.root / layout.test], is_binary)
    return Dataset(
        name=cifar_set.name,
        title=cifar_set.title,
        train_X=train_X,
        train_y=train_y,
        test_X=test_X,
        test_y=test_y,
        class_names=names,
        image_shape=(SIDE, SIDE, 3),
        licence=LICENCE,
        origin=place.origin,
    )


def _read_split(
    cifar_set: CifarSet, files: Sequence[Path], is_binary: bool
) -> tuple[npt.NDArray[np.uint8], Labels]:
    """Read the images, (n, 32, 32, 3), and labels of files with equally many images each.

    One file's rows at most are held beside the images.
    """
    images = np.empty((0, SIDE, SIDE, 3), np.uint8)
    labels = np.empty(0, np.int64)
    for number, file in enumerate(files):
        rows, y = _read_records(file, cifar_set) if is_binary else _read_batch(file, cifar_set)
        if number == 0:
            n = len(rows)
            images = np.empty((n * len(files), SIDE, SIDE, 3), np.uint8)
            labels = np.empty(n * len(files), np.int64)
        if len(rows) != n:
            raise DatasetDamagedError(
                f"{file}: expected {n:,} images, as in {files[0].name}, got {len(rows):,}",
                hint="unpack the archive again",
            )
        part = slice(number * n, (number + 1) * n)
        images[part] = rows.reshape(n, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
        labels[part] = check_labels(y, cifar_set.n_classes, n, file, file)
        del rows, y  # before the next file is read
    return images, labels


def _read_records(
    file: Path, cifar_set: CifarSet
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.integer[Any]]]:
    """Read a file of the binary layout: (n, 3072) uint8, left on disk until used, and (n,) labels."""
    size = cifar_set.n_label_bytes + PIXELS
    try:
        n, rest = divmod(file.stat().st_size, size)
        if rest or not n:
            raise DatasetDamagedError(
                f"{file}: expected records of {size:,} bytes, got {n:,} and {rest:,} bytes more: "
                "it is cut short or damaged",
                hint="unpack the archive again",
            )
        records = np.memmap(file, np.uint8, mode="r", shape=(n, size))
    except OSError as error:
        raise DatasetResourceError(f"{file}: expected to read it, but: {error.strerror or error}") from error
    return records[:, -PIXELS:], records[:, cifar_set.n_label_bytes - 1]


def _read_names(file: Path) -> tuple[str, ...]:
    try:
        return tuple(file.read_text("utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetDamagedError(f"{file}: expected a class name a line, but: {error}") from error


def _read_batch(
    file: Path, cifar_set: CifarSet
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.integer[Any]]]:
    """Read a file of the python layout: (n, 3072) uint8 and (n,) labels."""
    batch = _read_pickle(file)
    data, labels = batch.get("data"), batch.get(cifar_set.labels_key)
    rows = data.values if isinstance(data, _Array) else None
    if rows is None or rows.ndim != 2 or rows.shape[1] != PIXELS or not len(rows):
        got = f"an array of shape {rows.shape}" if rows is not None else f"{type(data).__name__}"
        raise DatasetDamagedError(
            f"{file}: expected 'data' to be an array of shape (n, {PIXELS}), got {got}; "
            f"is it a file of {cifar_set.title}?"
        )
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise DatasetDamagedError(
            f"{file}: expected {cifar_set.labels_key!r} to be a list of whole numbers; "
            f"is it a file of {cifar_set.title}?"
        )
    # Numbers of any size are clipped so that they fit int64, and stay out of range.
    return rows, np.array([min(max(label, -1), 1 << 32) for label in labels], np.int64)


def _read_pickled_names(file: Path, key: str) -> tuple[str, ...]:
    names = _read_pickle(file).get(key)
    if not isinstance(names, list) or not all(isinstance(name, str | bytes) for name in names):
        raise DatasetDamagedError(
            f"{file}: expected {key!r} to be a list of class names", hint="unpack the archive again"
        )
    return tuple(name.decode("latin-1") if isinstance(name, bytes) else name for name in names)


class _Array:
    """Takes the place of a pickled numpy array, whose state it is given."""

    values: npt.NDArray[np.uint8] | None = None

    def __setstate__(self, state: Any) -> None:
        _version, shape, dtype, is_fortran, data = state
        if not isinstance(dtype, _Dtype) or dtype.name not in (b"u1", "u1") or not isinstance(data, bytes):
            raise pickle.UnpicklingError("it holds an array of something other than bytes")
        self.values = np.frombuffer(data, np.uint8).reshape(shape, order="F" if is_fortran else "C")


class _Dtype:
    """Takes the place of a pickled numpy type."""

    def __init__(self, name: Any) -> None:
        self.name = name

    def __setstate__(self, state: Any) -> None:
        """Byte order and alignment mean nothing to single bytes."""


def _new_array(*_: Any) -> _Array:
    return _Array()


def _new_dtype(name: Any, *_: Any) -> _Dtype:
    return _Dtype(name)


_ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"): _new_array,
    ("numpy._core.multiarray", "_reconstruct"): _new_array,
    ("numpy", "dtype"): _new_dtype,
    ("numpy", "ndarray"): "ndarray",  # only ever handed to _reconstruct
}


class _Unpickler(pickle.Unpickler):
    """An unpickler that knows arrays of bytes and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ADMITTED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is refused") from None


def _read_pickle(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            content = _Unpickler(stream, encoding="bytes").load()
        # Python 2 wrote the keys as bytes, Python 3 writes text.
        return {key.decode() if isinstance(key, bytes) else key: value for key, value in content.items()}
    except OSError as error:
        raise DatasetResourceError(f"{file}: expected to read it, but: {error.strerror or error}") from error
    except Exception as error:  # pickles raise nearly anything on hostile bytes
        raise DatasetDamagedError(
            f"{file}: expected a dict of arrays and lists as Python pickles it, but: {error}",
            hint="do not trust it, unpack the archive again",
        ) from error
