"""The forms that clusters are exported in, as a table. To add one, add a row, and a function that writes it.

Nothing heavy is imported here, so that a help text or an error can say at once what there is.
"""

from __future__ import annotations

from dataclasses import dataclass

from lookalike.system.rows import find_row, names_of


@dataclass(frozen=True, slots=True)
class ExportForm:
    """One form.

    Attributes
    ----------
    name : str
    writer : str
        ``module:function`` that writes an `exporting.Export` to a path where nothing is yet.
    is_file : bool
        Whether it is one file; else it is a folder, with the images of each cluster in one of their own.
    """

    name: str
    writer: str
    is_file: bool


_HERE = "lookalike.collection.clusterings.exporting"

EXPORT_FORMS: tuple[ExportForm, ...] = (
    ExportForm("csv", f"{_HERE}:write_csv", is_file=True),
    ExportForm("json", f"{_HERE}:write_json", is_file=True),
    ExportForm("copy", f"{_HERE}:write_copies", is_file=False),
    ExportForm("hardlink", f"{_HERE}:write_hard_links", is_file=False),
    ExportForm("symlink", f"{_HERE}:write_symbolic_links", is_file=False),
)
"""The usual one first."""

DEFAULT_FORM = EXPORT_FORMS[0].name
"""The form where none is named."""


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
