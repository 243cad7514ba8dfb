"""Maps of vectors, and new vectors on them."""

import sys

import numpy as np
import pytest
from scipy.sparse import csr_array

from lookalike.errors import InvalidInputError
from lookalike.index.graph import neighbor_graph
from lookalike.pca import PCA
from lookalike.projection import affinities, place, project, repulsion, tsne_kernels
from lookalike.projection.repulsion import Repulsion
from lookalike.projection.threads import Threads

BOTH = pytest.mark.parametrize("method", ["pca", "tsne"])


@pytest.fixture(scope="module")
def groups():
    """Three groups of 60 vectors, far apart, and which is whose."""
    random = np.random.default_rng(0)
    labels = np.arange(180) % 3
    centres = 8 * np.eye(3, 10)
    return (centres[labels] + random.normal(size=(180, 10))).astype(np.float32), labels


@pytest.fixture(scope="module")
def mapped(groups):
    return project(groups[0])


@pytest.fixture(scope="module")
def digits():
    """Scanned digits of 64 pixels: a thousand to map, and 300 more; vectors and labels of both."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order].astype(np.float32), y[order]
    return X[:1_000], y[:1_000], X[1_000:1_300], y[1_000:1_300]


def share_of_own_label(points, labels, queries, query_labels, skip=0):
    """Return how many of the 5 nearest points of each query have its label."""
    distances = np.linalg.norm(queries[:, None] - points, axis=2)
    nearest = np.argsort(distances, axis=1)[:, skip : skip + 5]
    return (labels[nearest] == query_labels[:, None]).mean()


def similarities(points):
    """Return q and 1 / (1 + d²) of all pairs, by the definition."""
    near = 1 / (1 + np.square(points[:, None] - points).sum(axis=2))
    np.fill_diagonal(near, 0)
    return near / near.sum(), near


# --- the two calls ---


@BOTH
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 11])
def test_few_images_have_a_map(method, n):
    rows = np.random.default_rng(n).normal(size=(n, 4))
    points = project(rows, method).points
    assert points.shape == (n, 2) and points.dtype == np.float32
    assert np.isfinite(points).all()
    apart = np.linalg.norm(points[:, None] - points, axis=2)[~np.eye(n, dtype=bool)]
    assert n == 1 or apart.min() > 0.01
    assert place(rows[:2], rows, project(rows, method)) == pytest.approx(points[:2], abs=1e-6)


@BOTH
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_equal_images_lie_in_one_point(method, metric):
    found = project(np.ones((7, 4)), method, metric=metric)
    assert (found.points == 0).all()
    assert (place(np.ones((2, 4)), np.ones((7, 4)), found, metric=metric) == 0).all()


@BOTH
@pytest.mark.parametrize("factor, shift", [(1e30, 0), (1e-30, 0), (1, 1e5)])
def test_values_of_any_size_have_a_map(method, factor, shift):
    rows = np.random.default_rng(0).normal(size=(40, 3)) * factor + shift
    assert np.isfinite(project(rows, method).points).all()


def test_many_copies_lie_together_and_others_apart():
    rows = np.repeat(np.random.default_rng(0).normal(size=(3, 8)), 120, axis=0)
    points = project(rows).points.reshape(3, 120, 2)
    centres = points.mean(axis=1)
    assert np.linalg.norm(points - centres[:, None], axis=2).max() < 2
    assert np.linalg.norm(centres[[0, 1, 2]] - centres[[1, 2, 0]], axis=1).min() > 10


def test_vectors_on_a_line_have_a_map():
    points = project(np.arange(30.0)[:, None]).points
    assert np.isfinite(points).all() and len(np.unique(points, axis=0)) == 30


@BOTH
def test_same_input_gives_the_same_map_on_any_number_of_threads(method, groups, monkeypatch):
    monkeypatch.setattr(repulsion, "_EXACT", 100)  # the grid, too
    rows, _ = groups
    first = project(rows, method)
    for n_jobs in (1, 3):
        again = project(rows, method, n_jobs=n_jobs)
        assert (first.points == again.points).all() and first.figures == again.figures


def test_another_seed_gives_another_map(groups, mapped):
    assert (project(groups[0], random_state=1).points != mapped.points).any()


@BOTH
def test_cosine_does_not_see_lengths(method, groups):
    rows, _ = groups
    longer = rows * 2.0 ** (np.arange(len(rows)) % 5)[:, None]
    first, second = (project(each, method, metric="cosine") for each in (rows, longer))
    assert first.points == pytest.approx(second.points, abs=1e-5)


@BOTH
def test_progress_rises_to_the_whole_of_each_phase(method, groups):
    told = []
    project(groups[0], method, report=told.append)
    for phase, last in {progress.phase: progress for progress in told}.items():
        shares = [progress.share for progress in told if progress.phase == phase]
        assert shares == sorted(shares) and shares[0] >= 0 and last.share == 1
    assert all(progress.words for progress in told)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"method": "mds"}, "there is no method 'mds'; expected one of tsne, pca, umap"),
        ({"metric": "l1"}, "metric is 'l1'; expected one of cosine, euclidean"),
        ({"perplexity": 0}, "perplexity is 0; expected a number above 0"),
        ({"perplexity": "many"}, "perplexity is 'many'; expected a number"),
        ({"n_jobs": 0}, "n_jobs is 0; expected 1 or more, or None"),
        ({"random_state": -1}, "random_state is -1; expected a whole number from 0"),
        ({"vectors": np.empty((0, 3))}, "there are no vectors; expected at least one"),
        ({"vectors": [[0.0, np.nan]]}, "NaN or infinity"),
        ({"vectors": [1.0, 2.0]}, r"expected \(n, d\)"),
        ({"vectors": [[0.0, 0], [1, 1]], "metric": "cosine"}, "a row of zeros"),
    ],
)
def test_what_cannot_be_mapped_is_refused(arguments, message):
    with pytest.raises(InvalidInputError, match=message):
        project(**{"vectors": [[0.0, 1], [1, 0]], **arguments})


# --- PCA ---


def test_pca_map_is_that_of_the_components(groups):
    rows, _ = groups
    found = project(rows, "pca")
    pca = PCA(2).fit(rows)
    assert found.points == pytest.approx(pca.transform(rows), abs=1e-6)
    shares = [found.figures["explained_variance_1"], found.figures["explained_variance_2"]]
    assert shares == pytest.approx(pca.explained_variance_ratio_.tolist())
    new = rows[:5] + 1
    assert place(new, rows, found) == pytest.approx(pca.transform(new), abs=1e-6)


# --- t-SNE ---


def test_repulsion_of_three_points_by_hand():
    points = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 2.0]])
    taken = Repulsion()
    taken.take(points)
    potential, slopes = np.empty(3), np.empty((2, 3))
    taken.read(potential, slopes, 0, 3)
    assert potential == pytest.approx([1 + 1 / 2 + 1 / 5, 1 + 1 / 2 + 1 / 6, 1 + 1 / 5 + 1 / 6])
    assert slopes[:, 0] == pytest.approx([2 * 1 / 2**2, 2 * 2 / 5**2])


@pytest.mark.parametrize("spread", [1e-4, 1.0, 40.0])
def test_repulsion_by_the_grid_is_nearly_the_sum_over_pairs(spread, monkeypatch):
    points = spread * np.random.default_rng(0).normal(size=(2, 2_000))
    found = []
    for limit in (0, 10_000):
        monkeypatch.setattr(repulsion, "_EXACT", limit)
        taken = Repulsion()
        taken.take(points)
        potential, slopes = np.empty(2_000), np.empty((2, 2_000))
        taken.read(potential, slopes, 0, 2_000)
        found.append((potential, slopes))
    (potential, slopes), (exact_potential, exact_slopes) = found
    assert potential.sum() == pytest.approx(exact_potential.sum(), rel=1e-3)
    assert np.linalg.norm(slopes - exact_slopes) < 0.02 * np.linalg.norm(exact_slopes)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_affinities_have_the_perplexity_that_was_asked_for(groups, metric):
    graph = neighbor_graph(groups[0], 45, metric)
    with Threads() as threads:
        p = affinities.gaussian(graph.data.reshape(-1, 45), 15.0, metric, threads).astype(np.float64)
        joint = affinities.joint(graph, 15.0, metric, threads)
    assert p.sum(axis=1) == pytest.approx(np.ones(180), abs=1e-5)
    entropy = -(p * np.log(np.maximum(p, 1e-30))).sum(axis=1)
    assert np.exp(entropy) == pytest.approx(np.full(180, 15.0), rel=1e-3)
    # A Gaussian: the logarithm falls with the squared distance, along one line.
    squares = graph.data.reshape(-1, 45) ** (2 if metric == "euclidean" else 1)
    steepness = np.diff(np.log(p), axis=1) / np.diff(squares.astype(np.float64), axis=1)
    assert np.abs(steepness / np.median(steepness, axis=1)[:, None] - 1).mean() < 0.02
    assert joint.sum() == pytest.approx(1, abs=1e-5)
    assert abs(joint - joint.T).max() == 0


def test_forces_are_the_gradient_of_the_divergence():
    random = np.random.default_rng(0)
    points = random.normal(size=(50, 2))
    p = np.square(random.uniform(size=(50, 50)))
    p = (p + p.T) * ~np.eye(50, dtype=bool)
    p /= p.sum()
    q, near = similarities(points)
    away = points[:, None] - points
    gradient = (((p - q) * near)[:, :, None] * away).sum(axis=1)  # a quarter of it, as is the custom

    indptr = np.arange(0, 50 * 50 + 1, 50, dtype=np.int32)
    indices = np.tile(np.arange(50, dtype=np.int32), 50)
    pull = np.empty((2, 50), np.float32)
    graph = indptr, indices, p.ravel().astype(np.float32)
    tsne_kernels.attract(points.T.astype(np.float32).copy(), *graph, pull, 0, 50)
    potential, slopes = np.empty(50), np.empty((2, 50))
    tsne_kernels.repel(points.T.copy(), potential, slopes, 0, 50)
    forces = pull - slopes / (2 * (potential.sum() - 50))
    assert np.abs(forces.T + gradient).max() < 1e-6


@pytest.mark.parametrize("dtype", [np.int32, np.int64])  # scipy's choice, by the number of entries
def test_forces_and_divergence_are_sums_along_the_graph(dtype):
    random = np.random.default_rng(0)
    points = random.normal(size=(2, 300)).astype(np.float32)
    p = np.where(random.random((300, 300)) < 0.6, random.random((300, 300)), 0).astype(np.float32)
    pairs = csr_array(p)
    graph = pairs.indptr.astype(dtype), pairs.indices.astype(dtype), pairs.data
    pull = np.empty_like(points)
    tsne_kernels.attract(points, *graph, pull, 0, 300)
    away = points[:, None] - points[:, :, None]
    near = 1 / (1 + np.square(away).sum(axis=0))
    assert pull == pytest.approx((p * near * away).sum(axis=2), abs=1e-4)
    divergence = (p * np.log(np.where(p > 0, p, 1) / near)).sum()
    assert tsne_kernels.sum_logarithms(points, *graph, 0, 300) == pytest.approx(divergence, rel=1e-5)


def test_divergence_is_that_of_the_map(groups, mapped):
    graph = neighbor_graph(groups[0], 90)
    with Threads() as threads:
        p = affinities.joint(graph, 30.0, "euclidean", threads).toarray().astype(np.float64)
    q, _ = similarities(mapped.points.astype(np.float64))
    there = p > 0
    divergence = (p[there] * np.log(p[there] / q[there])).sum()
    assert mapped.figures["kl_divergence"] == pytest.approx(divergence, abs=1e-4)
    assert mapped.parameters["perplexity"] == 30


def test_divergence_of_digits_is_as_low_as_that_of_openTSNE(digits):  # noqa: N802
    # openTSNE 1.0.4, its defaults, the same rows: 0.624, and 0.631 by FFT. 2 % more are allowed.
    assert project(digits[0]).figures["kl_divergence"] < 0.637


def test_groups_stay_together_and_apart(groups, mapped):
    _, labels = groups
    assert share_of_own_label(mapped.points, labels, mapped.points, labels, skip=1) == 1


def test_perplexity_is_lowered_to_what_few_images_can_have(groups):
    rows, _ = groups
    assert project(rows[:61]).parameters["perplexity"] == 20
    assert project(rows[:61], perplexity=50).parameters["perplexity"] == 20
    assert project(rows[:61], perplexity=7).parameters["perplexity"] == 7
    assert project(rows[:4]).parameters["perplexity"] == 2


# --- placing ---


def test_placing_leaves_the_old_points_and_a_copy_gets_its_own(groups, mapped):
    rows, _ = groups
    before = mapped.points.copy()
    assert (place(rows, rows, mapped) == before).all()
    assert (mapped.points == before).all()


def test_near_copy_lands_near(groups, mapped):
    rows, _ = groups
    placed = place(rows + 0.02, rows, mapped)
    apart = np.linalg.norm(placed - mapped.points, axis=1)
    typical = np.linalg.norm(mapped.points - np.roll(mapped.points, 3, axis=0), axis=1)  # in the same group
    assert np.median(apart) < np.median(typical) / 3


def test_new_digits_land_among_their_own(digits):
    rows, labels, new, new_labels = digits
    found = project(rows)
    placed = place(new, rows, found)
    assert share_of_own_label(found.points, labels, placed, new_labels) > 0.93
    assert share_of_own_label(found.points, labels, found.points, labels, skip=1) > 0.93


def test_place_does_not_depend_on_what_is_placed_with_it(groups, mapped):
    rows, _ = groups
    new = rows + np.float32(0.3)
    together = place(np.concatenate([new, new]), rows, mapped)  # enough for an index, where one has none
    alone = np.concatenate([place(each[None], rows, mapped) for each in new[:20]])
    assert (together[:20] == alone).all()


@BOTH
def test_nothing_to_place_is_no_error(method, groups):
    rows, _ = groups
    assert place(np.empty((0, 10)), rows, project(rows, method)).shape == (0, 2)


def test_what_cannot_be_placed_is_refused(groups, mapped):
    rows, _ = groups
    with pytest.raises(InvalidInputError, match="9 dimensions; expected 10"):
        place(rows[:, :9], rows, mapped)
    with pytest.raises(InvalidInputError, match="179 vectors, and 180 points on the map"):
        place(rows, rows[:179], mapped)
    with pytest.raises(InvalidInputError, match="9 dimensions; the map was made of 10"):
        place(rows[:, :9], rows[:, :9], project(rows, "pca"))


# --- UMAP ---


def test_without_umap_the_error_says_what_to_install(groups, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(InvalidInputError, match=r"pip install .*\[umap\]'"):
        project(groups[0], "umap")


@pytest.mark.parametrize("n", [1, 2, 3, 5, 180])
def test_umap_makes_the_same_map_twice(groups, n):
    pytest.importorskip("umap", reason="umap-learn is not installed", exc_type=ImportError)
    rows = groups[0][:n]
    first, second = project(rows, "umap"), project(rows, "umap")
    assert first.points.shape == (n, 2) and np.isfinite(first.points).all()
    assert (first.points == second.points).all()
    assert (place(rows, rows, first) == first.points).all()
