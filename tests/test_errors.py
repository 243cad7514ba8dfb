"""Errors say what would mend them by their class; the hint stands apart, and each door has words for it."""

import ast
import copy
import errno
import inspect
import os
import pickle
import re
import subprocess
import sys
import traceback
from pathlib import Path
from string import Formatter

import pytest

import lookalike
from lookalike import Collection, errors
from lookalike.cli import commands
from lookalike.cli.hints import COMMANDS, advise
from lookalike.errors import LookalikeError
from lookalike.hints import PYTHON, Hint, Sentence, join

SOURCE = Path(lookalike.__file__).parent
CLASSES = [
    each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, LookalikeError)
]
REMEDIES = [each for each in CLASSES if "code" in vars(each) and each is not LookalikeError]
ORIGINS = [each for each in CLASSES if each.code == "failed" and each is not LookalikeError]
NATIVE = {
    errors.NotFoundError: FileNotFoundError,
    errors.MissingExtraError: ImportError,
    errors.InvalidInputError: ValueError,
    errors.InvalidTypeError: TypeError,
    errors.UnreachableError: ConnectionError,
    errors.TooLittleMemoryError: MemoryError,
}


def make(kind, **others):
    """Return an error of a class, with the sentence "it: broke"."""
    if issubclass(kind, errors.MissingExtraError):
        others = {"extra": "umap", **others}
    return (
        kind("it", "broke", **others) if issubclass(kind, errors.ImageError) else kind("it: broke", **others)
    )


def modules():
    """Yield every module of the library: its path, relative, and its tree."""
    for file in sorted(SOURCE.rglob("*.py")):
        yield file.relative_to(SOURCE), ast.parse(file.read_text(encoding="utf-8"))


def texts(tree):
    """Yield the strings of a module that are no docstrings, with their lines."""
    said = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.lineno, node.value


@pytest.mark.parametrize("kind", CLASSES)
def test_error_has_one_remedy_at_most_is_public_and_described(kind):
    assert sum(issubclass(kind, remedy) for remedy in REMEDIES) == (kind.code != "failed") or (
        kind is errors.IndexExtraError  # it was an InvalidInputError, and can still be caught as one
    )
    assert kind.__name__ in lookalike.__all__
    assert inspect.getdoc(kind)
    assert kind.__name__.endswith("Error")


def test_remedies_have_codes_and_statuses_of_their_own():
    assert {each.code: each.status for each in REMEDIES} == {
        "not_found": 404,
        "conflict": 409,
        "missing_extra": 501,
        "invalid_input": 422,
        "damaged": 500,
        "busy": 423,
        "cancelled": 499,
        "unreachable": 502,
        "resources": 507,
    }


def test_tree_at_the_top_of_the_file_names_every_class():
    text = errors.__doc__
    for origin, remedies in re.findall(r"(\w+)\{([^}]*)\}Error", text):
        text += "".join(f" {origin}{remedy.strip()}Error" for remedy in remedies.split(","))
    assert {kind.__name__ for kind in CLASSES} == set(re.findall(r"\b[A-Z]\w*Error\b", text)) - {
        each.__name__ for each in NATIVE.values()
    }


@pytest.mark.parametrize("kind", CLASSES)
def test_error_is_caught_by_origin_by_remedy_and_as_pythons_own(kind):
    for base in (each for each in CLASSES if issubclass(kind, each)):
        with pytest.raises(base):
            raise make(kind)
    for ours, native in NATIVE.items():
        assert issubclass(kind, native) == issubclass(kind, ours)


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize(
    "again", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy], ids=range(3)
)
def test_error_is_the_same_after_pickling_and_copying(kind, again):
    error = make(kind, hint=Hint("sync", then=" first"), field="k")
    error.add_note("seen on Monday")
    same = again(error)
    assert type(same) is kind
    assert str(same) == str(error) == "it: broke"
    assert (same.args, same.hint, same.field, same.__notes__) == (
        error.args,
        error.hint,
        "k",
        ["call collection.sync() first", "seen on Monday"],
    )
    for name in ("extra", "path", "reason", "is_permanent"):
        assert getattr(same, name, None) == getattr(error, name, None)
    if issubclass(kind, errors.ImageError):
        assert (same.path, same.reason, same.is_permanent) == ("it", "broke", True)


def test_subclass_of_a_users_own_is_pickled_too():
    assert str(pickle.loads(pickle.dumps(Own("mine")))) == "mine"


class Own(errors.ModelMemoryError):
    """An error that somebody else has derived."""


