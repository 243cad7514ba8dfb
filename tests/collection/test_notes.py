"""Images of which a part is missing: searchable, with a note, and no failures."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from lookalike.collection import Collection
from pictures import picture


def cut_short(seed, kept):
    noise = np.random.default_rng(seed).integers(0, 50, (240, 320, 1))
    image = np.asarray(picture(seed, 320).crop((0, 0, 320, 240))) // 2 + noise
    stream = io.BytesIO()
    Image.fromarray(image.astype(np.uint8)).save(stream, "JPEG", quality=90)
    data = stream.getvalue()
    return data[: int(len(data) * kept)]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "most.jpg").write_bytes(cut_short(1, 0.97))
    (folder / "half.jpg").write_bytes(cut_short(2, 0.5))
    (folder / "marker.jpg").write_bytes(cut_short(3, 1)[:-2])
    picture(4).save(folder / "whole.png")
    return folder


def indexed(folder):
    collection = Collection.create(folder)
    return collection, collection.sync()


def noted(report):
    return {note.path.rpartition("/")[2]: note.note for note in report.notes}


def test_an_image_cut_short_is_searchable_with_a_note_and_no_failure(folder):
    collection, report = indexed(folder)
    assert (report.added, report.failed) == (3, 1)
    assert [failure.path.rpartition("/")[2] for failure in report.failures] == ["half.jpg"]
    assert list(noted(report)) == ["most.jpg"]
    assert "rows are missing" in noted(report)["most.jpg"]
    hits = collection.search(folder / "most.jpg", include_self=True).hits
    assert hits[0].path == str(folder / "most.jpg")
    assert collection.info().notes == report.notes


def test_copies_have_the_note_of_the_first_whenever_they_come(folder):
    (folder / "twin.jpg").write_bytes((folder / "most.jpg").read_bytes())
    collection, report = indexed(folder)
    assert set(noted(report)) == {"most.jpg", "twin.jpg"}
    (folder / "later.jpg").write_bytes((folder / "most.jpg").read_bytes())
    assert set(noted(collection.sync())) == {"later.jpg", "most.jpg", "twin.jpg"}


def test_a_note_stays_when_the_file_is_renamed_touched_or_embedded_anew(folder):
    collection, first = indexed(folder)
    (folder / "most.jpg").rename(folder / "moved.jpg")
    report = collection.sync()
    assert (report.moved, noted(report)) == (1, {"moved.jpg": noted(first)["most.jpg"]})
    (folder / "moved.jpg").touch()
    assert noted(collection.sync()) == noted(report)
    assert noted(collection.sync(model="pixels-8-rgb")) == noted(report)


def test_a_note_goes_with_the_damage_and_with_the_file(folder):
    collection, _ = indexed(folder)
    (folder / "most.jpg").write_bytes(cut_short(1, 1))
    assert collection.sync().notes == ()
    (folder / "most.jpg").write_bytes(cut_short(1, 0.97))
    assert noted(collection.sync())
    (folder / "most.jpg").unlink()
    assert collection.sync().notes == ()


def test_index_and_info_tell_of_notes(folder, call):
    code, out, _ = call("index", ".", "--json", cwd=folder)
    report = json.loads(out)
    assert (code, report["failed"], len(report["failures"])) == (0, 1, 1)
    assert [row["path"] for row in report["notes"]] == ["most.jpg"]
    note = report["notes"][0]["note"]
    _, out, _ = call("index", ".", cwd=folder)
    assert "1 image searchable with a part missing: lookalike info --notes" in out
    _, out, _ = call("info", "--notes", cwd=folder)
    assert out == f"most.jpg\t{note}\n"
    _, out, _ = call("info", cwd=folder)
    assert "not whole   1: lookalike info --notes" in out
    _, out, _ = call("info", "--json", cwd=folder)
    assert json.loads(out)["notes"] == report["notes"]
    code, _, err = call("info", "most.jpg", "--notes", cwd=folder)
    assert code == 2
    assert "--notes lists those of the whole collection" in err
