"""Too little memory for one file is a row in the failures; the others are there, and it is tried again."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from lookalike import Collection
from lookalike.embed import OnnxEmbedder
from lookalike.errors import ModelError, ModelMemoryError
from lookalike.images import decode, make_thumbnail, palettes
from lookalike.images.decode import read_file
from pictures import picture

MODEL = "pixels-16-rgb"


@pytest.fixture
def folder(tmp_path) -> Path:
    """Four small images and one that is larger, in two files."""
    for number in range(4):
        picture(number, 32).save(tmp_path / f"{number}.png")
    picture(9, 300).save(tmp_path / "big.png")
    shutil.copy(tmp_path / "big.png", tmp_path / "big copy.png")
    return tmp_path


def is_big(given):
    if isinstance(given, Path):
        return given.name.startswith("big")
    if isinstance(given, bytes):
        return len(given) > 20_000
    return max(given.size) > 200


class Short:
    """Stands in for a step that has not the memory for big images, while it is short of it."""

    def __init__(self, real):
        self.real, self.lasts, self.calls = real, 1 << 30, 0
        self._lock = threading.Lock()

    def __call__(self, given, *more, **bounds):
        if is_big(given):
            with self._lock:
                self.calls += 1
                self.lasts -= 1
                if self.lasts >= 0:
                    raise MemoryError
        return self.real(given, *more, **bounds)


@pytest.fixture(params=["reading.read_file", "execution.decode", "execution.make_thumbnail"])
def short(request, monkeypatch):
    real = {"read_file": read_file, "decode": decode, "make_thumbnail": make_thumbnail}
    step = Short(real[request.param.partition(".")[2]])
    monkeypatch.setattr(f"lookalike.sync.{request.param}", step)
    return step


def failures(report):
    return {Path(each.path).name: each.reason for each in report.failures}


def test_the_others_are_there_and_it_is_tried_again_by_the_next_run(folder, short):
    collection = Collection.create(folder, MODEL)
    report = collection.sync(jobs=2)
    assert (report.added, report.embedded, report.failed) == (4, 4, 2)
    assert set(failures(report)) == {"big.png", "big copy.png"}
    assert all("not enough memory" in reason for reason in failures(report).values())
    short.lasts = 0
    report = collection.sync()
    assert (report.added, report.embedded, report.unchanged, report.failed) == (2, 1, 4, 0)


def test_it_is_tried_once_more_alone_before_it_fails(folder, short):
    short.lasts = 1
    report = Collection.create(folder, MODEL).sync(jobs=2)
    assert (report.added, report.embedded, report.failed) == (6, 5, 0)


def test_an_image_of_the_collection_stays_when_it_cannot_be_read_for_want_of_memory(folder, short):
    short.lasts = 0
    collection = Collection.create(folder, MODEL)
    assert collection.sync().added == 6
    short.lasts = 1 << 30
    report = collection.sync(reread=True)
    assert (report.failed, report.removed, len(collection)) == (2, 0, 5)
    assert collection.search(folder / "big.png", k=1, include_self=True).hits[0].path.endswith("copy.png")


def test_a_portion_that_cannot_be_embedded_together_is_embedded_one_by_one(folder, monkeypatch):
    real = palettes
    monkeypatch.setattr(
        "lookalike.sync.execution.palettes", lambda each: real(each) if len(each) == 1 else fail()
    )
    report = Collection.create(folder, MODEL).sync(jobs=1)
    assert (report.added, report.embedded, report.failed) == (6, 5, 0)


def fail():
    raise np._core._exceptions._ArrayMemoryError((1 << 40,), np.dtype(np.uint8))


def test_a_network_that_finds_no_memory_fails_that_image(folder, monkeypatch):
    class Session:
        def __init__(self, real):
            self.real = real

        def run(self, names, feed):
            raise RuntimeError("Failed to allocate memory for requested buffer of size 1")

    collection = Collection.create(folder)
    real = OnnxEmbedder._run

    def run(self, images, sides):
        self._session = Session(self._session)
        try:
            return real(self, images, sides)
        finally:
            self._session = self._session.real

    with monkeypatch.context() as patch:
        patch.setattr(OnnxEmbedder, "_run", run)
        report = collection.sync(jobs=1)
    assert (report.added, report.failed) == (0, 6)
    assert all("not enough memory" in reason for reason in failures(report).values())
    assert collection.sync().added == 6


def test_the_error_of_a_network_without_memory_is_also_one_of_models():
    assert issubclass(ModelMemoryError, ModelError)
    assert issubclass(ModelMemoryError, MemoryError)
