"""How much memory there is: the least of what the machine and the container leave."""

import subprocess
import sys
from pathlib import Path

import pytest

from lookalike.errors import TooLittleMemoryError
from lookalike.system import memory
from lookalike.system.memory import free_memory


def system(root, **files):
    for name, text in files.items():
        place = root / name.replace("__", "/").replace("--", ".")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return root


MEMINFO = "MemTotal:  4000 kB\nMemFree:  1000 kB\nMemAvailable:    3000 kB\n"


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({"proc__meminfo": MEMINFO}, 3000 << 10),
        ({"sys__fs__cgroup__memory--max": "max", "proc__meminfo": MEMINFO}, 3000 << 10),
        (
            {
                "proc__meminfo": MEMINFO,
                "sys__fs__cgroup__memory--max": "9000\n",
                "sys__fs__cgroup__memory--current": "5000\n",
                "sys__fs__cgroup__memory--stat": "anon 1\ninactive_file 700\n",
            },
            4700,
        ),
        (
            {
                "sys__fs__cgroup__memory__memory--limit_in_bytes": "9000",
                "sys__fs__cgroup__memory__memory--usage_in_bytes": "9100",
                "sys__fs__cgroup__memory__memory--stat": "inactive_file 1\ntotal_inactive_file 50\n",
            },
            0,
        ),
    ],
)
def test_free_is_what_the_machine_and_the_container_leave(tmp_path, files, free):
    assert free_memory(system(tmp_path, **files)) == free


def test_where_the_system_does_not_say_there_is_an_assumption(tmp_path):
    assert free_memory(tmp_path) > 1 << 28


def test_here_something_is_free():
    assert free_memory() > 1 << 20


def test_what_is_refused_for_want_of_memory_says_how_much_and_what_to_do(monkeypatch):
    monkeypatch.setattr(memory, "_most_memory", lambda: 2 << 30)
    memory.check_memory(2 << 30, "this", "ask for less")
    with pytest.raises(
        TooLittleMemoryError, match=r"^this needs about 3.0 GiB of memory, and 2.0 GiB are free\nask"
    ):
        memory.check_memory(3 << 30, "this", "ask for less")


def test_a_little_is_never_refused(monkeypatch):
    monkeypatch.setattr(memory, "_most_memory", lambda: 0)
    memory.check_memory(1 << 20, "this", "ask for less")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="limits are asked for on Linux")
def test_a_limit_of_this_process_is_known():
    code = (
        "import resource; from lookalike.system.memory import check_memory\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "check_memory(1 << 29, 'little', '')\n"
        "check_memory(1 << 30, 'much', 'do less')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "TooLittleMemoryError: much needs about 1.0 GiB" in done.stderr


def test_long_rows_make_short_blocks():
    assert memory.rows_at_once(1_280, 8_192) == memory.rows_at_once(8_192, 8_192) == 8_192
    assert memory.rows_at_once(1 << 20, 8_192) == 64
    assert memory.rows_at_once(1 << 40, 8_192) == 1
