"""Bombs at the doors of a collection: as a query, added by call, in a folder; the next picture is read."""

import io

import pytest
from faults.bomb_files import every
from PIL import Image

from lookalike import Collection, QueryInputError
from lookalike.cli import main
from pictures import picture

SMALL = {
    bomb.name: bomb
    for bomb in every()
    if bomb.name
    in ("34_bytes.webp", "few_bytes.png", "rows_wide.tif", "large.heic", "screen.gif", "damaged.tif")
}


@pytest.fixture
def collection(photos, tmp_path):
    made = Collection.create(tmp_path / "home", model="pixels-8-grey", with_root=False)
    made.add_root(photos)
    made.sync()
    return made


@pytest.mark.parametrize("name", SMALL)
def test_a_bomb_as_a_query_is_refused_with_its_reason(collection, tmp_path, capfd, name):
    path = tmp_path / name
    path.write_bytes(SMALL[name].make())
    with pytest.raises(QueryInputError, match=SMALL[name].reason):
        collection.search(path)
    assert capfd.readouterr() == ("", "")
    with pytest.raises(SystemExit, match="2"):
        main(["search", str(path), "-c", str(collection.folder)])
    output, errors = capfd.readouterr()
    assert output == ""
    assert SMALL[name].reason in errors
    assert errors.count("\n") == 1


def test_bombs_that_are_added_are_failures_and_leave_nothing(collection, capfd):
    before = sorted(collection.folder.rglob("added/*"))
    report = collection.add([(bomb.make(), name) for name, bomb in SMALL.items()])
    assert report.failed == len(SMALL)
    assert all(SMALL[image.key].reason in image.reason for image in report.failures)
    assert sorted(collection.folder.rglob("added/*")) == before
    stream = io.BytesIO()
    picture(30).save(stream, "PNG")
    assert collection.add([(stream.getvalue(), "next")]).failed == 0
    assert capfd.readouterr() == ("", "")


def test_a_long_and_narrow_picture_is_indexed_and_has_a_thumbnail(collection, tmp_path):
    strip = Image.new("1", (60, 700_000), 1)
    strip.save(tmp_path / "strip.png")
    added = collection.add([(tmp_path / "strip.png", "strip")])
    (image,) = added.images
    assert image.outcome == "added"
    with Image.open(io.BytesIO(collection.thumbnails([image.id])[image.id])) as thumbnail:
        assert thumbnail.size == (1, 256)
    facts = collection.image_info("added:strip")
    assert (facts.width, facts.height) == (60, 700_000)
    (hit,) = collection.search(tmp_path / "strip.png", k=1, include_self=True).hits
    assert (hit.id, hit.distance) == (image.id, 0)
