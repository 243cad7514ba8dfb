"""Fetching from the hub, against a server that answers as it does, with tiny files."""

import dataclasses
import hashlib
import json
import os
import socket
import time

import pytest

from lookalike.embed import MODELS, get_model, hub, is_installed, load_model, models
from lookalike.embed.models import HubFile, HubFiles
from lookalike.errors import ConflictError, ModelError
from standin_models import COMMIT, OTHER_COMMIT, document, image_graph, serve_hub

REPOSITORY = "someone/tiny"
GRAPH = image_graph(output="last_hidden_state", form="tokens", dimension=384)
SHA256 = hashlib.sha256(GRAPH).hexdigest()
CONFIG = b'{"a plain git file": true}'


def row(sha256="", revision="main"):
    """The row of dinov2-small, with a graph of ours."""
    weights = HubFiles(
        REPOSITORY, revision, HubFile("onnx/model.onnx", sha256), tokenizer=HubFile("config.json")
    )
    return dataclasses.replace(get_model("dinov2-small"), weights=weights)


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LOOKALIKE_MODELS", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return tmp_path


@pytest.fixture
def served(monkeypatch):
    with serve_hub() as made:
        made.publish(REPOSITORY, {"onnx/model.onnx": GRAPH, "config.json": CONFIG})
        monkeypatch.setenv("HF_ENDPOINT", made.address)
        yield made


def use(monkeypatch, model):
    """Put a row in place of the one of the same name."""
    rows = tuple(model if each.name == model.name else each for each in MODELS)
    monkeypatch.setattr(models, "MODELS", rows)


def gets(served):
    return [line for line in served.asked if line.startswith("GET")]


def test_a_model_is_fetched_once_and_pinned_to_its_commit(served, places):
    folder = hub.fetch(row())
    assert folder == places / "cache/models/dinov2-small"
    assert (folder / "onnx/model.onnx").read_bytes() == GRAPH
    assert (folder / "config.json").read_bytes() == CONFIG
    pin = document(folder / "lookalike.json")
    assert (pin["repository"], pin["revision"], pin["commit"]) == (REPOSITORY, "main", COMMIT)
    assert pin["files"]["onnx/model.onnx"] == {"size": len(GRAPH), "sha256": SHA256, "etag": SHA256}
    assert pin["files"]["config.json"]["sha256"] == hashlib.sha256(CONFIG).hexdigest()
    assert len(gets(served)) == 4  # each by a redirect
    served.asked.clear()
    assert hub.fetch(row()) == folder
    assert served.asked == []


def test_all_files_are_of_the_commit_that_the_first_was_of(served):
    hub.fetch(row())
    asked = [line for line in served.asked if "/resolve/" in line]
    assert "/resolve/main/onnx" in asked[0]
    assert all(f"/resolve/{COMMIT}/" in line for line in asked[1:])


def test_a_user_can_name_another_commit(served):
    served.commits[OTHER_COMMIT] = OTHER_COMMIT
    hub.fetch(row())
    folder = hub.fetch(row(), revision=OTHER_COMMIT)
    assert document(folder / "lookalike.json")["commit"] == OTHER_COMMIT


def test_a_repository_that_was_renamed_is_followed(served):
    served.publish("new/tiny", {"onnx/model.onnx": GRAPH, "config.json": CONFIG})
    weights = dataclasses.replace(row().weights, repository="old/tiny")
    folder = hub.fetch(dataclasses.replace(row(), weights=weights))
    assert (folder / "onnx/model.onnx").read_bytes() == GRAPH


def test_a_line_that_breaks_is_taken_up_again_at_once(served):
    served.cut["onnx/model.onnx"] = 1000
    folder = hub.fetch(row())
    assert (folder / "onnx/model.onnx").read_bytes() == GRAPH
    assert [line for line in gets(served) if "bytes=1000-" in line]


def test_what_a_killed_fetch_left_is_gone_on_from(served, places):
    folder = places / "cache/models/dinov2-small"
    part = folder / "onnx" / f"model.onnx.{SHA256[:12]}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(GRAPH[:2000])
    hub.fetch(row())
    assert (folder / "onnx/model.onnx").read_bytes() == GRAPH
    assert [line for line in gets(served) if "bytes=2000-" in line]
    assert not list(folder.rglob("*.part"))


