"""Vectors that users bring along, of models that are not ours."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.as_numbers import as_numbers
from lookalike.collection.embedded import vector_table
from lookalike.collection.models.reducing import extend_reduced
from lookalike.collection.references import References
from lookalike.collection.resources import Resources
from lookalike.collection.searchers import forget_indexes
from lookalike.embed import Model, ModelRegistry, base_name, reduce_vectors
from lookalike.errors import InvalidInputError, ModelConflictError, ModelNotFoundError
from lookalike.results.adding import AddedImage, VectorReport
from lookalike.sync import COMMIT_IMAGES
from lookalike.system.checked_calls import shown as words_of
from lookalike.system.progress import UNWATCHED, Progress, Watch
from lookalike.types import Ids, Metric, Vectors

_AT_ONCE = COMMIT_IMAGES


def own_model(registry: ModelRegistry, name: str) -> Model:
    """Return a model whose vectors are brought along.

    Raises
    ------
    ModelError
        If there is none of that name, or it is one that embeds itself.
    """
    found = registry.external(name) if isinstance(name, str) else None
    if found is None:
        raise ModelNotFoundError(
            f"there is no model {name!r} in this collection whose vectors are brought along",
            hint="the first vectors that are brought along under a name make the model",
        )
    return found


def check_vector(vector: npt.ArrayLike, model: Model) -> Vectors:
    """Return a vector as the model's table keeps it, (d,) float32.

    Raises
    ------
    InvalidInputError
        If it is of another dimension, not finite, or has no direction.
    """
    given = as_numbers(vector, "the numbers of a vector")
    if given.ndim != 1 or given.dtype.kind == "b":
        raise InvalidInputError(
            f"the vector is {given.dtype} of shape {given.shape}; expected numbers of shape (d,)",
            field="vectors",
        )
    _check_dimension(given.shape[0], model)
    rows, problems = _unit_rows(given[None], model.metric)
    if problems:
        raise InvalidInputError(problems[0], field="vectors")
    row: Vectors = rows[0]
    return row


def add_vectors(
    resources: Resources,
    name: str,
    images: Sequence[str | int] | Ids,
    vectors: npt.ArrayLike,
    metric: Metric,
    watch: Watch,
) -> VectorReport:
    """Write vectors; see `Collection.add_vectors`. The writer's lock is held."""
    given = as_numbers(vectors)
    if given.ndim != 2 or given.dtype.kind == "b" or 0 in given.shape:
        raise InvalidInputError(
            f"the vectors are {given.dtype} of shape {given.shape}; expected numbers of shape (n, d)",
            field="vectors",
        )
    if not isinstance(images, Sequence | np.ndarray) or (isinstance(images, np.ndarray) and not images.ndim):
        raise InvalidInputError(
            f"images is {words_of(images)}; expected a list of ids or names", field="images"
        )
    if isinstance(images, str) or len(images) != len(given):
        n = 1 if isinstance(images, str) else len(images)
        raise InvalidInputError(
            f"there are {n:,} images and {len(given):,} vectors; expected one vector an image", field="images"
        )
    model = _register(resources, name, given.shape[1], metric)
    references = References(resources.places)
    failures: list[AddedImage] = []
    counts = {"added": 0, "changed": 0, "unchanged": 0}
    seen: dict[int, int] = {}
    for start in range(0, len(given), _AT_ONCE):
        some = given[start : start + _AT_ONCE]
        rows, problems = _unit_rows(some, model.metric)
        found: dict[int, int] = {}  # image to row
        for row, image in enumerate(images[start : start + _AT_ONCE]):
            shown = str(image)
            try:
                there = references.image(image)
                if row in problems:
                    raise InvalidInputError(problems[row])
                first = seen.setdefault(there, start + row)
                if first != start + row and not np.array_equal(given[first], some[row]):
                    raise InvalidInputError(
                        "it comes a second time, with another vector; the first one counts"
                    )
                if first == start + row:
                    found[there] = row
            except LookupError as error:
                failures.append(AddedImage(shown, "failed", reason=str(error.args[0])))
            except InvalidInputError as error:
                failures.append(AddedImage(shown, "failed", reason=str(error)))
        if found:
            ids = np.array(list(found), np.int64)
            for outcome, count in _write_changed(resources, model, ids, rows[list(found.values())]).items():
                counts[outcome] += count
        n_done = min(start + _AT_ONCE, len(given))
        watch(Progress("adding", n_done, len(given), "adding vectors", len(failures)))
    vector_table(resources.live, model).maintain()
    return VectorReport(model.name, **counts, failures=tuple(failures))


