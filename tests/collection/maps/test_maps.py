"""Maps of a collection: made, kept, extended by later images, and all that on the command line."""

import json
import shutil

import numpy as np
import pytest
from indexed_copy import folder, photos
from PIL import Image

from lookalike import Collection
from lookalike.drawing import choose_groups
from lookalike.errors import CollectionError, InvalidInputError, ModelError, StoreError
from lookalike.system.installing import install_command
from pictures import folders_of_shades, shade

__all__ = ["folder", "photos"]  # fixtures

MODEL = "pixels-8-grey"
KINDS = {"dark": 20, "middle": 120, "light": 230}


@pytest.fixture(scope="module")
def indexed(tmp_path_factory):
    """Give a folder of 15 pictures that has a collection, to copy."""
    place = tmp_path_factory.mktemp("indexed") / "photos"
    folders_of_shades(place, {"dark": (20, 5), "middle": (120, 5), "light": (230, 5)})
    Collection.create(place, model=MODEL).sync()
    return place


def of_pictures(place, pictures):
    """Return a collection of pictures in a folder, which are no classes."""
    place.mkdir()
    for number, picture in enumerate(pictures):
        picture.save(place / f"{number}.png")
    collection = Collection.create(place, model=MODEL, labels="none")
    collection.sync()
    return collection


def add_later(photos, folder, level=120, number=50, label="middle"):
    shade(level, number).save(folder / label / f"later-{number}.png")
    photos.sync()


# In a collection


def test_colours_tell_labels_or_else_the_usual_clusters(photos, tmp_path):
    def told(collection, color=None):
        groups = choose_groups(collection, collection.maps.get("pca"), color)
        return groups and (groups.kind, len(groups.names))

    photos.maps.make("pca")
    photos.clusterings.make(k=2)
    assert [told(photos, color) for color in (None, "none", "cluster", "kmeans")] == [
        ("label", 3),
        None,
        ("cluster", 2),
        ("cluster", 2),
    ]
    without = of_pictures(tmp_path / "few", [shade(level, 0) for level in (20, 120, 230)])
    without.maps.make("pca")
    assert told(without) is None
    with pytest.raises(CollectionError, match="there is no clustering in this collection yet"):
        told(without, "cluster")
    with pytest.raises(CollectionError, match="there is no clustering 'kmeans'"):
        told(without, "kmeans")
    without.clusterings.make(k=2, name="two")
    assert told(without) == ("cluster", 2)
    without.clusterings.make(k=2, name="again")
    assert told(without) is None


def test_a_map_is_made_once_and_later_images_are_placed_on_it(photos, folder):
    made = photos.maps.make_or_place(method="pca")
    assert (made.map.name, made.is_new, made.n_placed, made.replaced) == ("pca", True, 0, None)
    again = photos.maps.make_or_place("pca")
    assert (again.is_new, again.n_placed, again.map.made) == (False, 0, made.map.made)
    add_later(photos, folder)
    later = photos.maps.make_or_place("pca", model=MODEL, random_state=0)
    assert (later.is_new, later.n_placed, later.map.is_placed.sum()) == (False, 1, 1)
    assert photos.maps.place("pca")[1] == 0
    anew = photos.maps.make_or_place("pca", new=True)
    assert (anew.is_new, anew.replaced, anew.map.is_placed.sum()) == (True, None, 0)  # of the same kind


def test_a_map_of_another_kind_is_made_anew_and_says_what_it_replaced(photos):
    first = photos.maps.make_or_place("mine", method="pca", random_state=1)
    assert not photos.maps.make_or_place("mine", random_state=1).is_new
    for asked in ({"random_state": 2}, {"method": "tsne"}, {"perplexity": 3.0, "method": "tsne"}):
        second = photos.maps.make_or_place("mine", **asked)
        assert second.is_new
        assert second.replaced.made == first.map.made
        assert second.replaced.method == first.map.method
        first = second
    assert photos.maps.names() == ["mine"]


def test_a_damaged_map_is_replaced_only_by_a_new_one(photos, folder):
    photos.maps.make("pca")
    photos.maps.make("pca", "whole")
    (folder / ".lookalike/maps/pca/map.json").write_text("{")
    with pytest.raises(StoreError):
        photos.maps.make_or_place("pca")
    maps, damaged = photos.maps.list()
    assert [each.name for each in maps] == ["whole"]
    assert list(damaged) == ["pca"]
    anew = photos.maps.make_or_place("pca", new=True)
    assert (anew.is_new, anew.replaced) == (True, None)
    assert photos.maps.list()[1] == {}


