"""PCA against a case worked by hand, against scikit-learn, and at its edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import InvalidInputError, ModelError
from lookalike.pca import PCA


def rows(n=200, d=12, seed=0):
    random = np.random.default_rng(seed)
    return (random.normal(size=(n, d)) * np.geomspace(10, 0.1, d) + random.normal(size=d)).astype(np.float32)


def test_a_case_worked_by_hand():
    # Along the diagonal: variance 10/3 · 2 = 20/3; across it: none.
    pca = PCA(2).fit([[1, 1], [2, 2], [4, 4], [5, 5]])
    np.testing.assert_allclose(pca.mean_, [3, 3])
    np.testing.assert_allclose(pca.components_[0], [np.sqrt(0.5)] * 2)
    np.testing.assert_allclose(pca.explained_variance_, [20 / 3, 0], atol=1e-12)
    np.testing.assert_allclose(pca.transform([[5, 5]])[0, 0], np.sqrt(8), rtol=1e-6)


@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize("n_components", [1, 5, 12, 0.5, 0.95, 0.999])
def test_it_agrees_with_scikit_learn(n_components, whiten):
    from sklearn import decomposition

    data = rows()
    ours = PCA(n_components, whiten).fit(data)
    reference = decomposition.PCA(n_components, whiten=whiten, svd_solver="full").fit(data.astype(np.float64))
    assert ours.n_components_ == reference.n_components_
    np.testing.assert_allclose(ours.explained_variance_ratio_, reference.explained_variance_ratio_, rtol=1e-9)
    signs = np.sign((ours.components_ * reference.components_).sum(axis=1))
    expected = reference.transform(data.astype(np.float64)) * signs
    np.testing.assert_allclose(ours.transform(data), expected, atol=2e-5)


def test_the_share_of_the_variance_is_reached_with_no_component_too_many():
    data = rows()
    for share in (0.1, 0.6, 0.9, 0.95, 0.99):
        ratios = PCA(share).fit(data).explained_variance_ratio_
        assert ratios.sum() >= share - 1e-9
        assert ratios[:-1].sum() < share


def test_all_components_lose_nothing():
    data = rows()
    for whiten in (False, True):
        pca = PCA(12, whiten).fit(data)
        np.testing.assert_allclose(pca.inverse_transform(pca.transform(data)), data, atol=1e-4)


def test_whitened_components_have_variance_1():
    reduced = PCA(6, whiten=True).fit_transform(rows())
    np.testing.assert_allclose(reduced.var(axis=0, ddof=1), 1, rtol=1e-4)


def test_the_same_rows_in_another_order_give_the_same_axes():
    data = rows()
    one, other = PCA(6).fit(data), PCA(6).fit(data[::-1])
    np.testing.assert_allclose(one.components_, other.components_, atol=1e-9)


def test_rows_that_outgrow_a_block_and_lie_on_the_disk(tmp_path):
    data = rows(n=20_000)
    np.save(tmp_path / "rows.npy", data)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    np.testing.assert_allclose(PCA(3).fit(mapped).mean_, data.mean(axis=0, dtype=np.float64))
    assert PCA(3).fit_transform(mapped).shape == (20_000, 3)


def test_what_was_saved_is_what_is_loaded(tmp_path):
    data = rows()
    pca = PCA(0.9, whiten=True).fit(data)
    pca.save(tmp_path / "pca.npz")
    again = PCA.load(tmp_path / "pca.npz")
    assert again.transform(data).tobytes() == pca.transform(data).tobytes()
    np.testing.assert_array_equal(again.explained_variance_ratio_, pca.explained_variance_ratio_)


def test_a_damaged_file_is_a_clear_error(tmp_path):
    file = tmp_path / "pca.npz"
    with pytest.raises(ModelError, match="cannot be read"):
        PCA.load(file)
    PCA(2).fit(rows()).save(file)
    whole = file.read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 30):
        file.write_bytes(whole[:length])
        with pytest.raises(ModelError, match="cannot be read"):
            PCA.load(file)


def test_a_number_of_components_of_numpy_is_pythons_own():
    assert type(PCA(np.uint8(2)).n_components) is int  # a small one would overflow where it is counted with


@pytest.mark.parametrize("n_components", [0, -1, 0.0, 1.0, 1.5, True, "5", None])
def test_a_senseless_number_of_components_is_refused(n_components):
    with pytest.raises(InvalidInputError, match=r"cannot reduce to .* \(n_components\): expected"):
        PCA(n_components)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([[1.0, 2.0]], "n from 2"),
        ([1.0, 2.0], "n from 2"),
        ([["a", "b"], ["c", "d"]], "not numbers"),
        (np.ones((5, 3)), "all vectors are equal"),
        ([[1, np.nan, 2], [0, 1, 2], [3, 2, 1], [5, 6, 8]], "NaN or infinity"),
        (np.eye(3)[:2], "have at most 1"),
    ],
)
def test_rows_that_cannot_be_fitted_are_refused(data, message):
    with pytest.raises(InvalidInputError, match=message):
        PCA(2).fit(data)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InvalidInputError, match="not been fitted"):
        PCA(2).transform(rows())
    pca = PCA(2).fit(rows())
    with pytest.raises(InvalidInputError, match=r"expected \(n, 12\)"):
        pca.transform(rows(d=11))
    with pytest.raises(InvalidInputError, match=r"expected \(n, 2\)"):
        pca.inverse_transform(rows())


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 30), st.integers(1, 8), st.integers(0, 10**6))
def test_components_are_orthonormal_and_variance_falls(n, d, seed):
    data = rows(n, d, seed)
    pca = PCA(min(n - 1, d)).fit(data)
    np.testing.assert_allclose(pca.components_ @ pca.components_.T, np.eye(pca.n_components_), atol=1e-9)
    assert (np.diff(pca.explained_variance_) <= 1e-9).all()
    assert pca.explained_variance_ratio_.sum() <= 1 + 1e-9


def test_shares_of_all_components_are_kept_whatever_is_reduced_to(tmp_path):
    data = rows()
    all_of_them = PCA(min(len(data) - 1, data.shape[1])).fit(data).explained_variance_ratio_
    pca = PCA(2).fit(data)
    assert pca.shares_ == pytest.approx(all_of_them, abs=1e-12)
    assert pca.shares_.sum() == pytest.approx(1)
    assert (pca.shares_[:2] == pca.explained_variance_ratio_).all()
    pca.save(tmp_path / "pca.npz")
    assert (PCA.load(tmp_path / "pca.npz").shares_ == pca.shares_).all()
    # As an earlier lookalike saved it:
    with np.load(tmp_path / "pca.npz") as content:
        np.savez(tmp_path / "old.npz", **{name: content[name] for name in content if name != "shares"})
    assert (PCA.load(tmp_path / "old.npz").shares_ == pca.explained_variance_ratio_).all()
