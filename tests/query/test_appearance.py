"""Searching by colour and by filter, and what `info` says of it: through Collection and the command line."""

import json
from pathlib import Path

import lance
import numpy as np
import pytest
from PIL import Image

from lookalike import Collection, Filter
from lookalike.errors import CollectionError, InvalidInputError, ModelError, QueryError
from lookalike.store.schema import FORMAT_VERSION
from pictures import picture


def painted(*colours, width=120, height=90):
    """Return a picture of upright stripes of one width."""
    made = Image.new("RGB", (width, height))
    step = width // len(colours)
    for number, colour in enumerate(colours):
        made.paste(colour, (number * step, 0, (number + 1) * step, height))
    return made


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "pictures"
    for name, made in {
        "flags/red.png": painted("#c33"),
        "flags/red-white.png": painted("#c33", "white"),
        "flags/red-white-blue.png": painted("#c33", "white", "#22a"),
        "walls/blue.png": painted("#22a", width=90, height=120),
        "walls/wine.png": painted("#a0282c", width=100, height=100),
        "it's/noise.jpg": Image.effect_noise((400, 300), 90).convert("RGB"),
    }.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        made.save(place / name)
    return place


@pytest.fixture
def collection(folder):
    made = Collection.create(folder)
    assert made.sync().added == 6
    return made


def names(result):
    return [Path(hit.path).stem for hit in result.hits]


def make_old(collection):
    """Turn a collection into one of format 1, which knew no colours and no sharpness."""
    lance.dataset(str(collection.folder / "images.lance")).drop_columns(["colours", "sharpness"])
    manifest = collection.folder / "collection.json"
    content = {**json.loads(manifest.read_text()), "format": 1}
    del content["sum"]
    manifest.write_text(json.dumps(content))
    return Collection.open(collection.folder)


def test_a_colour_alone_ranks_by_how_much_of_it_there_is(collection):
    result = collection.search(color="#c33")
    assert names(result) == ["red", "wine", "red-white", "red-white-blue"]
    assert [hit.rank for hit in result.hits] == [1, 2, 3, 4]
    scores = [hit.score for hit in result.hits]
    assert scores[0] == pytest.approx(1, abs=1e-4)
    assert scores[2:] == pytest.approx([1 / 2, 1 / 3], abs=1e-3)
    assert [hit.distance for hit in result.hits] == pytest.approx([1 - score for score in scores])
    assert (result.model, result.index, result.colors, result.queries) == ("color", "color", ("#cc3333",), ())


def test_all_of_several_colours_must_be_there(collection):
    assert names(collection.search(color=["#c33", "white"])) == ["red-white", "red-white-blue"]
    assert names(collection.search(color=["white", "#c33", "#22a"])) == ["red-white-blue"]
    assert names(collection.search(color=["lime"])) == []


def test_a_colour_beside_a_query_only_keeps_the_images_that_have_it(collection, folder):
    everything = names(collection.search(folder / "walls/blue.png", k=10))
    result = collection.search(folder / "walls/blue.png", color="#c33", k=10)
    assert names(result) == [name for name in everything if "red" in name or name == "wine"]
    assert (result.model, result.colors) == ("lite0-deep-int8", ("#cc3333",))
    assert names(collection.search(folder / "walls/blue.png", color="lime")) == []


def test_filters_hold_for_queries_and_for_colours(collection, folder):
    assert names(collection.search(color="#c33", where=Filter(labels=["walls"]))) == ["wine"]
    assert names(collection.search(color="#22a", where=Filter(shape="portrait"))) == ["blue"]
    assert names(collection.search(folder / "walls/blue.png", where=Filter(labels="it's"))) == ["noise"]
    assert names(collection.search(folder / "walls/blue.png", where=Filter(min_sharpness=5000))) == ["noise"]
    assert names(collection.search(folder / "walls/blue.png", where=Filter(formats=["jpeg"]))) == ["noise"]
    assert names(collection.search(folder / "walls/blue.png", where=Filter(min_size=9999))) == []


def test_a_query_that_passes_the_filter_itself_leaves_room_for_others(collection, folder):
    walls = Filter(labels=["walls"])
    assert names(collection.search(folder / "walls/blue.png", k=1, where=walls)) == ["wine"]
    with_itself = collection.search(folder / "walls/blue.png", k=1, where=walls, include_self=True)
    assert names(with_itself) == ["blue"]


