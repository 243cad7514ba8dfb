"""Files that the collection keeps itself: whole, under their ids, and gone when nobody names them."""

import pytest

from lookalike.errors import StoreResourceError
from lookalike.store.kept import KeptFiles


@pytest.fixture
def kept(tmp_path):
    return KeptFiles(tmp_path / "added")


def test_a_file_lies_under_its_id_with_an_ending(kept):
    kept.write(0xAB12, b"content", ".jpg")
    kept.flush([0xAB12])
    path = kept.path_of(0xAB12)
    assert path == kept.folder / "00/000000000000ab12.jpg"
    assert path.read_bytes() == b"content"
    # Whoever comes later finds it, whatever its ending.
    assert KeptFiles(kept.folder).path_of(0xAB12) == path
    assert KeptFiles(kept.folder).path_of(0xAB13) == kept.folder / "00/000000000000ab13"


def test_what_is_there_is_not_written_again_and_what_is_cut_short_is(kept):
    kept.write(1, b"content", ".jpg")
    before = kept.path_of(1).stat().st_ino
    kept.write(1, b"content", ".jpg")
    kept.write(1, b"content", ".jpeg")
    assert kept.path_of(1).stat().st_ino == before
    kept.path_of(1).write_bytes(b"cont")
    kept.write(1, b"content", ".jpg")
    assert kept.path_of(1).read_bytes() == b"content"


def test_a_sweep_leaves_what_is_named(kept):
    for image in (1, 2, 1 << 60):
        kept.write(image, b"content", ".png")
    part = kept.path_of(1).with_name("0000000000000001.png.7-1.part")
    part.write_bytes(b"con")
    assert not kept.begin()
    assert kept.begin()  # somebody began, and came to no end
    kept.sweep({1})
    files = [path.name for path in kept.folder.rglob("*") if path.is_file()]
    assert files == ["0000000000000001.png"]
    assert not kept.begin()
    kept.end()
    kept.remove(1)
    kept.remove(1)
    assert not kept.has(1, 7)


def test_nothing_is_there_before_the_first(kept):
    kept.sweep(set())
    kept.remove(5)
    kept.end()
    assert not kept.has(5, 0)
    assert not kept.folder.exists()


def test_what_cannot_be_written_is_told(kept):
    kept.folder.write_text("in the way")
    with pytest.raises(StoreResourceError, match="cannot write"):
        kept.write(1, b"content", ".png")
    with pytest.raises(StoreResourceError, match="cannot write"):
        kept.begin()
