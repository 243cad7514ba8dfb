"""The data sets that lookalike knows by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from lookalike.datasets import caltech101, cifar, clipart, digits, folder, mnist
from lookalike.datasets.dataset import Dataset
from lookalike.datasets.imagefolder import ImageFolder
from lookalike.datasets.locate import Place
from lookalike.errors import DatasetNotFoundError


class Loader(Protocol):
    """Find a data set, or fetch it if that is allowed, and read it."""

    def __call__(self, *, download: bool, quiet: bool) -> Dataset:  # noqa: D102
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """A data set that is known by name.

    Attributes
    ----------
    name : str
        What a user types.
    title : str
        What a page shows.
    n_images : int
        In both splits together.
    licence : str
        Under which the pictures may be used.
    homepage : str
    is_of_files : bool
        Whether its images are ordinary files below a folder, rather than rows of an array.
    download_bytes : int
        What has to come over the network where the data set is missing; 0 where nothing has to.
    load : callable
        Called with `download` and `quiet`; gives the Dataset.
    find : callable
        Gives the place of the data set on this computer, or None; reads nothing.
    """

    name: str
    title: str
    n_images: int
    licence: str
    homepage: str
    is_of_files: bool
    download_bytes: int
    load: Loader
    find: Callable[[], Place | ImageFolder | None]


@dataclass(frozen=True, slots=True)
class Found:
    """Whether a known data set is on this computer.

    Attributes
    ----------
    row : Row
    root : Path or None
        The folder of its files; None where it is missing.
    """

    row: Row
    root: Path | None


REGISTRY: tuple[Row, ...] = (
    Row(
        name="mnist",
        title="MNIST",
        n_images=70_000,
        licence=mnist.MNIST.licence,
        homepage="http://yann.lecun.com/exdb/mnist/",
        is_of_files=False,
        download_bytes=mnist.MNIST.download_bytes,
        load=partial(mnist.load, mnist.MNIST),
        find=partial(mnist.find, mnist.MNIST),
    ),
    Row(
        name="fashion-mnist",
        title="Fashion-MNIST",
        n_images=70_000,
        licence=mnist.FASHION_MNIST.licence,
        homepage="https://github.com/zalandoresearch/fashion-mnist",
        is_of_files=False,
        download_bytes=mnist.FASHION_MNIST.download_bytes,
        load=partial(mnist.load, mnist.FASHION_MNIST),
        find=partial(mnist.find, mnist.FASHION_MNIST),
    ),
    Row(
        name="cifar-10",
        title="CIFAR-10",
        n_images=60_000,
        licence=cifar.LICENCE,
        homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
        is_of_files=False,
        download_bytes=cifar.CIFAR_10.archive.size,
        load=partial(cifar.load, cifar.CIFAR_10),
        find=partial(cifar.find, cifar.CIFAR_10),
    ),
    Row(
        name="cifar-100",
        title="CIFAR-100",
        n_images=60_000,
        licence=cifar.LICENCE,
        homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
        is_of_files=False,
        download_bytes=cifar.CIFAR_100.archive.size,
        load=partial(cifar.load, cifar.CIFAR_100),
        find=partial(cifar.find, cifar.CIFAR_100),
    ),
    Row(
        name="caltech-101",
        title="Caltech-101",
        n_images=8_677,
        licence=caltech101.LICENCE,
        homepage="https://data.caltech.edu/records/mzrjq-6wc02",
        is_of_files=True,
        download_bytes=caltech101.ARCHIVE.size,
        load=caltech101.load,
        find=caltech101.find,
    ),
    Row(
        name="clipart",
        title="Open Clip Art",
        n_images=8_121,
        licence=clipart.LICENCE,
        homepage="https://packages.debian.org/stable/openclipart-png",
        is_of_files=True,
        download_bytes=clipart.PACKAGE_BYTES,
        load=clipart.load,
        find=clipart.find,
    ),
    Row(
        name="digits",
        title="Handwritten digits",
        n_images=1_797,
        licence=digits.LICENCE,
        homepage="https://doi.org/10.24432/C50P49",
        is_of_files=True,
        download_bytes=0,
        load=digits.load,
        find=digits.find,
    ),
)

_BY_NAME = {row.name: row for row in REGISTRY}


def get_row(name: str) -> Row:
    """Return the row of a data set.

    Raises
    ------
    DatasetError
        If there is none of that name.
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    raise DatasetNotFoundError(f"no data set is called {name!r}; there are: {', '.join(_BY_NAME)}")


def load(name: str | os.PathLike[str], *, download: bool = True, quiet: bool = False) -> Dataset:
    """Load a data set.

    Parameters
    ----------
    name : str or path
        A name of ``REGISTRY``, or a folder of class folders (a name wins: for a folder that is called
        ``mnist`` write ``./mnist``).
    download : bool
        Fetch it where it is not on this computer.
    quiet : bool
        No progress bar.

    Raises
    ------
    DatasetError
        If there is no such data set, it cannot be fetched, or a file is damaged.
    """
    if name in _BY_NAME:
        return _BY_NAME[str(name)].load(download=download, quiet=quiet)
    if Path(name).expanduser().is_dir():
        return folder.load(name)
    raise DatasetNotFoundError(
        f"{os.fspath(name)!r} is not a data set; expected {', '.join(_BY_NAME)}, or a folder of class folders"
    )


def prepare_dataset(name: str, *, download: bool = True, quiet: bool = False) -> None:
    """Make sure that a data set is on this computer.

    Raises
    ------
    DatasetError
        If there is none of that name; or it is missing, and cannot be fetched, or must not be.
    """
    row = get_row(name)
    if row.find() is None:
        row.load(download=download, quiet=quiet)


def find_all() -> tuple[Found, ...]:
    """Say of each known data set whether and where it is on this computer; nothing is read or fetched."""
    places = ((row, row.find()) for row in REGISTRY)
    return tuple(Found(row, place.root if place else None) for row, place in places)
