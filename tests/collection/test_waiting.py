"""Two who write to one collection: one after the other, and the second begins with what the first left."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from lookalike import CancelToken, Collection
from lookalike.errors import CancelledError, CollectionConflictError, LockedError
from lookalike.store import writer_lock
from pictures import picture

MODEL, OTHER = "pixels-8-grey", "pixels-8-rgb"
HOLD = """
import sys
from pathlib import Path
from lookalike.store import Turn, writer_lock
with writer_lock(Path(sys.argv[1]), Turn(work="adding images")):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def collection(photos):
    """The pictures, indexed."""
    made = Collection.create(photos, model=MODEL)
    made.sync()
    return made


@pytest.fixture
def holder(collection):
    """Another process that writes until its input ends."""
    words = [sys.executable, "-c", HOLD, str(collection.folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_threads_that_sync_one_collection_come_one_after_another(photos):
    made = Collection.create(photos, model=MODEL)
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: made.sync(jobs=1), range(4)))
    assert sorted(report.added for report in reports) == [0, 0, 0, 6]
    assert len(made) == 6


def test_every_writer_takes_its_turn_among_threads(collection, photos):
    picture(70).save(photos.parent / "new.png")
    works = [
        lambda: collection.add([(photos.parent / "new.png", "key")], jobs=1),
        lambda: collection.set_fields({photos / "cats/0.png": {"price": 3}}),
        lambda: collection.models.reduce(2),
        lambda: collection.add_vectors("ours", [photos / "cats/0.png"], [[1.0, 0.0]]),
        lambda: collection.move_root(photos.name, photos.parent / "elsewhere"),
        lambda: collection.remove(["other"]),
        lambda: collection.sync(jobs=1, model=OTHER),
    ]
    (photos.parent / "elsewhere").symlink_to(photos)
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work) for work in works]:
            try:
                done.result()
            except LockedError:
                raise
            except Exception as error:
                assert "lies in" in str(error), error
    assert collection.fields.kinds() == {"price": "number"}


def test_what_another_has_added_meanwhile_is_brought_up_to_date_as_well(collection, photos, monkeypatch):
    """The models that a sync is for are those of the moment in which its turn comes."""
    late = Collection.open(photos)
    snapshot = late.snapshot()
    collection.sync(model=OTHER)
    monkeypatch.setattr(late, "_resources", _once(snapshot, late))
    picture(71).save(photos / "cats/late.png")
    late.sync()
    assert Collection.open(photos).info().models == {MODEL: 7, OTHER: 7}


def _once(snapshot, collection):
    """Give the resources as they were when the sync was asked for, while another wrote."""
    from dataclasses import replace

    resources = collection._resources()
    return lambda: replace(resources, places=replace(resources.places, snapshot=snapshot))


def test_another_process_is_waited_for_only_if_asked(collection, holder):
    told = []

    def report(progress):
        told.append(progress.words)
        if progress.phase == "waiting":
            holder.stdin.close()

    with pytest.raises(LockedError, match=rf"process {holder.pid} on .*, adding images"):
        collection.sync()
    with pytest.raises(LockedError, match=rf"process {holder.pid}"):
        collection.sync(wait=0.05)
    assert collection.sync(wait=None, report=report).unchanged == 6
    assert f"waiting for another lookalike (process {holder.pid} on " in told[0]


def test_a_token_ends_the_waiting_of_a_sync(collection, holder):
    token = CancelToken()
    with pytest.raises(CancelledError):
        collection.sync(wait=None, cancel=token, report=lambda progress: token.cancel())
    assert holder.poll() is None


def test_the_old_name_of_wait_is_understood(collection):
    with pytest.warns(DeprecationWarning, match="timeout is called wait"):
        assert collection.remove(["nobody"], timeout=1) == 0


