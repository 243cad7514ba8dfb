"""An ONNX file of the user's as a model: named by its content, described by itself and a JSON file beside it.

``net.onnx`` becomes the model ``net-1a2b3c4d``: its name, and the first digits of its sha256, so that the
vectors of two files never mix. What the graph itself does not say, how an image is to be scaled and
normalised, comes from ``net.json``, or from the hub's ``preprocessor_config.json`` in the same folder, or is
what networks trained on ImageNet want.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from lookalike.embed.adapted import AdaptedEmbedder
from lookalike.embed.graph import LARGEST_SIZE, adapt
from lookalike.embed.model_file import LARGEST_FILE, read_model_file
from lookalike.embed.models import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Fit,
    GraphUse,
    Interpolation,
    LocalGraph,
    Model,
    Precision,
)
from lookalike.embed.runtime import ONE_THREAD, Compute
from lookalike.embed.trial import Graph, try_graph
from lookalike.errors import (
    ModelDamagedError,
    ModelInputError,
    ModelResourceError,
)
from lookalike.hints import Hint, join
from lookalike.system.flush import make_durable_folder
from lookalike.system.plain_files import read_plain
from lookalike.system.replace_file import replace_file
from lookalike.system.sums import read_document, summed, why_unread
from lookalike.types import Metric

HUB_CONFIG = "preprocessor_config.json"

_GIVE_ANEW = Hint("give_onnx", first="")

_FILTERS: dict[int, Interpolation] = {
    0: "nearest",
    1: "lanczos",
    2: "bilinear",
    3: "bicubic",
    4: "box",
    5: "hamming",
}
"""Pillow's numbers, which the hub's configurations use."""


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A user's model, inspected and tried.

    Attributes
    ----------
    model : Model
    graph : bytes
        The ONNX file.
    """

    model: Model
    graph: bytes = field(repr=False)

    def open(self, compute: Compute = ONE_THREAD) -> AdaptedEmbedder:
        """Return it loaded."""
        return AdaptedEmbedder(self.model, self.graph, compute)


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What a JSON file says of a network."""

    use: GraphUse = field(default_factory=GraphUse)
    size: int | None = None
    resize: int | None = None


def is_path(name: str) -> bool:
    """Tell whether a model was named by a file, not by its name.

    >>> is_path("net.onnx"), is_path("models/net"), is_path("lite0")
    (True, True, False)
    """
    separators = [os.sep, *filter(None, [os.altsep])]
    return name.lower().endswith(".onnx") or any(separator in name for separator in separators)


def read_local(path: Path) -> LocalModel:
    """Read an ONNX file, inspect it, and try it on some images; see `trial`.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ModelError
        If there is no such file, it is no ONNX file, its form is not known, or it does not run.
    """
    graph = read_model_file(path)
    wishes = _read_wishes(path)
    size = adapt(graph, str(path), wishes.use, wishes.size).size
    if wishes.resize is not None and wishes.resize < size:
        raise ModelInputError(f"resize is {wishes.resize} beside {path}; expected at least the size, {size}")
    sha256 = hashlib.sha256(graph).hexdigest()
    # Safe as a file's name on every system, and no name of a reduced model.
    stem = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-")[:40] or "model"
    model = Model(
        name=f"{stem}-{sha256[:8]}",
        title=f"The ONNX file {path.name}",
        architecture="onnx",
        precision="float32",
        weights=LocalGraph(sha256),
        size=size,
        resize=wishes.resize or size * 256 // 224,
        dimension=0,
        metric="cosine",
        licence="",
        use=wishes.use,
    )
    dimension = try_graph(Graph(path, sha256, model))
    return LocalModel(replace(model, dimension=dimension), graph)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedNetwork:
    """A network that was trained here, whose graph takes bytes and gives the embedding.

    Attributes
    ----------
    graph : bytes
        The ONNX file.
    name, title, size, resize, dimension, metric, licence, fit, precision
        See `Model` and `GraphUse`.
    """

    graph: bytes
    name: str
    title: str
    size: int
    resize: int
    dimension: int
    metric: Metric
    licence: str
    fit: Fit
    precision: Precision = "float32"

    def as_model(self) -> LocalModel:
        """Return it as a model like any other."""
        model = Model(
            name=self.name,
            title=self.title,
            architecture="onnx",
            precision=self.precision,
            weights=LocalGraph(hashlib.sha256(self.graph).hexdigest()),
            size=self.size,
            resize=self.resize,
            dimension=self.dimension,
            metric=self.metric,
            licence=self.licence,
            use=GraphUse(fit=self.fit),
        )
        return LocalModel(model, self.graph)


def keep_local(local: LocalModel, folder: Path) -> None:
    """Keep a user's model in a folder, so that the file it came from is no longer needed.

    Raises
    ------
    ModelError
        If it cannot be written.
    """
    model = local.model
    assert isinstance(model.weights, LocalGraph) and model.use is not None
    description = {
        "title": model.title,
        "precision": model.precision,
        "sha256": model.weights.sha256,
        "size": model.size,
        "resize": model.resize,
        "dimension": model.dimension,
        "metric": model.metric,
        "licence": model.licence,
        **asdict(model.use),
    }
    try:
        make_durable_folder(folder)
        # The description last: it says that the graph is whole.
        for ending, content in (
            (".onnx", local.graph),
            (".json", json.dumps(summed(description), indent=2).encode()),
        ):
            replace_file(folder / f"{model.name}{ending}", content, durable=True)
    except OSError as error:
        raise ModelResourceError(
            f"cannot keep the model {model.name} in {folder}: {error.strerror or error}"
        ) from error


def kept_local(name: str, folder: Path) -> Model | None:
    """Return the description of a user's model that was kept; None if there is none of that name.

    Raises
    ------
    ModelError
        If it is damaged.
    """
    file = folder / f"{name}.json"
    if not os.path.isfile(f"{folder}{os.sep}{name}.onnx"):  # every search asks
        if os.path.isfile(file):  # which is written last
            raise ModelDamagedError(
                f"{file.with_suffix('.onnx')} is missing", hint=join(Hint("repair"), _GIVE_ANEW)
            )
        return None
    try:
        row = read_document(read_plain(file))
        use = {key: row[key] for key in ("fit", "interpolation", "output", "cut_classifier")}
        return Model(
            name=name,
            title=row["title"],
            architecture="onnx",
            precision=row.get("precision", "float32"),  # all were, before trained ones had another
            weights=LocalGraph(row["sha256"]),
            size=row["size"],
            resize=row["resize"],
            dimension=row["dimension"],
            metric=row.get("metric", "cosine"),  # all were, before there were trained ones
            licence=row.get("licence", ""),
            use=GraphUse(mean=tuple(row["mean"]), std=tuple(row["std"]), **use),
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ModelResourceError(f"cannot read {file}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelDamagedError(
            f"{file} is damaged: {why_unread(error)}", hint=join(Hint("repair"), _GIVE_ANEW)
        ) from error


def load_kept(model: Model, folder: Path, compute: Compute) -> AdaptedEmbedder:
    """Load a user's model that was kept.

    Raises
    ------
    ModelError
        If its graph is damaged.
    """
    assert isinstance(model.weights, LocalGraph)
    file = folder / f"{model.name}.onnx"
    try:
        is_one = os.stat(file).st_size <= LARGEST_FILE
        graph = read_plain(file) if is_one else b""
    except OSError as error:
        raise ModelResourceError(f"cannot read {file}: {error.strerror or error}") from error
    found = hashlib.sha256(graph).hexdigest()
    if found != model.weights.sha256:
        raise ModelDamagedError(
            f"{file} is damaged: expected sha256 {model.weights.sha256}, got {found}",
            hint=join(Hint("give_onnx", first="delete it and "), Hint("repair")),
        )
    dimension = try_graph(Graph(file, found, model))  # the collection may have been made elsewhere
    if dimension != model.dimension:
        raise ModelDamagedError(
            f"{file} gives {dimension:,} numbers an image; its description says {model.dimension:,}",
            hint=join(Hint("repair"), _GIVE_ANEW),
        )
    return AdaptedEmbedder(model, graph, compute)


def _read_wishes(path: Path) -> _Wishes:
    """Read the JSON file beside an ONNX file, the user's own or the hub's; the defaults if there is none."""
    for file, read in ((path.with_suffix(".json"), _own_wishes), (path.with_name(HUB_CONFIG), _hub_wishes)):
        try:
            row = json.loads(read_plain(file).decode("utf-8"))
            if not isinstance(row, dict):
                raise ValueError("expected an object")
            return _checked(read(row))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ModelResourceError(f"cannot read {file}: {error.strerror or error}") from error
        except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError) as error:
            raise ModelInputError(f"{file} does not say how to use {path.name}: {error}") from error
    return _Wishes()


def _own_wishes(row: dict[str, Any]) -> _Wishes:
    known = ("size", "resize", *GraphUse.__dataclass_fields__)
    unknown = sorted(set(row) - set(known))
    if unknown:
        raise ValueError(f"it has the key {unknown[0]!r}; expected {', '.join(known)}")
    use: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
    }
    return _Wishes(size=use.pop("size", None), resize=use.pop("resize", None), use=GraphUse(**use))


def _hub_wishes(row: dict[str, Any]) -> _Wishes:
    """Understand a ``preprocessor_config.json``."""
    resample = row.get("resample", 3)
    if resample not in _FILTERS:
        raise ValueError(f"resample is {resample!r}; expected one of {', '.join(map(str, _FILTERS))}")
    scale = 255 * float(row.get("rescale_factor", 1 / 255) if row.get("do_rescale", True) else 1)
    mean, std = row.get("image_mean", IMAGENET_MEAN), row.get("image_std", IMAGENET_STD)
    if not row.get("do_normalize", True):
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    use = GraphUse(
        mean=tuple(value / scale for value in mean),
        std=tuple(value / scale for value in std),
        interpolation=_FILTERS[resample],
    )
    edge, is_whole = _side(row["size"])
    if row.get("do_center_crop") and "crop_size" in row:
        crop, _ = _side(row["crop_size"])
        return _Wishes(replace(use, fit="squash") if is_whole and edge == crop else use, crop, edge)
    if is_whole:
        return _Wishes(replace(use, fit="squash"), edge, edge)
    # How ConvNeXt's processor, which ResNet's models share, has it.
    return _Wishes(use, edge, int(edge / row["crop_pct"]) if "crop_pct" in row and edge < 384 else edge)


def _side(size: Any) -> tuple[int, bool]:
    """Return the pixels that a size of the hub means, and whether it is that of the whole image."""
    if not isinstance(size, dict):
        return size, False
    if "shortest_edge" in size:
        return size["shortest_edge"], False
    if size["height"] != size["width"]:
        raise ValueError(f"the size is {size}; expected a square")
    return size["height"], True


def _checked(wishes: _Wishes) -> _Wishes:
    use = wishes.use
    for name, side in (("size", wishes.size), ("resize", wishes.resize)):
        if side is not None and (type(side) is not int or not 1 <= side <= LARGEST_SIZE):
            raise ValueError(f"{name} is {side!r}; expected pixels, 1 to {LARGEST_SIZE}")
    for name, values in (("mean", use.mean), ("std", use.std)):
        if not isinstance(values, tuple):
            raise ValueError(f"{name} is {values!r}; expected three numbers")
        numbers = [value for value in values if type(value) in (int, float) and math.isfinite(value)]
        if len(values) != 3 or len(numbers) != 3 or (name == "std" and min(numbers) <= 0):
            kind = "three numbers above 0" if name == "std" else "three numbers"
            raise ValueError(f"{name} is {list(values)}; expected {kind}")
    if use.fit not in get_args(Fit):
        raise ValueError(f"fit is {use.fit!r}; expected {' or '.join(get_args(Fit))}")
    if use.interpolation not in get_args(Interpolation):
        known = ", ".join(get_args(Interpolation))
        raise ValueError(f"interpolation is {use.interpolation!r}; expected one of {known}")
    if not isinstance(use.output, str | None) or not isinstance(use.cut_classifier, bool):
        raise ValueError("output is the name of an output, and cut_classifier true or false")
    return wishes
