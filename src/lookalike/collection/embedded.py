"""The vectors that a collection has of a model."""

from __future__ import annotations

from lookalike.embed import Model
from lookalike.errors import ModelError
from lookalike.store import Store, Table


def vector_table(store: Store, model: Model) -> Table:
    """Return the table of a model's vectors, once it is sure that they have the model's dimension."""
    table = store.vectors(model.name, model.dimension)
    there = table.dimension()
    if there not in (None, model.dimension):
        raise ModelError(
            f"the vectors of {model.name} in {store.folder} have {there:,} dimensions; the model gives"
            f" {model.dimension:,}: they are of another model, so delete {table.folder} and index again"
        )
    return table


def nothing_embedded(store: Store, model: str, asked: str | None) -> str:
    """Say that there are no vectors of a model, and how to ask for them as the user has named it."""
    others = ", ".join(store.vector_tables())
    if not store.images.count():
        return f"the collection in {store.folder} holds no images; run `lookalike index` first"
    return (
        f"no image of the collection in {store.folder} is embedded with {model} (only with {others});"
        f" run `lookalike index --model {asked or model}` first"
    )
