"""A collection brought up to date with the disk: what it covers, for each of its models in turn."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lookalike.collection.embedded import vector_table
from lookalike.collection.label_verdicts import judge_labels
from lookalike.collection.manifest_file import ManifestFile
from lookalike.collection.models.embedding import EmbeddingModels
from lookalike.collection.places import Places
from lookalike.collection.rereading import leave_to_reading, read_again, refresh, to_read_again
from lookalike.collection.resources import Resources
from lookalike.collection.searchers import settle_indexes
from lookalike.collection.statements.carrying import Carrying
from lookalike.embed import Compute
from lookalike.errors import CancelledError, CollectionNotFoundError, MissingImagesError
from lookalike.images.finding.passed_over import count_kinds
from lookalike.results.sync import Failure, SyncReport
from lookalike.store import Store, Turn, Wait, writer_lock
from lookalike.store.store import Changes
from lookalike.store.swept import note_swept
from lookalike.sync import (
    IndexedState,
    Outage,
    Outcome,
    Plan,
    Scope,
    Tally,
    Work,
    carry_out,
    choose_scopes,
    compare,
    decide_scopes,
    find_outdated,
    list_added,
    list_files,
    refuse_great_losses,
)


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """What is to be brought up to date, and how; see `Collection.sync`."""

    paths: Sequence[str | os.PathLike[str]]
    datasets: Sequence[str] | None
    model: str | None
    dry_run: bool
    prune: bool
    reread: bool
    compute: Compute
    wait: Wait = 0.0

    @property
    def is_for_all(self) -> bool:
        """Whether the whole collection is to be brought up to date."""
        return not self.paths and self.datasets is None


def sync(resources: Resources, manifest_file: ManifestFile, request: SyncRequest, work: Work) -> SyncReport:
    """Bring a collection up to date with the disk; see `Collection.sync`."""
    started = time.monotonic()
    dry_run, store = request.dry_run, resources.live
    carrying = Carrying(store, resources.snapshots.journal, work.jobs)
    work = replace(work, edited=carrying)
    if request.model is not None:
        resources.models.get(request.model)  # a slip of the pen need not wait its turn
    turn = Turn(request.wait, "bringing it up to date", work.watch)
    with contextlib.nullcontext() if dry_run else writer_lock(store.folder, turn):
        manifest_file.reload()
        resources = replace(resources, places=_places_now(resources))  # others may have written meanwhile
        failed_before = set(resources.places.failures())
        work = replace(work, thumbnail_side=manifest_file.manifest.thumbnail_side)
        models = EmbeddingModels.choose(resources, request.model, request.compute)
        if not dry_run:
            settle_indexes(store.folder)
            store.sweep_cut_off()
            store.upgrade()
            carrying.compares_all = bool(resources.clusterings.names())
        scopes = _choose_scopes(_places_now(resources), request)
        outcome = Outcome()
        refreshed = doubtful = 0
        for number, each in enumerate(models.networks):
            work.watch.say("reading", "reading what is known")
            vectors = vector_table(store, each)
            known = IndexedState.read(store, vectors, work.picture_seconds)
            known = known.without_failures(outcome.unfit)
            if number == 0:
                listing = list_files(scopes, known, request.prune, work.watch)
                if request.is_for_all and resources.places.holds_added:
                    listing.files.extend(list_added(known, store.kept))
            plan = decide_scopes(listing, known, request.prune)
            if request.reread:
                leave_to_reading(plan, listing.files, known)
            outage = Outage(plan.n_to_read + len(plan.doubtful))
            if dry_run:
                plan.presume(known)
            else:
                _compare(plan, known, store, outage, work)
                if not request.prune:
                    refuse_great_losses(plan, known, scopes)
            if number == 0:
                first, tally = plan, Tally.of(plan, known)
                again = to_read_again(listing.files, known, plan) if request.reread else []
                # Images that not all models see anew stay outdated.
                is_for_all = request.model is None and not request.reread
                outdated = find_outdated(listing.files, known, plan) if is_for_all else []
            if dry_run:
                outcome.embedded += plan.n_to_read
                continue
            if plan.n_to_read:  # what is new to this model is new to those after it
                models.prepare(models.networks[number:], work.watch)
            if number == 0:
                manifest_file.save()
            if each is models.networks[-1]:
                listing.files.clear()  # there may be a million
            carrying.moved(plan.moved)
            with _edits_kept(resources, tally, outcome, carrying):
                outcome.add(carry_out(plan, known, store, [models.target(each, vectors)], outage, work))
        if dry_run:
            refreshed, doubtful = len(again) + len(outdated), len(first.doubtful)
        else:
            with _edits_kept(resources, tally, outcome, carrying):
                refreshed = refresh(outdated, models, outcome, work)
                refreshed += read_again(
                    again, models, outcome, work, stays_outdated=request.model is not None
                )
            models.extend_reduced(work.watch)
            judge_labels(resources, manifest_file, work.watch)
            # Only now: were it killed before, the root would have to be there for its rows to go.
            manifest_file.save(without=[scope.root for scope in scopes if scope.is_missing])
            if models.networks:
                note_swept(store.folder)
            _carry_over(resources, tally, outcome, carrying)
    places = _places_now(resources)
    failures = places.failures()
    n_own = sum(any(scope.answers_for(path) for scope in scopes) for path in places.own_pictures())
    if dry_run:
        failures = _foreseen(first, failures, places.absolute)
    counts = tally.without(outcome.failed, outcome.left, outcome.changed)
    return SyncReport(
        **counts,
        embedded=outcome.embedded,
        failures=failures,
        passed_over=count_kinds(listing.others, listing.left_folders, n_own),
        unmet_excludes=frozenset(listing.unmet - listing.met),
        seconds=time.monotonic() - started,
        refreshed=refreshed,
        doubtful=doubtful,
        notes=places.notes(),
        carried=len(carrying.carried),
        replaced=len(carrying.replaced),
        failed_before=frozenset(each.path for each in failures if each in failed_before),
        copies=0 if dry_run else _count_copies(resources, tally, outcome, counts["added"]),
    )


def _count_copies(resources: Resources, tally: Tally, outcome: Outcome, added: int) -> int:
    """Return how many of the files added hold what was there, or what another of them brought."""
    if not added:
        return 0
    there = np.unique(resources.live.files.read(["id"])["id"].to_numpy())
    before = np.fromiter((row.id for row in tally.files.values()), np.int64, len(tally.files))
    rewritten = sorted(tally.changed | outcome.changed)
    edited = resources.live.files.read_where_in("path", rewritten, ["id"])["id"].to_numpy()
    new = np.setdiff1d(there, np.concatenate([before, edited]))
    return max(added - len(new), 0)


def _places_now(resources: Resources) -> Places:
    """Return the places of a collection as they are now: a sync changes them, and its roots."""
    return replace(resources.places, snapshot=resources.snapshots.now())


def _compare(plan: Plan, known: IndexedState, store: Store, outage: Outage, work: Work) -> None:
    """Settle what is in doubt; where most of it cannot be read, only that is written."""
    try:
        compare(plan, known, outage, work)
    except MissingImagesError:
        store.write(Changes(failures=plan.failures), store.files)
        raise


@contextlib.contextmanager
def _edits_kept(resources: Resources, tally: Tally, outcome: Outcome, carrying: Carrying) -> Iterator[None]:
    """Keep what the user said of images whose files were edited also when the sync is stopped."""
    try:
        yield
    except (MissingImagesError, CancelledError, KeyboardInterrupt):
        _carry_over(resources, tally, outcome, carrying)
        raise


def _choose_scopes(places: Places, request: SyncRequest) -> list[Scope]:
    """Turn a request into what it covers."""
    paths, datasets = request.paths, request.datasets
    scopes = []
    if paths or request.is_for_all:
        scopes += choose_scopes({place: root for root, place in places.of_roots()}, paths)
    unknown = set(datasets or ()) - set(places.datasets)
    if unknown:
        raise CollectionNotFoundError(
            f"the data set {min(unknown)} is not in this collection", hint="add it first"
        )
    scopes += [
        Scope(root, Path())
        for root in places.manifest.roots
        if root.dataset is not None and (request.is_for_all or root.dataset in (datasets or ()))
    ]
    return scopes


def _carry_over(resources: Resources, tally: Tally, outcome: Outcome, carrying: Carrying) -> None:
    """Leave pictures whose files were edited in the clusters that the user put or named them in."""
    changed = (tally.changed | outcome.changed) - carrying.different
    edited = [path for path in changed if path in tally.files]
    rows = resources.live.files.read_where_in("path", edited, ["path", "id"]).to_pylist()
    old_of = {row["id"]: tally.files[row["path"]].id for row in rows}
    resources.clusterings.carry_over({new: old for new, old in old_of.items() if new != old})


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