def test_sentence_and_hint_are_apart():
    error = errors.CollectionConflictError("it is empty", hint=Hint("sync", then=" first"), field="paths")
    assert str(error) == "it is empty"
    assert str(error.hint) == "call collection.sync() first"
    assert advise(error) == "it is empty; run `lookalike index` first"
    assert traceback.format_exception_only(error) == [
        "lookalike.errors.CollectionConflictError: it is empty\n",
        "call collection.sync() first\n",
    ]
    assert error.to_dict() == {
        "code": "conflict",
        "detail": "it is empty",
        "hint": "call collection.sync() first",
        "field": "paths",
    }
    assert error.to_dict(lambda hint: hint.told(COMMANDS))["hint"] == "run `lookalike index` first"


def test_error_without_a_hint_says_so():
    error = errors.StoreResourceError("the disk is full")
    assert error.to_dict() == {"code": "resources", "detail": "the disk is full", "hint": None, "field": None}
    assert advise(error) == "the disk is full"
    assert not hasattr(error, "__notes__")


def test_what_the_system_refuses_is_noted_with_what_helps_however_it_came_to_be_the_cause():
    room = "make room there, then do it again; what was done before is kept"
    error = errors.StoreResourceError("the disk is full", hint="look there")
    error.add_note("seen on Monday")
    assert error.__notes__ == ["look there", "seen on Monday"]
    with pytest.raises(errors.StoreResourceError) as caught:
        raise error from OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.__notes__ == [room, "seen on Monday"]
    for again in (copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))):
        assert again(error).__notes__ == [room, "seen on Monday"]
    shown = "".join(traceback.format_exception(error)).splitlines()[-2:]
    assert shown == [room, "seen on Monday"]
    assert error.amended(Sentence("more")).__notes__ == [room]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full device")
def test_a_full_disk_is_shown_with_what_helps_where_python_ends_with_it(tmp_path):
    program = (
        "import sys; from pathlib import Path; from lookalike.system.output import write_output\n"
        "write_output(Path('/dev/full'), b'more')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.splitlines()[-2:] == [
        "lookalike.errors.ResourceError: cannot write /dev/full: No space left on device",
        "make room there, then do it again; what was done before is kept",
    ]


def test_hint_that_is_the_same_at_each_door_may_be_a_text():
    error = errors.MissingExtraError("it needs umap", extra="umap", hint="Install it")
    assert (error.extra, str(error.hint)) == ("umap", "Install it")
    assert advise(error) == "it needs umap. Install it"


def test_amended_error_says_more_and_leaves_the_first_as_it_was():
    first = errors.QueryNotFoundError("there is none", hint="name another", field="labels")
    broken = Sentence("a clustering is damaged", Hint("make_clustering", name="owls"))
    more = first.amended(broken, before="labels: ", hint=Hint("sync", then=""))
    assert type(more) is errors.QueryNotFoundError
    assert str(more) == "labels: there is none; a clustering is damaged"
    assert advise(more).endswith(
        "; name another; make it with `lookalike cluster make --name 'owls'`; run `lookalike index`"
    )
    assert len(more.__notes__) == 1
    assert (str(first), advise(first), more.field) == (
        "there is none",
        "there is none; name another",
        "labels",
    )


def test_sentence_keeps_its_hint():
    told = errors.StoreDamagedError("it is damaged", hint=Hint("put_images_back")).told
    assert told == "it is damaged"
    assert advise(told).startswith("it is damaged. Put them back, or run again with --prune")
    assert pickle.loads(pickle.dumps(told)).hint == copy.copy(told).hint == told.hint
    assert advise("no hint") == "no hint"


def test_several_hints_are_told_as_one_in_their_order():
    assert join(None, None) is None
    assert join(None, "this") == Hint("as_told", words="this")
    assert str(join("this", None, Hint("sync", then=""), "that")) == "this; call collection.sync(); that"


def test_equal_hints_are_equal_and_hash_alike():
    first, second = Hint("sync", then=""), Hint("sync", then="")
    assert first == second != Hint("sync", then=" first")
    assert hash(first) == hash(second)
    assert repr(first) == "Hint('sync', then='')"


def test_kind_of_hint_that_is_not_known_is_refused_where_it_is_made():
    with pytest.raises(KeyError):
        Hint("nonsense")


def test_every_door_has_words_for_every_hint_with_facts_that_the_hint_has():
    assert set(COMMANDS) == set(PYTHON)

    def fields(words):
        return {name for _, name, _, _ in Formatter().parse(words) if name is not None}

    given = dict.fromkeys(PYTHON)
    for _, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Hint":
                kind = node.args[0]
                names = {each.arg for each in node.keywords}
                kinds = (
                    [kind.value]
                    if isinstance(kind, ast.Constant)
                    else [each for each in PYTHON if each.startswith(kind.values[0].value)]
                )
                for each in kinds:
                    given[each] = names if given[each] is None else given[each] & names
    assert {kind for kind, names in given.items() if names is None} == set()
    for kind, names in given.items():
        assert fields(PYTHON[kind]) <= names, kind
        assert fields(COMMANDS[kind]) <= names, kind


