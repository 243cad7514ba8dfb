import hashlib
import io
import os
import zipfile

import pytest

from lookalike.datasets import caltech101
from lookalike.datasets.caltech101 import fetch
from lookalike.datasets.download import RemoteFile
from lookalike.errors import DatasetError

REAL_DATA = os.environ.get("LOOKALIKE_DATA")


@pytest.fixture
def archive(site, tar):
    """A tiny archive of the official form, on a web server."""
    pictures = tar(
        ("101_ObjectCategories/accordion/image_0001.jpg", b"picture"),
        ("101_ObjectCategories/BACKGROUND_Google/image_0001.jpg", b"no class"),
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as outer:
        outer.writestr(caltech101.IMAGES, pictures.getvalue())
        outer.writestr("caltech-101/Annotations.tar", b"not read")
        outer.writestr("__MACOSX/caltech-101/._101_ObjectCategories.tar.gz", b"not read either")
    content = stream.getvalue()
    site.pages["/caltech-101.zip"] = content
    url = f"{site.address}/caltech-101.zip"
    return RemoteFile("Caltech-101", url, hashlib.sha256(content).hexdigest(), len(content))


def test_without_data_nothing_is_found():
    assert caltech101.find() is None


@pytest.mark.parametrize("layout", caltech101.LAYOUTS)
def test_each_official_layout_is_found(tmp_path, monkeypatch, layout):
    (tmp_path / layout).mkdir(parents=True)
    monkeypatch.setenv("LOOKALIKE_DATA", str(tmp_path))
    found = caltech101.find()
    assert found.root == tmp_path / layout
    assert str(found.root) in found.origin
    assert found.labels
    assert found.exclude == ("BACKGROUND_Google",)


def test_fetched_pictures_are_unpacked_and_found_again(archive, cache, site):
    fetched = caltech101.fetch(archive=archive)
    assert (fetched.root / "accordion" / "image_0001.jpg").read_bytes() == b"picture"
    assert archive.url in fetched.origin
    assert caltech101.find().root == fetched.root
    caltech101.fetch(archive=archive)
    assert len(site.asked) == 1


def test_archive_carried_by_hand_is_taken(archive, cache, site):
    carried = cache / "datasets" / "downloads" / "caltech-101.zip"
    carried.parent.mkdir(parents=True)
    carried.write_bytes(site.pages["/caltech-101.zip"])
    site.pages.clear()
    assert (caltech101.fetch(archive=archive).root / "accordion").is_dir()
    assert site.asked == []


def test_unpacking_that_fails_is_not_taken_for_the_data(archive, monkeypatch):
    def fail(stream, into):
        (into / "101_ObjectCategories").mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(caltech101, "unpack_tar", fail)
    with pytest.raises(DatasetError, match="No space left on device"):
        caltech101.fetch(archive=archive)
    assert caltech101.find() is None


def test_out_of_reach_says_where_to_put_what(archive, cache, site):
    site.pages.clear()
    with pytest.raises(DatasetError) as caught:
        caltech101.fetch(archive=archive)
    assert "set LOOKALIKE_DATA to a folder that holds caltech-101/101_ObjectCategories" in str(
        caught.value.hint
    )
    assert str(cache / "datasets" / "downloads" / "caltech-101.zip") in str(caught.value.hint)
    assert caltech101.find() is None


@pytest.mark.parametrize(
    ("background", "classes"), [(False, ("accordion",)), (True, ("BACKGROUND_Google", "accordion"))]
)
def test_background_is_left_out_unless_asked(archive, monkeypatch, background, classes):
    monkeypatch.setattr(caltech101, "fetch", lambda watch: fetch(archive=archive, watch=watch))
    dataset = caltech101.load(background=background)
    assert dataset.class_names == classes
    assert len(dataset.train_X) == len(classes)
    assert len(dataset.test_X) == 0
    assert caltech101.load(background=background, download=False).train_X == dataset.train_X


@pytest.mark.data
@pytest.mark.skipif(not REAL_DATA, reason="LOOKALIKE_DATA is not set")
def test_real_data_holds_8677_pictures_in_101_classes(monkeypatch):
    monkeypatch.setenv("LOOKALIKE_DATA", REAL_DATA)
    found = caltech101.find()
    if found is None:
        pytest.skip("LOOKALIKE_DATA holds no Caltech-101")
    classes = [path for path in found.root.iterdir() if path.is_dir() and path.name not in found.exclude]
    assert len(classes) == 101
    assert sum(len(list(path.glob("*.jpg"))) for path in classes) == 8677
    dataset = caltech101.load(download=False)
    assert len(dataset.train_X) == len(dataset.train_y) == 8677
    assert len(dataset.class_names) == 101
    assert dataset.train_X[0].shape[2] == 3
    assert len(caltech101.load(background=True, download=False).class_names) == 102
