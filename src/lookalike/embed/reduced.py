"""A model whose vectors are another's, reduced by PCA: fewer numbers an image, and often better ones.

The components are fitted once, on the vectors of a collection, and frozen: a reduced model is a model of its
own, with its own name and its own vectors. Fitting again makes another name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from lookalike.embed.embedder import Embedder, TextEmbedder
from lookalike.embed.models import Model
from lookalike.embed.onnx import unit_rows
from lookalike.pca import PCA
from lookalike.types import PixelArray, Vectors

if TYPE_CHECKING:
    from PIL.Image import Image

_NAME = re.compile(r"(?P<base>.+)\+pca(?P<dimension>[1-9]\d*)(?P<whiten>-whiten)?(-\d+)?")


def reduced_name(base: str, dimension: int, whiten: bool, number: int = 1) -> str:
    """Name a reduced model; `number` tells those apart that were fitted again.

    >>> reduced_name("lite0", 128, whiten=False), reduced_name("lite0", 64, whiten=True, number=2)
    ('lite0+pca128', 'lite0+pca64-whiten-2')
    """
    return f"{base}+pca{dimension}{'-whiten' if whiten else ''}{f'-{number}' if number > 1 else ''}"


def base_name(name: str) -> str | None:
    """Return the name of the model that a reduced one is made of; None if it is no reduced model's name.

    >>> base_name("lite0+pca128"), base_name("lite0")
    ('lite0', None)
    """
    found = _NAME.fullmatch(name)
    return found["base"] if found else None


def reduced_model(name: str, base: Model, dimension: int) -> Model:
    """Describe the model that reduces another one's vectors."""
    title = f"{base.title}; PCA to {dimension}"
    return replace(base, name=name, title=title, dimension=dimension, sides=(), bits=32)


def reduce_vectors(vectors: Vectors, pca: PCA, model: Model) -> Vectors:
    """Reduce vectors of the base model: centred, projected, and made unit rows again for cosine.

    Parameters
    ----------
    vectors : (n, d) float32

    Returns
    -------
    (n, model.dimension) float32
    """
    reduced = pca.transform(vectors)
    return unit_rows(reduced) if model.metric == "cosine" else reduced


class ReducedEmbedder:
    """A reduced model, loaded.

    Parameters
    ----------
    model : Model
        From `reduced_model`.
    base : Embedder
    pca : PCA
    """

    def __init__(self, model: Model, base: Embedder, pca: PCA) -> None:
        self.model = model
        self.batch_size = base.batch_size
        self._base = base
        self._pca = pca

    def prepare(self, image: Image) -> PixelArray:
        """Cut and scale an RGB image to what the base model sees."""
        return self._base.prepare(image)

    def embed(self, images: PixelArray) -> Vectors:
        """Turn prepared images into (n, dimension) float32."""
        return reduce_vectors(self._base.embed(images), self._pca, self.model)

    def embed_text(self, words: Sequence[str]) -> Vectors:
        """Turn texts into (n, dimension) float32, where the base model knows text."""
        return reduce_vectors(cast(TextEmbedder, self._base).embed_text(words), self._pca, self.model)
