"""Pages that tell of every row of a table name them all: a new row is missed until it is described."""

from pathlib import Path

import pytest

from lookalike.cluster.algorithms import algorithm_names
from lookalike.collection.export.forms import form_names
from lookalike.datasets import REGISTRY
from lookalike.embed import MODELS
from lookalike.evaluate import MEASURES
from lookalike.images.formats import EXTENSIONS
from lookalike.projection.methods import method_names

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("formats.md", [f"`{ending}`" for ending in EXTENSIONS]),
        ("command-line.md", [f"`{name}`" for name in algorithm_names()]),
        ("command-line.md", [f"`{row.name}`" for row in REGISTRY if row.is_of_files]),
        ("maps.md", [f"`{name}`" for name in method_names()]),
        ("results.md", [f"`{name}`" for name in form_names()]),
        ("models.md", [f"`{row.name}`" for row in MODELS if row.precision == "float32"]),
        ("evaluate.md", [f"| {row.name} |" if row.is_of_whole else f"| {row.name}@k |" for row in MEASURES]),
    ],
    ids=["formats", "algorithms", "data sets", "map methods", "forms of exports", "models", "measures"],
)
def test_page_names_every_row(page, words):
    text = (DOCS / page).read_text(encoding="utf-8")
    assert [word for word in words if word not in text] == []
