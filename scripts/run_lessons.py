"""Run the lessons in docs/lessons, and keep in them what they print and draw, to be read as they are.

    python scripts/run_lessons.py [NAME…]

Without Jupyter: code cells are plain Python. Pictures are made small, as the files are kept with the sources.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["MPLBACKEND"] = "agg"

LESSONS = Path(__file__).resolve().parents[1] / "docs/lessons"
OF_THE_READER = frozenset({"your-photos"})
"""Lessons on pictures of the reader's own: what they draw is not kept."""

_DPI = 80
_COLORS = 128
_WIDEST = 1_000  # pixels

Output = dict[str, Any]


def read(lesson: Path) -> dict[str, Any]:
    """Return a notebook as the document that it is."""
    document: dict[str, Any] = json.loads(lesson.read_text(encoding="utf-8"))
    return document


def run(document: dict[str, Any], instead: dict[str, str] | None = None) -> list[list[Output]]:
    """Run the code cells of a notebook, each after the other, as Jupyter would.

    Parameters
    ----------
    document : dict
    instead : dict, optional
        Lines of code to be others: a folder, say.

    Returns
    -------
    list of list of dict
        The outputs of each code cell, as notebooks have them.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    found = []
    for cell in document["cells"]:
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        for line, other in (instead or {}).items():
            source = source.replace(line, other)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            value = _execute(source, names)
        outputs = []
        if printed.getvalue():
            lines = printed.getvalue().splitlines(keepends=True)
            outputs.append({"output_type": "stream", "name": "stdout", "text": lines})
        outputs += [_of_data("display_data", {"image/png": picture}) for picture in _drawn()]
        if value is not None:
            outputs.append(_of_data("execute_result", _data_of(value)) | {"execution_count": len(found) + 1})
        found.append(outputs)
    return found


def keep(document: dict[str, Any], outputs: list[list[Output]]) -> None:
    """Put outputs into the code cells of a notebook."""
    code = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    for number, (cell, found) in enumerate(zip(code, outputs, strict=True), start=1):
        cell["execution_count"], cell["outputs"] = (number, found) if found else (number, [])


def write(document: dict[str, Any], lesson: Path) -> None:
    """Write a notebook, as `ruff format` does."""
    text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)
    lesson.write_text(text + "\n", encoding="utf-8")


def _execute(source: str, names: dict[str, Any]) -> Any:
    """Run a cell, and return what its last line gives, unless it ends in a semicolon."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "<lesson>", "exec"), names)
    if last is None:
        return None
    value = eval(compile(ast.Expression(last.value), "<lesson>", "eval"), names)
    return None if source.rstrip().endswith(";") else value


def _drawn() -> list[str]:
    """Return the figures that pyplot has open, closed, as PNG in base64."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return []
    found = []
    for number in pyplot.get_fignums():
        stream = io.BytesIO()
        pyplot.figure(number).savefig(stream, format="png", dpi=_DPI, bbox_inches="tight")
        found.append(_small(stream.getvalue()))
    pyplot.close("all")
    return found


def _data_of(value: Any) -> dict[str, Any]:
    """Return what a notebook shows of a value: its picture or its HTML, and its repr."""
    data: dict[str, Any] = {"text/plain": [repr(value)]}
    if hasattr(value, "_repr_png_"):
        data["image/png"] = _small(value._repr_png_()[0])
    elif hasattr(value, "_repr_html_") and (shown := value._repr_html_()) is not None:
        data["text/html"] = [shown]
    return data


def _of_data(kind: str, data: dict[str, Any]) -> Output:
    return {"output_type": kind, "data": data, "metadata": {}}


def _small(png: bytes) -> str:
    from PIL import Image

    with Image.open(io.BytesIO(png)) as opened:
        picture = opened.convert("RGB")
    if picture.width > _WIDEST:
        size = _WIDEST, round(picture.height * _WIDEST / picture.width)
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    picture.quantize(_COLORS).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def main(wanted: list[str]) -> None:
    """Run the lessons of these names, or all."""
    for lesson in sorted(LESSONS.glob("*.ipynb")):
        if lesson.stem in OF_THE_READER or (wanted and lesson.stem not in wanted):
            continue
        document = read(lesson)
        keep(document, run(document))
        write(document, lesson)
        print(f"{lesson}: {lesson.stat().st_size / 1e3:,.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
