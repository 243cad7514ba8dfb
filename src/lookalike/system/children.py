"""Functions that are called in a process of their own, which is killed when they take too long, or too much.

What native libraries do cannot be interrupted, nor can it be known how much memory they will take; and where
one of them crashes, it takes the process along. So whatever is not known to be harmless is handed to a child:

- It is a new interpreter, no copy: it imports what the function needs and nothing else, not even the
  program's ``__main__``. It takes some 0.2 seconds of the processor to start, and is kept for the next call;
  a call waits for one that is busy rather, until as much time was lost so that another is worth its start.
- It is given seconds and bytes (`Bounds`). Bytes are bounded on Linux; elsewhere only seconds are.
- What libraries print in it comes back with the answer.
- It ends with its parent, however that ends, and after a while without work.

Functions are named, ``module:name``. Arguments and answers travel by pickle.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from lookalike.system.child import END_OF_CALL
from lookalike.system.forks import leave_behind
from lookalike.system.progress import UNWATCHED, Watch

if TYPE_CHECKING:
    import subprocess

_ASKED_AGAIN = 0.1  # seconds that are waited before it is asked whether to go on
_MOST_PATIENCE = 4  # times the seconds of a call, for one that gets little of the processor
_START_SECONDS = 60.0  # for a child to be there, on a machine that is busy or asleep
_IDLE_SECONDS = 60.0  # that a child without work is kept
_WORTH_A_START = 2.0  # seconds that calls have waited for a child before there is another
_MOST_SAID = 4096  # bytes kept of what libraries print for one call
FEW_THREADS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Variables by which linear algebra takes one thread."""

