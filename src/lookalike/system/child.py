"""What a child does: it calls functions for its parent, one at a time, and ends with it.

`lookalike.system.children` starts it. Requests come by its standard input, answers go by its standard output;
what libraries print goes to standard error, which the parent reads. Each request brings its bounds:

- Memory: on Linux the data of the process may grow by so many bytes (RLIMIT_DATA), then allocations fail.
- Seconds: the parent kills. Should the parent itself be gone, a pipe between them breaks, and Linux is asked
  for a signal at that moment, which no function can hold up; elsewhere a thread waits for it. A bound on
  processor time stands behind both.
"""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import select
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from lookalike.system.on_demand import load

END_OF_CALL = b"\0lookalike: end of call\n"
"""Written to standard error behind what libraries print."""

_MOST_GROWN = 1 << 28  # bytes that it may keep; with more, it asks to be replaced


def serve(prepare: tuple[str, ...], lifeline: int | None) -> None:
    """Do what the parent asks for, until it closes the pipe.

    Parameters
    ----------
    prepare : tuple of str
        Modules that are imported at once.
    lifeline : int or None
        The end of a pipe that the parent holds open as long as it lives.
    """
    requests, answers = _take_pipes()
    _step_aside()
    if lifeline is not None:
        _end_with_parent(lifeline)
    for module in prepare:
        with contextlib.suppress(ImportError):
            __import__(module)
    before = _data_bytes()
    _end_of_call()
    _send(answers, ("ready", None, False))
    while True:
        try:
            function, arguments, seconds, memory = pickle.load(requests)
        except EOFError:
            return
        with _bounded(seconds, memory):
            try:
                answer = "value", load(function)(*arguments)
            except BaseException as error:
                answer = "error", _portable(error)
        _end_of_call()
        _send(answers, (*answer, _data_bytes() - before > _MOST_GROWN))
        del answer, arguments


def _take_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Put the two pipes where no library writes or reads by accident."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return requests, answers


def _step_aside() -> None:
    """Leave Ctrl-C to the parent, leave no core files, and be the first to go where memory is short."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _send(answers: IO[bytes], answer: tuple[str, Any, bool]) -> None:
    pickle.dump(answer, answers, protocol=5)
    answers.flush()


def _end_of_call() -> None:
    """Have all that was printed be on its way before the answer."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    left = END_OF_CALL
    while left:
        left = left[os.write(2, left) :]


def _portable(error: BaseException) -> BaseException:
    """Return an error that the parent can read."""
    error.__traceback__ = None
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


@contextlib.contextmanager
def _bounded(seconds: float, memory: int | None) -> Iterator[None]:
    """Bound what is allocated, and the processor time, while a function runs."""
    try:
        import resource
    except ImportError:  # Windows
        yield
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    time = used.ru_utime + used.ru_stime + seconds * (os.cpu_count() or 1) + 5
    limits = {resource.RLIMIT_CPU: math.ceil(time)}
    if memory is not None and sys.platform == "linux":
        limits[resource.RLIMIT_DATA] = _data_bytes() + memory
    before = {kind: resource.getrlimit(kind) for kind in limits}
    for kind, limit in limits.items():
        soft, hard = before[kind]
        known = [each for each in (limit, soft, hard) if each != resource.RLIM_INFINITY]
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (min(known), hard))
    try:
        yield
    finally:
        for kind, pair in before.items():
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(kind, pair)


def _data_bytes() -> int:
    """Return the bytes that RLIMIT_DATA counts; 0 where that is not known."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _end_with_parent(lifeline: int) -> None:
    """End this process with its parent, even while a function runs that never comes back.

    Parameters
    ----------
    lifeline : int
        The end of a pipe into which the parent never writes: whatever happens to it is the parent's end.
    """
    if sys.platform == "linux":  # the default action of SIGIO is the end of the process
        import fcntl

        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
        if select.select([lifeline], [], [], 0)[0]:  # gone already
            os._exit(1)
    else:

        def wait() -> None:
            os.read(lifeline, 1)
            os._exit(1)

        threading.Thread(target=wait, daemon=True).start()
