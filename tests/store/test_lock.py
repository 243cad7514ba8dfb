"""One writer at a time, whatever becomes of it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import filelock
import pytest

from lookalike.errors import CancelledError, InvalidInputError, LockedError, StoreError
from lookalike.store import Turn, writer_lock
from lookalike.system.progress import CancelToken, Watch

HOLD = """
import sys
from pathlib import Path
from lookalike.store import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_second_process_is_refused_and_told_who_holds_it(holder, tmp_path):
    words = rf"process {holder.pid} on .*, since 20.*\n.*run this again"
    with pytest.raises(LockedError, match=words), writer_lock(tmp_path):
        pass


def test_lock_is_free_once_its_holder_has_ended(holder, tmp_path):
    holder.communicate("")
    with writer_lock(tmp_path):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_lock_of_a_killed_process_is_free(holder, tmp_path):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with writer_lock(tmp_path):
        pass


def test_whoever_waits_gets_the_lock_when_it_is_free(holder, tmp_path):
    end = threading.Timer(0.2, holder.kill)
    end.start()
    with writer_lock(tmp_path, Turn(20)):
        assert holder.poll() is not None
    end.join()


def test_lock_is_released_when_the_work_fails(tmp_path):
    with pytest.raises(RuntimeError, match="work"), writer_lock(tmp_path):
        raise RuntimeError("work")
    with writer_lock(tmp_path), pytest.raises(LockedError), writer_lock(tmp_path):
        pass


def test_holder_that_cannot_be_read_is_not_guessed_at(tmp_path):
    for note in (b"{", b"[]", b"\xff", b"{}"):
        with writer_lock(tmp_path):
            (tmp_path / "lock.json").write_bytes(note)
            with pytest.raises(LockedError, match="it has not said which"), writer_lock(tmp_path):
                pass


def test_lock_that_is_a_folder_is_an_error_of_ours(tmp_path):
    (tmp_path / "lock").mkdir()
    with pytest.raises(StoreError, match="cannot write to"), writer_lock(tmp_path):
        pass


READ_ONLY = """
import os, sys, filelock
from pathlib import Path
from lookalike.errors import StoreError
from lookalike.store import writer_lock
os.chdir(sys.argv[1])
if os.geteuid() == 0:  # who may write anywhere
    os.setuid(65534)
try:
    with writer_lock(Path(".")):
        pass
except StoreError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not read-only there")
def test_folder_that_cannot_be_written_to_is_named(tmp_path):
    os.chmod(tmp_path, 0o555)
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("cannot write to .: Permission denied")


def test_who_waits_is_told_for_whom_and_what_that_one_does(tmp_path):
    told = []
    done = threading.Event()

    def hold():
        with writer_lock(tmp_path, Turn(work="adding images")):
            held.set()
            done.wait(20)

    def report(progress):
        told.append(progress)
        done.set()

    held = threading.Event()
    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(20)
    with writer_lock(tmp_path, Turn(None, watch=Watch(report))):
        pass
    thread.join()
    assert told[0].phase == "waiting"
    assert re.search(r"another thread of this process, since 20.*, adding images", told[0].words)


def test_a_token_ends_the_waiting(holder, tmp_path):
    token = CancelToken()
    timer = threading.Timer(0.1, token.cancel)
    timer.start()
    with pytest.raises(CancelledError), writer_lock(tmp_path, Turn(None, watch=Watch(cancel=token))):
        pass
    timer.join()
    assert holder.poll() is None


def test_threads_of_a_process_take_turns_where_other_processes_are_refused(tmp_path):
    inside, most, failed = [], [], []

    def write():
        try:
            for _ in range(5):
                with writer_lock(tmp_path, Turn("threads", poll_seconds=0.001)):
                    inside.append(1)
                    most.append(len(inside))
                    time.sleep(0.002)
                    inside.pop()
        except LockedError as error:
            failed.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failed, max(most), len(most)) == ([], 1, 20)


def test_a_thread_of_its_own_is_never_taken_for_another_process(tmp_path, monkeypatch):
    """Also not in the moments in which a thread has the lock, and has not said so, or said so no more."""
    real = {name: getattr(filelock.FileLock, name) for name in ("acquire", "release")}

    def slowly(name):
        def change(self, *args, **options):
            if name == "release":
                time.sleep(0.01)
            done = real[name](self, *args, **options)
            time.sleep(0.01)
            return done

        return change

    for name in real:
        monkeypatch.setattr(filelock.FileLock, name, slowly(name))
    test_threads_of_a_process_take_turns_where_other_processes_are_refused(tmp_path)


def test_by_threads_another_process_is_not_waited_for(holder, tmp_path):
    with (
        pytest.raises(LockedError, match=f"process {holder.pid}") as caught,
        writer_lock(tmp_path, Turn("threads")),
    ):
        pass
    assert "wait=None" in str(caught.value.hint)


def test_who_does_not_want_to_wait_is_not_told_how(holder, tmp_path):
    with pytest.raises(LockedError) as caught, writer_lock(tmp_path, Turn(0)):
        pass
    assert "wait=" not in str(caught.value.hint)


def test_a_thread_does_not_wait_for_itself(tmp_path):
    inner = writer_lock(tmp_path, Turn(None))
    with writer_lock(tmp_path), pytest.raises(LockedError, match="this very thread"), inner:
        pass


def test_what_a_killed_process_said_names_nobody(tmp_path):
    with writer_lock(tmp_path):
        note = json.loads((tmp_path / "lock.json").read_text())
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        (tmp_path / "lock.json").write_text(json.dumps({**note, "pid": ended.pid}))
        with pytest.raises(LockedError, match="it has not said which"), writer_lock(tmp_path):
            pass
    assert not (tmp_path / "lock.json").exists()


def test_where_nothing_can_be_written_down_nobody_else_stands_there(tmp_path, monkeypatch):
    (tmp_path / "lock.json").write_text('{"pid": 1, "host": "elsewhere", "since": "2020"}')

    def refuse(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("lookalike.store.lock.replace_file", refuse)
    inner = writer_lock(tmp_path)
    with writer_lock(tmp_path), pytest.raises(LockedError, match="it has not said which"), inner:
        pass


@pytest.mark.parametrize("wait", [-1, float("nan"), "long", True, [1]])
def test_a_wait_that_is_none_is_named(tmp_path, wait):
    words = r"wait is .*; expected seconds"
    with pytest.raises(InvalidInputError, match=words), writer_lock(tmp_path, Turn(wait)):
        pass


def test_threads_wait_for_one_another_also_at_the_moments_when_the_lock_changes_hands(tmp_path):
    refused, n = [], []

    def write():
        for _ in range(60):
            try:
                with writer_lock(tmp_path, Turn("threads", poll_seconds=0.0005)):
                    n.append(1)
            except LockedError as error:
                refused.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (refused, len(n)) == ([], 240)
