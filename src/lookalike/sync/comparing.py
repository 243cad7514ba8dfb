"""Look at the content of the files that are in doubt: whether they are what they were, or moved here."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from lookalike.images.reader import READER
from lookalike.store.store import FailureRow
from lookalike.sync.plan import FoundFile, IndexedState, Plan, file_row
from lookalike.sync.reading import Outage, Unread, identify, read
from lookalike.sync.side_by_side import side_by_side
from lookalike.sync.work import Work
from lookalike.system.progress import Progress
from lookalike.types import ImageId


def compare(plan: Plan, known: IndexedState, outage: Outage, work: Work) -> None:
    """Read the doubtful files of a plan, and put each where it belongs.

    A file that cannot be read stays what it was, and is a failure of the plan.

    Raises
    ------
    MissingImagesError
        If most of what is to be read cannot be, see `Outage`; the failures are in the plan.
    """

    def identify_each(files: Sequence[FoundFile]) -> list[tuple[FoundFile, ImageId | Unread]]:
        return [(file, _content(file)) for file in work.watch.each(files)]

    found: dict[str, ImageId | Unread] = {}
    n_failed = 0
    for file, content in side_by_side(identify_each, deque(plan.doubtful), work.jobs, watch=work.watch):
        found[file.path] = content
        if isinstance(content, Unread) and not content.is_permanent:
            n_failed += 1
            _fail(file, content, known, plan)
            if file.path not in known.failures:
                outage.note(file, content)
        work.watch(
            Progress("comparing", len(found), len(plan.doubtful), "comparing", n_failed, unit="images")
        )
    for file in plan.doubtful:  # in the order of their paths, so that the outcome is always the same
        _settle(file, found[file.path], known, plan)
    plan.doubtful.clear()
    plan.gone = plan.lost.certain({})


def _content(file: FoundFile) -> ImageId | Unread:
    content = read(file)
    return content if isinstance(content, Unread) else identify(content)[0]


def _fail(file: FoundFile, unread: Unread, known: IndexedState, plan: Plan) -> None:
    row = FailureRow(file.path, None, None, unread.reason, READER)
    if known.failures.get(file.path) != row:
        plan.failures.append(row)


def _settle(file: FoundFile, content: ImageId | Unread, known: IndexedState, plan: Plan) -> None:
    row = known.files.get(file.path)
    if isinstance(content, Unread):
        if content.is_permanent:  # which the workers will say
            (plan.added if row is None else plan.changed).append(file)
        elif row is None:
            plan.lost.spare(file.stat.size)  # it may be that one
    elif row is None:
        old = plan.lost.take(content, file.stat.size) if content in known.embedded else None
        if old is None:
            plan.added.append(file)
        else:
            plan.moved.append((old, file_row(file, content, known.files[old].note)))
    elif content == row.id:
        plan.keep(file, row, known)
    else:
        plan.changed.append(file)
