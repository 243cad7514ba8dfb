"""Python shows a bar where somebody looks on: in a notebook, at a prompt; never in a program."""

import os
import re
import subprocess
import sys
import threading
import time
from types import ModuleType, SimpleNamespace

import pytest

from lookalike import CancelToken, InvalidInputError, Progress
from lookalike.system import watching as watching_module
from lookalike.system.progress import silent
from lookalike.system.watching import watching

WORK = """
import time
from lookalike import Progress, silent
from lookalike.system.watching import watching
with watching({report}, None) as watch:
    for done in range(30):
        watch(Progress("counting", done, 30, "counting sheep", unit="sheep"))
        time.sleep(0.05)
print("counted")
"""


def on_a_terminal(*arguments: str, typed: str = "") -> str:
    """Return what a terminal shows of a Python that is run in it, without its control sequences."""
    pty = pytest.importorskip("pty")
    main, child = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "PYTHON_BASIC_REPL": "1"}
    process = subprocess.Popen(
        [sys.executable, *arguments], stdin=child, stdout=child, stderr=child, env=environment, close_fds=True
    )
    os.close(child)
    if typed:
        os.write(main, typed.encode())
    shown = b""
    try:
        while data := os.read(main, 1 << 16):
            shown += data
    except OSError:  # Linux's word for the end
        pass
    os.close(main)
    assert process.wait(60) == 0
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())


def test_an_interactive_prompt_has_a_bar_after_a_second(tmp_path):
    (tmp_path / "work.py").write_text(WORK.format(report=None))
    shown = on_a_terminal("-i", str(tmp_path / "work.py"), typed="quit()\n")
    assert "Counting sheep" in shown and "sheep/s" in shown
    assert "counted" in shown
    done = [int(number) for number in re.findall(r"(\d+)/30", shown)]
    assert done and min(done) >= 10  # not in the first second


def test_what_is_typed_at_a_prompt_has_a_bar():
    typed = f"exec({WORK.format(report=None)!r})\nquit()\n"
    assert "Counting sheep" in on_a_terminal("-q", typed=typed).replace(typed, "")


@pytest.mark.parametrize("options", [(), ("-i",)])
def test_who_wants_silence_has_it_everywhere(tmp_path, options):
    (tmp_path / "work.py").write_text(WORK.format(report="silent"))
    shown = on_a_terminal(*options, str(tmp_path / "work.py"), typed="quit()\n" if options else "")
    assert "counted" in shown and "Counting" not in shown


def test_a_program_shows_nothing_on_a_terminal(tmp_path):
    (tmp_path / "work.py").write_text(WORK.format(report=None))
    assert on_a_terminal(str(tmp_path / "work.py")).split() == ["counted"]


def test_a_prompt_whose_errors_go_elsewhere_shows_nothing(tmp_path):
    (tmp_path / "work.py").write_text(WORK.format(report=None))
    command = [sys.executable, "-i", str(tmp_path / "work.py")]
    done = subprocess.run(command, input="quit()\n", capture_output=True, text=True, check=True)
    assert done.stdout == "counted\n"
    assert "ounting" not in done.stderr


class Kernel:
    """What IPython gives in a notebook, as far as a bar needs it; what a cell shows is in `outputs`."""

    def __init__(self, has_kernel: bool = True) -> None:
        self.outputs: list[dict[str, str]] = []
        self.n_updates = 0
        shell = SimpleNamespace(kernel=object() if has_kernel else None)
        self.module = ModuleType("IPython")
        self.module.get_ipython = lambda: shell
        self.display_module = ModuleType("IPython.display")
        self.display_module.display = self._display
        self.module.display = self.display_module

    def _display(self, shown, raw, display_id):
        assert raw and display_id
        self.outputs.append(shown)
        return SimpleNamespace(update=self._update)

    def _update(self, shown, raw):
        assert raw
        self.n_updates += 1
        self.outputs[-1] = shown


@pytest.fixture
def kernel(monkeypatch):
    kernel = Kernel()
    monkeypatch.setitem(sys.modules, "IPython", kernel.module)
    monkeypatch.setitem(sys.modules, "IPython.display", kernel.display_module)
    return kernel


def test_a_notebook_has_one_output_that_is_updated_and_emptied(kernel, monkeypatch):
    monkeypatch.setattr(watching_module, "_DELAY", 0.0)
    seen = []
    with watching(None, None) as watch:
        for done in range(20):
            watch(Progress("counting", done, 20, "counting <sheep>"))
            seen.append(kernel.outputs[-1])
            time.sleep(0.03)
    assert len(kernel.outputs) == 1
    assert 2 <= kernel.n_updates <= 8  # five a second, and the last that empties it
    assert seen[0]["text/plain"] == "Counting <sheep> 0/20"
    assert '<progress value="0" max="20">' in seen[0]["text/html"]
    assert "&lt;sheep&gt;" in seen[0]["text/html"]
    assert kernel.outputs == [{"text/plain": "", "text/html": ""}]


def test_short_work_shows_nothing_in_a_notebook(kernel):
    with watching(None, None) as watch:
        watch(Progress("counting", 1, 2))
    assert kernel.outputs == []


def test_silence_is_kept_in_a_notebook(kernel, monkeypatch):
    monkeypatch.setattr(watching_module, "_DELAY", 0.0)
    with watching(silent, None) as watch:
        watch(Progress("counting", 1, 2))
    assert kernel.outputs == []


def test_other_threads_show_nothing(kernel, monkeypatch):
    monkeypatch.setattr(watching_module, "_DELAY", 0.0)

    def work():
        with watching(None, None) as watch:
            watch(Progress("counting", 1, 2))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert kernel.outputs == []


def test_a_bar_goes_also_where_the_work_fails(kernel, monkeypatch):
    monkeypatch.setattr(watching_module, "_DELAY", 0.0)
    with pytest.raises(ZeroDivisionError), watching(None, None) as watch:
        watch(Progress("counting", 1, 0))
        watch(Progress("counting", 1 // 0, 2))
    assert kernel.outputs == [{"text/plain": "", "text/html": ""}]


@pytest.mark.parametrize(
    ("report", "cancel", "message"),
    [
        ("loud", None, "report is 'loud'; expected a function of one lookalike.Progress"),
        (None, True, "cancel is True; expected a lookalike.CancelToken"),
        (print, print, "cancel is <built-in function print>; expected a lookalike.CancelToken"),
    ],
)
def test_what_cannot_watch_is_refused(report, cancel, message):
    with pytest.raises(InvalidInputError, match=f"^{re.escape(message)}"), watching(report, cancel):
        pass


def test_whoever_reports_is_told_in_the_thread_that_works():
    told, token = [], CancelToken()
    with watching(lambda progress: told.append(threading.current_thread()), token) as watch:
        watch(Progress("counting"))
        assert watch.cancel is token
    assert told == [threading.current_thread()]
