"""What results share that are written as documents of JSON: how a door words paths and sentences."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lookalike.system.checked_calls import checked


class Result(ABC):
    """What a collection answers: it knows its own JSON."""

    __slots__ = ()

    def __init_subclass__(cls, **options: Any) -> None:
        """Let each kind look at what its methods are given."""
        super().__init_subclass__(**options)
        checked(cls)

    @abstractmethod
    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON, the same for Python, ``--json``, REST and MCP.

        Parameters
        ----------
        path : callable, optional
            Writes a path; as it is, by default.
        tell : callable, optional
            Writes a sentence, which may be a `Sentence` with a hint; without it, by default.
        """


def rounded(value: float | None, digits: int = 6) -> float | None:
    """Return a number as JSON has it; None as it is.

    >>> rounded(0.123456789), rounded(None)
    (0.123457, None)
    """
    return None if value is None else round(float(value), digits)


def plain_value(value: Any) -> Any:
    """Return a value, which may be one of an array, as JSON has it: dates as text, what is not known as None.

    >>> plain_value(np.datetime64("2019-05-04T12:30", "us")), plain_value(np.float32("nan"))
    ('2019-05-04T12:30:00', None)
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value.isoformat() if hasattr(value, "isoformat") else value


def all_rounded(values: Mapping[str, float]) -> dict[str, float]:
    """Return numbers as JSON has them.

    >>> all_rounded({"mAP": 1 / 3})
    {'mAP': 0.333333}
    """
    return {name: round(float(value), 6) for name, value in values.items()}


def damaged_documents(damaged: Mapping[str, str], tell: Callable[[str], str]) -> list[dict[str, str]]:
    """Return what cannot be read as documents: its name, and what is wrong."""
    return [{"name": name, "damaged": tell(reason)} for name, reason in damaged.items()]
