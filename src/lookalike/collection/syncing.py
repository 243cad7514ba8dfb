"""A collection brought up to date with the disk: what it covers, for each of its models in turn."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lookalike.answers import Failure, SyncReport
from lookalike.collection.embedded import vector_table
from lookalike.collection.manifest_file import ManifestFile
from lookalike.collection.models.reducing import extend_reduced
from lookalike.collection.places import Places
from lookalike.collection.searchers import forget_indexes
from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.embed import Compute, Model, ModelRegistry, base_name, reduce_vectors
from lookalike.errors import CollectionNotFoundError, MissingImagesError, ModelError
from lookalike.hints import Hint
from lookalike.images.finding.passed_over import count_kinds
from lookalike.images.reader import READER
from lookalike.store import Store, writer_lock
from lookalike.store.store import Changes
from lookalike.sync import (
    FoundFile,
    IndexedState,
    Outage,
    Outcome,
    Outdated,
    Plan,
    Progress,
    Scope,
    Tally,
    Target,
    carry_out,
    choose_scopes,
    compare,
    decide_scopes,
    fails_still,
    find_outdated,
    list_files,
    read_headers,
    refuse_great_losses,
)


@dataclass(frozen=True, slots=True)
class Work:
    """How a sync works, and whom it tells.

    Attributes
    ----------
    jobs : int
        Threads.
    compute : Compute
    report, say : callable
        Told of the progress, and in words of what may take a while.
    commit_seconds : float
    """

    jobs: int
    compute: Compute
    report: Callable[[Progress], None]
    say: Callable[[str], None]
    commit_seconds: float


def sync(
    store: Store,
    shelf: ModelRegistry,
    roots: ManifestFile,
    clusterings: StoredClusterings,
    paths: Sequence[str | os.PathLike[str]],
    datasets: Sequence[str] | None,
    model: str | None,
    dry_run: bool,
    prune: bool,
    reread: bool,
    work: Work,
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
        scopes = _areas(places, paths, datasets)
        outcome = Outcome()
        refreshed = doubtful = 0
        for number, each in enumerate(models):
            vectors = vector_table(store, each)
            known = IndexedState.read(store, vectors)
            if number == 0:
                listing = list_files(scopes, known, prune)
            plan = decide_scopes(listing, known, prune)
            if reread:
                _leave_to_reading(plan, listing.files, known)
            outage = Outage(plan.n_to_read + len(plan.doubtful))
            if dry_run:
                plan.presume(known)
            else:
                _compare(plan, known, store, outage, work)
                if not prune:
                    refuse_great_losses(plan, known, scopes)
            if number == 0:
                first, tally = plan, Tally.of(plan, known)
                again = _to_read_again(listing.files, known, plan) if reread else []
                # Images that not all models see anew stay outdated.
                outdated = find_outdated(listing.files, known, plan) if model is None and not reread else []
            if dry_run:
                outcome.embedded += plan.n_to_read
                continue
            if plan.n_to_read:  # what is new to this model is new to those after it
                _prepare_models(store, shelf, models[number:], work.compute, names)
            if number == 0:
                roots.save()
            if each is models[-1]:
                listing.files.clear()  # there may be a million
            target = Target(vectors, partial(shelf.load, each.name, work.compute))
            with _edits_kept(store, clusterings, tally, outcome):
                outcome.add(_carry_out(plan, known, store, [target], outage, work))
        if dry_run:
            refreshed, doubtful = len(again) + len(outdated), len(first.doubtful)
        else:
            with _edits_kept(store, clusterings, tally, outcome):
                refreshed = _refresh(outdated, store, shelf, models, outcome, work, names)
                refreshed += _read_again(again, store, shelf, models, model, outcome, work, names)
            for name in set(names) - set(bases):
                with _way_around(name, names):
                    extend_reduced(store, shelf, name)
            # Only now: were it killed before, the root would have to be there for its rows to go.
            roots.save(without=[scope.root for scope in scopes if scope.is_missing])
            _carry_over(store, clusterings, tally, outcome)
    places = Places(store, roots.manifest, clusterings)
    failures = places.failures()
    n_own = sum(any(scope.answers_for(path) for scope in scopes) for path in places.own_pictures())
    if dry_run:
        failures = _foreseen(first, failures, places.absolute)
    return SyncReport(
        **tally.without(outcome.failed, outcome.left, outcome.changed),
        embedded=outcome.embedded,
        failures=failures,
        passed_over=count_kinds(listing.others, listing.left_folders, n_own),
        unmet_excludes=frozenset(listing.unmet - listing.met),
        seconds=time.monotonic() - started,
        refreshed=refreshed,
        doubtful=doubtful,
        notes=places.notes(),
    )


def _carry_out(
    plan: Plan, known: IndexedState, store: Store, targets: Sequence[Target], outage: Outage, work: Work
) -> Outcome:
    return carry_out(plan, known, store, targets, work.jobs, outage, work.report, work.commit_seconds)


def _compare(plan: Plan, known: IndexedState, store: Store, outage: Outage, work: Work) -> None:
    """Settle what is in doubt; where most of it cannot be read, only that is written."""
    try:
        compare(plan, known, work.jobs, outage, work.report)
    except MissingImagesError:
        store.write(Changes(failures=plan.failures), store.files)
        raise


def _leave_to_reading(plan: Plan, files: Iterable[FoundFile], known: IndexedState) -> None:
    """Take out of a plan what need not be found out, since all files will be read again."""
    plan.unchanged += len(plan.unembedded) + sum(file.path in known.files for file in plan.doubtful)
    plan.unembedded.clear()
    plan.doubtful = [file for file in plan.doubtful if file.path not in known.files]
    plan.added += [
        file
        for file in files
        if file.path not in known.files
        and (failure := known.failures.get(file.path)) is not None
        and fails_still(failure, file)
    ]


def _to_read_again(files: Iterable[FoundFile], known: IndexedState, plan: Plan) -> list[FoundFile]:
    """Return the files that were known, but for those that a plan has read anyhow."""
    changed = {file.path for file in plan.changed}
    return [file for file in files if file.path in known.files and file.path not in changed]


def _refresh(
    outdated: Sequence[Outdated],
    store: Store,
    shelf: ModelRegistry,
    models: Sequence[Model],
    outcome: Outcome,
    work: Work,
    names: Sequence[str],
) -> int:
    """Bring up to date what an earlier version has read; return how many images that were."""
    if not outdated:
        return 0
    known = IndexedState.read(store, vector_table(store, models[0]))
    headers = read_headers(outdated, known, store, work.jobs, work.say, work.report, work.commit_seconds)
    outcome.failed |= headers.failed
    if not headers.files:
        return headers.done
    work.say(f"{len(headers.files):,} of them look different by now: they are read and embedded again")
    ids = {path: known.files[path].id for path in headers.affected}
    done = _read_again(headers.files, store, shelf, models, None, outcome, work, names)
    # What today's reader cannot decode stays as the earlier one saw it, and is not tried again.
    kept = outcome.kept & headers.affected.keys()
    store.note_metadata({ids[path]: headers.affected[path] for path in kept}, READER)
    return headers.done + done


def _read_again(
    files: Sequence[FoundFile],
    store: Store,
    shelf: ModelRegistry,
    models: Sequence[Model],
    model: str | None,
    outcome: Outcome,
    work: Work,
    names: Sequence[str],
) -> int:
    """Describe and embed known files as if they were new, under all models at once; return how many.

    Rows are replaced, never taken away first: whatever cannot be read stays as it was.
    """
    if not files:
        return 0
    _prepare_models(store, shelf, models, work.compute, names)
    known = IndexedState.read(store, vector_table(store, models[0]))
    # Nothing counts as done. An image that not all models see anew remains outdated.
    anew = replace(known, described=set(), embedded=set(), outdated={} if model is None else known.outdated)
    targets = [_target(store, shelf, each, work.compute) for each in models]
    plan = Plan(unembedded=list(files))
    did = _carry_out(plan, anew, store, targets, Outage(len(files)), work)
    outcome.add(did)
    return len(files) - len(did.failed)


def _target(store: Store, shelf: ModelRegistry, model: Model, compute: Compute) -> Target:
    """Return the table of a model, with all that is made of it."""
    reduced = [shelf.get(name) for name in shelf.reduced() if base_name(name) == model.name]
    derived = [
        (vector_table(store, each), partial(reduce_vectors, pca=shelf.pca(each.name), model=each))
        for each in reduced
    ]
    made_of_it = [each.name for each in (model, *reduced)]
    return Target(
        vector_table(store, model),
        partial(shelf.load, model.name, compute),
        derived,
        partial(forget_indexes, store.folder, made_of_it),
    )


@contextlib.contextmanager
def _edits_kept(
    store: Store, clusterings: StoredClusterings, tally: Tally, outcome: Outcome
) -> Iterator[None]:
    """Keep what the user said of images whose files were edited also when the sync is stopped."""
    try:
        yield
    except (MissingImagesError, KeyboardInterrupt):
        _carry_over(store, clusterings, tally, outcome)
        raise


def _models_of(store: Store, shelf: ModelRegistry, roots: ManifestFile) -> list[str]:
    """The collection's own model first, then those that were added."""
    own = roots.manifest.model
    return [own, *sorted((set(store.vector_tables()) | set(shelf.reduced())) - {own})]


