"""The measures of retrieval, as a table. To add one, add a row, and its function to `ranking`.

Nothing heavy is imported here, so that a help text can say at once what there is. What each measure is stands
in `retrieval`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: 0 to 1, of one query; its mean over the queries is what is told.

    Attributes
    ----------
    name, title : str
        What it is called, in short and in words.
    function : str
        ``module:function`` of a `ranking.Ranking` and a number of hits, or None for all, to a number.
    is_of_whole : bool
        Whether it is taken once, of the whole ranking as far as that is known, instead of at each cut.
    """

    name: str
    title: str
    function: str
    is_of_whole: bool = False


MOST_QUERIES = 10_000
"""How many images are queries, where nobody says and there are so many."""

DEFAULT_KS = (1, 10)
"""Where rankings are cut, where nobody says."""

MEAN_AP = "mAP"
"""The measure by which queries are called good or bad."""

_HERE = "lookalike.evaluate.ranking"

MEASURES: tuple[Measure, ...] = (
    Measure("P", "precision", f"{_HERE}:precision"),
    Measure("R", "recall", f"{_HERE}:recall"),
    Measure("nDCG", "normalised discounted cumulative gain", f"{_HERE}:discounted_gain"),
    Measure(MEAN_AP, "mean average precision", f"{_HERE}:average_precision", is_of_whole=True),
)


def columns(ks: Sequence[int], is_whole: bool) -> Iterator[tuple[str, Measure, int | None]]:
    """Yield what is measured, in the order in which it is told: its name, its row, and where it is cut.

    Parameters
    ----------
    ks : sequence of int
        Rising.
    is_whole : bool
        Whether the whole ranking is known; else it is known up to the largest k.

    >>> [name for name, row, _ in columns([1, 10], is_whole=False) if row.name in ("P", MEAN_AP)]
    ['P@1', 'P@10', 'mAP@10']
    """
    for row in MEASURES:
        if row.is_of_whole and is_whole:
            yield row.name, row, None
        else:
            for k in ks[-1:] if row.is_of_whole else ks:
                yield f"{row.name}@{k}", row, k
