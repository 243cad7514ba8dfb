"""Known collections of pictures: where they lie, and how to get them."""

from lookalike.datasets.imagefolder import ImageFolder
from lookalike.datasets.locate import data_folders, find

__all__ = ["ImageFolder", "data_folders", "find"]
