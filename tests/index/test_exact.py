"""The index that defines which answer is right."""

import os

import numpy as np
import pytest

from lookalike.errors import IndexFileError, ResourceError
from lookalike.index import Exact, exact


def vectors_of(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_size_of_the_blocks_does_not_change_a_bit(metric, monkeypatch):
    vectors, queries = vectors_of(100, 7), vectors_of(20, 7, seed=1)
    index = Exact(metric).build(vectors)
    whole = (
        index.search(queries, k=30),
        index.radius(queries, 0.8),
        index.search(queries, 5, allowed=range(50)),
    )
    monkeypatch.setattr(exact, "_BLOCK_QUERIES", 3)
    monkeypatch.setattr(exact, "_BLOCK_ROWS", 11)
    monkeypatch.setattr(exact, "_BLOCK_DOUBLES", 2)
    index = Exact(metric).build(vectors)
    blocks = (
        index.search(queries, k=30),
        index.radius(queries, 0.8),
        index.search(queries, 5, allowed=range(50)),
    )
    for one, other in zip(whole, blocks, strict=True):
        assert one.ids.tobytes() == other.ids.tobytes()
        assert one.distances.tobytes() == other.distances.tobytes()


def test_cosine_distances_far_below_rounding_are_told_apart():
    """1 - cosine, written so, is 0 or 1.1e-16 for all of these."""
    vectors = np.ones((4, 8), np.float32)
    vectors[:3, 0] += np.array([3, 1, 2]) * np.finfo(np.float32).eps
    found = Exact("cosine").build(vectors).search(np.ones(8), k=4)
    assert found.ids.tolist() == [[3, 1, 2, 0]]
    assert found.distances[0, 0] == 0
    # By hand: (|x - q|² - its part along q) / 2 |q|², the step being one of 8 equal components.
    steps = np.array([0, 1, 2, 3]) * 2.0**-23
    np.testing.assert_allclose(found.distances[0], steps**2 * (1 / 8 - 1 / 64) / 2, rtol=1e-5)


def test_vector_and_its_double_are_at_cosine_distance_zero():
    vectors = vectors_of(50, 1280)
    found = Exact("cosine").build(vectors * 4).search(vectors, k=1)
    assert found.ids[:, 0].tolist() == list(range(50))
    assert not found.distances.any()


def test_distance_that_float32_cannot_hold_is_infinite():
    index = Exact("euclidean").build([[3e38, 0], [-3e38, 0], [0, 0]])
    found = index.search([3e38, 0], k=3)
    assert found.ids.tolist() == [[0, 2, 1]]
    assert found.distances.tolist() == [[0, np.float32(3e38), np.inf]]


def test_vectors_are_kept_as_they_came():
    vectors = vectors_of(9, 4) * 7
    assert (Exact("cosine").build(vectors).vectors == vectors).all()
    assert np.shares_memory(Exact("cosine").build(vectors).vectors, vectors)


def test_loaded_vectors_are_mapped_not_read(tmp_path):
    Exact("cosine").build(vectors_of(100, 8)).save(tmp_path / "index")
    loaded = Exact.load(tmp_path / "index")
    assert isinstance(loaded.vectors, np.memmap)
    assert isinstance(loaded.ids, np.memmap)
    assert not loaded.vectors.flags.writeable
    loaded.search(vectors_of(3, 8), k=5)
    assert isinstance(loaded.vectors, np.memmap)


def test_files_that_do_not_belong_together_are_not_loaded(tmp_path):
    folder = tmp_path / "index"
    Exact("euclidean").build(vectors_of(50, 4)).save(folder)
    Exact("euclidean").build(vectors_of(49, 4)).save(tmp_path / "fewer")
    Exact("euclidean").build(vectors_of(50, 5)).save(tmp_path / "wider")
    whole = {file.name: file.read_bytes() for file in folder.iterdir()}
    swaps = [
        ("rows.npy", tmp_path / "fewer" / "rows.npy"),
        ("rows.npy", tmp_path / "wider" / "rows.npy"),
        ("ids.npy", tmp_path / "fewer" / "ids.npy"),
        ("lengths.npy", tmp_path / "fewer" / "lengths.npy"),
        ("index.json", tmp_path / "fewer" / "index.json"),
        ("ids.npy", folder / "lengths.npy"),
        ("lengths.npy", folder / "ids.npy"),
        ("rows.npy", folder / "ids.npy"),
        ("rows.npy", folder / "index.json"),
    ]
    for name, other in swaps:
        (folder / name).write_bytes(other.read_bytes())
        with pytest.raises(IndexFileError, match=r"cannot be read.*build it again"):
            Exact.load(folder)
        (folder / name).write_bytes(whole[name])
    assert len(Exact.load(folder)) == 50


def test_arrays_of_objects_are_never_unpickled(tmp_path):
    Exact("euclidean").build(vectors_of(5, 2)).save(tmp_path / "index")
    np.save(tmp_path / "index" / "ids.npy", np.array([{}] * 5), allow_pickle=True)
    with pytest.raises(IndexFileError):
        Exact.load(tmp_path / "index")


def test_archive_in_place_of_an_array_is_not_loaded(tmp_path):
    Exact("euclidean").build(vectors_of(5, 2)).save(tmp_path / "index")
    with (tmp_path / "index" / "rows.npy").open("wb") as stream:
        np.savez(stream, rows=vectors_of(5, 2))
    with pytest.raises(IndexFileError):
        Exact.load(tmp_path / "index")


def test_save_that_fails_leaves_the_old_index_and_nothing_else(tmp_path, monkeypatch):
    Exact("euclidean").build(vectors_of(5, 2)).save(tmp_path / "index")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exact.np, "save", full)
    with pytest.raises(ResourceError, match=r"cannot be written to .*No space left"):
        Exact("euclidean").build(vectors_of(6, 2)).save(tmp_path / "index")
    assert os.listdir(tmp_path) == ["index"]
    assert len(Exact.load(tmp_path / "index")) == 5


def test_saving_into_a_folder_of_something_else_leaves_it_alone(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/dear.txt").write_text("you")
    with pytest.raises(IndexFileError, match="no index or empty folder; it is left as it is"):
        Exact().build(np.eye(3)).save(tmp_path / "letters")
    assert (tmp_path / "letters/dear.txt").read_text() == "you"
