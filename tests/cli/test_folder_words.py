"""A folder among the words of a command is the collection, or the part of it that is meant."""

import json
import os
import shutil

import pytest

from lookalike import Collection
from pictures import picture


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with ``photos``, indexed by its pixels, with a clustering and a map."""
    folder = tmp_path_factory.mktemp("made")
    for number in range(6):
        place = folder / "photos" / ("cats" if number < 3 else "dogs")
        place.mkdir(parents=True, exist_ok=True)
        picture(number).save(place / f"{number}.png")
    photos = Collection.create(folder / "photos", "pixels-8-grey")
    photos.sync()
    photos.clusterings.make(k=2)
    photos.maps.make("pca")
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """A copy of it, to be changed."""
    return shutil.copytree(made, tmp_path / "library")


@pytest.mark.parametrize(
    "words",
    [
        "list photos",
        "info photos",
        "check photos",
        "evaluate photos",
        "roots photos",
        "changes photos",
        "labels list photos",
        "sets list photos",
        "cluster photos -k 2",
        "cluster -k 2 photos",
        "cluster make photos -k 2",
        "cluster try photos -k 2,3",
        "cluster show photos",
        "cluster show kmeans photos",
        "cluster show photos kmeans",
        "cluster edit photos --rename 0=owls",
        "cluster export photos --to groups.csv",
        "cluster delete kmeans photos",
        "cluster list photos",
        "map photos --method pca",
        "map make photos --method pca",
        "map draw photos",
        "map list photos",
        "map delete pca photos",
        "reduce 2 photos",
        "reduce photos 2",
        "bench photos --index exact",
        "export photos all.csv",
        "export all.csv photos",
        "export all.csv photos/cats/0.png photos",
        "copy photos kept",
        "add photos photos/cats/0.png",
        "search photos/cats/0.png photos",
        "search photos photos/cats/0.png",
        "said export said.jsonl photos",
        "sets add best photos/cats/0.png photos",
        "labels give owl photos/cats/0.png photos",
    ],
)
def test_a_folder_is_the_collection(call, folder, words):
    code, _, err = call(*words.split(), "-q" if words.split()[0] in ("check", "copy") else "--json")
    assert (code, err.replace("saved", "")) == (0, "")


def test_it_is_that_of_the_option(call, folder):
    shutil.copytree(folder / "photos", folder / "other")
    (folder / "other/cats/0.png").unlink()
    call("index", "other", "-q")
    for words in (
        ["list", "other", "--count"],
        ["list", "--count", "other"],
        ["list", "--count", "-c", "other"],
    ):
        assert call(*words)[1] == "5\n"
    # From within another, too.
    assert call("list", f"..{os.sep}other", "--count", cwd=folder / "photos")[1] == "5\n"


def test_a_folder_below_is_a_part_of_the_collection(call, folder):
    listed = json.loads(call("list", "photos/cats", "--json")[1])
    assert listed == json.loads(call("list", "-c", "photos", "--in", "photos/cats", "--json")[1])
    assert (listed["total"], call("list", "photos/cats", "photos/dogs", "--count")[1]) == (3, "6\n")
    found = call("search", "photos/cats/0.png", "photos/dogs", "-f")[1].splitlines()
    assert (len(found), {os.path.dirname(path) for path in found}) == (3, {"photos/dogs"})
    assert call("list", "cats", "--count", cwd=folder / "photos")[1] == "3\n"
    assert call("list", "photos/cats", "--count", "-c", "photos", cwd=folder)[1] == "3\n"


@pytest.mark.parametrize("words", ["cluster make photos/cats", "info photos/cats", "evaluate photos/cats"])
def test_what_is_about_all_of_it_takes_no_part(call, folder, words):
    code, out, err = call(*words.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "photos/cats is a folder of the collection in photos, and `lookalike" in err


@pytest.mark.parametrize(
    "words", ["list empty", "cluster empty", "cluster show x empty", "info empty", "search x empty"]
)
def test_a_folder_without_a_collection_is_told(call, folder, words):
    (folder / "empty").mkdir()
    code, out, err = call(*words.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"there is no collection in {folder / 'empty'}; make one with `lookalike index FOLDER`" in err


def test_what_has_the_name_of_a_folder_stays_what_it_is(call, folder):
    # The name of a set, of a clustering, the value of an option, and where a copy goes.
    assert call("sets", "add", "photos", "photos/cats/0.png")[0] == 0
    assert Collection.open("photos").sets.names() == ["photos"]
    (folder / "kmeans").mkdir()
    assert call("cluster", "show", "kmeans", "photos")[0] == 0
    assert call("list", "photos", "--in", "photos", "--count")[1] == "6\n"
    assert call("list", "--in", "photos", "photos", "--count")[1] == "6\n"
    assert call("copy", "photos", "kmeans", "-q")[0] == 0
    assert len(Collection.open("kmeans")) == 6
    assert call("list", "-c", "photos", "photos/dogs", "--count")[1] == "3\n"


def test_other_words_are_still_refused(call, folder):
    code, out, err = call("bench", "extra", cwd=folder / "photos")
    assert (code, out) == (2, "")
    assert "unexpected extra argument" in err
