"""What may be imported is there, and nothing heavy comes along unasked."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import lookalike

PACKAGES = ["lookalike"] + [
    f"lookalike.{module.name}" for module in pkgutil.iter_modules(lookalike.__path__) if module.ispkg
]
LIBRARIES = {"lance", "matplotlib", "onnx", "onnxruntime", "pyarrow", "scipy", "sklearn"}


def loaded_by(code):
    """Return the top-level modules that a fresh interpreter holds after running some code."""
    report = f"{code}\nimport sys; print('\\n'.join({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("name", PACKAGES)
def test_public_names_are_there_and_once(name):
    package = importlib.import_module(name)
    public = getattr(package, "__all__", [])
    for each in public:
        assert getattr(package, each) is not None
    assert len(set(public)) == len(public)


def test_first_names_are_those_that_a_newcomer_needs():
    assert {"Collection", "Hit", "LookalikeError", "Neighbors"} <= set(lookalike.__all__)
    assert lookalike.__version__


def test_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'lookalike' has no attribute 'Nonsense'"):
        _ = lookalike.Nonsense
    assert not hasattr(lookalike, "Nonsense")


def test_names_behind_the_first_use_are_all_public():
    assert set(lookalike._HOMES) == set(lookalike.__all__)


def test_importing_lookalike_imports_nothing_heavy():
    assert not loaded_by("import lookalike") & (LIBRARIES | {"numpy", "PIL", "httpx", "typer", "rich"})


def test_help_imports_nothing_heavy():
    code = (
        "from lookalike.cli import main\ntry: main(['--help'])\nexcept SystemExit as end: assert not end.code"
    )
    assert not loaded_by(code) & LIBRARIES


def test_collection_module_imports_no_library_before_it_is_used():
    assert not loaded_by("from lookalike import Collection; Collection.open") & LIBRARIES
