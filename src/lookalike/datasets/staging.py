"""Folders that are complete or absent.

An interrupted download or unpacking must never be taken for the data: the work is done in a hidden folder
beside the final one, which gets its name by one rename at the end.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from lookalike.errors import DatasetResourceError, LookalikeError
from lookalike.system.cache import make_folder
from lookalike.system.renaming import rename


def build_folder(final: Path, fill: Callable[[Path], None]) -> None:
    """Make a folder once: its name appears when everything in it is there.

    Parameters
    ----------
    final : Path
        The folder to make; when it exists already, nothing is done.
    fill : callable
        Writes the contents into the empty folder it is given. When it raises, what it wrote is removed.

    Raises
    ------
    DatasetError
        If the place cannot be written to.
    """
    from filelock import FileLock

    staging = final.parent / f".{final.name}.partial"
    try:
        make_folder(final.parent)
        with FileLock(final.parent / f".{final.name}.lock"):  # a second process waits, and finds it done
            if final.is_dir():
                return
            shutil.rmtree(staging, ignore_errors=True)  # what a killed process left
            make_folder(staging)
            try:
                fill(staging)
                rename(staging, final)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    except LookalikeError:  # of `fill`; some are OSErrors, too
        raise
    except OSError as error:
        raise DatasetResourceError(
            f"{final}: expected to write the data set there, but: {error.strerror or error}",
            hint="make room or set LOOKALIKE_CACHE to a folder that can be written to",
        ) from error