def _areas(
    places: Places, paths: Sequence[str | os.PathLike[str]], datasets: Sequence[str] | None
) -> list[Scope]:
    """Turn a request into what it covers."""
    is_all = not paths and datasets is None
    scopes = []
    if paths or is_all:
        scopes += choose_scopes({place: root for root, place in places.of_roots()}, paths)
    unknown = set(datasets or ()) - set(places.datasets)
    if unknown:
        raise CollectionNotFoundError(
            f"the data set {min(unknown)} is not in this collection", hint="add it first"
        )
    scopes += [
        Scope(root, Path())
        for root in places.manifest.roots
        if root.dataset is not None and (is_all or root.dataset in (datasets or ()))
    ]
    return scopes


def _prepare_models(
    store: Store, shelf: ModelRegistry, models: Sequence[Model], compute: Compute, names: Sequence[str]
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


def _carry_over(store: Store, clusterings: StoredClusterings, tally: Tally, outcome: Outcome) -> None:
    """Leave images whose files were edited in the clusters that the user put or named them in."""
    edited = [path for path in tally.changed | outcome.changed if path in tally.files]
    rows = store.files.read_where_in("path", edited, ["path", "id"]).to_pylist()
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
        raise error.amended(hint=Hint("sync_other", model=others[0])) from error


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
