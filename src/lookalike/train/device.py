"""torch, which is an extra, and the device that it is to use.

Nothing here or in what needs no torch imports it at the top: what was trained is ONNX, and runs without.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from lookalike.errors import InvalidInputError, ModelConflictError, ModelExtraError, ModelResourceError
from lookalike.hints import Hint
from lookalike.system.checked_calls import shown
from lookalike.system.forks import check_used_here
from lookalike.system.installing import install_command

if TYPE_CHECKING:
    import torch

AUTO = "auto"
"""A GPU that torch can use, else the processor."""

DEVICES = (AUTO, "cpu", "cuda", "mps")
"""``cuda`` may also name one of several: ``cuda:1``."""


def import_torch() -> ModuleType:
    """Import torch.

    Raises
    ------
    ModelError
        If it is not installed, or does not load.
    """
    try:
        import torch
    except ImportError as error:
        reason = "" if isinstance(error, ModuleNotFoundError) and error.name == "torch" else f" ({error})"
        raise ModelExtraError(
            f"training needs torch, which is not installed{reason}",
            extra="train",
            hint=f"{install_command('train')}. Models that are trained already run without it",
        ) from error
    module: ModuleType = torch
    return module


def check_device_name(name: str) -> None:
    """Raise InvalidInputError unless a device may be called so."""
    kind, _, number = str(name).partition(":")
    if kind not in DEVICES or (number and not (kind == "cuda" and number.isdecimal())):
        raise InvalidInputError(f"the device is {shown(name)}; expected one of {', '.join(DEVICES)}, cuda:1")


def choose_device(name: str) -> torch.device:
    """Return the device of that name.

    Raises
    ------
    InvalidInputError
        If no device is called so.
    ModelError
        If torch cannot use it here.
    """
    check_device_name(name)
    library = import_torch()
    has_mps = library.backends.mps.is_available()
    if name == AUTO:
        name = "cuda" if library.cuda.is_available() else "mps" if has_mps else "cpu"
    device: torch.device = library.device(name)
    usable = {"cpu": 1, "cuda": library.cuda.device_count(), "mps": int(has_mps)}[device.type]
    if (device.index or 0) >= usable:
        raise ModelResourceError(
            f"the device {name} is not available: torch {library.__version__} finds {usable} of its kind",
            hint=Hint("take_cpu", first="install a torch built for it"),
        )
    return device


@contextlib.contextmanager
def seeded(random_state: int, threads: int) -> Iterator[None]:
    """Draw what torch draws from a seed, on so many threads; both are as before afterwards.

    Raises
    ------
    ModelError
        In a process that is a copy of one that did so: it would wait for threads that are not there.
    """
    check_used_here("torch", ModelConflictError)
    torch = import_torch()
    before = torch.get_num_threads()
    with torch.random.fork_rng():
        torch.manual_seed(random_state)
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def made_with(device: torch.device) -> dict[str, str]:
    """Return what a model was made with, for its card."""
    from importlib import metadata

    torch = import_torch()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {"lookalike": metadata.version("lookalike"), "torch": torch.__version__, "device": name}
