"""Images to vectors, by ONNX Runtime, in batches that fit the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lookalike.embed.embedder import Outputs
from lookalike.embed.models import GraphUse, Model
from lookalike.embed.runtime import ONE_THREAD, Compute, is_out_of_memory, open_session
from lookalike.embed.sides import SIDES
from lookalike.errors import ModelInputError, ModelMemoryError
from lookalike.types import PixelArray, Vectors

if TYPE_CHECKING:
    from PIL.Image import Image


class OnnxEmbedder:
    """A model, loaded. Safe to call from several threads at once.

    Parameters
    ----------
    model : Model
        Which one.
    graph : bytes
        Its ONNX file; input (n, size, size, 3) uint8, output (n, dimension) float32. Where the model has
        sides, an output of the name of each.
    compute : Compute
        Where it is to run.

    Attributes
    ----------
    batch_size : int
        Images a call of the network; halved whenever so many do not fit the device's memory.
    """

    def __init__(self, model: Model, graph: bytes, compute: Compute = ONE_THREAD) -> None:
        self.model = model
        self._session, device = open_session(graph, model.name, compute)
        self.batch_size = device.batch_size
        self._input = self._session.get_inputs()[0].name
        self._outputs = [self._session.get_outputs()[0].name]

    def prepare(self, image: Image) -> PixelArray:
        """Cut or squash, and scale, an RGB image to what the network sees.

        Returns
        -------
        (size, size, 3) uint8
        """
        return fit_image(image, self.model)

    def embed(self, images: PixelArray) -> Vectors:
        """Embed prepared images.

        Parameters
        ----------
        images : (n, size, size, 3) uint8

        Returns
        -------
        (n, dimension) float32
            Unit rows where the model's metric is cosine.
        """
        return self._run(images, ()).vectors

    def embed_with_sides(self, images: PixelArray) -> Outputs:
        """Embed prepared images as `embed` does, and keep what the model gives beside the vectors."""
        return self._run(images, self.model.sides)

    def _run(self, images: PixelArray, sides: tuple[str, ...]) -> Outputs:
        """Embed prepared images; with the sides of these names."""
        parts: list[list[Vectors]] = []  # by output
        done = 0
        while done < len(images):
            batch = images[done : done + self.batch_size]
            try:
                given = self._session.run([*self._outputs, *sides], {self._input: batch})
                self._check(given, len(batch))
                parts.append(given)
            except ModelInputError:
                raise
            except Exception as error:  # the runtime raises its own classes, all plain Exceptions
                is_short = is_out_of_memory(error)
                if is_short and len(batch) == 1:
                    raise ModelMemoryError(
                        f"there is not enough memory to embed an image with {self.model.name}"
                    ) from error
                if not is_short:
                    reason = " ".join(str(error).split())[:300]
                    raise ModelInputError(
                        f"the model {self.model.name} cannot embed images: {reason}"
                    ) from error
                self.batch_size = -(-len(batch) // 2)
                continue
            done += len(batch)
        if not parts:
            nothing = {name: np.empty((0, SIDES[name].width), np.uint8) for name in sides}
            return Outputs(np.empty((0, self.model.dimension), np.float32), nothing)
        whole = [np.concatenate(rows) for rows in zip(*parts, strict=True)]
        beside = dict(zip(sides, whole[len(self._outputs) :], strict=True))
        vectors = self._vectors(whole[: len(self._outputs)])
        return Outputs(vectors, {name: SIDES[name].encode(rows) for name, rows in beside.items()})

    def _check(self, given: list[Vectors], n_images: int) -> None:
        """Make sure that what came out of the network is one vector an image."""
        features = given[0]
        dimension = self.model.dimension or features.shape[-1]  # not known before the first trial
        if features.shape != (n_images, dimension) or not dimension:
            raise ModelInputError(
                f"the model {self.model.name} gives the shape {features.shape} for {n_images} images;"
                f" expected ({n_images}, {dimension or 'd'}) numbers"
            )

    def _vectors(self, given: list[Vectors]) -> Vectors:
        """Make vectors of what came out of the network for all images."""
        return unit_rows(given[0]) if self.model.metric == "cosine" else given[0]


def fit_image(image: Image, model: Model) -> PixelArray:
    """Cut or squash, and scale, an RGB image to what a network sees.

    Returns
    -------
    (size, size, 3) uint8
    """
    from PIL.Image import Resampling

    use = model.use or GraphUse()
    side = model.size
    width, height = image.size
    box = (0.0, 0.0, float(width), float(height))
    if use.fit == "crop":
        # Scaling the shorter side to `resize` and cropping the centre to `size`, in one step.
        crop = min(width, height) * side / model.resize
        left, top = (width - crop) / 2, (height - crop) / 2
        box = (left, top, left + crop, top + crop)
    filter_ = Resampling[use.interpolation.upper()]
    return np.asarray(image.resize((side, side), filter_, box, reducing_gap=3.0))


def unit_rows(vectors: Vectors) -> Vectors:
    """Scale each row to length 1; rows of zeros stay zero, rows that are not finite stay so.

    Parameters
    ----------
    vectors : (n, d) float32
    """
    with np.errstate(all="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
        return (vectors / np.where(lengths > 0, lengths, 1)[:, None]).astype(np.float32)
