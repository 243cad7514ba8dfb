"""Maps as pictures: nothing overlaps, nothing is cut off, neighbours stay together."""

import io

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.text import Text
from PIL import Image

from lookalike.errors import InvalidInputError
from lookalike.plots import (
    Groups,
    assign_to_grid,
    images_map,
    kept_neighbors,
    points_map,
    read_size,
    save_figure,
    tiles_map,
)
from lookalike.plots.maps import FOUR_K, HD, _lay, _loosen
from lookalike.plots.shown_images import choose_spread, choose_uncovered


def clouds(n_clouds, n_each, seed=0):
    """Return points in round clouds, and the cloud of each."""
    random = np.random.default_rng(seed)
    middles = random.uniform(-10, 10, (n_clouds, 2))
    numbers = np.repeat(np.arange(n_clouds), n_each)
    return middles[numbers] + random.normal(0, 0.3, (len(numbers), 2)), numbers


def groups_of(numbers, **more):
    return Groups(numbers, [f"class-{number}" for number in range(numbers.max(initial=-1) + 1)], **more)


def picture(color, size=(40, 30)):
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, "PNG")
    return stream.getvalue()


RED = picture("#ff0000")


def red(rows):
    return [RED] * len(rows)


def texts(figure):
    return [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]


def words(figure):
    return [text.get_text() for text in texts(figure)]


def check_legible(figure):
    """No text runs out of the figure or into another one."""
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in texts(figure)]
    for box in boxes:
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1
    x0, y0, x1, y1 = np.array([box.extents for box in boxes]).T
    one, other = np.triu_indices(len(boxes), 1)
    apart = (x1[one] <= x0[other]) | (x1[other] <= x0[one]) | (y1[one] <= y0[other]) | (y1[other] <= y0[one])
    assert apart.all()


def drawn(figure):
    """Return the picture as (height, width, 3) pixels."""
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3]


def n_points(figure):
    (page,) = figure.axes
    # A mark of the legend is a collection of one point, too.
    return sum(len(each.get_offsets()) for each in page.findobj(PathCollection))


# Onto a grid


def test_points_that_are_a_grid_keep_their_places():
    rows, columns = np.divmod(np.arange(12), 4)
    points = np.stack([columns * 2.5, -rows * 3.0], axis=1)
    order = np.random.default_rng(0).permutation(12)
    np.testing.assert_array_equal(assign_to_grid(points[order], 3, 4), order)


@pytest.mark.parametrize(
    ("n", "rows", "columns"),
    [(0, 2, 2), (1, 1, 1), (1, 30, 30), (2, 1, 2), (5, 2, 3), (500, 20, 25), (480, 20, 25), (2000, 40, 50)],
)
@pytest.mark.parametrize("same", [False, True], ids=["spread", "in one point"])
def test_every_point_gets_a_cell_of_its_own(n, rows, columns, same):
    points = np.zeros((n, 2)) if same else np.random.default_rng(n).normal(size=(n, 2))
    cells = assign_to_grid(points, rows, columns)
    assert len(set(cells.tolist())) == n
    assert all(0 <= cell < rows * columns for cell in cells.tolist())


def test_more_points_than_cells_are_refused():
    with pytest.raises(InvalidInputError, match="5 points for 2 x 2 cells"):
        assign_to_grid(np.zeros((5, 2)), 2, 2)


@pytest.mark.parametrize(("n_each", "rows", "columns"), [(10, 15, 20), (40, 30, 40), (200, 60, 100)])
def test_neighbours_stay_together_on_the_grid(n_each, rows, columns):
    points, _ = clouds(30, n_each)
    cells = assign_to_grid(points, rows, columns)
    by_chance = np.random.default_rng(0).permutation(rows * columns)[: len(points)]
    assert kept_neighbors(points, cells, columns) > 0.75  # measured: 0.85, 0.92, 0.87
    assert kept_neighbors(points, by_chance, columns) < 0.15


