"""A run that is killed, wherever it is, loses little; the next one ends where an undisturbed one would."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lookalike import Collection
from lookalike.store import Store
from pictures import picture

KILLS = 20
SYNC = "import sys; from lookalike import Collection; Collection.open(sys.argv[1]).sync(commit_seconds=0.1)"


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


def rows(home: Path) -> dict[str, list[tuple]]:
    """Return every row of every table, sorted; vectors and thumbnails byte for byte."""
    store = Store(home / ".lookalike")
    tables = {
        "files": store.files,
        "images": store.images,
        "thumbnails": store.thumbnails,
        "failures": store.failures,
        **store.vector_tables(),
    }
    return {
        name: sorted(
            (
                tuple(tuple(value) if isinstance(value, list) else value for value in row.values())
                for row in table.read(["id", "embedding"] if name == "lite0-int8" else None).to_pylist()
            ),
            key=lambda row: str(row[0]),
        )
        for name, table in tables.items()
    }


def check_promises(home: Path) -> None:
    """No key twice, and for every file all that its row promises."""
    found = rows(home)
    for name, table in found.items():
        keys = [row[0] for row in table]
        assert len(keys) == len(set(keys)), name
    promised = {row[1] for row in found["files"]}
    for name in ("images", "thumbnails", "lite0-int8"):
        assert promised <= {row[0] for row in found.get(name, [])}, name


def make(home: Path, photos: Path) -> None:
    collection = Collection.create(home, with_root=False)
    collection.add_root(photos)
    collection.sync(photos.glob("000.jpg"))  # one image, so that the tables are there


def test_twenty_kills_end_in_the_rows_of_an_undisturbed_run(photos, tmp_path):
    make(tmp_path / "undisturbed", photos)
    Collection.open(tmp_path / "undisturbed").sync()
    expected = rows(tmp_path / "undisturbed")
    assert (len(expected["files"]), len(expected["images"]), len(expected["failures"])) == (200, 180, 6)

    chance = random.Random(0)
    home = tmp_path / "killed"
    make(home, photos)
    killed = finished = 0
    while killed < KILLS:
        process = subprocess.Popen([sys.executable, "-c", SYNC, str(home)], stderr=subprocess.PIPE)
        time.sleep(chance.uniform(0.3, 1.8))
        process.send_signal(signal.SIGKILL)
        _, complaints = process.communicate(timeout=30)
        assert complaints == b""
        killed += process.returncode == -signal.SIGKILL
        check_promises(home)
        if len(Collection.open(home)) == 180:  # then there is nothing left to disturb: once more
            Collection.open(home).sync()
            assert rows(home) == expected
            finished += 1
            shutil.rmtree(home)
            make(home, photos)
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
