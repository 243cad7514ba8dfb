"""Regions: looked for in whole pictures and in their cells, and where they are found."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike import Collection, Filter, ImageFile, ImageRef, Pixels, SearchRequest
from lookalike.collection.regions import SHARE, Regions
from lookalike.drawing import draw_search
from lookalike.embed.sides import cells
from lookalike.query.embedding import EmbeddedQuery
from pictures import picture

N_SCENES = 8
SMALL = 160  # pixels


def ground(seed: int) -> Image.Image:
    """Return soft colours, 360 × 360."""
    rng = np.random.default_rng(100 + seed)
    return Image.fromarray(rng.integers(60, 200, (4, 4, 3), np.uint8)).resize((360, 360), Image.BICUBIC)


def scene(number: int) -> Image.Image:
    """Return a ground with a picture of its own in one of its corners."""
    made = ground(number)
    place = [(0, 0), (360 - SMALL, 0), (0, 360 - SMALL), (360 - SMALL, 360 - SMALL)][number % 4]
    made.paste(picture(number, SMALL), place)
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Scenes, the first four under a label of their own."""
    place = tmp_path_factory.mktemp("scenes")
    for number in range(N_SCENES):
        (place / ("first" if number < 4 else "rest")).mkdir(exist_ok=True)
        scene(number).save(place / ("first" if number < 4 else "rest") / f"{number}.png")
    return place


@pytest.fixture(scope="module")
def collection(folder, tmp_path_factory):
    made = Collection.open_or_create([folder], tmp_path_factory.mktemp("made"), model="lite0-deep-int8")
    made.sync()
    return made


def names(result) -> list[str]:
    return [Path(hit.path).stem for hit in result]


def test_an_object_finds_the_scene_that_it_is_in_and_where(collection, folder):
    found, corners = [], []
    for number in range(N_SCENES):
        result = collection.search(Pixels(picture(number, SMALL), region=(0, 0, 1, 1)), k=3)
        found.append(names(result)[0] == str(number))
        x, y, width, height = result[0].box
        corners.append((x + width / 2 > 0.5, y + height / 2 > 0.5))
    assert sum(found) >= 7
    assert corners == [(number % 2 == 1, number % 4 >= 2) for number in range(N_SCENES)]
    by_whole = [
        names(collection.search(Pixels(picture(number, SMALL)), k=1)) == [str(number)]
        for number in range(N_SCENES)
    ]
    assert sum(by_whole) < sum(found)  # 2 when this was written


def test_a_part_finds_the_picture_that_it_is_of(collection, folder):
    for number in range(N_SCENES):
        x, y = (0.5 * (number % 2), 0.5 * (number % 4 >= 2))
        result = collection.search(
            ImageFile(
                folder / ("first" if number < 4 else "rest") / f"{number}.png", region=(x, y, 0.5, 0.5)
            ),
            include_self=True,
        )
        assert names(result)[0] == str(number)
        left, top, width, height = result[0].box
        assert x <= left + width / 2 <= x + 0.5 and y <= top + height / 2 <= y + 0.5
        assert (len(result), result.warnings) == (N_SCENES, ())
        assert not result.is_proved
        assert [hit.score for hit in result] == sorted((hit.score for hit in result), reverse=True)
        assert all(hit.distance == pytest.approx(1 - hit.score) for hit in result)
        assert all(hit.box is not None for hit in result)


def test_the_score_is_of_cell_and_whole_by_their_shares(collection, folder):
    region = (0, 0, 0.5, 0.5)
    result = collection.search(ImageFile(folder / "first/0.png", region=region), include_self=True)
    (query,) = result.queries
    snapshot = collection._resources().places.snapshot
    ids, rows = snapshot.side("lite0-deep-int8", "cells")
    images, wholes = collection.vectors()
    vectors = dict(zip([each.id for each in images], np.asarray(wholes), strict=True))
    for hit in result:
        near = cells.decode(rows[ids == hit.id])[0] @ query.cells
        expected = SHARE * near.max() + (1 - SHARE) * float(vectors[hit.id] @ query.vector)
        assert hit.score == pytest.approx(expected, abs=2e-4)
        assert hit.box == cells.box_of(int(near.argmax()))


