"""Principal component analysis: fewer numbers an image, with as little lost as can be.

The mean and the covariance are summed up over blocks of rows in float64, so that the rows may be
memory-mapped and never all in memory; then one symmetric eigenproblem of d × d. For the d of image features
(up to some 2,000) that is a second or two, however many rows there are. Where there are fewer rows than
dimensions, the products of rows with rows have the same eigenvalues, in a matrix of n × n, and the axes are
sums of rows. Where both are above 8,192, as many axes as are kept are found by iteration (`_iterate`), and no
more is held than these. Each axis points where its largest coordinate is positive, so that the same rows give
the same axes everywhere.

Cost: n · d · min(n, d) multiply-adds to fit, with iteration some 15 · n · d · m; d · m a row to apply.

References
----------
K. Pearson, "On Lines and Planes of Closest Fit to Systems of Points in Space", 1901.
I. Jolliffe, "Principal Component Analysis", 2nd edition 2002, chapters 1 to 3; section 3.5: rows with rows.
N. Halko, P. Martinsson, J. Tropp, "Finding Structure with Randomness", 2011: the iteration.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from lookalike.as_numbers import as_numbers
from lookalike.errors import InvalidInputError, ModelDamagedError
from lookalike.hints import Hint
from lookalike.system.blas_threads import eigh, qr
from lookalike.system.checked_calls import checked, shown
from lookalike.system.memory import check_memory, rows_at_once

__all__ = ["PCA"]
from lookalike.system.output import write_output
from lookalike.system.progress import UNWATCHED, CancelToken, Progress, ProgressReport, Watch
from lookalike.system.sums import check_noted
from lookalike.system.watching import watching
from lookalike.types import Vectors

_BLOCK_ROWS = 8_192
_MOST_EXACT = 8_192  # rows or dimensions: an eigenproblem of 512 MB, and some minutes
_ITERATED = 16  # axes beside those that are kept, for these to be right
_ROUNDS = 6
_AXES_ROUNDS = 3
_FEW_ROWS = 4  # times the axes: up to so many rows, these are found from products of rows with rows
_LEAST_VARIANCE = 1e-12  # of the largest: what lies below is rounding
_FORMAT = 1
_INSTEAD = "keep fewer components, or begin with vectors of fewer dimensions"

Doubles = npt.NDArray[np.float64]


@checked
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
        The shares of all components that there are, kept or not; of those that were found, where both n and d
        are above 8,192, and of the kept ones, where an earlier lookalike saved them.
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
        if not isinstance(whiten, bool | np.bool_):
            raise InvalidInputError(f"whiten is {shown(whiten)}; expected true or false", field="whiten")
        is_share = isinstance(n_components, float) and 0 < n_components < 1
        is_count = isinstance(n_components, int | np.integer) and not isinstance(n_components, bool)
        if not is_share and not (is_count and n_components >= 1):
            raise InvalidInputError(
                f"cannot reduce to {shown(n_components)} (n_components): expected a whole number of"
                " dimensions from 1, or a share of the variance above 0 and below 1"
            )
        self.n_components = int(n_components) if is_count else n_components  # NumPy's small ones overflow
        self.whiten = bool(whiten)

    @property
    def n_components_(self) -> int:
        """How many components are kept."""
        return len(self.components_)

    def __repr__(self) -> str:
        whiten = ", whiten=True" if self.whiten else ""
        return f"PCA(n_components={self.n_components}{whiten})"

    def fit(
        self,
        vectors: npt.ArrayLike,
        *,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> Self:
        """Find the components.

        Parameters
        ----------
        vectors : (n, d) array-like
            Memory-mapped ones are read block by block.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Raises
        ------
        InvalidInputError
            If there are fewer than two rows, all rows are equal, a value is not finite, or more components
            are asked for than the rows can have.
        """
        rows = as_numbers(vectors)
        if rows.ndim != 2 or len(rows) < 2 or not rows.shape[1]:
            raise InvalidInputError(
                f"vectors are {rows.dtype} of shape {rows.shape}; expected (n, d), n from 2"
            )
        with watching(report, cancel) as watch:
            self._fit(rows, watch)
        return self

    def _fit(self, rows: npt.NDArray[Any], watch: Watch) -> None:
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite then is refused
            self._find(rows, watch)

    def _find(self, rows: npt.NDArray[Any], watch: Watch) -> None:
        n, d = rows.shape
        most = min(n - 1, d)
        if not isinstance(self.n_components, float) and self.n_components > most:
            raise InvalidInputError(
                f"cannot reduce to {shown(self.n_components)} dimensions: {n} vectors of {d} dimensions have"
                f" at most {most} to keep"
            )
        if min(n, d) <= _MOST_EXACT:
            check_memory(24 * min(n, d) ** 2, f"a principal component analysis of {n:,} vectors", _INSTEAD)
        mean = np.zeros(d)
        for block in _blocks(rows, watch, "mean"):
            mean += block.sum(axis=0)
        mean /= n
        if not np.isfinite(mean).all():
            raise InvalidInputError("vectors hold NaN or infinity; expected finite numbers")
        if min(n, d) > _MOST_EXACT:
            variance, axes, total = _iterate(rows, mean, self.n_components, watch)
            count = _count(variance / total, self.n_components)
            axes = axes[:, :count]
        elif n < d:
            products = _products(rows, mean, watch)
            variance, turn = eigh(_check_range(products) / (n - 1))  # rising
            variance = np.maximum(variance[::-1], 0.0)[:most]
            total = _check_varied(float(variance.sum()))
            count = _count(variance / total, self.n_components)
            axes = _axes_of_few(rows, mean, turn[:, ::-1][:, :count], watch)
        else:
            scatter = np.zeros((d, d))
            for block in _blocks(rows, watch, "components"):
                centred = block - mean
                scatter += centred.T @ centred
            variance, axes = eigh(_check_range(scatter) / (n - 1))  # rising; axes in columns
            variance, axes = np.maximum(variance[::-1], 0.0), axes[:, ::-1]
            total = _check_varied(float(variance.sum()))
            variance = variance[:most]
            count = _count(variance / total, self.n_components)
            axes = axes[:, :count]
        self.shares_ = variance / total
        variance, axes = variance[:count], axes.T
        largest = np.argmax(np.abs(axes), axis=1)
        axes = axes * np.sign(axes[np.arange(count), largest])[:, None]
        self.mean_, self.components_ = mean, np.ascontiguousarray(axes)
        self.explained_variance_, self.explained_variance_ratio_ = variance, variance / total

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
        rows = as_numbers(vectors)
        if rows.ndim != 2 or rows.shape[1] != len(self.mean_):
            raise InvalidInputError(f"vectors have shape {rows.shape}; expected (n, {len(self.mean_)})")
        scale = self._scale()
        reduced = np.empty((len(rows), self.n_components_), np.float32)
        start = 0
        for block in _blocks(rows):
            with np.errstate(over="ignore", invalid="ignore"):  # which is refused below
                reduced[start : start + len(block)] = (block - self.mean_) @ self.components_.T / scale
            start += len(block)
        return _check_finite(reduced, "vectors")

    def fit_transform(self, vectors: npt.ArrayLike) -> Vectors:
        """Fit, and return the coordinates of the same vectors; (n, m) float32."""
        return self.fit(vectors).transform(vectors)

    def inverse_transform(self, reduced: npt.ArrayLike) -> Vectors:
        """Return the vectors that lie nearest to what was reduced to these coordinates; (n, d) float32."""
        self._check_fitted()
        coordinates = np.asarray(as_numbers(reduced, "coordinates"), np.float64)
        if coordinates.ndim != 2 or coordinates.shape[1] != self.n_components_:
            raise InvalidInputError(
                f"coordinates have shape {coordinates.shape}; expected (n, {self.n_components_})"
            )
        with np.errstate(over="ignore", invalid="ignore"):  # which is refused then
            vectors = ((coordinates * self._scale()) @ self.components_ + self.mean_).astype(np.float32)
        return _check_finite(vectors, "coordinates")

    def save(self, file: Path, *, force: bool = False) -> None:
        """Write what was fitted to a file (NumPy's ``.npz``, no pickles).

        Parameters
        ----------
        file : Path
        force : bool
            Whether to write over a file that is there.

        Raises
        ------
        ConflictError
            If something is there.
        ResourceError
            If the disk does not take it.
        """
        write_output(file, self.to_bytes(), force=force)

    def to_bytes(self) -> bytes:
        """Return what `save` writes."""
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
        return content.getvalue()

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ModelError
            If the file is missing or damaged.
        """
        try:
            if file.exists() and not file.is_file():  # a pipe, say, that nobody writes to
                raise OSError("it is no plain file")
            written = file.read_bytes()
            check_noted(file, written)
            with np.load(io.BytesIO(written), allow_pickle=False) as content:
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
        except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise ModelDamagedError(
                f"the PCA in {file} cannot be read: {error}", hint=Hint("repair")
            ) from error
        return pca

    def _scale(self) -> Doubles:
        if not self.whiten:
            return np.ones(self.n_components_)
        # A component without variance has nothing to scale.
        deviation = np.sqrt(self.explained_variance_)
        return np.where(deviation > deviation[0] * 1e-7, deviation, 1.0)

    def _check_fitted(self) -> None:
        if not hasattr(self, "components_"):
            raise InvalidInputError("this PCA has not been fitted", hint="call fit first")


def _check_finite(found: Vectors, what: str) -> Vectors:
    """Return what vectors became; raise InvalidInputError where it is not finite, as they were not."""
    if not np.isfinite(found).all():
        raise InvalidInputError(f"{what} hold NaN, infinity or numbers too large; expected finite float32")
    return found


def principal_axes(sample: Doubles, n_axes: int, random: np.random.Generator) -> Doubles:
    """Return about the principal axes of centred rows, (n, d): (d, m) float64, orthonormal, by variance.

    There are `n_axes`, or d if that is less; where few rows have many dimensions, no more than the directions
    in which they differ.

    Subspace iteration: a few products with the rows turn any start towards the axes of largest variance.
    It costs less than the covariance for large d, and never fails: axes without variance are orthonormal,
    too. Of few rows, products with each other give the axes at once, and in less memory.

    References
    ----------
    N. Halko, P. Martinsson, J. Tropp, "Finding Structure with Randomness", 2011.
    """
    n, d = sample.shape
    if n_axes < d and n < d and n <= _FEW_ROWS * n_axes:
        squares, turn = eigh(sample @ sample.T)
        squares, turn = squares[::-1], turn[:, ::-1][:, :n_axes]
        n_found = int((squares[:n_axes] > _LEAST_VARIANCE * squares[0]).sum())
        return qr(sample.T @ turn[:, :n_found])
    rows = sample.astype(np.float32)
    axes = random.standard_normal((d, n_axes))
    if n_axes < d:
        for _ in range(_AXES_ROUNDS):
            axes = qr(axes)
            axes = (rows.T @ (rows @ axes.astype(np.float32))).astype(np.float64)
            axes += 1e-30 * random.standard_normal(axes.shape)  # where there is no variance at all
    axes = qr(axes)
    within = (rows @ axes.astype(np.float32)).astype(np.float64)
    _, turn = eigh(within.T @ within)
    return qr(axes @ turn[:, ::-1])


def _count(shares: Doubles, wanted: int | float) -> int:
    """Return how many components are kept: a number, or as many as have that share of the variance."""
    if not isinstance(wanted, float):
        return int(wanted)
    # The last one counted too: rounding must not let the sum stay below the share.
    return min(int(np.searchsorted(np.cumsum(shares), wanted - 1e-12)) + 1, len(shares))


def _check_range(products: Doubles) -> Doubles:
    """Return products of rows; raise InvalidInputError where they are too large for float64."""
    if not np.isfinite(products).all():
        raise InvalidInputError("vectors hold numbers too large to be squared; expected less than 1e150")
    return products


def _check_varied(total: float) -> float:
    if not np.isfinite(total):
        _check_range(np.array(total))
    if total == 0:
        raise InvalidInputError("all vectors are equal; there is no variance to keep")
    return total


def _products(rows: npt.NDArray[Any], mean: Doubles, watch: Watch) -> Doubles:
    """Return the products of centred rows with one another, (n, n)."""
    products = np.zeros((len(rows), len(rows)))
    for columns in watch.each(_columns(*rows.shape)):
        centred = rows[:, columns] - mean[columns]
        products += centred @ centred.T
    return products


def _axes_of_few(rows: npt.NDArray[Any], mean: Doubles, turn: Doubles, watch: Watch) -> Doubles:
    """Return the axes, (d, m), that eigenvectors of the products of rows, (n, m), stand for; orthonormal."""
    n, d = rows.shape
    m = turn.shape[1]
    check_memory(24 * d * m, f"finding {m:,} components of {d:,} dimensions", _INSTEAD)
    axes = np.empty((d, m))
    for columns in watch.each(_columns(n, d)):
        axes[columns] = (rows[:, columns] - mean[columns]).T @ turn
    # Of those without variance nothing but rounding is left: any that are orthonormal will do.
    return qr(axes)


def _iterate(
    rows: npt.NDArray[Any], mean: Doubles, wanted: int | float, watch: Watch
) -> tuple[Doubles, Doubles, float]:
    """Return variances (m,), axes (d, m) and the variance of all, by products with a few axes at a time.

    Subspace iteration, as in `principal_axes`, but over all rows. For a share of the variance the number of
    axes is doubled until they have it.
    """
    n, d = rows.shape
    total = _check_varied(
        sum(float(np.square(block - mean).sum()) for block in _blocks(rows, watch)) / (n - 1)
    )
    m = 64 if isinstance(wanted, float) else int(wanted)
    while True:
        m = min(m, n - 1, d)
        n_axes = min(m + _ITERATED, d)
        check_memory(32 * d * n_axes, f"finding {m:,} components of {d:,} dimensions", _INSTEAD)
        axes = np.random.default_rng(0).standard_normal((d, n_axes))
        watch.say("components", "finding the components")
        for _ in range(_ROUNDS):
            axes = qr(axes)
            turned = np.zeros_like(axes)
            for block in _blocks(rows, watch):
                block -= mean
                turned += block.T @ (block @ axes)
            axes = turned
        axes = qr(axes)
        scatter = np.zeros((n_axes, n_axes))
        for block in _blocks(rows, watch):
            within = (block - mean) @ axes
            scatter += within.T @ within
        variance, turn = eigh(scatter / (n - 1))
        variance = np.maximum(variance[::-1], 0.0)[:m]
        if not isinstance(wanted, float) or variance.sum() >= wanted * total or m == min(n - 1, d):
            return variance, axes @ turn[:, ::-1][:, :m], total
        m *= 2


def _blocks(rows: npt.NDArray[Any], watch: Watch = UNWATCHED, phase: str = "") -> Iterator[Doubles]:
    n, step = len(rows), rows_at_once(rows.shape[1], _BLOCK_ROWS)
    for start in range(0, n, step):
        watch.check()
        yield np.array(rows[start : start + step], np.float64)
        if phase:
            watch(Progress(phase, min(start + step, n), n, f"finding the {phase}"))


def _columns(n: int, d: int) -> Iterator[slice]:
    """Give the columns of n rows, as many at a time as fit into a block."""
    step = rows_at_once(n, d)
    for start in range(0, d, step):
        yield slice(start, min(start + step, d))