def write_own_vectors(resources: Resources, model: Model, ids: Ids, vectors: Vectors) -> None:
    """Write vectors, (n, d) as `check_vector` gives them, and what reduced models make of them."""
    store, registry = resources.live, resources.models
    reduced = [name for name in registry.reduced() if base_name(name) == model.name]
    table = vector_table(store, model)
    is_new = not len(table.read_where_in("id", ids.tolist(), ["id"]))
    # By their ids, what was made of the vectors that are replaced would still fit.
    forget = partial(forget_indexes, store.folder, [model.name, *reduced])
    if is_new:
        store.write_vectors(ids, vectors, table)
        for name in reduced:
            extend_reduced(store, registry, name, UNWATCHED)
        return
    forget(False)
    for name in reduced:
        row = registry.get(name)
        derived = reduce_vectors(vectors, registry.pca(name), row)
        store.write_vectors(ids, derived, vector_table(store, row))
    store.write_vectors(ids, vectors, table)
    forget(True)


def _register(resources: Resources, name: str, dimension: int, metric: Metric) -> Model:
    """Return the model of a name, which is made unless there is one like it."""
    registry = resources.models
    there = registry.external(name) if isinstance(name, str) else None
    if there is None:
        return registry.add_external(name, dimension, metric)
    _check_dimension(dimension, there)
    if metric != there.metric:
        raise ModelConflictError(
            f"the vectors of {name} are compared by {there.metric}, not {metric}", hint="choose another name"
        )
    return there


def _check_dimension(dimension: int, model: Model) -> None:
    if dimension != model.dimension:
        raise InvalidInputError(
            f"the vectors have {dimension:,} dimensions; those of {model.name} have {model.dimension:,}",
            field="vectors",
        )


def _unit_rows(given: npt.NDArray[Any], metric: Metric) -> tuple[Vectors, dict[int, str]]:
    """Return rows as they are compared, (n, d) float32; and of those that cannot be, why not."""
    exact = given.astype(np.float64)
    problems = {}
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(exact, axis=1)
        scaled = exact / lengths[:, None] if metric == "cosine" else exact
        rows: Vectors = scaled.astype(np.float32)
    for row in np.flatnonzero(~np.isfinite(rows).all(axis=1)).tolist():
        is_zero = metric == "cosine" and not exact[row].any()
        problems[row] = (
            "the vector is all zeros, which is no direction" if is_zero else "the vector is not finite"
        )
    return rows, problems


def _write_changed(resources: Resources, model: Model, ids: Ids, vectors: Vectors) -> dict[str, int]:
    """Write those vectors that are not there as they are; count them by what became of them."""
    table = vector_table(resources.live, model)
    there, old = table.vectors_of(ids.tolist())
    rows = {int(image): row for row, image in enumerate(there.tolist())}
    is_new = np.array([image not in rows for image in ids.tolist()])
    is_same = np.array(
        [
            image in rows and np.array_equal(old[rows[image]], vectors[number])
            for number, image in enumerate(ids.tolist())
        ]
    )
    if is_new.any():
        write_own_vectors(resources, model, ids[is_new], vectors[is_new])
    is_changed = ~is_new & ~is_same
    if is_changed.any():
        write_own_vectors(resources, model, ids[is_changed], vectors[is_changed])
    n = {"added": is_new, "changed": is_changed, "unchanged": is_same}
    return {outcome: int(which.sum()) for outcome, which in n.items()}
