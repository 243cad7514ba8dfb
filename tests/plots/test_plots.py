"""Pictures of results: complete, legible, and the same for the same input."""

import itertools

import numpy as np
import pytest
from PIL import Image
from plotted import NAMES, jpeg, pictures, texts

from lookalike.errors import ConflictError, InvalidInputError
from lookalike.plots import (
    ENDINGS,
    SheetRow,
    Tile,
    check_ending,
    contact_sheet,
    distance_curve,
    k_curves,
    result_strip,
    save_figure,
)


def tiles(count, **size):
    return [Tile(jpeg(**size), f"{n + 1}   0.{900 - n}   label", NAMES[n % len(NAMES)]) for n in range(count)]


def check_legible(figure):
    """No text runs out of the figure or into another text or picture."""
    figure.draw_without_rendering()
    page = figure.bbox
    boxes = [text.get_window_extent() for text in texts(figure)]
    for box in boxes + pictures(figure):
        assert page.x0 <= box.x0 <= box.x1 <= page.x1
        assert page.y0 <= box.y0 <= box.y1 <= page.y1
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    for box, picture in itertools.product(boxes, pictures(figure)):
        assert not box.overlaps(picture)


@pytest.mark.parametrize(("queries", "hits"), [(1, 0), (3, 0), (1, 1), (1, 5), (1, 6), (3, 12), (4, 2)])
@pytest.mark.parametrize("title", ["", "Look-alikes", "a title much too long for one line " * 9])
def test_all_queries_and_hits_are_drawn_and_nothing_overlaps(queries, hits, title):
    figure = result_strip(tiles(queries), tiles(hits), title)
    assert len(figure.axes) == queries + hits
    check_legible(figure)
    assert sum("0.9" in text.get_text() for text in texts(figure)) >= min(hits, 1)


def test_hits_stand_in_rows_of_five_right_of_the_queries():
    figure = result_strip(tiles(2), tiles(7))
    figure.draw_without_rendering()
    queries, hits = pictures(figure)[:2], pictures(figure)[2:]
    assert queries[0].y0 > queries[1].y0
    assert max(box.x1 for box in queries) < min(box.x0 for box in hits)
    assert [box.x0 for box in hits[:5]] == sorted(box.x0 for box in hits[:5])
    assert all(box.y0 == pytest.approx(hits[0].y0) for box in hits[:5])
    assert hits[5].y1 < hits[4].y0
    assert hits[5].x0 == pytest.approx(hits[0].x0)


def test_short_names_stand_as_they_are_and_long_ones_keep_their_ends():
    figure = result_strip(
        tiles(1), [Tile(jpeg(), "1", name) for name in ("short.jpg", "A" + "m" * 99 + "Z.jpg")]
    )
    shown = [text.get_text() for text in texts(figure)]
    assert "short.jpg" in shown
    (cut,) = (text for text in shown if "…" in text)
    assert cut.startswith("Am")
    assert cut.endswith("mZ.jpg")


def test_long_label_is_cut_after_rank_and_score():
    figure = result_strip([Tile(jpeg(), "query")], [Tile(jpeg(), "1   0.987   " + "label " * 20)])
    assert any(text.get_text().startswith("1   0.987   label") for text in texts(figure))


def test_dollar_signs_are_no_mathematics():
    names = ["cost $5 or $6", "$x^2$", "\\$a\\b$"]
    figure = result_strip(tiles(1), [Tile(jpeg(), "", name) for name in names])
    check_legible(figure)
    assert set(names) <= {text.get_text() for text in texts(figure)}
    assert not any(text.get_parse_math() for text in texts(figure) if text.get_text() in names)


def test_what_cannot_be_drawn_is_replaced_and_the_rest_kept():
    figure = result_strip([Tile(jpeg(), "query", "a\udce9\x07\nb\U0010fffdé.jpg")], [])
    assert "a���b�é.jpg" in {text.get_text() for text in texts(figure)}


