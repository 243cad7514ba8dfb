"""Which label each file of a root has: of its folders, of a glob, of a table.

A folder's label is its name. Folders that are called the same and lie in different ones are told apart by as
much of the way to them as it takes: ``2019/02 February`` and ``2020/02 February``. Parts of a data set
(``train``, ``test``) tell none apart.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path

from lookalike.errors import InvalidInputError
from lookalike.hints import Hint
from lookalike.images.finding.spelling import as_label, as_typed, composed, path_within
from lookalike.store.labeling import BY_PATH, MARK, NO_LABELS, Labeling, levels_above
from lookalike.system.cells import from_cell, text_of
from lookalike.system.checked_calls import shown
from lookalike.system.file_names import unescape
from lookalike.system.plain_files import read_named

LabelOf = Callable[[str], str | None]
"""Gives the label of a file, by its stored path within its root."""

EXPECTED = (
    "folders (the last folder's name), folders:1 (that of the one above it), path (all of them), none, a"
    " table with columns path and label, or a glob with one {label} in it, such as '{label}/*'"
)
_SPLITS = frozenset(["train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval"])
_COLUMNS = ("path", "label")
_TOKENS = re.compile(r"\*\*/|\*\*|\*|\?|\[[!^]?\]?[^]]*\]|\{label\}|.", re.DOTALL)


def read_labeling(given: Labeling, root: Path) -> str:
    """Return where the labels of a root come from, as it is kept.

    Parameters
    ----------
    given : str or path
        As somebody typed it. A table is kept by its path from the root where it lies there, else absolute.
    root : Path
        Absolute.

    Raises
    ------
    InvalidInputError
        If it is none of what there is, or a table that cannot be used.
    """
    text = os.fspath(given)
    if text in (BY_PATH, NO_LABELS) or levels_above(text) is not None:
        return text
    if MARK in text:
        if text.count(MARK) > 1 or os.path.isabs(text):
            raise InvalidInputError(
                f"labels is {shown(text)}; expected a glob of paths from the root with one {MARK} in it",
                field="labels",
            )
        _pattern(text)
        return text
    file = Path(os.path.abspath(text))
    if not text or not file.is_file():
        raise InvalidInputError(f"labels is {shown(text)}; expected {EXPECTED}", field="labels")
    list(read_label_table(file))
    inside = path_within(root, file)
    return str(file) if inside is None else str(inside)


def label_files(labels: str, place: Path, paths: Iterable[str]) -> LabelOf:
    """Return what gives files of a root their labels.

    Parameters
    ----------
    labels : str
        Where from, as `read_labeling` gives it.
    place : Path
        The root's folder.
    paths : iterable of str
        Of all files that it has, stored, within the root: folders that are called the same are told apart.

    Raises
    ------
    InvalidInputError
        If the table is gone, or cannot be used any more.
    """
    levels = levels_above(labels)
    if labels == NO_LABELS:
        return lambda path: None
    if labels == BY_PATH:
        return _by_folder(lambda folder: as_label(folder) or None)
    if levels is not None:
        folders = {path.rpartition("/")[0] for path in paths}
        return _by_folder(name_folders(folders, levels).get)
    if MARK in labels:
        return partial(_match, _pattern(labels))
    return _of_table(place / labels, place)


def _by_folder(of_folder: Callable[[str], str | None]) -> LabelOf:
    """Return the labels of files' folders: one text a label, not one a file, as there may be a million."""
    known = cache(of_folder)
    return lambda path: known(path.rpartition("/")[0])


def name_folders(folders: Iterable[str], levels: int = 0) -> dict[str, str | None]:
    """Return the label of each folder: its last name, with as many before it as tell it from the others.

    Parameters
    ----------
    folders : iterable of str
        Stored, within the root; empty for the root itself, which gives none.
    levels : int
        How far above each folder the one lies that names it.

    Examples
    --------
    >>> name_folders(["2019/02", "2020/02", "2020/lake"])
    {'2019/02': '2019/02', '2020/02': '2020/02', '2020/lake': 'lake'}
    >>> name_folders(["train/cats", "test/cats", "a/cats"])
    {'train/cats': 'cats', 'test/cats': 'cats', 'a/cats': 'a/cats'}
    >>> name_folders(["2019/02", "2020/02"], levels=1)
    {'2019/02': '2019', '2020/02': '2020'}
    """
    ways = {folder: _way(folder, levels) for folder in folders}
    distinct = set(ways.values())
    ends = Counter(way[-depth:] for way in distinct for depth in range(1, len(way) + 1))

    def name(way: tuple[str, ...]) -> str | None:
        own = (way[-depth:] for depth in range(1, len(way) + 1))
        return "/".join(next((end for end in own if ends[end] == 1), way)) or None

    names = {way: name(way) for way in distinct}
    return {folder: names[way] for folder, way in ways.items()}


