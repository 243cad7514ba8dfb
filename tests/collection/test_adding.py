"""Images added by call: kept under keys, images like all others, and gone only when somebody says so."""

import datetime
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike import (
    CancelledError,
    CancelToken,
    Collection,
    CollectionConflictError,
    Filter,
    ImageRef,
    InvalidInputError,
    LockedError,
    Pixels,
    StoreResourceError,
)
from lookalike.collection.adding import LONGEST_KEY, Addition
from lookalike.store import Store
from pictures import picture

MODEL = "pixels-8-grey"


def png(number: int) -> bytes:
    """Return a picture of its own as the bytes of a file."""
    stream = io.BytesIO()
    picture(number).save(stream, "PNG")
    return stream.getvalue()


def just_written(data: bytes) -> io.BytesIO:
    """Return a file in memory that is open at its end."""
    stream = io.BytesIO()
    stream.write(data)
    return stream


@pytest.fixture
def collection(photos, tmp_path):
    """Six pictures in a root."""
    made = Collection.create(tmp_path / "home", model=MODEL, with_root=False)
    made.add_root(photos)
    made.sync()
    return made


def outcomes(report):
    return [(image.key, image.outcome) for image in report.images]


def kept_files(collection):
    return sorted(path.name for path in (collection.folder / "added").rglob("*") if path.is_file())


def test_bytes_paths_files_pixels_and_images_are_kept_under_their_keys(collection, tmp_path):
    (tmp_path / "one.jpg").write_bytes(png(21))
    pixels = np.asarray(picture(24))
    report = collection.add(
        [
            (png(20), "bytes"),
            (tmp_path / "one.jpg", "path"),
            (str(tmp_path / "one.jpg"), "the same"),
            (io.BytesIO(png(23)), "file"),
            (just_written(png(22)), "file at its end"),
            (pixels[..., 0], "grey"),
            (pixels / 255, "the array in floats"),
            (Pixels(png(28)), "a file as pixels"),
            (pixels, "array"),
            (Pixels(picture(25)), "pixels"),
            (picture(26), "image"),
            (bytearray(png(27)), "bytearray"),
        ]
    )
    assert {outcome for _, outcome in outcomes(report)} == {"added"}
    assert report.added == 12
    assert len(collection) == 6 + 10
    as_pixels = collection.search("added:a file as pixels", k=1, include_self=True).hits[0]
    assert Path(as_pixels.path).read_bytes() == png(28)
    (tmp_path / "one.jpg").unlink()  # its bytes are kept
    hit = collection.search("added:path", k=1, include_self=True).hits[0]
    assert Path(hit.path).read_bytes() == png(21)
    assert hit.path.endswith(".png")
    assert hit.keys == ("path", "the same")
    stored = Image.open(collection.image_info("added:array").paths[0])
    assert np.array_equal(np.asarray(stored), pixels)


def test_what_is_there_is_left_as_it_is_and_other_bytes_replace_it(collection):
    assert outcomes(collection.add([(png(20), "a"), (png(21), "b")])) == [("a", "added"), ("b", "added")]
    before = {table: getattr(Store(collection.folder), table).version() for table in ("files", "images")}
    again = collection.add([(png(20), "a"), (png(21), "b")])
    assert (again.unchanged, again.embedded) == (2, 0)
    store = Store(collection.folder)
    assert {table: getattr(store, table).version() for table in before} == before
    old = collection.image_info("added:a").id
    replaced = collection.add([(png(22), "a")])
    assert outcomes(replaced) == [("a", "changed")]
    assert replaced.images[0].id == collection.image_info("added:a").id != old
    assert len(collection) == 8
    assert kept_files(collection) == sorted(
        f"{image.hex_id}.png" for image in (*replaced.images, again.images[1])
    )
    assert old not in store.images.read(["id"])["id"].to_pylist()


