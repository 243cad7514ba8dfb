"""Thumbnails are as large as one wants, and nothing else of a collection depends on it."""

import io
import json
import pickle

import numpy as np
import pytest
from PIL import Image

from lookalike import CancelledError, CancelToken, Collection, InvalidInputError
from lookalike.errors import ImageDamagedError
from lookalike.images import decode
from lookalike.images.thumbnails import encode_thumbnail, make_thumbnail
from lookalike.system.limits import THUMBNAIL_SIDE
from pictures import picture

MODEL = "pixels-8-grey"
SIZES = {"large.jpg": (1600, 1200), "high.jpg": (1100, 1500), "medium.png": (400, 300), "small.png": (90, 60)}


def noisy(seed, size):
    """Return a picture that looks different at each scale that it may be decoded at."""
    waves = picture(seed, 400).resize(size)
    noise = np.random.default_rng(seed).integers(-40, 41, (size[1], size[0], 1))
    return Image.fromarray(np.clip(np.asarray(waves, int) + noise, 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of pictures, and a collection of them as it always was."""
    folder = tmp_path_factory.mktemp("sides") / "photos"
    folder.mkdir()
    for seed, (name, size) in enumerate(SIZES.items()):
        noisy(seed, size).save(folder / name)
    collection = Collection.create(folder, MODEL)
    collection.sync()
    return folder, collection


def sizes(collection):
    """Return the sizes of the thumbnails, by the names of the files."""
    hits = {hit.id: hit.path.rpartition("/")[2] for hit in collection.vectors()[0]}
    jpegs = collection.thumbnails(hits)
    return {name: Image.open(io.BytesIO(jpegs[image])).size for image, name in hits.items()}


def rows(collection):
    """Return all that is known of the images but their thumbnails."""
    table = collection.snapshot().store.images.read().to_pylist()
    hits, vectors = collection.vectors()
    order = np.argsort([hit.id for hit in hits])
    return sorted(table, key=lambda row: row["id"]), vectors[order].tolist()


def expected(side):
    found = {}
    for name, (width, height) in SIZES.items():
        scale = side / max(width, height)
        kept = max(width, height) <= side * 1.25
        found[name] = (width, height) if kept else (round(width * scale), round(height * scale))
    return found


@pytest.mark.parametrize("side", [64, 128, THUMBNAIL_SIDE, 512, 1024])
def test_thumbnails_have_the_side_and_nothing_else_depends_on_it(made, tmp_path, side):
    folder, usual = made
    collection = Collection.create(tmp_path, MODEL, with_root=False, thumbnail_side=side)
    assert Collection.open(tmp_path).thumbnail_side == side  # before the first sync
    collection.add_root(folder)
    collection.sync()
    assert sizes(collection) == expected(side)
    assert rows(collection) == rows(usual)
    assert collection.count_other_thumbnails() == 0


def test_what_is_made_without_a_word_is_as_it_always_was(made):
    folder, usual = made
    (image,) = (hit.id for hit in usual.vectors()[0] if hit.path.endswith("large.jpg"))
    always = encode_thumbnail(
        make_thumbnail(decode((folder / "large.jpg").read_bytes(), "large", THUMBNAIL_SIDE).image)
    )
    assert usual.thumbnails([image])[image] == always
    assert "thumbnail_side" not in (usual.folder / "collection.json").read_text()


@pytest.fixture
def collection(made, tmp_path):
    collection = Collection.create(tmp_path / "home", MODEL, with_root=False)
    collection.add_root(made[0])
    collection.sync()
    return collection


def test_a_change_is_kept_and_holds_for_what_comes_then(made, collection, tmp_path):
    collection.set_thumbnail_side(384)
    assert collection.thumbnail_side == 384
    assert Collection.open(collection.folder).thumbnail_side == THUMBNAIL_SIDE  # until the next sync
    collection.sync(dry_run=True)
    assert Collection.open(collection.folder).thumbnail_side == THUMBNAIL_SIDE
    collection.sync()
    assert Collection.open(collection.folder).thumbnail_side == 384
    assert sizes(collection) == expected(THUMBNAIL_SIDE)
    assert collection.count_other_thumbnails() == 3
    noisy(9, (2000, 1000)).save(tmp_path / "new.jpg")
    collection.add_root(tmp_path, exclude=["home"])
    collection.sync()
    assert sizes(collection)["new.jpg"] == (384, 192)


def test_reading_again_makes_them_anew_and_goes_on_where_it_was_stopped(collection):
    before = rows(collection)
    collection.set_thumbnail_side(512)
    cancel = CancelToken()

    def stop(progress):
        if progress.phase == "embedding" and progress.done == 1:
            cancel.cancel()

    assert collection.count_other_thumbnails() == 3
    with pytest.raises(CancelledError):
        collection.sync(reread=True, jobs=1, commit_seconds=0, report=stop, cancel=cancel)
    assert collection.count_other_thumbnails() in (1, 2)  # of two that are done; one may be small
    assert Collection.open(collection.folder).thumbnail_side == 512
    assert rows(collection) == before
    collection.sync(reread=True)
    assert collection.count_other_thumbnails() == 0
    assert (sizes(collection), rows(collection)) == (expected(512), before)
    collection.set_thumbnail_side(THUMBNAIL_SIDE)  # and back
    assert collection.count_other_thumbnails() == 3
    collection.sync(reread=True)
    assert (collection.count_other_thumbnails(), sizes(collection)) == (0, expected(THUMBNAIL_SIDE))


def test_images_added_by_call_have_it_too(tmp_path):
    contents = {}
    for seed, name in enumerate(("first", "second")):
        stream = io.BytesIO()
        noisy(seed, (1600, 1200)).save(stream, "JPEG")
        contents[name] = stream.getvalue()
    shop = Collection.create(tmp_path, MODEL, with_root=False, thumbnail_side=512)
    shop.add([(contents["first"], "first")])
    shop.set_thumbnail_side(128)
    shop.add([(contents["second"], "second")])
    assert Collection.open(tmp_path).thumbnail_side == 128
    images = [shop.image_info(f"added:{name}").id for name in contents]
    jpegs = shop.thumbnails(images)
    assert [Image.open(io.BytesIO(jpegs[image])).size[0] for image in images] == [512, 128]
    assert shop.count_other_thumbnails() == 1
    shop.sync(reread=True)
    assert shop.count_other_thumbnails() == 0


@pytest.mark.parametrize("side", [0, 63, 1025, -256, True, 256.5, "large", None])
def test_another_side_is_refused_and_makes_no_collection(collection, tmp_path, side):
    with pytest.raises(InvalidInputError, match=r"expected (64 to 1024|a whole number)"):
        collection.set_thumbnail_side(side)
    with pytest.raises(InvalidInputError, match=r"expected (64 to 1024|a whole number)"):
        Collection.create(tmp_path / "new", MODEL, thumbnail_side=side)
    if side is not None:
        with pytest.raises(InvalidInputError, match=r"expected (64 to 1024|a whole number)"):
            Collection.open_or_create(at=tmp_path / "new", model=MODEL, thumbnail_side=side)
    assert not (tmp_path / "new").exists()
    assert collection.thumbnail_side == THUMBNAIL_SIDE


def test_it_goes_with_copies_and_stays_when_something_else_is_written(made, collection, tmp_path):
    collection.set_thumbnail_side(384)
    collection.sync()
    collection.copy(tmp_path / "copy")
    collection.models.reduce(2)
    collection.models.make_default(f"{MODEL}+pca2")
    collection.sync()
    moved = made[0].rename(made[0].parent / "moved")
    try:
        collection.move_root(made[0], moved)
    finally:
        moved.rename(made[0])
    for each in (Collection.open(collection.folder), Collection.open(tmp_path / "copy")):
        assert pickle.loads(pickle.dumps(each)).thumbnail_side == 384
    assert collection.model == f"{MODEL}+pca2"


def test_what_cannot_be_decoded_once_more_has_a_thumbnail_of_what_there_is(made, tmp_path, monkeypatch):
    def only_once(data, name, side, **how):
        if side != THUMBNAIL_SIDE:
            raise ImageDamagedError(name, "too slow")
        return decode(data, name, side, **how)

    monkeypatch.setattr("lookalike.sync.execution.decode", only_once)
    collection = Collection.create(tmp_path, MODEL, with_root=False, thumbnail_side=1024)
    collection.add_root(made[0])
    report = collection.sync()
    assert (report.added, report.failed) == (4, 0)
    assert sizes(collection)["large.jpg"] == (400, 300)
    assert rows(collection) == rows(made[1])
    assert collection.count_other_thumbnails() == 0  # reading it again would make no other


def test_a_damaged_thumbnail_is_one_of_another_size(collection):
    store = collection.snapshot().store
    (image,) = (hit.id for hit in collection.vectors()[0] if hit.path.endswith("small.png"))
    collection._store.thumbnails.upsert({"id": [image], "jpeg": [b"no"]})
    assert collection.count_other_thumbnails() == 1
    assert store.thumbnails.read_where_in("id", [image], ["jpeg"])["jpeg"].to_pylist() != [b"no"]


def test_index_remembers_them_and_says_which_are_left(made, tmp_path, call):
    home = tmp_path / "home"

    def index(*words):
        code, out, err = call("index", made[0], "-c", home, *words, cwd=tmp_path)
        assert (code, err) == (0, "")
        return out

    index("--model", MODEL)
    assert "thumbnails  " not in call("info", "-c", home, cwd=tmp_path)[1]
    assert "thumbnails" not in index()
    out = index("--thumbnails", 384)
    assert "3 images with thumbnails of another size; lookalike index --reread makes them anew\n" in out
    assert "thumbnails  384 pixels on the longer side\n" in call("info", "-c", home, cwd=tmp_path)[1]
    assert json.loads(call("info", "-c", home, "--json", cwd=tmp_path)[1])["thumbnail_side"] == 384
    assert json.loads(index("--thumbnails", 384, "--json"))["other_thumbnails"] == 3
    assert json.loads(index("--reread", "--json"))["refreshed"] == 4
    assert "another size" not in index("--thumbnails", 384)
    assert "2 images with thumbnails of another size" in index("--thumbnails", 512, "--dry-run")
    assert Collection.open(home).thumbnail_side == 384


@pytest.mark.parametrize("size", ["63", "1025", "large"])
def test_index_refuses_other_sizes_and_leaves_nothing(made, tmp_path, call, size):
    code, out, err = call("index", made[0], "-c", tmp_path / "new", "--thumbnails", size, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert ("expected 64 to 1024" in err) if size.isdigit() else ("--thumbnails" in err)
    assert not (tmp_path / "new").exists()
