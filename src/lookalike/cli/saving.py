"""What a command has made, saved in a file: as a picture, a page, a table or a document, by its ending."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lookalike.cli.console import check_pictures, refuse_standard, save_picture, tell
from lookalike.errors import InvalidInputError
from lookalike.system.file_names import storable

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure

    from lookalike.system.output import IsOurs
    from lookalike.system.tables import Table

_PICTURE = "picture"
_OTHERS: Mapping[str, str] = MappingProxyType(
    {".html": "page", ".csv": "table", ".parquet": "table", ".json": "document"}
)
SAID = "Save it: picture (.png, .svg, .pdf, .jpg), page (.html), table (.csv, .parquet), document (.json)."
"""What the option says of itself."""

_STYLE = (
    ":root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:75em;"
    "padding:0 1em}h1{font-size:1.3em;overflow-wrap:anywhere}table{border-collapse:collapse}"
    "td,th{padding:.2em .8em;text-align:left;border-bottom:1px solid #8884}"
)

_START = "<!doctype html>"
_MARK = '<meta name="generator" content="'  # by which a page is known for one of ours
_IN_HEAD = 200  # bytes


@dataclass(frozen=True, slots=True)
class Saveable:
    """What can be saved of something that was made.

    Attributes
    ----------
    title : str
        Of its page.
    document : callable
        Gives what ``--json`` prints.
    draw : callable, optional
        Draws it.
    table : callable, optional
        Gives its rows.
    html : callable, optional
        Gives the body of its page.
    """

    title: str
    document: Callable[[], Mapping[str, Any]]
    draw: Callable[[], Figure] | None = None
    table: Callable[[], pa.Table] | None = None
    html: Callable[[], str] | None = None

    @classmethod
    def of(
        cls,
        title: str,
        result: Table,
        document: Callable[[], Mapping[str, Any]],
        draw: Callable[[], Figure] | None = None,
    ) -> Saveable:
        """Return what can be saved of a result that is a table."""
        return cls(title, document, draw, result.to_arrow, result._repr_html_)


def is_picture(file: Path | None) -> bool:
    """Tell whether a name is one of a picture, or of nothing that is known."""
    return file is not None and file.suffix.lower() not in _OTHERS


def check_saving(file: Path | None, *pictures: Path | None, dark: bool, force: bool) -> None:
    """Raise LookalikeError if nothing can be saved so, or if it is said how, and nothing is to be saved.

    Parameters
    ----------
    file : Path, optional
        Of any kind.
    *pictures : Path, optional
        Others, which are pictures.
    """
    drawn = [*pictures, file if is_picture(file) else None]
    if file is not None and is_picture(file):
        _check_ending(file)
    elif file is not None:
        from lookalike.system.output import check_output

        check_output(file, _own_mark_of(file), force=force)
        force = force and any(drawn)  # what is not drawn may be forced as well
    check_pictures(*drawn, dark=dark, force=force)


def _check_ending(file: Path) -> None:
    from lookalike.plots.style import ENDINGS

    refuse_standard(file, "a picture", "the name of a file")
    if file.suffix.lower() not in ENDINGS:
        raise InvalidInputError(f"{file}: it is saved as one of {', '.join((*ENDINGS, *_OTHERS))}")


def _own_mark_of(file: Path) -> IsOurs | None:
    return _is_own_page if _OTHERS.get(file.suffix.lower()) == "page" else None


def save(file: Path | None, made: Saveable, *, dark: bool, force: bool) -> None:
    """Save what was made, if a file was named, and say so.

    Raises
    ------
    InvalidInputError
        If it cannot be saved as that.
    """
    if file is None:
        return
    ending = file.suffix.lower()
    kind = _OTHERS.get(ending, _PICTURE)
    if kind == _PICTURE and made.draw is not None:
        save_picture(made.draw, file, dark=dark, force=force)
        return
    if kind == "document":
        content = json.dumps(_storable(made.document()), indent=1).encode()
    elif kind == "page" and made.html is not None:
        content = _page(made.title, made.html())
    elif kind == "table" and made.table is not None:
        content = _csv(made.table()) if ending == ".csv" else _parquet(made.table())
    else:
        raise InvalidInputError(f"-o is {file}, and {made.title} is not saved as a {kind}; name another file")
    from lookalike.system.output import write_output

    write_output(file, content, _own_mark_of(file), force=force)
    tell(f"saved {file}")


def _storable(value: Any) -> Any:
    """Return a document whose texts UTF-8 can hold."""
    if isinstance(value, Mapping):
        return {_storable(name): _storable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(each) for each in value]
    return storable(value) if isinstance(value, str) else value


def _csv(table: pa.Table) -> bytes:
    """Return a table in UTF-8, safe for spreadsheets; lists with semicolons."""
    import csv

    from lookalike.system.cells import as_cell, plain_cell

    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(map(as_cell, table.column_names))
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        writer.writerow(map(plain_cell, row))
    return text.getvalue().encode()


def _parquet(table: pa.Table) -> bytes:
    from pyarrow import parquet

    content = io.BytesIO()
    parquet.write_table(table, content)
    return content.getvalue()


def _page(title: str, body: str) -> bytes:
    from lookalike.images.own import own_mark
    from lookalike.system.tables import escape

    title = escape(title)
    head = f'<meta charset="utf-8">{_MARK}{own_mark()}"><title>{title}</title><style>{_STYLE}</style>'
    shown = f"<h1>{title}</h1>{body}"
    return f'{_START}<html lang="en"><head>{head}</head><body>{shown}</body></html>\n'.encode()


def _is_own_page(content: bytes) -> bool:
    return content.startswith(_START.encode()) and f"{_MARK}lookalike ".encode() in content[:_IN_HEAD]
