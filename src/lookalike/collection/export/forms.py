"""The forms that results are exported in, as a table. To add one, add a row, and a function that writes it.

Nothing heavy is imported here, so that a help text or an error can say at once what there is.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from lookalike.errors import InvalidInputError
from lookalike.system.rows import find_row, names_of


@dataclass(frozen=True, slots=True)
class ExportForm:
    """One form.

    Attributes
    ----------
    name : str
    writer : str
        ``module:function`` that writes an `export.rows.Export` to a path where nothing is yet.
    is_file : bool
        Whether it is one file; else it is a folder, with the images of each group in one of their own.
    endings : tuple of str
        Of the files that are taken for it.
    beside : str
        The ending of a second file that it writes, in place of its own; empty where there is none.
    vectors : bool or None
        Whether vectors go into it where nobody says; None if none can.
    has_groups : bool
        Whether the images are in groups: by label, split or cluster.
    """

    name: str
    writer: str
    is_file: bool
    endings: tuple[str, ...] = ()
    beside: str = ""
    vectors: bool | None = None
    has_groups: bool = False


_HERE = "lookalike.collection.export"

EXPORT_FORMS: tuple[ExportForm, ...] = (
    ExportForm("csv", f"{_HERE}.tables:write_csv", is_file=True, endings=(".csv",)),
    ExportForm("json", f"{_HERE}.tables:write_json", is_file=True, endings=(".json",)),
    ExportForm(
        "jsonl", f"{_HERE}.tables:write_json_lines", True, endings=(".jsonl", ".ndjson"), vectors=False
    ),
    ExportForm("parquet", f"{_HERE}.tables:write_parquet", True, endings=(".parquet",), vectors=True),
    ExportForm("npy", f"{_HERE}.tables:write_npy", True, endings=(".npy",), beside=".csv", vectors=True),
    ExportForm("coco", f"{_HERE}.coco:write_coco", True, endings=(".coco.json",), has_groups=True),
    ExportForm("copy", f"{_HERE}.folders:write_copies", is_file=False, has_groups=True),
    ExportForm("hardlink", f"{_HERE}.folders:write_hard_links", is_file=False, has_groups=True),
    ExportForm("symlink", f"{_HERE}.folders:write_symbolic_links", is_file=False, has_groups=True),
)
"""The usual one first."""

DEFAULT_FORM = EXPORT_FORMS[0].name
"""The form of a clustering where none is named."""

DEFAULT_FOLDER = "copy"
"""The form of what has no ending."""


def form_names() -> tuple[str, ...]:
    """Return the names of all forms, the usual one first."""
    return names_of(EXPORT_FORMS)


def get_form(name: str) -> ExportForm:
    """Return the row of a form.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    return find_row(EXPORT_FORMS, name, f"there is no export as {name!r}")


def choose_form(to: str) -> ExportForm:
    """Return the row of the form that a path asks for by its ending; a folder, if it has none.

    Raises
    ------
    InvalidInputError
        If no form has this ending.

    Examples
    --------
    >>> [choose_form(to).name for to in ("a.csv", "train.coco.json", "b.JSON", "groups", "v1.2/")]
    ['csv', 'coco', 'json', 'copy', 'copy']
    """
    name = os.path.basename(to).lower()
    endings = {ending: row for row in EXPORT_FORMS for ending in row.endings}
    for ending in sorted(endings, key=len, reverse=True):
        if name.endswith(ending):
            return endings[ending]
    if "." in name.lstrip("."):
        raise InvalidInputError(
            f"the ending of {to} says no form of an export; expected one of {', '.join(endings)}, a folder,"
            f" or that a form is named: {', '.join(form_names())}",
            field="to",
        )
    return get_form(DEFAULT_FOLDER)
