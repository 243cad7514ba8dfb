"""The kinds of index that tests build of vectors, and the libraries that they need."""

import importlib.util

import pytest

from lookalike.index.kinds import KINDS, load_index

LIBRARIES = {"annoy": "annoy", "hnsw": "hnswlib"}
"""Of other libraries' indexes, by kind, the module that has to be there."""

BUILT = {row.name: load_index(row.name) for row in KINDS if not row.is_of_store}
USABLE = [kind for kind in BUILT if importlib.util.find_spec(LIBRARIES.get(kind, "numpy"))]

each_usable_kind = pytest.mark.parametrize("kind", USABLE)
