"""The bounds that a network needs in 8-bit integers, measured on images: see `quantize`.

What no ReLU6 bounds is kept in 8 bits over [-b, b]. A large b rounds coarsely, a small one cuts off what is
rare. Here, b is the one of least squared error, of 60 from a twentieth of the largest number to all of it, on
a sample of the numbers that some images give.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from lookalike.embed.quantize import unbounded_tensors
from lookalike.embed.runtime import Compute, open_session
from lookalike.types import PixelArray

_SAMPLED = 2_000  # numbers of a tensor, of each image
_TRIED = np.geomspace(0.05, 1, 60)
_STEPS = 127.5  # from 0 to b

Numbers = npt.NDArray[np.float32]


def measure_bounds(graph: bytes, images: Iterable[PixelArray], name: str) -> tuple[float, ...]:
    """Return the bounds of a network's unbounded tensors, in the order of the graph.

    Parameters
    ----------
    graph : bytes
        The ONNX file that ``efficientnet_lite.build`` gave.
    images : iterable of (side, side, 3) uint8
        One at least.
    name : str
        What to call the network in errors.
    """
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load_from_string(graph)
    tensors = unbounded_tensors(model.graph)
    model.graph.output.extend(
        helper.make_tensor_value_info(tensor, TensorProto.FLOAT, None) for tensor in tensors
    )
    session, _ = open_session(model.SerializeToString(), name, Compute(device="cpu"))
    random = np.random.default_rng(0)
    samples: list[list[Numbers]] = [[] for _ in tensors]
    largest = np.zeros(len(tensors))
    for pixels in images:
        for at, values in enumerate(session.run(tensors, {"images": pixels[None]})):
            sizes = np.abs(values.ravel())
            largest[at] = max(largest[at], sizes.max())
            samples[at].append(sizes[random.integers(0, len(sizes), _SAMPLED)])
    return tuple(
        best_bound(np.concatenate(sizes), float(most)) for sizes, most in zip(samples, largest, strict=True)
    )


def best_bound(sizes: Numbers, largest: float) -> float:
    """Return the b for which rounding to 8 bits over [-b, b] has the least squared error.

    Parameters
    ----------
    sizes : (n,) float32
        Without their signs.
    largest : float
        Of all numbers, of which these may be a sample.

    Examples
    --------
    >>> sizes = np.abs(np.random.default_rng(0).normal(size=10_000)).astype(np.float32)
    >>> 3 < best_bound(sizes, 6.0) < 5  # few are beyond, and all are rounded the finer
    True
    """
    if not largest:
        return 1.0
    errors = []
    for bound in largest * _TRIED:
        step = np.float32(bound / _STEPS)
        rounded = np.minimum(np.rint(sizes / step), np.floor(_STEPS)) * step
        errors.append(float(np.square(sizes - rounded, dtype=np.float64).sum()))
    return float(largest * _TRIED[int(np.argmin(errors))])
