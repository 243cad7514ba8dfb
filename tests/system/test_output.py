import os
import stat
import threading

import pytest

from lookalike.errors import ConflictError, NotFoundError
from lookalike.system.output import check_new_folder, check_output, put_output, write_output

posix_only = pytest.mark.skipif(os.name != "posix", reason="pipes and links are POSIX's")


def is_ours(content):
    return content.startswith(b"ours") or content.endswith(b"ours")


@pytest.fixture
def photo(tmp_path):
    file = tmp_path / "photo.png"
    file.write_bytes(b"a photo of mine")
    return file


def refused(file, *, force=False):
    with pytest.raises(ConflictError) as caught:
        write_output(file, b"new", is_ours, force=force)
    assert not list(file.parent.glob("*.part"))
    return str(caught.value)


def test_what_is_not_there_is_written_and_nothing_else_is_left(tmp_path):
    write_output(tmp_path / "a.png", b"new", is_ours)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"a.png": b"new"}


def test_a_file_of_the_users_stays_unless_it_is_meant(photo):
    assert "nothing that lookalike made" in refused(photo)
    assert photo.read_bytes() == b"a photo of mine"
    write_output(photo, b"new", is_ours, force=True)
    assert photo.read_bytes() == b"new"


@pytest.mark.parametrize("content", [b"", b"ours", b"x" * (1 << 18) + b"ours"])
def test_what_is_empty_or_ours_is_replaced_with_its_mode(photo, content):
    photo.write_bytes(content)
    photo.chmod(0o640)
    write_output(photo, b"new", is_ours)
    assert photo.read_bytes() == b"new"
    assert os.name == "nt" or stat.S_IMODE(photo.stat().st_mode) == 0o640


@posix_only
def test_links_stand_for_what_they_lead_to(photo, tmp_path):
    link, hard, dangling = (tmp_path / name for name in ("link.png", "hard.png", "dangling.png"))
    link.symlink_to(photo)
    os.link(photo, hard)
    dangling.symlink_to(tmp_path / "new.png")
    refused(link)
    refused(hard)
    write_output(dangling, b"new", is_ours)
    assert dangling.is_symlink()
    assert (tmp_path / "new.png").read_bytes() == b"new"
    photo.write_bytes(b"ours")
    write_output(link, b"new", is_ours)
    assert (link.is_symlink(), photo.read_bytes(), hard.read_bytes()) == (True, b"new", b"ours")


def test_a_folder_is_no_file_and_no_folder_is_made(tmp_path):
    (tmp_path / "folder").mkdir()
    assert "is a folder" in refused(tmp_path / "folder", force=True)
    with pytest.raises(NotFoundError, match="there is no folder"):
        write_output(tmp_path / "gone" / "a.png", b"new")


def test_the_folder_of_a_collection_is_its_own(tmp_path):
    home = tmp_path / ".lookalike"
    home.mkdir()
    check_output(home / "a.png")
    (home / "collection.json").write_text("{}")
    for force in (False, True):
        assert "a collection's own" in refused(home / "collection.json", force=force)
        assert "a collection's own" in refused(home / "new.png", force=force)
    with pytest.raises(ConflictError, match="a collection's own"):
        check_new_folder(home / "copy")


@posix_only
def test_a_pipe_is_written_to_and_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_output(pipe, b"new")
    reader.join()
    assert read == [b"new"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@posix_only
def test_what_the_shell_has_opened_is_added_to(photo):
    number = os.open(photo, os.O_WRONLY | os.O_APPEND)
    write_output(photo.__class__(f"/dev/fd/{number}"), b"!", is_ours)
    os.close(number)
    assert photo.read_bytes() == b"a photo of mine!"


def test_what_comes_while_the_output_is_made_stays(photo, tmp_path):
    partial = tmp_path / "made"
    partial.write_bytes(b"new")
    with pytest.raises(ConflictError):
        put_output(partial, photo, is_ours)  # which was not there when it was looked at
    assert (photo.read_bytes(), partial.read_bytes()) == (b"a photo of mine", b"new")


def test_without_hard_links_it_is_the_same(photo, tmp_path, monkeypatch):
    def link(*_):
        raise OSError

    monkeypatch.setattr(os, "link", link)
    refused(photo)
    write_output(tmp_path / "a.png", b"new")
    assert (tmp_path / "a.png").read_bytes() == b"new"


def test_a_new_folder_is_not_there_or_empty(photo, tmp_path):
    (tmp_path / "empty").mkdir()
    check_new_folder(tmp_path / "empty")
    check_new_folder(tmp_path / "new")
    for taken in (photo, tmp_path):
        with pytest.raises(ConflictError):
            check_new_folder(taken)
    with pytest.raises(NotFoundError):
        check_new_folder(tmp_path / "a" / "b")
