"""Pictures in class folders, on disk and ready to be indexed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """A data set whose images are ordinary files below one folder.

    Attributes
    ----------
    name : str
        What a user types: ``caltech-101``.
    title : str
        What a page shows: ``Caltech-101``.
    root : Path
        The folder of the class folders.
    licence : str
        Under which the pictures may be used.
    origin : str
        Where it was found or fetched from, as a phrase for people.
    labels : bool
        Whether the folder that an image lies in says what it shows.
    exclude : tuple of str
        Globs of file and folder names, or of paths relative to the root, that indexing is to pass over.
    is_own : bool
        Whether it is somebody's folder, of which nobody knows what its folders say.
    """

    name: str
    title: str
    root: Path
    licence: str
    origin: str
    labels: bool
    exclude: tuple[str, ...] = ()
    is_own: bool = False