def test_what_cannot_be_asked_is_told(collection, folder):
    with pytest.raises(QueryError, match="name an image file, a URL or a colour"):
        collection.search()
    with pytest.raises(QueryError, match="what is not wanted is taken from a query"):
        collection.search(color="red", without=[folder / "walls/blue.png"])
    with pytest.raises(InvalidInputError, match="'#c3' is no colour"):
        collection.search(color="#c3")
    with pytest.raises(InvalidInputError, match=r"colou?r is (\[)?3.*; expected a text"):
        collection.search(color=[3])
    with pytest.raises(InvalidInputError, match=r"where is 'walls'; expected a lookalike.Filter"):
        collection.search(color="red", where="walls")
    with pytest.raises(QueryError, match=r"labelled 'wall'\ndid you mean walls\?"):
        collection.search(color="red", where=Filter(labels=["wall"]))
    with pytest.raises(InvalidInputError, match=r"color is 5; expected a .*or a list"):
        collection.search(color=5)
    with pytest.raises(QueryError, match="name an image file, a URL or a colour"):
        collection.search(color=None)


def test_a_colour_alone_needs_no_model_but_refuses_one_that_is_none(collection):
    assert names(collection.search(color="#c33", k=1, model="lite0-deep-int8", device="cpu")) == ["red"]
    with pytest.raises(ModelError, match="no model is called 'lite9'"):
        collection.search(color="#c33", model="lite9")
    with pytest.raises(InvalidInputError, match="the device is 'gpu'; expected one of auto"):
        collection.search(color="#c33", device="gpu")


def test_colours_of_an_empty_collection_say_what_to_do(tmp_path):
    (tmp_path / "none").mkdir()
    empty = Collection.create(tmp_path / "none")
    with pytest.raises(CollectionError, match=r"holds no images\ncall collection\.sync\(\) first"):
        empty.search(color="red")
    assert empty.info().appearance is None


def test_info_of_an_image_says_what_it_looks_like(collection, folder):
    image = collection.image_info(folder / "flags/red-white-blue.png")
    assert (image.width, image.height, image.shape, image.format) == (120, 90, "landscape", "PNG")
    assert (image.aspect, image.megapixels) == (pytest.approx(4 / 3), pytest.approx(0.0108))
    assert {color.hex for color in image.colors} == {"#cc3333", "#ffffff", "#2222aa"}
    assert [color.share for color in image.colors] == pytest.approx([1 / 3] * 3, abs=1e-3)
    assert (image.labels, image.splits, image.models) == (("flags",), (), ("lite0-deep-int8",))
    assert image.paths == (str(folder / "flags/red-white-blue.png"),)
    assert collection.image_info(folder / "walls/wine.png").sharpness == 0
    assert collection.image_info(folder / "it's/noise.jpg").sharpness > 1000


def test_a_copy_elsewhere_is_known_by_its_content_and_a_lost_file_by_its_path(collection, folder, tmp_path):
    elsewhere = tmp_path / "elsewhere.png"
    elsewhere.write_bytes((folder / "walls/blue.png").read_bytes())
    assert collection.image_info(elsewhere).paths == (str(folder / "walls/blue.png"),)
    (folder / "walls/blue.png").unlink()
    assert collection.image_info(folder / "walls/blue.png").shape == "portrait"


def test_an_image_that_is_not_in_the_collection_is_told(collection, folder, tmp_path):
    picture(1).save(tmp_path / "other.png")
    with pytest.raises(QueryError, match=r"other\.png is not in the collection in .*\nindex it first"):
        collection.image_info(tmp_path / "other.png")
    with pytest.raises(QueryError, match=r"there is no such image: .*none\.png: no such file"):
        collection.image_info(folder / "none.png")