def test_added_images_are_searched_clustered_drawn_and_filtered_like_all_others(collection):
    collection.add([(png(20 + number), f"cam/{number}", {"n": number}) for number in range(4)])
    assert len(collection.search("added:cam/0", k=20).hits) == 9
    found = collection.search("added:cam/0", k=20, where=Filter(folders=["added:cam"])).hits
    assert sorted(hit.keys[0] for hit in found) == ["cam/1", "cam/2", "cam/3"]
    assert {dict(hit.fields)["n"] for hit in found} == {1.0, 2.0, 3.0}
    assert len(collection.search("added:cam/0", k=20, where=Filter(folders=["added:"])).hits) == 3
    image = collection.image_info("added:cam/1").id
    assert collection.search(ImageRef(image), k=1, include_self=True).hits[0].keys == ("cam/1",)
    assert sum(cluster.size for cluster in collection.clusterings.make("kmeans", 2).clusters) == 10
    assert len(collection.maps.make("pca").images) == 10
    assert collection.thumbnails([image])[image][:2] == b"\xff\xd8"
    info = collection.info()
    assert (info.files, info.added, info.fields) == (10, 4, {"n": "number"})


def test_no_sync_takes_them_away_and_another_model_embeds_them(collection, photos):
    collection.add([(png(20), "a"), (png(21), "b")])
    for file in list(photos.rglob("*.png")):
        file.unlink()
    report = collection.sync(prune=True)
    assert report.removed == 6
    assert len(collection) == 2
    assert collection.sync(model="pixels-16-grey").embedded == 2
    assert collection.search("added:a", model="pixels-16-grey").hits[0].keys == ("b",)
    assert collection.sync(reread=True).refreshed == 2
    photos.rename(photos.with_name("gone"))
    assert collection.sync(prune=True).failed == 0
    assert len(collection) == 2


def test_those_that_were_only_described_are_embedded_by_the_next_sync(collection):
    report = collection.add([(png(20), "a")], embed=False)
    assert (report.added, report.embedded) == (1, 0)
    assert collection.image_info("added:a").models == ()
    assert collection.sync().embedded == 1
    assert collection.image_info("added:a").models == (MODEL,)
    assert collection.add([(png(20), "a")]).embedded == 0


def test_what_fails_is_named_and_costs_the_others_nothing(collection, tmp_path):
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    collection.add([(png(20), "there")])
    report = collection.add(
        [
            (b"", "empty"),
            (b"not a picture", "text"),
            (bomb.getvalue(), "bomb"),
            (png(21)[:400], "cut"),
            (tmp_path / "nowhere.png", "no file"),
            (tmp_path, "folder"),
            (5, "number"),
            (io.StringIO("text"), "text file"),
            (np.full((3, 3), 7.0), "floats"),
            (Pixels(picture(1), region=(0, 0, 0.5, 0.5)), "region"),
            (b"\xff\xd8\xff no more", "there"),
            png(25),
            (png(25),),
            (png(26), "good"),
        ]
    )
    assert report.failed == 13
    assert outcomes(report)[-1] == ("good", "added")
    reasons = {image.key: image.reason for image in report.failures}
    assert "empty" in reasons["empty"]
    assert "not an image" in reasons["text"]
    assert "megapixels" in reasons["bomb"]
    assert "no such file" in reasons["no file"]
    assert all(image.reason and image.id is None for image in report.failures)
    assert len(collection) == 8
    # What was there under a key stays where its successor cannot be read.
    assert Path(collection.image_info("added:there").paths[0]).read_bytes() == png(20)


@pytest.mark.parametrize(
    "key", ["", " a", "a\n", "a\x00b", "\ud800", "x" * (LONGEST_KEY + 1), 5, None, b"a", ("a",), "tab\there"]
)
def test_a_key_is_a_text_that_one_can_print(collection, key):
    report = collection.add([(png(20), key), (png(21), "good")])
    assert [image.outcome for image in report.images] == ["failed", "added"]
    assert "key" in report.images[0].reason
    with pytest.raises(InvalidInputError, match="key"):
        collection.remove([key])


