"""Which collection is meant, and a new one where there is none: from Python."""

import os
import shutil

import pytest

from lookalike import Collection
from lookalike.errors import (
    CollectionError,
    DatasetError,
    InvalidInputError,
    LookalikeError,
    ModelError,
    QueryError,
)
from pictures import shade

MODEL = "pixels-8-grey"


@pytest.fixture
def photos(tmp_path):
    """Give a folder of three folders of two pictures."""
    for name in ("cats", "dogs", "birds"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(2):
            shade(100, number).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Make an empty folder the working directory."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "elsewhere"


def open_or_create(*paths, **options):
    return Collection.open_or_create([*paths], model=MODEL, **options)


# Create


def test_a_collection_makes_its_folder(photos, tmp_path):
    home = tmp_path / "new/albums"
    made = Collection.create(home, model=MODEL)
    assert (made.folder, made.roots) == (home / ".lookalike", (home,))
    assert made.sync().added == 0
    made.add_root(photos)
    assert made.roots == (home, photos)
    assert made.sync().added == 6
    shutil.copy(photos / "cats/0.png", home)
    assert made.sync().added == 1
    assert (len(Collection.open(home)), made.info().files) == (2, 7)  # of each picture three copies


@pytest.mark.parametrize("way", [{"model": "none such"}, {"labels": "none such"}])
def test_what_cannot_be_made_leaves_no_folder_behind(tmp_path, way):
    (tmp_path / "mine").mkdir()
    for home in ("new/albums", "mine", "mine/albums"):
        with pytest.raises(LookalikeError):
            Collection.create(tmp_path / home, **({"model": MODEL} | way))
        assert list(tmp_path.rglob("*")) == [tmp_path / "mine"]


def test_what_is_no_folder_does_not_become_one(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    for home in ("file", "dangling", "file/albums"):
        for with_root in (True, False):
            with pytest.raises(CollectionError):
                Collection.create(tmp_path / home, model=MODEL, with_root=with_root)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["dangling", "file"]


# Open or create


def test_a_folder_without_a_collection_gets_one_and_is_its_root(photos, elsewhere):
    made = open_or_create(photos)
    assert made.is_new
    assert (made.folder, made.roots) == (photos / ".lookalike", (photos,))
    made.sync()
    found = open_or_create(photos)
    assert not found.is_new
    assert (found.folder, len(found)) == (made.folder, len(made))


def test_a_folder_in_a_collection_is_part_of_that_one(photos, elsewhere):
    made = open_or_create(photos)
    made.sync()
    inside = open_or_create(photos / "cats", photos / "dogs/0.png")
    assert (inside.folder, inside.roots, inside.is_new) == (made.folder, (photos,), False)


def test_without_a_path_it_is_that_of_the_working_directory(photos, monkeypatch):
    monkeypatch.chdir(photos)
    made = Collection.open_or_create(model=MODEL)
    assert made.roots == (photos,)
    made.sync()
    monkeypatch.chdir(photos / "cats")
    assert Collection.open_or_create().folder == made.folder


def test_a_named_place_takes_folders_from_anywhere(photos, elsewhere):
    made = open_or_create(photos / "cats", photos / "dogs", at=elsewhere / "pets")
    assert made.folder == elsewhere / "pets/.lookalike"
    assert made.roots == (photos / "cats", photos / "dogs")
    assert open_or_create(photos / "birds", at=elsewhere / "pets").roots[-1] == photos / "birds"


def test_labels_and_excludes_are_those_of_the_roots_that_are_named(photos, elsewhere):
    open_or_create(photos / "cats", at=elsewhere).sync()
    found = open_or_create(photos / "dogs", at=elsewhere, labels="none", exclude=["1.png"])
    found.sync()
    cats, dogs = found.list_roots()
    assert (cats.labels, cats.exclude, cats.images) == ("folders", (), 2)
    assert (dogs.labels, dogs.exclude) == ("none", ("1.png",))


def test_what_is_to_be_excluded_joins_what_has_been(photos, elsewhere):
    def excludes(**asked):
        made = open_or_create(photos / "dogs", at=elsewhere, **asked)
        made.sync()
        return made.list_roots()[0].exclude

    assert excludes(exclude=["1.png"]) == ("1.png",)
    assert excludes() == ("1.png",)
    assert excludes(exclude=["*.tmp", "1.png"]) == ("1.png", "*.tmp")
    assert excludes(exclude=["new"], forget_excluded=True) == ("new",)
    assert Collection.open(elsewhere).info().exclude == {photos / "dogs": ("new",)}
    assert excludes(forget_excluded=True) == ()


def test_a_data_set_alone_names_its_folder(elsewhere):
    made = Collection.open_or_create(datasets=["digits"], model=MODEL)
    assert made.folder == elsewhere / "digits/.lookalike"
    assert made.roots == made.add_dataset("digits")  # of ordinary files, so that it is a folder


def test_what_cannot_be_met_leaves_nothing_behind(photos, elsewhere):
    before = sorted(os.walk(photos.parent))
    refused = [
        (CollectionError, {"paths": [photos / "nonesuch"]}, "there is no file or folder"),
        (CollectionError, {"paths": [photos / "cats", photos / "dogs"]}, "a collection of their own"),
        (InvalidInputError, {"paths": [photos], "exclude": ["/nowhere"]}, "lies outside"),
        (InvalidInputError, {"paths": [photos], "labels": "names"}, "labels is 'names'"),
        (InvalidInputError, {"paths": str(photos)}, "expected a list of paths"),
        (ModelError, {"paths": [photos], "model": "nonesuch"}, "nonesuch"),
        (DatasetError, {"datasets": ["nonesuch"]}, "nonesuch"),
    ]
    for error, request, words in refused:
        with pytest.raises(error, match=words):
            Collection.open_or_create(**{"model": MODEL, **request})
        assert sorted(os.walk(photos.parent)) == before


def test_a_collection_that_is_there_is_not_taken_back(photos, elsewhere):
    made = open_or_create(photos)
    with pytest.raises(InvalidInputError, match="lies outside"):
        open_or_create(photos, exclude=["/nowhere"])
    assert made.folder.is_dir()
    made.remove_if_empty()
    assert not made.folder.exists()


def test_a_dry_run_is_made_elsewhere_and_loads_no_model(photos, elsewhere, monkeypatch):
    monkeypatch.setattr("lookalike.embed.registry.load_model", lambda *_: pytest.fail("the model was loaded"))
    made = open_or_create(photos, instead=elsewhere)
    assert made.sync(dry_run=True).added == 6
    assert not (photos / ".lookalike").exists()


def test_paths_in_different_collections_have_none_in_common(photos, elsewhere):
    for name in ("cats", "dogs"):
        open_or_create(photos / name)
    with pytest.raises(CollectionError, match="lie in different collections"):
        open_or_create(photos / "cats", photos / "dogs")


def test_the_home_of_a_user_is_not_indexed_by_accident(photos, monkeypatch):
    monkeypatch.setenv("HOME", str(photos))
    monkeypatch.chdir(photos)
    with pytest.raises(CollectionError, match="which is your home"):
        Collection.open_or_create(model=MODEL)
    assert open_or_create(photos).is_new


# Near a query


def test_a_query_is_answered_by_the_collection_that_it_lies_in(photos, elsewhere):
    made = open_or_create(photos)
    query = str(photos / "cats/0.png")
    assert Collection.open_near([query]).folder == made.folder
    assert Collection.open_near(["red", query]).folder == made.folder
    assert Collection.open_near([str(photos / "cats/gone.png")]).folder == made.folder


def test_the_working_directory_comes_before_the_query_and_a_name_before_both(photos, elsewhere):
    open_or_create(photos)
    shutil.copytree(photos / "cats", elsewhere / "cats")
    here = open_or_create(elsewhere)
    query = str(photos / "cats/0.png")
    assert Collection.open_near([query]).folder == here.folder
    assert Collection.open_near([query], photos).folder == photos / ".lookalike"
    with pytest.raises(CollectionError, match="there is no collection in"):
        Collection.open_near([query], photos / "cats")  # which is in one, and is none


@pytest.mark.parametrize(
    ("query", "error", "words"),
    [
        ("nonesuch.png", QueryError, "there is no file 'nonesuch.png', nor a collection near it"),
        ("sub", QueryError, "is a folder"),
        ("a red wall", CollectionError, "there is no collection in"),
    ],
)
def test_what_is_wrong_with_a_query_comes_first(elsewhere, query, error, words):
    (elsewhere / "sub").mkdir()
    with pytest.raises(error, match=words):
        Collection.open_near([query])
