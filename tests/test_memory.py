"""How much memory there is: the least of what the machine and the container leave."""

import pytest

from lookalike.memory import free_memory


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
