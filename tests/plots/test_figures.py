"""Figures that notebooks show by themselves, whatever backend matplotlib has there."""

import io
import pickle
import sys
from types import SimpleNamespace

import pytest
from matplotlib.figure import Figure
from PIL import Image

from lookalike import ConflictError
from lookalike.plots import Curve, recall_throughput, use_theme


def drawn():
    return recall_throughput([Curve("exact", [0.9, 1.0], [200.0, 100.0])], "Two points", k=10)


def test_a_figure_is_a_png_in_a_notebook_sharper_than_it_is_large():
    figure = drawn()
    png, size = figure._repr_png_()
    with Image.open(io.BytesIO(png)) as opened:
        assert opened.format == "PNG"
        assert opened.width / size["width"] == pytest.approx(figure.dpi / 96, rel=0.01)
        assert opened.height / size["height"] == pytest.approx(figure.dpi / 96, rel=0.01)
    assert isinstance(figure, Figure)
    assert pickle.loads(pickle.dumps(figure))._repr_png_()[1] == size


def test_a_figure_on_dark_paper_is_dark_there_too():
    with use_theme(dark=True):
        figure = drawn()
    with Image.open(io.BytesIO(figure._repr_png_()[0])) as opened:
        assert max(opened.convert("RGB").getpixel((0, 0))) < 40


def test_show_shows_it_in_a_notebook_and_says_elsewhere_what_to_do(monkeypatch):
    figure = drawn()
    shown = []
    display = SimpleNamespace(display=shown.append)
    there = SimpleNamespace(get_ipython=lambda: object(), display=display)
    monkeypatch.setitem(sys.modules, "IPython", there)
    figure.show()
    assert shown == [figure]
    for elsewhere in (None, SimpleNamespace(get_ipython=lambda: None)):
        monkeypatch.setitem(sys.modules, "IPython", elsewhere)
        with pytest.raises(ConflictError, match="this is none") as raised:
            figure.show()
        assert "save_figure" in str(raised.value.hint)
