"""Exports to standard output: ``-`` in place of a file."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lookalike.cli.console import STANDARD, naming_output, refuse_standard
from lookalike.errors import InvalidInputError

STREAMED = ("csv", "json", "jsonl")
"""The forms that can be written there, by their names in `EXPORT_FORMS`."""


def is_standard(to: Path, form: str | None, *, json: bool, force: bool) -> bool:
    """Tell whether an export goes to standard output.

    Parameters
    ----------
    to : Path
        As it was named.
    form : str or None
        Of the export, as far as it was named.
    json, force : bool
        Options that are for files.

    Raises
    ------
    InvalidInputError
        If such an export cannot go there.
    """
    if str(to) != STANDARD:
        return False
    known = f"{', '.join(STREAMED[:-1])} or {STREAMED[-1]}"
    if form is None:
        raise InvalidInputError(f"standard output (-) says no form of an export; name it with --as: {known}")
    if form not in STREAMED:
        refuse_standard(to, f"an export as {form}", f"the name of a file or a folder, or --as {known}")
    if json or force:
        raise InvalidInputError(f"{'--json' if json else '--force'} is for a file; leave it out")
    return True


@contextlib.contextmanager
def streamed(form: str) -> Iterator[Path]:
    """Give the name of a new file, which is written to standard output once it is whole."""
    with tempfile.TemporaryDirectory(prefix="lookalike-") as folder:
        file = Path(folder, f"export.{form}")
        yield file
        if sys.stdout is None:  # closed by whoever started us
            return
        with file.open("rb") as stream, naming_output():
            shutil.copyfileobj(stream, sys.stdout.buffer)
            sys.stdout.flush()