def test_a_part_of_another_content_is_not_gone_on_from(served, places):
    part = places / "cache/models/dinov2-small/onnx/model.onnx.0123456789ab.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"of another commit")
    hub.fetch(row())
    assert not part.exists()
    assert not [line for line in gets(served) if "bytes=" in line]


def test_a_part_that_is_damaged_is_found_out_and_the_next_fetch_is_well(served, places):
    part = places / "cache/models/dinov2-small/onnx" / f"model.onnx.{SHA256[:12]}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 2000)
    with pytest.raises(
        ModelError, match=rf"onnx/model.onnx came damaged: expected {SHA256}, got .*\nrun this"
    ):
        hub.fetch(row())
    assert not list(places.rglob("model.onnx*"))
    assert (hub.fetch(row()) / "onnx/model.onnx").read_bytes() == GRAPH


@pytest.mark.parametrize("path", ["onnx/model.onnx", "config.json"])
def test_content_that_is_not_what_the_hub_states_is_refused(served, places, path):
    content = served.files[REPOSITORY, path]
    key = path if path.startswith("onnx") else f"{COMMIT}/{path}"
    served.served[key] = served.served[path] = content[:-1] + b"!"
    with pytest.raises(ModelError, match=rf"{path} came damaged: expected .*, got "):
        hub.fetch(row())
    assert not (places / "cache/models/dinov2-small/lookalike.json").exists()
    assert not is_installed(row())


def test_more_than_was_stated_is_not_taken_in(served):
    served.served["onnx/model.onnx"] = GRAPH + b"more"
    with pytest.raises(ModelError, match=r"onnx/model\.onnx came with more than"):
        hub.fetch(row())


def test_content_that_the_table_does_not_know_is_refused_before_it_comes(served):
    with pytest.raises(ModelError, match=rf"the hub has sha256 {SHA256} .*; expected {'0' * 64}"):
        hub.fetch(row(sha256="0" * 64))
    assert gets(served) == []


def test_a_small_file_that_the_table_does_not_know_is_refused_too(served, places):
    weights = dataclasses.replace(row().weights, tokenizer=HubFile("config.json", "0" * 64))
    with pytest.raises(ModelError, match=rf"the hub has sha256 .* for config.json; expected {'0' * 64}"):
        hub.fetch(dataclasses.replace(row(), weights=weights))
    assert not list(places.rglob("lookalike.json"))


def test_a_commit_that_the_user_names_may_have_other_content(served):
    served.commits[OTHER_COMMIT] = OTHER_COMMIT
    folder = hub.fetch(row(sha256="0" * 64), revision=OTHER_COMMIT)
    (folder / "onnx/model.onnx").unlink()
    assert hub.fetch(row(sha256="0" * 64)) == folder  # mended from the same commit
    pin = document(folder / "lookalike.json")
    assert (pin["revision"], pin["commit"]) == (OTHER_COMMIT, OTHER_COMMIT)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"repository": "no/where"}, "has no public repository no/where"),
        ({"revision": "nowhen"}, "someone/tiny has no revision 'nowhen'"),
        ({"image": HubFile("onnx/no.onnx")}, "someone/tiny has no file onnx/no.onnx at main"),
    ],
)
def test_what_the_hub_does_not_have_is_one_clear_line(served, places, change, message):
    model = dataclasses.replace(row(), weights=dataclasses.replace(row().weights, **change))
    with pytest.raises(ModelError) as caught:
        hub.fetch(model)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "LOOKALIKE_MODELS" in str(caught.value.hint)
    assert not list(places.rglob("*.onnx"))


