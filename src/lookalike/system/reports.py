"""What long work tells meanwhile, by what it is told: words, a share, or a count."""

from __future__ import annotations

from collections.abc import Callable

WordsReport = Callable[[str], None]
"""Told what is being done, in a few words."""

ShareReport = Callable[[str, float], None]
"""Told what is being done, in a few words, and the share of the whole that is done, 0 to 1."""

CountReport = Callable[[int, int], None]
"""Told how many of how many steps are done."""
