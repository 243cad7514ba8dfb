"""English nouns, and which classes of ImageNet each one means.

The table is made by ``scripts/write_nouns.py``, which says how, of WordNet 3.0 (Copyright 2006 by Princeton
University; its licence stands in ``LICENSE.wordnet`` beside this file). Two classes may be one word, as the
crane that lifts and the one that wades; then the sense counts that is used more.

    nouns.tsv        dog      151-268  *      numbers of classes, those in a row by their ends; a star where
                                              WordNet's makers came across the word in texts
    relatives.tsv    pigeon   gallinacean     of nouns that are unknown: a near one that is known
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

_NOUNS = Path(__file__).with_name("nouns.tsv")
_RELATIVES = Path(__file__).with_name("relatives.tsv")

# As WordNet's own programs find the singular (morphy(7)), the longest ending first.
_PLURALS = (
    ("ches", "ch"),
    ("shes", "sh"),
    ("ses", "s"),
    ("xes", "x"),
    ("zes", "z"),
    ("men", "man"),
    ("ies", "y"),
    ("ves", "f"),
    ("ves", "fe"),
    ("oes", "o"),
    ("s", ""),
)
_LEAST_STEM = 2  # letters: "as" is no plural


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun that is known.

    Attributes
    ----------
    word : str
        As the table has it.
    classes : tuple of int
        Numbers of classes of ImageNet, rising.
    is_usual : bool
        Whether it is a word of everyday texts.
    """

    word: str
    classes: tuple[int, ...]
    is_usual: bool = True


def find_noun(text: str) -> Noun | None:
    """Return what a noun means, in the singular or the plural; None if it is unknown.

    >>> find_noun("Beaches")
    Noun(word='beach', classes=(978,), is_usual=True)
    >>> find_noun("sunset") is None
    True
    """
    table = _nouns()
    for form in forms_of(text):
        if form in table:
            return _as_noun(form, table[form])
    return None


def all_nouns() -> tuple[Noun, ...]:
    """Return all that are known."""
    return tuple(_as_noun(word, row) for word, row in _nouns().items())


def _as_noun(word: str, row: str) -> Noun:
    classes, _, star = row.partition("\t")
    return Noun(word, _read_ranges(classes), star == "*")


def find_relative(text: str) -> str | None:
    """Return a known noun that is near to one that is unknown: to ask whether it was meant; None if none is.

    >>> find_relative("abbey"), find_relative("sunset")
    ('church', None)
    """
    table = _relatives()
    return next((table[form] for form in forms_of(text) if form in table), None)


def forms_of(text: str) -> tuple[str, ...]:
    """Return the ways in which a noun may stand in the table: as it is, in the singular, with other joints.

    >>> forms_of("Tow-Trucks")
    ('tow-trucks', 'tow-truck', 'tow trucks', 'tow truck', 'towtrucks', 'towtruck')
    """
    plain = " ".join(text.lower().replace("_", " ").split())
    joined = [plain, re.sub("[- ]", " ", plain), re.sub("[- ]", "-", plain), re.sub("[- ]", "", plain)]
    found = [form for each in dict.fromkeys(joined) for form in _numbers_of(each)]
    return tuple(dict.fromkeys(found))


def _numbers_of(word: str) -> list[str]:
    """Return a noun, its singulars if it may be a plural, else its plural: binoculars have no singular."""
    singulars = [
        word[: -len(ending)] + stem
        for ending, stem in _PLURALS
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST_STEM and not word.endswith("ss")
    ]
    return [word, *singulars, *([] if singulars else [f"{word}s"])]


@functools.cache
def _nouns() -> dict[str, str]:
    return _read(_NOUNS)


@functools.cache
def _relatives() -> dict[str, str]:
    return _read(_RELATIVES)


def _read(file: Path) -> dict[str, str]:
    rows = (line.partition("\t") for line in file.read_text("utf-8").split("\n") if line)
    return {word: value for word, _, value in rows}


def _read_ranges(text: str) -> tuple[int, ...]:
    """Read numbers, those in a row by their ends.

    >>> _read_ranges("1-3 7")
    (1, 2, 3, 7)
    """
    ends = [run.partition("-") for run in text.split()]
    return tuple(each for first, _, last in ends for each in range(int(first), int(last or first) + 1))
