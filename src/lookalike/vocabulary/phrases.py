"""Words as people type them to find pictures: nouns and colours, and what goes between them.

"a red car", "two dogs on the beach": the longest runs of words that are nouns of the table are taken first; a
colour is one only before a noun, or alone. A word that is neither makes all of it unknown: "dog" is no answer
to "angry dog".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lookalike.vocabulary.nouns import Noun, find_noun

COLORS = {
    **{
        name: name for name in ("red", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white")
    },
    **{name: name for name in ("orange", "turquoise", "beige", "maroon", "violet")},
    "gray": "gray",
    "grey": "gray",
}
"""Words for colours, and CSS's names for these."""

_BETWEEN = frozenset(
    [
        *("a", "an", "the", "some", "of", "in", "on", "at", "by", "with", "and"),
        *("near", "under", "over", "beside", "behind", "inside"),
        *("two", "three", "four", "five", "many", "several"),
        *("photo", "photos", "picture", "pictures", "image", "images", "photograph", "photographs"),
    ]
)
_LONGEST = 4  # words that a noun may have


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words, understood as far as the table goes.

    Attributes
    ----------
    nouns : tuple of Noun
        All of which are to be seen.
    colors : tuple of str
        Names of CSS; all of them are to be seen, too.
    unknown : tuple of str
        What is neither; where there is any, the rest means nothing.
    """

    nouns: tuple[Noun, ...]
    colors: tuple[str, ...]
    unknown: tuple[str, ...]


def read_phrase(text: str) -> Phrase:
    """Understand words.

    >>> read_phrase("a red car").colors, [noun.word for noun in read_phrase("two dogs on the beach").nouns]
    (('red',), ['dog', 'beach'])
    >>> read_phrase("angry dog").unknown
    ('angry',)
    """
    words = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text.lower())
    whole = find_noun(" ".join(words))
    if whole is not None:
        return Phrase((whole,), (), ())
    nouns: list[Noun] = []
    colors: list[str] = []
    unknown: list[str] = []
    at = 0
    while at < len(words):
        is_last = at == len(words) - 1
        if words[at] in COLORS and not (is_last and nouns and not colors):
            colors.append(COLORS[words[at]])
            at += 1
            continue
        for length in range(min(_LONGEST, len(words) - at), 0, -1):
            part = " ".join(words[at : at + length])
            found = find_noun(part) if length > 1 or words[at] not in _BETWEEN else None
            if found is not None:
                nouns.append(found)
                at += length
                break
        else:
            if words[at] not in _BETWEEN:
                unknown.append(words[at])
            at += 1
    return Phrase(tuple(dict.fromkeys(nouns)), tuple(dict.fromkeys(colors)), tuple(unknown))
