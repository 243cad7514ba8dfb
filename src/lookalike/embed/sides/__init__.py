"""What a model gives beside the vector, kept in a column of its own, a row an image: the table.

The graph of a model whose ``Model.sides`` name one has an output of that name, in float. What is kept of it
is `Side.width` bytes an image, which `Side.encode` makes; each file here makes one kind, and reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.embed.sides import classes

SideRows = npt.NDArray[np.uint8]
"""(n, width)"""


@dataclass(frozen=True, slots=True)
class Side:
    """One of them.

    Attributes
    ----------
    name : str
        The output of the graph, and the column of the table of vectors.
    width : int
        Bytes an image.
    encode : callable
        From the output, (n, …) float32, to (n, width) uint8.
    """

    name: str
    width: int
    encode: Callable[[npt.NDArray[np.float32]], SideRows]


SIDES: dict[str, Side] = {side.name: side for side in (Side("classes", classes.WIDTH, classes.encode),)}
