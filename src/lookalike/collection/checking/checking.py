"""A check from beginning to end: what is looked at in which order, mended, and looked at again."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from lookalike.collection.checking import tables
from lookalike.collection.checking.duplicates import look_at_duplicates
from lookalike.collection.checking.indexes import look_at_indexes
from lookalike.collection.checking.kept_files import look_at_added, look_at_trainings
from lookalike.collection.checking.manifest import look_at_manifest, renew_copy
from lookalike.collection.checking.models import look_at_models
from lookalike.collection.checking.named import look_at_named, renew_copies
from lookalike.collection.checking.parts import Looking, Mended
from lookalike.collection.checking.rows import look_at_rows
from lookalike.errors import CancelledError, LookalikeError, StoreResourceError
from lookalike.hints import Hint, Sentence
from lookalike.results.checking import CheckReport, Damage
from lookalike.store import JOURNAL, Store, Turn, Wait, writer_lock
from lookalike.system.progress import Watch
from lookalike.system.wording import count_of

Sync = Callable[[Watch], None]
"""Reads the images again whose rows are missing, in the collection as it is once it was mended."""

_KINDS = {
    JOURNAL: tables.SAID,
    "fields.lance": tables.FIELDS,
    "files.lance": tables.FILES,
    "images.lance": tables.IMAGES,
    "thumbnails.lance": tables.THUMBNAILS,
    "failures.lance": tables.FAILURES,
}
_BEFORE_SYNC, _AFTER_SYNC = 50, 1_000


def check(folder: Path, repair: bool, sync: Sync, wait: Wait, watch: Watch) -> CheckReport:
    """Check the collection in a ``.lookalike`` folder; see `Collection.check`."""
    started = time.monotonic()
    turn = Turn(wait, "repairing it" if repair else "checking it", watch)
    with _alone(folder, repair, turn):
        if repair:
            tables.end_repairs(folder)
            renew_copy(folder)
            renew_copies(folder)
        looking = look(folder, watch)
        outcomes: dict[int, Mended] = {}
        if repair and looking.findings:
            _mend(looking, outcomes, 0, _BEFORE_SYNC)
    if repair and looking.findings:
        problem = _sync(looking, sync, watch)
        with _alone(folder, repair, turn):
            _mend(looking, outcomes, _BEFORE_SYNC, _AFTER_SYNC)
            after = {finding.damage.place for finding in look(folder, watch).findings}
            lost = _lost_vectors(looking)
        damages = tuple(
            _told(finding.damage, outcomes[number], finding.damage.place in after, problem)
            for number, finding in enumerate(looking.findings)
        )
        damages += tuple(lost)
    else:
        damages = tuple(finding.damage for finding in looking.findings)
    return CheckReport(
        damages, looking.files, looking.size, looking.unverified, repair, time.monotonic() - started
    )


def look(folder: Path, watch: Watch) -> Looking:
    """Look at all that a collection keeps."""
    looking = Looking(folder, watch)
    manifest = look_at_manifest(looking)
    if looking.has_unread:
        looking.find(
            Damage(
                "table",
                "files.lance",
                "a repair was cut off before images were read again",
                "images of which rows were lost are not found",
                "they are read again",
            ),
            looking.read_again,
            45,
        )
    look_at_models(looking)
    brought = {file.stem for file in (folder / "models").glob("*.external")}
    whole: set[str] = set()
    kinds = dict(_KINDS)
    for name in Store(folder).vector_tables():
        kinds[f"vectors/{name}.lance"] = tables.BROUGHT if name in brought else tables.VECTORS
    for name, kind in kinds.items():
        watch.check()
        if tables.look_at_table(looking, folder / name, kind):
            whole.add(name)
    rows = look_at_rows(looking, whole)
    look_at_added(looking, rows, manifest)
    look_at_named(looking)
    look_at_trainings(looking)
    look_at_indexes(looking)
    look_at_duplicates(looking)
    return looking


def _mend(looking: Looking, outcomes: dict[int, Mended], first: int, last: int) -> None:
    """Mend what is found damaged, of an order within bounds."""
    numbered = sorted(enumerate(looking.findings), key=lambda each: each[1].order)
    for number, finding in numbered:
        if first <= finding.order < last:
            looking.watch.say("repairing", f"repairing {finding.damage.place}")
            try:
                outcomes[number] = finding.mend()
            except CancelledError:
                raise
            except LookalikeError as error:
                outcomes[number] = Mended(error.told, is_back=False)


def _sync(looking: Looking, sync: Sync, watch: Watch) -> LookalikeError | None:
    """Have the images read again of which rows were lost; return what prevents it."""
    if not looking.must_sync:
        looking.end()
        return None
    try:
        sync(watch)
        looking.end()
    except CancelledError:
        raise
    except LookalikeError as error:
        return error
    return None


def _lost_vectors(looking: Looking) -> list[Damage]:
    """Say of which models vectors that were brought along went, as their images were not found again."""
    lost = []
    for name, (before, kept) in looking.brought.items():
        table = Store(looking.folder).vector_tables().get(name)
        n = before - (0 if table is None else table.count())
        if n > 0 and kept is not None:
            lost.append(
                Damage(
                    "table",
                    f"vectors/{name}.lance",
                    f"the images of {count_of(n, 'vector')} were not found again",
                    "vectors that were brought along",
                    Sentence(
                        f"all are kept in {looking.place(kept)}",
                        Hint("as_told", words="if a disk is not there, plug it in, and bring them again"),
                    ),
                )
            )
        elif kept is not None and not looking.has_unread:
            shutil.rmtree(kept, ignore_errors=True)  # a second name of what is whole
    return lost


def _told(damage: Damage, mended: Mended, is_there: bool, problem: LookalikeError | None) -> Damage:
    """Return a damage with what became of it."""
    if problem is not None and damage.part in ("table", "thumbnails", "manifest"):
        return replace(damage, remedy=problem.told)
    return replace(damage, remedy=mended.words, is_mended=mended.is_back and not is_there)


@contextlib.contextmanager
def _alone(folder: Path, repair: bool, turn: Turn) -> Iterator[None]:
    """Let nobody write meanwhile; where nothing can be written, nobody does, and a check goes on."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(writer_lock(folder, turn))
        except StoreResourceError:
            if repair:
                raise
        yield
