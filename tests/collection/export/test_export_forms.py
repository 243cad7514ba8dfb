"""The table of the forms that results are exported in: light, whole, and all that a new one takes."""

import inspect
import subprocess
import sys

import pytest

from lookalike import Collection
from lookalike.collection.export import forms
from lookalike.collection.export.forms import (
    DEFAULT_FORM,
    EXPORT_FORMS,
    ExportForm,
    form_names,
)
from lookalike.errors import InvalidInputError
from lookalike.system.on_demand import load


@pytest.fixture
def grouped(photos):
    """A collection of six images, clustered."""
    collection = Collection.create(photos, model="pixels-8-grey")
    collection.sync()
    collection.clusterings.make(k=2)
    return collection


def test_table_is_at_hand_without_numpy():
    code = "import lookalike.collection.export.forms, sys; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


@pytest.mark.parametrize("row", EXPORT_FORMS, ids=lambda row: row.name)
def test_form_writes_one_file_or_a_folder_as_the_row_says(row, grouped, tmp_path):
    assert next(iter(inspect.signature(load(row.writer)).parameters)) == "export"
    assert grouped.clusterings.export("kmeans", tmp_path / "out", row.name) == 6
    assert (tmp_path / "out").is_file() == row.is_file
    if not row.is_file:
        assert len(list((tmp_path / "out").glob("*/*.png"))) == 6


def test_usual_form_is_the_first():
    assert form_names() == (
        *("csv", "json", "jsonl", "parquet", "npy", "coco"),
        *("copy", "hardlink", "symlink"),
    )
    assert DEFAULT_FORM == "csv"


def write_paths(export, file):
    file.write_text("\n".join(row["path"] for row in export.rows()))


def test_row_is_all_that_a_form_takes(monkeypatch, grouped, tmp_path):
    row = ExportForm("paths", f"{__name__}:write_paths", is_file=True)
    monkeypatch.setattr(forms, "EXPORT_FORMS", (*EXPORT_FORMS, row))
    assert grouped.clusterings.export("kmeans", tmp_path / "paths.txt", "paths") == 6
    assert len((tmp_path / "paths.txt").read_text().split("\n")) == 6
    with pytest.raises(InvalidInputError, match=r"no export as 'xml'; expected one of csv, .*, paths"):
        grouped.clusterings.export("kmeans", tmp_path / "other", "xml")
