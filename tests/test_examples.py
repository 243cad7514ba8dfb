"""The examples do what they say to the folders that they are given."""

import os
import runpy
import shutil
from pathlib import Path

import pytest

from pictures import picture

EXAMPLES = Path(__file__).parents[1] / "examples"

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples lie in the clone alone")


@pytest.fixture
def photos_example():
    return runpy.run_path(str(EXAMPLES / "photos_in_a_folder.py"))["main"]


def test_photos_in_a_folder_are_only_read(tmp_path, monkeypatch, capsys, photos_example):
    photos = tmp_path / "holiday"
    (photos / "2020").mkdir(parents=True)
    for number in range(12):
        picture(number).save(photos / ("2020" if number % 2 else "") / f"{number}.png")
    before = sorted((str(each), os.stat(each).st_mtime_ns) for each in [photos, *photos.rglob("*")])
    monkeypatch.chdir(tmp_path)
    photos_example(Path("holiday"))
    assert sorted((str(each), os.stat(each).st_mtime_ns) for each in [photos, *photos.rglob("*")]) == before
    assert {each.name for each in (tmp_path / "holiday-lookalike").glob("*.png")} == {
        f"photos-{name}.png" for name in ("clusters", "search", "map", "tiles")
    }
    out = capsys.readouterr().out
    assert "12 photos" in out and "purity" not in out
    monkeypatch.chdir(photos / "2020")
    with pytest.raises(SystemExit, match="go to a folder outside of it"):
        photos_example(photos)
    shutil.rmtree(tmp_path / "holiday-lookalike")