def test_info_of_a_file_that_failed_says_why(collection, folder):
    (folder / "walls/cut.png").write_bytes((folder / "walls/blue.png").read_bytes()[:60])
    (folder / "walls/empty.png").touch()
    collection.sync()
    (reason,) = [row.reason for row in collection.info().failures if row.path.endswith("cut.png")]
    with pytest.raises(QueryError) as caught:
        collection.image_info(folder / "walls/cut.png")
    assert str(caught.value) == f"{folder / 'walls/cut.png'} could not be read: {reason}"
    with pytest.raises(QueryError, match=r"empty\.png could not be read: the file is empty"):
        collection.image_info(folder / "walls/empty.png")


def test_info_of_a_collection_sums_up_its_looks(collection):
    looks = collection.info().appearance
    assert (looks.widths, looks.heights) == ((90, 120, 400), (90, 95, 300))
    assert looks.shapes == {"landscape": 4, "portrait": 1, "square": 1}
    assert looks.sharpness > 0
    assert sum(color.share for color in looks.colors) == pytest.approx(1, abs=0.05)
    assert max(color.share for color in looks.colors) == looks.colors[0].share


def test_a_collection_of_format_1_is_searched_and_shown_but_for_its_looks(collection, folder):
    old = make_old(collection)
    assert len(old.search(folder / "walls/blue.png", k=10).hits) == 5
    assert names(old.search(folder / "walls/blue.png", where=Filter(shape="square"))) == ["wine"]
    for options in ({"color": "red"}, {"where": Filter(min_sharpness=1)}):
        with pytest.raises(
            CollectionError, match=r"(?s)made by an earlier lookalike.*\ncall collection\.sync\(\) once"
        ):
            old.search(folder / "walls/blue.png", **options)
    looks = old.info().appearance
    assert (looks.sharpness, looks.colors, looks.shapes["portrait"]) == (None, (), 1)
    image = old.image_info(folder / "walls/blue.png")
    assert (image.sharpness, image.colors, image.shape) == (None, (), "portrait")


def test_a_collection_of_format_1_is_made_whole_without_opening_an_image(collection, folder, monkeypatch):
    before = {
        name: collection.image_info(folder / name) for name in ("flags/red-white.png", "it's/noise.jpg")
    }
    old = make_old(collection)
    assert old.sync(dry_run=True).unchanged == 6
    assert old.image_info(folder / "walls/blue.png").colors == ()
    monkeypatch.setattr("lookalike.sync.reading.read_file", lambda *_: pytest.fail("a file was read"))
    report = old.sync()
    assert (report.unchanged, report.embedded) == (6, 0)
    assert json.loads((old.folder / "collection.json").read_text())["format"] == FORMAT_VERSION
    for name, image in before.items():
        again = old.image_info(folder / name)
        # From the thumbnail's JPEG, so nearly the same.
        assert abs(len(again.colors) - len(image.colors)) <= 1
        assert again.sharpness == pytest.approx(image.sharpness, rel=0.2, abs=50)
    assert names(old.search(color="#c33"))[0] == "red"


def test_images_are_added_to_a_collection_of_format_1(collection, folder):
    old = make_old(collection)
    painted("#c33", "black").save(folder / "flags/red-black.png")
    assert old.sync().added == 1
    assert names(old.search(color=["#c33", "black"])) == ["red-black"]
    assert len(old.search(color="#c33").hits) == 5