def test_kept_neighbours_of_a_hand_made_grid():
    points = [[0, 0], [1, 0], [10, 0], [11, 0]]
    assert kept_neighbors(points, [0, 1, 8, 9], 10, k=1) == 1.0
    assert kept_neighbors(points, [0, 8, 1, 9], 10, k=1) == 0.0
    assert kept_neighbors([[0, 0], [0, 1]], [0, 1], 2, k=8) == 1.0  # k is more than there are


def test_points_that_stand_for_all_come_from_all_clouds():
    points, numbers = clouds(20, 50)
    chosen = choose_spread(points, 60)
    assert len(set(chosen.tolist())) == 60
    counts = np.bincount(numbers[chosen], minlength=20)
    assert counts.min() >= 1
    np.testing.assert_array_equal(choose_spread(points, len(points)), np.arange(len(points)))
    np.testing.assert_array_equal(choose_spread(np.zeros((5, 2)), 5), np.arange(5))
    assert len(choose_spread(points, 0)) == 0


# Points


@pytest.mark.parametrize("n_groups", [1, 10, 24, 25, 101, 300])
def test_no_text_overlaps_however_many_groups_there_are(n_groups):
    points, numbers = clouds(n_groups, 6)
    figure = points_map(points, groups_of(numbers), "A title", "a note")
    check_legible(figure)
    said = " ".join(words(figure))
    if n_groups <= 101:
        assert all(f"class-{number}" in said for number in range(n_groups))
    else:
        assert "more" in said
    assert {"A title", "a note"} <= set(words(figure))


def test_names_that_are_too_long_or_strange_are_cut_and_drawn_as_they_are():
    points, numbers = clouds(3, 5)
    names = ["W" * 200, "cost $5 or $6_x^2", "\udce9\x07 – 写真"]
    figure = points_map(points, Groups(numbers, names), "long title " * 40, "long note " * 60)
    check_legible(figure)
    assert "cost $5 or $6_x^2" in words(figure)
    assert sum("…" in line for line in words(figure)) >= 3


def test_all_points_are_drawn_and_noise_is_named_and_grey():
    points, numbers = clouds(4, 25)
    numbers[::5] = -1
    figure = points_map(points, groups_of(numbers, none="noise"))
    assert n_points(figure) == 100 + 4 + 1
    assert "noise" in words(figure)
    assert "20" in words(figure)
    page = figure.axes[0]
    greys = [each for each in page.findobj(PathCollection) if len(each.get_offsets()) == 20]
    red_, green, blue, _ = greys[0].get_facecolors()[0]
    assert red_ == green == blue


def test_more_groups_than_colours_differ_in_their_marks():
    from lookalike.plots.groups import choose_marks, find_clouds

    points, numbers = clouds(101, 4)
    marks = choose_marks(find_clouds(groups_of(numbers), points))
    assert len(set(marks.values())) == 101
    few = choose_marks(find_clouds(groups_of(numbers[:40]), points[:40]))
    assert len({color for color, _ in few.values()}) == 10
    assert {marker for _, marker in few.values()} == {"o"}


def test_a_name_stands_at_the_cloud_of_its_group():
    points = np.concatenate([np.full((20, 2), -5.0), np.full((20, 2), 5.0)])
    points += np.random.default_rng(0).normal(0, 0.05, points.shape)
    figure = points_map(points, Groups(np.repeat([0, 1], 20), ["left", "right"]))
    at = {text.get_text(): text.get_position() for text in texts(figure) if text.get_ha() == "center"}
    assert at["left"][0] < 0.3 < at["right"][0]
    assert at["left"][1] < 0.5 < at["right"][1]


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("same", [False, True], ids=["spread", "in one point"])
def test_few_points_or_all_the_same_are_drawn_inside_the_picture(n, same):
    points = np.full((n, 2), 3e7, np.float32) if same else np.arange(2 * n).reshape(n, 2)
    for groups in (None, groups_of(np.arange(n)), groups_of(np.full(n, -1), none="no label")):
        figure = points_map(points, groups, "few", axes=("component 1", "component 2"))
        check_legible(figure)
        assert ("all at one point" in words(figure)) == (same and n > 1)
        page = figure.axes[0]
        spots = np.concatenate([each.get_offsets() for each in page.findobj(PathCollection)])
        assert ((spots > 0.3) & (spots < [12.5, 6.9])).all()
    for draw in (images_map, tiles_map):
        figure = draw(points, red, None, "few")
        assert (drawn(figure) == [255, 0, 0]).all(axis=2).sum() > 20_000


