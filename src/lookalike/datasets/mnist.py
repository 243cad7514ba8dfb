"""MNIST and Fashion-MNIST: 70,000 handwritten digits, 70,000 garments, 28 × 28 grey, in four idx files each.

References
----------
Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", 1998.
http://yann.lecun.com/exdb/mnist/
H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
Algorithms", 2017. https://arxiv.org/abs/1708.07747
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lookalike.datasets import locate
from lookalike.datasets.apt import fetch_package
from lookalike.datasets.dataset import Dataset, Labels, check_labels
from lookalike.datasets.download import RemoteFile, download
from lookalike.datasets.idx import read_idx
from lookalike.datasets.locate import Place, found_or_fetched
from lookalike.datasets.staging import build_folder
from lookalike.errors import DatasetDamagedError, DatasetError
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.system.renaming import rename

SIDE = 28
"""Pixels; of every image of both data sets."""

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""As published, with ``.gz`` behind; the oldest copies have a dot before ``idx``."""


@dataclass(frozen=True, slots=True)
class Published:
    """A file as it is published.

    Attributes
    ----------
    name : str
    sha256 : str
    size : int
        Bytes.
    """

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class IdxSet:
    """A data set in four idx files.

    Attributes
    ----------
    name, title, licence : str
    class_names : tuple of str
    layouts : tuple of str
        Folders that may hold it, relative to a data folder; the first is where it is put.
    addresses : tuple of str
        Where it is published; the first that answers serves.
    files : tuple of Published
    package : str
        The Debian package that holds it too, or empty.
    package_bytes : int
    package_folder : str
        Where the package keeps it, below the root of the system or of where it was unpacked.
    """

    name: str
    title: str
    licence: str
    class_names: tuple[str, ...]
    layouts: tuple[str, ...]
    addresses: tuple[str, ...]
    files: tuple[Published, ...]
    package: str = ""
    package_bytes: int = 0
    package_folder: str = ""

    @property
    def download_bytes(self) -> int:
        """What there is to download."""
        return sum(file.size for file in self.files)


MNIST = IdxSet(
    name="mnist",
    title="MNIST",
    licence="CC BY-SA 3.0",
    class_names=tuple("0123456789"),
    layouts=("mnist", "MNIST/raw", "MNIST"),
    # torchvision's and TensorFlow's copies of the authors' files, the same to the byte.
    addresses=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    files=(
        Published(
            "train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            9_912_422,
        ),
        Published(
            "train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            28_881,
        ),
        Published(
            "t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            1_648_877,
        ),
        Published(
            "t10k-labels-idx1-ubyte.gz",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            4_542,
        ),
    ),
)

FASHION_MNIST = IdxSet(
    name="fashion-mnist",
    title="Fashion-MNIST",
    licence="MIT",
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    layouts=("fashion-mnist", "FashionMNIST/raw", "fashion_mnist"),
    addresses=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
    files=(
        Published(
            "train-images-idx3-ubyte.gz",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            26_421_880,
        ),
        Published(
            "train-labels-idx1-ubyte.gz",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            29_515,
        ),
        Published(
            "t10k-images-idx3-ubyte.gz",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            4_422_102,
        ),
        Published(
            "t10k-labels-idx1-ubyte.gz",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            5_148,
        ),
    ),
    package="dataset-fashion-mnist",
    package_bytes=30_900_652,
    package_folder="usr/share/datasets/fashion-mnist",
)


def load(idx_set: IdxSet, *, download: bool = True, watch: Watch = UNWATCHED) -> Dataset:
    """Find a data set, or fetch it, and read it.

    Parameters
    ----------
    idx_set : IdxSet
        ``MNIST`` or ``FASHION_MNIST``.
    download : bool
        Fetch it where it is not on this computer.
    watch : Watch

    Raises
    ------
    DatasetError
        If it is not there and cannot be fetched, or a file is damaged.
    """
    layout = f"{idx_set.layouts[0]}/{FILES[0]}.gz and its three companions"

    place = found_or_fetched(
        idx_set.title, layout, find(idx_set), partial(fetch, idx_set), download=download, watch=watch
    )
    return read(idx_set, place)


def find(idx_set: IdxSet, system: Path = Path("/")) -> Place | None:
    """Return where the data set lies: a data folder, the cache, or the installed package; else None.

    Parameters
    ----------
    idx_set : IdxSet
    system : Path
        The root of the installed system.
    """
    layouts = list(idx_set.layouts)
    if idx_set.package:
        layouts.append(f"{idx_set.package}/{idx_set.package_folder}")
    for folder in locate.find_each(*layouts):
        if _holds_any(folder):
            return Place(folder, f"found in {folder}")
    installed = system / idx_set.package_folder
    if idx_set.package and _holds_any(installed):
        return Place(installed, f"installed in {installed}")
    return None


