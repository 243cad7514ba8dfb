"""What every download needs: a connection soon or not at all, a bar where somebody sees it, plain words."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 5.0
"""Until a connection stands: looking up the name, and all addresses of the host, together."""

STALL_SECONDS = 30.0
"""Without one byte. There is no limit on the whole: a large file on a slow line may take an hour."""


@contextmanager
def byte_progress(title: str, total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show how much has come; on standard error, and only on a terminal.

    Parameters
    ----------
    title : str
        What is on its way.
    total : int
        Bytes expected.
    quiet : bool
        Never draw.

    Yields
    ------
    callable
        Call it with the bytes that have come so far.
    """
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda done: None
        return

    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.progress import TransferSpeedColumn as SpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), SpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)


def connect(client: httpx.Client, request: httpx.Request, seconds: float) -> httpx.Response:
    """Send a request; give up when no connection stands in time. The body of the answer is not read yet.

    httpx's own limit begins anew with each address of a host, and does not cover looking up its name, which
    can take half a minute where a firewall swallows the questions. So the question is asked in a thread
    that can be left behind.
    """
    import httpx

    connected = threading.Event()
    answer: Future[httpx.Response] = Future()

    def trace(event: str, info: dict[str, Any]) -> None:
        # The second, where a connection that stands already is used again.
        if event.endswith(("connect_tcp.complete", "send_request_headers.started")):
            connected.set()

    def ask() -> None:
        try:
            answer.set_result(client.send(request, stream=True))
        except BaseException as error:
            answer.set_exception(error)
        finally:
            connected.set()

    request.extensions = {**request.extensions, "trace": trace}
    threading.Thread(target=ask, daemon=True).start()
    if not connected.wait(seconds):
        raise httpx.ConnectTimeout("")
    return answer.result()


def reason(error: Exception, connect_seconds: float, stall_seconds: float) -> str:
    """Say in a few words why nothing came."""
    import httpx

    if isinstance(error, httpx.ConnectTimeout):
        return f"no connection within {connect_seconds:g} seconds"
    if isinstance(error, httpx.TimeoutException):
        return f"nothing came for {stall_seconds:g} seconds"
    if isinstance(error, httpx.HTTPStatusError):
        return f"the server answered {error.response.status_code} {error.response.reason_phrase}".rstrip()
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
