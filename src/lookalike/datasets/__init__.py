"""Known collections of pictures: where they lie, how to get them, and how to read them."""

from lookalike.datasets.dataset import Dataset, ImageFiles
from lookalike.datasets.imagefolder import ImageFolder
from lookalike.datasets.locate import data_folders, find
from lookalike.datasets.registry import REGISTRY, Found, Row, find_all, get_row, load, prepare_dataset

__all__ = [
    "REGISTRY",
    "Dataset",
    "Found",
    "ImageFiles",
    "ImageFolder",
    "Row",
    "data_folders",
    "find",
    "find_all",
    "get_row",
    "load",
    "prepare_dataset",
]
