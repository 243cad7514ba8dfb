"""Images to vectors, by ONNX Runtime.

On a processor one image at a time through a single-threaded session is the fastest way (measured: 9.0 ms an
image alone, 10.0 ms in batches of 16, whose activations outgrow the cache), with as many sessions' calls
side by side as there are cores. It also makes an image's vector independent of what it was batched with.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from lookalike.embed.models import Model
from lookalike.errors import ModelError
from lookalike.types import Pixels, Vectors

if TYPE_CHECKING:
    from PIL.Image import Image


class OnnxEmbedder:
    """A model, loaded. Safe to call from several threads at once.

    Parameters
    ----------
    model : Model
        Which one.
    graph : bytes
        Its ONNX file; input (n, size, size, 3) uint8, output (n, dimension) float32.
    threads : int
        How many cores one call of `embed` may use. Many calls at once want 1.
    """

    def __init__(self, model: Model, graph: bytes, threads: int = 1) -> None:
        onnxruntime = _import_runtime()
        self.model = model
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what goes wrong is raised; the log would only repeat it
        # Threads that spin while they wait would take the cores from those that decode.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime raises its own classes, all plain Exceptions
            raise ModelError(f"the model {model.name} cannot be loaded: {error}") from error
        self._input = self._session.get_inputs()[0].name

    def prepare(self, image: Image) -> Pixels:
        """Cut and scale an RGB image to what the network sees.

        Returns
        -------
        (size, size, 3) uint8
        """
        from PIL.Image import Resampling

        side = self.model.size
        width, height = image.size
        # Scaling the shorter side to `resize` and cropping the centre to `size`, in one step.
        crop = min(width, height) * side / self.model.resize
        left, top = (width - crop) / 2, (height - crop) / 2
        box = (left, top, left + crop, top + crop)
        return np.asarray(image.resize((side, side), Resampling.BICUBIC, box, reducing_gap=3.0))

    def embed(self, images: Pixels) -> Vectors:
        """Embed prepared images.

        Parameters
        ----------
        images : (n, size, size, 3) uint8

        Returns
        -------
        (n, dimension) float32
            Unit rows where the model's metric is cosine.
        """
        features: Vectors = self._session.run(None, {self._input: images})[0]
        return unit_rows(features) if self.model.metric == "cosine" else features


def _import_runtime() -> ModuleType:
    """Import ONNX Runtime with its telemetry off.

    Since 1.29 it sends facts about the machine and the models to its makers, and keeps an identifier of the
    machine on the disk, unless told not to before it starts. Whoever wants that sets the variable to 0.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    if os.environ["ORT_DISABLE_TELEMETRY"] != "0":
        onnxruntime.disable_telemetry_events()
    module: ModuleType = onnxruntime
    return module


def unit_rows(vectors: Vectors) -> Vectors:
    """Scale each row to length 1; rows of zeros stay zero.

    Parameters
    ----------
    vectors : (n, d) float32
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    return (vectors / np.where(lengths > 0, lengths, 1)[:, None]).astype(np.float32)