def test_colour_search_on_the_command_line(collection, folder, call, tmp_path):
    code, out, err = call("search", "--color", "#c33", "-k", "2", cwd=folder)
    assert (code, err) == (0, "")
    assert [line.split("\t")[3] for line in out.splitlines()] == ["flags/red.png", "walls/wine.png"]
    code, out, _ = call("search", "--colour", "#c33", "--color", "white", "--json")
    document = json.loads(out)
    assert list(document)[:3] == ["query", "color", "request"]
    assert document["request"]["colors"] == ["#cc3333", "#ffffff"]
    assert (document["index"], document["proved"]) == ("color", True)
    assert (document["query"], document["color"], document["model"]) == (None, ["#c33", "white"], "color")
    assert document["hits"][0]["score"] == pytest.approx(0.5, abs=1e-3)
    assert document["hits"][0]["distance"] == pytest.approx(0.5, abs=1e-3)
    target = tmp_path / "colour.png"
    code, _, err = call("search", "--color", "#c33", "--plot", target)
    assert (code, err) == (0, f"saved {target}\n")
    drawn = np.asarray(Image.open(target).convert("RGB"))
    assert (np.abs(drawn[:, : drawn.shape[1] // 6] - [204.0, 51, 51]).max(axis=2) < 3).mean() > 0.2


def test_filters_on_the_command_line(collection, folder, call):
    def found(*words):
        code, out, _ = call("search", folder / "it's/noise.jpg", "-f", *words, cwd=folder)
        assert code == 0
        return sorted(Path(line).stem for line in out.splitlines())

    assert found("--shape", "portrait") == ["blue"]
    assert found("--label", "walls") == ["blue", "wine"]
    assert found("--label", "walls", "--label", "it's", "--include-self") == ["blue", "noise", "wine"]
    assert found("--min-size", "95", "--max-size", "150") == ["wine"]
    assert found("--min-sharpness", "5000", "--format", "png") == []
    assert found("--color", "#22a", "--format", "PNG") == ["blue", "red-white-blue"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--color", "nope"], "'nope' is no colour; expected a CSS colour such as '#c33'"),
        (["--color", "#c33a"], "the colour '#c33a' has transparency"),
        (
            ["--color", "red", "--shape", "round"],
            "shape is 'round'; expected landscape or portrait or square",
        ),
        (["--color", "red", "--format", "tga"], "there is no format 'tga'; expected one of jpeg"),
        (["--color", "red", "--label", "wals"], "no image here is labelled 'wals'; did you mean walls?"),
        (["--color", "red", "--min-size", "9", "--max-size", "8"], "no image can be both"),
        (["--color", "red", "--min-size", "nan"], "the least size (min_size) is nan; expected a number"),
        (["--label", "wals"], "no image here is labelled 'wals'; did you mean walls?"),
        (["--split", "none"], "split is 'none'"),
        ([], "there is nothing to search for; name an image file, a URL, words, or a filter"),
    ],
)
def test_bad_values_are_one_clear_line(collection, folder, call, words, message):
    code, out, err = call("search", *words, cwd=folder)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_info_of_images_on_the_command_line(collection, folder, call):
    code, out, err = call("info", "flags/red-white.png", "walls/blue.png", cwd=folder)
    assert (code, err) == (0, "")
    assert "size        120 × 90  (landscape, aspect 1.33)" in out
    assert "colours     #cc3333 50%, #ffffff 50%" in out or "colours     #ffffff 50%, #cc3333 50%" in out
    assert "labels      flags" in out
    assert "image       walls/blue.png" in out
    code, out, _ = call("info", "walls/blue.png", "--json")
    (image,) = json.loads(out)["images"]
    assert image["colors"] == [{"hex": "#2222aa", "share": 1.0}]
    assert (image["path"], image["shape"], image["sharpness"]) == ("walls/blue.png", "portrait", 0.0)
    assert call("info", "none.png")[0] == 2
    assert call("info", "walls/blue.png", "--failures")[0] == 2


def test_info_of_a_collection_shows_its_looks(collection, folder, call):
    code, out, _ = call("info", cwd=folder)
    assert code == 0
    assert "sizes       median 120 × 95; 90 to 400 wide, 90 to 300 high" in out
    assert "shapes      landscape 4, portrait 1, square 1" in out
    assert "sharpness   median " in out
    looks = json.loads(call("info", "--json")[1])["looks"]
    assert looks["width"] == {"min": 90, "median": 120, "max": 400}
    assert len(looks["colors"]) >= 3
    make_old(collection)
    assert "colours     not known yet: run `lookalike index`" in call("info")[1]
    assert "colours     not known yet: run `lookalike index`" in call("info", "walls/blue.png")[1]
    assert json.loads(call("info", "--json")[1])["looks"]["sharpness"] is None


def test_a_copy_under_another_label_is_shown_where_it_passes_the_filter(tmp_path):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        painted("red").save(tmp_path / label / "same.png")
    painted("blue").save(tmp_path / "a/other.png")
    photos = Collection.create(tmp_path)
    photos.sync()
    where = Filter(labels=["b"])
    for result in (
        photos.search(tmp_path / "a/other.png", where=where),
        photos.search(color="red", where=where),
    ):
        assert [(hit.paths, hit.label) for hit in result.hits] == [((str(tmp_path / "b/same.png"),), "b")]
