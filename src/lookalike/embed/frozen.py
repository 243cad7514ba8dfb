"""Arrays that come with lookalike and are part of a model, as its weights are."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import ModelDamagedError

_ADVICE = "install lookalike again: pip install --force-reinstall lookalike"


def read_frozen(file: Path, sha256: str) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a file of NumPy's, by name.

    Parameters
    ----------
    file : Path
    sha256 : str
        Of its content.

    Raises
    ------
    ModelError
        If it is missing or damaged.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelDamagedError(f"cannot read {file}: {error.strerror}", hint=_ADVICE) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelDamagedError(f"{file} is damaged: expected sha256 {sha256}, got {found}", hint=_ADVICE)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