def test_a_server_that_is_no_hub_is_said_to_be_none(served, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", f"{served.address}/cdn")
    served.files["someone/tiny/resolve/main/onnx/model.onnx",] = b"hello"
    with pytest.raises(ModelError, match="does not answer as a hub does"):
        hub.fetch(row())


def test_nobody_there_is_said_within_seconds(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
    start = time.monotonic()
    with pytest.raises(ModelError, match=r"cannot be fetched: .* refused.*\n.*another machine"):
        hub.fetch(row())
    assert time.monotonic() - start < 5


def test_a_host_that_swallows_everything_is_given_up_in_time(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: time.sleep(3) or [])
    monkeypatch.setattr(hub, "CONNECT_SECONDS", 0.2)
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    start = time.monotonic()
    with pytest.raises(ModelError, match=r"no connection within 0\.2 seconds"):
        hub.fetch(row())
    assert time.monotonic() - start < 3


def test_offline_by_request_asks_nobody(served, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        hub.fetch(row())
    assert served.asked == []


def test_a_folder_that_cannot_be_written_is_one_clear_line(served, places):
    (places / "file").write_text("no folder")
    with pytest.raises(ModelError, match=r"cannot be written to .*\nmake room or set LOOKALIKE_CACHE"):
        hub.fetch(row(), places / "file")


def test_what_is_not_of_the_hub_is_not_fetched():
    with pytest.raises(ModelError, match="lite0 is not fetched: it comes with a Python package"):
        hub.fetch(get_model("lite0"))


def test_a_model_that_is_loaded_is_fetched_first(served, monkeypatch):
    use(monkeypatch, row())
    assert not is_installed(get_model("dinov2-small"))
    assert load_model("dinov2-small").model.dimension == 384
    assert is_installed(get_model("dinov2-small"))


def test_a_folder_carried_by_hand_is_found_without_a_network(served, places, monkeypatch):
    hub.fetch(row(), places / "stick")
    use(monkeypatch, row())
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("LOOKALIKE_MODELS", f"/nowhere:{places / 'stick'}")
    assert is_installed(get_model("dinov2-small"))
    assert load_model("dinov2-small").model.dimension == 384


def test_what_was_carried_here_whole_is_not_fetched(served, places, monkeypatch):
    stick = hub.fetch(row(), places / "stick")
    monkeypatch.setenv("LOOKALIKE_MODELS", str(places / "stick"))
    served.asked.clear()
    assert hub.fetch(row()) == stick
    assert served.asked == []
    assert hub.fetch(row(), places / "other") == places / "other/dinov2-small"
    (stick / "config.json").write_bytes(CONFIG[:-1] + b"!")
    assert hub.fetch(row()) == places / "cache/models/dinov2-small"
    assert served.asked


def test_a_fetch_leaves_no_lock_behind(served, places, monkeypatch):
    hub.fetch(row(), places / "stick")
    assert not list(places.rglob(".lock"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError):
        hub.fetch(row(), places / "nothing")
    assert not list((places / "nothing").iterdir())


@pytest.mark.parametrize("damage", ["cut", "missing", "pin"])
def test_a_model_that_cannot_be_whole_is_not_said_to_be_installed(served, places, monkeypatch, damage):
    stick = hub.fetch(row(), places / "stick")
    monkeypatch.setenv("LOOKALIKE_MODELS", str(places / "stick"))
    assert is_installed(row())
    if damage == "cut":
        (stick / "onnx/model.onnx").write_bytes(GRAPH[:500])
    elif damage == "missing":
        (stick / "config.json").unlink()
    else:
        (stick / "lookalike.json").write_text("{")
    assert not is_installed(row())


@pytest.mark.parametrize("sha256", ["", SHA256])
def test_a_folder_cloned_by_hand_needs_no_pin(places, monkeypatch, sha256):
    folder = places / "stick/dinov2-small"
    (folder / "onnx").mkdir(parents=True)
    (folder / "onnx/model.onnx").write_bytes(GRAPH)
    (folder / "config.json").write_bytes(CONFIG)
    use(monkeypatch, row(sha256))
    monkeypatch.setenv("LOOKALIKE_MODELS", str(places / "stick"))
    assert load_model("dinov2-small").model.dimension == 384


def test_a_cloned_folder_is_checked_against_the_table(places, monkeypatch):
    folder = places / "stick/dinov2-small"
    (folder / "onnx").mkdir(parents=True)
    (folder / "onnx/model.onnx").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    (folder / "config.json").write_bytes(CONFIG)
    use(monkeypatch, row(SHA256))
    monkeypatch.setenv("LOOKALIKE_MODELS", str(places / "stick"))
    with pytest.raises(
        ModelError, match=rf"model\.onnx is damaged or of another commit: expected .*{SHA256}"
    ):
        load_model("dinov2-small")


@pytest.mark.parametrize("damage", [b"", GRAPH[:500], GRAPH[:-1] + b"!"], ids=["empty", "cut", "changed"])
def test_a_file_damaged_later_is_refused_and_says_what_to_do(served, monkeypatch, damage):
    folder = hub.fetch(row())
    (folder / "onnx/model.onnx").write_bytes(damage)
    use(monkeypatch, row())
    with pytest.raises(ModelError, match=rf"is damaged .*expected sha256 {SHA256}.*\n.*it is fetched again"):
        load_model("dinov2-small")
    hub.fetch(row())
    assert load_model("dinov2-small").model.dimension == 384


def test_a_damaged_pin_is_an_error_that_says_what_to_do(served, monkeypatch):
    folder = hub.fetch(row())
    use(monkeypatch, row())
    for content in ("{", "[]", json.dumps({"repository": 1})):
        (folder / "lookalike.json").write_text(content)
        with pytest.raises(ModelError, match=r"lookalike\.json is damaged: .*\ndelete it"):
            load_model("dinov2-small")


@pytest.mark.parametrize("kind", ["a file", "a link", "a folder", "a pipe"])
@pytest.mark.parametrize("path", ["onnx/model.onnx", "config.json"])
def test_what_a_user_has_where_a_model_is_to_be_put_is_left_as_it_is(served, places, kind, path):
    place = places / "carried/dinov2-small" / path
    place.parent.mkdir(parents=True)
    if kind == "a folder":
        place.mkdir()
    elif kind == "a pipe":
        os.mkfifo(place)
    elif kind == "a link":
        place.symlink_to("elsewhere")
    else:
        place.write_bytes(b"mine")
    before = [os.lstat(place).st_mtime_ns, sorted(places.rglob("*"))]
    with pytest.raises(ConflictError, match=rf"{path} is there already, .*; it is left as it is\nmove it"):
        hub.fetch(row(), places / "carried")
    assert gets(served) == []
    assert [os.lstat(place).st_mtime_ns, sorted(places.rglob("*"))] == before


def test_what_a_user_or_a_fetch_has_put_there_already_is_gone_on_from(served, places):
    place = places / "carried/dinov2-small/onnx/model.onnx"
    place.parent.mkdir(parents=True)
    (places / "blob").write_bytes(GRAPH)
    place.symlink_to(places / "blob")  # as the hub's own client keeps them
    others = {
        place.with_name("model.onnx.mine.part"): b"mine",
        place.parents[1] / ".lock": b"mine",
    }
    for other, content in others.items():
        other.write_bytes(content)
    folder = hub.fetch(row(), places / "carried")
    assert place.is_symlink()
    assert {other: other.read_bytes() for other in others} == others
    served.commits[OTHER_COMMIT] = OTHER_COMMIT
    served.publish(REPOSITORY, {"onnx/model.onnx": GRAPH, "config.json": b"{}"})
    assert hub.fetch(row(), places / "carried", OTHER_COMMIT) == folder  # made by an earlier fetch
    assert (folder / "config.json").read_bytes() == b"{}"
    (folder / "config.json").write_bytes(b'{"mine": 1}')
    with pytest.raises(ConflictError, match=r"config\.json is there already"):
        hub.fetch(row(), places / "carried")
    assert (folder / "config.json").read_bytes() == b'{"mine": 1}'


def test_no_model_is_put_into_a_collections_own_folder(served, places):
    (places / ".lookalike").mkdir()
    (places / ".lookalike/collection.json").write_text("{}")
    with pytest.raises(ConflictError, match="which is a collection's own"):
        hub.fetch(row(), places / ".lookalike/models")
    assert [each.name for each in places.rglob("*")] == [".lookalike", "collection.json"]