# Images and tiles


@pytest.mark.parametrize("draw", [images_map, tiles_map])
def test_images_are_whole_and_inside_their_part_of_the_page(draw):
    points, numbers = clouds(12, 40)
    figure = draw(points, red, groups_of(numbers), "A title", "a note")
    check_legible(figure)
    page, part = figure.axes
    assert part.get_window_extent().x1 <= figure.bbox.x1
    head = [text for text in texts(figure) if text.get_text().startswith(("A title", "a note"))]
    assert part.get_window_extent().y1 < min(text.get_window_extent().y0 for text in head)
    pixels = drawn(figure)
    is_red = np.abs(pixels.astype(int) - [255, 0, 0]).max(axis=2) < 8
    assert is_red.any()
    assert not is_red[:, :30].any()
    assert not is_red[:, -30:].any()
    assert not is_red[:120].any()
    assert page.get_window_extent().width == pixels.shape[1]
    legend = [line for line in words(figure) if line.startswith("class-")]
    assert len(legend) == 10  # as many as there are colours
    assert "other groups" in words(figure)


def test_images_that_would_be_covered_are_left_out_and_that_is_said():
    points, _ = clouds(3, 400)
    figure = images_map(points, red)
    (said,) = (line for line in words(figure) if "of 1,200 images shown" in line)
    assert 300 < int(said.split()[-9]) < 1_200  # three clouds would leave room for fewer
    assert words(images_map(points[::300], red)) == ["evened out"]


def test_images_stay_with_their_cloud_and_fill_the_paper():
    points, numbers = clouds(4, 300)
    loose = _loosen(points.astype(float), 1800, 900)
    middles = np.array([loose[numbers == number].mean(axis=0) for number in range(4)])
    nearest = ((loose[:, None] - middles) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == numbers).mean() > 0.95
    filled = [
        len(np.unique(np.floor(each / 60), axis=0)) for each in (loose, _lay(points, (0, 0, 1800, 900)))
    ]
    assert filled[0] > 1.3 * filled[1]
    assert (_loosen(np.zeros((3, 2)), 100, 100) >= 0).all()


def test_tiles_become_smaller_before_any_is_left_out():
    points, _ = clouds(7, 200)
    asked = []

    def pictures(rows):
        asked.extend(rows)
        return red(rows)

    assert "images shown" not in " ".join(words(tiles_map(points, pictures)))
    assert len(asked) == 1_400


def test_white_pictures_have_an_edge():
    white = picture("#ffffff", (30, 30))
    pixels = drawn(tiles_map(np.array([[0, 0], [1, 1]]), lambda rows: [white] * len(rows)))
    assert (pixels[200:900] == (0xDC, 0xDC, 0xDC)).all(axis=2).sum() > 1_000


def test_of_many_groups_some_are_named_all_over_the_map_and_scattered_ones_are_grey():
    points, numbers = clouds(40, 30)
    scattered = np.random.default_rng(0).choice(len(points), 60, replace=False)
    numbers[scattered] = 40
    mixed = groups_of(numbers, kind="label")
    figure = points_map(points, mixed, "title", "note", n_named=6)
    check_legible(figure)
    named = [line for line in words(figure) if line in mixed.names]
    assert len(named) == 6
    assert "class-40" not in named
    assert "grey: labels that lie scattered" in " ".join(words(figure))
    assert not [line for line in words(figure) if line in ("labels", "other labels")]
    assert not {*words(points_map(points, mixed, n_named=0))} & {*mixed.names}
    points, numbers = clouds(3, 30)
    clear = points, groups_of(numbers)
    assert "grey" not in " ".join(words(points_map(*clear, n_named=6)))
    for wrong in (-1, True):
        with pytest.raises(InvalidInputError, match="n_named"):
            points_map(*clear, n_named=wrong)


