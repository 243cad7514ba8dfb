"""English words for pictures, without a network: which nouns mean which classes of ImageNet; colours."""

from lookalike.vocabulary.classes import class_name, name_classes
from lookalike.vocabulary.naming import name_for
from lookalike.vocabulary.nouns import Noun, find_noun, find_relative, forms_of
from lookalike.vocabulary.phrases import Phrase, read_phrase

__all__ = [
    "Noun",
    "Phrase",
    "class_name",
    "find_noun",
    "find_relative",
    "forms_of",
    "name_classes",
    "name_for",
    "read_phrase",
]
