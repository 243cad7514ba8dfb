"""Bring a collection up to date with the disk: first decide, then do.

`area` says what a request covers, `plan` what is to be done there (``--dry-run`` is the plan, printed), and
`execution` does it.
"""

from lookalike.sync.area import Area, choose_areas, decide_areas, locate, look
from lookalike.sync.execution import COMMIT_IMAGES, COMMIT_SECONDS, Outcome, Progress, carry_out
from lookalike.sync.plan import Known, Plan, Tally

__all__ = [
    "COMMIT_IMAGES",
    "COMMIT_SECONDS",
    "Area",
    "Known",
    "Outcome",
    "Plan",
    "Progress",
    "Tally",
    "carry_out",
    "choose_areas",
    "decide_areas",
    "locate",
    "look",
]
