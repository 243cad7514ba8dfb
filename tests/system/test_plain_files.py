import os
from pathlib import Path

import pytest

from lookalike.errors import InvalidInputError
from lookalike.system.plain_files import open_plain, read_named, read_plain

posix_only = pytest.mark.skipif(os.name != "posix", reason="pipes and devices are POSIX's")


def test_a_file_is_read_as_it_is(tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    assert read_plain(tmp_path / "a") == read_named(tmp_path / "a") == b"content"


@posix_only
@pytest.mark.parametrize("kind", ["a named pipe", "a device", "a folder"])
def test_nothing_is_waited_for(tmp_path, kind):
    os.mkfifo(tmp_path / "pipe")
    path = {"a named pipe": tmp_path / "pipe", "a device": Path("/dev/zero"), "a folder": tmp_path}[kind]
    with pytest.raises(OSError, match="not a regular file"):
        open_plain(path)
    with pytest.raises(InvalidInputError, match=kind):
        read_named(path)


@pytest.mark.skipif(not os.path.exists("/proc/kmsg"), reason="no Linux")
def test_what_calls_itself_empty_is(tmp_path):
    (tmp_path / "x.jpg").symlink_to("/proc/kmsg")
    assert read_plain(tmp_path / "x.jpg") == b""


def test_a_file_that_grows_is_read_as_long_as_it_was(tmp_path, monkeypatch):
    file = tmp_path / "a"
    file.write_bytes(b"content")
    real = os.fstat

    def fstat(number):
        status = real(number)
        with file.open("ab") as stream:
            stream.write(b" and more")
        return status

    monkeypatch.setattr(os, "fstat", fstat)
    assert len(read_plain(file)) <= len(b"content and more")


@posix_only
def test_an_open_pipe_is_read_to_its_end_within_bounds():
    reading, writing = os.pipe()
    os.write(writing, b"content")
    os.close(writing)
    assert read_named(f"/dev/fd/{reading}") == b"content"
    os.close(reading)


def test_what_is_too_long_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    with pytest.raises(InvalidInputError, match="more than 3 bytes"):
        read_named(tmp_path / "a", 3)