def test_the_map_that_is_meant_is_the_usual_one_or_the_only_one(photos):
    with pytest.raises(CollectionError, match="there is no map in this collection yet"):
        photos.maps.usual()
    photos.maps.make("pca", "mine")
    assert (photos.maps.usual(), photos.maps.usual("mine")) == ("mine", "mine")
    photos.maps.make("pca")
    with pytest.raises(CollectionError, match="there are several maps: mine, pca"):
        photos.maps.usual()
    photos.maps.make("tsne")
    assert photos.maps.usual() == "tsne"
    assert "mine" in photos.maps
    assert list(photos.maps) == ["mine", "pca", "tsne"]
    assert len(photos.maps) == 3
    assert repr(photos.maps) == "Maps(mine, pca, tsne)"


def test_look_alikes_lie_near_each_other(photos):
    for method in ("pca", "tsne"):
        found = photos.maps.make(method)
        assert (found.name, found.method, found.model, found.metric) == (method, method, MODEL, "euclidean")
        labels = np.array([image.label for image in found.images])
        gaps = np.linalg.norm(found.points[:, None] - found.points, axis=2)
        np.fill_diagonal(gaps, np.inf)
        assert (labels[gaps.argmin(axis=1)] == labels).all()
    assert photos.maps.names() == ["pca", "tsne"]


def test_a_map_is_kept_as_it_was_made_and_the_same_seed_gives_the_same(photos, folder):
    made = photos.maps.make("tsne", "by shade", perplexity=4, random_state=3)
    read = Collection.open(folder).maps.get("by shade")
    np.testing.assert_array_equal(read.points, made.points)
    assert read.images == made.images
    assert (read.parameters, read.figures, read.made) == (made.parameters, made.figures, made.made)
    assert (read.perplexity, read.parameters["perplexity"], read.random_state) == (4, 4, 3)
    assert (read.n_unplaced, read.is_placed.any()) == (0, False)
    np.testing.assert_array_equal(photos.maps.make("tsne", perplexity=4, random_state=3).points, made.points)


def test_points_are_those_of_their_images(photos):
    found = photos.maps.make("pca")
    images, vectors = photos.vectors()
    rows = {image.id: vector for image, vector in zip(images, vectors, strict=True)}
    own = np.stack([rows[image.id] for image in found.images]).astype(np.float64)
    centred = own - own.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    np.testing.assert_allclose(np.abs(found.points), np.abs(centred @ axes.T), atol=1e-3)


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_later_images_are_placed_and_the_others_stay(photos, folder, method):
    before = photos.maps.make(method)
    add_later(photos, folder)
    add_later(photos, folder, level=20, number=51, label="dark")
    assert photos.maps.get(method).n_unplaced == 2
    after, n_placed = photos.maps.place(method)
    assert (n_placed, after.n_unplaced, int(after.is_placed.sum())) == (2, 0, 2)
    old = {image.id: point.tolist() for image, point in zip(before.images, before.points, strict=True)}
    new = {image.id: point.tolist() for image, point in zip(after.images, after.points, strict=True)}
    assert {each: new[each] for each in old} == old
    labels = np.array([image.label for image in after.images])
    for row in np.flatnonzero(after.is_placed):
        gaps = np.linalg.norm(after.points[row] - after.points[~after.is_placed], axis=1)
        assert labels[~after.is_placed][gaps.argmin()] == labels[row]
    assert photos.maps.place(method)[1] == 0
    np.testing.assert_array_equal(photos.maps.get(method).points, after.points)


def test_images_that_left_are_no_longer_on_the_map(photos, folder):
    photos.maps.make("tsne")
    (folder / "dark/0.png").unlink()
    photos.sync()
    assert len(photos.maps.get("tsne").images) == 14
    add_later(photos, folder)
    found, n_placed = photos.maps.place("tsne")
    assert (n_placed, len(found.images)) == (1, 15)


