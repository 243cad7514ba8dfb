"""The data sets that lookalike knows by name, as a table. To add one, add a row, and a file that reads it.

What a row stands for is imported once it is looked for or loaded, as most collections hold none.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.datasets.dataset import Dataset
from lookalike.datasets.imagefolder import ImageFolder
from lookalike.datasets.locate import Place
from lookalike.errors import DatasetNotFoundError
from lookalike.system import on_demand
from lookalike.system.checked_calls import checked
from lookalike.system.progress import CancelToken, ProgressReport, silent
from lookalike.system.watching import watching


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
        What has to come over the network where the data set is missing; 0 where nothing has to, or can.
    module : str
        What finds and reads it, by functions `find` and `load`.
    variant : str
        Which of the module's data sets it is, where that has several: the name of what these functions are
        given first. Empty where there is one.
    comes_with : str
        The library that brings it along; empty where none does.
    """

    name: str
    title: str
    n_images: int
    licence: str
    homepage: str
    is_of_files: bool
    download_bytes: int
    module: str
    variant: str = ""
    comes_with: str = ""

    def load(
        self,
        *,
        download: bool,
        quiet: bool = False,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> Dataset:
        """Find the data set, or fetch it if that is allowed, and read it; see `lookalike.datasets.load`."""
        with watching(silent if quiet else report, cancel) as watch:
            dataset: Dataset = self._call("load", download=download, watch=watch)
        return dataset

    def find(self) -> Place | ImageFolder | None:
        """Return the place of the data set on this computer, or None; nothing is read."""
        place: Place | ImageFolder | None = self._call("find")
        return place

    def _call(self, function: str, **options: Any) -> Any:
        first = (on_demand.load(f"{self.module}:{self.variant}"),) if self.variant else ()
        return on_demand.load(f"{self.module}:{function}")(*first, **options)


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
        licence="CC BY-SA 3.0",
        homepage="http://yann.lecun.com/exdb/mnist/",
        is_of_files=False,
        download_bytes=11_594_722,
        module="lookalike.datasets.mnist",
        variant="MNIST",
    ),
    Row(
        name="fashion-mnist",
        title="Fashion-MNIST",
        n_images=70_000,
        licence="MIT",
        homepage="https://github.com/zalandoresearch/fashion-mnist",
        is_of_files=False,
        download_bytes=30_878_645,
        module="lookalike.datasets.mnist",
        variant="FASHION_MNIST",
    ),
    Row(
        name="cifar-10",
        title="CIFAR-10",
        n_images=60_000,
        licence="none stated",
        homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
        is_of_files=False,
        download_bytes=170_052_171,
        module="lookalike.datasets.cifar",
        variant="CIFAR_10",
    ),
    Row(
        name="cifar-100",
        title="CIFAR-100",
        n_images=60_000,
        licence="none stated",
        homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
        is_of_files=False,
        download_bytes=168_513_733,
        module="lookalike.datasets.cifar",
        variant="CIFAR_100",
    ),
    Row(
        name="caltech-101",
        title="Caltech-101",
        n_images=8_677,
        licence="CC BY 4.0",
        homepage="https://data.caltech.edu/records/mzrjq-6wc02",
        is_of_files=True,
        download_bytes=137_414_764,
        module="lookalike.datasets.caltech101",
    ),
    Row(
        name="clipart",
        title="Open Clip Art",
        n_images=8_121,
        licence="public domain",
        homepage="https://packages.debian.org/stable/openclipart-png",
        is_of_files=True,
        download_bytes=130_910_028,
        module="lookalike.datasets.clipart",
    ),
    Row(
        name="digits",
        title="Handwritten digits",
        n_images=1_797,
        licence="CC BY 4.0",
        homepage="https://doi.org/10.24432/C50P49",
        is_of_files=True,
        download_bytes=0,
        module="lookalike.datasets.digits",
        comes_with="scikit-learn",
    ),
)

_BY_NAME = {row.name: row for row in REGISTRY}


@checked
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


@checked
def load(
    name: str | os.PathLike[str],
    *,
    download: bool = True,
    quiet: bool = False,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
) -> Dataset:
    """Load a data set.

    Parameters
    ----------
    name : str or path
        A name of ``REGISTRY``, or a folder of class folders (a name wins: for a folder that is called
        ``mnist`` write ``./mnist``).
    download : bool
        Fetch it where it is not on this computer.
    quiet : bool
        No progress bar, as with ``report=lookalike.silent``.
    report, cancel : optional
        Who is told how far it has come, and may stop it; see `Collection.sync`.

    Raises
    ------
    DatasetError
        If there is no such data set, it cannot be fetched, or a file is damaged.
    """
    if name in _BY_NAME:
        row = _BY_NAME[str(name)]
        return row.load(download=download, quiet=quiet, report=report, cancel=cancel)
    if os.path.isdir(os.path.expanduser(name)):
        from lookalike.datasets import folder

        return folder.load(name)
    raise DatasetNotFoundError(
        f"{os.fspath(name)!r} is not a data set; expected {', '.join(_BY_NAME)}, or a folder of class folders"
    )


@checked
def prepare_dataset(
    name: str,
    *,
    download: bool = True,
    quiet: bool = False,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
) -> None:
    """Make sure that a data set is on this computer; see `load`.

    Raises
    ------
    DatasetError
        If there is none of that name; or it is missing, and cannot be fetched, or must not be.
    """
    row = get_row(name)
    if row.find() is None:
        row.load(download=download, quiet=quiet, report=report, cancel=cancel)


def find_all() -> tuple[Found, ...]:
    """Say of each known data set whether and where it is on this computer; nothing is read or fetched."""
    places = ((row, row.find()) for row in REGISTRY)
    return tuple(Found(row, place.root if place else None) for row, place in places)