def _way(folder: str, levels: int) -> tuple[str, ...]:
    """Return the folders on the way to the one that names a folder, without parts of a data set."""
    parts = tuple(map(as_label, folder.split("/"))) if folder else ()
    parts = parts[: len(parts) - levels] if levels < len(parts) else ()
    return tuple(part for part in parts if part.casefold() not in _SPLITS) or parts[-1:]


def _pattern(text: str) -> re.Pattern[str]:
    """Return a glob of paths as an expression; its label is as short as it may be."""
    words = {
        "**/": r"(?:.*/)?",
        "**": r".*",
        "*": r"[^/]*",
        "?": r"[^/]",
        MARK: r"(?P<label>[^/]+?)",
    }
    parts = []
    for token in _TOKENS.findall(composed(text)):
        if token in words:
            parts.append(words[token])
        elif len(token) > 1:
            no, inside = ("^", token[2:-1]) if token[1] in "!^" else ("", token[1:-1])
            inside = re.sub(r"([\\^\[])", r"\\\1", inside)
            parts.append(f"(?:(?!/)[{no}{inside}])")
        else:
            parts.append(re.escape(token))
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error as error:
        raise InvalidInputError(
            f"labels is {shown(text)}, which is no glob ({error})", field="labels"
        ) from error


def _match(pattern: re.Pattern[str], path: str) -> str | None:
    found = pattern.fullmatch(composed(unescape(path)))
    return as_typed(found["label"]) if found else None


def _of_table(file: Path, place: Path) -> LabelOf:
    """Return the labels of a table, whose paths are absolute, or from the root, or from where it lies."""
    if not file.is_file():
        raise InvalidInputError(
            f"labels come from the table {file}, which is not there any more", hint=Hint("say_labels")
        )
    by_path: dict[str, str] = {}
    by_exported: dict[str, str] = {}  # paths that are spelled as they are exported
    for line, path, label in read_label_table(file):
        for folder in dict.fromkeys((place, file.parent)):
            key = composed(os.path.normpath(folder / path))
            if "\\" in path and label:
                by_exported.setdefault(composed(os.path.normpath(folder / unescape(path))), label)
            if label and by_path.setdefault(key, label) != label:
                raise InvalidInputError(
                    f"{file}, line {line}: {path} has the label {label!r}, and in a line above"
                    f" {by_path[key]!r}; expected one label a file"
                )

    def label_of(path: str) -> str | None:
        key = composed(os.path.normpath(place / unescape(path)))
        return by_path.get(key) or by_exported.get(key)

    return label_of


def read_label_table(file: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line number, path and label of each row of a table.

    Raises
    ------
    InvalidInputError
        If it cannot be read, or lacks the columns.
    """
    try:
        with io.StringIO(text_of(read_named(file)), newline="") as stream:
            reader = csv.DictReader(stream)
            columns = [name.strip().casefold() for name in reader.fieldnames or []]
            if not set(_COLUMNS) <= set(columns):
                raise InvalidInputError(
                    f"the columns of {file} are {', '.join(columns) or 'none'}; expected path and label in"
                    " its first line"
                )
            reader.fieldnames = columns
            for row in reader:
                path, label = (from_cell((row[name] or "").strip(" \t")) for name in _COLUMNS)
                yield reader.line_num, path, as_typed(label)
    except OSError as error:
        raise InvalidInputError(f"cannot read {file}: {error.strerror or error}") from error
    except csv.Error as error:
        raise InvalidInputError(f"{file} is no table of comma-separated values: {error}") from error
