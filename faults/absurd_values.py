"""Absurd values, by what a parameter takes; each is made anew for its call.

What a value is to come to is known of many: ``SAME`` is the plain value in another form, so that the answer
has to be the plain one; ``REFUSED`` is no such value at all, and who takes it has not looked; of the others,
an answer and a refusal are both right.
"""

from __future__ import annotations

import contextlib
import decimal
import fractions
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

Verdict = Literal["same", "refused", "either"]
SAME: Verdict = "same"
REFUSED: Verdict = "refused"
EITHER: Verdict = "either"


@dataclass(frozen=True, slots=True)
class Absurd:
    """One value.

    Attributes
    ----------
    name : str
        What a fault's line calls it.
    make : callable
        Of the plain value and a scratch folder.
    verdict : {"same", "refused", "either"}
    """

    name: str
    make: Callable[[Any, Path], Any]
    verdict: Verdict = EITHER

    @property
    def is_huge(self) -> bool:
        """Whether it is a number that asks for more work than there is time."""
        return "^" in self.name or self.name in ("1e300", "infinity")


class _Raises:
    """Whatever is asked of it, it raises."""

    def __len__(self) -> int:
        raise ValueError("a length that raises")

    def __iter__(self) -> Iterator[Any]:
        raise ValueError("an iterator that raises")

    def __bool__(self) -> bool:
        raise ValueError("a truth value that raises")

    def __repr__(self) -> str:
        return "<raises>"


class _Subclass(np.ndarray):  # type: ignore[type-arg]
    """An array of another class."""


def _fixed(name: str, value: Any, verdict: Verdict = EITHER) -> Absurd:
    return Absurd(name, lambda plain, folder: value, verdict)


def _fifo(plain: Any, folder: Path) -> Path:
    place = folder / "fifo"
    if not place.exists():
        os.mkfifo(place)
    return place


def _file(plain: Any, folder: Path) -> Path:
    place = folder / "file"
    place.write_bytes(b"\0\1\2nothing\xff" * 20)
    return place


def _folder(plain: Any, folder: Path) -> Path:
    place = folder / "folder"
    place.mkdir(exist_ok=True)
    return place


def _device(plain: Any, folder: Path) -> Path:
    """Make a device of ours that is always full; without the right to, give a folder that is not there."""
    place = folder / "device"
    if not place.exists():
        with contextlib.suppress(PermissionError):
            os.mknod(place, stat.S_IFCHR | 0o600, os.makedev(1, 7))
    return place


