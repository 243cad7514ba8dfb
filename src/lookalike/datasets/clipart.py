"""Clip-art: 8,121 public-domain drawings of the Open Clip Art Library, from Debian's package.

They lie in 22 category folders (animals, food, …), most of them in a subfolder or two. 1,221 of them are
links to another of them, 526 of these to another category: some pictures stand on two shelves. 16 were
drawn huge, by mistake, on 105 to 623 megapixels.
"""

from __future__ import annotations

from pathlib import Path

from lookalike.datasets import locate
from lookalike.datasets.apt import unpack_package
from lookalike.datasets.imagefolder import ImageFolder
from lookalike.datasets.progress import byte_progress
from lookalike.datasets.staging import build_folder
from lookalike.errors import DatasetError

PACKAGE = "openclipart-png"
PACKAGE_BYTES = 130_910_028
FOLDER = "usr/share/openclipart/png"
"""Where the package keeps the pictures, below the root of the system or of where it was unpacked."""


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


def fetch(*, quiet: bool = False) -> ImageFolder:
    """Download the package through apt and unpack it into the cache, without root, unless it is there.

    Parameters
    ----------
    quiet : bool
        No progress bar.

    Raises
    ------
    DatasetError
        If this is no Debian system, the package cannot be reached, or the cache cannot be written to.
    """
    folder = locate.cached_data_folder() / PACKAGE

    def fill(staging: Path) -> None:
        try:
            with byte_progress(f"Debian's {PACKAGE}", PACKAGE_BYTES, quiet=quiet) as show:
                unpack_package(PACKAGE, staging, show)
        except DatasetError as error:
            raise DatasetError(
                f"{error}; where you can get the package, run `dpkg-deb -x {PACKAGE}*.deb {folder}`"
            ) from error
        if not (staging / FOLDER).is_dir():
            raise DatasetError(f"the package {PACKAGE} has no folder {FOLDER}, where pictures were expected")

    build_folder(folder, fill)
    return _describe(folder / FOLDER, f"Debian's package {PACKAGE}, downloaded with apt-get")


def _describe(root: Path, origin: str) -> ImageFolder:
    return ImageFolder(
        name="clipart",
        title="Open Clip Art",
        root=root,
        licence="public domain",
        origin=origin,
        labels=True,
    )
