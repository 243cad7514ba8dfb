"""Checksums: what tells that a file is what was written, and which files were found to be so already.

A sum is a CRC-32, at some gigabytes a second: it finds what goes wrong by itself, on disks and on the way to
them, and not what somebody has forged. Documents of JSON carry their own, under the name ``sum``.

To read a large file through at each opening takes too long. So one that was found whole once is taken for
whole as long as its size, its time and its number (`FileIdentity`) stay what they are: in this process, and
beside the file, where that can be written.
"""

from __future__ import annotations

import json
import os
import threading
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lookalike.system.file_identity import FileIdentity
from lookalike.system.flush import flush_folder
from lookalike.system.replace_file import replace_file

_SUM = "sum"
_READ_AT_ONCE = 1 << 20
_REMEMBERED = 10_000  # files

_lock = threading.Lock()
_found_whole: dict[tuple[str, str], FileIdentity] = {}


def sum_of(content: bytes, before: int = 0) -> int:
    """Return the sum of bytes, behind others whose sum is `before`.

    >>> sum_of(b"abc") == sum_of(b"bc", sum_of(b"a"))
    True
    """
    return zlib.crc32(content, before)


def sum_of_file(file: Path | str) -> int:
    """Return the sum of a file.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    found = 0
    with open(file, "rb", buffering=0) as stream:
        while block := stream.read(_READ_AT_ONCE):
            found = zlib.crc32(block, found)
    return found


def summed(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document of JSON with its sum in it.

    >>> checked(summed({"a": 1}))
    {'a': 1}
    """
    plain = json.loads(json.dumps(document))  # as it will be read: texts for keys, lists for tuples
    return {**plain, _SUM: _sum_of_document(plain)}


def checked(document: Any) -> dict[str, Any]:
    """Return a document without its sum; one of an earlier version has none.

    Raises
    ------
    ValueError
        If it is no document, or not the one that was written.
    """
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")
    rest = {name: value for name, value in document.items() if name != _SUM}
    if _SUM in document and document[_SUM] != _sum_of_document(rest):
        raise ValueError("it is not what was written: its checksum is another")
    return rest


def read_document(content: bytes) -> dict[str, Any]:
    """Return the document that a file of JSON holds, without its sum.

    Raises
    ------
    ValueError
        If it holds none, or not the one that was written; it says which, in words for people.

    Examples
    --------
    >>> read_document(b'{"a": 1}')
    {'a': 1}
    >>> read_document(b'{"a"')
    Traceback (most recent call last):
    ValueError: it is cut off
    """
    return checked(_parse(content))


def _parse(content: bytes) -> Any:
    """Return what a file of JSON holds; see `read_document`."""
    if not content.strip():
        raise ValueError("it is empty")
    if not content.strip(b"\0"):
        raise ValueError("it holds nothing but zeros")
    try:
        return json.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        is_cut = error.end == len(content) and error.reason == "unexpected end of data"
        raise ValueError("it is cut off" if is_cut else "it is no text") from error
    except json.JSONDecodeError as error:
        is_cut = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string")
        raise ValueError(
            "it is cut off" if is_cut else f"it is no JSON from line {error.lineno} on"
        ) from error
    except (ValueError, RecursionError) as error:  # a number of too many digits, or too many brackets
        raise ValueError("it is no JSON that lookalike wrote") from error


def why_unread(error: BaseException) -> str:
    """Say for people what is wrong with a document, by the error that reading it, or its entries, has raised.

    >>> why_unread(KeyError("roots")), why_unread(TypeError("'int' object is not iterable"))
    ('its entry roots is missing', 'an entry of it is not what it should be')
    """
    if isinstance(error, KeyError) and error.args:
        return f"its entry {error.args[0]} is missing"
    if isinstance(error, FileNotFoundError) and error.filename:
        return f"{os.path.basename(error.filename)} is missing"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, ValueError):
        return str(error)
    return "an entry of it is not what it should be"


def is_summed(document: Mapping[str, Any]) -> bool:
    """Tell whether a document carries its sum."""
    return _SUM in document


def is_as_written(content: bytes) -> bool:
    """Tell whether the content of a file is a document that carries its sum, and is the one that was written.

    >>> is_as_written(b'{"a": 1}')
    False
    """
    try:
        document = _parse(content)
        checked(document)
    except ValueError:
        return False
    return is_summed(document)


def _sum_of_document(document: Mapping[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return f"{sum_of(text.encode('ascii')):08x}"


def replace_noted(file: Path, content: bytes) -> None:
    """Put a file in its place that cannot carry its sum, and beside it what that is, and whose.

    What was noted of an earlier one goes first: who is cut off in between leaves a file of which nothing is
    known, not one that looks damaged.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    if _note_of(file).exists():
        _note_of(file).unlink()
        flush_folder(file.parent)
    replace_file(file, content, durable=True)
    note = summed({"file": file.name, "size": len(content), "sum_of": sum_of(content)})
    replace_file(_note_of(file), json.dumps(note).encode(), durable=True)


def check_noted(file: Path, content: bytes) -> bool:
    """Tell whether the sum of a file's content was noted, and that it is the same.

    Raises
    ------
    ValueError
        If the content is not what was noted. A note that is damaged says nothing.
    """
    try:
        note = checked(json.loads(_note_of(file).read_bytes()))
        expected = note["size"], note["sum_of"]
    except (OSError, ValueError, KeyError, RecursionError):
        return False
    if note.get("file") != file.name or expected != (len(content), sum_of(content)):
        raise ValueError("it is not what was written: its checksum is another")
    return True


def _note_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.sum")


class FoundWhole:
    """Which files of a folder were found whole, as they are now.

    Parameters
    ----------
    folder : Path
    name : str
        The file in it that remembers them for other processes. What stands there is taken at its word only
        where it fits the files: damage to it costs another reading, no more.
    """

    def __init__(self, folder: Path, name: str = "whole.json") -> None:
        self.folder = folder
        self._file = folder / name
        self._there: dict[str, FileIdentity] | None = None

    def has(self, file: str) -> bool:
        """Tell whether a file, relative to the folder, is as it was when it was found whole."""
        try:
            facts = FileIdentity.of(os.stat(self.folder / file))
        except OSError:
            return False
        if _found_whole.get((str(self.folder), file)) == facts:
            return True
        return self._read().get(file) == facts

    def add(self, facts: Mapping[str, FileIdentity]) -> None:
        """Remember files, relative to the folder, with the facts that they had before they were read."""
        if not facts:
            return
        with _lock:
            while len(_found_whole) > _REMEMBERED:
                _found_whole.pop(next(iter(_found_whole)))
            _found_whole.update({(str(self.folder), file): each for file, each in facts.items()})
        self._there = {**self._read(), **facts}
        try:
            replace_file(self._file, json.dumps(self._there).encode())
        except OSError:  # a disk that cannot be written to: other processes look for themselves
            return

    def _read(self) -> dict[str, FileIdentity]:
        if self._there is None:
            try:
                rows = json.loads(self._file.read_bytes())
                self._there = {str(file): FileIdentity(*map(int, row)) for file, row in rows.items()}
            except (OSError, ValueError, TypeError, AttributeError):
                self._there = {}
        return self._there
