"""A build that is stopped leaves an empty index, which can be built again."""

import numpy as np
import pytest

from index_kinds import BUILT, USABLE
from lookalike import CancelledError, CancelToken, InvalidInputError


def rows(n=5_000, d=32) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)


@pytest.mark.parametrize("kind", [kind for kind in USABLE if kind != "exact"])
def test_a_build_that_is_stopped_at_any_report_leaves_an_empty_index(kind):
    told = []
    expected = BUILT[kind]("euclidean").build(rows(), report=told.append).search(rows()[:9], 5)
    assert {progress.phase for progress in told} == {"building", "tuning"}
    for n in sorted({1, len(told) // 2, len(told)} - {0}):
        token, seen = CancelToken(), []

        def tell(progress, n=n, token=token, seen=seen):
            seen.append(progress)
            if len(seen) == n:
                token.cancel()

        index = BUILT[kind]("euclidean")
        with pytest.raises(CancelledError):
            index.build(rows(), report=tell, cancel=token)
        assert len(index) == 0
        with pytest.raises(InvalidInputError):
            index.search(rows()[0])
        found = index.build(rows()).search(rows()[:9], 5)
        assert (found.ids == expected.ids).all()
