"""What a system lets be done to files that somebody has open, or mapped."""

from __future__ import annotations

import os

MAY_GO_WHILE_OPEN = os.name == "posix"
"""Whether a file may be removed, or another take its place, while it is mapped: those who have it keep it."""
