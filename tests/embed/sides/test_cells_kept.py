import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lookalike.embed import load_model
from lookalike.embed.sides import cells
from lookalike.embed.sides.cells import DIMENSION, N_CELLS, PARTS, WIDTH
from lookalike.errors import ModelDamagedError
from pictures import picture

N_POOLED = N_CELLS * sum(channels for _, channels, *_ in PARTS)


def pooled(n, seed=0):
    return np.random.default_rng(seed).uniform(0, 3, (n, N_POOLED)).astype(np.float32)


def test_parts_are_split_into_cells_row_by_row():
    row = np.arange(N_POOLED, dtype=np.float32)[None]
    last, low = cells.split(row)
    assert last.shape == (9, 320) and low.shape == (9, 112)
    # Channel, row, column: the cell in the second row, third column is the sixth.
    assert last[5, :3].tolist() == [5, 9 + 5, 18 + 5]
    assert low[0, :2].tolist() == [9 * 320, 9 * 320 + 9]


def test_cells_are_unit_rows_in_720_bytes_and_near_what_was_whitened():
    rows = cells.encode(pooled(4))
    assert rows.shape == (4, WIDTH) and rows.dtype == np.uint8 and WIDTH == 720
    found = cells.decode(rows)
    assert found.shape == (4, N_CELLS, DIMENSION)
    assert np.linalg.norm(found, axis=2) == pytest.approx(1, abs=1e-5)
    exact = []  # written down again, from the formulas at the top of the module
    with np.load(cells.__file__.replace("cells.py", cells.FILE)) as file:
        for (name, _, _, weight), part in zip(PARTS, cells.split(pooled(4)), strict=True):
            unit = part / np.linalg.norm(part, axis=1, keepdims=True)
            turned = (unit - file[f"{name}_mean"]) @ (file[f"{name}_axes"] * file[f"{name}_steps"])
            exact.append(weight * turned / np.linalg.norm(turned, axis=1, keepdims=True))
    exact = np.concatenate(exact, axis=1)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    cosines = (exact.reshape(4, N_CELLS, DIMENSION) * found).sum(axis=2)
    assert cosines.min() > 0.97


@given(st.integers(1, 6), st.integers(0, 2**20))
def test_cells_do_not_depend_on_the_images_beside(n, seed):
    rows = pooled(n, seed)
    assert np.array_equal(cells.encode(rows), np.concatenate([cells.encode(row[None]) for row in rows]))


def test_rows_that_are_empty_or_not_finite_have_cells_that_are_finite():
    rows = pooled(3)
    rows[0], rows[1, 7] = 0, np.nan
    found = cells.decode(cells.encode(rows))
    assert np.isfinite(found).all()
    assert np.array_equal(cells.encode(rows)[2], cells.encode(rows[2:])[0])
    assert cells.encode(np.empty((0, N_POOLED), np.float32)).shape == (0, WIDTH)


def test_boxes_cover_the_picture_and_overlap():
    boxes = [cells.box_of(cell) for cell in range(N_CELLS)]
    assert boxes[0][:2] == (0, 0)
    assert [round(7 * share) for share in boxes[5]] == [4, 2, 3, 3]
    assert boxes[8][0] + boxes[8][2] == pytest.approx(1)


def test_a_part_is_drawn_four_times_in_half_its_size():
    drawn = cells.as_part(picture(3), 224)
    assert drawn.shape == (224, 224, 3) and drawn.dtype == np.uint8
    for quarter in (drawn[:112, 112:], drawn[112:, :112], drawn[112:, 112:]):
        assert np.array_equal(quarter, drawn[:112, :112])
    assert np.array_equal(drawn[:112, :112], np.asarray(picture(3).resize((112, 112), Image.BICUBIC)))
    assert cells.as_part(picture(3), 225).shape == (225, 225, 3)


@pytest.mark.parametrize("name", ["lite0-deep-int8", "lite0-deep"])
def test_the_cell_that_holds_a_picture_is_the_nearest(name):
    embedder = load_model(name)
    rng = np.random.default_rng(0)
    ground = Image.fromarray(rng.integers(90, 160, (420, 420, 3), np.uint8).astype(np.uint8))
    for cell in (0, 4, 5, 6):
        x, y, width, height = (round(420 * share) for share in cells.box_of(cell))
        scene = ground.copy()
        scene.paste(picture(11, 160).resize((width, height)), (x, y))
        rows = embedder.embed_with_sides(embedder.prepare(scene)[None]).sides["cells"]
        query = cells.query_of(
            embedder.embed_with_sides(cells.as_part(picture(11, 160), 224)[None]).sides["cells"]
        )[0]
        near = cells.decode(rows)[0] @ query
        assert near.argmax() == cell
        assert near[cell] > 0.5


def test_both_precisions_give_nearly_the_same_cells():
    found = []
    for name in ("lite0-deep-int8", "lite0-deep"):
        embedder = load_model(name)
        images = np.stack([embedder.prepare(picture(seed, 200)) for seed in range(4)])
        found.append(cells.decode(embedder.embed_with_sides(images).sides["cells"]))
    assert (found[0] * found[1]).sum(axis=2).mean() > 0.9


@pytest.mark.parametrize("damage", ["other", "gone"])
def test_a_damaged_whitening_is_told(monkeypatch, damage):
    monkeypatch.setattr(cells, "_loaded", {})
    if damage == "other":
        monkeypatch.setattr(cells, "SHA256", "0" * 64)
    else:
        monkeypatch.setattr(cells, "FILE", "none.npz")
    with pytest.raises(
        ModelDamagedError, match=r"lite0_cells\.npz is damaged|cannot read .*none\.npz"
    ) as told:
        cells.encode(pooled(1))
    assert "install lookalike again" in str(told.value.hint)
