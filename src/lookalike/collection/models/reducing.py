"""Reduced models of a collection: fitted on its vectors, and kept up to date with them."""

from __future__ import annotations

import shutil

import numpy as np

from lookalike.collection.columns import FileColumns, are_in
from lookalike.collection.embedded import nothing_embedded
from lookalike.collection.resources import Resources
from lookalike.embed import Model, ModelRegistry, base_name, reduce_vectors
from lookalike.errors import InvalidInputError, StoreError
from lookalike.pca import PCA
from lookalike.store import Store
from lookalike.sync import COMMIT_IMAGES
from lookalike.system.memory import check_vectors_fit
from lookalike.system.progress import Progress, Watch


def reduce_model(resources: Resources, pca: PCA, model: Model, asked: str | None, watch: Watch) -> str:
    """Fit a PCA on the vectors of a model, and keep it with what it makes of them; return its name.

    The caller holds the writer's lock. `asked` is what the user called it, if anything.
    """
    store, registry = resources.live, resources.models
    table = store.vectors(model.name, model.dimension)
    check_vectors_fit(table.count(), model.dimension)
    ids, vectors = table.read_vectors()
    is_there = are_in(ids, FileColumns(store.files.read).images)
    if not is_there.all():  # who wrote before was killed
        vectors = vectors[is_there]
    if not len(vectors):
        raise nothing_embedded(store, model.name, asked)
    if len(vectors) == 1:
        raise InvalidInputError("there is only 1 image; expected at least 2, to find components")
    fitted = pca.fit(vectors, **watch.told)
    name = registry.add_reduced(model.name, fitted).name
    try:
        extend_reduced(store, registry, name, watch)
    except StoreError:
        registry.remove_reduced(name)
        shutil.rmtree(store.vectors(name, 1).folder, ignore_errors=True)
        raise
    return name


def extend_reduced(store: Store, registry: ModelRegistry, name: str, watch: Watch) -> None:
    """Give every image that has a vector of the base model one of the reduced model."""
    base, reduced = registry.get(base_name(name) or name), registry.get(name)
    table = store.vectors(reduced.name, reduced.dimension)
    source = store.vectors(base.name, base.dimension)
    there = table.read(["id"])["id"].to_numpy()
    if np.isin(source.read(["id"])["id"].to_numpy(), there).all():
        return  # the usual case, for which the vectors themselves need not be read
    ids, vectors = source.read_vectors()
    missing = np.flatnonzero(~np.isin(ids, there))
    pca = registry.pca(name)
    for start in range(0, len(missing), COMMIT_IMAGES):
        watch(Progress("reducing", start, len(missing), f"writing {name}", unit="images"))
        rows = missing[start : start + COMMIT_IMAGES]
        store.write_vectors(ids[rows], reduce_vectors(vectors[rows], pca, reduced), table)
    table.maintain()
