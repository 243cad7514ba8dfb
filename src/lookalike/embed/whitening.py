"""Three depths of one network made one vector: each is centred, turned and evened out, then all are weighed.

What a network gives is far from round: a few directions hold most of the variance, and a cosine sees little
else. Full whitening makes all directions count the same, noise as well. What lies between finds best: each
part x is

    u = x / |x|,    y = (u - mean) · A · diag((λ_i + r · mean λ) ^ (-1/4)),    v = y / |y|

with A the first 512 axes of the covariance of unit rows and λ their variances, r = 0.1. Then the vector is
unit[v_gem, √0.67 · v_mid, √0.67 · v_low], 1,536 numbers.

y is then turned by a random rotation, which no cosine sees, but four bits do: without it, the first numbers
vary most and are cut. 1 - cosine of a vector and what is kept of it: 0.0143 without, 0.0062 with it.

Mean and matrices are fitted once, on pictures that are nobody's test, and frozen, see
``scripts/fit_whitening.py``: they are part of the model, as its weights are. In the file the columns of a
matrix are int8, with one step a column: 2.2 MB, which lose nothing.

Cost: 2.2 million multiply-adds an image, 0.04 ms in batches of 16; alone 0.3 ms, which is the reading of the
matrices.

References
----------
H. Jégou, O. Chum, "Negative Evidences and Co-occurences in Image Retrieval: The Benefit of PCA and
Whitening", ECCV 2012.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from lookalike.embed.convolutional_graph import IR_VERSION, OPSET
from lookalike.embed.frozen import read_frozen
from lookalike.embed.models import FrozenFile
from lookalike.embed.onnx import unit_rows
from lookalike.embed.runtime import Compute, open_session
from lookalike.system.blas_threads import eigh, qr
from lookalike.system.chance import RANDOM_STATE
from lookalike.types import Vectors

WEIGHTS: Mapping[str, float] = {"gem": 1.0, "mid": 0.67, "low": 0.67}
"""What the squares of the parts' lengths are in the vector, in its order."""

AXES = 512
"""Of each part."""

_RIDGE = 0.1
_POWER = -0.25

_ON_THE_PROCESSOR = Compute(device="cpu")

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Part:
    """How one depth is whitened.

    Attributes
    ----------
    mean : (d,) float32
        Of unit rows.
    axes : (d, m) int8
    steps : (m,) float32
        What a column of `axes` counts in.
    """

    mean: npt.NDArray[np.float32]
    axes: npt.NDArray[np.int8]
    steps: npt.NDArray[np.float32]

    @classmethod
    def fit(cls, rows: Vectors, weights: Doubles, n_axes: int = AXES) -> Self:
        """Find mean and axes.

        Parameters
        ----------
        rows : (n, d) float32
            As the network gives them; n above `n_axes`.
        weights : (n,) float64
            How much each row counts.
        n_axes : int
        """
        units = unit_rows(rows).astype(np.float64)
        shares = weights / weights.sum()
        mean = shares @ units
        units -= mean
        variances, axes = eigh((units * shares[:, None]).T @ units)
        evened = (variances[::-1] + _RIDGE * variances.mean()) ** _POWER
        axes = axes[:, ::-1][:, :n_axes] * evened[:n_axes]
        # Each axis points where its largest coordinate is positive: the same rows give the same axes.
        axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(n_axes)])
        axes = axes @ qr(np.random.default_rng(RANDOM_STATE).normal(size=(n_axes, n_axes)))
        steps = np.abs(axes).max(axis=0) / 127
        return cls(mean.astype(np.float32), np.rint(axes / steps).astype(np.int8), steps.astype(np.float32))


class Whitening:
    """Means and axes of all parts, ready to be applied; safe to use from several threads at once.

    The products are ONNX Runtime's, on one thread: rows come out the same to the bit, however many there are
    (NumPy's differ for one row and for several), and no thread waits for another.

    Parameters
    ----------
    parts : mapping of str to Part
        By the names of `WEIGHTS`.
    """

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self.parts = {name: parts[name] for name in WEIGHTS}
        self._session, _ = open_session(self._graph(), "whitening", _ON_THE_PROCESSOR)

    def apply(self, depths: Mapping[str, Vectors]) -> Vectors:
        """Make vectors of what the network gave.

        Parameters
        ----------
        depths : mapping of str to (n, d) float32

        Returns
        -------
        (n, 3 · m) float32
            Unit rows; not finite where a part is not.
        """
        centered = {name: unit_rows(depths[name]) - part.mean for name, part in self.parts.items()}
        turned = self._session.run(
            list(WEIGHTS), {f"{name}_centered": rows for name, rows in centered.items()}
        )
        weighed = [
            unit_rows(rows) * np.float32(WEIGHTS[name] ** 0.5)
            for name, rows in zip(WEIGHTS, turned, strict=True)
        ]
        return unit_rows(np.concatenate(weighed, axis=1))

    def _graph(self) -> bytes:
        """Return the products as an ONNX file."""
        from onnx import TensorProto, helper, numpy_helper

        nodes, constants, given, made = [], [], [], []
        for name, part in self.parts.items():
            d, m = part.axes.shape
            given.append(helper.make_tensor_value_info(f"{name}_centered", TensorProto.FLOAT, ["n", d]))
            made.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", m]))
            constants.append(numpy_helper.from_array(part.axes * part.steps, f"{name}_axes"))
            nodes.append(helper.make_node("MatMul", [f"{name}_centered", f"{name}_axes"], [name]))
        graph = helper.make_graph(nodes, "whitening", given, made, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        return bytes(model.SerializeToString())


def write_parts(parts: Mapping[str, Part]) -> bytes:
    """Return them as a file, the same bytes for the same numbers."""
    arrays = {
        f"{name}_{kind}": getattr(part, kind)
        for name, part in parts.items()
        for kind in ("mean", "axes", "steps")
    }
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def load_whitening(frozen: FrozenFile) -> Whitening:
    """Read the means and axes that belong to a model, which come with lookalike.

    Raises
    ------
    ModelError
        If the file is missing or damaged.
    """
    arrays = read_frozen(Path(__file__).with_name(frozen.file), frozen.sha256)
    return Whitening(
        {
            name: Part(arrays[f"{name}_mean"], arrays[f"{name}_axes"], arrays[f"{name}_steps"])
            for name in WEIGHTS
        }
    )
