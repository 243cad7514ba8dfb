"""Models are tried in a process of their own before anything is embedded with them."""

import hashlib
import json
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
from pictures import picture
from standin_models import save


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(trial, "SECONDS", 30.0)
    monkeypatch.setattr(trial, "_known", {})


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """What was tried is remembered in the cache."""
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path_factory.mktemp("cache")))


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


def elsewhere(monkeypatch, folder):
    """Have this be another machine, to which a collection was copied."""
    monkeypatch.setattr(trial, "_known", {})
    monkeypatch.setenv("LOOKALIKE_CACHE", str(folder / "another-cache"))


@pytest.mark.parametrize("make", [strange_models.endless, strange_models.not_finite, strange_models.giant])
def test_a_model_that_came_with_a_collection_is_tried_on_this_machine(photos, tmp_path, monkeypatch, make):
    file = written(tmp_path, strange_models.colour)
    Collection.create(photos, str(file)).sync()
    models = photos / ".lookalike/models"
    (kept,) = models.glob("*.onnx")
    kept.write_bytes(make())
    described = kept.with_suffix(".json")
    facts = json.loads(described.read_bytes())
    facts.pop("sum")
    facts["sha256"] = hashlib.sha256(kept.read_bytes()).hexdigest()
    described.write_text(json.dumps(facts))
    elsewhere(monkeypatch, tmp_path)
    monkeypatch.setattr(trial, "SECONDS", 2.0 if make is strange_models.endless else 30.0)
    query = next(photos.rglob("*.png"))
    with (
        Collection.open(photos) as collection,
        pytest.raises(ModelError, match=r"come to an end|finite|memory"),
    ):
        collection.search(picture(99), k=1)
    with Collection.open(photos) as collection:
        assert collection.search(query, k=1).hits  # its vector is there


def test_what_was_tried_on_this_machine_is_not_tried_again(photos, tmp_path, monkeypatch):
    tried, try_in_child = [], trial._try_in_child
    monkeypatch.setattr(trial, "_try_in_child", lambda *args: tried.append(1) or try_in_child(*args))
    Collection.create(photos, str(written(tmp_path, strange_models.colour))).sync()
    elsewhere(monkeypatch, tmp_path)
    for n in (2, 2, 2):
        monkeypatch.setattr(trial, "_known", {})
        with Collection.open(photos) as collection:
            assert collection.search(picture(99), k=1).hits
        assert len(tried) == n
    (note,) = (tmp_path / "another-cache").rglob("tried/*")
    for content in (b"", b"x"):  # a note that says nothing
        note.write_bytes(content)
        monkeypatch.setattr(trial, "_known", {})
        with Collection.open(photos) as collection:
            assert collection.search(picture(99), k=1).hits
    assert len(tried) == 4


def test_a_text_tower_that_the_table_does_not_know_is_tried_within_bounds(tmp_path, monkeypatch):
    pytest.importorskip("tokenizers")
    from lookalike.embed.models import TextUse
    from standin_models import text_graph, tokenizer

    use = TextUse(length=6, pad_to_length=True, pad_id=0, pad_token="<pad>", output="text_embeds")
    (tmp_path / "tokenizer.json").write_bytes(tokenizer())

    def tower(graph, dimension=8):
        (tmp_path / "text.onnx").write_bytes(graph)
        return trial.Tower("tiny", tmp_path / "text.onnx", tmp_path / "tokenizer.json", use, dimension)

    trial.try_tower(tower(text_graph()), ("a", "b"))
    with pytest.raises(ModelError, match=r"the text tower of tiny gives the shape \(1, 8\)"):
        trial.try_tower(tower(text_graph(), 9), ("a", "b"))
    with pytest.raises(ModelError, match=r"the text tower .* takes"):
        trial.try_tower(tower(strange_models.colour()), ("c", "b"))
    monkeypatch.setattr(trial, "SECONDS", 2.0)
    with pytest.raises(ModelError, match=r"tiny \(its text tower\) did not come to an end within 2 s"):
        trial.try_tower(tower(endless_tower()), ("d", "b"))


def endless_tower():
    """A text tower that never comes to an end."""
    from onnx import TensorProto, helper

    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["go"]), helper.make_node("Identity", ["x"], ["y"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
        ],
    )
    nodes = [
        helper.make_node("Cast", ["input_ids"], ["start"], to=TensorProto.FLOAT),
        helper.make_node("Loop", ["", "true", "start"], ["text_embeds"], body=body),
    ]
    return save(
        nodes,
        [("input_ids", TensorProto.INT64, ["n", "t"])],
        [("text_embeds", TensorProto.FLOAT, ["n", 8])],
        {"true": np.array(True)},
    )
