"""Caltech-101: 8,677 photographs of 101 kinds of things.

References
----------
L. Fei-Fei, R. Fergus, P. Perona, "Learning generative visual models from few training examples", 2004.
https://doi.org/10.22002/D1.20086
"""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

from lookalike.datasets import folder, locate
from lookalike.datasets.archives import unpack_tar
from lookalike.datasets.dataset import Dataset
from lookalike.datasets.download import RemoteFile, download
from lookalike.datasets.imagefolder import ImageFolder
from lookalike.datasets.locate import found_or_fetched
from lookalike.datasets.staging import build_folder
from lookalike.system.progress import UNWATCHED, Watch

ARCHIVE = RemoteFile(
    name="Caltech-101",
    url="https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip?download=1",
    sha256="331234750fc7f77520e50d9565e8b6907b03565e30320da1401130db08c61f91",
    size=137_414_764,
)

TITLE = "Caltech-101"
LICENCE = "CC BY 4.0"

IMAGES = "caltech-101/101_ObjectCategories.tar.gz"
"""The archive inside the archive; beside it lie outlines of the objects, which nothing here reads."""

LAYOUTS = ("caltech-101/101_ObjectCategories", "101_ObjectCategories", "caltech101/101_ObjectCategories")
"""As the official archive unpacks, as its inner archive does, and as torchvision keeps it."""


def load(*, background: bool = False, download: bool = True, watch: Watch = UNWATCHED) -> Dataset:
    """Find the data set, or fetch it, and list its pictures; they are decoded when they are asked for.

    Parameters
    ----------
    background : bool
        Keep ``BACKGROUND_Google``, which is no class but a collection of anything.
    download : bool
        Fetch it where it is not on this computer.
    watch : Watch

    Returns
    -------
    Dataset
        All of it train: the authors published no split. See `Dataset.with_test_share`.

    Raises
    ------
    DatasetError
        If it is not there and cannot be fetched, or holds no pictures.
    """
    images = found_or_fetched(TITLE, LAYOUTS[0], find(), fetch, download=download, watch=watch)
    return folder.read(replace(images, exclude=()) if background else images)


def find() -> ImageFolder | None:
    """Return the data set if it lies in a data folder, else None."""
    root = locate.find(*LAYOUTS)
    return None if root is None else _describe(root, f"found in {root}")


def fetch(*, watch: Watch = UNWATCHED, archive: RemoteFile = ARCHIVE) -> ImageFolder:
    """Download the data set from its official address into the cache, unless it is there.

    Parameters
    ----------
    watch : Watch
    archive : RemoteFile
        A zip file that holds ``IMAGES``.

    Raises
    ------
    DatasetError
        If it cannot be reached, is damaged, or cannot be written.
    """
    cache = locate.cached_data_folder()
    file = cache / "downloads" / "caltech-101.zip"

    def fill(staging: Path) -> None:
        otherwise = f"set LOOKALIKE_DATA to a folder that holds {LAYOUTS[0]}"
        download(archive, file, otherwise=otherwise, watch=watch)
        with zipfile.ZipFile(file) as outer, outer.open(IMAGES) as inner:
            unpack_tar(inner, staging)

    build_folder(cache / "caltech-101", fill)
    return _describe(cache / LAYOUTS[0], f"downloaded from {archive.url}")


def _describe(root: Path, origin: str) -> ImageFolder:
    return ImageFolder(
        name="caltech-101",
        title=TITLE,
        root=root,
        licence=LICENCE,
        origin=origin,
        labels=True,
        exclude=("BACKGROUND_Google",),  # no class but a collection of anything; left out by custom
    )
