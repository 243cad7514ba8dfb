"""The 8-bit form of a fine-tuned network: twice the images a second, and practically the same answers.

It is made as that of the packaged networks is, see `lookalike.embed.quantize`; but for the bounds of what no
ReLU6 bounds, which are measured on images that were learned from. It is a model of its own, ``NAME-int8``:
vectors of two precisions never mix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lookalike.embed import LocalModel, TrainedNetwork
from lookalike.embed.bounds import measure_bounds
from lookalike.embed.quantize import quantize
from lookalike.evaluate.measures import MEAN_AP
from lookalike.types import PixelArray

N_IMAGES = 200
"""On how many images the bounds are measured; with 50, they were the same within a tenth."""

MOST_LOST = 0.005
"""How much mAP the 8-bit form may lose, and still be the one that is used."""


def integer_name(name: str) -> str:
    """Return what the 8-bit form of a model is called.

    >>> integer_name("lite0-birds")
    'lite0-birds-int8'
    """
    return f"{name}-int8"


def integer_form(trained: TrainedNetwork, pixels: PixelArray) -> LocalModel:
    """Return the 8-bit form of a network of the EfficientNet-Lite family.

    Parameters
    ----------
    trained : TrainedNetwork
    pixels : (n, side, side, 3) uint8
        Images that it was trained on.
    """
    return replace(
        trained,
        graph=quantize(trained.graph, measure_bounds(trained.graph, pixels, trained.name)),
        name=integer_name(trained.name),
        title=f"{trained.title}; in 8-bit numbers",
        precision="int8",
    ).as_model()


def is_as_good(measures: Mapping[str, Mapping[str, float]], name: str) -> bool:
    """Tell whether the 8-bit form of a model finds nearly as well as it does; also where nobody measured it.

    >>> is_as_good({"a": {"mAP": 0.8}, "a-int8": {"mAP": 0.797}}, "a")
    True
    """
    if not measures:
        return True
    return measures[integer_name(name)][MEAN_AP] >= measures[name][MEAN_AP] - MOST_LOST
