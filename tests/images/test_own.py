import io

import pytest
from PIL import Image, PngImagePlugin

from lookalike.images.own import is_own_picture
from lookalike.plots import figure_bytes
from lookalike.plots.style import new_figure


def saved(form, **options):
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(stream, form, **options)
    return stream.getvalue()


def png_of(software):
    words = PngImagePlugin.PngInfo()
    words.add_text("Title", "x" * 1000)
    words.add_text("Software", software)
    return saved("PNG", pnginfo=words)


@pytest.mark.parametrize("form", ["png", "jpg", "jpeg", "svg", "pdf"])
def test_a_drawn_picture_is_known_by_its_mark(form):
    assert is_own_picture(figure_bytes(new_figure(1, 1), form))


def test_pictures_are_the_same_each_time():
    for form in ("png", "jpg", "svg", "pdf"):
        assert figure_bytes(new_figure(1, 1), form) == figure_bytes(new_figure(1, 1), form)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0\x00\x00" * 9,
        saved("PNG"),
        saved("JPEG"),
        saved("JPEG", comment=b"my lookalike 1"),
        saved("GIF"),
        b"<?xml version='1.0'?><svg><text>lookalike 1</text></svg>",
        b"%PDF-1.4 (lookalike 1) /Creator (Matplotlib)",
        png_of("Matplotlib version 3"),
        png_of("lookalikes of mine"),
        png_of("lookalike 0.1.0")[:50],
    ],
)
def test_what_others_made_is_not_ours(data):
    assert not is_own_picture(data)


def test_the_mark_is_found_behind_other_words():
    assert is_own_picture(png_of("lookalike 0.1.0"))
    assert is_own_picture(saved("JPEG", comment=b"lookalike 0.1.0", exif=b"Exif\0\0" + bytes(900)))
