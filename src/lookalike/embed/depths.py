"""Three depths of a network, whitened and joined, as one vector; see `whitening`."""

from __future__ import annotations

import threading

from lookalike.embed.efficientnet_lite import DEPTHS, DIMENSION, HEAD
from lookalike.embed.models import Model
from lookalike.embed.onnx import OnnxEmbedder
from lookalike.embed.runtime import ONE_THREAD, Compute
from lookalike.embed.whitening import Whitening, load_whitening
from lookalike.four_bits import rounded
from lookalike.types import PixelArray, Vectors

_OUTPUTS = {**DEPTHS, HEAD: DIMENSION}


class DepthsEmbedder(OnnxEmbedder):
    """A model that joins depths of its network, loaded. Safe to call from several threads at once.

    Parameters
    ----------
    model : Model
    graph : bytes
        The ONNX file that ``efficientnet_lite.build_depths`` gave, or its 8-bit version.
    compute : Compute
        Where the network is to run.
    """

    def __init__(self, model: Model, graph: bytes, compute: Compute = ONE_THREAD) -> None:
        super().__init__(model, graph, compute)
        self._outputs = list(_OUTPUTS)
        self._whitening: Whitening | None = None
        self._lock = threading.Lock()  # the first images may come from several threads

    def depths(self, images: PixelArray) -> dict[str, Vectors]:
        """Return all that one pass of the network gives, neither whitened nor of unit length.

        Returns
        -------
        dict of str to (n, d) float32
            ``gem``, ``mid`` (channel, row, column of 2 x 2 windows of the last block), ``low``, and ``head``,
            which the published classifier takes.
        """
        return dict(zip(_OUTPUTS, self._session.run(self._outputs, {self._input: images}), strict=True))

    def join(self, depths: dict[str, Vectors]) -> Vectors:
        """Make vectors of what `depths` gave: (n, dimension) float32 unit rows, as they are kept."""
        with self._lock:
            if self._whitening is None:
                assert self.model.whitening is not None
                self._whitening = load_whitening(self.model.whitening)
        return rounded(self._whitening.apply(depths))

    def _check(self, given: list[Vectors], n_images: int) -> None:
        """Find nothing to say: the graph is ours."""

    def _vectors(self, given: list[Vectors]) -> Vectors:
        return self.join(dict(zip(_OUTPUTS, given, strict=True)))
