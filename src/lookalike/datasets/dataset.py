"""What every loader gives: pictures and their labels, in two splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from lookalike.errors import DatasetDamagedError, InvalidInputError
from lookalike.system.chance import RANDOM_STATE, check_seed
from lookalike.system.checked_calls import checked, shown
from lookalike.types import PixelArray

Labels: TypeAlias = npt.NDArray[np.int64]
"""(n,) int64, positions in a data set's ``class_names``."""

Split = Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class ImageFiles(Sequence[PixelArray]):
    """Pictures of any size, each decoded when it is asked for.

    Attributes
    ----------
    paths : tuple of Path

    Notes
    -----
    ``files[3]`` is (h, w, 3) uint8, and raises ImageError where the file is no image; ``files[2:5]`` and
    ``files[indices]``, with an array of integers, are ImageFiles, and read nothing.
    """

    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> PixelArray: ...
    @overload
    def __getitem__(self, index: slice | npt.NDArray[np.integer[Any]]) -> ImageFiles: ...
    def __getitem__(self, index: int | slice | npt.NDArray[np.integer[Any]]) -> PixelArray | ImageFiles:
        if isinstance(index, slice):
            return ImageFiles(self.paths[index])
        if isinstance(index, np.ndarray) and index.ndim:
            if index.ndim > 1 or not np.issubdtype(index.dtype, np.integer):
                raise InvalidInputError(
                    f"cannot choose images by an array of shape {index.shape} and type {index.dtype}; "
                    "expected one dimension of integers"
                )
            return ImageFiles(tuple(self.paths[i] for i in index.tolist()))
        from lookalike.images import read_image

        return np.array(read_image(self.paths[index]).image)

    def __repr__(self) -> str:
        return f"ImageFiles({len(self):,} files)"


Images: TypeAlias = npt.NDArray[np.uint8] | ImageFiles
"""(n, h, w) grey or (n, h, w, 3) RGB uint8, or files where the sizes differ."""


@checked
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Dataset:
    """Labelled pictures in a train and a test split.

    Attributes
    ----------
    name : str
        What a user types: ``fashion-mnist``.
    title : str
        What a page shows: ``Fashion-MNIST``.
    train_X, test_X : (n, h, w) or (n, h, w, 3) uint8, or ImageFiles
    train_y, test_y : (n,) int64
        Positions in `class_names`.
    class_names : tuple of str
    image_shape : tuple of int or None
        Of one image; None where they differ.
    licence : str
        Under which the pictures may be used.
    origin : str
        Where it was found or fetched from, as a phrase for people.

    Raises
    ------
    InvalidInputError
        If labels and images differ in number, or a label has no name.

    Examples
    --------
    >>> X = np.zeros((3, 28, 28), np.uint8)
    >>> y = np.array([0, 1, 1])
    >>> dataset = Dataset("tiny", "Tiny", X, y, X[:1], y[:1], ("cat", "dog"), (28, 28), "mine", "made here")
    >>> dataset
    Dataset('tiny', train=3, test=1, classes=2, image_shape=(28, 28))
    >>> train_X, train_y, test_X, test_y = dataset
    >>> dataset.split("test")[1]
    array([0])
    """

    name: str
    title: str
    train_X: Images  # noqa: N815 -- the field's own name, as in (train_X, train_y, test_X, test_y)
    train_y: Labels
    test_X: Images  # noqa: N815
    test_y: Labels
    class_names: tuple[str, ...]
    image_shape: tuple[int, ...] | None
    licence: str
    origin: str

    def __post_init__(self) -> None:
        for split, X, y in (("train", self.train_X, self.train_y), ("test", self.test_X, self.test_y)):
            if np.shape(y) != (len(X),):
                raise InvalidInputError(
                    f"{self.name}: expected one {split} label for each of {len(X):,} images, "
                    f"got labels of shape {np.shape(y)}"
                )
            if len(y) and not 0 <= np.min(y) <= np.max(y) < len(self.class_names):
                raise InvalidInputError(
                    f"{self.name}: expected {split} labels from 0 to {len(self.class_names) - 1}, "
                    f"one for each class name, got {np.min(y)} to {np.max(y)}"
                )

    def __iter__(self) -> Iterator[Any]:
        return iter((self.train_X, self.train_y, self.test_X, self.test_y))

    def __repr__(self) -> str:
        return (
            f"Dataset({self.name!r}, train={len(self.train_y)}, test={len(self.test_y)}, "
            f"classes={len(self.class_names)}, image_shape={self.image_shape})"
        )

    def split(self, split: Split) -> tuple[Images, Labels]:
        """Return the images and labels of a split.

        Raises
        ------
        InvalidInputError
            If it is neither ``train`` nor ``test``.
        """
        if split == "train":
            return self.train_X, self.train_y
        if split == "test":
            return self.test_X, self.test_y
        raise InvalidInputError(f"{shown(split)} is not a split of {self.name}; expected 'train' or 'test'")

    def with_test_share(self, test_share: float, random_state: int = RANDOM_STATE) -> Dataset:
        """Move a share of each class from a data set without a test split into one.

        Parameters
        ----------
        test_share : float
            Between 0 and 1. In each class it is rounded to whole images; one image at least stays in train.
        random_state : int
            The same number chooses the same images.

        Returns
        -------
        Dataset
            Both splits in the order that they had.

        Raises
        ------
        InvalidInputError
            If the share is not between 0 and 1, or the data set has a test split already.
        """
        if not 0 < test_share < 1:
            raise InvalidInputError(
                f"test_share is {shown(test_share)}; expected a number between 0 and 1", field="test_share"
            )
        if len(self.test_y):
            raise InvalidInputError(
                f"{self.name} has a test split of its own, of {len(self.test_y):,} images; "
                "a share for testing can only be taken where there is none"
            )
        random = np.random.default_rng(check_seed(random_state))
        chosen = np.zeros(len(self.train_y), bool)
        for label in range(len(self.class_names)):
            members = random.permutation(np.flatnonzero(self.train_y == label))
            chosen[members[: max(0, min(round(test_share * len(members)), len(members) - 1))]] = True
        train, test = np.flatnonzero(~chosen), np.flatnonzero(chosen)
        return replace(
            self,
            train_X=self.train_X[train],
            train_y=self.train_y[train],
            test_X=self.train_X[test],
            test_y=self.train_y[test],
        )


def check_labels(
    labels: npt.NDArray[np.integer[Any]], n_classes: int, n_images: int, file: Path, images: Path
) -> Labels:
    """Return a file's labels as int64, if they fit the images.

    Parameters
    ----------
    labels : (n,) integers
    n_classes, n_images : int
    file : Path
        That the labels were read from.
    images : Path
        That the images were read from.

    Raises
    ------
    DatasetError
        If there is not one label for each image, or one is out of range.
    """
    if labels.shape != (n_images,):
        raise DatasetDamagedError(
            f"{file}: expected {n_images:,} labels, one for each image of {images.name}, "
            f"got {' × '.join(f'{size:,}' for size in labels.shape)}",
            hint="fetch both again",
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= n_classes))
    if len(wrong):
        raise DatasetDamagedError(
            f"{file}: expected labels from 0 to {n_classes - 1}, but label {wrong[0]} is {labels[wrong[0]]}",
            hint="fetch it again",
        )
    return labels.astype(np.int64)
