"""Run a graph that others exported: see `graph.adapt` for how it is brought into our form."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lookalike.embed.graph import adapt
from lookalike.embed.models import GraphUse, Model
from lookalike.embed.onnx import OnnxEmbedder
from lookalike.embed.runtime import ONE_THREAD, Compute
from lookalike.errors import ModelInputError
from lookalike.types import Vectors

if TYPE_CHECKING:
    from lookalike.embed.text import TextTower


class AdaptedEmbedder(OnnxEmbedder):
    """A model whose graph others exported, loaded. Safe to call from several threads at once.

    It is tried on one grey image, so that what does not fit is known before anything is embedded.

    Parameters
    ----------
    model : Model
        Of the architecture ``onnx``. A dimension of 0 is not known yet; it becomes what the graph gives.
    graph : bytes
        The ONNX file as it came.
    compute : Compute
        Where it is to run.
    load_text : callable, optional
        Gives the text tower, loaded when the first words come.

    Attributes
    ----------
    sha256 : str
        Of the file: what tells the vectors of one set of weights from those of another.
    takes_one : bool
        Whether it takes one image a call, no more.
    """

    def __init__(
        self,
        model: Model,
        graph: bytes,
        compute: Compute = ONE_THREAD,
        load_text: Callable[[], TextTower] | None = None,
    ) -> None:
        adapted = adapt(graph, model.name, model.use or GraphUse(), model.size)
        super().__init__(replace(model, dimension=0), adapted.graph, compute)  # tried first
        self.sha256 = hashlib.sha256(graph).hexdigest()
        self.takes_one = adapted.takes_one
        if self.takes_one:
            self.batch_size = 1
        self._load_text = load_text
        self._text: TextTower | None = None
        self._text_lock = threading.Lock()  # the first words may come from several threads
        dimension = self._try()
        if model.dimension not in (0, dimension):
            raise ModelInputError(
                f"the model {model.name} gives {dimension:,} numbers an image; expected {model.dimension:,}"
            )
        self.model = replace(model, dimension=dimension)

    def _try(self) -> int:
        """Embed a grey image, and return how many numbers came out."""
        grey = np.full((1, self.model.size, self.model.size, 3), 127, np.uint8)
        vectors = self.embed(grey)
        if vectors.ndim != 2 or len(vectors) != 1 or not vectors.shape[1] or not np.isfinite(vectors).all():
            what = "numbers that are not finite" if vectors.ndim == 2 else f"the shape {vectors.shape}"
            raise ModelInputError(
                f"the model {self.model.name} gives {what} for an image; expected (1, d) numbers"
            )
        return int(vectors.shape[1])

    def embed_text(self, words: Sequence[str]) -> Vectors:
        """Embed texts as (n, dimension) float32 unit rows, comparable with those of images."""
        if self._load_text is None:
            raise ModelInputError(f"the model {self.model.name} knows only images")
        with self._text_lock:
            if self._text is None:
                self._text = self._load_text()
        return self._text.embed(words)
