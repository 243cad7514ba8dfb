r"""Globs: where they begin, and what they exclude.

What is to be excluded is kept as one of three forms, with ``/`` between names:

    name            files and folders of this name, wherever they are
    ./name          only the one in the root itself
    folder/name     the one at this path from the root

Each may hold ``*``, ``?`` and ``[…]``. Names of files are compared with them as the disk has them, in normal
form C, and never escaped.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import posixpath
import re
from collections.abc import Sequence
from pathlib import Path

from lookalike.errors import InvalidInputError
from lookalike.images.finding.spelling import as_spelled, composed, path_within


def split_glob(path: str | os.PathLike[str]) -> tuple[Path, str]:
    """Return the part of a path that is there, absolute, and the rest, in which brackets and stars may count.

    A folder called ``trip [12]`` is that folder; only where there is none is it a pattern.
    """
    whole = as_spelled(Path(os.path.abspath(path)))
    there = next((place for place in (whole, *whole.parents) if os.path.lexists(place)), Path(whole.anchor))
    rest = whole.relative_to(there)
    return there, "" if rest == Path() else str(rest)


def lies_outside(text: str, root: Path) -> bool:
    """Tell whether what is to be excluded is an absolute path that does not lie in a root."""
    return os.path.isabs(text) and path_within(root, Path(os.path.normpath(text))) is None


def divide_excludes(texts: Sequence[str], roots: Sequence[Path]) -> dict[Path, list[str] | None]:
    """Return by root what is to be excluded from it; None if all of it lies in others.

    Raises
    ------
    InvalidInputError
        If an absolute path lies in none of them.
    """
    divided = {root: [text for text in texts if not lies_outside(text, root)] for root in roots}
    for text in texts:
        if roots and all(text not in inside for inside in divided.values()):
            listed = ", ".join(map(str, roots))
            raise InvalidInputError(
                f"{text} is to be excluded, but lies outside of what is indexed: {listed}"
            )
    return {root: inside or None for root, inside in divided.items()}


def read_exclude(text: str, root: Path) -> str:
    """Return what is to be excluded from a root, as it is kept.

    Parameters
    ----------
    text : str
        As somebody typed it: ``thumbs``, ``./thumbs``, ``thumbs/``, ``/photos/thumbs``, ``*.tmp``.
    root : Path
        Absolute. A name that is there is taken literally, whatever is in it.

    Raises
    ------
    InvalidInputError
        If it is empty, the root itself, or outside of it.
    """
    if not text.strip():
        raise InvalidInputError("what is to be excluded is empty; expected a name, a path, or a glob")
    if os.path.isabs(text):
        place, rest = split_glob(text)
        inside = path_within(root, place)
        if inside is None:
            raise InvalidInputError(f"{text} is to be excluded, but lies outside of {root}")
        path = posixpath.join(glob.escape(inside.as_posix()), Path(rest).as_posix() if rest else "")
        is_anchored = True
    else:
        typed = text.replace(os.sep, "/")
        is_anchored = typed.startswith(("./", "../"))
        path = typed.removeprefix("**/") if "/" not in typed.removeprefix("**/").rstrip("/") else typed
        if glob.has_magic(path) and os.path.lexists(root / posixpath.normpath(path)):
            path = glob.escape(path)
    path = posixpath.normpath(path)
    if path == ".":
        raise InvalidInputError(f"{text} is the folder {root} itself; expected something in it to exclude")
    if path.split("/")[0] == "..":
        raise InvalidInputError(f"{text} is to be excluded, but lies outside of {root}")
    return f"./{path}" if is_anchored and "/" not in path else path


class Excludes:
    """What is excluded from a scan; remembers which of it was met.

    Parameters
    ----------
    globs : sequence of str
        As `read_exclude` gives them, or as somebody wrote them.
    """

    def __init__(self, globs: Sequence[str]) -> None:
        self._globs = tuple(globs)
        self._rules = [_rule(each) for each in globs]
        self._met = [False] * len(globs)

    def __bool__(self) -> bool:
        return bool(self._rules)

    def __call__(self, name: str, path: str) -> bool:
        """Tell whether a file or folder is excluded, by its name and its path from the root, unescaped."""
        name, path = composed(name), composed(path)
        is_excluded = False
        for number, (literal, pattern, is_path) in enumerate(self._rules):
            words = (path,) if is_path else (name, path)
            if literal in words or any(map(pattern.match, words)):
                self._met[number] = is_excluded = True
        return is_excluded

    @property
    def unmet(self) -> tuple[str, ...]:
        """The globs that nothing has matched yet."""
        return tuple(each for each, is_met in zip(self._globs, self._met, strict=True) if not is_met)


def _rule(text: str) -> tuple[str, re.Pattern[str], bool]:
    """Return a glob as a literal, as a pattern, and whether it is about paths from the root only."""
    plain = composed(text.rstrip("/"))
    bare = plain.removeprefix("./")
    return bare, re.compile(fnmatch.translate(bare)), bare != plain
