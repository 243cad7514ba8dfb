"""What to do about it, in the words of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lookalike.errors import LookalikeError
from lookalike.hints import Sentence

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "as_told": "{words}",
        "both": "{first}; {second}",
    }
)
"""The words for the command line, by kind of hint: those of `lookalike.hints.PYTHON`."""


def advise(said: LookalikeError | str) -> str:
    """Return a sentence with its hint, if it has one; one with a capital is a sentence of its own."""
    hint = said.hint if isinstance(said, LookalikeError | Sentence) else None
    if hint is None:
        return str(said)
    words = hint.told(COMMANDS)
    return f"{said}{'. ' if words[:1].isupper() else '; '}{words}"
