"""Tables of what is exported, in UTF-8: CSV, JSON, JSON lines, Parquet; and vectors as NumPy has them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.collection.export.rows import Export
from lookalike.system.cells import as_cell, plain_cell
from lookalike.system.file_names import storable

if TYPE_CHECKING:
    import pyarrow as pa

_ROW_GROUP = 20_000  # rows of Parquet


def write_csv(export: Export, file: Path) -> None:
    """Write a table with a row for each place of each image."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, export.column_names(), restval=None)
        writer.writerow({name: as_cell(name) for name in writer.fieldnames})
        for block in export.blocks():
            writer.writerows(_as_cells(row) for row in block)


def write_json(export: Export, file: Path) -> None:
    """Write a document: what the result is, and those rows."""
    document = {**export.about, "images": [_encodable(row) for row in export.rows()]}
    file.write_text(json.dumps(document, indent=1), encoding="utf-8")


def write_json_lines(export: Export, file: Path) -> None:
    """Write a document of JSON a row, each on a line; with its vector, if these are asked for."""
    with file.open("w", encoding="utf-8", newline="\n") as stream:
        for block in export.blocks():
            vectors = None if export.model is None else export.vectors_of(_images(block)).tolist()
            for number, row in enumerate(block):
                if vectors is not None:
                    row["vector"] = _known(vectors[number])
                stream.write(json.dumps(_encodable(row), ensure_ascii=False) + "\n")


def write_parquet(export: Export, file: Path) -> None:
    """Write a table of Parquet; with vectors, if these are asked for."""
    import pyarrow as pa
    from pyarrow import parquet

    schema = _schema(export)
    with parquet.ParquetWriter(file, schema) as writer:
        for block in export.blocks():
            rows = [_encodable(row) for row in block]
            columns = {
                each.name: pa.array([row.get(each.name) for row in rows], each.type)
                for each in schema
                if each.name != "vector"
            }
            if export.model is not None:
                vectors = export.vectors_of(_images(block))
                columns["vector"] = pa.FixedSizeListArray.from_arrays(
                    pa.array(vectors.ravel()),
                    export.model.dimension,
                    mask=pa.array(np.isnan(vectors).any(axis=1)),
                )
            writer.write_table(pa.table(columns, schema=schema), row_group_size=_ROW_GROUP)


def write_npy(export: Export, file: Path) -> None:
    """Write the vectors, (n, d) float32, and beside them the table of which row i is that of vector i.

    Images that the model has not embedded are NaN.
    """
    assert export.model is not None
    write_csv(export, Path(f"{file}.csv"))
    images = [image for image, found, _ in export.located() for _ in found]
    shape = (len(images), export.model.dimension)
    with file.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})
        for start in range(0, len(images), _ROW_GROUP):
            export.vectors_of(images[start : start + _ROW_GROUP]).astype("<f4").tofile(stream)


def _images(rows: Iterable[Mapping[str, Any]]) -> list[int]:
    return [int(row["id"], 16) for row in rows]


def _known(vector: list[float]) -> list[float] | None:
    return None if vector and vector[0] != vector[0] else vector


def _as_cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as CSV has it: safe for spreadsheets, lists with semicolons.

    >>> _as_cells({"path": "/photos/a.jpg", "label": "=1+1", "x": -0.5, "keywords": ["sea", "sun"]})
    {'path': '/photos/a.jpg', 'label': "'=1+1", 'x': -0.5, 'keywords': 'sea; sun'}
    """
    return {name: plain_cell(value) for name, value in _encodable(row).items()}


def _encodable(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose texts UTF-8 can hold."""
    return {
        name: storable(value)
        if isinstance(value, str)
        else [storable(str(each)) if isinstance(each, str) else each for each in value]
        if isinstance(value, list | tuple)
        else value
        for name, value in row.items()
    }


def _schema(export: Export) -> pa.Schema:
    """Return the columns with their types: those of the first rows that have a value."""
    import pyarrow as pa

    known: dict[str, Any] = {
        **dict.fromkeys(("path", "id", "label", "split", "format", "taken", "camera", "lens"), pa.string()),
        **dict.fromkeys(("caption", "name", "key"), pa.string()),
        **dict.fromkeys(("width", "height", "rating", "rank", "cluster"), pa.int32()),
        **dict.fromkeys(("sharpness", "latitude", "longitude", "score", "distance", "x", "y"), pa.float64()),
        "keywords": pa.list_(pa.string()),
        "placed": pa.bool_(),
    }
    known |= {name: pa.array(list(export.columns[name])).type for name in export.columns if name not in known}
    known |= {name: _own_type(export, name) for name in export.column_names() if name not in known}
    fields = [pa.field(name, known[name]) for name in export.column_names()]
    if export.model is not None:
        fields.append(pa.field("vector", pa.list_(pa.float32(), export.model.dimension)))
    return pa.schema(fields)


def _own_type(export: Export, name: str) -> pa.DataType:
    import pyarrow as pa

    kinds = export.resources.places.snapshot.fields.kinds
    types = {"number": pa.float64(), "boolean": pa.bool_(), "tags": pa.list_(pa.string())}
    return types.get(kinds.get(name, kinds.get(name.removesuffix("_"), "text")), pa.string())