def test_filters_own_image_and_number_hold_for_regions(collection, folder):
    term = ImageFile(folder / "first/1.png", region=(0.5, 0, 0.5, 0.5))
    assert "1" not in names(collection.search(term))
    assert len(collection.search(term, k=3)) == 3
    kept = collection.search(term, where=Filter(labels=["rest"]))
    assert sorted(names(kept)) == ["4", "5", "6", "7"]
    everything = collection.search(term)
    assert [hit.score for hit in kept] == pytest.approx(
        [hit.score for hit in everything if hit.label == "rest"]
    )
    assert len(collection.search(term, where=Filter(min_size=5000))) == 0


def test_a_region_of_an_image_of_the_collection_and_its_request_are_the_same_search(collection, folder):
    (hit,) = collection.search(folder / "first/2.png", include_self=True, k=1)
    assert hit.box is None  # all of a picture is no region
    term = ImageRef(hit.id, region=(0, 0.5, 0.5, 0.5))
    by_id = collection.search(term, k=4)
    by_file = collection.search(ImageFile(folder / "first/2.png", region=(0, 0.5, 0.5, 0.5)), k=4)
    assert [(each.id, each.box) for each in by_id] == [(each.id, each.box) for each in by_file]
    request = SearchRequest.from_query_string(SearchRequest(like=[term], k=4).to_query_string())
    assert collection.search(request).hits == by_id.hits
    document = by_id.to_dict()
    assert document["hits"][0]["box"] == pytest.approx(by_id[0].box, abs=1e-6)
    assert by_id.to_arrow()["box"][0].as_py() == pytest.approx(list(by_id[0].box))


def test_several_regions_and_what_is_not_wanted_make_one_search(collection):
    first, second = (Pixels(picture(number, SMALL), region=(0, 0, 1, 1)) for number in (0, 5))
    singly = [
        dict(zip(found.ids.tolist(), found.scores, strict=True))
        for found in map(collection.search, (first, second))
    ]
    both = collection.search(first, second)
    assert both.scores == pytest.approx(
        [np.mean([each[image] for each in singly]) for image in both.ids.tolist()]
    )
    assert "5" in names(both)[:2]
    heavy = collection.search(replace(first, weight=9), second, k=1)
    assert names(heavy) == ["0"]
    alone = collection.search(first, k=8)
    pushed = collection.search(first, without=Pixels(scene(0)), k=8)
    assert pushed.scores[names(pushed).index("0")] < alone.scores[names(alone).index("0")]


def test_a_model_without_cells_compares_whole_pictures_and_says_so(collection, folder, tmp_path):
    made = Collection.open_or_create([folder], tmp_path, model="pixels-28-grey")
    made.sync()
    result = made.search(ImageFile(folder / "first/0.png", region=(0, 0, 0.5, 0.5)), k=2)
    assert [hit.box for hit in result] == [None, None]
    (warning,) = result.warnings
    assert warning == (
        "the model pixels-28-grey knows no parts of pictures: the region is compared with whole ones"
    )
    assert "lite0-deep-int8" in str(warning.hint)
    assert made.search(ImageFile(folder / "first/0.png")).warnings == ()


def test_a_reduced_model_has_the_cells_of_its_base(folder, tmp_path):
    made = Collection.open_or_create([folder], tmp_path, model="lite0-deep-int8")
    made.sync()
    reduced = made.models.reduce(4)
    result = made.search(Pixels(picture(3, SMALL), region=(0, 0, 1, 1)), model=reduced, k=2)
    assert (names(result)[0], result.warnings) == ("3", ())
    assert result[0].box is not None