@pytest.mark.parametrize(
    "key", ["a", "é/ü 1", "https://example.org/a.jpg?b=1", "..", "it's", "c:\\d", "日本", "a:b"]
)
def test_any_such_text_is_a_key(collection, key):
    assert collection.add([(png(20), key)]).added == 1
    assert collection.image_info(f"added:{key}").keys == (key,)
    assert collection.search(f"added:{key}", k=1, include_self=True).hits[0].keys == (key,)
    assert collection.remove([key]) == 1


def test_a_key_that_comes_twice_in_a_call_is_taken_once(collection):
    report = collection.add([(png(20), "a"), (png(20), "a"), (png(21), "a"), (png(20), "a", {"n": 1})])
    assert [image.outcome for image in report.images] == ["added", "unchanged", "failed", "failed"]
    assert "second time" in report.images[2].reason
    assert collection.image_info("added:a").id == report.images[0].id


@pytest.mark.parametrize("given", [None, 5, "path.png", b"bytes", {"a": 1}, Addition(b"x", "a")])
def test_what_is_no_list_of_images_is_refused(collection, given):
    with pytest.raises(InvalidInputError, match=r"expected a list of \(content, key\)"):
        collection.add(given)


@pytest.mark.parametrize(
    "addition",
    [
        Addition(b"x", "a", fields=5),
        Addition(b"x", "a", label=""),
        Addition(b"x", "a", label=5),
        Addition(b"x", "a", vectors=[1]),
        Addition(b"x", "a", fields={"": 1}),
        Addition(b"x", "a", fields={"n": float("nan")}),
        Addition(b"x", "a", fields={"n": object()}),
        Addition(b"x", "a", vectors={"nobody": [1, 2]}),
    ],
)
def test_what_is_wrong_about_an_image_is_its_own_failure(collection, addition):
    addition = Addition(png(20), addition.key, addition.fields, addition.label, addition.vectors)
    report = collection.add([addition, (png(21), "good")])
    assert [image.outcome for image in report.images] == ["failed", "added"]


def test_fields_come_with_images_and_merge_with_what_was_said(collection):
    day = datetime.date(2019, 5, 4)
    collection.add([(png(20), "a", {"price": 3, "tags": ["x"], "seen": day, "sold": False, "note": "é"})])
    assert collection.fields.of("added:a") == {
        "price": 3.0,
        "tags": ["x"],
        "seen": datetime.datetime(2019, 5, 4),
        "sold": False,
        "note": "é",
    }
    assert outcomes(collection.add([(png(20), "a", {"price": 4, "note": None})])) == [("a", "changed")]
    assert outcomes(collection.add([(png(20), "a", {"price": 4})])) == [("a", "unchanged")]
    assert collection.fields.of("added:a")["price"] == 4
    assert "note" not in collection.fields.of("added:a")
    # Other bytes under the key: what is said of the key stays.
    collection.add([(png(21), "a", {"sold": True})])
    assert collection.fields.of("added:a")["price"] == 4
    assert collection.fields.of("added:a")["sold"] is True
    wrong = collection.add([(png(20), "b", {"price": "dear"})])
    assert "holds numbers" in wrong.images[0].reason


def test_two_keys_of_the_same_bytes_have_their_own_fields_and_share_a_file(collection):
    collection.add([(png(20), "a", {"n": 1, "m": 1}), (png(20), "b", {"n": 2})])
    assert collection.fields.of("added:a") == {"n": 1, "m": 1}
    assert collection.fields.of("added:b") == {"n": 2}
    assert len(kept_files(collection)) == 1
    assert collection.remove(["a"]) == 1
    assert len(kept_files(collection)) == 1
    assert collection.remove(["b"]) == 1
    assert kept_files(collection) == []


