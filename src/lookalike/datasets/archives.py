"""Unpack tar archives without trusting them."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path
from typing import IO

from lookalike.errors import DatasetDamagedError


def unpack_tar(stream: IO[bytes], into: Path) -> None:
    """Write the regular files of a compressed or plain tar archive below a folder.

    Links, devices, owners and permissions are left out: a data set has no need of them, and they are how
    an archive does harm. (``tarfile.data_filter`` would do, but Python 3.11.0 to 3.11.3 lack it.)

    Parameters
    ----------
    stream : binary file
        Read from front to back only.
    into : Path

    Raises
    ------
    DatasetError
        If a name leads out of the folder, or the archive is damaged.
    """
    base = into.resolve()
    try:
        with tarfile.open(fileobj=stream, mode="r|*") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isreg() else None
                if content is None:
                    continue
                target = (base / member.name).resolve()
                if not target.is_relative_to(base):
                    raise DatasetDamagedError(
                        f"the archive holds {member.name!r}; expected names inside {into}",
                        hint="do not trust it",
                    )
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file:
                    shutil.copyfileobj(content, file)
    except (tarfile.TarError, EOFError) as error:
        raise DatasetDamagedError(
            f"expected a tar archive, but: {error}", hint="delete it and fetch it again"
        ) from error
