"""Words without a model that knows text: by what the network takes pictures for, colours, and names.

The score of an image is the probability that it shows all of the nouns: the product over them of the sum over
the classes that each one means. Of an image that is called so, by its file, folder, label, keyword or
cluster, it is made nine tenths of the way to 1: somebody said so. Where colours are asked for, too, only
images count that have them, as with any search, and the score is multiplied by how much of the picture is of
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.collection.columns import are_in
from lookalike.collection.named import called
from lookalike.collection.resources import Resources
from lookalike.collection.shown import Shown
from lookalike.collection.snapshot import Snapshot
from lookalike.embed import MODELS, Model, base_name
from lookalike.errors import QueryInputError
from lookalike.hints import Hint, Sentence
from lookalike.query.appearance import LEAST_SCORE, score_colors
from lookalike.query.embedding import check_meant
from lookalike.query.terms import Term, Words
from lookalike.results.understood import Understood
from lookalike.types import Ids
from lookalike.vocabulary import Phrase, find_relative, name_classes, read_phrase

NAMED = 0.9
"""How far towards 1 the score of an image is brought that is called so."""

LEAST_PROBABILITY = 0.05
"""Of a hit that no name speaks for."""

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Worded:
    """The images that words are about.

    Attributes
    ----------
    ids : (n,) int64
        The best first; ties by id.
    scores : (n,) float64
        From 0 to 1.
    understood : Understood
    warnings : tuple of Sentence
    """

    ids: Ids
    scores: Scores
    understood: Understood
    warnings: tuple[Sentence, ...]


def find_worded(
    resources: Resources, terms: Sequence[Words], unlike: Sequence[Words], model: Model, shown: Shown | None
) -> Worded:
    """Find the images that words are about; those of `unlike` lose what they show of it.

    Raises
    ------
    QueryError
        If a word is unknown, and no image is called so.
    """
    snapshot = resources.places.snapshot
    ids = snapshot.files.images
    scores, is_named = np.ones(len(ids)), np.zeros(len(ids), bool)
    nouns: dict[str, tuple[str, ...]] = {}
    colors: list[str] = []
    for term in terms:
        part, named, phrase = _score(resources, term, ids, shown, model)
        scores *= part
        is_named |= named
        colors += phrase.colors
        nouns |= {noun.word: name_classes(noun.classes) if shown else () for noun in phrase.nouns}
        nouns |= dict.fromkeys(phrase.unknown, ())
    for term in unlike:
        scores *= 1 - _score(resources, term, ids, shown, model)[0]
    is_hit = scores >= LEAST_PROBABILITY * (LEAST_SCORE if colors else 1)
    best = np.lexsort((ids[is_hit], -scores[is_hit]))
    lacking = 0 if shown is None else len(ids) - len(shown.ids)
    told = Understood(nouns, tuple(dict.fromkeys(colors)), int((is_named & is_hit).sum()), lacking)
    return Worded(ids[is_hit][best], scores[is_hit][best], told, tuple(_warnings(shown, lacking)))


def _warnings(shown: Shown | None, lacking: int) -> list[Sentence]:
    if shown is None or not lacking:
        return []
    return [
        Sentence(
            f"what {lacking:,} of the images show is not known, as {shown.model} did not say so when they"
            " were embedded: they are found by their names only"
        )
    ]


def _score(
    resources: Resources, term: Words, ids: Ids, shown: Shown | None, model: Model
) -> tuple[Scores, npt.NDArray[np.bool_], Phrase]:
    """Return how sure it is that each image is what some words say, which are called so, and the words."""
    check_meant(term)
    snapshot = resources.places.snapshot
    phrase = read_phrase(term.words)
    words = [*(noun.word for noun in phrase.nouns), *phrase.unknown]
    named = are_in(ids, called(snapshot, words))
    if not words and not phrase.colors:
        raise _unknown(term, phrase, model, snapshot, shown)
    if (phrase.unknown or (phrase.nouns and shown is None)) and not named.any():
        raise _unknown(term, phrase, model, snapshot, shown)
    scores = np.zeros(len(ids))
    if not phrase.unknown:
        scores[:] = 1 if not phrase.nouns else 0
        if phrase.nouns and shown is not None:
            probable = np.prod([shown.probability_of(noun.classes) for noun in phrase.nouns], axis=0)
            scores[np.searchsorted(ids, shown.ids)] = probable
    scores[named] += NAMED * (1 - scores[named])
    if phrase.colors:
        colored, shares = score_colors(resources.places.store, phrase.colors)
        of_color = np.zeros(len(ids))
        is_there = are_in(colored, ids) & (shares >= LEAST_SCORE)
        of_color[np.searchsorted(ids, colored[is_there])] = shares[is_there]
        scores *= of_color
    return scores, named, phrase


def are_words(terms: Sequence[Term]) -> bool:
    """Tell whether all that is asked is words."""
    return all(isinstance(term, Words) for term in terms)


def _unknown(
    term: Words, phrase: Phrase, model: Model, snapshot: Snapshot, shown: Shown | None
) -> QueryInputError:
    """Return the error that words mean nothing here, with what knows more."""
    no_file = f"there is no file {term.words!r}, and " if term.is_guess else ""
    with_text = [row.name for row in MODELS if row.has_text]
    here = [name for name in snapshot.store.vector_tables() if (base_name(name) or name) in with_text]
    hint = (
        Hint("take_model", models=", ".join(here), model=here[0])
        if here
        else Hint("models_with_text", models=", ".join(with_text))
    )
    if shown is None:
        return QueryInputError(
            f"{no_file}words cannot be searched for: the model {model.name} knows only images", hint=hint
        )
    unknown = ", ".join(map(repr, phrase.unknown)) or repr(term.words)
    relative = find_relative(term.words)
    question = f" (did you mean {relative!r}?)" if relative else ""
    return QueryInputError(
        f"{no_file}{unknown} is none of the words that are known without a model that knows text, nor is any"
        f" image called so{question}",
        hint=hint,
    )
