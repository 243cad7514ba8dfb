"""Read a torch weight file without torch, and without running what it may contain.

The old (pre-zip) format of ``torch.save`` is five pickles in a row: a magic number, the protocol version,
facts about the system, the object itself, and the list of its storages' keys; behind them, for each key,
an int64 count and that many raw little-endian numbers. A tensor is a view of a storage: offset, shape and
stride. **The stride matters**: weights converted from TensorFlow are stored channels-last.

A pickle can name any function and have it called. This reader admits three names and refuses the rest.
"""

from __future__ import annotations

import collections
import io
import math
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import ModelDamagedError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_DTYPES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
}


@dataclass(slots=True)
class _Storage:
    dtype: np.dtype[Any]
    count: int
    values: npt.NDArray[Any] | None = None


@dataclass(frozen=True, slots=True)
class _View:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def array(self) -> npt.NDArray[Any]:
        values = self.storage.values
        if values is None:
            raise ValueError("a tensor's storage is missing")
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.stride, strict=True))
        if (
            self.offset < 0
            or min(self.stride, default=0) < 0
            or max(last, math.prod(self.shape) - 1) >= len(values)
        ):
            raise ValueError("a tensor reaches beyond its storage")
        strides = tuple(step * values.itemsize for step in self.stride)
        view = np.lib.stride_tricks.as_strided(values[self.offset :], self.shape, strides, writeable=False)
        return np.array(view, order="C")  # not ascontiguousarray, which gives a scalar a dimension


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> _View:
    return _View(storage, offset, tuple(shape), tuple(stride))


class _RestrictedUnpickler(pickle.Unpickler):
    """An unpickler that knows tensors and nothing else."""

    def __init__(self, stream: io.BytesIO, storages: dict[str, _Storage]) -> None:
        super().__init__(stream)
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which weights have no need of")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _location, count, *_ = pid
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError(f"it refers to a {kind!r}; expected a storage")
        return self._storages.setdefault(str(key), _Storage(dtype, int(count)))


def read_state_dict(data: bytes, name: str) -> Mapping[str, npt.NDArray[Any]]:
    """Read the tensors of a weight file in torch's old format.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What to call it in errors.

    Returns
    -------
    mapping of str to array
        In the file's order; C-contiguous.

    Raises
    ------
    ModelError
        If the file is of another format, cut short, or asks for anything but tensors.
    """
    stream = io.BytesIO(data)
    storages: dict[str, _Storage] = {}

    def load() -> Any:
        return _RestrictedUnpickler(stream, storages).load()

    try:
        if load() != _MAGIC or load() != _PROTOCOL:
            raise ValueError("it is not in torch's pickled format")
        load()  # the system it was written on
        views = load()
        for key in load():
            storage = storages[key]
            count = int.from_bytes(stream.read(8), "little")
            size = count * storage.dtype.itemsize
            if count != storage.count or size > len(data) - stream.tell():
                raise ValueError("it is cut short")
            storage.values = np.frombuffer(stream.read(size), storage.dtype)
        return {key: view.array() for key, view in views.items()}
    except Exception as error:  # pickles raise nearly anything on hostile bytes
        raise ModelDamagedError(f"the weights {name} cannot be read: {error}") from error
