"""Whatever the terminal and the machine are like: one line and the exit code 2, or success."""

import os
import shutil
import subprocess
import sys

import pytest

from lookalike.cli import console, main
from lookalike.cli.commands import COMMANDS, Group
from lookalike.errors import ResourceError

posix_only = pytest.mark.skipif(os.name != "posix", reason="the shell and its limits are POSIX's")

ALL = [
    [name, *more]
    for name, row in COMMANDS.items()
    for more in ([[], *([each] for each in row.commands)] if isinstance(row, Group) else [[]])
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from lookalike import Collection
    from pictures import picture

    folder = tmp_path_factory.mktemp("photos")
    for number in range(4):
        picture(number).save(folder / f"{number}.png")
    Collection.create(folder, model="pixels-8-grey").sync()
    return folder


def shell(line, folder):
    program = f"{sys.executable} -m lookalike"
    return subprocess.run(
        ["bash", "-c", line.replace("lookalike", program)], cwd=folder, capture_output=True, text=True
    )


class Full:
    """A standard output, or error, on a disk that is full."""

    encoding = "utf-8"

    def __init__(self):
        self.buffer = self

    def write(self, _content):
        raise OSError(28, "No space left on device")

    def flush(self):
        raise OSError(28, "No space left on device")

    def isatty(self):
        return False

    def fileno(self):
        raise OSError


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_the_help_of_every_command_is_a_line_where_the_disk_is_full(monkeypatch, capfd, words):
    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(SystemExit) as left:
        main([*words, "--help"])
    assert left.value.code == 2
    assert capfd.readouterr().err == "lookalike: standard output: No space left on device\n"


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_no_command_takes_an_empty_name_for_the_working_directory(call, folder, words):
    code, out, err = call(*words, "-c", "")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "--collection is empty" in err or "No such option" in err or "no such option" in err


@pytest.mark.parametrize(
    "words",
    [
        ["index", ""],
        ["search", ""],
        ["search", "0.png", "--plot", ""],
        ["search", "--request", ""],
        ["map", "-o", ""],
        ["export", ""],
        ["said", "export", ""],
        ["said", "import", ""],
        ["evaluate", "--labels", ""],
        ["add", ""],
        ["labels", "give", "owl", ""],
        ["roots", "--move", "", "x"],
        ["models", "--fetch", "dinov2-small", "--to", ""],
        ["demo", "-o", ""],
    ],
    ids=" ".join,
)
def test_nor_do_other_names_of_files_and_folders(call, folder, words):
    code, out, err = call(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "is empty; expected the name of a file or folder" in err


@posix_only
@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("lookalike list 2> /dev/full", 0, ""),
        ("lookalike list --json > /dev/full", 2, "standard output: No space left on device"),
        ("ulimit -n 12; lookalike list", 2, "may have 12 files open at once"),
        ("ulimit -v 300000; lookalike list", 2, "a library cannot be loaded"),
        ("mkdir gone; cd gone; rmdir ../gone; lookalike list", 2, "the working directory is not there"),
    ],
)
def test_what_the_machine_lacks_is_told_in_one_line(folder, line, code, words):
    if "ulimit -v" in line and sys.platform != "linux":
        pytest.skip("no other system keeps to it")
    done = shell(line, folder)
    assert done.returncode == code
    assert words in done.stderr
    assert done.stderr.count("\n") == bool(words)


@posix_only
@pytest.mark.parametrize("name", ["pipe.png", "kmsg.png", "pipe.jsonl", "zero.jsonl", "pipe.csv"])
def test_nothing_is_waited_for(call, folder, tmp_path, name):
    special = tmp_path / name
    target = {"kmsg.png": "/proc/kmsg", "zero.jsonl": "/dev/zero"}.get(name)
    if target is None:
        os.mkfifo(special)
    else:
        special.symlink_to(target)
    doors = {".png": [["search", special], ["info", special]]}
    doors[".jsonl"] = [["said", "import", special], ["search", "--request", special]]
    doors[".csv"] = [["evaluate", "--labels", special]]
    for words in doors[special.suffix]:
        code, out, err = call(*words)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert str(special) in err


@pytest.mark.skipif(not os.path.exists("/proc/kmsg"), reason="no Linux")
@pytest.mark.parametrize("place", ["/proc", "/sys"])
def test_what_the_system_says_of_itself_is_indexed_by_nobody(call, tmp_path, place):
    code, out, err = call("index", place, "-c", tmp_path, "--model", "pixels-8-grey", cwd=tmp_path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "of the system's own" in err


@posix_only
def test_as_many_files_may_be_open_as_the_system_allows(monkeypatch):
    import resource

    asked = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (20, 512))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    console.have_handles()
    assert asked == [(512, 512)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: (8, 8))
    with pytest.raises(ResourceError, match="may have 8 files open at once"):
        console.have_handles()


class PanicException(BaseException):
    """As Rust code raises it: no Exception."""


@pytest.mark.parametrize("error", [PanicException("no thread"), RuntimeError("can't start new thread"),
                                   ImportError("failed to map")])  # fmt: skip
def test_a_library_that_gives_up_is_one_line(call, folder, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr("lookalike.cli.listing.open_named", fail)
    code, out, err = call("list")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert str(error) in err


@posix_only
def test_a_first_hour_goes_without_a_home_to_write_to(folder, tmp_path):
    lasting = {name: value for name, value in os.environ.items() if name not in ("HOME", "LOOKALIKE_CACHE")}
    lasting = {name: value for name, value in lasting.items() if not name.startswith(("XDG_", "MPL"))}
    lasting |= dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), "/proc/self/nothing")
    program = f"""
import contextlib
from lookalike.cli import main
for words in (["index"], ["search", "0.png"], ["cluster", "make", "-k", "2"], ["models"], ["info"],
              ["map", "make", "--method", "pca"], ["map", "draw", "-o", {str(tmp_path / "map.png")!r}],
              ["check"], ["copy", {str(tmp_path / "copy")!r}]):
    try:
        main(words)
    except SystemExit as end:
        assert end.code in (0, None), words
"""
    photos = shutil.copytree(folder, tmp_path / "photos")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=photos, env=lasting, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, f"saved {tmp_path / 'map.png'}\n")
