"""Read a safetensors file: names, shapes and raw numbers, nothing that could be run.

The package of that name, a part of the extra `train`, reads it and checks that names, shapes and offsets fit
the file. It knows bfloat16 only where other packages do, so the numbers are made arrays here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import ModelDamagedError, ModelExtraError, ModelInputError
from lookalike.system.installing import install_command

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",  # the upper half of a float32
    "I64": "<i8",
    "I32": "<i4",
}


def read_safetensors(data: bytes, name: str) -> dict[str, npt.NDArray[Any]]:
    """Read the tensors of a safetensors file.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What to call it in errors.

    Returns
    -------
    dict of str to array
        Floats of any precision as float32; whole numbers as they are.

    Raises
    ------
    ModelError
        If the package is missing, or the file is of another format, cut short, or has other numbers.
    """
    try:
        from safetensors import SafetensorError, deserialize
    except ImportError as error:
        raise ModelExtraError(
            f"reading {name} needs safetensors, which is not installed",
            extra="train",
            hint=install_command("train"),
        ) from error
    try:
        rows = deserialize(data)
    except (SafetensorError, ValueError) as error:
        reason = " ".join(str(error).split())[:100]
        raise ModelDamagedError(f"{name} is not a safetensors file, or is cut short ({reason})") from error
    return {key: _array(key, row, name) for key, row in rows}


def _array(key: str, row: dict[str, Any], name: str) -> npt.NDArray[Any]:
    kind = row["dtype"]
    if kind not in _DTYPES:
        raise ModelInputError(f"{key} in {name} is of the type {kind}; expected one of {', '.join(_DTYPES)}")
    values: npt.NDArray[Any] = np.frombuffer(row["data"], _DTYPES[kind]).reshape(row["shape"])
    if kind == "BF16":
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values.astype(np.float32, copy=False) if values.dtype.kind == "f" else values
