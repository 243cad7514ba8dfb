"""A folder of class folders: the first folder below the root is an image's class.

When the root holds a folder ``train`` and a folder ``test`` (or, without one, ``val``), those are the
splits and the class folders lie below them; whatever else lies in the root is then not read. Otherwise
all images are train.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from lookalike.datasets.dataset import Dataset, ImageFiles, Labels
from lookalike.datasets.imagefolder import ImageFolder
from lookalike.errors import DatasetNotFoundError
from lookalike.hints import Hint
from lookalike.images.finding.scan import scan
from lookalike.system.chance import RANDOM_STATE
from lookalike.system.file_names import unescape

TEST_FOLDERS = ("test", "val")


def load(
    root: str | os.PathLike[str], *, test_share: float | None = None, random_state: int = RANDOM_STATE
) -> Dataset:
    """Read a user's folder of class folders. No image is decoded before it is asked for.

    Parameters
    ----------
    root : str or path
    test_share : float, optional
        Take this share of each class for testing; only where the folder has no test split of its own.
    random_state : int
        The same number chooses the same images.

    Raises
    ------
    DatasetError
        If there is no such folder, or no images in class folders.
    InvalidInputError
        If the share is not between 0 and 1, or the folder has a test split already.
    """
    folder = Path(root).expanduser().absolute()
    name = folder.name or str(folder)
    dataset = read(ImageFolder(name, name, folder, "unknown", f"found in {folder}", labels=True))
    return dataset if test_share is None else dataset.with_test_share(test_share, random_state)


def read(folder: ImageFolder) -> Dataset:
    """Read a described folder of class folders.

    Files that are no images by their names, links that lead nowhere, and folders that cannot be entered are
    passed over, as are images outside any class folder.

    Raises
    ------
    DatasetError
        If there is no such folder, or no images in class folders.
    """
    if not folder.root.is_dir():
        raise DatasetNotFoundError(
            f"{folder.root}: expected a folder of class folders, but there is no such folder"
        )
    splits = _splits(folder.root)
    listings = [_list(split, folder.exclude) if split else [] for split in splits]
    names = tuple(sorted({name for listing in listings for name, _ in listing}))
    for split, listing in zip(splits, listings, strict=True):
        if split and not listing:
            raise DatasetNotFoundError(
                f"{split}: expected a folder for each class, with images in it, but there is none",
                hint=Hint("index_folder"),
            )
    (train_X, train_y), (test_X, test_y) = (_files(listing, names) for listing in listings)
    return Dataset(
        name=folder.name,
        title=folder.title,
        train_X=train_X,
        train_y=train_y,
        test_X=test_X,
        test_y=test_y,
        class_names=names,
        image_shape=None,
        licence=folder.licence,
        origin=folder.origin,
    )


def _splits(root: Path) -> tuple[Path, Path | None]:
    test = next((root / name for name in TEST_FOLDERS if (root / name).is_dir()), None)
    return (root / "train", test) if test and (root / "train").is_dir() else (root, None)


def _list(root: Path, exclude: tuple[str, ...]) -> list[tuple[str, Path]]:
    """Return the class and the file of each image below a folder, in sorted order."""
    found = scan(root, exclude=exclude).files
    return [(path.split("/")[0], root / unescape(path)) for path in found if "/" in path]


def _files(listing: list[tuple[str, Path]], names: tuple[str, ...]) -> tuple[ImageFiles, Labels]:
    numbers = {name: number for number, name in enumerate(names)}
    labels = np.fromiter((numbers[name] for name, _ in listing), np.int64, len(listing))
    return ImageFiles(tuple(path for _, path in listing)), labels
