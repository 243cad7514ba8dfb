"""What is imported only once it is asked for: the rows of tables, and the public names of packages.

A table of choices has to be at hand before anything is chosen, for a help text, say. So its rows name what
they stand for as ``module:name``, and a package whose tables are read so early imports its public names when
they are first used (PEP 562).
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any


def load(name: str) -> Any:
    """Return what a row stands for.

    Parameters
    ----------
    name : str
        ``module:name``.

    Examples
    --------
    >>> load("math:factorial")(5)
    120
    """
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def public_names(
    package: str, homes: Mapping[str, str], former: Mapping[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package that imports its public names when they are used.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : mapping of str to str
        The module that each name is from, without the package's own name.
    former : mapping of str to str, optional
        Names of earlier versions, and the ``module:name`` that they have now; ``()`` behind a function's name
        stands for what it returns.
    """
    renamed = former or {}

    def get(name: str) -> Any:
        if name in renamed:
            now = renamed[name]
            warnings.warn(
                f"{package}.{name} is {now.replace(':', '.')} now", DeprecationWarning, stacklevel=2
            )
            return load(now.removesuffix("()"))() if now.endswith("()") else load(now)
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return load(f"{package}.{homes[name]}:{name}")

    def list_names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return get, list_names