def _loop(plain: Any, folder: Path) -> Path:
    place = folder / "loop"
    if not place.is_symlink():
        place.symlink_to(place)
    return place


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def _nested_mapping(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


def _itself() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


def _as(change: Callable[[Any], Any]) -> Callable[[Any, Path], Any]:
    def make(plain: Any, folder: Path) -> Any:
        with np.errstate(all="ignore"):
            return change(np.array(plain))

    return make


def _with(at_first: Any, dtype: Any = np.float64) -> Callable[[Any, Path], Any]:
    def make(plain: Any, folder: Path) -> Any:
        changed = np.array(plain, dtype)
        changed[(0,) * changed.ndim] = at_first
        return changed

    return make


def _spaced(plain: Any) -> Any:
    wide = np.zeros((*plain.shape[:-1], 2 * plain.shape[-1]), plain.dtype)
    wide[..., ::2] = plain
    return wide[..., ::2]


def _read_only(plain: Any) -> Any:
    plain.flags.writeable = False
    return plain


def _masked(plain: Any) -> Any:
    mask = np.zeros(plain.shape, bool)
    mask[(0,) * plain.ndim] = True
    return np.ma.MaskedArray(plain, mask)


def _tuples(plain: Any, folder: Path) -> Any:
    return tuple(map(tuple, plain)) if np.ndim(plain) > 1 else tuple(plain)


def _arrow(plain: Any) -> Any:
    import pyarrow as pa

    return pa.array(plain.tolist())


_WRONG = (
    _fixed("None", None),
    _fixed("an object", object()),
    _fixed("a class", int),
    _fixed("a function", lambda *_: 1 / 0),
    _fixed("a complex number", 1j, REFUSED),
    _fixed("bytes", b"\xff\0", REFUSED),
    _fixed("a date", np.datetime64("2020-01-01"), REFUSED),
    _fixed("a mapping", {"a": 1}),
    _fixed("Ellipsis", ..., REFUSED),
    Absurd("a generator", lambda plain, folder: (_ for _ in ())),
    _fixed("what raises", _Raises(), REFUSED),
)
_TEXTS = (
    _fixed("no text", ""),
    _fixed("blanks", " \t\n"),
    _fixed("a zero byte", "a\0b"),
    _fixed("half a surrogate", "a\udcff\ud800"),
    _fixed("right to left", "\u202egnp.\u2066x\u2069"),
    _fixed("a control sequence", "\x1b[31m\x9b2J\r\n"),
    _fixed("100,000 letters", "x" * 100_000),
    _fixed("a path upwards", ".././../x"),
    _fixed("a glob", "**[!/"),
    _fixed("braces", "{0}{a.b}%s%n"),
    _fixed("NaN as a word", "nan"),
    _fixed("a number as a word", "1"),
    _fixed("digits without end", "9" * 5_000),
)
_WHOLE = (
    *_WRONG,
    _fixed("a text", "3", REFUSED),
    _fixed("true", True, REFUSED),
    _fixed("0", 0),
    _fixed("-1", -1),
    _fixed("2^31", 2**31),
    _fixed("2^63", 2**63),
    _fixed("-2^63", -(2**63)),
    _fixed("2^64", 2**64),
    _fixed("10^400", 10**400),
    _fixed("10^5000", 10**5000),
    _fixed("NaN", float("nan"), REFUSED),
    _fixed("infinity", float("inf"), REFUSED),
    _fixed("a half", 2.5, REFUSED),
    _fixed("1e300", 1e300, REFUSED),
    _fixed("a list", [3]),
    _fixed("an array", np.array([3, 4])),
    _fixed("a number without axes", np.array(3)),
    _fixed("a Fraction", fractions.Fraction(5, 2), REFUSED),
    Absurd("of NumPy", lambda plain, folder: np.int64(plain), SAME),
    Absurd("of few bits", lambda plain, folder: np.min_scalar_type(plain).type(plain), SAME),
)
_REAL = (
    *_WRONG,
    _fixed("a text", "0.5", REFUSED),
    _fixed("true", True, REFUSED),
    _fixed("0", 0),
    _fixed("-0.0", -0.0),
    _fixed("-1", -1),
    _fixed("2^64", 2**64),
    _fixed("10^400", 10**400),
    _fixed("-10^400", -(10**400)),
    _fixed("10^5000", 10**5000),
    _fixed("NaN", float("nan"), REFUSED),
    _fixed("NaN of NumPy", np.float32("nan"), REFUSED),
    _fixed("infinity", float("inf")),
    _fixed("-infinity", float("-inf")),
    _fixed("1e300", 1e300),
    _fixed("1e-310", 1e-310),
    _fixed("a list", [0.5]),
    _fixed("an array", np.array([0.5, 0.6])),
    _fixed("a Decimal", decimal.Decimal("0.5")),
    _fixed("a Decimal that signals", decimal.Decimal("sNaN"), REFUSED),
    Absurd("of NumPy", lambda plain, folder: np.asarray(plain)[()], SAME),
)
_SWITCH = (
    _fixed("None", None),
    _fixed("2", 2),
    _fixed("a text", "no"),
    _fixed("NaN", float("nan")),
    _fixed("a list", []),
    _fixed("an array", np.array([True, False]), REFUSED),
    _fixed("what raises", _Raises(), REFUSED),
    Absurd("of NumPy", lambda plain, folder: np.bool_(plain), SAME),
)
_TEXT = (
    *_WRONG,
    *_TEXTS,
    _fixed("a number", 3),
    _fixed("NaN", float("nan")),
    _fixed("a list", ["a"]),
    _fixed("an array", np.array(["a", "b"])),
)
_PATH = (
    *_TEXT,
    _fixed("a path with a zero byte", Path("a\0b")),
    _fixed("a long path", Path("x" * 5_000)),
    _fixed("a deep path", Path("/".join(["x"] * 3_000))),
    Absurd("a file", _file),
    Absurd("a folder", _folder),
    Absurd("a loop", _loop),
    Absurd("nothing there", lambda plain, folder: folder / "not" / "there"),
    Absurd("a device", _device),
    _fixed("a descriptor", 0),
    Absurd("a pipe", _fifo),
)
_LIST = (
    *_WRONG,
    _fixed("a text", "abc"),
    _fixed("a number", 3),
    _fixed("NaN", float("nan")),
    _fixed("nothing", []),
    _fixed("nothing, as a tuple", ()),
    _fixed("None in a list", [None]),
    _fixed("numbers", [0, -1, 2**64]),
    _fixed("NaN in a list", [float("nan")]),
    _fixed("texts", ["", "a\0b", "\udcff"]),
    _fixed("lists", [[], [[]], ["a", "b"]]),
    _fixed("nested 100 deep", _nested(100)),
    Absurd("a list of itself", lambda plain, folder: _itself()),
    _fixed("a set", {1, "a"}),
    _fixed("mappings", [{}, {"a": 1}]),
    _fixed("an array", np.array([1.5, 2.5])),
    _fixed("an array of two axes", np.zeros((2, 2))),
    _fixed("an array without axes", np.array(1)),
    _fixed("objects", [object(), ...], REFUSED),
    Absurd("an iterator that raises", lambda plain, folder: (1 // 0 for _ in range(3))),
)
_MAPPING = (
    *_WRONG,
    _fixed("a text", "abc"),
    _fixed("a list", [1]),
    _fixed("nothing", {}),
    _fixed("None as a name", {None: None}),
    _fixed("a number as a name", {1: 2}),
    _fixed("texts", {"": "", "a\0b": "\udcff"}),
    _fixed("NaN", {"a": float("nan")}),
    _fixed("10^400", {"a": 10**400}),
    _fixed("lists", {"a": [[]], "b": {}}),
    _fixed("nested 5,000 deep", _nested_mapping(5_000)),
    _fixed("pairs", [("a", 1)]),
)
_NUMBERS = (
    *_WRONG,
    _fixed("a text", "abc", REFUSED),
    _fixed("a number", 3.0, REFUSED),
    _fixed("true", True, REFUSED),
    _fixed("nothing", []),
    _fixed("a set", {1, 2}),
    Absurd("as lists", lambda plain, folder: np.array(plain).tolist(), SAME),
    Absurd("as tuples", _tuples, SAME),
    Absurd("by columns", _as(np.asfortranarray), SAME),
    Absurd("with gaps", _as(_spaced), SAME),
    Absurd("backwards twice", _as(lambda rows: rows[::-1].copy()[::-1]), SAME),
    Absurd("of the other byte order", _as(lambda rows: rows.astype(rows.dtype.newbyteorder())), SAME),
    Absurd("read only", _as(_read_only), SAME),
    Absurd("a subclass", _as(lambda rows: rows.view(_Subclass)), SAME),
    Absurd("masked nowhere", _as(np.ma.MaskedArray), SAME),
    Absurd("objects that are numbers", _as(lambda rows: rows.astype(object)), SAME),
    Absurd("wider", _as(lambda rows: rows.astype("f8" if rows.dtype.kind == "f" else "i8")), SAME),
    Absurd("masked somewhere", _as(_masked), REFUSED),
    Absurd("complex", _as(lambda rows: rows.astype(complex) + 1j), REFUSED),
    Absurd("complex without imaginary parts", _as(lambda rows: rows.astype(complex)), REFUSED),
    Absurd("words that are numbers", _as(lambda rows: rows.astype(str)), REFUSED),
    Absurd("bytes that are numbers", _as(lambda rows: rows.astype("S8")), REFUSED),
    Absurd("dates", _as(lambda rows: rows.astype("i8").astype("M8[s]")), REFUSED),
    Absurd("spans of time", _as(lambda rows: rows.astype("i8").astype("m8[s]")), REFUSED),
    Absurd("a record each", _as(lambda rows: np.zeros(len(rows), [("a", "f4"), ("b", "i4")])), REFUSED),
    Absurd("ragged", lambda plain, folder: [[1.0, 2.0], [3.0]], REFUSED),
    Absurd("ragged arrays", lambda plain, folder: [np.zeros(2), np.zeros(3)], REFUSED),
    Absurd("None somewhere", _with(None, object), REFUSED),
    Absurd("NaN somewhere", _with(np.nan), REFUSED),
    Absurd("infinity somewhere", _with(np.inf), REFUSED),
    Absurd("1e300 somewhere", _with(1e300)),
    Absurd("1e30 somewhere", _with(1e30)),
    Absurd("1e-310 somewhere", _with(1e-310)),
    Absurd("10^400 somewhere", _with(10**400, object), REFUSED),
    Absurd("a list somewhere", _with([1], object)),
    Absurd("all 1e300", _as(lambda rows: np.full(rows.shape, 1e300))),
    Absurd("all 1e25", _as(lambda rows: rows.astype("f8") * 1e25)),
    Absurd("all 1e-25", _as(lambda rows: rows.astype("f8") * 1e-25)),
    Absurd("all 0", _as(np.zeros_like)),
    Absurd("all equal", _as(np.ones_like)),
    Absurd("all parallel", _as(lambda rows: np.outer(1 + np.arange(len(rows)), np.ones(rows.shape[-1])))),
    Absurd("copies", _as(lambda rows: np.repeat(rows[:2], len(rows) // 2 + 1, axis=0)[: len(rows)])),
    Absurd("of 16 bits", _as(lambda rows: rows.astype("f2"))),
    Absurd("long floats", _as(lambda rows: rows.astype(np.longdouble))),
    Absurd("numbers of 8 bits", _as(lambda rows: np.abs(rows).astype(np.uint8))),
    Absurd("truth values", _as(lambda rows: rows > 0)),
    Absurd("2^63 and more", _as(lambda rows: rows.astype("u8") + np.uint64(2**63))),
    Absurd("without axes", lambda plain, folder: np.array(1.0), REFUSED),
    Absurd("flat", _as(np.ravel)),
    Absurd("an axis more", _as(lambda rows: rows[None]), EITHER),
    Absurd("three axes more", _as(lambda rows: rows[None, None, None]), REFUSED),
    Absurd("no rows", _as(lambda rows: rows[:0])),
    Absurd("no columns", _as(lambda rows: rows.reshape(len(rows), -1)[:, :0])),
    Absurd("one row", _as(lambda rows: rows[:1])),
    Absurd("one column", _as(lambda rows: rows.reshape(len(rows), -1)[:, :1])),
    Absurd("a row less", _as(lambda rows: rows[:-1])),
    Absurd("of Arrow", _as(_arrow)),
    Absurd("a memoryview", _as(lambda rows: memoryview(np.ascontiguousarray(rows)))),
    Absurd("an iterator that raises", lambda plain, folder: (1 // 0 for _ in range(3))),
)  # fmt: skip
_CALLABLE = (
    _fixed("None", None),
    _fixed("a number", 3, REFUSED),
    _fixed("a text", "abc", REFUSED),
    _fixed("a list", [print], REFUSED),
)
_ANYTHING = (
    *_WRONG,
    *_TEXTS[:4],
    _fixed("a number", 3),
    _fixed("NaN", float("nan")),
    _fixed("10^400", 10**400),
    _fixed("a list", []),
    _fixed("an array", np.zeros((2, 2))),
    _fixed("nested 100 deep", _nested(100)),
)

_NOT_BYTES = ("as lists", "as tuples", "objects that are numbers", "wider")
_LABELS = tuple(Absurd(each.name, each.make) for each in _NUMBERS if each.name != "an iterator that raises")
# A picture is of bytes: other numbers may be of any scale.
_PIXELS = tuple(
    Absurd(each.name, each.make, EITHER if each.name in _NOT_BYTES else each.verdict) for each in _NUMBERS
)

KINDS: dict[str, Sequence[Absurd]] = {
    "numbers": _NUMBERS,
    "labels": _LABELS,
    "pixels": _PIXELS,
    "whole": _WHOLE,
    "real": _REAL,
    "switch": _SWITCH,
    "text": _TEXT,
    "path": _PATH,
    "list": _LIST,
    "mapping": _MAPPING,
    "callable": _CALLABLE,
    "anything": _ANYTHING,
}
"""The values of each kind of parameter."""
