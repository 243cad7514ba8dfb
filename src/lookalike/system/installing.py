"""How what is missing is installed beside this very installation: from the registry, a clone, a repository.

Where a package came from stands in its ``direct_url.json`` (PEP 610), unless that is the registry.
"""

from __future__ import annotations

import contextlib
import functools
import json
from importlib import metadata
from pathlib import Path
from typing import Any

from lookalike.system import this_system

_PACKAGE = "lookalike"


@functools.cache
def install_command(extra: str) -> str:
    """Return what to type to get an extra of this package.

    Examples
    --------
    >>> _command("umap", None)
    "pip install 'lookalike[umap]'"
    >>> _command("umap", {"url": "git+https://x.org/l.git", "vcs_info": {"vcs": "git"}})
    "pip install 'lookalike[umap] @ git+https://x.org/l.git'"
    """
    return _command(extra, _origin())


def _command(extra: str, origin: dict[str, Any] | None) -> str:
    quote = '"' if this_system.WINDOWS else "'"  # cmd knows no others
    if origin is None:
        return f"pip install {quote}{_PACKAGE}[{extra}]{quote}"
    url = origin["url"]
    if "dir_info" in origin:
        folder = _folder_of(url)
        editable = "-e " if origin["dir_info"].get("editable") else ""
        return f"pip install {editable}{quote}{folder}[{extra}]{quote}"
    if "vcs_info" in origin and not url.startswith(f"{origin['vcs_info']['vcs']}+"):
        url = f"{origin['vcs_info']['vcs']}+{url}"
    return f"pip install {quote}{_PACKAGE}[{extra}] @ {url}{quote}"


def _origin() -> dict[str, Any] | None:
    """Return where this package was installed from; None if that is the registry, or nobody knows."""
    here = Path(__file__).resolve()
    with contextlib.suppress(metadata.PackageNotFoundError, ValueError, TypeError, KeyError, OSError):
        content = metadata.distribution(_PACKAGE).read_text("direct_url.json")
        origin: dict[str, Any] = json.loads(content or "null")
        # It may be another installation than the one that runs, which PYTHONPATH has found first.
        if origin is not None and (not _is_clone(here) or _is_in(here, origin)):
            return {**origin, "url": str(origin["url"])}
    if _is_clone(here):
        return {"url": here.parents[3].as_uri(), "dir_info": {"editable": True}}
    return None


def _is_clone(here: Path) -> bool:
    """Tell whether a module of this package lies in the ``src`` of a clone."""
    return here.parents[2].name == "src" and (here.parents[3] / "pyproject.toml").is_file()


def _is_in(here: Path, origin: dict[str, Any]) -> bool:
    return "dir_info" in origin and Path(_folder_of(origin["url"])) in here.parents


def _folder_of(url: str) -> str:
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    return url2pathname(urlsplit(url).path)
