"""What every download needs: a connection soon or not at all, who watches it, plain words."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from lookalike.system.progress import UNWATCHED, Progress, Watch

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 5.0
"""Until a connection stands: looking up the name, and all addresses of the host, together."""

_LOOKED = 0.1  # seconds after which it is asked whether to go on

STALL_SECONDS = 30.0
"""Without one byte. There is no limit on the whole: a large file on a slow line may take an hour."""


def bytes_told(watch: Watch, title: str, total: int) -> Callable[[int], None]:
    """Return what tells a watch how much has come: call it with the bytes that have come so far.

    Parameters
    ----------
    watch : Watch
    title : str
        What is on its way.
    total : int
        Bytes expected.
    """

    def tell(done: int) -> None:
        watch(Progress("downloading", done, total, f"downloading {title}", unit="bytes"))

    return tell


@contextmanager
def hanging_up(response: httpx.Response, watch: Watch) -> Iterator[None]:
    """End a connection as soon as the work is to stop, although nothing comes; raise CancelledError then.

    A read that waits for the next byte cannot be asked: another thread looks, and shuts the line.
    """
    import httpx

    if watch.cancel is None:
        yield
        return
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(_LOOKED) and not watch.is_cancelled:
            pass
        stream = response.extensions.get("network_stream")
        line = stream.get_extra_info("socket") if watch.is_cancelled and stream is not None else None
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield
    except httpx.HTTPError:
        watch.check()
        raise
    finally:
        is_over.set()
        looking.join()


def connect(
    client: httpx.Client, request: httpx.Request, seconds: float, watch: Watch = UNWATCHED
) -> httpx.Response:
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
    until = time.monotonic() + seconds
    while not connected.wait(_LOOKED):
        watch.check()
        if time.monotonic() >= until:
            raise httpx.ConnectTimeout("")
    while True:
        try:
            return answer.result(timeout=_LOOKED)
        except TimeoutError:
            if answer.done():  # it is the answer
                raise
            watch.check()


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
