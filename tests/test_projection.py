"""Maps of vectors, and new vectors on them."""

import numpy as np
import pytest

from lookalike.errors import InvalidInputError
from lookalike.projection import place, project


@pytest.fixture(scope="module")
def groups():
    """Three groups of 60 vectors, far apart, and which is whose."""
    random = np.random.default_rng(0)
    labels = np.arange(180) % 3
    centres = 8 * np.eye(3, 10)
    return (centres[labels] + random.normal(size=(180, 10))).astype(np.float32), labels


@pytest.mark.parametrize("method", ["pca", "tsne"])
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_few_images_have_a_map(method, n):
    rows = np.random.default_rng(n).normal(size=(n, 4))
    points = project(rows, method).points
    assert points.shape == (n, 2) and points.dtype == np.float32
    assert np.isfinite(points).all()
    assert len(np.unique(points, axis=0)) == n


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_equal_images_have_a_map(method):
    assert np.isfinite(project(np.ones((7, 4)), method).points).all()


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_same_input_gives_the_same_map(method, groups):
    rows, _ = groups
    assert (project(rows, method).points == project(rows, method, n_jobs=1).points).all()


def test_new_vector_of_another_dimension_is_refused(groups):
    rows, _ = groups
    found = project(rows, "pca")
    with pytest.raises(InvalidInputError, match="9 dimensions; expected 10"):
        place(rows[:, :9], rows, found)


def test_unknown_method_is_refused():
    with pytest.raises(InvalidInputError, match="method is 'mds'; expected one of pca, tsne, umap"):
        project([[0.0], [1.0]], "mds")