def test_a_map_of_which_nothing_is_left_says_so(photos, folder):
    photos.maps.make("tsne")
    photos.maps.make("pca")
    for label in KINDS:
        shutil.rmtree(folder / label)
    (folder / "new").mkdir()
    shade(99, 1).save(folder / "new/1.png")
    photos.sync(prune=True)
    with pytest.raises(
        CollectionError, match=r"none of the images that the map 'tsne' .*\nmake it anew with"
    ):
        photos.maps.place("tsne")
    assert photos.maps.place("pca")[1] == 1  # its components are enough


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("same", [False, True], ids=["different", "alike"])
@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_maps_of_few_or_equal_images_are_maps(tmp_path, n, same, method):
    pictures = [shade(40 * number, 0) for number in range(n)]
    if same:  # other content of the same grey pixels
        pictures = [Image.new("RGB", (32 + number, 32), "#808080") for number in range(n)]
    collection = of_pictures(tmp_path / "few", pictures)
    found = collection.maps.make(method)
    assert found.points.shape == (n, 2)
    assert np.isfinite(found.points).all()
    assert len(np.unique(found.points, axis=0)) == (1 if same else n)


def test_bad_requests_for_maps_are_one_clear_error(photos, folder, tmp_path):
    with pytest.raises(InvalidInputError, match="there is no method 'mds'; expected one of"):
        photos.maps.make("mds")
    with pytest.raises(InvalidInputError, match=r"the name of a map is '\.\./x'"):
        photos.maps.make("pca", "../x")
    with pytest.raises(InvalidInputError, match="perplexity is 5, but pca has none"):
        photos.maps.make("pca", perplexity=5)
    with pytest.raises(InvalidInputError, match="perplexity is -1"):
        photos.maps.make(perplexity=-1)
    with pytest.raises(ModelError):
        photos.maps.make(model="nonsense")
    with pytest.raises(CollectionError, match=r"no image .* is embedded with pixels-28-grey"):
        photos.maps.make(model="pixels-28-grey")
    with pytest.raises(
        CollectionError, match=r"there is no map 'x' .*there is none yet\)\nmake it with collection\.maps"
    ):
        photos.maps.get("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CollectionError, match="holds no images"):
        Collection.create(tmp_path / "empty", model=MODEL).maps.make()
    assert photos.maps.names() == []


def test_a_damaged_map_is_named_and_can_be_deleted_or_made_anew(photos, folder):
    photos.maps.make("pca")
    place = folder / ".lookalike/maps/pca"
    (arrays,) = place.glob("arrays-*")
    arrays.write_bytes(arrays.read_bytes()[:-9] + b"123456789")
    with pytest.raises(StoreError, match=r"map .* is damaged\ncall collection\.check\(repair=True\)"):
        photos.maps.get("pca")
    photos.maps.make("pca")
    assert len(photos.maps.get("pca").images) == 15
    facts = json.loads((place / "map.json").read_text())
    del facts["sum"]
    (place / "map.json").write_text(json.dumps(facts | {"format": 99}))
    with pytest.raises(StoreError, match="another lookalike's format"):
        photos.maps.get("pca")
    photos.maps.delete("pca")
    assert photos.maps.names() == []


# On the command line


def size_of(file):
    with Image.open(file) as opened:
        return opened.size


def test_the_first_map_is_made_kept_and_drawn(call, folder):
    code, out, err = call("map", "-o", "map.png")
    assert (code, err) == (0, "saved map.png\n")
    assert "tsne: t-SNE of 15 images, perplexity 4.67, pixels-8-grey" in out
    assert size_of(folder / "map.png") == (1920, 1080)
    assert Collection.open(folder).maps.names() == ["tsne"]


def test_a_map_that_is_there_is_drawn_again_and_later_images_are_placed(call, folder, photos):
    call("map", "--method", "pca")
    made = (folder / ".lookalike/maps/pca/map.json").read_bytes()
    code, out, _ = call("map", "--name", "pca", "-o", "../again.png")
    assert (code, "drawn as it was made" in out) == (0, True)
    assert (folder / ".lookalike/maps/pca/map.json").read_bytes() == made
    add_later(photos, folder)
    code, out, _ = call("map", "--method", "pca")
    assert "placed 1 image that came later; the others stay where they were" in out
    for number in range(60, 64):
        add_later(photos, folder, number=number)
    _, out, _ = call("map", "--method", "pca", "-o", "../again.svg")
    assert "placed 4 images" in out
    assert "lookalike map make --method pca makes it anew" in out
    _, out, _ = call("map", "make", "--method", "pca")
    assert "placed" not in out
    assert not Collection.open(folder).maps.get("pca").is_placed.any()


def test_other_parameters_make_another_map_of_that_name(call, folder):
    call("map", "--perplexity", "4")
    first = Collection.open(folder).maps.get("tsne")
    call("map")
    assert Collection.open(folder).maps.get("tsne").made == first.made
    call("map", "--perplexity", "3")
    assert Collection.open(folder).maps.get("tsne").parameters["perplexity"] == 3
    call("map", "--name", "tsne", "--method", "pca")
    assert Collection.open(folder).maps.get("tsne").method == "pca"


def test_json_has_all_that_another_program_needs_to_draw_it(call, photos):
    photos.clusterings.make(k=3)
    code, out, err = call("map", "--method", "pca", "--json", "--color", "cluster", "-o", "map.png")
    document = json.loads(out)
    assert (code, err) == (0, "saved map.png\n")
    points = document.pop("points")
    assert document.pop("made")
    assert set(document.pop("figures")) == {"explained_variance_1", "explained_variance_2"}
    assert document == {
        "name": "pca", "method": "pca", "parameters": {}, "random_state": 0, "model": MODEL, "images": 15,
        "placed": 0, "unplaced": 0, "made_now": True, "replaced": None, "placed_now": 0, "plot": "map.png",
    }  # fmt: skip
    assert {point["path"] for point in points} == {f"{kind}/{n}.png" for kind in KINDS for n in range(5)}
    found = photos.maps.get("pca")
    assert [[point["x"], point["y"]] for point in points] == found.points.tolist()
    for kind in KINDS:
        assert len({point["cluster"] for point in points if point["label"] == kind}) == 1
    assert json.loads(call("map", "--json", "--method", "pca")[1])["made_now"] is False


def test_list_and_delete(call, folder):
    assert call("map", "list") == (
        *(0, ""),
        "there is no map in this collection yet; make one with `lookalike map make`\n",
    )
    call("map", "--method", "pca", "-q")
    call("map", "--name", "mine", "-q")
    code, out, _ = call("map", "list")
    assert code == 0
    assert [line.split("\t")[:2] for line in out.splitlines()] == [["mine", "t-SNE"], ["pca", "PCA"]]
    assert [each["name"] for each in json.loads(call("map", "list", "--json")[1])["maps"]] == [
        "mine",
        "pca",
    ]
    assert call("map", "delete", "mine")[:2] == (0, "deleted mine\n")
    assert Collection.open(folder).maps.names() == ["pca"]


@pytest.mark.parametrize("style", ["points", "images", "tiles"])
@pytest.mark.parametrize("ending", [".png", ".svg"])
def test_every_style_is_drawn_light_and_dark(call, folder, photos, style, ending):
    photos.clusterings.make("dbscan", eps=20, min_samples=6)  # all noise
    photos.clusterings.make(k=3)
    more = ["--size", "640x400"]
    for color in ("label", "dbscan", "none"):
        name = f"{color}{ending}"
        code, _, err = call(
            "map", "--method", "pca", "--style", style, "--color", color, "-o", name, *more, "-q"
        )
        assert (code, err) == (0, f"saved {name}\n")
    call("map", "--method", "pca", "--style", style, "-o", f"dark{ending}", "--dark", *more)
    if ending == ".png":
        assert size_of(folder / "label.png") == (640, 400)
        with Image.open(folder / "label.png") as light, Image.open(folder / "dark.png") as dark:
            assert light.convert("L").getpixel((2, 2)) > 250
            assert dark.convert("L").getpixel((2, 2)) < 40


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_few_images_without_labels_are_drawn_in_every_style(call, tmp_path, n):
    of_pictures(tmp_path / "few", [shade(30 * number, 0) for number in range(n)])
    for style in ("points", "images", "tiles"):
        code, out, _ = call("map", "--style", style, "-o", f"{style}.png", cwd=tmp_path / "few")
        assert (code, out.splitlines()[0].split(" of ")[1].startswith(f"{n} image")) == (0, True)
        with Image.open(tmp_path / "few" / f"{style}.png") as opened:
            below_title = opened.convert("L").crop((0, 130, *opened.size))
            assert below_title.getextrema()[0] < 200


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--method", "mds"], "'mds'; expected one of"),
        (["--style", "cubes"], "there is no style 'cubes'; expected one of points, images, tiles"),
        (["--color", "cluster"], "there is no clustering in this collection yet; make one with"),
        (["--color", "kinds"], "--color is 'kinds'; expected one of label, cluster, none"),
        (["-o", "map.gif"], "map.gif: it is saved as one of .png"),
        (["-o", "nowhere/map.png"], "there is no folder"),
        (["-o", "map.png", "--size", "huge"], "the size is 'huge'; expected hd, 4k"),
        (["--max-tiles", "9"], "--max-tiles is for --style tiles"),
        (["--perplexity", "0"], "perplexity is 0.0"),
        (["--method", "pca", "--perplexity", "5"], "perplexity is 5.0, but pca has none"),
        (["--random-state", "-1"], "random_state is -1"),
        (["--model", "nonsense"], "nonsense"),
        (["--name", "a/b"], "the name of a map is 'a/b'"),
        (["--delete"], "--delete cannot be taken back"),
        (["--delete", "--name", "x"], "there is no map 'x'"),
        (["--delete", "--name", "x", "-o", "map.png"], "--delete goes alone"),
    ],
)
def test_a_bad_request_is_one_line_and_changes_nothing(call, folder, words, expected):
    code, out, err = call("map", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert expected in err
    assert Collection.open(folder).maps.names() == []


def test_requests_that_the_collection_cannot_meet(call, tmp_path, photos, folder, monkeypatch):
    (tmp_path / "none").mkdir()
    assert "there is no collection in" in call("map", "-c", tmp_path / "none")[2]
    Collection.create(tmp_path / "none", model=MODEL)
    assert "holds no images" in call("map", "-c", tmp_path / "none")[2]
    of_pictures(tmp_path / "few", [shade(0, 0)])
    assert "has a label; leave out --color" in call("map", "-c", tmp_path / "few", "--color", "label")[2]
    photos.clusterings.make(k=2, name="two")
    photos.clusterings.make(k=3, name="three")
    assert "there are several clusterings: three, two; " in call("map", "--color", "cluster")[2]
    monkeypatch.setitem(__import__("sys").modules, "umap", None)
    code, _, err = call("map", "--method", "umap")
    assert (code, install_command("umap") in err) == (2, True)


def test_a_damaged_map_is_one_line_and_new_makes_it_anew(call, folder):
    call("map", "--method", "pca")
    (folder / ".lookalike/maps/pca/map.json").write_text("{}")
    code, _, err = call("map", "--method", "pca")
    assert (code, err.count("\n"), "`lookalike check --repair`" in err) == (2, 1, True)
    call("map", "--name", "whole", "-q")
    code, out, err = call("map", "list")
    assert (code, out.split("\t")[0], "`lookalike check --repair`" in err) == (0, "whole", True)
    listed = json.loads(call("map", "list", "--json")[1])["maps"]
    assert [(each["name"], "damaged" in each) for each in listed] == [("whole", False), ("pca", True)]
    assert call("map", "make", "--method", "pca")[0] == 0
    assert call("map", "--method", "pca")[0] == 0
    (folder / ".lookalike/maps/pca/map.json").write_text("{}")
    call("check", "--repair")
    code, out, err = call("map", "list")
    assert (code, err) == (0, "")
    assert [line.split("\t")[0] for line in out.splitlines()][-1] == "whole"


def test_what_a_map_is_made_in_place_of_is_told(call):
    made = json.loads(call("map", "--method", "pca", "--name", "mine", "--json")[1])["made"]
    told = f"in place of the one that was there: PCA of 15 images, {MODEL}, made {made}"
    assert call("map", "--name", "mine", "--method", "tsne")[1].splitlines()[1] == told
    assert "in place of" not in call("map", "--name", "mine")[1]  # kept
    found = json.loads(call("map", "--name", "mine", "--method", "pca", "--json")[1])
    assert (found["method"], found["replaced"]["method"]) == ("pca", "tsne")
    assert "in place of" not in call("map", "make", "--name", "mine", "--method", "pca")[1]
    assert "in place of" in call("map", "--name", "mine", "--method", "pca", "--random-state", 1)[1]


def test_named_clusters_are_called_by_their_names(call, photos):
    photos.clusterings.make(k=3)
    photos.clusterings.rename("kmeans", 0, "night")
    document = json.loads(call("map", "--method", "pca", "--json", "--color", "kmeans")[1])
    names = {point["cluster"] for point in document["points"]}
    assert "night" in names
    assert len(names) == 3