def test_a_picture_of_a_folder_that_is_added_keeps_its_label_and_its_first_place(collection, photos):
    content = (photos / "cats/0.png").read_bytes()
    assert collection.add([(content, "a")]).embedded == 0
    hit = collection.search("added:a", k=1, include_self=True).hits[0]
    assert hit.path == str(photos / "cats/0.png")
    assert (hit.label, hit.keys, len(hit.paths)) == ("cats", ("a",), 2)
    (photos / "cats/0.png").unlink()
    collection.sync()
    hit = collection.search("added:a", k=1, include_self=True).hits[0]
    assert Path(hit.path).read_bytes() == content


def test_labels_come_with_images_and_stay(collection):
    collection.add([Addition(png(20), "a", label="birds")])
    assert outcomes(collection.add([(png(20), "a")])) == [("a", "unchanged")]
    assert outcomes(collection.add([(png(21), "a")])) == [("a", "changed")]
    assert collection.image_info("added:a").labels == ("birds",)
    assert outcomes(collection.add([Addition(png(21), "a", label="owls")])) == [("a", "changed")]
    assert collection.image_info("added:a").labels == ("owls",)


def test_removed_images_are_gone_with_all_that_was_theirs(collection):
    collection.add([(png(20), "a", {"n": 1}), (png(21), "b", {"n": 2})])
    image = collection.image_info("added:a").id
    assert collection.remove(["a", "nothing", "a"]) == 1
    assert collection.remove(["a"]) == 0
    assert collection.remove("b") == 1
    store = Store(collection.folder)
    for table in (store.images, store.thumbnails, *store.vector_tables().values()):
        assert image not in table.read(["id"])["id"].to_pylist()
    assert store.fields.count() == 0
    assert len(collection) == 6


def test_a_folder_of_that_name_stays_what_it_is(tmp_path, photos):
    photos.rename(tmp_path / "added")
    made = Collection.create(tmp_path / "home", model=MODEL, with_root=False)
    made.add_root(tmp_path / "added")
    made.sync()
    assert made.add([(png(20), "a")]).added == 1
    assert {root.name for root in made.list_roots()} == {"added-2"}
    # A collection of an earlier version may have called it so.
    manifest = made.folder / "collection.json"
    written = json.loads(manifest.read_text().replace('"added-2"', '"added"'))
    del written["sum"]
    manifest.write_text(json.dumps(written))
    with pytest.raises(CollectionConflictError, match="called 'added'"):
        Collection.open(made.folder).add([(png(20), "a")])
    with pytest.raises(CollectionConflictError, match="called 'added'"):
        Collection.open(made.folder).remove(["a"])


def test_a_new_version_that_older_ones_refuse_is_noted_before_anything_is_added(collection):
    manifest = collection.folder / "collection.json"
    content = json.loads(manifest.read_text())
    del content["sum"]
    manifest.write_text(json.dumps({**content, "format": 3}))
    Collection.open(collection.folder).add([(png(20), "a")])
    assert json.loads(manifest.read_text())["format"] == 5


