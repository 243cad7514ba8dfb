"""What is imported once it is asked for."""

import pytest

import lookalike.cluster
from lookalike.projection.methods import method_names
from lookalike.system.on_demand import load, public_names


def test_row_loads_what_it_names():
    assert load("os.path:join") is __import__("os").path.join


def test_package_gives_its_public_names_and_no_others():
    get, list_names = public_names("lookalike.system", {"usable_cores": "cores"})
    assert get("usable_cores")() >= 1
    with pytest.raises(AttributeError, match=r"module 'lookalike\.system' has no attribute 'nonsense'"):
        get("nonsense")
    assert "usable_cores" in list_names()
    assert "KMeans" in dir(lookalike.cluster)


def test_former_names_warn_of_what_they_are_now():
    former = {"Old": "builtins:str", "NAMES": "lookalike.projection.methods:method_names()"}
    get, _ = public_names("lookalike.system", {}, former)
    with pytest.warns(DeprecationWarning, match=r"lookalike\.system\.Old is builtins\.str now"):
        assert get("Old") is str
    with pytest.warns(DeprecationWarning, match=r"is lookalike\.projection\.methods\.method_names\(\) now"):
        assert get("NAMES") == method_names()
