"""Nothing of the user's is written over: by every option that names a file to be written."""

import json

import numpy as np
import pytest

from lookalike import PCA, Collection
from lookalike.errors import ConflictError, IndexFileError
from lookalike.index import Exact

MODEL = "pixels-8-grey"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from pictures import picture

    folder = tmp_path_factory.mktemp("photos")
    for number in range(8):
        place = folder / ("cats" if number < 4 else "dogs")
        place.mkdir(exist_ok=True)
        picture(number).save(place / f"{number}.png")
    photos = Collection.create(folder, model=MODEL)
    photos.sync()
    photos.clusterings.make(k=2)
    return folder


PHOTO = "cats/1.png"
PICTURES = {
    "search --plot": ("search", "cats/0.png", "--plot"),
    "search --plot of the query": ("search", PHOTO, "--plot"),
    "list --plot": ("list", "--plot"),
    "map -o": ("map", "--method", "pca", "-o"),
    "map make -o": ("map", "make", "--method", "pca", "-o"),
    "map draw -o": ("map", "draw", "pca", "-o"),
    "cluster make --plot": ("cluster", "make", "-k", "2", "--plot"),
    "cluster show --plot": ("cluster", "show", "--plot"),
    "cluster try --plot": ("cluster", "try", "--plot"),
    "evaluate --plot": ("evaluate", "--plot"),
    "evaluate --confusion": ("evaluate", "--confusion"),
    "bench --plot": ("bench", "--plot"),
    "reduce --plot": ("reduce", "2", "--plot"),
}
FILES = {
    "export --as csv": ("export", "--as", "csv"),
    "export --as npy": ("export", "--as", "npy"),
    "export --as coco": ("export", "--as", "coco"),
    "export --as copy": ("export", "--as", "copy"),
    "cluster export --to": ("cluster", "export", "--to"),
    "cluster --export": ("cluster", "--export"),
    "said export": ("said", "export"),
}


@pytest.mark.parametrize("words", [*PICTURES.values(), *FILES.values()], ids=[*PICTURES, *FILES])
def test_a_photo_is_not_written_over(call, folder, words):
    before = (folder / PHOTO).read_bytes()
    code, out, err = call(*words, PHOTO)
    assert (code, out) == (2, "")
    assert PHOTO in err
    assert err.count("\n") == 1
    assert (folder / PHOTO).read_bytes() == before


def test_a_picture_that_lookalike_drew_is_replaced_and_others_if_it_is_meant(call, folder, tmp_path):
    for ending in ("png", "svg", "pdf", "jpg"):
        file = tmp_path / f"out.{ending}"
        assert [call("list", "--plot", file)[0] for _ in range(2)] == [0, 0]
    mine = tmp_path / "mine.png"
    mine.write_bytes((folder / PHOTO).read_bytes())
    assert call("list", "--plot", mine)[0] == 2
    assert call("list", "--plot", mine, "--force")[0] == 0
    assert mine.read_bytes() != (folder / PHOTO).read_bytes()
    assert "--force is for pictures" in call("list", "--force")[2]


def test_said_goes_to_a_new_file_or_through_a_pipe(call, folder, tmp_path, monkeypatch):
    call("labels", "give", "owl", PHOTO)
    file = tmp_path / "said.jsonl"
    assert call("said", "export", file)[0] == 0
    assert "--force" in call("said", "export", file)[2]
    assert call("said", "export", file, "--force")[0] == 0
    code, out, _ = call("said", "export", "-")
    assert (code, out) == (0, file.read_text())
    assert json.loads(out)["label"] == "owl"
    with file.open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert call("said", "import", "-")[:2] == (0, "1 line read, 0 of them new\n")


def test_a_demo_leaves_other_pages_alone(call, folder, tmp_path):
    (tmp_path / "index.html").write_text("<!doctype html><title>my site</title>")
    code, _, err = call("demo", folder, "-o", tmp_path)
    assert (code, err.count("\n")) == (2, 1)
    assert [each.name for each in tmp_path.iterdir()] == ["index.html"]


def test_an_index_takes_the_place_of_an_index_alone(tmp_path):
    index = Exact().build(np.eye(3, dtype=np.float32))
    index.save(tmp_path / "index")
    index.save(tmp_path / "index")
    file, website = tmp_path / "photo.png", tmp_path / "website"
    file.write_bytes(b"a photo")
    website.mkdir()
    (website / "index.json").write_text('{"kind": "blog", "format": 1, "metric": "likes", "arrays": {}}')
    (website / "photo.png").write_bytes(b"a photo")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "index")
    for taken in (file, website, link, tmp_path):
        with pytest.raises(IndexFileError, match="left as it is"):
            index.save(taken)
    assert (file.read_bytes(), (website / "photo.png").read_bytes()) == (b"a photo", b"a photo")
    assert len(Exact.load(tmp_path / "index")) == 3


def test_what_python_saves_is_not_written_over_either(folder, tmp_path):
    from lookalike.drawing import draw_list
    from lookalike.plots import save_figure

    photos = Collection.open(folder)
    file = tmp_path / "mine.png"
    file.write_bytes(b"mine")
    figure = draw_list(photos, photos.browse(k=1))
    for save in (
        lambda: save_figure(figure, file),
        lambda: PCA(1).fit(np.eye(4, dtype=np.float32)).save(file),
        lambda: photos.said.export(file),
        lambda: photos.export(None, file, form="csv"),
        lambda: photos.clusterings.export("kmeans", file, "csv"),
    ):
        with pytest.raises(ConflictError):
            save()
    assert file.read_bytes() == b"mine"
