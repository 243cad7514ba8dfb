"""Where a public call's ``report`` and ``cancel`` become a `Watch`, and Python shows a bar of its own.

Whoever gives no `report` gets a bar where somebody looks on: in a notebook, and at an interactive prompt
whose standard error is a terminal. Programs get none.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator

from lookalike.errors import InvalidInputError
from lookalike.system.checked_calls import shown
from lookalike.system.progress import CancelToken, ProgressReport, Watch, silent

_DELAY = 1.0  # seconds of work before a bar is drawn


@contextlib.contextmanager
def watching(report: ProgressReport | None, cancel: CancelToken | None) -> Iterator[Watch]:
    """Give the watch of a public call, and take its bar away at the end.

    Raises
    ------
    InvalidInputError
        If `report` cannot be called, or `cancel` is no `CancelToken`.
    """
    if report is not None and not callable(report):
        raise InvalidInputError(
            f"report is {shown(report)}; expected a function of one lookalike.Progress", field="report"
        )
    if cancel is not None and not isinstance(cancel, CancelToken):
        raise InvalidInputError(
            f"cancel is {shown(cancel)}; expected a lookalike.CancelToken", field="cancel"
        )
    if report is not None:
        yield Watch(report, cancel)
        return
    where = _somebody_looks()
    if where is None:
        yield Watch(silent, cancel)
        return
    from lookalike.system.bars import NotebookBar, TerminalBar

    bar = NotebookBar(_DELAY) if where == "notebook" else TerminalBar(_DELAY)
    try:
        yield Watch(bar.show, cancel)
    finally:
        bar.close()


def _somebody_looks() -> str | None:
    """Return where somebody looks on: in a "notebook", at a "prompt", or nowhere."""
    if threading.current_thread() is not threading.main_thread():
        return None
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None and getattr(shell, "kernel", None) is not None:
        return "notebook"
    is_prompt = hasattr(sys, "ps1") or bool(sys.flags.interactive)
    is_seen = sys.stderr is not None and sys.stderr.isatty()
    return "prompt" if is_prompt and is_seen else None
