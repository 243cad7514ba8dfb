"""Methods that a collection had before its clusterings, maps and models had methods of their own."""

from operator import attrgetter

import pytest

from lookalike import Collection, InvalidInputError
from lookalike.collection.renamed import RENAMED
from pictures import shade


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Give a collection of 8 pictures of two classes."""
    folder = tmp_path_factory.mktemp("named") / "photos"
    for number in range(4):
        for label, level in (("dark", 30), ("light", 220)):
            (folder / label).mkdir(parents=True, exist_ok=True)
            shade(level, number).save(folder / label / f"{number}.png")
    collection = Collection.create(folder, model="pixels-8-grey")
    collection.sync()
    return collection


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_name_is_the_new_method_and_says_what_that_is_called(photos, old, new):
    with pytest.warns(DeprecationWarning, match=rf"^Collection\.{old} is Collection\.{new} now$") as told:
        method = getattr(photos, old)
    assert method.__func__ is attrgetter(new)(photos).__func__
    assert [warning.filename for warning in told] == [__file__]


def test_old_names_do_what_they_did(photos, tmp_path):
    with pytest.warns(DeprecationWarning, match="clusterings.make now"):
        assert photos.cluster(k=2).n_clusters == 2
    with pytest.warns(DeprecationWarning, match=r"^Collection.clusterings\(\) is Collection.clust"):
        assert photos.clusterings() == ["kmeans"]
    with pytest.warns(DeprecationWarning, match="clusterings.rename now"):
        assert photos.rename_cluster("kmeans", 0, "dark").clusters[0].name == "dark"
    with pytest.warns(DeprecationWarning, match="clusterings.export now"):
        assert photos.export_clustering("kmeans", tmp_path / "found.csv", "csv") == 8
    with pytest.warns(DeprecationWarning, match="maps.make now"):
        assert len(photos.map("pca").images) == 8
    with pytest.warns(DeprecationWarning, match=r"^Collection.maps\(\) is Collection.maps.names\(\) now"):
        assert photos.maps() == ["pca"]
    with pytest.warns(DeprecationWarning, match="maps.place now"):
        assert photos.place_on_map("pca")[1] == 0
    with pytest.warns(DeprecationWarning, match="models.reduce now"):
        assert photos.reduce(2) == "pixels-8-grey+pca2"
    with pytest.warns(DeprecationWarning, match="evaluation.retrieval now"):
        assert photos.evaluate(1).scores["P@1"].mean == 1


def test_a_name_that_never_was_is_no_attribute(photos):
    with pytest.raises(AttributeError, match="'Collection' object has no attribute 'nonesuch'"):
        _ = photos.nonesuch
    assert not hasattr(photos, "roots_of")


def test_what_had_a_place_in_create_still_has_one_and_is_checked(tmp_path):
    told = r"^labels, exclude: to be given by name now$"
    with pytest.warns(DeprecationWarning, match=told) as warned:
        made = Collection.create(tmp_path, "pixels-8-grey", "none", ["new"])
    assert [warning.filename for warning in warned] == [__file__]
    assert (made.list_roots()[0].labels, made.list_roots()[0].exclude) == ("none", ("new",))
    with (
        pytest.warns(DeprecationWarning, match="labels"),
        pytest.raises(InvalidInputError, match="labels is 3"),
    ):
        Collection.create(tmp_path / "new", "pixels-8-grey", 3)
    with pytest.raises(TypeError):
        Collection.create(tmp_path / "new", "pixels-8-grey", None, (), True, False, 512)
    with pytest.warns(DeprecationWarning, match="labels"), pytest.raises(TypeError, match="labels"):
        Collection.create(tmp_path / "new", "pixels-8-grey", "none", labels="none")