_BOOTSTRAP = (
    "import sys, pickle; path, prepare, lifeline = pickle.load(sys.stdin.buffer.raw); sys.path[:] = path; "
    "from lookalike.system.child import serve; serve(prepare, lifeline)"
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a call may take.

    Attributes
    ----------
    seconds : float
        By the clock, from the moment when the child begins; where the machine gave it less than half of that
        as processor time, up to four times as much.
    memory : int or None
        Bytes beyond what the child has taken before; None for no bound.
    """

    seconds: float
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function returned, and what libraries printed while it ran, at most some thousand bytes."""

    value: Any
    said: str


class StoppedError(Exception):
    """A call came to nothing; not by an error of the function's, which is raised as it is.

    Attributes
    ----------
    why : str
        ``"time"``, where it took longer than it may; ``"busy"``, where it did so because the machine gave it
        too little processor time; ``"crash"``; ``"killed"``, by the system, for want of memory mostly;
        ``"start"``, where there is no child to be had.
    said : str
        What libraries printed before.
    """

    def __init__(self, message: str, why: str, said: str = "") -> None:
        super().__init__(message)
        self.why = why
        self.said = said


class Children:
    """Some children, of which each call takes one that is free; many threads may call.

    Parameters
    ----------
    most : int
        Calls at a time; the others wait.
    prepare : tuple of str
        Modules that a child imports before its time is counted.
    environment : mapping of str to str
        Variables that a child has beside those of this process; threads of linear algebra are few by default.
    """

    def __init__(
        self,
        most: int = 1,
        prepare: tuple[str, ...] = (),
        environment: Mapping[str, str] = FEW_THREADS,
    ) -> None:
        self._prepare = prepare
        self._environment = dict(environment)
        self._most = most
        self._idle: deque[_Child] = deque()
        self._begin()
        weakref.finalize(self, _end_all, self._idle, os.getpid())  # with this, and with the program
        leave_behind(self, Children._begin)

    def _begin(self) -> None:
        """Begin with no children; in a copy of this process, those that it had are not its own."""
        self._free = threading.Semaphore(self._most)
        self._lock = threading.Condition()
        self._n_busy = 0  # children that work, or start
        self._n_starting = 0
        self._waited = 0.0  # seconds, of all calls since the last start, for children that work
        self._timer: threading.Timer | None = None
        self._idle.clear()

    def call(self, function: str, *arguments: Any, bounds: Bounds, watch: Watch = UNWATCHED) -> Answer:
        """Call a function in a child.

        Parameters
        ----------
        function : str
            ``module:name``.
        *arguments
            Of it.
        bounds : Bounds
        watch : Watch
            May stop it; the child is killed then, and where KeyboardInterrupt comes.

        Raises
        ------
        StoppedError
            If it was stopped, or died.
        CancelledError
        Exception
            Whatever the function raises, MemoryError among it.
        """
        watch.check()
        while not self._free.acquire(timeout=_ASKED_AGAIN):
            watch.check()
        try:
            child = self._take(watch)
            is_sound = False
            try:
                answer, is_sound = child.ask((function, arguments), bounds, watch)
            finally:
                self._give_back(child, is_sound)
        finally:
            self._free.release()
        if isinstance(answer.value, _Raised):
            raise answer.value.error
        return answer

    def close(self) -> None:
        """End the children that have no work; the next call starts one again."""
        with self._lock:
            idle = list(self._idle)
            self._idle.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        _end_all(idle, os.getpid())

    def _take(self, watch: Watch) -> _Child:
        """Return a child, which counts as busy."""
        child = self._wait_for_idle(watch)
        if child is not None:
            return child
        try:
            child = _Child(self._prepare, self._environment)
            try:
                child.wait_for_start(watch)
            except BaseException:
                child.end()
                raise
        except BaseException:
            self._is_done()
            raise
        finally:
            with self._lock:
                self._n_starting -= 1
        return child

    def _wait_for_idle(self, watch: Watch) -> _Child | None:
        """Return a child without work, once there is one; None where another is to be started."""
        with self._lock:
            while True:
                while self._idle:
                    child = self._idle.pop()
                    if child.is_alive:
                        self._n_busy += 1
                        return child
                    child.end()
                if not self._n_busy or self._waited >= _WORTH_A_START:
                    self._n_busy += 1
                    self._n_starting += 1
                    self._waited = 0.0
                    return None
                watch.check()
                is_for_work, begun = not self._n_starting, time.monotonic()
                self._lock.wait(_ASKED_AGAIN)
                self._waited += (time.monotonic() - begun) * is_for_work

    def _is_done(self, child: _Child | None = None) -> None:
        """Take note that a child is not busy any more; and keep it, if one is given."""
        with self._lock:
            self._n_busy -= 1
            if child is not None:
                self._idle.append(child)
                if self._timer is None:
                    self._look_later()
            self._lock.notify()

    def _give_back(self, child: _Child, is_sound: bool) -> None:
        if not is_sound:
            child.end()
        self._is_done(child if is_sound else None)

    def _look_later(self) -> None:
        self._timer = threading.Timer(_IDLE_SECONDS / 2, _end_idle, [weakref.ref(self)])
        self._timer.daemon = True
        self._timer.start()

    def _end_idle(self) -> None:
        long_ago = time.monotonic() - _IDLE_SECONDS
        ended: list[_Child] = []
        with self._lock:
            while self._idle and self._idle[0].last_used < long_ago:  # the one used last is at the end
                ended.append(self._idle.popleft())
            self._timer = None
            if self._idle:
                self._look_later()
        _end_all(ended, os.getpid())


def _end_idle(of: weakref.ref[Children]) -> None:
    children = of()
    if children is not None:
        children._end_idle()


def _end_all(children: Iterable[_Child], process: int) -> None:
    """End children of a process; nothing in any other, which is a copy of it."""
    if os.getpid() == process:
        for child in list(children):
            child.end()


@dataclass(frozen=True, slots=True)
class _Raised:
    error: BaseException


class _Child:
    """One process, and two threads: one that talks with it, one that hears what is printed in it."""

    def __init__(self, prepare: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self.last_used = time.monotonic()
        self._lifeline: int | None = None
        self._process = self._start(environment)
        if self._lifeline_of_child is not None:
            os.close(self._lifeline_of_child)
        self._said = _Said(self._process.stderr)
        self._answers: queue.SimpleQueue[tuple[str, Any, bool] | None] = queue.SimpleQueue()
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._requests.put((sys.path, prepare, self._lifeline_of_child))
        self._talking = threading.Thread(target=self._talk, name="lookalike child", daemon=True)
        self._talking.start()
        leave_behind(self, _Child._abandon)

    def _start(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        import subprocess

        if not sys.executable or getattr(sys, "frozen", False):
            raise StoppedError("there is no Python interpreter to start", "start")
        self._lifeline_of_child = None
        apart: dict[str, Any] = {"creationflags": getattr(subprocess, "CREATE_NO_WINDOW", 0)}
        try:
            if sys.platform != "win32":
                self._lifeline_of_child, self._lifeline = _pipe()
                # In a group of its own, so that Ctrl-C comes to the parent alone.
                apart = {"process_group": 0, "pass_fds": (self._lifeline_of_child,)}
            return subprocess.Popen(
                [sys.executable, "-P", "-W", "ignore", "-c", _BOOTSTRAP],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **environment},
                **apart,
            )
        except (OSError, ValueError) as error:
            for pipe in (self._lifeline, self._lifeline_of_child):
                if pipe is not None:
                    os.close(pipe)
            raise StoppedError(f"no process can be started: {error}", "start") from error

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait_for_start(self, watch: Watch) -> None:
        """Wait until it is there."""
        answer = self._wait(time.monotonic() + _START_SECONDS, watch)
        if answer is None:
            said = self._end_and_hear()
            raise StoppedError(f"a process cannot be started: {said or 'it does not answer'}", "start", said)
        self._said.end()

    def ask(self, request: tuple[str, tuple[Any, ...]], bounds: Bounds, watch: Watch) -> tuple[Answer, bool]:
        """Return what came of a call, and whether the child is good for another."""
        self._said.begin()
        used = self._processor_seconds()
        begun = time.monotonic()
        self._requests.put((*request, bounds.seconds, bounds.memory))
        answer = self._wait(begun + bounds.seconds, watch)
        while answer is None and self._is_starved(used, bounds, time.monotonic() - begun):
            answer = self._wait(time.monotonic() + bounds.seconds / 4, watch)
        self.last_used = time.monotonic()
        if answer is None:
            raise self._stopped(bounds, used)
        kind, value, has_grown = answer
        return Answer(_Raised(value) if kind == "error" else value, self._said.end()), not has_grown

    def _wait(self, until: float, watch: Watch) -> tuple[str, Any, bool] | None:
        """Return the answer; None if the child died, or the time is over."""
        while True:
            left = until - time.monotonic()
            try:
                return self._answers.get(timeout=max(0.0, min(_ASKED_AGAIN, left)))
            except queue.Empty:
                watch.check()
                if left <= 0:
                    return None

    def _is_starved(self, used_before: float | None, bounds: Bounds, taken: float) -> bool:
        """Tell whether a call that is late is so because others have the processor."""
        used = self._processor_seconds()
        return (
            self._talking.is_alive()
            and used is not None
            and used_before is not None
            and used - used_before < bounds.seconds / 2
            and taken < _MOST_PATIENCE * bounds.seconds
        )

    def _stopped(self, bounds: Bounds, used_before: float | None) -> StoppedError:
        """Say why there is no answer."""
        used = self._processor_seconds()
        is_late = self._talking.is_alive()
        said = self._end_and_hear()
        if is_late:
            is_starved = (
                used is not None and used_before is not None and used - used_before < bounds.seconds / 2
            )
            return StoppedError(
                f"it took longer than {bounds.seconds:g} s", "busy" if is_starved else "time", said
            )
        code = self._process.returncode
        if code is not None and code == -getattr(signal, "SIGKILL", 9):
            return StoppedError("the system killed it (for want of memory?)", "killed", said)
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return StoppedError(f"it crashed ({signal.Signals(-code).name})", "crash", said)
        return StoppedError(f"it crashed (exit code {code})", "crash", said)

    def _processor_seconds(self) -> float | None:
        """Return the processor time that it has used; None where the system does not say."""
        try:
            facts = Path(f"/proc/{self._process.pid}/stat").read_bytes().rpartition(b")")[2].split()
            return (int(facts[11]) + int(facts[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, IndexError, AttributeError):
            return None

    def _talk(self) -> None:
        """Send each request, and take its answer: in a thread, as neither can be given a time."""
        with contextlib.suppress(OSError, ValueError, EOFError, pickle.UnpicklingError, AttributeError):
            requests, answers = self._process.stdin, self._process.stdout
            if requests is None or answers is None:
                return
            for pipe in (requests, answers):
                _widen(pipe)
            while True:
                request = self._requests.get()
                if request is None:
                    return
                pickle.dump(request, requests, protocol=5)
                requests.flush()
                del request
                self._answers.put(pickle.load(answers))
        self._answers.put(None)

    def _abandon(self) -> None:
        """Let go of it in a copy of this process: it is to end with the process that started it."""
        _abandoned.append(self)  # its pipes may be locked by a thread that is not here
        self._close_lifeline()

    def _close_lifeline(self) -> None:
        lifeline, self._lifeline = self._lifeline, None
        if lifeline is not None:
            with contextlib.suppress(OSError):
                os.close(lifeline)

    def _end_and_hear(self) -> str:
        self.end()
        return self._said.end()

    def end(self) -> None:
        """Kill it, and leave nothing of it."""
        import subprocess

        with contextlib.suppress(OSError):
            self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # a disk that hangs can hold it
            self._process.wait(30)
        self._requests.put(None)
        self._talking.join(1)
        self._said.wait_for_end()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()
        self._close_lifeline()


def _pipe() -> tuple[int, int]:
    """Make a pipe, out of the way of the standard streams, which may be closed."""
    import fcntl

    ends = os.pipe()
    try:
        reading, writing = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) for end in ends)
    finally:
        for end in ends:
            os.close(end)
    return reading, writing


def _widen(pipe: IO[bytes]) -> None:
    """Have more than 64 KiB go at a time, which halves what a picture takes to cross."""
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)  # Linux


_abandoned: list[_Child] = []


class _Said:
    """What comes by the standard error of a child: the beginning of it, for each call."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._stream = stream
        self._heard = bytearray()
        self._last = b""  # bytes, for the mark
        self._changed = threading.Condition()
        self._is_over = False
        self._thread = threading.Thread(target=self._hear, name="lookalike child says", daemon=True)
        self._thread.start()

    def _hear(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while self._stream is not None and (some := os.read(self._stream.fileno(), 65536)):
                with self._changed:
                    self._heard += some[: max(0, _MOST_SAID - len(self._heard))]
                    self._last = (self._last + some)[-len(END_OF_CALL) :]
                    self._changed.notify_all()
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def begin(self) -> None:
        with self._changed:
            self._heard.clear()
            self._last = b""

    def end(self) -> str:
        """Return what was printed, once all of it is here."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._last == END_OF_CALL, 1)
            text = bytes(self._heard).partition(b"\0")[0]
        return text.decode("utf-8", "replace")

    def wait_for_end(self) -> None:
        self._thread.join(1)
