"""The house rules that a reader of CONTRIBUTING relies on, held for every file."""

import ast
import importlib
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
SOURCE = TESTS.parent / "src/lookalike"
CONTRIBUTING = (TESTS.parent / "CONTRIBUTING.md").read_text()

MAX_PARAMETERS = 7
MAX_LINES = 500  # beside docstrings: a public class tells its users what it does
CALLED_BY_KEYWORD = frozenset({"compare_indexes"})
"""Public functions that are called as methods are: all but the first two arguments by their names."""
SAY_NOTHING = frozenset({"utils", "util", "helpers", "helper", "common", "misc", "tools", "stuff"})

MODULES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))
FOLDERS = sorted({Path(module).parent.as_posix() for module in MODULES} - {"."})


def is_kernel(module: str) -> bool:
    """Whether a file calls kernels in C++, which take arrays one by one."""
    return Path(module).stem.endswith("kernels")


def functions(
    node: ast.AST, owner: ast.ClassDef | None = None
) -> Iterator[tuple[str, ast.FunctionDef, bool]]:
    """Give each function below a node: its name, itself, and whether it is a method that a user may call."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            is_public = (
                owner is not None and not owner.name.startswith("_") and not child.name.startswith("_")
            )
            yield f"{owner.name}.{child.name}" if owner else child.name, child, is_public
            yield from functions(child)
        else:
            yield from functions(child, child if isinstance(child, ast.ClassDef) else owner)


def parameters(function: ast.FunctionDef) -> tuple[list[str], list[str]]:
    """Give those that may be given by their place, self apart, and those that may only be named."""
    given = function.args
    by_place = [each.arg for each in (*given.posonlyargs, *given.args)]
    return [name for name in by_place if name not in ("self", "cls")], [each.arg for each in given.kwonlyargs]


def count_code(file: Path) -> int:
    """Count the lines of a file, without those of docstrings."""
    text = file.read_text()
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = [
        node.body[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, documented) and ast.get_docstring(node) is not None
    ]
    return text.count("\n") - sum((each.end_lineno or 0) - each.lineno + 1 for each in docstrings)


def test_what_travels_together_is_one_value_and_no_function_has_more_than_seven_parameters():
    # Commands are called by typer, kernels know no values, and what a user calls by keyword makes one value
    # of these at once; a `Watch` is made of report and cancel, which count as one.
    crowded = []
    for module in MODULES:
        if module.startswith("cli/") or is_kernel(module):
            continue
        for name, function, is_public_method in functions(ast.parse((SOURCE / module).read_text())):
            by_place, by_name = parameters(function)
            by_name = [each for each in by_name if each != "cancel" or "report" not in by_name]
            n_parameters = len(by_place) + len(by_name)
            is_public = is_public_method or name in CALLED_BY_KEYWORD
            is_called_by_keyword = is_public and len(by_place) <= 2
            if n_parameters > MAX_PARAMETERS and not is_called_by_keyword:
                crowded.append(f"{module}: {name} has {n_parameters}")
    assert crowded == []


def test_long_work_is_told_of_and_stopped_in_one_way():
    """A `report` is told of one `Progress`, a `cancel` stops it; within, both are a watch."""
    others = []
    for module in MODULES:
        for name, function, _ in functions(ast.parse((SOURCE / module).read_text())):
            given = function.args
            kinds = {
                each.arg: ast.unparse(each.annotation) if each.annotation else None
                for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)
            }
            expected = {
                "report": "ProgressReport | None",
                "cancel": "CancelToken | None",
                "watch": "Watch",
            }
            others += [
                f"{module}: {name} takes {each}: {kinds[each]}"
                for each, kind in expected.items()
                if each in kinds and kinds[each] != kind
            ]
            if ("report" in kinds) != ("cancel" in kinds):
                others.append(f"{module}: {name} takes one of report and cancel only")
    assert others == []


def test_a_module_says_what_it_is():
    assert [each for each in MODULES if not ast.get_docstring(ast.parse((SOURCE / each).read_text()))] == []


def test_a_module_holds_one_subject():
    long = {each: count_code(SOURCE / each) for each in MODULES if not is_kernel(each)}
    assert {each: count for each, count in long.items() if count > MAX_LINES} == {}


def test_names_of_files_say_what_is_in_them():
    beside = (path.relative_to(TESTS).as_posix() for path in TESTS.rglob("*.py"))
    parts = {part for path in (*MODULES, *beside) for part in Path(path).with_suffix("").parts}
    assert not parts & SAY_NOTHING


def test_a_folder_of_modules_is_a_package():
    assert [folder for folder in FOLDERS if not (SOURCE / folder / "__init__.py").is_file()] == []


def test_tests_lie_where_their_modules_lie():
    tested = {path.parent.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")} - {"."}
    assert tested <= set(FOLDERS)
    assert {folder for folder in FOLDERS if "/" not in folder} <= {folder.split("/")[0] for folder in tested}


def test_tests_take_nothing_from_other_tests():
    """What several need stands in a conftest, or in a module beside this one, named for what it gives."""
    borrowed = []
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            borrowed += [f"{path.name} takes from {name}" for name in names if name.startswith("test_")]
    assert borrowed == []


def test_the_map_names_every_module_in_the_order_of_the_import_contract():
    rows = [line.split("|")[1] for line in CONTRIBUTING.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`([a-z_]+)/?`", row)]
    contract = tomllib.loads((TESTS.parent / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    layers = [layer.split(" | ") for layer in contract[0]["layers"][::-1]]
    order = {name: number for number, layer in enumerate(layers) for name in layer}
    drawn = [order[name] for name in named if name in order]
    assert set(order) - set(named) == {"__main__"}
    assert drawn == sorted(drawn)


@pytest.mark.parametrize("folder", ["benchmarks", "examples", "faults", "scripts"])
def test_programs_beside_the_library_import_what_is_there(folder):
    """Nobody runs all of them after each change; a name that has moved is found here."""
    for path in sorted((TESTS.parent / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lookalike":
                for each in node.names:
                    exec(f"from {node.module} import {each.name}", {})
            elif isinstance(node, ast.Import):
                for each in node.names:
                    if each.name.split(".")[0] == "lookalike":
                        importlib.import_module(each.name)


def test_files_that_contributing_names_are_there():
    files = set(re.findall(r"`([\w/]+\.py)`", CONTRIBUTING))
    there = {
        path.as_posix()
        for folder in (SOURCE, TESTS, TESTS.parent / "scripts", TESTS.parent / "faults")
        for path in folder.rglob("*.py")
    }
    assert [file for file in files if not any(path.endswith("/" + file) for path in there)] == []


def test_no_two_test_files_have_one_name():
    """Two of one name in folders without packages stop the collecting of one of them."""
    names = Counter(path.name for path in Path(__file__).parent.rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
