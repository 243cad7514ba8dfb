"""Which of several files of one picture to keep: rules, in the order in which a person wants them.

The first rule on which two files differ decides; where none does, the path, so that the same files give the
same answer on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError
from lookalike.system.checked_calls import shown

Numbers = npt.NDArray[np.float64]

_RAW = frozenset({"CR2", "CR3", "NEF", "ARW", "DNG", "ORF", "RAF", "RW2"})
_LOSSLESS = frozenset({"PNG", "TIFF", "BMP", "GIF", "PIXELS"})

_COPY = re.compile(
    r"""
    (?<![^\W\d_])(?:copy|copie|kopie|kopia|kopio|copia|cópia|копия)(?![^\W\d_])  # Kopie von beach 2
    | コピー | 副本 | 복사본
    | \(\d{1,3}\)$  # beach (1)
    | \s\d$  # beach 2, as macOS has it
    """,
    re.IGNORECASE | re.VERBOSE,
)


_SCREENSHOT = re.compile(
    r"""
    screen[ _-]?(?:shot|cap(?:ture)?|grab)s?(?![^\W\d_])
    | bildschirmfoto | capture[ _]d.[eé]cran | captura[ _]de | schermata | schermafbeelding
    | skärmavbild | skjermbilde
    | zrzut[ _]ekranu | снимок[ _]экрана | スクリーンショット | 截屏 | 截图 | 스크린샷
    """,
    re.IGNORECASE | re.VERBOSE,
)


class FileFacts(NamedTuple):
    """What rules look at: a row a file.

    Attributes
    ----------
    paths : (n,) str
        Stored ones: ``photos:2019/beach.jpg``.
    pixels : (n,) float64
    formats : (n,) str
        JPEG, PNG, …
    sharpness : (n,) float64
        NaN where it is not known.
    taken : (n,) float64
        Seconds, by the camera's clock; NaN where it is not known.
    written : (n,) float64
        Seconds: when the file was last changed.
    sizes : (n,) float64
        Bytes.
    ratings : (n,) float64
        Stars; NaN where there are none.
    is_labeled : (n,) bool
    """

    paths: Sequence[str]
    pixels: Numbers
    formats: Sequence[str]
    sharpness: Numbers
    taken: Numbers
    written: Numbers
    sizes: Numbers
    ratings: Numbers
    is_labeled: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rule:
    """What one file may have before another.

    Attributes
    ----------
    name : str
        As it is typed.
    words : str
        What is kept, for people: "the one with more pixels".
    value : callable
        Of facts, and of what stands behind ``=``: (n,) numbers, the smallest is kept.
    takes : str
        What stands behind ``=``, as help writes it; empty for nothing.
    """

    name: str
    words: str
    value: Callable[[FileFacts, str], npt.NDArray[np.generic]]
    takes: str = ""


def _by_format(facts: FileFacts, argument: str) -> Numbers:
    return np.array([0 if each in _RAW else 1 if each in _LOSSLESS else 2 for each in facts.formats], float)


def _older(facts: FileFacts, argument: str) -> Numbers:
    return np.where(np.isnan(facts.taken), facts.written, facts.taken)


def _below(facts: FileFacts, folder: str) -> npt.NDArray[np.bool_]:
    wanted = folder.replace("\\", "/").strip("/")
    return np.array([f"/{wanted}/" not in f"/{path.replace(':', '/')}" for path in facts.paths], bool)


def _no_original(facts: FileFacts, argument: str) -> Numbers:
    """Return 0 for what says when it was taken, 2 for screenshots by their name, 1 for all others."""
    is_shot = np.array([_SCREENSHOT.search(_stem(path)) is not None for path in facts.paths], bool)
    return np.where(is_shot, 2.0, np.where(np.isnan(facts.taken), 1.0, 0.0))


def _by_name(facts: FileFacts, argument: str) -> npt.NDArray[np.bool_]:
    return np.array([looks_copied(path) for path in facts.paths], bool)


RULES: tuple[Rule, ...] = (
    Rule("original", "it says when it was taken, or is no screenshot", _no_original),
    Rule("pixels", "more pixels", lambda facts, _: -facts.pixels),
    Rule("format", "the better format: RAW, then lossless", _by_format),
    Rule("sharpness", "sharper", lambda facts, _: -np.nan_to_num(facts.sharpness, nan=-1.0)),
    Rule("older", "older: by the date taken, else the file's", _older),
    Rule("newer", "newer: by the date taken, else the file's", lambda facts, _: -_older(facts, "")),
    Rule("larger", "the larger file", lambda facts, _: -facts.sizes),
    Rule("smaller", "the smaller file", lambda facts, _: facts.sizes),
    Rule("folder", "in the folder {}", _below, "NAME"),
    Rule("name", "a name without “copy” or “(1)”", _by_name),
    Rule("rating", "rated higher", lambda facts, _: -np.nan_to_num(facts.ratings, nan=0.0)),
    Rule("labeled", "labeled", lambda facts, _: ~facts.is_labeled),
)
"""What may be asked for, by name."""

USUAL_ORDER = ("rating", "original", "pixels", "name", "older", "format", "larger")
"""What decides where nobody says: what somebody chose; what a camera has written, as screenshots, conversions
and pictures with a border may have more pixels, and are none the better for it; then what there is most of,
what was first, and at last what lost the least."""

BY_PATH = "first by path"


class Preference(NamedTuple):
    """A rule, and what stands behind its ``=``."""

    rule: Rule
    argument: str = ""

    @property
    def words(self) -> str:
        """What is kept by it, for people."""
        return self.rule.words.format(self.argument)


def read_preferences(prefer: str | Iterable[str] | None) -> tuple[Preference, ...]:
    """Return the rules that are asked for: a list, or a text with commas in between.

    Raises
    ------
    InvalidInputError
        If there is no rule of a name, or one is said twice.

    Examples
    --------
    >>> [each.words for each in read_preferences("pixels,folder=Originals")]
    ['more pixels', 'in the folder Originals']
    """
    if prefer is None:
        prefer = USUAL_ORDER
    names = prefer.split(",") if isinstance(prefer, str) else list(prefer)
    found: list[Preference] = []
    for name in names:
        made = _read(name)
        if made in found:
            raise InvalidInputError(f"prefer has {name!r} twice; name it once", field="prefer")
        found.append(made)
    return tuple(found)


def _read(name: object) -> Preference:
    known = ", ".join(f"{rule.name}={rule.takes}" if rule.takes else rule.name for rule in RULES)
    if not isinstance(name, str):
        raise InvalidInputError(f"prefer has {shown(name)}; expected {known}", field="prefer")
    word, sign, argument = name.strip().partition("=")
    rule = next((each for each in RULES if each.name == word.strip().lower()), None)
    if rule is None or bool(rule.takes) != bool(argument.strip()) or (sign and not rule.takes):
        raise InvalidInputError(f"prefer has {shown(name.strip())}; expected {known}", field="prefer")
    return Preference(rule, argument.strip())


def rank(facts: FileFacts, preferences: Sequence[Preference]) -> npt.NDArray[np.intp]:
    """Return the place of each file among all, 0 for the one to keep before all others: (n,)."""
    by_path = np.array(sorted(range(len(facts.paths)), key=lambda row: facts.paths[row]), np.intp)
    place = np.empty(len(by_path), np.intp)
    place[by_path] = np.arange(len(by_path))
    keys = [each.rule.value(facts, each.argument).astype(np.float64) for each in preferences]
    order = np.lexsort([place, *reversed(keys)])
    ranks = np.empty(len(order), np.intp)
    ranks[order] = np.arange(len(order))
    return ranks


def why(facts: FileFacts, preferences: Sequence[Preference], kept: int, other: int) -> str:
    """Say why a file is kept rather than another, by their rows: by the first rule that tells them apart."""
    two: list[Any] = [
        column[[kept, other]] if isinstance(column, np.ndarray) else [column[kept], column[other]]
        for column in facts
    ]
    both = FileFacts(*two)
    for each in preferences:
        first, second = each.rule.value(both, each.argument)
        if first != second:
            return each.words
    return BY_PATH


def looks_copied(path: str) -> bool:
    """Tell whether a file's name says that it is a copy.

    >>> [looks_copied(name) for name in ("a:beach copy.jpg", "a:b/Kopie von beach.jpg", "a:beach (1).jpg")]
    [True, True, True]
    >>> looks_copied("a:copy/beach.jpg"), looks_copied("a:IMG_2041.jpg"), looks_copied("a:copyright.jpg")
    (False, False, False)
    """
    return _COPY.search(_stem(path)) is not None


def _stem(path: str) -> str:
    """Return the name of a file without what tells its format."""
    name = path.rpartition("/")[2].rpartition(":")[2]
    return name.rpartition(".")[0] or name
