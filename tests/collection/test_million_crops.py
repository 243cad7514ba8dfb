"""The collection of crops that benchmarks use: any number of the first ones is a collection like others."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from benchmarks import million_crops

from lookalike import Filter, ImageRef
from lookalike.store import Store
from mnist_files import write_mnist


@pytest.fixture
def at_hand(tmp_path, monkeypatch):
    """Two small data sets in MNIST's form, and no other."""
    random = np.random.default_rng(0)
    for name in ("mnist", "fashion-mnist"):
        images, labels = random.integers(0, 255, (40, 28, 28)), np.arange(40) % 10
        write_mnist(tmp_path / "data" / name, images, labels, n_train=30)
    monkeypatch.setenv("LOOKALIKE_DATA", str(tmp_path / "data"))
    small = tuple(source for source in million_crops.SOURCES if source.format == "PIXELS")
    monkeypatch.setattr(million_crops, "SOURCES", small)
    monkeypatch.setattr(million_crops, "REDUCED", 8)
    monkeypatch.setattr(million_crops, "FITTED_ON", 40)
    monkeypatch.setattr(million_crops, "ROWS_A_COMMIT", 20)


def rows(folder):
    store = Store(folder / ".lookalike")
    images = store.images.read().to_pylist()
    return (
        sorted(
            (row["path"], row["id"], row["label"], row["split"]) for row in store.files.read().to_pylist()
        ),
        sorted(images, key=lambda row: row["id"]),
    )


def test_the_same_crops_come_in_the_same_order(at_hand, tmp_path):
    million_crops.make(tmp_path / "once", 100, jobs=2)
    for count in (30, 70, 100):
        million_crops.make(tmp_path / "by turns", count, jobs=1)
        assert count <= len(rows(tmp_path / "by turns")[0]) < count + 10
    assert rows(tmp_path / "once") == rows(tmp_path / "by turns")


def test_it_is_a_collection_like_any_other(at_hand, tmp_path):
    photos = million_crops.make(tmp_path / "crops", 100, jobs=2)
    info = photos.info()
    assert info.files == 100
    assert set(info.models) == {"lite0-int8", "lite0-int8+pca8"}
    assert set(info.models.values()) == {info.images}
    files = photos.snapshot().files
    path = files.path(3)
    assert path.startswith(("added:mnist/", "added:fashion-mnist/"))
    for model in info.models:
        result = photos.search(ImageRef(int(files.ids[3])), model=model, k=99)
        assert len(result.hits) == info.images - 1
        assert {f"added:{hit.keys[0]}" for hit in result.hits} < set(files.paths())
    assert photos.search(path, k=1, where=Filter(fields={"share": {"min": 0.6}})).hits
    assert set(photos.snapshot().fields.columns["source"].to_pylist()) == {"mnist", "fashion-mnist"}
    thumbnails = photos.thumbnails(files.ids.tolist())
    assert len(thumbnails) == info.images
    assert all(jpeg.startswith(b"\xff\xd8") for jpeg in thumbnails.values())


def test_fields_are_given_to_those_that_have_none(at_hand, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(million_crops, "set_fields", lambda collection: None)
        photos = million_crops.make(tmp_path / "crops", 40, jobs=1)
    assert photos.fields.names() == []
    million_crops.main(["--out", str(tmp_path / "crops"), "--fields"])
    shares = photos.snapshot().fields.columns["share"].to_pylist()
    assert len(shares) == 40
    assert all(0.6 <= share <= 0.95 for share in shares)
    version = photos.snapshot().store.fields.version()
    million_crops.set_fields(photos)
    assert photos.snapshot().store.fields.version() == version


def test_no_sync_takes_crops_away(at_hand, tmp_path):
    photos = million_crops.make(tmp_path / "crops", 40, jobs=1)
    report = photos.sync(prune=True)
    assert (report.added, report.removed, len(photos.snapshot().files)) == (0, 0, 40)


def test_one_that_was_killed_goes_on(at_hand, tmp_path):
    out = tmp_path / "killed"
    words = [
        sys.executable,
        "-m",
        "benchmarks",
        "million_crops",
        "--out",
        str(out),
        "--count",
        "160",
        "--jobs",
        "1",
    ]
    process = subprocess.Popen(words, cwd=Path(million_crops.__file__).parents[1], stdout=subprocess.PIPE)
    table = Store(out / ".lookalike").vectors("lite0-int8", 1_280)
    while not table.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    million_crops.make(out, 100, jobs=1)
    million_crops.make(tmp_path / "whole", 100, jobs=1)
    found, expected = rows(out), rows(tmp_path / "whole")
    assert set(expected[0]) <= set(found[0])
    assert {row["id"] for row in found[1]} >= {row[1] for row in found[0]}
