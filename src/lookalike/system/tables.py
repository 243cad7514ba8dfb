"""Rows for other programs: as Arrow's table, pandas' data frame, and HTML for a notebook."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lookalike.errors import MissingExtraError
from lookalike.system.file_names import storable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MOST_ROWS = 20
"""So many rows of a table are shown in a notebook."""

Columns = Mapping[str, Iterable[Any]]
"""Columns of equal length, by name."""


class Table(ABC):
    """What has rows."""

    __slots__ = ()

    @abstractmethod
    def _columns(self) -> Columns:
        """Return the columns by name, each with a value a row."""

    def to_arrow(self) -> pa.Table:
        r"""Return the rows as a table of Arrow's.

        Names of files that are not UTF-8, which Arrow cannot hold, have their other bytes as ``\xe9``; see
        `lookalike.system.file_names`.
        """
        import pyarrow as pa

        return pa.table({name: _as_text(values) for name, values in self._columns().items()})

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a data frame of pandas, which has to be installed.

        Raises
        ------
        MissingExtraError
            If it is not.
        """
        try:
            import pandas
        except ImportError as error:
            raise MissingExtraError(
                "a data frame needs the library pandas, which is not installed",
                hint="install it with: pip install pandas",
            ) from error
        return pandas.DataFrame({name: _as_text(values) for name, values in self._columns().items()})

    def _repr_html_(self) -> str:
        """Show the first rows in a notebook."""
        columns = {name: list(values) for name, values in self._columns().items()}
        rows = list(zip(*columns.values(), strict=True))
        return html_table(list(columns), rows[:MOST_ROWS], n_more=len(rows) - MOST_ROWS)


def _as_text(values: Iterable[Any]) -> Any:
    """Return a column in which no text has bytes that are not UTF-8."""
    if not isinstance(values, list | tuple):
        return values
    return [_printable(value) for value in values]


def _printable(value: Any) -> Any:
    if isinstance(value, str) and not value.isascii():
        return storable(value)
    return [_printable(each) for each in value] if isinstance(value, list | tuple) else value


def escape(text: object) -> str:
    """Return a text as HTML shows it, whatever is in it.

    >>> escape('<b>"é"')
    '&lt;b&gt;&quot;é&quot;'
    """
    return html.escape(_printable(str(text)))


def html_table(
    head: Sequence[str],
    rows: Sequence[Sequence[Any]],
    n_more: int = 0,
    cell: Callable[[Any], str] | None = None,
) -> str:
    """Return a table in HTML.

    Parameters
    ----------
    head : sequence of str
        Of the columns; none, where these need no names.
    rows : sequence of sequences
    n_more : int
        How many rows are not shown.
    cell : callable, optional
        Writes a value as HTML; numbers short, and nothing for None, by default.

    Examples
    --------
    >>> html_table(["name"], [["a<b"], [0.5]])
    '<table><thead><tr><th>name</th></tr></thead><tbody><tr><td>a&lt;b</td></tr><tr><td>0.5</td></tr></tbody></table>'
    """
    write = cell or _cell
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{write(value)}</td>' for value in row)}</tr>" for row in rows)
    table = f"<table>{f'<thead><tr>{names}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"
    return table + (f"<p>… and {n_more:,} more</p>" if n_more > 0 else "")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return escape(f"{value:.4g}")
    return escape(", ".join(map(str, value)) if isinstance(value, list | tuple) else value)
