"""Principal component analysis: fewer numbers an image, with as little lost as can be.

The mean and the covariance are summed up over blocks of rows in float64, so that the rows may be
memory-mapped and never all in memory; then one symmetric eigenproblem of d × d. For the d of image features
(up to some 2,000) that is a second or two, however many rows there are. Each axis points where its largest
coordinate is positive, so that the same rows give the same axes everywhere.

Cost: n · d² multiply-adds to fit, d · m a row to apply.

References
----------
K. Pearson, "On Lines and Planes of Closest Fit to Systems of Points in Space", 1901.
I. Jolliffe, "Principal Component Analysis", 2nd edition 2002, chapters 1 to 3.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError, ModelError
from lookalike.replace_file import replace_file
from lookalike.types import Vectors

_BLOCK_ROWS = 8_192
_AXES_ROUNDS = 3
_FORMAT = 1

Doubles = npt.NDArray[np.float64]


class PCA:
    """Principal component analysis.

    Parameters
    ----------
    n_components : int or float
        How many components to keep; or, as a float between 0 and 1, the share of the variance that they
        have to keep at least.
    whiten : bool
        Scale every component to variance 1.

    Attributes
    ----------
    mean_ : (d,) float64
    components_ : (m, d) float64
        Unit rows, by falling variance.
    explained_variance_ : (m,) float64
        Of the components, with n - 1 in the denominator.
    explained_variance_ratio_ : (m,) float64
        The same as shares of the whole.
    shares_ : (min(n - 1, d),) float64
        The shares of all components that there are, kept or not; of the kept ones, where an earlier lookalike
        saved them.
    n_components_ : int
        m.

    Examples
    --------
    >>> rows = [[0, 0], [1, 1], [2, 2], [3, 3.1]]
    >>> pca = PCA(n_components=0.95).fit(rows)
    >>> pca.n_components_, pca.transform([[0, 0]]).shape
    (1, (1, 1))
    """

    mean_: Doubles
    components_: Doubles
    explained_variance_: Doubles
    explained_variance_ratio_: Doubles
    shares_: Doubles

    def __init__(self, n_components: int | float, whiten: bool = False) -> None:
        is_share = isinstance(n_components, float) and 0 < n_components < 1
        is_count = isinstance(n_components, int | np.integer) and not isinstance(n_components, bool)
        if not is_share and not (is_count and n_components >= 1):
            raise InvalidInputError(
                f"cannot reduce to {n_components!r} (n_components): expected a whole number of dimensions"
                " from 1, or a share of the variance above 0 and below 1"
            )
        self.n_components = n_components
        self.whiten = bool(whiten)

    @property
    def n_components_(self) -> int:
        """How many components are kept."""
        return len(self.components_)

    def fit(self, vectors: npt.ArrayLike) -> Self:
        """Find the components.

        Parameters
        ----------
        vectors : (n, d) array-like
            Memory-mapped ones are read block by block.

        Raises
        ------
        InvalidInputError
            If there are fewer than two rows, all rows are equal, a value is not finite, or more components
            are asked for than the rows can have.
        """
        rows = np.asanyarray(vectors)
        if rows.ndim != 2 or len(rows) < 2 or not np.issubdtype(rows.dtype, np.number):
            raise InvalidInputError(
                f"vectors are {rows.dtype} of shape {rows.shape}; expected (n, d), n from 2"
            )
        n, d = rows.shape
        most = min(n - 1, d)
        if not isinstance(self.n_components, float) and self.n_components > most:
            raise InvalidInputError(
                f"cannot reduce to {self.n_components} dimensions: {n} vectors of {d} dimensions have at most"
                f" {most} to keep"
            )
        mean = np.zeros(d)
        for block in _blocks(rows):
            mean += block.sum(axis=0)
        mean /= n
        if not np.isfinite(mean).all():
            raise InvalidInputError("vectors hold NaN or infinity; expected finite numbers")
        scatter = np.zeros((d, d))
        for block in _blocks(rows):
            centred = block - mean
            scatter += centred.T @ centred
        variance, axes = np.linalg.eigh(scatter / (n - 1))  # rising; axes in columns
        variance, axes = np.maximum(variance[::-1], 0.0), axes[:, ::-1].T
        total = float(variance.sum())
        if total == 0:
            raise InvalidInputError("all vectors are equal; there is no variance to keep")
        if isinstance(self.n_components, float):
            # The last one counted too: rounding must not let the sum stay below the share.
            shares = np.cumsum(variance[:most]) / total
            count = int(np.searchsorted(shares, self.n_components - 1e-12)) + 1
            count = min(count, most)
        else:
            count = int(self.n_components)
        self.shares_ = variance[:most] / total
        axes, variance = axes[:count], variance[:count]
        largest = np.argmax(np.abs(axes), axis=1)
        axes = axes * np.sign(axes[np.arange(count), largest])[:, None]
        self.mean_, self.components_ = mean, np.ascontiguousarray(axes)
        self.explained_variance_, self.explained_variance_ratio_ = variance, variance / total
        return self

    def transform(self, vectors: npt.ArrayLike) -> Vectors:
        """Return the coordinates of vectors along the components.

        Returns
        -------
        (n, m) float32

        Raises
        ------
        InvalidInputError
            If the vectors are of another dimension, or nothing was fitted.
        """
        self._check_fitted()
        rows = np.asanyarray(vectors)
        if rows.ndim != 2 or rows.shape[1] != len(self.mean_):
            raise InvalidInputError(f"vectors have shape {rows.shape}; expected (n, {len(self.mean_)})")
        scale = self._scale()
        reduced = np.empty((len(rows), self.n_components_), np.float32)
        for start in range(0, len(rows), _BLOCK_ROWS):
            block = np.asarray(rows[start : start + _BLOCK_ROWS], np.float64)
            reduced[start : start + len(block)] = (block - self.mean_) @ self.components_.T / scale
        return reduced

    def fit_transform(self, vectors: npt.ArrayLike) -> Vectors:
        """Fit, and return the coordinates of the same vectors; (n, m) float32."""
        return self.fit(vectors).transform(vectors)

    def inverse_transform(self, reduced: npt.ArrayLike) -> Vectors:
        """Return the vectors that lie nearest to what was reduced to these coordinates; (n, d) float32."""
        self._check_fitted()
        coordinates = np.asarray(reduced, np.float64)
        if coordinates.ndim != 2 or coordinates.shape[1] != self.n_components_:
            raise InvalidInputError(
                f"coordinates have shape {coordinates.shape}; expected (n, {self.n_components_})"
            )
        return ((coordinates * self._scale()) @ self.components_ + self.mean_).astype(np.float32)

    def save(self, file: Path) -> None:
        """Write what was fitted to a file (NumPy's ``.npz``, no pickles)."""
        self._check_fitted()
        content = io.BytesIO()
        np.savez(
            content,
            format=_FORMAT,
            whiten=self.whiten,
            mean=self.mean_,
            components=self.components_,
            variance=self.explained_variance_,
            ratio=self.explained_variance_ratio_,
            shares=self.shares_,
        )
        replace_file(file, content.getvalue())

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ModelError
            If the file is missing or damaged.
        """
        try:
            with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as content:
                if int(content["format"]) != _FORMAT:
                    raise ValueError(f"its format is {content['format']}, expected {_FORMAT}")
                pca = cls(len(content["components"]), bool(content["whiten"]))
                pca.mean_, pca.components_ = content["mean"], content["components"]
                pca.explained_variance_ = content["variance"]
                pca.explained_variance_ratio_ = content["ratio"]
                pca.shares_ = content["shares"] if "shares" in content else content["ratio"]
            m, d = pca.components_.shape
            shapes: tuple[Any, ...] = (pca.mean_.shape, pca.explained_variance_.shape)
            if shapes != ((d,), (m,)) or pca.shares_.ndim != 1 or len(pca.shares_) < m:
                raise ValueError("its arrays do not fit together")
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"the PCA in {file} cannot be read: {error}") from error
        return pca

    def _scale(self) -> Doubles:
        if not self.whiten:
            return np.ones(self.n_components_)
        # A component without variance has nothing to scale.
        deviation = np.sqrt(self.explained_variance_)
        return np.where(deviation > deviation[0] * 1e-7, deviation, 1.0)

    def _check_fitted(self) -> None:
        if not hasattr(self, "components_"):
            raise InvalidInputError("this PCA has not been fitted; call fit first")


def principal_axes(sample: Doubles, n_axes: int, random: np.random.Generator) -> Doubles:
    """Return about the principal axes of centred rows, (n, d): (d, n_axes) float64, orthonormal, by variance.

    Subspace iteration: a few products with the rows turn any start towards the axes of largest variance.
    It costs less than the covariance for large d, and never fails: axes without variance are orthonormal,
    too.

    References
    ----------
    N. Halko, P. Martinsson, J. Tropp, "Finding Structure with Randomness", 2011.
    """
    rows = sample.astype(np.float32)
    axes = random.standard_normal((rows.shape[1], n_axes))
    if n_axes < rows.shape[1]:
        for _ in range(_AXES_ROUNDS):
            axes, _ = np.linalg.qr(axes)
            axes = (rows.T @ (rows @ axes.astype(np.float32))).astype(np.float64)
            axes += 1e-30 * random.standard_normal(axes.shape)  # where there is no variance at all
    axes, _ = np.linalg.qr(axes)
    within = (rows @ axes.astype(np.float32)).astype(np.float64)
    _, turn = np.linalg.eigh(within.T @ within)
    axes, _ = np.linalg.qr(axes @ turn[:, ::-1])
    return axes


def _blocks(rows: npt.NDArray[Any]) -> Iterator[Doubles]:
    for start in range(0, len(rows), _BLOCK_ROWS):
        yield np.asarray(rows[start : start + _BLOCK_ROWS], np.float64)
