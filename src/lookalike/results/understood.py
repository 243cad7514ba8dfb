"""How words were understood by who has no model that knows text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lookalike.system.wording import count_images

_SHOWN = 4  # classes that are named


@dataclass(frozen=True, slots=True)
class Understood:
    """How words were understood.

    Attributes
    ----------
    nouns : mapping of str to tuple of str
        What is to be seen, and the classes of the network that it was taken for; none for words that only
        names were searched for.
    colors : tuple of str
        What is to be seen of, by the names of CSS.
    named : int
        How many of the images that were found are called so, by file, folder, label, keyword or cluster.
    lacking : int
        How many images were embedded before it was kept what they show: they are found by names only.
    """

    nouns: dict[str, tuple[str, ...]]
    colors: tuple[str, ...]
    named: int
    lacking: int = 0

    def told(self) -> str:
        """Say it in a line.

        >>> Understood({"lamp": ("table lamp",), "sunset": ()}, ("red",), 3).told()
        'lamp by the class table lamp; sunset by names only; in red; 3 images by their names'
        """
        parts = [f"{noun} {_by(classes)}" for noun, classes in self.nouns.items()]
        parts += [f"in {' and '.join(self.colors)}"] if self.colors else []
        parts += [f"{count_images(self.named)} by their names"] if self.named else []
        return "; ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "nouns": {noun: list(classes) for noun, classes in self.nouns.items()},
            "colors": list(self.colors),
            "named": self.named,
            "lacking": self.lacking,
        }


def _by(classes: tuple[str, ...]) -> str:
    if not classes:
        return "by names only"
    shown = ", ".join(classes[:_SHOWN]) + (
        f" and {len(classes) - _SHOWN:,} more" if len(classes) > _SHOWN else ""
    )
    return f"by the class{'es' if len(classes) > 1 else ''} {shown}"
