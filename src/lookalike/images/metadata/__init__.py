"""What files say of their pictures beside the pixels, found by walking over their first bytes."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Import `Metadata`, which the documentation named here, when it is asked for still."""
    if name != "Metadata":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from warnings import warn

    from lookalike.images.metadata.metadata import Metadata

    warn("lookalike.images.metadata.Metadata is lookalike.Metadata now", DeprecationWarning, stacklevel=2)
    return Metadata
