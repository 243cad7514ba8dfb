"""Hits as rows of a table, and as pictures in a notebook: of whatever found them."""

from __future__ import annotations

from lookalike.results.hits import Hits
from lookalike.results.lookup import Lookup
from lookalike.results.notebook import MOST_PICTURES, Card, show_cards
from lookalike.system.tables import Columns
from lookalike.types import Hit


def columns_of(hits: Hits) -> Columns:
    """Return a column for each thing that is known of hits."""
    described = list(hits)
    return {
        "rank": [hit.rank for hit in described],
        "id": [hit.hex_id for hit in described],
        "path": [hit.path for hit in described],
        "label": [hit.label for hit in described],
        "score": [hit.score for hit in described],
        "distance": hits.distances,
        "paths": [list(hit.paths) for hit in described],
    }


def show_hits(hits: Hits, lookup: Lookup, with_likeness: bool = True) -> str:
    """Return the first hits as pictures in HTML, with what they are called below."""
    shown = list(hits[:MOST_PICTURES])
    thumbnails = lookup.thumbnails([hit.id for hit in shown])
    cards = [Card(thumbnails.get(hit.id), _caption(hit, with_likeness), hit.path) for hit in shown]
    return show_cards(cards, len(hits) - len(shown))


def _caption(hit: Hit, with_likeness: bool) -> str:
    likeness = f" {hit.distance if hit.score is None else hit.score:.3f}" if with_likeness else ""
    return f"{hit.rank}:{likeness} {' · '.join(hit.labels)}"
