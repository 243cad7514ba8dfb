"""Which images a model gives a vector for that can be compared: finite, and for cosine, of some direction."""

from __future__ import annotations

from typing import cast

import numpy as np

from lookalike.embed.embedder import Embedder, Outputs, SidedEmbedder
from lookalike.embed.models import Model
from lookalike.embed.sides import SIDES
from lookalike.errors import ModelInputError
from lookalike.types import PixelArray, Vectors

_GREY = 127


def incomparable(vectors: Vectors, model: Model) -> dict[int, str]:
    """Return which vectors of a model cannot be compared with others, and why.

    Parameters
    ----------
    vectors : (n, d) float32
    model : Model

    Returns
    -------
    dict of int to str
        By row, the reason, as ``failures`` keeps it.
    """
    found = {
        int(row): f"the model {model.name} gives numbers for it that are not finite"
        for row in np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    }
    if model.metric == "cosine":
        for row in np.flatnonzero(~vectors.any(axis=1)):
            found[int(row)] = f"the model {model.name} gives only zeros for it, which is no direction"
    return found


def embed_each(embedder: Embedder, images: PixelArray) -> tuple[Outputs, dict[int, str]]:
    """Embed prepared images, of which some may be beyond the model.

    Parameters
    ----------
    embedder : Embedder
    images : (n, …) uint8

    Returns
    -------
    outputs : Outputs
        The vectors, and what the model gives beside them.
    reasons : dict of int to str
        By row, why an image has no vector; what stands in its row means nothing.

    Raises
    ------
    ModelError
        If the model does not run at all.
    """
    try:
        outputs = outputs_of(embedder, images)
    except ModelInputError:
        embedder.embed(np.full_like(images[:1], _GREY))  # raises where it is not the images' doing
        return _one_by_one(embedder, images)
    return outputs, incomparable(outputs.vectors, embedder.model)


def outputs_of(embedder: Embedder, images: PixelArray) -> Outputs:
    """Turn prepared images, (n, …) uint8, into vectors, and what the model gives beside them, if anything."""
    if embedder.model.sides:
        return cast(SidedEmbedder, embedder).embed_with_sides(images)
    return Outputs(embedder.embed(images), {})


def _one_by_one(embedder: Embedder, images: PixelArray) -> tuple[Outputs, dict[int, str]]:
    model = embedder.model
    nothing = Outputs(
        np.zeros(model.dimension, np.float32),
        {name: np.zeros(SIDES[name].width, np.uint8) for name in model.sides},
    )
    found, reasons = [], {}
    for row in range(len(images)):
        try:
            found.append(outputs_of(embedder, images[row : row + 1]).of(0))
        except ModelInputError as error:
            found.append(nothing)
            reasons[row] = str(error)
    outputs = Outputs.stack(found)
    return outputs, {**incomparable(outputs.vectors, model), **reasons}