def test_no_font_warns_of_what_it_lacks(tmp_path, capfd):
    """Warnings are errors here; what matplotlib logs would come out on standard error."""
    save_figure(result_strip(tiles(1), tiles(12), "日本語 😀"), tmp_path / "strip.png")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("size", [(8, 8), (1, 1), (1, 256), (256, 1), (3, 200), (256, 256)])
def test_tiny_and_narrow_pictures_keep_their_proportions_and_their_place(size):
    figure = result_strip([Tile(jpeg(*size), "query")], [Tile(jpeg(*size), "1")])
    check_legible(figure)
    for box in pictures(figure):
        assert box.width / box.height == pytest.approx(size[0] / size[1], rel=1e-3)
        assert max(box.width, box.height) / figure.dpi == pytest.approx(1.76, abs=0.01)


def test_no_queries_are_an_error():
    with pytest.raises(InvalidInputError, match="no queries"):
        result_strip([], tiles(3))


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf", ".jpg"])
def test_same_input_gives_the_same_file(ending, tmp_path):
    for name in ("one", "two"):
        save_figure(result_strip(tiles(2), tiles(3), "title"), tmp_path / (name + ending))
    one = (tmp_path / f"one{ending}").read_bytes()
    assert one == (tmp_path / f"two{ending}").read_bytes()
    assert len(one) > 1000


def test_ending_decides_the_format_in_either_case(tmp_path):
    figure = result_strip(tiles(1), [])
    starts = {
        ".png": b"\x89PNG",
        ".svg": b"<?xml",
        ".pdf": b"%PDF",
        ".jpg": b"\xff\xd8",
        ".jpeg": b"\xff\xd8",
    }
    assert set(starts) == set(ENDINGS)
    for ending, start in starts.items():
        for name in (f"strip{ending}", f"strip{ending.upper()}"):
            save_figure(figure, tmp_path / name)
            assert (tmp_path / name).read_bytes().startswith(start)
    with Image.open(tmp_path / "strip.png") as picture:
        assert picture.size == (285, 306)  # 1.9 × 2.04 inches at 150 dots an inch


@pytest.mark.parametrize("name", ["strip.gif", "strip", "strip.", ".png", "strip.png.txt"])
def test_unknown_ending_is_an_error_that_lists_the_known(name, tmp_path):
    with pytest.raises(InvalidInputError, match=r"saved as one of \.png, \.svg"):
        check_ending(tmp_path / name)
    with pytest.raises(InvalidInputError, match="saved as one of"):
        save_figure(result_strip(tiles(1), []), tmp_path / name)


def test_missing_folder_is_an_error_before_and_while_saving(tmp_path):
    file = tmp_path / "missing" / "strip.png"
    with pytest.raises(InvalidInputError, match=r"there is no folder .*missing"):
        check_ending(file)
    with pytest.raises(InvalidInputError, match="there is no folder"):
        save_figure(result_strip(tiles(1), []), file)
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ConflictError, match=r"folder\.png is a folder"):
        save_figure(result_strip(tiles(1), []), tmp_path / "folder.png")


@pytest.mark.parametrize("columns", [1, 5, 12])
@pytest.mark.parametrize("title", ["", "Leaves", "a title much too long for one line " * 9])
def test_a_sheet_is_legible(columns, title):
    rows = [SheetRow(name, name * 2, [jpeg(64, 48), jpeg(20, 90)][: n % 3]) for n, name in enumerate(NAMES)]
    check_legible(contact_sheet(rows, title, columns))


def test_a_sheet_shows_every_image_and_frames_the_marked():
    rows = [SheetRow("two", "", [jpeg(40, 40), jpeg(40, 40)], [False, True])]
    figure = contact_sheet(rows, columns=3)
    mosaic = np.asarray(figure.axes[0].images[0].get_array())
    first, second = np.array_split(mosaic, 2, axis=1)
    assert (mosaic[0, first.shape[1] + 10, :3] == (0x00, 0x72, 0xB2)).all()
    assert (mosaic[0, 10, :3] != (0x00, 0x72, 0xB2)).any()
    assert not (second == 255).all()


