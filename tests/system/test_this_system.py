"""Other systems, as far as they can be put on here; what they really do, only they can tell."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lookalike import Collection
from lookalike.collection.export.groups import safe_name
from lookalike.collection.stored.named_folders import check_name
from lookalike.errors import InvalidInputError, ResourceError
from lookalike.index import Exact
from lookalike.system import flush, renaming, this_system
from lookalike.system.replace_file import replace_file

HERE = Path(__file__).parent


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_every_module_is_imported_where_modules_of_posix_are_missing(system):
    command = [sys.executable, "-W", "error", HERE / "imported_without.py", system]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 300


def refuse(path: object = "") -> None:
    raise PermissionError(errno.EACCES, "The process cannot access the file", str(path))


@pytest.fixture
def windows(monkeypatch):
    """As Windows: it flushes no handles that only read, opens no folders, and moves nothing that is open."""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("the system does not tell what is open")
    import fcntl

    monkeypatch.setattr(this_system, "WINDOWS", True)
    monkeypatch.setattr("lookalike.system.shared_lock._fcntl", None)
    monkeypatch.setattr(renaming, "_PAUSES", (0.0,))
    monkeypatch.setattr(shutil, "_use_fd_functions", False)
    fsync, open_ = os.fsync, os.open

    def only_what_may_write(handle):
        if not fcntl.fcntl(handle, fcntl.F_GETFL) & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EBADF, "Bad file descriptor")
        fsync(handle)

    def no_folders(path, *given, **named):
        return refuse(path) if os.path.isdir(path) else open_(path, *given, **named)

    def is_held(path):
        place = os.path.realpath(path)
        if "lock" in os.path.basename(place):  # filelock works in another way there
            return False
        held = set()
        for name in os.listdir("/proc/self/fd"):
            try:
                held.add(os.readlink(f"/proc/self/fd/{name}"))
            except OSError:
                continue
        mapped = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
        held |= {line.split(maxsplit=5)[-1].strip() for line in mapped.splitlines() if "/" in line}
        return any(each == place or each.startswith(f"{place}/") for each in held)

    def careful(call):
        def with_care(path, *others, **named):
            if is_held(path) or (others and is_held(others[0])):
                refuse(path)
            return call(path, *others, **named)

        return with_care

    monkeypatch.setattr(os, "fsync", only_what_may_write)
    monkeypatch.setattr(os, "open", no_folders)
    for name in ("replace", "rename", "unlink", "remove"):
        monkeypatch.setattr(os, name, careful(getattr(os, name)))


@pytest.fixture
def pictures(photos):
    """So many that an index of theirs is large enough for its rows to be mapped."""
    from pictures import picture

    for number in range(6, 90):
        picture(number).save(photos / f"{number}.png")
    return photos


def test_on_windows_a_collection_is_made_kept_up_and_asked(windows, pictures, tmp_path):
    collection = Collection.create(pictures, "pixels-8-grey")
    assert collection.sync().added == 90
    queries = [hit.path for hit in collection.browse().hits[:3]]
    for index in ("exact", "kdtree"):
        for _ in range(3):  # the third has bytes beside it
            assert len(collection.search(queries[0], k=5, index=index).hits) == 5
    (pictures / "7.png").unlink()
    collection.sync(prune=True)
    for index in ("exact", "kdtree"):  # while the old index is mapped
        for query in queries:
            assert len(collection.search(query, k=5, index=index).hits) == 5
    again = Collection.open(pictures)
    assert len(again.search(queries[1], k=5, index="kdtree").hits) == 5
    assert len(again.clusterings.make("kmeans", 3).clusters) == 3
    again.clusterings.make("kmeans", 2)
    collection.copy(tmp_path / "copy")
    collection.copy(tmp_path / "copy", force=True)
    with Collection.open(tmp_path / "copy") as copied:
        assert len(copied) == len(collection)
    assert not list(collection.folder.rglob("*.part"))


def test_on_windows_an_index_that_is_mapped_is_not_written_over_and_stays(windows, tmp_path):
    rows = np.random.default_rng(0).standard_normal((400, 40)).astype(np.float32)
    Exact().build(rows).save(tmp_path / "index")
    loaded = Exact.load(tmp_path / "index")
    with pytest.raises(ResourceError, match=r"cannot be written to .*cannot access the file"):
        Exact().build(rows[:9]).save(tmp_path / "index")
    assert len(Exact.load(tmp_path / "index")) == len(loaded) == 400
    assert [each.name for each in tmp_path.iterdir()] == ["index"]


def test_on_windows_a_file_that_is_held_for_a_moment_is_replaced_after_it(monkeypatch, tmp_path):
    monkeypatch.setattr(this_system, "WINDOWS", True)
    monkeypatch.setattr(renaming, "_PAUSES", (0.0,) * 5)
    replace, tries = os.replace, []

    def sometimes(source, target):
        tries.append(target)
        return refuse(target) if len(tries) < 4 else replace(source, target)

    monkeypatch.setattr(os, "replace", sometimes)
    (tmp_path / "a.json").write_text("old")
    replace_file(tmp_path / "a.json", b"new", durable=True)
    assert ((tmp_path / "a.json").read_text(), len(tries)) == ("new", 4)
    monkeypatch.setattr(this_system, "WINDOWS", False)
    tries.clear()
    with pytest.raises(PermissionError):
        replace_file(tmp_path / "a.json", b"newer")
    assert len(tries) == 1


@pytest.mark.parametrize("knows", [True, False])
def test_macos_is_asked_to_flush_the_memory_of_the_disk_too(monkeypatch, tmp_path, knows):
    fcntl = pytest.importorskip("fcntl")
    asked = []

    def ask(handle, request):
        asked.append(request)
        if not knows:
            raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(this_system, "MACOS", True)
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", ask)
    monkeypatch.setattr(os, "fsync", lambda handle: asked.append("fsync"))
    (tmp_path / "a").touch()
    flush.flush_file(tmp_path / "a")
    assert asked == ([51] if knows else [51, "fsync"])


@pytest.mark.parametrize("name", ["con", "NUL", "com1", "LPT9.old", "aux.tar.gz"])
def test_names_of_devices_are_no_names_of_folders(name):
    with pytest.raises(InvalidInputError, match=name):
        check_name("clustering", name)
    assert safe_name(name) == f"{name}_"