def test_a_second_writer_is_refused_or_waits(collection):
    code = (
        "import sys, time\nfrom lookalike import Collection\nfrom lookalike.store import writer_lock\n"
        "from pathlib import Path\n"
        "with writer_lock(Path(sys.argv[1])):\n    print('held', flush=True)\n"
        "    time.sleep(float(sys.argv[2]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(collection.folder), "1.5"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    with pytest.raises(LockedError, match="another lookalike"):
        collection.add([(png(20), "a")])
    assert collection.add([(png(20), "a")], wait=60).added == 1
    process.communicate(timeout=60)


ADDER = """
import sys
from pathlib import Path
from lookalike import Collection
collection = Collection.open(sys.argv[1])
files = sorted(Path(sys.argv[2]).iterdir())
fields = {"who": sys.argv[3]}
report = collection.add([(file, f"{sys.argv[3]}/{file.name}", fields) for file in files], wait=60)
assert report.added == len(files), report.failures
"""


def test_two_processes_that_add_at_once_both_add_all(collection, tmp_path):
    (tmp_path / "more").mkdir()
    for number in range(20):
        (tmp_path / "more" / f"{number:02}.png").write_bytes(png(100 + number))
    command = [sys.executable, "-c", ADDER, str(collection.folder), str(tmp_path / "more")]
    processes = [subprocess.Popen([*command, who]) for who in ("a", "b")]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert collection.info().added == 40
    assert len(collection) == 26
    assert collection.fields.of("added:b/03.png") == {"who": "b"}


def test_a_reader_that_stays_open_sees_each_call(collection):
    other = Collection.open(collection.folder)
    before = other.snapshot()
    collection.add([(png(20), "a", {"n": 1})])
    assert len(before) == 6
    assert len(other) == 7
    assert other.fields.of("added:a") == {"n": 1}
    assert "n" not in before.fields.kinds
    assert other.snapshot().fields.kinds == {"n": "number"}


def test_it_is_stopped_between_images_and_goes_on(collection):
    token = CancelToken()
    seen = []

    def report(progress):
        seen.append(progress)
        if progress.done >= 3:
            token.cancel()

    additions = [(png(20 + number), str(number), {"n": number}) for number in range(40)]
    with pytest.raises(CancelledError):
        collection.add(additions, jobs=1, report=report, cancel=token)
    assert seen[0].phase == "adding"
    n = collection.info().added
    assert n < 40
    again = collection.add(additions)
    assert (again.unchanged, again.added) == (n, 40 - n)
    assert {collection.fields.of(f"added:{number}")["n"] for number in range(40)} == set(range(40))


def test_a_list_that_breaks_off_keeps_what_came_before(collection, monkeypatch):
    monkeypatch.setattr("lookalike.collection.adding._BATCH", 4)

    def additions():
        for number in range(6):
            yield png(20 + number), str(number)
        raise RuntimeError("the caller's own")

    with pytest.raises(RuntimeError, match="the caller's own"):
        collection.add(additions())
    assert collection.info().added == 4


def test_a_full_disk_leaves_what_was_there_whole(collection, monkeypatch):
    collection.add([(png(20), "a", {"n": 1})])

    def full(file, content, **_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("lookalike.store.kept.replace_file", full)
        with pytest.raises(StoreResourceError, match="No space left"):
            collection.add([(png(21), "a", {"n": 2}), (png(22), "b")])
    assert Path(collection.image_info("added:a").paths[0]).read_bytes() == png(20)
    assert collection.fields.of("added:a") == {"n": 1}
    assert collection.add([(png(21), "a", {"n": 2}), (png(22), "b")]).added == 1


@pytest.mark.parametrize("step", ["write", "write_files", "sweep_images"])
def test_whoever_dies_between_two_tables_leaves_each_image_whole(collection, monkeypatch, step):
    collection.add([(png(20), "a"), (png(22), "c", {"n": 3})])

    class Died(BaseException):
        pass

    def die(*_):
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(f"lookalike.store.store.Store.{step}", die)
        with pytest.raises(Died):
            collection.add([(png(21), "a", {"n": 2}), (png(23), "c", {"n": 4}), (png(24), "new", {"n": 5})])
    now = Collection.open(collection.folder)
    is_done = step == "sweep_images"
    wanted = {"a": (21, {"n": 2}), "c": (23, {"n": 4})} if is_done else {"a": (20, {}), "c": (22, {"n": 3})}
    for key, (number, fields) in wanted.items():
        assert Path(now.image_info(f"added:{key}").paths[0]).read_bytes() == png(number)
        assert now.fields.of(f"added:{key}") == fields
    # The next call sweeps, whatever it is about.
    now.remove(["nothing"])
    assert len(kept_files(now)) == (3 if is_done else 2)
    # Where the new fields had been written, those of "a" say that its old picture has none.
    assert Store(now.folder).fields.count() == {"write": 1, "write_files": 2, "sweep_images": 3}[step]
    assert now.add([(png(21), "a", {"n": 2})]).failed == 0


KILLED = """
import sys
from pathlib import Path
from lookalike import Collection
import lookalike.collection.adding as adding
adding._BATCH = 8
files = sorted(Path(sys.argv[2]).iterdir())
Collection.open(sys.argv[1]).add([(file, file.stem, {"n": int(file.stem)}) for file in files])
"""


def test_a_kill_leaves_whole_images_and_the_next_call_adds_the_rest(collection, tmp_path):
    folder = tmp_path / "more"
    folder.mkdir()
    for number in range(64):
        (folder / f"{number:03}.png").write_bytes(png(200 + number))
    for kill in range(4):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(collection.folder), str(folder)])
        deadline, wanted = time.monotonic() + 60, 8 + 12 * kill
        while collection.info().added < wanted and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.wait()
        files = Store(collection.folder).files.read(["path", "id"], "starts_with(path, 'added:')").to_pylist()
        for row in files:
            key = row["path"].partition(":")[2]
            info = collection.image_info(row["path"])
            assert Path(info.paths[0]).read_bytes() == (folder / f"{key}.png").read_bytes()
            assert (info.fields, info.models) == ({"n": float(key)}, (MODEL,))
    subprocess.run([sys.executable, "-c", KILLED, str(collection.folder), str(folder)], check=True)
    assert collection.info().added == 64
    assert len(kept_files(collection)) == 64
    assert not any(name.endswith(".part") or name == "unswept" for name in kept_files(collection))
    assert collection.sync().unchanged == 70


