"""What is given as vectors: no rows, missing values and data frames mean the same to all that take some."""

import warnings

import numpy as np
import pytest

from lookalike import cluster, evaluate
from lookalike.as_numbers import as_finite, as_numbers, as_whole_numbers
from lookalike.errors import InvalidInputError
from lookalike.evaluate.clusterings import silhouette
from lookalike.index import Exact, KDTree, KMeansTree
from lookalike.index.graph import neighbor_graph, radius_graph
from lookalike.pca import PCA
from lookalike.projection import project

OWN_KINDS = {kind.kind: kind for kind in (Exact, KDTree, KMeansTree)}


def rows():
    found = np.random.default_rng(0).normal(size=(12, 3))
    return found / np.linalg.norm(found, axis=1)[:, None]


TAKERS = {
    "PCA": lambda X: PCA(2).fit(X).components_,
    "KMeans": lambda X: cluster.KMeans(2).fit(X).labels_,
    "HierarchicalKMeans": lambda X: cluster.HierarchicalKMeans(2).fit(X).labels_,
    "DBSCAN": lambda X: cluster.DBSCAN(eps=0.5).fit(X).labels_,
    "HDBSCAN": lambda X: cluster.HDBSCAN(2).fit(X).labels_,
    "SpectralClustering": lambda X: cluster.SpectralClustering(2, n_neighbors=4).fit(X).labels_,
    "AgglomerativeClustering": lambda X: cluster.AgglomerativeClustering(2, n_neighbors=3).fit(X).labels_,
    "suggest_eps": lambda X: cluster.suggest_eps(X, 2).eps,
    "choose_k": lambda X: cluster.choose_k(X, [2, 3]).inertias,
    "silhouette": lambda X: silhouette(X, np.arange(len(X)) // 3),
    "leave_one_out": lambda X: evaluate.leave_one_out(X, np.arange(len(X)) // 2).precision,
    "pca map": lambda X: project(X, "pca").points,
    "t-SNE map": lambda X: project(X, "tsne").points,
    "neighbor_graph": lambda X: neighbor_graph(X, 1).toarray(),
    "radius_graph": lambda X: radius_graph(X, 1).toarray(),
    **{kind: lambda X, kind=kind: OWN_KINDS[kind]().build(X).search(rows(), 1).ids for kind in OWN_KINDS},
}


class Frame:
    """A data frame of nullable columns, as pandas gives it: objects, with a missing value of its own."""

    class NA:
        def __float__(self):
            raise TypeError("float() argument must be a real number, not 'NAType'")

    def __init__(self, values):
        self.values = np.asarray(values, object)
        self.ndim, self.shape = 2, self.values.shape

    def __len__(self):
        return len(self.values)

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)

    def to_numpy(self, dtype=None, na_value=None):
        filled = [[na_value if isinstance(each, self.NA) else each for each in row] for row in self.values]
        return np.array(filled, dtype)


def test_an_array_is_taken_as_it_is(tmp_path):
    np.save(tmp_path / "rows.npy", rows())
    for given in (rows(), rows().astype(np.float32), np.load(tmp_path / "rows.npy", mmap_mode="r")):
        taken = as_numbers(given)
        assert taken.dtype == given.dtype
        assert np.shares_memory(taken, given)


@pytest.mark.parametrize(
    "given",
    [
        [[1, None]],
        [[1, np.nan]],
        np.ma.masked_array([[1.0, 2.0]], [[False, True]]),
        Frame([[1.0, Frame.NA()]]),
    ],
    ids=["None", "NaN", "masked", "NA"],
)
def test_what_is_missing_is_nan(given):
    np.testing.assert_array_equal(as_numbers(given), [[1, np.nan]])


@pytest.mark.parametrize(
    "given",
    [
        [["1", "2"]],
        [[1, 2], [3]],
        [[1j]],
        np.array([["2020-01-01"]], "datetime64[D]"),
        [[1, {}]],
        Frame([["a"]]),
    ],
    ids=["words", "ragged", "complex", "dates", "objects", "frame of words"],
)
def test_what_is_no_numbers_is_refused(given):
    with pytest.raises(InvalidInputError, match="are not numbers of one shape"):
        as_numbers(given)


@pytest.mark.parametrize("name", TAKERS)
@pytest.mark.parametrize("none", [np.empty((0, 3)), np.empty((0, 3), np.float32)], ids=["float64", "float32"])
def test_no_rows_are_a_clear_error(name, none):
    with pytest.raises(InvalidInputError, match=r"no |\b0\b|empty"):
        TAKERS[name](none)


@pytest.mark.parametrize("name", TAKERS)
@pytest.mark.parametrize(
    "missing", [None, np.nan, Frame.NA(), np.ma.masked], ids=["None", "NaN", "NA", "masked"]
)
def test_a_missing_value_is_refused_alike(name, missing):
    if missing is np.ma.masked:
        given = np.ma.masked_array(rows())
        given[1, 1] = missing
    else:
        given = rows().astype(object)
        given[1, 1] = missing
        given = Frame(given) if isinstance(missing, Frame.NA) else given.tolist()
    # scikit-learn asks frames of its own kinds only for their missing values.
    if isinstance(missing, Frame.NA) and "KMeans" in name:
        pytest.skip("is told by the test with pandas")
    with pytest.raises(InvalidInputError, match=r"NaN|finite|length nan"):
        TAKERS[name](given)


@pytest.mark.parametrize("name", TAKERS)
def test_a_frame_of_nullable_columns_is_its_numbers(name):
    frame = Frame(rows())
    if "KMeans" in name:
        pytest.skip("is told by the test with pandas")
    np.testing.assert_array_equal(TAKERS[name](frame), TAKERS[name](rows()))


@pytest.mark.parametrize("name", TAKERS)
def test_nullable_frames_of_pandas_are_accepted_and_their_missing_values_refused(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what pandas wishes to have beside it
        pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(rows()).astype("Float64")
    np.testing.assert_array_equal(TAKERS[name](frame), TAKERS[name](rows()))
    frame.iloc[1, 1] = pandas.NA
    with pytest.raises(InvalidInputError, match=r"NaN|finite|length nan"):
        TAKERS[name](frame)


@pytest.mark.parametrize(
    "given",
    [
        [1.0], ["1"], [True], [None], np.ma.MaskedArray([1, 2], [0, 1]), np.array([2**63], np.uint64),
        [[1], [2, 3]], 10.5, np.array([1], "M8[s]"), [10**30],
    ],
)  # fmt: skip
def test_what_is_no_whole_numbers_is_refused(given):
    with pytest.raises(InvalidInputError, match="ids are not whole numbers"):
        as_whole_numbers(given)


def test_whole_numbers_come_in_any_form():
    for given in (
        [3, 1],
        (3, 1),
        np.array([3, 1], np.uint8),
        np.array([3, 1], object),
        np.ma.MaskedArray([3, 1]),
    ):
        found = as_whole_numbers(given)
        assert (found.dtype, found.tolist()) == (np.int64, [3, 1])
    assert as_whole_numbers([]).tolist() == []
    assert sorted(as_whole_numbers({1, 2}).tolist()) == [1, 2]


def test_finite_numbers_are_float64():
    assert as_finite([[1, 2]]).dtype == np.float64
    for wrong in ([np.nan], [np.inf], [None], ["1"]):
        with pytest.raises(InvalidInputError):
            as_finite(wrong)
