"""The compiled kernels: plain functions on arrays, in one library, for the processor that runs here.

Their sources are `native/*.cpp`; `hatch_build.py` compiles them when lookalike is installed, so that
nothing is compiled when it is used. While a kernel runs, other threads of Python run, too.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_FOLDER = Path(__file__).resolve().parents[1] / "native"
_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
_TYPES = {"a": ctypes.c_void_p, "i": ctypes.c_int64, "d": ctypes.c_double, "b": ctypes.c_bool}

NAME = "lookalike.native"  # of what an ImportError says is missing

Kernel = Callable[..., Any]


@cache
def library() -> ctypes.CDLL:
    """Return the library of the kernels, the fastest that this processor can run.

    Raises
    ------
    ImportError
        If they were not compiled, as in a source tree that was not installed.
    """
    for lowest in ("", "-x86-64-v2"):
        if (path := _FOLDER / f"kernels{lowest}{_SUFFIX}").exists():
            kernels = ctypes.CDLL(str(path))
            level = kernels.lookalike_level()
            return ctypes.CDLL(str(_FOLDER / f"kernels-x86-64-v{level}{_SUFFIX}")) if level else kernels
    raise ImportError(
        f"lookalike's kernels were not compiled: {_FOLDER} has none; install lookalike "
        "(`pip install .`), or run `python hatch_build.py` in its source tree",
        name=NAME,
    )


def kernel(name: str, takes: str, returns: str = "") -> Kernel:
    """Return a kernel.

    Parameters
    ----------
    takes : str
        A letter for each argument: `a` an array's address (`at`), `i` int64, `d` float64, `b` bool. Spaces
        are for the eye.
    returns : str
        Such a letter, or nothing.
    """
    function = getattr(library(), name)
    function.argtypes = [_TYPES[letter] for letter in takes.replace(" ", "")]
    function.restype = _TYPES[returns] if returns else None
    return function  # type: ignore[no-any-return]


def kernels_of(name: str, types: str, takes: str, returns: str = "") -> dict[np.dtype[Any], Kernel]:
    """Return the kernels of a name, one for each type of rows, such as "f4 f8": `NAME_f4` and so on."""
    return {np.dtype(each): kernel(f"{name}_{each}", takes, returns) for each in types.split()}


def at(array: npt.NDArray[Any], dtype: type[np.generic]) -> int:
    """Return the address of an array, which has to be of a type, and its numbers in a row without gaps."""
    if array.dtype != dtype or not array.flags.c_contiguous:
        raise TypeError(f"a kernel takes {dtype.__name__} in C order, not {array.dtype} by {array.strides}")
    if array.size and array.flags.writeable:  # in a third of the time
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # type: ignore[arg-type]
    return int(array.ctypes.data)
