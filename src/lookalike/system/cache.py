"""Where downloaded and computed things that can be had again are kept, and whether they can be trusted.

A model that another user put there would be loaded as if it were the published one: its checksum lies beside
it. So nothing is loaded from a cache that another user could have written. What counts is the owner and the
permissions of the cache's folder, of the file, and of all folders between them:

- the owner is this user, or root; where the user has named the folder in ``LOOKALIKE_CACHE``, also the owner
  of that folder;
- nobody else may write there, but for the group that shares it: this user's own, or that of a folder which
  the user has named. A folder that all may write to has to be "sticky", as ``/tmp`` is.

Root is no exception: what lies in the home of another user is refused, unless it is named.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from lookalike.errors import CacheError

_REMEDY = "set LOOKALIKE_CACHE to a folder that only you can write to"


def cache_folder() -> Path:
    """Return the folder for things that can be fetched or made again; it need not exist yet.

    ``$LOOKALIKE_CACHE`` where that is set, else the place where this system's programs keep theirs. A user
    without a home, a service, say, has a folder of its own among the temporary ones.

    Raises
    ------
    CacheError
        If there is no home, and something else has that folder's name.

    Examples
    --------
    >>> cache_folder().is_absolute()
    True
    """
    if chosen := os.environ.get("LOOKALIKE_CACHE"):
        return Path(os.path.abspath(os.path.expanduser(chosen)))

    from platformdirs import user_cache_path

    try:
        return user_cache_path("lookalike", appauthor=False)
    except RuntimeError:  # no home
        return _temporary_folder()


def check_trusted(path: Path) -> None:
    """Raise unless what lies at a path of the cache can only be the doing of this user, or of who is trusted.

    What is not there, and what lies outside of the cache, is not looked at: the user has named it. Nor is
    anything on Windows, where permissions are others.

    Raises
    ------
    CacheError
    """
    folder = cache_folder()
    if not hasattr(os, "geteuid") or (folder != path and folder not in path.parents):
        return
    is_named = bool(os.environ.get("LOOKALIKE_CACHE"))
    owners, groups, shared = {os.geteuid(), 0}, {os.getegid()}, -1
    between = [place for place in reversed(path.parents) if folder in place.parents]
    for place in dict.fromkeys((folder, *between, path)):
        try:
            facts = os.stat(place)
        except OSError:  # nothing there that could be loaded
            return
        if place == folder and is_named:
            owners.add(facts.st_uid)
            if facts.st_mode & stat.S_IWGRP:  # its members' files are theirs
                shared = facts.st_gid
                groups.add(shared)
        is_sticky = stat.S_ISDIR(facts.st_mode) and facts.st_mode & stat.S_ISVTX
        if facts.st_uid not in owners and facts.st_gid != shared:
            named = "" if is_named else f", or to {folder} if you trust who can write to it"
            raise CacheError(
                f"{place} is not loaded: it belongs to another user, number {facts.st_uid}",
                hint=f"{_REMEDY}{named}",
            )
        may_write = "all users" if facts.st_mode & stat.S_IWOTH and not is_sticky else ""
        if facts.st_mode & stat.S_IWGRP and facts.st_gid not in groups and not is_sticky:
            may_write = may_write or f"group {facts.st_gid}"
        if may_write:
            raise CacheError(
                f"{place} is not loaded: {may_write} may write to it",
                hint=f"after `chmod go-w` for it, or {_REMEDY}",
            )


def make_folder(folder: Path) -> None:
    """Make a folder of the cache, and those above it, that nobody else may write to, whatever the umask."""
    for place in (*reversed(folder.parents), folder):
        if not place.is_dir():
            try:
                place.mkdir(0o755)
            except FileExistsError:  # another process was quicker, or it is a file
                if not place.is_dir():
                    raise


def shut(file: Path) -> None:
    """Take from others the right to write to a file that was written here; a umask of 0 leaves it to them."""
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & stat.S_IWOTH:
        file.chmod(mode & ~(stat.S_IWOTH | stat.S_IWGRP))


def _temporary_folder() -> Path:
    """Return a folder that only this user can have made, and make it."""
    if not hasattr(os, "geteuid"):  # on Windows the temporary folder is the user's own
        return Path(tempfile.gettempdir()) / "lookalike-cache"
    folder = Path(tempfile.gettempdir()) / f"lookalike-cache-{os.geteuid()}"
    try:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(0o700)
        facts = os.lstat(folder)  # a link would lead elsewhere
    except OSError:
        return folder  # which nobody can make: nothing is kept
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
        raise CacheError(
            f"there is no home to keep models in, and {folder} is not a folder that only you can write to",
            hint=_REMEDY,
        )
    return folder