def test_words_for_python_name_no_command_and_words_for_the_command_line_no_call():
    for words in PYTHON.values():
        assert "`lookalike " not in words
        assert not re.search(r"(?<![\w-])--?[a-z]", words)
    for words in COMMANDS.values():
        assert not re.search(r"\b[cC]ollection\.\w", words)


@pytest.mark.parametrize("kind", [each for each in PYTHON if each not in ("as_told", "both", "either")])
def test_every_hint_can_be_told(kind):
    class Any:
        def __format__(self, form):
            return "…"

    names = {name for _, name, _, _ in Formatter().parse(COMMANDS[kind] + PYTHON[kind]) if name is not None}
    hint = Hint(kind, **{name.split("!")[0]: Any() for name in names})
    for table in (PYTHON, COMMANDS):
        words = hint.told(table)
        assert words
        assert not words.endswith((".", ";", " "))


def test_library_gives_no_advice_for_the_command_line_but_by_hints():
    """Only `cli` knows commands and options; the demo shows the commands that it stands for."""
    option = re.compile(r"(?<![\w-])--[a-z]|(?<![\w-])-[a-z]\b(?!\d)")
    found = [
        f"{path}:{line}: {text}"
        for path, tree in modules()
        if path.parts[0] not in ("cli", "demo")
        for line, text in texts(tree)
        if "`lookalike " in text or (option.search(text) and path.as_posix() not in OTHERS_COMMANDS)
    ]
    assert found == []


OTHERS_COMMANDS = {
    "collection/duplicates/lists.py": "sh",
    "datasets/apt.py": "apt-get, dpkg-deb",
    "duplicates/tree_tables.py": "none: numbers as text",
    "embed/loading.py": "pip",
    "embed/frozen.py": "pip",
    "store/manifest.py": "pip",
    "system/children.py": "python",
    "system/installing.py": "pip",
}


def test_nothing_is_raised_of_an_origin_alone():
    origins = {each.__name__ for each in (*ORIGINS, LookalikeError)}
    raised = [
        f"{path}:{node.lineno}: {name}"
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and (name := getattr(node.func, "id", "")) in origins
    ]
    assert raised == []


def test_collection_that_is_not_there_is_also_pythons_own(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"there is no collection in .*\nmake one with Collection.create"
    ):
        Collection.open(tmp_path)


def test_what_a_collection_is_asked_in_vain_says_what_would_mend_it(tmp_path):
    photos = Collection.create(tmp_path)
    asked = {
        "conflict": [
            lambda: Collection.create(tmp_path),
            lambda: photos.search(tmp_path / "x.png", color="red"),
        ],
        "not_found": [
            lambda: Collection.open(tmp_path / "nowhere", above=False),
            lambda: photos.sync(model="nonsense"),
            lambda: photos.add_dataset("nonsense"),
        ],
        "invalid_input": [lambda: photos.search(), lambda: photos.search(color="no colour")],
    }
    for code, calls in asked.items():
        for call in calls:
            with pytest.raises(LookalikeError) as caught:
                call()
            assert caught.value.code == code, caught.value


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: lookalike.FinetuneSettings(name="x", epochs=0), "epochs"),
        (lambda: lookalike.Filter(keywords=[" "]), "keywords"),
    ],
)
def test_argument_that_is_at_fault_is_named_for_programs(call, field):
    with pytest.raises(errors.InvalidInputError) as caught:
        call()
    assert caught.value.to_dict()["field"] == field


def test_what_hints_tell_python_to_call_is_there():
    services = {
        "clusterings": lookalike.Clusterings,
        "duplicates": lookalike.Duplicates,
        "maps": lookalike.Maps,
        "models": lookalike.Models,
    }
    for words in PYTHON.values():
        for first, second in re.findall(r"\b[cC]ollection\.(\w+)(?:\.(\w+))?\(", words):
            assert hasattr(services[first] if second else Collection, second or first), words


def test_what_hints_tell_the_command_line_to_run_is_a_command():
    for words in COMMANDS.values():
        for first, second in re.findall(r"`lookalike (\w+)(?: (\w+))?", words):
            command = commands.COMMANDS[first]
            if isinstance(command, commands.Group) and second:
                assert second in command.commands, words
