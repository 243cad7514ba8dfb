import io
import tarfile

import pytest

from lookalike.datasets.archives import unpack_tar
from lookalike.errors import DatasetError


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_files_come_out_with_their_folders(tmp_path, tar, mode):
    unpack_tar(tar(("a/b/1.jpg", b"one"), ("a/2.jpg", b"two"), mode=mode), tmp_path)
    assert (tmp_path / "a/b/1.jpg").read_bytes() == b"one"
    assert (tmp_path / "a/2.jpg").read_bytes() == b"two"


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "/tmp/lookalike-outside"])
def test_name_that_leads_out_is_refused(tmp_path, tar, name):
    (tmp_path / "in").mkdir()
    with pytest.raises(DatasetError, match="outside"):
        unpack_tar(tar((name, b"x")), tmp_path / "in")
    assert list(tmp_path.rglob("*outside*")) == []


def test_links_and_devices_are_left_out(tmp_path, tar):
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    hard = tarfile.TarInfo("hard")
    hard.type, hard.linkname = tarfile.LNKTYPE, "/etc/passwd"
    pipe = tarfile.TarInfo("pipe")
    pipe.type = tarfile.FIFOTYPE
    unpack_tar(tar(link, hard, pipe, ("file", b"x")), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("kept", [0, 10, 60])
def test_damaged_archive_is_an_error_of_ours(tmp_path, tar, kept):
    whole = tar(("file", bytes(range(256)) * 40)).getvalue()
    with pytest.raises(DatasetError, match="tar archive"):
        unpack_tar(io.BytesIO(whole[:kept]), tmp_path)


def test_what_is_no_archive_is_an_error_of_ours(tmp_path):
    with pytest.raises(DatasetError, match="tar archive"):
        unpack_tar(io.BytesIO(b"<html>sign in first</html>" * 100), tmp_path)
