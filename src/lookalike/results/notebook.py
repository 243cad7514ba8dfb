"""How results show themselves in a notebook: pictures with a line below, small enough to be kept in it."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lookalike.system.tables import escape, html_table
from lookalike.system.wording import frequencies
from lookalike.types import Vectors

SIDE = 144
"""The longer side of a picture, pixels; a JPEG of it takes some 5 kB."""

MOST_PICTURES = 24
MOST_POINTS = 2_000
_WIDTH, _HEIGHT, _MARGIN = 480, 360, 6  # of a map
_COLORS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")  # Paul Tol's "bright"
_GREY = "#bbbbbb"
_QUALITY = 80
_CARD = (
    f"display:inline-block;vertical-align:bottom;width:{SIDE + 8}px;margin:4px;text-align:center;"
    "font-size:85%;line-height:1.3;overflow-wrap:anywhere"
)


class Card(NamedTuple):
    """A picture and what stands below.

    Attributes
    ----------
    jpeg : bytes or None
        None where there is none.
    caption : str
    title : str
        What is said where the mouse rests on it.
    name : str
        Small, below the caption.
    """

    jpeg: bytes | None
    caption: str
    title: str
    name: str = ""


def show_cards(cards: Sequence[Card], n_more: int = 0) -> str:
    """Return pictures in rows, as HTML."""
    shown = "".join(_card(card) for card in cards)
    return f"<div>{shown}</div>" + (f"<p>… and {n_more:,} more</p>" if n_more > 0 else "")


def _card(card: Card) -> str:
    picture = (
        f'<div style="height:{SIDE}px;line-height:{SIDE}px;color:#888">no picture</div>'
        if card.jpeg is None
        else f'<img src="{data_uri(card.jpeg)}" alt="{escape(card.title)}" style="max-width:100%">'
    )
    title, caption, name = map(escape, (card.title, card.caption, card.name))
    lines = f'<div>{caption}</div><div style="color:#888;font-size:85%">{name}</div>'
    return f'<div style="{_CARD}" title="{title}">{picture}{lines}</div>'


def data_uri(jpeg: bytes) -> str:
    """Return a thumbnail, made smaller, as the address that holds it."""
    from PIL import Image

    with Image.open(io.BytesIO(jpeg)) as picture:
        if max(picture.size) > SIDE:
            stream = io.BytesIO()
            picture.thumbnail((SIDE, SIDE))
            picture.save(stream, "JPEG", quality=_QUALITY)
            jpeg = stream.getvalue()
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"


def show_facts(title: str, facts: Mapping[str, object]) -> str:
    """Return what is known by name, as HTML; what is None or empty is left out."""
    rows = [[name, value] for name, value in facts.items() if value is not None and value != ""]
    return f"<div><b>{escape(title)}</b>{html_table([], rows)}</div>"


def listing(counts: Mapping[str, int] | Iterable[str], most: int = 8) -> str:
    """Say what there is, with how many of each, if these are known; the first ones only.

    >>> listing({"cats": 1200, "dogs": 3}), listing(["a", "b", "c"], most=2)
    ('cats 1,200, dogs 3', 'a, b, …')
    """
    words = (
        [f"{name} {count:,}" for name, count in counts.items()]
        if isinstance(counts, Mapping)
        else list(counts)
    )
    return ", ".join(words[:most]) + (", …" if len(words) > most else "")


def show_points(points: Vectors, labels: Sequence[str | None]) -> str:
    """Return where images lie on a map as a drawing in HTML, in the colours of the most frequent labels.

    Of many, as many as `MOST_POINTS` are drawn, evenly from all.

    Parameters
    ----------
    points : (n, 2) float32
        x to the right, y upwards.
    labels : sequence of n str or None
    """
    if not len(points):
        return "<p>no images</p>"
    named = list(frequencies(label for label in labels if label is not None))[: len(_COLORS)]
    colors = dict(zip(named, _COLORS, strict=False))
    step = -(-len(points) // MOST_POINTS)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = min(
        (side - 2 * _MARGIN) / max(float(length), 1e-12)
        for side, length in zip((_WIDTH, _HEIGHT), high - low, strict=True)
    )
    places = (points[::step] - (low + high) / 2) * (scale, -scale) + (_WIDTH / 2, _HEIGHT / 2)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{colors.get(label or "", _GREY)}"/>'
        for (x, y), label in zip(np.asarray(places).tolist(), labels[::step], strict=True)
    )
    drawing = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">{dots}</svg>'
    names = (f'<span style="color:{color}">●</span> {escape(name)}' for name, color in colors.items())
    return f"<div>{drawing}</div><div>{' '.join(names)}</div>"
