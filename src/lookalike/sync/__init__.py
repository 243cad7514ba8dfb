"""Bring a collection up to date with the disk: first decide, then do.

`scope` says what a request covers, `plan` what is to be done there by the looks of it, `comparing` settles
what is in doubt by content, and `execution` does it. ``--dry-run`` is the plan, printed. `refreshing`
is for what an earlier version has read.
"""

from lookalike.sync.comparing import compare
from lookalike.sync.execution import (
    COMMIT_IMAGES,
    Done,
    Outcome,
    Target,
    Worker,
    carry_out,
    work_through,
)
from lookalike.sync.plan import FoundFile, IndexedState, Plan, Tally, fails_still
from lookalike.sync.reading import Outage
from lookalike.sync.refreshing import Outdated, find_outdated, read_headers
from lookalike.sync.scope import (
    Scope,
    choose_scopes,
    decide_scopes,
    list_added,
    list_files,
    locate,
    refuse_great_losses,
)
from lookalike.sync.work import COMMIT_SECONDS, Work

__all__ = [
    "COMMIT_IMAGES",
    "COMMIT_SECONDS",
    "Done",
    "FoundFile",
    "IndexedState",
    "Outage",
    "Outcome",
    "Outdated",
    "Plan",
    "Scope",
    "Tally",
    "Target",
    "Work",
    "Worker",
    "carry_out",
    "choose_scopes",
    "compare",
    "decide_scopes",
    "fails_still",
    "find_outdated",
    "list_added",
    "list_files",
    "locate",
    "read_headers",
    "refuse_great_losses",
    "work_through",
]
