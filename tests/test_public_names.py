"""What may be imported is there, described, and listed once; nothing heavy comes along unasked."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lookalike

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PLACES = [
    "bench",
    "cluster",
    "datasets",
    "drawing",
    "duplicates",
    "evaluate",
    "index",
    "pca",
    "plots",
    "projection",
    "train",
]
PACKAGES = ["lookalike"] + [
    f"lookalike.{module.name}" for module in pkgutil.iter_modules(lookalike.__path__) if module.ispkg
]
LIBRARIES = {"lance", "matplotlib", "onnx", "onnxruntime", "pyarrow", "scipy", "sklearn"}
OLD = {
    "lookalike.Looks": "lookalike.Appearance",
    "lookalike.facts.Facts": "lookalike.Facts",
    "lookalike.filters.Filter": "lookalike.Filter",
    "lookalike.images.metadata.Metadata": "lookalike.Metadata",
    "lookalike.looks.Color": "lookalike.Color",
    "lookalike.looks.Looks": "lookalike.Appearance",
    "lookalike.reduce.PCA": "lookalike.PCA",
}
# What annotations of public methods may name beside what is public: Python's own and others'.
FOREIGN = {
    *(
        "Any",
        "BinaryIO",
        "ArrayLike",
        "BinaryIO",
        "Axes",
        "Callable",
        "Figure",
        "Image",
        "Iterable",
        "Iterator",
        "Literal",
        "Mapping",
        "None",
    ),
    *("Path", "PathLike", "Self", "Sequence", "NDArray", "ClassVar", "Exportable", "Listed", "StringArray"),
}


def loaded_by(code):
    """Return the top-level modules that a fresh interpreter holds after running some code."""
    report = f"{code}\nimport sys; print('\\n'.join({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def get(path):
    """Return what a dotted path leads to."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def public_paths():
    """Return the dotted paths of all public names."""
    paths = [f"lookalike.{name}" for name in lookalike.__all__]
    for place in PLACES:
        paths += [
            f"lookalike.{place}.{name}" for name in importlib.import_module(f"lookalike.{place}").__all__
        ]
    return paths


@pytest.mark.parametrize("name", [*PACKAGES, *(f"lookalike.{place}" for place in PLACES)])
def test_public_names_are_there_and_once(name):
    package = importlib.import_module(name)
    public = getattr(package, "__all__", [])
    for each in public:
        assert getattr(package, each) is not None
    assert len(set(public)) == len(public)


@pytest.mark.parametrize("path", public_paths())
def test_what_is_public_is_described(path):
    found = get(path)
    if inspect.isclass(found) or inspect.isroutine(found):
        assert inspect.getdoc(found)
        assert not found.__name__.startswith("_")


def test_dir_lists_what_is_public_and_what_is_pythons():
    listed = dir(lookalike)
    assert [name for name in listed if not name.startswith("__")] == sorted([*lookalike.__all__, *PLACES])
    assert {"__version__", "__doc__", "__name__", "__all__"} <= set(listed)


def test_public_modules_are_there_without_an_import_of_their_own():
    uses = "; ".join(f"lookalike.{place}.__all__" for place in PLACES)
    loaded = loaded_by(f"import lookalike; dir(lookalike); {uses}")
    assert "lookalike" in loaded
    assert not loaded_by("import lookalike; dir(lookalike)") & {"numpy", *LIBRARIES}


def test_first_names_are_those_that_a_newcomer_needs():
    assert {"Collection", "Filter", "Hit", "LookalikeError", "Neighbors"} <= set(lookalike.__all__)
    assert lookalike.__version__


def test_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'lookalike' has no attribute 'Nonsense'"):
        _ = lookalike.Nonsense
    assert not hasattr(lookalike, "Nonsense")


def test_those_that_read_the_code_see_the_same_table():
    """Type checkers and editors take the imports, which never run, for what is public."""
    tree = ast.parse(inspect.getsource(lookalike))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        each.asname: f"{line.module.removeprefix('lookalike.')}" for line in block.body for each in line.names
    }
    assert seen == dict(lookalike._HOMES)


