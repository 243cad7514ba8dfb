"""The matrix library's threads do not wait for one another in what has thousands of steps."""

import re
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import lookalike
from lookalike.system import blas_threads
from lookalike.system.blas_threads import eigh, one_blas_thread, qr


def n_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2, "blas"):
        if n_threads() != {2}:
            pytest.skip("the matrix library has one thread here")
        yield


def test_one_thread_within_and_as_many_as_before_afterwards():
    with one_blas_thread():
        assert n_threads() == {1}
        with one_blas_thread():
            assert n_threads() == {1}
        assert n_threads() == {1}
    assert n_threads() == {2}


def test_two_callers_that_overlap_leave_as_many_threads_as_there_were():
    is_inside, may_leave = Event(), Event()

    def stay():
        with one_blas_thread():
            is_inside.set()
            may_leave.wait(10)

    other = Thread(target=stay)
    with one_blas_thread():
        other.start()
        is_inside.wait(10)
        assert n_threads() == {1}
    may_leave.set()
    other.join()
    assert n_threads() == {2}
    with one_blas_thread():
        assert n_threads() == {1}
    assert n_threads() == {2}


@pytest.mark.parametrize(("factorize", "name"), [(qr, "qr"), (eigh, "eigh")])
def test_a_factorization_uses_one_thread_unless_it_is_large(factorize, name, monkeypatch):
    rows = np.random.default_rng(0).normal(size=(6, 6))
    used, plain = [], getattr(np.linalg, name)
    monkeypatch.setattr(np.linalg, name, lambda matrix: (used.append(n_threads()), plain(matrix))[1])
    factorize(rows @ rows.T)
    monkeypatch.setattr(blas_threads, "_FEW", 6)
    factorize(rows @ rows.T)
    assert used == [{1}, {2}]


def test_nobody_factorizes_or_limits_threads_past_this_module():
    package = Path(lookalike.__file__).parent
    past = re.compile(r"linalg\.(qr|eigh|svd|lstsq|pinv|cholesky)\(|threadpool_limits\(1, \"blas\"\)")
    found = [
        file.relative_to(package).as_posix()
        for file in package.rglob("*.py")
        if past.search(file.read_text(encoding="utf-8"))
    ]
    assert found == ["system/blas_threads.py"]
