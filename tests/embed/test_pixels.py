import numpy as np
from PIL import Image

from lookalike.embed import load_model


def test_a_picture_of_the_models_size_is_taken_as_it_is():
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    embedder = load_model("pixels-28-grey")
    prepared = embedder.prepare(Image.fromarray(pixels).convert("RGB"))
    assert (prepared == pixels).all()
    vector = embedder.embed(prepared[None])
    assert (vector.dtype, vector.shape) == (np.float32, (1, 784))
    assert (vector[0] == pixels.ravel()).all()


def test_colour_keeps_its_channels_and_the_whole_picture_is_seen():
    half = np.zeros((40, 80, 3), np.uint8)
    half[:, 40:] = (255, 0, 128)
    embedder = load_model("pixels-8-rgb")
    vector = embedder.embed(embedder.prepare(Image.fromarray(half))[None])[0].reshape(8, 8, 3)
    assert (vector[:, :3] < 12).all()
    assert (abs(vector[:, 5:] - [255, 0, 128]) < 12).all()
