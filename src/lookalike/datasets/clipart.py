"""Clip-art: 8,121 public-domain drawings of the Open Clip Art Library, from Debian's package.

They lie in 22 category folders (animals, food, …), most of them in a subfolder or two. 1,221 of them are
links to another of them, 526 of these to another category: some pictures stand on two shelves. 16 were
drawn huge, by mistake, on 105 to 623 megapixels.
"""

from __future__ import annotations

from pathlib import Path

from lookalike.datasets import folder, locate
from lookalike.datasets.apt import fetch_package
from lookalike.datasets.dataset import Dataset
from lookalike.datasets.imagefolder import ImageFolder
from lookalike.datasets.locate import found_or_fetched
from lookalike.system.progress import UNWATCHED, Watch

PACKAGE = "openclipart-png"
PACKAGE_BYTES = 130_910_028
FOLDER = "usr/share/openclipart/png"
"""Where the package keeps the pictures, below the root of the system or of where it was unpacked."""

TITLE = "Open Clip Art"
LICENCE = "public domain"


def load(*, download: bool = True, watch: Watch = UNWATCHED) -> Dataset:
    """Find the pictures, or fetch them, and list them; a picture's class is the first folder's name.

    Parameters
    ----------
    download : bool
        Fetch them where they are not on this computer.
    watch : Watch

    Returns
    -------
    Dataset
        All of it train. A few pictures are too large to be decoded, and raise ImageError when asked for.

    Raises
    ------
    DatasetError
        If they are not there and cannot be fetched.
    """
    layout = f"{PACKAGE}/{FOLDER}"
    return folder.read(found_or_fetched(TITLE, layout, find(), fetch, download=download, watch=watch))


def find(system: Path = Path("/")) -> ImageFolder | None:
    """Return the pictures if the package is installed, or was unpacked in a data folder; else None.

    Parameters
    ----------
    system : Path
        The root of the installed system.
    """
    installed = system / FOLDER
    if installed.is_dir():
        return _describe(installed, f"installed in {installed}")
    root = locate.find(f"{PACKAGE}/{FOLDER}")
    return None if root is None else _describe(root, f"found in {root}")


def fetch(*, watch: Watch = UNWATCHED) -> ImageFolder:
    """Download the package through apt and unpack it into the cache, without root, unless it is there.

    Parameters
    ----------
    watch : Watch

    Raises
    ------
    DatasetError
        If this is no Debian system, the package cannot be reached, or the cache cannot be written to.
    """
    root = fetch_package(PACKAGE, PACKAGE_BYTES, FOLDER, watch=watch)
    return _describe(root, f"Debian's package {PACKAGE}, downloaded with apt-get")


def _describe(root: Path, origin: str) -> ImageFolder:
    return ImageFolder(
        name="clipart",
        title=TITLE,
        root=root,
        licence=LICENCE,
        origin=origin,
        labels=True,
    )
