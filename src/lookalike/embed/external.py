"""Models whose vectors are brought along: lookalike compares them, and has no network that makes more.

Of each a file in the collection's folder of models says its dimension and metric.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import get_args

from lookalike.embed.models import Model
from lookalike.embed.reduced import base_name
from lookalike.errors import InvalidInputError, ModelDamagedError, ModelInputError, ModelResourceError
from lookalike.hints import Hint
from lookalike.system.checked_calls import shown
from lookalike.system.flush import make_durable_folder
from lookalike.system.plain_files import read_plain
from lookalike.system.replace_file import replace_file
from lookalike.system.sums import read_document, summed, why_unread
from lookalike.types import Metric

LARGEST_DIMENSION = 1 << 20

_ENDING = ".external"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")  # the name of a file on every system


def external_model(name: str, dimension: int, metric: Metric) -> Model:
    """Describe a model whose vectors are brought along.

    Raises
    ------
    InvalidInputError
        If the name, the dimension or the metric is none.

    Examples
    --------
    >>> external_model("clip-at-work", 512, "cosine").can_embed
    False
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name) or base_name(name) or name.endswith(".onnx"):
        raise InvalidInputError(
            f"model is {shown(name)}; expected a name of 1 to 64 small letters, digits, '-', '_' and '.',"
            " which does not end in .onnx",
            field="model",
        )
    if not 0 < dimension <= LARGEST_DIMENSION:
        raise InvalidInputError(
            f"the vectors have {dimension:,} dimensions; expected 1 to {LARGEST_DIMENSION:,}", field="vectors"
        )
    if metric not in get_args(Metric):
        raise InvalidInputError(
            f"metric is {shown(metric)}; expected {' or '.join(get_args(Metric))}", field="metric"
        )
    return Model(
        name=name,
        title="Vectors that were brought along",
        architecture="external",
        precision="float32",
        weights=None,
        size=0,
        resize=0,
        dimension=dimension,
        metric=metric,
        licence="",
    )


def keep_external(model: Model, folder: Path) -> None:
    """Keep what is known of a model whose vectors are brought along.

    Raises
    ------
    ModelError
        If it cannot be written.
    """
    file = folder / f"{model.name}{_ENDING}"
    try:
        make_durable_folder(folder)
        content = summed({"dimension": model.dimension, "metric": model.metric})
        replace_file(file, json.dumps(content, indent=2).encode(), durable=True)
    except OSError as error:
        raise ModelResourceError(f"cannot write {file}: {error.strerror or error}") from error


def kept_external(name: str, folder: Path) -> Model | None:
    """Return what is known of a model whose vectors were brought along; None if there is none of that name.

    Raises
    ------
    ModelError
        If its file is damaged.
    """
    if not _NAME.fullmatch(name):
        return None
    file = folder / f"{name}{_ENDING}"
    if not os.path.isfile(file):  # which a path that is too long is not, either
        return None
    try:
        row = read_document(read_plain(file))
        return external_model(name, int(row["dimension"]), row["metric"])
    except OSError as error:
        raise ModelResourceError(f"cannot read {file}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelDamagedError(f"{file} is damaged: {why_unread(error)}", hint=Hint("repair")) from error


def list_external(folder: Path) -> list[str]:
    """Return the names of the models in a folder whose vectors were brought along."""
    if not os.path.isdir(folder):  # which a path that is too long is not, either
        return []
    return sorted(file.name.removesuffix(_ENDING) for file in folder.glob(f"*{_ENDING}"))


def cannot_embed(name: str) -> ModelInputError:
    """Return the error that there is nothing to embed with."""
    return ModelInputError(
        f"the vectors of {name} were brought along: there is no network here that embeds pictures or words",
        hint="start from an image of the collection, or from a vector; or take another model",
    )
