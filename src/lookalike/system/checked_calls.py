"""Arguments of public calls, checked by their annotations: what these say is so when the call begins.

``@checked`` on a public function, or on a class for all of its public methods, refuses what is no whole
number, no text, no path … by one sentence that names the argument, in one way for all of them. What only the
function can know, from where to where a number goes, which words there are, it checks itself. Vectors are
taken by `lookalike.as_numbers`, and pass here, as everything does whose type has no row below. Nor is it
known here how long the name of a file may be: who gives one that the system finds too long is told so.

What the system refuses, and nobody foresaw, leaves such a call with a note of what helps against it.

Annotations are read at the first call. A check costs a fraction of a microsecond.
"""

from __future__ import annotations

import ast
import errno
import functools
import inspect
import math
import os
import re
import sys
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, TypeVar

from lookalike.errors import InvalidInputError, note_way_out

_Called = TypeVar("_Called", bound=Callable[..., Any])
_Thing = TypeVar("_Thing")
_MOST = 2**63  # numbers of more bits are of nothing that can be counted here
_SHOWN = 80  # characters of what is refused
_NEVER = frozenset[type]()


class _UnfitError(Exception):
    """A value is not of the type."""


@dataclass(frozen=True, slots=True)
class _Type:
    """What an annotation takes.

    Attributes
    ----------
    words : str
        What the message calls it.
    take : callable
        Returns a value, as the function is to have it; raises _UnfitError for what is none.
    plain : frozenset of type
        Values of exactly these types need no look.
    """

    words: str
    take: Callable[[Any], Any]
    plain: frozenset[type] = _NEVER


def shown(value: object) -> str:
    """Return a value as messages show it, a long one cut.

    >>> shown("x" * 100)[-5:], shown(10**5000)
    ('xxxx…', 'an int')
    """
    try:
        text = repr(value)
    except Exception:  # of whatever was handed over; whole numbers of too many digits among it
        kind = type(value).__name__
        return f"an {kind}" if kind[:1].lower() in "aeiou" else f"a {kind}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def checked(called: _Called) -> _Called:
    """Return a function that looks at what it is given; of a class, itself, with such public methods."""
    if isinstance(called, type):
        for name, found in list(vars(called).items()):
            if not name.startswith("_"):
                kept = _of_member(found)
                if kept is not found:
                    setattr(called, name, kept)
        return called
    return _of_function(called)  # type: ignore[return-value]


def checked_fields(kind: type[_Thing]) -> type[_Thing]:
    """Return a dataclass that looks at what its fields are given."""
    setattr(kind, "__init__", _of_function(kind.__init__))  # noqa: B010 - mypy knows no other way
    return kind


def _of_member(found: Any) -> Any:
    if isinstance(found, classmethod | staticmethod):
        return type(found)(_of_function(found.__func__))
    return _of_function(found) if inspect.isfunction(found) else found


def _of_function(function: Callable[..., Any]) -> Callable[..., Any]:
    if hasattr(function, "__checks_arguments__"):
        return function
    names: list[str] = []
    types: dict[str, _Type] = {}

    @functools.wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        if not names:
            found = _read(function)
            types.update(found[1])
            names[:] = found[0]
        for name, value in named.items():
            kind = types.get(name)
            if kind is not None and type(value) not in kind.plain:
                named[name] = _take(kind, name, value)
        if len(given) > 1 or (given and names[0] != "self"):
            given = (
                tuple(
                    value
                    if (kind := types.get(name)) is None or type(value) in kind.plain
                    else _take(kind, name, value)
                    for name, value in zip(names, given, strict=False)
                )
                + given[len(names) :]
            )
        try:
            return function(*given, **named)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise InvalidInputError(f"the name of a file is too long: {shown(error.filename)}") from error
            note_way_out(error)
            raise

    call.__checks_arguments__ = True  # type: ignore[attr-defined]
    return call


def _take(kind: _Type, name: str, value: Any) -> Any:
    try:
        return kind.take(value)
    except _UnfitError as error:
        why = str(error)
        raise InvalidInputError(
            f"{name} is {shown(value)}; expected {kind.words}{f' ({why})' if why else ''}", field=name
        ) from None


def _read(function: Callable[..., Any]) -> tuple[list[str], dict[str, _Type]]:
    """Return the names of what can be given by place, and the types of all that is looked at."""
    names, types = ["self"], {}
    for at, (name, each) in enumerate(inspect.signature(function).parameters.items()):
        if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD):
            names.append(name) if at else names.__setitem__(0, name)
        text = str(each.annotation).strip("'\"")
        if name in _LEFT:
            continue
        if _IDS.fullmatch(text) and each.kind is not each.VAR_POSITIONAL:
            types[name] = _IDS_OR_NONE if text.endswith("None") else _IDS_TYPE
        elif _FLOATS.fullmatch(text):
            types[name] = _FLOATS_TYPE
        elif each.annotation is not each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            kind = _of_text(text, function)
            if kind is not None:
                types[name] = _named(name, kind)
    return names, types


