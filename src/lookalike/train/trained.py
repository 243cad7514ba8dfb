"""What a training gives: a model in ONNX, checked against torch, with its card."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lookalike.embed import LocalModel, unit_rows
from lookalike.errors import ModelDamagedError
from lookalike.plots import SheetRow, contact_sheet
from lookalike.train.card import Card
from lookalike.train.run_folder import RunImages
from lookalike.types import PixelArray, Vectors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOLERANCE = 1e-4
"""How far a number of ONNX's embedding may be from torch's: of a unit row, or as a share of the largest."""

_CARD = ".card.md"
_COLUMNS = 12


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that was trained.

    Attributes
    ----------
    local : LocalModel
        The model and its graph.
    card : Card
    images : RunImages
        What it was trained on.
    examples : tuple of (PixelArray, PixelArray)
        Held-out images, and what an autoencoder makes of them; empty for other networks.
    integer : LocalModel or None
        The model in 8-bit numbers, where there is such a form.
    """

    local: LocalModel
    card: Card
    images: RunImages = field(repr=False)
    examples: tuple[tuple[PixelArray, PixelArray], ...] = field(default=(), repr=False)
    integer: LocalModel | None = None

    @property
    def card_name(self) -> str:
        """The name of the file beside the model in which people read about it."""
        return f"{self.card.model}{_CARD}"

    def files(self) -> dict[str, bytes]:
        """Return what is to be kept beside the model, by ending."""
        return {
            ".card.json": self.card.to_json(),
            _CARD: self.card.to_markdown(),
            ".split.csv": self.images.to_csv(),
        }

    def draw_examples(self) -> Figure:
        """Draw held-out images, and below them what an autoencoder makes of their codes."""
        columns = max(1, min(_COLUMNS, len(self.examples)))
        note = f"from {self.card.dimension:,} numbers each"
        rows = []
        for start in range(0, len(self.examples), columns):
            images, made = zip(*self.examples[start : start + columns], strict=True)
            rows.append(SheetRow("Held out", "not learned from", [_as_png(pixels) for pixels in images]))
            rows.append(SheetRow("Reconstructed", note, [_as_png(pixels) for pixels in made]))
        return contact_sheet(rows, self.card.model, columns)


def _as_png(pixels: PixelArray) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def check_agreement(local: LocalModel, pixels: PixelArray, expected: Vectors) -> None:
    """Make sure that the ONNX graph gives what torch gives.

    Parameters
    ----------
    local : LocalModel
    pixels : (n, side, side, 3) uint8
    expected : (n, d) float32
        By torch, as the graph gives them.

    Raises
    ------
    ModelError
        If a number differs by more than `TOLERANCE`.
    """
    found = local.open().embed(pixels)
    if local.model.metric == "cosine":
        expected = unit_rows(expected)
    scale = max(1.0, float(np.abs(expected).max()))
    apart = float(np.abs(found - expected).max()) / scale
    if not apart <= TOLERANCE:
        raise ModelDamagedError(
            f"the ONNX graph of {local.model.name} gives other vectors than torch (apart by {apart:.1e};"
            f" expected at most {TOLERANCE:g}): please report this"
        )
