"""The networks that can be fine-tuned: where their weights come from, and how they are built."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy.typing as npt

from lookalike.embed import (
    RESNET50_WEIGHTS,
    HubFiles,
    Model,
    PackagedWeights,
    get_model,
    hub,
    read_packaged,
    resnet,
)
from lookalike.embed import efficientnet_lite as lite
from lookalike.embed.model_file import read_model_file
from lookalike.embed.safetensors_weights import read_safetensors
from lookalike.errors import ModelError
from lookalike.hints import Hint
from lookalike.system.on_demand import load
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.train.base_networks import get_base_network

if TYPE_CHECKING:
    from lookalike.train.backbone_network import Backbone

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Start:
    """The weights that a training begins with.

    Attributes
    ----------
    weights : mapping of str to array
    title : str
        What the network is with them.
    licence : str
        Of the weights; empty where it is not known.
    source : str or None
        Which weights they are, in words; None where the name of the base says so.
    sha256 : str or None
        Of their file; None likewise.
    """

    weights: Arrays
    title: str
    licence: str
    source: str | None = None
    sha256: str | None = None


class Base(Protocol):
    """A network that can be fine-tuned."""

    @property
    def model(self) -> Model:
        """What it is as it comes: its name, what it sees, how its vectors are compared."""
        ...

    @property
    def has_integer_form(self) -> bool:
        """Whether what `build` gives can be made 8-bit."""
        ...

    def read(self, file: str | os.PathLike[str] | None, watch: Watch = UNWATCHED) -> Start:
        """Read its weights, those of a file if one is named.

        Raises
        ------
        ModelError
            If they cannot be had or read, or are another network's.
        """
        ...

    def network(self, size: int) -> Backbone:
        """Return it in torch, for images of so many pixels a side."""
        ...

    def build(self, weights: Arrays, size: int) -> bytes:
        """Return it as an ONNX file, for images of so many pixels a side."""
        ...


@dataclass(frozen=True, slots=True)
class EfficientNetLiteBase:
    """EfficientNet-Lite, whose weights come as a Python package."""

    model: Model
    has_integer_form: ClassVar[bool] = True

    def read(self, file: str | os.PathLike[str] | None, watch: Watch = UNWATCHED) -> Start:
        """See `Base`; no file can be named, which the settings see to."""
        assert file is None and isinstance(self.model.weights, PackagedWeights)
        return Start(read_packaged(self.model.weights), self.model.title, self.model.licence)

    def network(self, size: int) -> Backbone:
        """See `Base`."""
        from lookalike.train.efficientnet_network import EfficientNetLite

        return EfficientNetLite(self._variant(size))

    def build(self, weights: Arrays, size: int) -> bytes:
        """See `Base`."""
        return lite.build(weights, self._variant(size))

    def _variant(self, size: int) -> lite.Variant:
        return replace(lite.VARIANTS[self.model.architecture], size=size)


@dataclass(frozen=True, slots=True)
class ResNetBase:
    """ResNet, whose weights come from the hub or from a file."""

    model: Model
    shape: resnet.Shape = resnet.RESNET50
    has_integer_form: ClassVar[bool] = False  # its sums have no bound, and its shortcuts are not clipped

    def read(self, file: str | os.PathLike[str] | None, watch: Watch = UNWATCHED) -> Start:
        """See `Base`."""
        if file is None:
            content, path, source = _read_hub(watch)
            title, licence = self.model.title, RESNET50_WEIGHTS.licence
        else:
            path = Path(file)
            content = read_model_file(path, "a safetensors file")
            title, licence, source = f"ResNet-50 with the weights of {path.name}", "", path.name
        weights = resnet.take_weights(read_safetensors(content, str(path)), str(path), self.shape)
        sha256 = hashlib.sha256(content).hexdigest()
        return Start(weights, title, licence, f"{source}, sha256 {sha256}", sha256)

    def network(self, size: int) -> Backbone:
        """See `Base`; it takes images of any size."""
        from lookalike.train.resnet_network import ResNet

        return ResNet(self.shape)

    def build(self, weights: Arrays, size: int) -> bytes:
        """See `Base`."""
        return resnet.build(weights, self.shape, size)


def _read_hub(watch: Watch) -> tuple[bytes, Path, str]:
    """Return the weights of the hub, where they lie here, and what to call them."""
    files = RESNET50_WEIGHTS.weights
    assert isinstance(files, HubFiles)
    try:
        content, folder = hub.read_image_file(RESNET50_WEIGHTS, watch)
    except ModelError as error:
        raise error.amended(hint=Hint("give_weights")) from error
    return content, folder / files.image.path, f"{files.repository}/{files.image.path}"


def get_base(name: str) -> Base:
    """Return the network of that name, one of `BASE_NETWORKS`."""
    base: Base = load(get_base_network(name).implementation)(get_model(name))
    return base