def fetch(idx_set: IdxSet, *, watch: Watch = UNWATCHED) -> Place:
    """Download the data set into the cache, unless it is there; where that fails, take Debian's package.

    Parameters
    ----------
    idx_set : IdxSet
    watch : Watch

    Raises
    ------
    DatasetError
        If no source can be reached, a file is damaged, or the cache cannot be written to.
    """
    cache = locate.cached_data_folder()
    folder, downloads = cache / idx_set.layouts[0], cache / "downloads" / idx_set.name
    served_by = set()

    def fill(staging: Path) -> None:
        for file in idx_set.files:
            served_by.add(_download(idx_set, file, downloads / file.name, watch))
        for file in idx_set.files:
            rename(downloads / file.name, staging / file.name)

    try:
        build_folder(folder, fill)
    except DatasetError as error:
        if not idx_set.package:
            raise
        try:
            unpacked = fetch_package(
                idx_set.package, idx_set.package_bytes, idx_set.package_folder, watch=watch
            )
        except DatasetError as second:
            raise error.amended(second.told) from error
        return Place(unpacked, f"Debian's package {idx_set.package}, downloaded with apt-get")
    return Place(folder, f"downloaded from {' and '.join(sorted(served_by or idx_set.addresses[:1]))}")


def _download(idx_set: IdxSet, file: Published, destination: Path, watch: Watch) -> str:
    """Download a file from the first address that serves it; return the address."""
    otherwise = f"set LOOKALIKE_DATA to a folder that holds {idx_set.layouts[0]}/{file.name}"
    errors = []
    for address in idx_set.addresses:
        remote = RemoteFile(f"{idx_set.title}, {file.name}", address + file.name, file.sha256, file.size)
        try:
            download(remote, destination, otherwise=otherwise, watch=watch)
        except DatasetError as error:
            errors.append(error)
        else:
            return address
    raise errors[0]


def read(idx_set: IdxSet, place: Place) -> Dataset:
    """Read a data set from the folder of its four files.

    Raises
    ------
    DatasetError
        If a file is missing or damaged, has other dimensions, or labels and images do not match.
    """
    paths = [_path(place.root, file) for file in FILES]
    train_X, train_y = _read_split(idx_set, *paths[:2])
    test_X, test_y = _read_split(idx_set, *paths[2:])
    return Dataset(
        name=idx_set.name,
        title=idx_set.title,
        train_X=train_X,
        train_y=train_y,
        test_X=test_X,
        test_y=test_y,
        class_names=idx_set.class_names,
        image_shape=(SIDE, SIDE),
        licence=idx_set.licence,
        origin=place.origin,
    )


def _read_split(idx_set: IdxSet, images: Path, labels: Path) -> tuple[npt.NDArray[np.uint8], Labels]:
    X, y = read_idx(images), read_idx(labels)
    if X.dtype != np.uint8 or X.shape[1:] != (SIDE, SIDE):
        raise DatasetDamagedError(
            f"{images}: expected images as uint8 of shape (n, {SIDE}, {SIDE}), "
            f"got {X.dtype} of shape {X.shape}; "
            f"is it a file of {idx_set.title}?"
        )
    if y.dtype != np.uint8 or y.ndim != 1:
        raise DatasetDamagedError(
            f"{labels}: expected labels as uint8 of shape (n,), got {y.dtype} of shape {y.shape}; "
            f"is it a file of {idx_set.title}?"
        )
    return X, check_labels(y, len(idx_set.class_names), len(X), labels, images)


def _spellings(file: str) -> tuple[str, ...]:
    """Return the names under which a file may lie.

    >>> _spellings("train-images-idx3-ubyte")[2:]
    ('train-images.idx3-ubyte', 'train-images.idx3-ubyte.gz')
    """
    dotted = file.replace("-idx", ".idx")
    return (file, f"{file}.gz", dotted, f"{dotted}.gz")


def _path(folder: Path, file: str) -> Path:
    for name in _spellings(file):
        if os.path.isfile(folder / name):
            return folder / name
    raise DatasetDamagedError(
        f"{folder}: expected {file} or {file}.gz beside the other files, but it is not there"
    )


def _holds_any(folder: Path) -> bool:
    """Say whether one of the four files is there; when the others are not, reading will name them."""
    return any(os.path.isfile(folder / name) for file in FILES for name in _spellings(file))
