"""A table falls back by a version, or by some, and a plain `sync` makes all of it again."""

import warnings

import pytest
from faults.power_cut_scenes import MODEL, Story, rows, undisturbed

from cut_off import forget_all, spoil
from lookalike import Collection
from lookalike.errors import DamageWarning, StoreDamagedError
from lookalike.store import Store, versions

TABLES = ("files", "images", "thumbnails", "failures", f"vectors/{MODEL}")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A collection that has been brought up to date with files that were changed, moved and deleted."""
    home = tmp_path_factory.mktemp("told") / "home"
    home.mkdir()
    story = Story(home, lambda fact: None)
    for name, before, command in story.chapters():
        if name in ("index first", "index prune", "index again"):
            before()
            command()
    return home


@pytest.fixture
def home(told, tmp_path):
    import shutil

    shutil.copytree(told, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


@pytest.mark.parametrize("is_cut", [True, False])
@pytest.mark.parametrize("name", TABLES)
def test_what_a_table_lost_is_made_again(home, tmp_path, name, is_cut):
    expected = undisturbed(home, tmp_path / "undisturbed" / "home")
    assert rows(home) == expected
    place = home / ".lookalike" / f"{name}.lance"
    for n_versions in (1, 2):
        spoil(place, min(n_versions, len(versions.manifests(place)) - 1), is_cut)
        with pytest.warns(DamageWarning, match=name):
            Collection.open(home).sync()
        assert rows(home) == expected
        forget_all()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert rows(home) == expected  # for all who come later, too
        assert list((home / f".lookalike/damaged/{name}.lance/_versions").iterdir())


@pytest.mark.parametrize("name", TABLES)
def test_files_that_moved_or_went_meanwhile_are_seen_all_the_same(home, tmp_path, name):
    pictures = sorted(home.glob("*/*.jpg"))
    spoil(home / ".lookalike" / f"{name}.lance", 1, is_cut=True)
    pictures[0].unlink()
    pictures[1].rename(home / "elsewhere.jpg")
    expected = undisturbed(home, tmp_path / "undisturbed" / "home")
    with pytest.warns(DamageWarning):
        Collection.open(home).sync(prune=True)
    assert rows(home) == expected


def test_all_tables_may_fall_back_at_once(home, tmp_path):
    expected = undisturbed(home, tmp_path / "undisturbed" / "home")
    for name in TABLES:
        spoil(home / ".lookalike" / f"{name}.lance", 1, is_cut=True)
    with pytest.warns(DamageWarning):
        Collection.open(home).sync(prune=True)
    assert rows(home) == expected


def test_keys_of_added_images_are_not_lost_without_a_word(home):
    collection = Collection.open(home)
    collection.add([(sorted(home.glob("*/*.jpg"))[0].read_bytes(), "key")])
    spoil(home / ".lookalike/files.lance", 1, is_cut=False)
    with pytest.warns(DamageWarning), pytest.raises(StoreDamagedError, match="is damaged") as caught:
        Collection.open(home).sync()
    assert caught.value.hint.kind == "repair"
    assert list((home / ".lookalike/added").glob("*/*.jpg"))


def test_a_search_answers_from_what_is_left_and_says_so_once(home, capsys):
    from lookalike.cli import main

    spoil(home / f".lookalike/vectors/{MODEL}.lance", 1, is_cut=False)
    picture = sorted(home.glob("*/*.jpg"))[0]
    with warnings.catch_warnings(), pytest.raises(SystemExit) as left:
        main(["search", str(picture), "-k", "3"])
    out, err = capsys.readouterr()
    assert not left.value.code
    assert out
    assert err.count("is damaged (") == 1
    assert "`lookalike check --repair`" in err


def test_what_is_known_of_files_is_read_from_what_is_left(home):
    spoil(home / ".lookalike/files.lance", 1, is_cut=True)
    with pytest.warns(DamageWarning):
        assert Store(home / ".lookalike").files.count()
