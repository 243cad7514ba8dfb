"""Everything that can be wrong with a folder, in one folder: each thing is named, nothing else is lost."""

import errno
import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from lookalike import Collection
from lookalike.errors import ImageError
from lookalike.images.decode import read_file
from lookalike.system import plain_files
from pictures import picture

posix_only = pytest.mark.skipif(os.name != "posix", reason="links, pipes and bytes in names are POSIX's")

VANISHING = "vanishing.png"
UNREADABLE = "unreadable.png"


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """8 good images among 12 bad things, and a link that leads back."""
    folder = tmp_path / "mixed"
    (folder / "sub").mkdir(parents=True)
    for number in range(4):
        picture(number).save(folder / f"good-{number}.png")
    whole = (folder / "good-0.png").read_bytes()
    # Good, though they may look bad:
    (folder / "a png called.jpg").write_bytes((folder / "good-1.png").read_bytes() + b"trailing")
    picture(4).save(folder / "naïve ' \" $HOME `x`; 日本.png")
    picture(5).save(os.fsencode(folder) + b"/caf\xe9.png")
    (folder / "sub/link.png").symlink_to("../good-2.png")
    # Bad:
    picture(6).save(folder / "whole.jpg")
    (folder / "truncated.jpg").write_bytes((folder / "whole.jpg").read_bytes()[:400])
    (folder / "whole.jpg").unlink()
    (folder / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (folder / "zero.jpg").touch()
    (folder / "mislabelled.jpg").write_bytes(b"%PDF-1.7 this is no picture at all")
    (folder / "text.png").write_text("not an image")
    (folder / "bomb.png").write_bytes(png_that_claims(60_000, 60_000))
    picture(7).save(folder / VANISHING)
    picture(8).save(folder / UNREADABLE)
    (folder / "dangling.png").symlink_to("nowhere.png")
    (folder / "itself.png").symlink_to("itself.png")
    (folder / "sub/loop").symlink_to("..")
    os.mkfifo(folder / "pipe.jpg")
    Path(os.fsdecode(os.fsencode(folder) + b"/broken-\xff.jpg")).write_bytes(b"nothing")
    (folder / "notes.txt").write_text("of no interest")
    return folder


EXPECTED = {
    "truncated.jpg": "the JPEG file is cut short",
    "truncated.png": "PNG",
    "zero.jpg": "the file is empty",
    "mislabelled.jpg": "not an image",
    "text.png": "not an image",
    "bomb.png": "too large: 60000 × 60000 is 3,600 megapixels",
    VANISHING: "no such file",
    UNREADABLE: "permission denied",
    "dangling.png": "a link to a file that is not there",
    "itself.png": "a loop of symbolic links",
    "pipe.jpg": "not a regular file",
    os.fsdecode(b"broken-\xff.jpg"): "not an image",
}


@pytest.fixture
def hostile_system(monkeypatch):
    """One file vanishes between scan and reading, one may not be read (the tests may run as root)."""
    real = plain_files.read_plain

    def read_plain(path: Path) -> bytes:
        if path.name == VANISHING:
            path.unlink(missing_ok=True)
        if path.name == UNREADABLE:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(sys.modules["lookalike.images.decode"], "read_plain", read_plain)


@posix_only
def test_every_bad_input_is_named_and_counted_and_the_good_ones_are_there(folder, hostile_system):
    collection = Collection.create(folder)
    report = collection.sync()
    failures = {os.path.relpath(row.path, folder): row.reason for row in report.failures}
    assert set(failures) == set(EXPECTED)
    for name, words in EXPECTED.items():
        assert words in failures[name], name
    assert (report.added, report.embedded, report.failed) == (8, 7, 12)
    hits = collection.search(picture(0), k=100).hits
    names = {os.path.relpath(path, folder) for hit in hits for path in hit.paths}
    assert names == {
        *(f"good-{number}.png" for number in range(4)),
        "a png called.jpg",
        "naïve ' \" $HOME `x`; 日本.png",
        os.fsdecode(b"caf\xe9.png"),
        "sub/link.png",
    }


@posix_only
def test_what_the_system_refused_is_tried_again_and_bad_content_is_not(folder, hostile_system, monkeypatch):
    collection = Collection.create(folder)
    collection.sync()
    monkeypatch.undo()
    read: list[str] = []

    def note(path):
        read.append(path.name)
        return read_file(path)

    monkeypatch.setattr("lookalike.sync.reading.read_file", note)
    report = collection.sync()
    assert read == [UNREADABLE]
    # The vanished file is no longer on the disk, so it no longer fails.
    assert (report.added, report.unchanged, report.failed) == (1, 8, 10)


@posix_only
def test_the_command_line_names_all_failures_and_exits_0_or_with_strict_1(folder):
    program = [sys.executable, "-m", "lookalike", "index", str(folder), "--json"]
    done = subprocess.run(program, capture_output=True, timeout=60)
    document = json.loads(done.stdout)
    # In this run nothing vanishes, and root may read all.
    assert (done.returncode, done.stderr) == (0, b"")
    assert document["failed"] == len(document["failures"]) == 10
    assert document["added"] == 10
    assert subprocess.run([*program, "--strict"], capture_output=True, timeout=60).returncode == 1
    listed = subprocess.run(
        [sys.executable, "-m", "lookalike", "info", "--failures"], cwd=folder, capture_output=True, timeout=60
    )
    assert len(listed.stdout.splitlines()) == 10
    found = subprocess.run(
        [sys.executable, "-m", "lookalike", "search", "good-0.png", "-f", "-k", "50"],
        cwd=folder,
        capture_output=True,
        timeout=60,
    )
    assert b"caf\xe9.png" in found.stdout.splitlines()


def test_python_reads_what_the_command_line_reads_and_neither_touches_pillows_limit(
    tmp_path, call, monkeypatch
):
    for name in ("a.gif", "b.webp", "c.tif", "d.png"):
        frames = [picture(ord(name[0])), picture(99)]
        options = {} if name == "d.png" else {"save_all": True, "append_images": frames[1:]}
        frames[0].save(tmp_path / name, **options | ({"disposal": 2} if name == "a.gif" else {}))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # of 6,400
    code, out, _ = call("index", ".", "-c", tmp_path / "commanded", "--json", cwd=tmp_path)
    assert (code, json.loads(out)["failed"], json.loads(out)["added"]) == (0, 0, 4)
    assert Image.MAX_IMAGE_PIXELS == 1000
    collection = Collection.create(tmp_path / "called", with_root=False)
    collection.add_root(tmp_path)
    report = collection.sync()
    assert (report.failed, report.added, Image.MAX_IMAGE_PIXELS) == (0, 4, 1000)


@posix_only
def test_a_file_that_may_not_be_read_says_so(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "secret.png").chmod(0)
    with pytest.raises(ImageError, match="permission denied"):
        read_file(tmp_path / "secret.png")


def test_a_full_disk_is_one_clear_error_and_keeps_what_was_committed(tmp_path, monkeypatch):
    from lookalike.errors import StoreError
    from lookalike.store.commits import Commits

    for number in range(30):
        picture(number).save(tmp_path / f"{number:02}.png")
    collection = Collection.create(tmp_path)
    real = Commits._flush_new
    flushed = []

    def fail_later(commits, folders):
        flushed.append(commits)
        if len(flushed) > 40:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(commits, folders)

    monkeypatch.setattr(Commits, "_flush_new", fail_later)
    with pytest.raises(StoreError, match="the disk is full") as caught:
        collection.sync(jobs=1, commit_seconds=0)
    assert "what was done before is kept" in str(caught.value.hint)
    monkeypatch.undo()
    kept = len(Collection.open(tmp_path))
    assert 0 < kept < 30
    report = Collection.open(tmp_path).sync()
    assert report.added + report.unchanged == 30
