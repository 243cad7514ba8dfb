"""What a collection takes on the disk, and what of it is none of its pictures'."""

import gc

import numpy as np
import pytest
from PIL import Image

from lookalike import Collection
from lookalike.store import upkeep


@pytest.fixture
def noise(tmp_path, monkeypatch):
    """So many bytes of thumbnails that what is written of everything does not count."""
    monkeypatch.setattr(upkeep, "_ROWS_OF_A_FRAGMENT", 40)  # as if there were thousands of images
    monkeypatch.setattr(upkeep, "_LEAST_DROPPED", 1 << 17)
    folder = tmp_path / "noise"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(96):
        pixels = random.integers(0, 255, (256, 256, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.bmp")
    return folder


def test_after_a_search_everything_is_there_once(noise):
    collection = Collection.create(noise, "pixels-8-grey")
    for number in range(8):  # as many commits, whose files are joined in the end
        collection.sync([noise / f"{each}.bmp" for each in range(12 * number, 12 * number + 12)])
    collection.sync()
    del collection
    gc.collect()  # what was read is let go of, as at the end of a command
    collection = Collection.open(noise)
    collection.sync()
    assert collection.search(noise / "3.bmp", k=3).hits
    sizes = collection.info().sizes
    live = sizes["thumbnails"] + sizes["vectors"]
    assert live > 4e6
    assert sum(sizes.values()) <= 1.1 * live, sizes
    on_disk = sum(each.lstat().st_size for each in collection.folder.rglob("*") if each.is_file())
    assert on_disk == sum(sizes.values()) == collection.info().size
    assert collection.info().to_dict()["bytes_by_part"]["old_versions"] == sizes["old versions"]


def test_what_newer_versions_have_taken_the_place_of_is_said(noise, call):
    Collection.create(noise, "pixels-8-grey").sync()
    reader = Collection.open(noise)
    reader.browse()
    before = reader.info().sizes["old versions"]
    for file in list(noise.iterdir())[:60]:
        file.unlink()
    Collection.open(noise).sync(prune=True)
    assert Collection.open(noise).info().sizes["old versions"] > before
    out = call("info", cwd=noise)[1]
    (line,) = [each for each in out.splitlines() if each.startswith("of it")]
    assert all(f"{part} " in line for part in ("thumbnails", "vectors", "indexes", "old versions", "rest"))
