"""One writer at a time, whatever becomes of it."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from lookalike.errors import LockedError, StoreError
from lookalike.store import writer_lock

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
    with writer_lock(tmp_path, timeout=20):
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
