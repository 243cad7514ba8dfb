"""Models are tried in a process of their own before anything is embedded with them."""

import os
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest

import strange_models
from lookalike import Collection, ModelError
from lookalike.embed import trial
from lookalike.embed.local import read_local
from lookalike.embed.model_file import read_model_file
from lookalike.errors import ModelInputError, ModelMemoryError, ModelNotFoundError


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(trial, "SECONDS", 30.0)
    monkeypatch.setattr(trial, "_known", {})


def written(folder, make):
    file = folder / f"{make.__name__}.onnx"
    file.write_bytes(make())
    return file


@pytest.mark.parametrize("make", strange_models.REFUSED, ids=lambda make: make.__name__)
def test_a_model_that_cannot_be_used_is_one_error(make, tmp_path, capfd, monkeypatch):
    if make is strange_models.endless:
        monkeypatch.setattr(trial, "SECONDS", 2.0)
    with pytest.raises(ModelError, match=strange_models.REFUSED[make]) as caught:
        read_local(written(tmp_path, make))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_model_for_which_there_is_too_little_memory_is_that_error(tmp_path):
    with pytest.raises(ModelMemoryError, match="memory"):
        read_local(written(tmp_path, strange_models.giant))


def test_nothing_is_stored_of_a_model_that_is_refused(photos, tmp_path):
    file = written(tmp_path, strange_models.not_finite)
    with pytest.raises(ModelError):
        Collection.create(photos, str(file))
    assert not (photos / ".lookalike").exists()
    collection = Collection.create(photos, "pixels-8-grey")
    collection.sync()
    with pytest.raises(ModelError, match="not finite"):
        collection.sync(model=str(file))
    assert collection.models.names() == ["pixels-8-grey"]
    assert not list((photos / ".lookalike").rglob("*.onnx"))


def test_a_model_is_tried_once_and_not_again_once_it_is_kept(photos, tmp_path, monkeypatch):
    file, tried = written(tmp_path, strange_models.colour), []
    try_in_child = trial._try_in_child
    monkeypatch.setattr(trial, "_try_in_child", lambda *args: tried.append(1) or try_in_child(*args))
    collection = Collection.create(photos, str(file))
    collection.sync()
    assert tried == [1]
    monkeypatch.setattr(trial, "_known", {})  # as in another process
    again = Collection.open(photos)
    assert again.sync(model=str(file)).failed == 0
    assert again.search(next(photos.rglob("*.png")), model=str(file)).hits
    assert tried == [1]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "socket", "empty", "loop", "kernel"])
def test_what_is_no_plain_file_is_one_line_and_never_waited_for(kind, tmp_path):
    file = tmp_path / "net.onnx"
    listening = None
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    elif kind == "device":
        file.symlink_to("/dev/zero")
    elif kind == "socket":
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(file))
    elif kind == "empty":
        file.touch()
    elif kind == "loop":
        file.symlink_to(file)
    else:
        file.symlink_to("/proc/self/maps" if sys.platform == "linux" else "/dev/null")
    words = {"pipe": "a named pipe", "device": "a device", "kernel": "is", "loop": "cannot be read"}
    errors = []

    def read():
        try:
            read_local(file)
        except ModelError as error:
            errors.append(str(error))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive(), "it waits"
    assert words.get(kind, f"is {'a ' * (kind != 'empty')}{kind}") in errors[0]
    assert str(file) in errors[0]
    if listening is not None:
        listening.close()


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(ModelNotFoundError, match="there is no model file"):
        read_model_file(tmp_path / "net.onnx")
    with pytest.raises(ModelNotFoundError, match="there is no model file"):
        read_model_file(tmp_path / "net\0.onnx")


def test_a_file_larger_than_a_model_can_be_is_not_read(tmp_path):
    file = tmp_path / "net.onnx"
    with file.open("wb") as stream:
        stream.truncate(3 << 30)
    with pytest.raises(ModelInputError, match=r"has 3\.0 GiB"):
        read_model_file(file)


def test_cut_and_changed_files_are_errors_of_ours(tmp_path):
    whole = strange_models.colour()
    random = np.random.default_rng(3)
    file = tmp_path / "net.onnx"
    for number in range(30):
        content = bytearray(whole[: random.integers(1, len(whole))] if number % 3 == 0 else whole)
        for _ in range(number % 3 * 3):
            content[random.integers(len(content))] = random.integers(256)
        file.write_bytes(content)
        try:
            read_local(file)
        except ModelError as error:
            assert str(error)


def test_nothing_of_the_runtime_comes_to_the_terminal(photos, tmp_path):
    file = written(tmp_path, strange_models.not_finite)
    run = subprocess.run(
        [sys.executable, "-m", "lookalike", "index", photos, "--model", file], capture_output=True, text=True
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.count("\n") == 1 and "not finite" in run.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.parametrize("content", [None, "[" * 200_000, '{"size": 1e999}', '{"size": NaN}', '{"mean": 5}'])
def test_what_stands_beside_it_and_is_no_description_is_one_line(content, tmp_path):
    file = written(tmp_path, strange_models.colour)
    beside = file.with_suffix(".json")
    if content is None:
        os.mkfifo(beside)
    else:
        beside.write_text(content)
    with pytest.raises(ModelError, match=r"\.json") as caught:
        read_local(file)
    assert "\n" not in str(caught.value)
