"""Ctrl-C stops long work in order, a second one at once; bars are drawn on a terminal that wants them."""

import os
import re
import signal
import subprocess
import sys
import threading

import pytest

from lookalike import CancelToken, Progress
from lookalike.cli import main
from lookalike.cli.console import watched
from lookalike.cli.interruption import cancelled_by_interrupt
from pictures import picture


@pytest.fixture
def default_handler():
    """Python's own, which a runner of tests may have replaced."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_first_interrupt_cancels_and_the_second_interrupts(default_handler):
    with pytest.raises(KeyboardInterrupt), cancelled_by_interrupt() as cancel:
        assert not cancel.is_cancelled
        signal.raise_signal(signal.SIGINT)
        assert cancel.is_cancelled
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_after_the_work_an_interrupt_is_as_always(default_handler):
    with watched(quiet=True) as watch:
        assert isinstance(watch.cancel, CancelToken)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert not watch.is_cancelled


def test_a_handler_of_somebody_else_stays(default_handler):
    def theirs(*_):
        pass

    signal.signal(signal.SIGINT, theirs)
    with cancelled_by_interrupt():
        assert signal.getsignal(signal.SIGINT) is theirs


def test_other_threads_leave_signals_alone(default_handler):
    seen = []

    def work():
        with cancelled_by_interrupt():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_no_bar_without_a_terminal_nor_where_it_is_not_wanted(monkeypatch, capsys, default_handler):
    monkeypatch.setattr("lookalike.cli.console._DELAY", 0)
    at = Progress("counting", 1, 2, "counting")

    def shown(**options):
        with watched(**options) as watch:
            watch(at)
        return capsys.readouterr().err

    assert shown() == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert shown(quiet=True) == ""
    assert "Counting" in shown()


INTERRUPTS_ITSELF = """
import signal, sys
from lookalike import Clusterings
from lookalike.cli import main

make = Clusterings.make

def make_and_interrupt(self, *arguments, report, **options):
    def tell(progress):
        report(progress)
        signal.raise_signal(signal.SIGINT)
    return make(self, *arguments, report=tell, **options)

Clusterings.make = make_and_interrupt
main(sys.argv[1:])
"""


def test_any_command_that_is_interrupted_says_so_in_one_line_and_keeps_nothing_half_done(tmp_path):
    for number in range(12):
        picture(number, 24).save(tmp_path / f"{number}.png")
    run(["index", "-q", str(tmp_path), "--model", "pixels-8-grey"])
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTS_ITSELF, "cluster", "make", "-c", str(tmp_path), "-k", "2"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "lookalike: interrupted; what was done is kept\n"
    assert not any((tmp_path / ".lookalike/clusterings").glob("*"))


def run(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert not left.value.code


def shown_on_a_terminal(*arguments: str) -> str:
    """Return what a terminal shows of a command, without control sequences."""
    pty = pytest.importorskip("pty")
    terminal, child = pty.openpty()
    command = [sys.executable, "-m", "lookalike", *arguments]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(command, stdout=child, stderr=child, env=environment)
    os.close(child)
    shown = b""
    try:
        while data := os.read(terminal, 1 << 16):
            shown += data
    except OSError:  # Linux's word for the end
        pass
    os.close(terminal)
    assert process.wait(60) == 0
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())


def test_a_bar_tells_phase_share_rate_and_time_left(tmp_path):
    for number in range(400):
        picture(number, 300).save(tmp_path / f"{number}.png")
    shown = shown_on_a_terminal("index", str(tmp_path), "--device", "cpu")
    assert re.search(r"Embedding ━+.*\d+/400, [\d,]+ images/s, 0:\d\d left", shown)
    assert "400 added" in shown


def test_quiet_draws_no_bar(tmp_path):
    for number in range(100):
        picture(number, 100).save(tmp_path / f"{number}.png")
    assert shown_on_a_terminal("index", "-q", str(tmp_path), "--device", "cpu") == ""
