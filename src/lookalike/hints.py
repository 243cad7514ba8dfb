"""What to do about it: data, which each door puts into words of its own.

The library says ``Hint("sync")``; Python reads "call collection.sync()", the command line, by `cli.hints`,
"run `lookalike index`".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

PYTHON: Mapping[str, str] = MappingProxyType(
    {
        "as_told": "{words}",
        "both": "{first}; {second}",
    }
)
"""The words for Python, by kind of hint; what stands in braces are its facts."""


class Hint:
    """What to do about it: a kind of advice, and the facts that fill its words.

    Parameters
    ----------
    kind : str
        A key of `PYTHON`.
    **facts
        What the words name: texts, numbers, other hints. ``str(hint)`` is the advice for Python.

    Examples
    --------
    >>> print(Hint("both", first="take less", second=Hint("as_told", words="or make room")))
    take less; or make room
    """

    __slots__ = ("facts", "kind")

    def __init__(self, kind: str, /, **facts: object) -> None:
        self.kind = kind
        self.facts = facts

    def __str__(self) -> str:
        return self.told(PYTHON)

    def __repr__(self) -> str:
        facts = (f", {name}={fact!r}" for name, fact in self.facts.items())
        return f"Hint({self.kind!r}{''.join(facts)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hint) and (self.kind, self.facts) == (other.kind, other.facts)

    def __hash__(self) -> int:
        return hash((self.kind, tuple(sorted(self.facts))))

    def told(self, words: Mapping[str, str]) -> str:
        """Return the advice in the words of a door: a table like `PYTHON`, with every kind."""
        facts: dict[str, Any] = {
            name: fact.told(words) if isinstance(fact, Hint) else fact for name, fact in self.facts.items()
        }
        return words[self.kind].format(**facts)


class Sentence(str):
    """A sentence that keeps its hint, for lists of warnings and reasons."""

    hint: Hint | None

    def __new__(cls, words: str, hint: Hint | None = None) -> Sentence:
        """Join the two; the text is the sentence alone."""
        made = super().__new__(cls, words)
        made.hint = hint
        return made
