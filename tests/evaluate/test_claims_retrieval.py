"""How well the default model finds images of the same kind, on real photographs.

The subset is easier than the whole of Caltech-101 (12 classes instead of 101), on which the same measure
gives P@1 0.887, P@10 0.861 and mAP 0.734.
"""

import numpy as np
import pytest

from caltech101_sample import classes_by_lot
from lookalike.embed import load_model
from lookalike.evaluate import leave_one_out
from lookalike.images import read_image

CLASSES, IMAGES = 12, 30


@pytest.fixture(scope="module")
def found():
    return classes_by_lot(CLASSES, IMAGES)


@pytest.mark.data
def test_lite0_finds_images_of_the_same_kind(found, tmp_path, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path))
    model = load_model("lite0")
    vectors = np.concatenate(
        [model.embed(model.prepare(read_image(path, model.model.resize).image)[None]) for path, _ in found]
    )
    scores = leave_one_out(vectors, [label for _, label in found], ks=[1, 10])
    assert scores.queries == CLASSES * IMAGES
    assert scores.precision[1] >= 0.985  # measured: 0.9944
    assert scores.precision[10] >= 0.977  # measured: 0.9822
    # Measured: 0.9439. Colours in the wrong order give 0.920, torch's way to pad 0.926.
    assert scores.mean_average_precision >= 0.938
