"""Groups as stars: each has a keeper, and whoever else is in it was laid on that one.

So no chain joins unlike pictures: where A is like B and B like C, A and C are in one group only if one of the
three is like both others. To have every two of a group compared would cost their square, and would part
families at every edit that is too far from another; complete linkage also leaves it to chance which one.

Of what hangs together by pairs, the best by the rules is the keeper, if it has at least half as many partners
as the one that has most; else the next. What is like it goes with it, and of what is left the same is asked
again. A partner's partner need not have been compared with the keeper: such pairs are named, to be
compared before the groups are believed.

Layout: images are rows 0 to n - 1; a pair are two of them and the number of what is known of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

Pair = tuple[int, int]
"""Two rows, the smaller first."""

_MOST_ASKED = 200  # pairs of one keeper that are to be compared
_ENOUGH = 0.5  # of the partners that the one with most has


@dataclass(slots=True)
class Stars:
    """Groups, and what has to be compared before they hold.

    Attributes
    ----------
    groups : list of list of int
        Rows; the keeper first.
    missing : dict of Pair to int
        Pairs of a keeper and one that may be like it, of which nothing is known; and who is like both.
    """

    groups: list[list[int]] = field(default_factory=list)
    missing: dict[Pair, int] = field(default_factory=dict)


def pair_of(a: int, b: int) -> Pair:
    """Return a pair of two rows."""
    return (a, b) if a < b else (b, a)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of pairs of rows.

    Attributes
    ----------
    edges : mapping of Pair to float
        Those that are alike and may stand together, and how probably they are.
    links : mapping of int to set of int
        By row, all that are like it, whether they may stand together or not.
    apart : collection of Pair
        Those that must not stand in one group.
    is_open : callable
        Tells whether nothing is known of a pair that may stand together.
    """

    edges: Mapping[Pair, float]
    links: Mapping[int, Collection[int]]
    apart: Collection[Pair] = ()
    is_open: Callable[[Pair], bool] = lambda pair: True


def make_stars(known: Known, ranks: Sequence[int]) -> Stars:
    """Group rows.

    Parameters
    ----------
    known : Known
    ranks : sequence of int
        By row; the smallest is kept before all others.

    Examples
    --------
    >>> found = make_stars(Known({(0, 1): 1.0, (1, 2): 0.9}, {0: {1}, 1: {0, 2}, 2: {1}}), [2, 0, 1])
    >>> found.groups, found.missing
    ([[1, 0, 2]], {})
    """
    partners: dict[int, set[int]] = {}
    for a, b in known.edges:
        partners.setdefault(a, set()).add(b)
        partners.setdefault(b, set()).add(a)
    made = Stars()
    for rows in _components(partners):
        _part(rows, partners, known, ranks, made)
    return made


def _part(
    rows: list[int], partners: dict[int, set[int]], known: Known, ranks: Sequence[int], made: Stars
) -> None:
    """Make the stars of rows that hang together; partners is used up."""
    left = sorted(rows, key=lambda row: ranks[row])
    while left:
        most = max(len(partners[row]) for row in left)
        for keeper in left:
            made.missing.update(_open(keeper, partners, known))
            if len(partners[keeper]) >= _ENOUGH * most:
                break
        group = [keeper]
        near = partners[keeper]
        for row in sorted(near, key=lambda row: (-known.edges[pair_of(keeper, row)], ranks[row])):
            if not any(pair_of(row, other) in known.apart for other in group):
                group.append(row)
        for row in group:
            for other in partners.pop(row):
                if other in partners:
                    partners[other].discard(row)
        made.groups.append(group)
        left = [row for row in left if partners.get(row)]


def _open(keeper: int, partners: Mapping[int, set[int]], known: Known) -> dict[Pair, int]:
    """Return the pairs of a keeper and its partners' partners of which nothing is known, and the partner."""
    near = partners[keeper]
    further = {other: row for row in sorted(near) for other in known.links[row]}
    asked = ((pair_of(keeper, other), further[other]) for other in sorted(further.keys() - near - {keeper}))
    unknown = (each for each in asked if each[0] not in known.apart and known.is_open(each[0]))
    return dict(islice(unknown, _MOST_ASKED))


def _components(partners: Mapping[int, Iterable[int]]) -> Iterator[list[int]]:
    """Give the rows that hang together by pairs, those with the smallest row first."""
    seen: set[int] = set()
    for start in sorted(partners):
        if start in seen:
            continue
        seen.add(start)
        found, at = [start], 0
        while at < len(found):
            for other in partners[found[at]]:
                if other not in seen:
                    seen.add(other)
                    found.append(other)
            at += 1
        yield found
