"""What is flushed, as the system is called."""

import errno
import os

import pytest

from lookalike.system.flush import flush_file, flush_folder
from lookalike.system.replace_file import replace_file


@pytest.fixture
def flushed(monkeypatch):
    """The paths that are flushed, in order; where the system tells what a handle is of."""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("the system does not tell")
    paths: list[str] = []
    fsync = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda handle: (paths.append(os.readlink(f"/proc/self/fd/{handle}")), fsync(handle))
    )
    return paths


def test_content_is_flushed_before_the_name_and_the_folder_after(tmp_path, flushed):
    replace_file(tmp_path / "a.json", b"{}", durable=True)
    assert [os.path.dirname(path) for path in flushed] == [str(tmp_path), str(tmp_path.parent)]
    assert flushed[0].endswith(".part")
    flushed.clear()
    replace_file(tmp_path / "a.json", b"{}", durable=True, names_flushed_later=True)
    replace_file(tmp_path / "b.json", b"{}")
    assert len(flushed) == 1


def test_folders_that_cannot_be_flushed_are_passed_over(tmp_path, monkeypatch):
    def refuse(handle: int) -> None:
        raise OSError(errno.EINVAL, "no")

    monkeypatch.setattr(os, "fsync", refuse)
    flush_folder(tmp_path)
    (tmp_path / "a").touch()
    with pytest.raises(OSError, match="no"):
        flush_file(tmp_path / "a")


@pytest.mark.skipif(os.name != "posix", reason="other systems flush no folders")
def test_a_disk_that_fails_is_told(tmp_path, monkeypatch):
    def fail(handle: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="broken"):
        flush_folder(tmp_path)
