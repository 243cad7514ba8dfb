"""Texts in the cells of a table of comma-separated values: safe for spreadsheets, exact when they are read.

A spreadsheet takes a text that begins with ``=``, ``+``, ``-``, ``@`` and others for a formula, which may
run programs (OWASP, "CSV Injection"). Such a text gets an apostrophe before it, which spreadsheets do not
show, and so does one that has an apostrophe of its own there; who reads the table takes it away again.
"""

from __future__ import annotations

from typing import Any

_MARK = "'"
# The wide ones are signs of the same meaning on Chinese, Japanese and Korean keyboards.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", _MARK)


def as_cell(text: str) -> str:
    """Return a text as a cell has it.

    >>> as_cell("owl"), as_cell("=1+1"), as_cell("'tis")
    ('owl', "'=1+1", "''tis")
    """
    return f"{_MARK}{text}" if text.startswith(_FORMULA) else text


def plain_cell(value: Any) -> Any:
    """Return whatever a table holds as a cell has it: lists with semicolons.

    >>> plain_cell(["sea", "sun"]), plain_cell("=1+1"), plain_cell(-0.5)
    ('sea; sun', "'=1+1", -0.5)
    """
    value = "; ".join(map(str, value)) if isinstance(value, list) else value
    return as_cell(value) if isinstance(value, str) else value


def from_cell(cell: str) -> str:
    """Return the text that a cell stands for; an apostrophe before a word is the word's.

    >>> from_cell("owl"), from_cell("'=1+1"), from_cell("''tis"), from_cell("'tis")
    ('owl', '=1+1', "'tis", "'tis")
    """
    return cell[1:] if cell.startswith(_MARK) and cell[1:].startswith(_FORMULA) else cell


def text_of(content: bytes) -> str:
    """Return a table's text; names that are not UTF-8 come byte for byte, as the folder has them."""
    return content.decode("utf-8-sig", "surrogateescape")