def test_short_rows_of_a_sheet_stand_side_by_side():
    def rows(*sizes):
        return [SheetRow(f"cluster {size}", "3 images", [jpeg(40, 40)] * size) for size in sizes]

    long, short = (contact_sheet(rows(*sizes)).get_size_inches()[1] for sizes in ([12] * 6, [2] * 6))
    assert short < 0.5 * long
    figure = contact_sheet(rows(2, 3, 3, 9, 4))
    lefts = [round(axes.get_position().x0 * figure.get_size_inches()[0], 2) for axes in figure.axes]
    assert lefts == [0.15, 3.55, 6.95, 0.15, 0.15]
    check_legible(figure)


@pytest.mark.parametrize(("shapes", "least"), [([(64, 48)] * 6, 6), ([(48, 64)] * 3 + [(64, 48)] * 3, 6)])
def test_pictures_of_a_strip_are_of_one_height(shapes, least):
    shown = [Tile(jpeg(*shape), f"{number}") for number, shape in enumerate(shapes)]
    figure = result_strip(shown[:1], shown[1:], "the title")
    figure.canvas.draw()
    heights = [round(axes.get_window_extent().height) for axes in figure.axes]
    assert sum(height == max(heights) for height in heights) >= least
    check_legible(figure)


def test_a_strip_of_wide_pictures_wastes_no_paper():
    wide, square = (
        result_strip([Tile(jpeg(*shape), "")], [Tile(jpeg(*shape), "")] * 5).get_size_inches()[1]
        for shape in ((80, 40), (40, 40))
    )
    assert wide < square - 0.8


@pytest.mark.parametrize(("rows", "columns"), [([], 3), ([SheetRow("one", "", [])], 0)])
def test_a_sheet_of_nothing_is_an_error(rows, columns):
    with pytest.raises(InvalidInputError):
        contact_sheet(rows, columns=columns)


def test_curves_of_k_show_every_number_and_mark_the_suggested(tmp_path):
    figure = k_curves([2, 3, 4, 6, 8], [9.0, 5.0, 3.0, 2.5, 2.2], [0.3, 0.4, float("nan"), 0.35, 0.2], 3)
    upper, lower = figure.axes
    assert upper.lines[1].get_xdata().tolist() == [2, 3, 4, 6, 8]
    assert upper.lines[1].get_ydata().tolist() == [9.0, 5.0, 3.0, 2.5, 2.2]
    assert lower.lines[2].get_xdata() == [3] and lower.lines[2].get_ydata() == [0.4]
    assert upper.get_title(loc="left").startswith("3 clusters")
    save_figure(figure, tmp_path / "k.png")
    save_figure(figure, tmp_path / "again.png")
    assert (tmp_path / "k.png").read_bytes() == (tmp_path / "again.png").read_bytes()


def test_curves_that_do_not_fit_together_are_refused():
    with pytest.raises(InvalidInputError, match="cannot draw 2 numbers of clusters with 1 inertias"):
        k_curves([2, 3], [1.0], [0.1, 0.2], 2)


@pytest.mark.parametrize(("eps", "share"), [(0.5, "5%"), (1.0, "10%"), (9.0, "90%"), (20.0, "100%")])
def test_distance_curve_says_how_many_are_core_images_inside_the_axes(eps, share):
    distances = np.arange(1, 101, dtype=np.float32) / 10
    figure = distance_curve(distances, 11, eps, "euclidean distance", "A $title$")
    figure.canvas.draw()
    (axes,) = figure.axes
    (words,) = axes.texts
    assert words.get_text() == f"eps = {eps:.3g}: {share} are core images"
    box, room = words.get_window_extent(), axes.get_window_extent()
    assert room.x0 <= box.x0
    assert box.x1 <= room.x1
    assert "11th nearest" in axes.get_ylabel()


def test_distance_curve_of_nothing_is_refused():
    with pytest.raises(InvalidInputError, match="no distances"):
        distance_curve(np.empty(0, np.float32), 5, 1.0, "distance")
