"""Functions in a process of their own: bounds, what is printed, and that nothing of it stays."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lookalike.errors import CancelledError
from lookalike.system.children import Bounds, Children, StoppedError
from lookalike.system.progress import CancelToken, Watch

FEW = Bounds(seconds=30)
NEEDS_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only there memory is bounded")


@pytest.fixture
def children():
    made = Children(most=2)
    yield made
    made.close()


def stopped(children: Children, function: str, *arguments: object, bounds: Bounds = FEW) -> StoppedError:
    with pytest.raises(StoppedError) as caught:
        children.call(function, *arguments, bounds=bounds)
    return caught.value


def is_there(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_function_is_called_elsewhere_and_the_next_one_there_too(children):
    first = children.call("os:getpid", bounds=FEW).value
    assert first != os.getpid()
    assert children.call("os:getpid", bounds=FEW).value == first
    assert children.call("math:factorial", 5, bounds=FEW).value == 120


def test_errors_of_the_function_are_raised_as_they_are(children):
    with pytest.raises(ValueError, match="invalid literal"):
        children.call("builtins:int", "x", bounds=FEW)
    assert children.call("math:factorial", 5, bounds=FEW).value == 120


def test_what_takes_too_long_is_stopped_and_the_next_call_is_answered(children):
    error = stopped(children, "builtins:sum", range(10**12), bounds=Bounds(0.5))
    assert str(error) == "it took longer than 0.5 s"
    assert stopped(children, "time:sleep", 60, bounds=Bounds(0.3)).why == "busy"  # no processor time was used
    assert children.call("math:factorial", 5, bounds=FEW).value == 120


@NEEDS_LINUX
def test_memory_beyond_the_bound_is_not_had(children):
    with pytest.raises(MemoryError):
        children.call("builtins:bytearray", 1 << 29, bounds=Bounds(30, 1 << 28))
    assert len(children.call("builtins:bytearray", 1 << 27, bounds=Bounds(30, 1 << 28)).value) == 1 << 27


def test_a_crash_is_said_and_the_next_call_is_answered(children):
    error = stopped(children, "os:abort")
    assert (error.why, str(error)) == ("crash", "it crashed (SIGABRT)")
    assert str(stopped(children, "os:_exit", 3)) == "it crashed (exit code 3)"
    assert stopped(children, "os:kill", 0, signal.SIGKILL).why == "killed"
    assert children.call("math:factorial", 5, bounds=FEW).value == 120


def test_what_libraries_print_comes_with_the_answer_and_nowhere_else(children, capfd):
    assert children.call("os:write", 2, b"odd file\n", bounds=FEW).said == "odd file\n"
    assert children.call("os:write", 1, b"to output\n", bounds=FEW).said == "to output\n"
    assert children.call("builtins:print", "by print", bounds=FEW).said == "by print\n"
    assert children.call("math:factorial", 5, bounds=FEW).said == ""
    much = children.call("os:write", 2, b"x" * 1_000_000, bounds=FEW)
    assert (much.value, much.said) == (1_000_000, "x" * 4096)
    assert capfd.readouterr() == ("", "")


def test_threads_share_a_few_children(children):
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(children.call, "os:getpid", bounds=FEW) for _ in range(60)]
        assert len({each.result().value for each in asked}) <= 2


def test_short_calls_of_several_threads_share_one_child_and_long_ones_do_not(children):
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(children.call, "os:getpid", bounds=FEW) for _ in range(20)]
        assert len({each.result().value for each in asked}) == 1
        token = CancelToken()
        long = pool.submit(children.call, "time:sleep", 30, bounds=FEW, watch=Watch(cancel=token))
        wait_for(lambda: not children._idle)
        assert children.call("math:factorial", 5, bounds=FEW).value == 120
        assert not long.done()
        token.cancel()
        with pytest.raises(CancelledError):
            long.result()


def test_a_call_is_cancelled_at_once(children):
    token = CancelToken()
    process = children.call("os:getpid", bounds=FEW).value
    threading.Timer(0.2, token.cancel).start()
    with pytest.raises(CancelledError):
        children.call("time:sleep", 60, bounds=Bounds(60), watch=Watch(cancel=token))
    assert not is_there(process)
    assert children.call("math:factorial", 5, bounds=FEW).value == 120


def test_large_things_go_there_and_come_back(children):
    content = os.urandom(1 << 22)
    assert children.call("builtins:bytes", content, bounds=FEW).value == content


def run(program: str, tmp_path: Path, **options: object) -> subprocess.Popen[str]:
    """Start a script that imports from the same place as this test."""
    script = tmp_path / "script.py"
    script.write_text(f"import sys; sys.path[:] = {sys.path!r}\n" + textwrap.dedent(program))
    return subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def test_a_script_without_a_guard_is_not_run_again(tmp_path):
    running = run(
        """
        print("begun", flush=True)
        from lookalike.system.children import Bounds, Children
        children = Children()
        process = children.call("os:getpid", bounds=Bounds(30)).value
        print(process)
        """,
        tmp_path,
    )
    output, errors = running.communicate(timeout=60)
    begun, process = output.split()
    assert (begun, errors, running.returncode) == ("begun", "", 0)
    assert not is_there(int(process))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks there for processes")
@pytest.mark.parametrize("work", ['"time:sleep", 60', '"builtins:sum", range(10**12)'])
def test_a_child_ends_with_a_parent_that_is_killed(tmp_path, work):
    running = run(
        f"""
        from lookalike.system.children import Bounds, Children
        children = Children()
        print(children.call("os:getpid", bounds=Bounds(30)).value, flush=True)
        children.call({work}, bounds=Bounds(60))
        """,
        tmp_path,
    )
    process = int(running.stdout.readline())
    time.sleep(0.2)
    running.kill()
    running.communicate()
    wait_for(lambda: not is_there(process))


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_an_interrupt_ends_the_call_and_the_child(tmp_path):
    running = run(
        """
        from lookalike.system.children import Bounds, Children
        children = Children()
        print(children.call("os:getpid", bounds=Bounds(30)).value, flush=True)
        try:
            children.call("time:sleep", 60, bounds=Bounds(60))
        except KeyboardInterrupt:
            print("interrupted")
        """,
        tmp_path,
    )
    process = int(running.stdout.readline())
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    output, errors = running.communicate(timeout=30)
    assert (output, errors) == ("interrupted\n", "")
    assert not is_there(process)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell closes them")
def test_closed_standard_streams_and_a_deleted_working_directory_are_no_hindrance(tmp_path):
    gone, answer = tmp_path / "gone", tmp_path / "answer"
    gone.mkdir()
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys, os; sys.path[:] = {[each for each in sys.path if each]!r}\n"
        f"os.rmdir({str(gone)!r})\n"
        "from lookalike.system.children import Bounds, Children\n"
        "answer = Children().call('math:factorial', 5, bounds=Bounds(30)).value\n"
        f"open({str(answer)!r}, 'w').write(str(answer))\n"
    )
    command = f'exec "{sys.executable}" "{script}" <&- >&- 2>&-'
    subprocess.run(["sh", "-c", command], cwd=gone, check=True, timeout=60)
    assert answer.read_text() == "120"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_copy_of_the_process_has_children_of_its_own(tmp_path):
    running = run(
        """
        import os
        from lookalike.system.children import Bounds, Children
        children = Children()
        first = children.call("os:getpid", bounds=Bounds(30)).value
        copy = os.fork()
        if copy == 0:
            print(children.call("os:getpid", bounds=Bounds(30)).value != first, flush=True)
            children.close()
            os._exit(0)
        os.waitpid(copy, 0)
        print(children.call("os:getpid", bounds=Bounds(30)).value == first)
        """,
        tmp_path,
    )
    output, errors = running.communicate(timeout=60)
    assert (output.split(), errors) == (["True", "True"], "")


def test_children_end_with_the_last_who_could_ask_them():
    children = Children()
    process = children.call("os:getpid", bounds=FEW).value
    del children
    wait_for(lambda: not is_there(process))
