"""A collection brought up to date with the disk: what it covers, for each of its models in turn."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from lookalike.answers import Failure, SyncReport
from lookalike.collection.clusterings import Clusterings
from lookalike.collection.embedded import vector_table
from lookalike.collection.places import Places
from lookalike.collection.reducing import extend_reduced
from lookalike.collection.roots import Roots
from lookalike.embed import Compute, Model, ModelShelf, base_name
from lookalike.errors import CollectionError, ModelError
from lookalike.images.passed_over import count_kinds
from lookalike.store import Store, writer_lock
from lookalike.sync import (
    Area,
    Known,
    Plan,
    Progress,
    Tally,
    carry_out,
    choose_areas,
    decide_areas,
    look,
)


def sync(
    store: Store,
    shelf: ModelShelf,
    roots: Roots,
    clusterings: Clusterings,
    paths: Sequence[str | os.PathLike[str]],
    datasets: Sequence[str] | None,
    model: str | None,
    dry_run: bool,
    prune: bool,
    jobs: int,
    compute: Compute,
    report: Callable[[Progress], None],
    commit_seconds: float,
) -> SyncReport:
    """Bring a collection up to date with the disk; see `Collection.sync`."""
    started = time.monotonic()
    names = _models_of(store, shelf, roots) if model is None else [shelf.get(model).name]
    # A reduced model is made of its base's vectors, so that one comes first.
    bases = dict.fromkeys(base_name(name) or name for name in names)
    models = []
    for name in bases:
        with _way_around(name, names):
            models.append(shelf.get(name))
    with contextlib.nullcontext() if dry_run else writer_lock(store.folder):
        roots.reload()
        places = Places(store, roots.manifest, clusterings)
        if not dry_run:
            store.upgrade()
        areas = _areas(places, paths, datasets)
        embedded, failed = 0, set[str]()
        for number, each in enumerate(models):
            vectors = vector_table(store, each)
            known = Known.read(store, vectors)
            if number == 0:
                sight = look(areas, known, prune)
            plan = decide_areas(sight, known, prune)
            if number == 0:
                first, tally = plan, Tally.of(plan, known)
            if dry_run:
                embedded += plan.n_to_read
                continue
            if plan.n_to_read:  # what is new to this model is new to those after it
                _prepare_models(store, shelf, models[number:], compute, names)
            if number == 0:
                roots.save()
            if each is models[-1]:
                sight.files.clear()  # there may be a million
            load = partial(shelf.load, each.name, compute)
            outcome = carry_out(plan, known, store, vectors, load, jobs, report, commit_seconds)
            embedded += outcome.embedded
            failed |= outcome.failed
        if not dry_run:
            for name in set(names) - set(bases):
                with _way_around(name, names):
                    extend_reduced(store, shelf, name)
            # Only now: were it killed before, the root would have to be there for its rows to go.
            roots.save(without=[area.root for area in areas if area.is_missing])
            _carry_over(store, clusterings, tally)
    places = Places(store, roots.manifest, clusterings)
    failures = places.failures()
    n_own = sum(any(area.answers_for(path) for area in areas) for path in places.own_pictures())
    if dry_run:
        failures = _foreseen(first, failures, places.absolute)
    return SyncReport(
        **tally.without(failed),
        embedded=embedded,
        failures=failures,
        passed_over=count_kinds(sight.others, sight.left_folders, n_own),
        unmet_excludes=frozenset(sight.unmet - sight.met),
        seconds=time.monotonic() - started,
    )


def _models_of(store: Store, shelf: ModelShelf, roots: Roots) -> list[str]:
    """The collection's own model first, then those that were added."""
    own = roots.manifest.model
    return [own, *sorted((set(store.vector_tables()) | set(shelf.reduced())) - {own})]


def _areas(
    places: Places, paths: Sequence[str | os.PathLike[str]], datasets: Sequence[str] | None
) -> list[Area]:
    """Turn a request into what it covers."""
    is_all = not paths and datasets is None
    areas = []
    if paths or is_all:
        areas += choose_areas({place: root for root, place in places.of_roots()}, paths)
    unknown = set(datasets or ()) - set(places.datasets)
    if unknown:
        raise CollectionError(f"the data set {min(unknown)} is not in this collection; add it first")
    areas += [
        Area(root, Path())
        for root in places.manifest.roots
        if root.dataset is not None and (is_all or root.dataset in (datasets or ()))
    ]
    return areas


def _prepare_models(
    store: Store, shelf: ModelShelf, models: Sequence[Model], compute: Compute, names: Sequence[str]
) -> None:
    """Load models that are about to be used; only once all of them could be, keep what they need.

    `names` are those of all models of this sync.
    """
    loaded = []
    for model in models:
        is_new = vector_table(store, model).count() == 0
        with _way_around(model.name, names):
            loaded.append((model.name, shelf.load(model.name, compute, is_new), is_new))
    for name, embedder, is_new in loaded:
        shelf.keep(name, embedder, is_new)


def _carry_over(store: Store, clusterings: Clusterings, tally: Tally) -> None:
    """Leave images whose files were edited in the clusters that the user put or named them in."""
    rows = store.files.read_where_in("path", tally.changed, ["path", "id"]).to_pylist()
    old_of = {row["id"]: tally.files[row["path"]].id for row in rows}
    clusterings.carry_over({new: old for new, old in old_of.items() if new != old})


@contextlib.contextmanager
def _way_around(name: str, names: Sequence[str]) -> Iterator[None]:
    """Add to what is wrong with one of several models how to go on without it."""
    try:
        yield
    except ModelError as error:
        others = [other for other in names if name not in (other, base_name(other))]
        if not others:
            raise
        raise ModelError(
            f"{error}; to go on without it, `lookalike index --model {others[0]}` brings that one alone up to"
            " date"
        ) from error


def _foreseen(
    plan: Plan, failures: tuple[Failure, ...], absolute: Callable[[str], str]
) -> tuple[Failure, ...]:
    """Return the failures that there would be without opening a file."""
    by_path = {failure.path: failure for failure in failures}
    for path in plan.cleared:
        by_path.pop(absolute(path), None)
    for row in plan.failures:
        by_path[absolute(row.path)] = Failure(absolute(row.path), row.reason)
    return tuple(by_path[path] for path in sorted(by_path))
