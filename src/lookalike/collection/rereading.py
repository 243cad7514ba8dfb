"""Reading again what is known: for want of trust, or because an earlier version has read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lookalike.collection.embedded import vector_table
from lookalike.collection.models.embedding import EmbeddingModels
from lookalike.images.reader import READER
from lookalike.sync import (
    FoundFile,
    IndexedState,
    Outage,
    Outcome,
    Outdated,
    Plan,
    Work,
    carry_out,
    fails_still,
    read_headers,
)


def leave_to_reading(plan: Plan, files: Iterable[FoundFile], known: IndexedState) -> None:
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


def to_read_again(files: Iterable[FoundFile], known: IndexedState, plan: Plan) -> list[FoundFile]:
    """Return the files that were known, but for those that a plan has read anyhow."""
    changed = {file.path for file in plan.changed}
    return [file for file in files if file.path in known.files and file.path not in changed]


def refresh(outdated: Sequence[Outdated], models: EmbeddingModels, outcome: Outcome, work: Work) -> int:
    """Bring up to date what an earlier version has read; return how many images that were."""
    if not outdated:
        return 0
    store = models.store
    known = IndexedState.read(store, vector_table(store, models.networks[0]))
    headers = read_headers(outdated, known, store, work)
    outcome.failed |= headers.failed
    if not headers.files:
        return headers.done
    work.say(f"{len(headers.files):,} of them look different by now: they are read and embedded again")
    ids = {path: known.files[path].id for path in headers.affected}
    done = read_again(headers.files, models, outcome, work)
    # What today's reader cannot decode stays as the earlier one saw it, and is not tried again.
    kept = outcome.kept & headers.affected.keys()
    store.note_metadata({ids[path]: headers.affected[path] for path in kept}, READER)
    return headers.done + done


def read_again(
    files: Sequence[FoundFile],
    models: EmbeddingModels,
    outcome: Outcome,
    work: Work,
    stays_outdated: bool = False,
) -> int:
    """Describe and embed known files as if they were new, under all models at once; return how many.

    Rows are replaced, never taken away first: whatever cannot be read stays as it was. An image that not all
    models of the collection see anew remains outdated: `stays_outdated`.
    """
    if not files:
        return 0
    models.prepare(models.networks, work.watch)
    known = IndexedState.read(models.store, vector_table(models.store, models.networks[0]))
    # Nothing counts as done.
    anew = replace(known, described=set(), embedded=set(), outdated=known.outdated if stays_outdated else {})
    targets = [models.target_with_derived(each) for each in models.networks]
    plan = Plan(unembedded=list(files))
    did = carry_out(plan, anew, models.store, targets, Outage(len(files)), work)
    outcome.add(did)
    return len(files) - len(did.failed)
