"""Read the file of a model: a plain one, of a size that a model can have; nothing else is waited for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from lookalike.errors import (
    LookalikeError,
    ModelInputError,
    ModelMemoryError,
    ModelNotFoundError,
    ModelResourceError,
)
from lookalike.system.plain_files import KINDS, open_plain

LARGEST_FILE = (1 << 31) - 1
"""Bytes: what protocol buffers, of which an ONNX file is one, can hold."""


def read_model_file(path: Path, what: str = "an ONNX file") -> bytes:
    """Return the bytes of a model's file.

    Files of the kernel's that are plain by their mode alone, and may have no end, say that they are empty.

    Parameters
    ----------
    path : Path
    what : str
        What is expected, for errors.

    Raises
    ------
    ModelError
        If there is none, it cannot be read, is no plain file, is empty, or larger than a model can be.
    """
    try:
        status = os.stat(path)  # not open() first: it would wait for ever on a named pipe
        problem = _problem(status)
        if problem is not None:
            raise ModelInputError(f"the model file {path} {problem}; expected {what}")
        with open_plain(path) as stream:
            return stream.read(status.st_size)
    except LookalikeError:  # some are Python's own, too
        raise
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a zero byte in it
        raise ModelNotFoundError(f"there is no model file {str(path)!r}; expected {what}") from error
    except OSError as error:
        reason = error.strerror or error
        raise ModelResourceError(f"the model file {path} cannot be read: {reason}") from error
    except MemoryError as error:
        raise ModelMemoryError(f"there is not enough memory to read the model file {path}") from error


def _problem(status: os.stat_result) -> str | None:
    if not stat.S_ISREG(status.st_mode):
        return f"is {KINDS.get(stat.S_IFMT(status.st_mode), 'no plain file')}"
    if not status.st_size:
        return "is empty"
    if status.st_size > LARGEST_FILE:
        return f"has {status.st_size / 2**30:.1f} GiB, and 2 GiB are the most that one can have"
    return None
