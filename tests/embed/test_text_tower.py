"""Words to vectors, by a tokenizer and a tower of a few words."""

import sys

import numpy as np
import pytest

from lookalike.embed.models import TextUse
from lookalike.embed.text import TextTower, knows_words
from lookalike.errors import ModelError
from standin_models import projection, text_graph, tokenizer

USE = TextUse(length=6, pad_to_length=True, pad_id=0, pad_token="<pad>", lowercase=True, output="text_embeds")


@pytest.fixture
def files(tmp_path):
    pytest.importorskip("tokenizers")
    (tmp_path / "text.onnx").write_bytes(text_graph())
    (tmp_path / "tokenizer.json").write_bytes(tokenizer())
    return tmp_path


def tower(files, use=USE, dimension=8):
    return TextTower("tiny", files / "text.onnx", files / "tokenizer.json", use, dimension)


def test_a_word_is_its_colour(files):
    row = np.array([1, -1, -1, 1]) @ projection(8)
    np.testing.assert_allclose(tower(files).embed(["red"])[0], row / np.linalg.norm(row), atol=1e-5)


def test_texts_do_not_depend_on_what_they_are_asked_with(files):
    loaded = tower(files)
    together = loaded.embed(["red", "a green wall", "blue blue blue blue blue blue blue blue blue"])
    alone = [loaded.embed([text])[0] for text in ("red", "a green wall", "blue")]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_capitals_are_made_small_where_the_model_wants_it(files):
    np.testing.assert_array_equal(tower(files).embed(["A RED Wall"]), tower(files).embed(["a red wall"]))


@pytest.mark.parametrize("pad_to_length", [True, False])
def test_texts_are_filled_up_as_the_model_was_trained(files, pad_to_length):
    use = TextUse(6, pad_to_length, 0, "<pad>", output="text_embeds")
    loaded = tower(files, use)
    lengths = [len(row.ids) for row in loaded._tokenizer.encode_batch(["red", "a red wall"])]
    assert lengths == ([6, 6] if pad_to_length else [3, 3])


def test_a_tower_that_wants_a_mask_gets_one(files):
    (files / "text.onnx").write_bytes(text_graph(mask=True))
    assert tower(files).embed(["red"]).shape == (1, 8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda files: (files / "text.onnx").write_bytes(b"no graph"), "its text tower.* cannot be loaded"),
        (lambda files: (files / "tokenizer.json").write_bytes(b"{}"), "tokenizer .* cannot be read"),
        (
            lambda files: (files / "text.onnx").write_bytes(text_graph(output="y")),
            "has no output 'text_embeds'; there are: y",
        ),
    ],
)
def test_a_damaged_tower_is_one_clear_line(files, change, message):
    change(files)
    with pytest.raises(ModelError, match=message):
        tower(files)


def test_another_dimension_than_the_images_is_refused(files):
    with pytest.raises(ModelError, match=r"gives the shape \(1, 8\) for 1 texts; expected \(1, 16\)"):
        tower(files, dimension=16).embed(["red"])


def test_without_the_library_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(ModelError, match=r"needs the tokenizers library .*\n.*pip install .*\[hub\]'"):
        tower(tmp_path)
    assert not knows_words()