def command(*words, **options):
    line = [sys.executable, "-m", "lookalike", *map(str, words)]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def test_commands_wait_if_asked_and_say_for_whom(collection, holder):
    waiting = command("index", "-c", collection.folder, "--wait", "--json")
    line = waiting.stderr.readline()
    assert f"waiting for another lookalike (process {holder.pid} on " in line
    assert "adding images" in line
    refused = command("add", "-c", collection.folder, collection.folder.parent / "cats/0.png", "--no-wait")
    assert refused.wait(60) == 2
    assert f"process {holder.pid}" in refused.stderr.read()
    refused.stdout.close()
    refused.stderr.close()
    holder.stdin.close()
    out, err = waiting.communicate(timeout=60)
    assert (waiting.returncode, err, json.loads(out)["unchanged"]) == (0, "", 6)


@pytest.mark.skipif(os.name != "posix", reason="signals are another matter there")
def test_ctrl_c_ends_the_waiting_of_a_command(collection, holder):
    waiting = command("remove", "-c", collection.folder, "key", "--wait", "-q")
    assert "waiting" in waiting.stderr.readline()
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=60)
    assert (waiting.returncode, err.count("\n")) == (130, 1)
    with pytest.raises(LockedError), writer_lock(collection.folder):
        pass


def held(folder):
    """Another process that writes to a folder until its input ends."""
    words = [sys.executable, "-c", HOLD, str(folder)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize("repair", [False, True])
def test_a_check_waits_for_who_writes_if_asked(collection, holder, repair):
    told = []

    def report(progress):
        told.append(progress.words)
        if progress.phase == "waiting":
            holder.stdin.close()

    for wait in ("threads", 0, 0.05):
        with pytest.raises(LockedError, match=rf"process {holder.pid} on .*, adding images"):
            collection.check(repair, wait=wait)
    assert collection.check(repair, wait=None, report=report).is_whole
    assert f"waiting for another lookalike (process {holder.pid} on " in told[0]


@pytest.mark.parametrize("place", [".lookalike.part", ".lookalike"])
def test_a_copy_waits_for_who_copies_or_writes_there_if_asked(collection, tmp_path, place):
    """One of the two lies where copies are made, the other is to be replaced."""
    collection.copy(tmp_path / "backup")
    (tmp_path / "backup" / place).mkdir(exist_ok=True)
    told = []
    with held(tmp_path / "backup" / place) as process:

        def report(progress):
            told.append(progress.words)
            if progress.phase == "waiting":
                process.stdin.close()

        for wait in ("threads", 0):
            with pytest.raises(LockedError, match=rf"process {process.pid} on .*, adding images"):
                collection.copy(tmp_path / "backup", force=True, wait=wait)
        assert collection.copy(tmp_path / "backup", force=True, wait=None, report=report).images == 6
    assert f"waiting for another lookalike (process {process.pid} on " in told[0]
    assert sorted(os.listdir(tmp_path / "backup")) == [".lookalike"]
    assert not (tmp_path / "backup/.lookalike/lock.json").exists()


def test_of_two_who_copy_to_one_place_the_second_does_not_replace_the_first(collection, tmp_path):
    def copy(_):
        try:
            return collection.copy(tmp_path / "backup").images
        except CollectionConflictError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(map(str, pool.map(copy, range(2))))
    assert outcomes[0] == "6"
    assert "already, and it is not overwritten" in outcomes[1]
    assert Collection.open(tmp_path / "backup").check().is_whole


@pytest.mark.parametrize("words", [("check", "--repair"), ("copy", "DEST", "--force")])
def test_a_check_and_a_copy_take_their_turn_as_commands(collection, tmp_path, words):
    collection.copy(tmp_path / "backup")
    words = [str(tmp_path / "backup") if word == "DEST" else word for word in words]
    place = tmp_path / "backup/.lookalike" if words[0] == "copy" else collection.folder
    with held(place) as process:
        refused = command(*words, "-c", collection.folder, "--no-wait")
        out, err = refused.communicate(timeout=60)
        assert (refused.returncode, out, err.count("\n")) == (2, "", 1)
        assert f"process {process.pid}" in err
        waiting = command(*words, "-c", collection.folder, "--wait", "-q")
        assert f"waiting for another lookalike (process {process.pid} on " in waiting.stderr.readline()
        process.stdin.close()
        assert (waiting.communicate(timeout=60), waiting.returncode) == (("", ""), 0)