def test_a_kept_file_that_is_not_what_was_added_is_a_failure_and_stays_in_the_collection(collection):
    collection.add([(png(20), "a"), (png(21), "b")])
    file = Path(collection.image_info("added:a").paths[0])
    file.write_bytes(png(30)[: file.stat().st_size].ljust(file.stat().st_size, b"\0"))
    report = collection.sync(reread=True)
    assert [os.path.basename(failure.path) for failure in report.failures] == [file.name]
    assert len(collection) == 8
    assert collection.search("added:b", k=8).hits
    assert collection.add([(png(20), "a")]).failed == 0


def test_a_kept_file_ends_as_files_of_its_format_do(collection):
    report = collection.add([(png(20), "scan.PNG"), (png(21), "photo.jpg"), (png(22), "plain")])
    endings = [Path(collection.image_info(f"added:{image.key}").paths[0]).suffix for image in report.images]
    assert endings == [".png", ".png", ".png"]


def test_a_key_with_an_array_among_its_fields_may_come_twice(collection):
    tags = [np.array(["a", "b"]), np.array(["a", "b"])]
    report = collection.add([(png(20), "a", {"tags": each}) for each in tags])
    assert [image.outcome for image in report.images] == ["added", "failed"]


def test_what_was_said_goes_over_to_an_edited_picture_and_not_to_another(collection):
    def darker(number):
        stream = io.BytesIO()
        picture(number, side=200).point(lambda level: int(level * 0.9)).save(stream, "PNG")
        return stream.getvalue()

    def plain(number):
        stream = io.BytesIO()
        picture(number, side=200).save(stream, "PNG")
        return stream.getvalue()

    collection.add([(plain(20), "edited"), (plain(21), "other")])
    ids = [collection.image_info(f"added:{key}").id for key in ("edited", "other")]
    for image in ids:
        collection.labels.give([image], "by hand")
    collection.add([(darker(20), "edited"), (plain(35), "other")])
    assert collection.image_info("added:edited").labels == ("by hand",)
    assert collection.image_info("added:other").labels == ()


def test_what_lies_in_a_folder_too_is_listed_in_its_place_there_with_its_label(collection):
    before = collection.browse()
    file = before.hits[1].path
    assert collection.add([(file, "a key")]).added == 1
    again = collection.browse()
    assert [hit.path for hit in again.hits] == [hit.path for hit in before.hits]
    assert again.hits[1].keys == ("a key",)
    by_label = collection.browse(sort="label")
    assert [hit.label for hit in by_label.hits] == sorted(hit.label for hit in before.hits)