def _named(name: str, kind: _Type) -> _Type:
    """Return a type by the words that say more of what goes by this name."""
    of, words = _SAID.get(name, (None, ""))
    return replace(kind, words=words) if of == kind.words else kind


def _of_text(annotation: str, function: Callable[..., Any]) -> _Type | None:
    try:
        return _of_node(ast.parse(annotation, mode="eval").body, function)
    except SyntaxError:
        return None


def _of_node(node: ast.expr, function: Callable[..., Any]) -> _Type | None:
    """Return what an annotation takes; None where it may be anything."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _of_text(node.value, function)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _either(_of_node(node.left, function), _of_node(node.right, function))
    name, inside = ast.unparse(node), []
    if isinstance(node, ast.Subscript):
        name = ast.unparse(node.value)
        inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    name = name.rpartition(".")[2]
    if name in _SIMPLE:
        return _SIMPLE[name]
    if name in ("Sequence", "Iterable", "list"):
        return _sequence(name == "Iterable", _of_node(inside[0], function) if inside else None)
    if name == "tuple":
        if len(inside) == 2 and ast.unparse(inside[1]) == "...":
            return _sequence(False, _of_node(inside[0], function))
        return _tuple([_of_node(each, function) for each in inside])
    return None if inside else _of_class(name, function)


def _of_class(name: str, function: Callable[..., Any]) -> _Type | None:
    """Return a type for a class of lookalike by its name, and for a name of some words."""
    found = getattr(sys.modules.get(function.__module__), name, None) or _public(name)
    if isinstance(found, type) and found.__module__.startswith("lookalike"):
        return _Type(
            f"a lookalike.{name}",
            lambda value: value if isinstance(value, found) else _unfit(),
            frozenset({found}),
        )
    if typing.get_origin(found) in (tuple, Literal, Callable):  # a name for a type, such as Size
        return _of_text(repr(found), function)
    return None


def _public(name: str) -> Any:
    package = sys.modules["lookalike"]
    return getattr(package, name, None) if name in getattr(package, "__all__", ()) else None


def _unfit(why: str = "") -> Any:
    raise _UnfitError(why)


def _either(one: _Type | None, other: _Type | None) -> _Type | None:
    if one is None or other is None:
        return None
    if _PATH_TEXT in (one, other):  # of which texts are some
        one, other = (None if each is _SIMPLE["str"] else each for each in (one, other))
        if one is None or other is None:
            return one or other

    def take(value: Any) -> Any:
        try:
            return one.take(value)
        except _UnfitError:
            return other.take(value)

    words = [each.words for each in (one, other) if each.words != "None"]
    return _Type(" or ".join(dict.fromkeys(words)), take, one.plain | other.plain)


def _none(value: Any) -> Any:
    return value if value is None else _unfit()


def _whole(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, Integral):
        _unfit()
    if not -_MOST <= value < _MOST:
        _unfit("that has too many digits")
    return value if type(value) is int else int(value)  # NumPy's small ones would overflow


def _real(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, Real):
        _unfit()
    try:
        is_nan = math.isnan(value)
    except (OverflowError, TypeError, ValueError):
        _unfit()
    if is_nan:
        _unfit()
    if type(value).__module__ == "numpy":  # its small ones would overflow, beside a large one too
        return int(value) if isinstance(value, Integral) else float(value)
    return value


def _maybe_nan(value: Any) -> Any:
    if isinstance(value, Real) and value != value:
        return value
    return _real(value)


def _switch(value: Any) -> Any:
    import numpy as np  # here and below: settings are made without it

    return bool(value) if isinstance(value, bool | np.bool_) else _unfit()


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else _unfit()


def _path_like(value: Any) -> Any:
    if not isinstance(value, os.PathLike | str):
        _unfit()
    path = os.fspath(value)
    if not isinstance(path, str):
        _unfit("it is of bytes")
    try:
        return _unfit("no path has a zero byte") if b"\0" in os.fsencode(path) else value
    except UnicodeEncodeError:
        return _unfit("no path is spelled so")


def check_path(name: str, value: object) -> str:
    """Return a path, or a text that may be one, as a text that the system takes.

    Raises
    ------
    InvalidInputError
        If it is none, has a zero byte, or cannot be spelled in the names of files.
    """
    path: str = os.fspath(_take(_PATH_TEXT, name, value))
    return path


def _path(value: Any) -> Any:
    if isinstance(value, str):
        return _path_like(Path(value))
    return Path(_path_like(value))


def _ids(value: Any) -> Any:
    import numpy as np

    from lookalike.as_numbers import as_whole_numbers

    if type(value) is not np.ndarray or value.dtype.kind not in "iu":
        value = as_whole_numbers(value, "ids or row numbers")
    return value if value.ndim == 1 else _unfit(f"of shape {value.shape}")


def _floats(value: Any) -> Any:
    from lookalike.as_numbers import as_finite

    found = as_finite(value, "values")
    return found if found.ndim else _unfit("of no axis")


def _mapping(value: Any) -> Any:
    return value if isinstance(value, Mapping) else _unfit()


def _callable(value: Any) -> Any:
    return value if callable(value) else _unfit()


def _sequence(is_any: bool, inside: _Type | None) -> _Type:
    if inside is _SIMPLE["float"]:
        inside = _Type("numbers", _maybe_nan)  # NaN stands for what is not known of one of them

    def take(value: Any) -> Any:
        if isinstance(value, str | bytes | bytearray | memoryview):
            _unfit()
        import numpy as np

        if isinstance(value, np.ndarray):
            if not value.ndim:
                _unfit()
        elif is_any:
            if not isinstance(value, Iterable):
                _unfit()
            if not isinstance(value, Collection):  # it is gone through once, by the function
                return value if inside is None else _taken_from(value, inside)
        elif not isinstance(value, Sequence):
            if isinstance(value, Mapping) or not isinstance(value, Iterable):
                _unfit()
            value = list(value)  # what can be gone through only once, and what has no order
        if inside is not None:
            for each in value:
                if type(each) not in inside.plain:
                    inside.take(each)
        return value

    return _Type("a list" if inside is None else f"a list of {_plural(inside.words)}", take)


def _taken_from(values: Iterable[Any], kind: _Type) -> Iterator[Any]:
    """Give what is in something that can be gone through only once, each looked at in its turn."""
    for each in values:
        try:
            yield each if type(each) in kind.plain else kind.take(each)
        except _UnfitError:
            raise InvalidInputError(
                f"one of what was given is {shown(each)}; expected {kind.words}"
            ) from None


def _plural(words: str) -> str:
    """Return the words for some of what the words are for.

    >>> _plural("a whole number or a path"), _plural("numbers"), _plural("(a text, a number)")
    ('whole numbers or paths', 'numbers', '(a text, a number)')
    """
    return re.sub(r"\ba ([\w. ]+?)(?= or |$)", r"\1s", words) if words.startswith("a ") else words


def _tuple(kinds: Sequence[_Type | None]) -> _Type:
    def take(value: Any) -> Any:
        if isinstance(value, str | bytes) or not isinstance(value, Sequence) or len(value) != len(kinds):
            _unfit()
        for kind, each in zip(kinds, value, strict=True):
            if kind is not None:
                kind.take(each)
        return value

    words = [each.words if each else "anything" for each in kinds]
    return _Type(f"({', '.join(words)})", take)


_LEFT = frozenset({"document", "n_components"})
"""Parameters whose functions say more than a type: where in a document it is, what can be reduced to."""
_IDS = re.compile(
    r"(Ids|Numbers|(npt\.)?NDArray\[np\.(intp|int32|int64|integer|integer\[Any\])\])( \| None)?"
)
_FLOATS = re.compile(r"Doubles|(npt\.)?NDArray\[np\.float(32|64)\]")
_FLOATS_TYPE = _Type("numbers", _floats)
_IDS_TYPE = _Type("a list of whole numbers", _ids)
_IDS_OR_NONE = replace(_IDS_TYPE, take=lambda value: None if value is None else _ids(value))
_PATH_TEXT = _Type("a path", _path_like)
_SIMPLE = {
    "None": _Type("None", _none, frozenset({type(None)})),
    "int": _Type("a whole number", _whole),
    "float": _Type("a number", _real),
    "bool": _Type("true or false", _switch, frozenset({bool})),
    "str": _Type("a text", _text, frozenset({str})),
    "ImageId": _Type("a whole number", _whole),
    "PathLike": _PATH_TEXT,
    "Labeling": _PATH_TEXT,
    "Path": _Type("a path", _path),
    "Mapping": _Type("a mapping", _mapping, frozenset({dict})),
    "Callable": _Type("a function", _callable),
    "ProgressReport": _Type("a function of one lookalike.Progress", _callable),
    "Batches": _Type("a function", _callable),
    "Literal": _Type("a text", _text, frozenset({str})),
    **dict.fromkeys(
        ("Metric", "Linkage", "Mode", "Split", "Verdict", "PairDecision"),
        _Type("a text", _text, frozenset({str})),
    ),
}
"""What is looked at, by the name of its type."""
_SAID = {
    "model": ("a text", "its name, or the path of an ONNX file"),
    "additions": ("a list", "a list of (content, key) or (content, key, fields)"),
}
"""What says more of an argument than the words of its type, with these words."""