def test_what_public_methods_take_and_return_is_public():
    public = {path.rpartition(".")[2] for path in public_paths()}
    unknown = set()
    for path in lookalike.__all__:
        found = getattr(lookalike, path)
        if not inspect.isclass(found):
            continue
        for name, method in vars(found).items():
            function = getattr(method, "__func__", getattr(method, "fget", method))
            if name.startswith("_") or not inspect.isfunction(function):
                continue
            for hint in function.__annotations__.values():
                words = set(re.findall(r"\b[A-Z]\w+", re.sub(r"Literal\[[^]]*\]|'[^']*'", "", str(hint))))
                unknown |= {f"{path}.{name}: {word}" for word in words - public - FOREIGN}
    assert unknown == set()


@pytest.mark.parametrize(("old", "new"), OLD.items())
def test_old_name_works_and_says_what_it_is_called_now(old, new):
    with pytest.warns(DeprecationWarning, match=rf"^{re.escape(old)} is (called )?{re.escape(new)} now$"):
        found = get(old)
    assert found is get(new)


@pytest.mark.parametrize("old", ["facts", "filters", "looks", "reduce"])
def test_old_module_is_imported_like_any_other_and_has_no_other_names(old):
    code = f"import lookalike.{old}; lookalike.{old}.__name__; from lookalike import {old}"
    assert "lookalike" in loaded_by(code)
    with pytest.raises(AttributeError, match="Nonsense"):
        _ = importlib.import_module(f"lookalike.{old}").Nonsense


def test_old_name_of_the_appearance_of_a_collection_works():
    info = lookalike.Info(Path(), (), (), 0, 0, {}, "lite0", {}, {}, (), 0)
    with pytest.warns(DeprecationWarning, match=r"Info.looks is called Info.appearance now"):
        assert info.looks is None


def test_documentation_names_only_what_is_public():
    public = {*public_paths(), "lookalike.errors", "lookalike.drawing"}
    places = {f"lookalike.{place}" for place in PLACES}
    for file in DOCS:
        text = file.read_text(encoding="utf-8")
        assert set(re.findall(r"^::: (\S+)$", text, re.MULTILINE)) <= public, file.name
        for place, names in re.findall(r"^from (lookalike\S*) import ([\w, ]+)", text, re.MULTILINE):
            for name in re.findall(r"\w+", names):
                assert f"{place}.{name}" in public or f"{place}.{name}" in places, (file.name, name)


def test_documentation_of_python_lists_all_that_is_public_in_the_first_place_and_all_places():
    text = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    for place in PLACES:
        assert f"`lookalike.{place}`" in text
    described = set(re.findall(r"^::: lookalike\.(\w+)$", text, re.MULTILINE))
    described |= set(re.findall(r"^::: lookalike\.\w+\.(\w+)$", text, re.MULTILINE))
    values = {"Ids", "ImageId", "Labeling", "Metric", "PixelArray", "ProgressReport", "Query", "Vectors"}
    values |= {"AnyAddition", "Wait", "Exportable", "FieldKind", "FieldsByFile", "FieldValue"}
    errors = {name for name in lookalike.__all__ if name.endswith(("Error", "Warning"))}
    assert set(lookalike.__all__) - errors - values <= described


def test_importing_lookalike_imports_nothing_heavy():
    assert not loaded_by("import lookalike") & (LIBRARIES | {"numpy", "PIL", "httpx", "typer", "rich"})


def test_help_imports_nothing_heavy():
    code = (
        "from lookalike.cli import main\ntry: main(['--help'])\nexcept SystemExit as end: assert not end.code"
    )
    assert not loaded_by(code) & LIBRARIES


def test_help_of_a_command_does_without_numpy():
    code = "from lookalike.cli import main\ntry: main(['index', '--help'])\nexcept SystemExit: pass"
    assert not loaded_by(code) & (LIBRARIES | {"numpy"})


def test_collection_module_imports_no_library_before_it_is_used():
    assert not loaded_by("from lookalike import Collection; Collection.open") & LIBRARIES
