"""A run that is killed, wherever it is, loses little; the next one ends where an undisturbed one would."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kill_campaign import SYNC, check_promises, kill_often, rows

from lookalike import Collection
from pictures import picture


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """180 images in 200 files: copies, and some that fail, among them."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(180):
        picture(number, side=260).save(folder / f"{number:03}.jpg")
    for number in range(0, 100, 5):
        shutil.copy(folder / f"{number:03}.jpg", folder / f"copy-{number:03}.jpg")
    for number in range(6):
        (folder / f"bad-{number}.jpg").write_bytes(b"\xff\xd8\xff" + bytes([number]) * 40)
    return folder


def make(home: Path, photos: Path) -> None:
    collection = Collection.create(home, with_root=False)
    collection.add_root(photos)
    collection.sync(photos.glob("000.jpg"))  # one image, so that the tables are there


def test_twenty_kills_end_in_the_rows_of_an_undisturbed_run(photos, tmp_path):
    make(tmp_path / "undisturbed", photos)
    Collection.open(tmp_path / "undisturbed").sync()
    expected = rows(tmp_path / "undisturbed")
    assert (len(expected["files"]), len(expected["images"]), len(expected["failures"])) == (200, 180, 6)

    home = tmp_path / "killed"
    kill_often(home, lambda: make(home, photos), expected)
    report = Collection.open(home).sync()
    assert report.failed == 6
    assert rows(home) == expected


def test_a_kill_loses_at_most_what_was_done_since_the_last_commit(photos, tmp_path):
    make(tmp_path, photos)
    process = subprocess.Popen([sys.executable, "-c", SYNC, str(tmp_path)])
    deadline = time.monotonic() + 30
    while len(Collection.open(tmp_path)) < 20 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait()
    kept = len(Collection.open(tmp_path))
    report = Collection.open(tmp_path).sync()
    assert kept >= 20
    assert report.embedded == 180 - kept


def test_two_index_commands_at_once_end_in_the_right_rows(photos, tmp_path):
    command = [
        sys.executable,
        "-m",
        "lookalike",
        "index",
        str(photos),
        "-c",
        str(tmp_path / "both"),
        "--json",
    ]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    outputs = [(process.communicate(timeout=90), process.returncode) for process in processes]
    assert 0 in [code for _, code in outputs]
    for (out, err), code in outputs:
        if code == 0:
            document = json.loads(out)
            assert document["added"] + document["unchanged"] == 200
        else:
            assert (code, out, err.count("\n")) == (2, "", 1)
            assert "another lookalike is writing" in err or "already" in err
    check_promises(tmp_path / "both")
    assert len(Collection.open(tmp_path / "both")) == 180