def test_chosen_squares_cover_little_of_each_other_and_none_can_be_added():
    at = np.random.default_rng(0).uniform(0, 300, (400, 2))
    chosen = choose_uncovered(at, 30.0)
    overlaps = np.maximum(30 - np.abs(at[:, None] - at[None, chosen]), 0).prod(axis=2) / 900
    overlaps[chosen, np.arange(len(chosen))] = 0
    covered = overlaps[chosen].sum(axis=1)
    assert covered.max() <= 0.4 + 1e-9
    left_out = np.setdiff1d(np.arange(400), chosen)
    would_be = overlaps[left_out]
    assert ((would_be.sum(axis=1) > 0.4) | (covered + would_be > 0.4).any(axis=1)).all()


def test_a_tile_shows_the_image_of_its_point():
    points = np.array([[0, 1], [1, 1], [0, 0], [1, 0]])
    colors = ["#ff0000", "#00ff00", "#0000ff", "#ffff00"]
    pixels = drawn(tiles_map(points, lambda rows: [picture(colors[row], (30, 30)) for row in rows]))
    middle_y, middle_x = (120 + 1040) // 2, 960
    quarters = [
        pixels[:middle_y, :middle_x], pixels[:middle_y, middle_x:],
        pixels[middle_y:, :middle_x], pixels[middle_y:, middle_x:],
    ]  # fmt: skip
    for quarter, color in zip(quarters, colors, strict=True):
        wanted = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
        assert (quarter == wanted).all(axis=2).sum() > 10_000


def test_tiles_are_as_many_as_can_be_made_out_or_as_asked_for():
    points, _ = clouds(30, 200)
    asked = []

    def pictures(rows):
        asked.extend(rows)
        return red(rows)

    figure = tiles_map(points, pictures)
    assert f"{len(asked):,} of 6,000 images shown" in " ".join(words(figure))
    assert 1_000 < len(asked) == len(set(asked)) < 2_000
    n_hd = len(asked)
    asked.clear()
    tiles_map(points, pictures, size=FOUR_K)
    assert n_hd < len(asked) < 6_000
    asked.clear()
    assert "50 of 6,000 images shown" in " ".join(words(tiles_map(points, pictures, n_tiles=50)))
    assert len(asked) == 50
    for wrong in (0, True, 2.0):
        with pytest.raises(InvalidInputError, match="n_tiles"):
            tiles_map(points, pictures, n_tiles=wrong)


def test_a_missing_thumbnail_leaves_a_blank_square():
    points, _ = clouds(2, 3)
    for draw in (images_map, tiles_map):
        check_legible(draw(points, lambda rows: [None] * len(rows), None, "title"))


# Sizes and files


@pytest.mark.parametrize("size", [HD, FOUR_K, (600, 1200), (2000, 320)])
def test_the_picture_has_the_size_that_was_asked_for(size, tmp_path):
    points, numbers = clouds(5, 10)
    figure = tiles_map(points, red, groups_of(numbers), "t", "n", size)
    check_legible(figure)
    save_figure(figure, tmp_path / "map.jpg")
    with Image.open(tmp_path / "map.jpg") as opened:
        assert opened.size == size


def test_the_same_map_gives_the_same_file_and_an_svg_of_many_points_stays_small(tmp_path):
    points, numbers = clouds(10, 1_000)
    for name in ("one.svg", "two.svg"):
        save_figure(points_map(points, groups_of(numbers)), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "one.svg").stat().st_size < 1_500_000


def test_sizes_are_named_or_numbers():
    assert (read_size("HD"), read_size("4k"), read_size("1200x800")) == (
        (1920, 1080),
        (3840, 2160),
        (1200, 800),
    )
    for words_ in ("", "big", "1200", "100x100", "99999x1000", "-800x600", "800.5x600"):
        with pytest.raises(InvalidInputError, match="the size is"):
            read_size(words_)


def test_points_that_are_none_are_refused():
    for wrong in (np.zeros((0, 2)), np.zeros((3, 3)), np.full((2, 2), np.nan), [1.0, 2.0]):
        with pytest.raises(InvalidInputError, match="expected \\(n, 2\\)"):
            points_map(wrong)
    with pytest.raises(InvalidInputError, match="groups for 2 points"):
        points_map(np.zeros((3, 2)), groups_of(np.array([0, 0])))
