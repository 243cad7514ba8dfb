"""What public calls are given is looked at by its annotations."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import InvalidInputError
from lookalike.system.checked_calls import check_path, checked, checked_fields, shown


@checked
def call(
    n: int = 1,
    share: float | None = 0.5,
    on: bool = False,
    name: str = "a",
    file: Path | None = None,
    at: str | os.PathLike[str] = "",
    many: Sequence[str] = (),
    pairs: Sequence[tuple[int | str, str]] = (),
    all_: Iterable[int] = (),
    by: Mapping[str, int] | None = None,
):
    """Return what came."""
    return n, share, on, name, file, at, many, pairs, all_, by


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", True), ("n", 2.0), ("n", "1"), ("n", None), ("n", 2**63), ("n", np.array(1)),
        ("share", True), ("share", float("nan")), ("share", 10**400), ("share", "0.5"), ("share", 1j),
        ("on", 1), ("on", None), ("on", np.array([True, False])),
        ("name", b"a"), ("name", None), ("name", 3),
        ("file", 3), ("file", "a\0b"), ("file", "a\ud800"),
        ("at", 3), ("at", "a\0b"),
        ("many", "abc"), ("many", iter([1])), ("many", {"a": 1}), ("many", [1]), ("many", np.array(1)),
        ("pairs", [1]), ("pairs", [(1, 2)]), ("pairs", ["ab", "c"]), ("pairs", [(1, "a", "b")]),
        ("all_", 3), ("all_", ["a"]), ("all_", "abc"),
        ("by", [1]), ("by", "a"),
    ],
)  # fmt: skip
def test_what_is_of_another_type_is_refused_by_name(name, value):
    with pytest.raises(InvalidInputError, match=rf"^{name} is .*; expected ") as caught:
        call(**{name: value})
    assert caught.value.field == name
    assert len(str(caught.value)) < 250


def test_what_is_of_the_type_comes_as_it_is_or_as_pythons_own():
    assert call() == (1, 0.5, False, "a", None, "", (), (), (), None)
    n, share, on, *_ = call(np.uint8(200), np.float32(0.25), np.True_)
    assert (type(n), n, share, on) == (int, 200, 0.25, True)
    assert [type(call(share=each)[1]) for each in (np.float32(1), np.int8(1), 1)] == [float, int, int]
    assert call(1, None)[1] is None
    assert call(file="x.png")[4] == Path("x.png")
    assert call(at=Path("x"))[5] == Path("x")
    assert list(call(all_=iter([1, 2]))[8]) == [1, 2]
    for many in (iter("ab"), (each for each in "ab"), {"a": 1, "b": 2}.keys()):
        assert call(many=many)[6] == ["a", "b"]
    assert call(many={"a"})[6] == ["a"]


def test_a_model_is_told_by_what_names_one():
    @checked
    def ask(model: str | None = None, additions: Iterable[object] = ()) -> None:
        """Take them."""

    with pytest.raises(InvalidInputError, match="model is 5; expected its name, or the path of an ONNX file"):
        ask(5)
    with pytest.raises(InvalidInputError, match=r"additions is 5; expected a list of \(content, key\)"):
        ask(additions=5)
    with pytest.raises(InvalidInputError, match=r"many is 5; expected a list of texts$"):
        call(many=5)


def test_numbers_that_are_given_by_place_are_looked_at_too():
    with pytest.raises(InvalidInputError, match="share is"):
        call(1, "half")
    with pytest.raises(TypeError, match="unexpected keyword"):
        call(other=1)


def test_methods_of_a_class_are_checked_and_keep_what_they_say():
    @checked
    class Thing:
        """A thing."""

        def take(self, n: int) -> int:
            """Return n."""
            return n

        @classmethod
        def make(cls, n: int) -> Thing:
            """Make one."""
            return cls()

        @staticmethod
        def say(word: str) -> str:
            """Return it."""
            return word

        def _own(self, n: int) -> int:
            return n

    thing = Thing()
    assert (thing.take(2), Thing.say("a"), thing._own("x")) == (2, "a", "x")
    assert isinstance(Thing.make(1), Thing)
    assert Thing.take.__doc__ == "Return n."
    for wrong in (lambda: thing.take("2"), lambda: Thing.make(None), lambda: Thing.say(3)):
        with pytest.raises(InvalidInputError):
            wrong()


def test_fields_of_a_dataclass_are_checked():
    @checked_fields
    @dataclass(frozen=True, slots=True)
    class Point:
        x: float
        name: str = ""

    assert Point(1.0).x == 1.0
    with pytest.raises(InvalidInputError, match="name is 3"):
        Point(1.0, 3)


def test_whole_numbers_in_arrays_are_taken_in_any_form():
    from lookalike.collection.coding import CodedLists

    lists = CodedLists(("a",), np.array([0, 2], np.int32), np.array([0, 0], np.uint8), 3)
    assert lists.at([0, 2]).tolist() == lists.at(np.array([0, 2])).tolist() == [0, 1]
    with pytest.raises(InvalidInputError, match="whole numbers"):
        lists.at(np.array([0.5]))


@pytest.mark.parametrize("value", ["a" * 500, list(range(1_000)), np.zeros((50, 50))])
def test_what_is_shown_is_short(value):
    assert 0 < len(shown(value)) <= 81


def test_number_of_more_digits_than_python_writes_is_refused_too():
    with pytest.raises(InvalidInputError, match="n is an int; expected a whole number"):
        call(n=10**5000)


def test_what_the_system_refuses_leaves_a_call_with_a_note_of_what_helps():
    @checked
    def full(n: int) -> None:
        if n:
            full(n - 1)
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space") as caught:
        full(1)
    assert caught.value.__notes__ == ["make room there, then do it again; what was done before is kept"]

    @checked
    def gone(n: int) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file")

    with pytest.raises(FileNotFoundError) as missing:
        gone(1)
    assert not hasattr(missing.value, "__notes__")


def test_path_that_cannot_be_spelled_is_refused():
    assert check_path("file", "a/b") == "a/b"
    assert check_path("file", Path("a")) == "a"
    for wrong in ("a\0", "\ud800", b"a", None):
        with pytest.raises(InvalidInputError, match="file is"):
            check_path("file", wrong)
