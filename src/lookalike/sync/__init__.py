"""Bring a collection up to date with the disk: first decide, then do.

`area` says what a request covers, `plan` what is to be done there by the looks of it, `comparing` settles
what is in doubt by content, and `execution` does it. ``--dry-run`` is the plan, printed. `refreshing`
is for what an earlier version has read.
"""

from lookalike.sync.area import Area, choose_areas, decide_areas, locate, look, refuse_great_losses
from lookalike.sync.comparing import compare
from lookalike.sync.execution import COMMIT_IMAGES, COMMIT_SECONDS, Outcome, Target, carry_out
from lookalike.sync.plan import FoundFile, Known, Plan, Tally, fails_still
from lookalike.sync.progress import Progress
from lookalike.sync.reading import Outage
from lookalike.sync.refreshing import Outdated, find_outdated, read_headers

__all__ = [
    "COMMIT_IMAGES",
    "COMMIT_SECONDS",
    "Area",
    "FoundFile",
    "Known",
    "Outage",
    "Outcome",
    "Outdated",
    "Plan",
    "Progress",
    "Tally",
    "Target",
    "carry_out",
    "choose_areas",
    "compare",
    "decide_areas",
    "fails_still",
    "find_outdated",
    "locate",
    "look",
    "read_headers",
    "refuse_great_losses",
]