def test_boxes_are_drawn(collection):
    result = collection.search(Pixels(picture(1, SMALL), region=(0, 0, 1, 1)), k=2)
    figure = draw_search(collection, result)
    frames = [patch for axes in figure.axes for patch in axes.patches]
    assert len(frames) == 4  # two lines each: white, and the colour on it
    x, y, width, _ = result[0].box
    assert frames[0].get_xy() == pytest.approx((x * 256 - 0.5, y * 256 - 0.5))
    assert frames[0].get_width() == pytest.approx(width * 256)


def rows_of(*nearest: tuple[int, float]) -> np.ndarray:
    """Return cells of images: at one place one of that cosine with the first axis, elsewhere its opposite."""
    from lookalike.four_bits import encode

    made = np.zeros((len(nearest), cells.N_CELLS, cells.DIMENSION), np.float32)
    made[..., 1] = 1
    for number, (place, cosine) in enumerate(nearest):
        made[number, place, :2] = cosine, (1 - cosine**2) ** 0.5
    return encode(made.reshape(-1, cells.DIMENSION)).reshape(len(nearest), -1)


def test_candidates_of_both_kinds_are_merged_and_what_has_no_cells_counts_as_a_whole():
    axis = np.zeros(cells.DIMENSION, np.float32)
    axis[0] = 1
    query = EmbeddedQuery("a", np.ones(2, np.float32), cells=axis)
    term = Pixels(np.zeros((4, 4, 3), np.uint8), region=(0, 0, 0.5, 1))
    side = np.array([1, 2, 3]), rows_of((0, 0.0), (4, 1.0), (8, 0.5))
    regions = Regions.of(side, [term], [query], False, None)
    assert regions.shares == (SHARE,)
    wholes = {1: 0.9, 2: 0.1, 3: 0.2, 4: 0.6}

    def whole(n, among):
        some = [each for each in wholes if among is None or each in among]
        best = sorted(some, key=lambda each: -wholes[each])[:n]
        return np.array(best), np.array([1 - wholes[each] for each in best])

    ids, distances = regions.nearest(10, whole)
    found = cells.decode(side[1])[:, :, 0].max(axis=1)
    expected = {
        **{
            image: SHARE * near + (1 - SHARE) * wholes[image]
            for image, near in zip((1, 2, 3), found, strict=True)
        },
        4: 0.6,
    }
    assert ids.tolist() == sorted(expected, key=lambda each: -expected[each])
    assert 1 - distances == pytest.approx(sorted(expected.values(), reverse=True), abs=1e-4)
    assert {image: regions.boxes[image] for image in (2, 3)} == {2: cells.box_of(4), 3: cells.box_of(8)}
    assert 4 not in regions.boxes
    (said,) = regions.say_without_cells(np.array([1, 2, 3, 4]))
    assert said == "1 image was embedded before there were cells, and is compared as a whole"
    assert regions.say_without_cells(np.array([1, 2, 3])) == []


@pytest.mark.parametrize(
    ("region", "is_pushed", "share"),
    [((0, 0, 1, 1), False, 1), ((0, 0, 1, 1), True, SHARE), ((0, 0, 0.9, 1), False, SHARE)],
)
def test_all_of_a_picture_is_looked_for_as_a_part_of_others_alone(region, is_pushed, share):
    axis = np.eye(1, cells.DIMENSION, dtype=np.float32)[0]
    query = EmbeddedQuery("a", np.ones(2, np.float32), cells=axis)
    term = Pixels(np.zeros((4, 4, 3), np.uint8), region=region)
    side = np.array([1]), rows_of((0, 0.5))
    assert Regions.of(side, [term], [query], is_pushed, None).shares == (share,)
    assert Regions.of((side[0][:0], side[1][:0]), [term], [query], is_pushed, None) is None
    whole = Pixels(np.zeros((4, 4, 3), np.uint8))
    no_cells = EmbeddedQuery("b", np.ones(2, np.float32))
    both = Regions.of(side, [whole, term], [no_cells, query], is_pushed, None)
    assert both.shares == (share / 2,)
    assert Regions.of(side, [whole], [no_cells], is_pushed, None) is None
