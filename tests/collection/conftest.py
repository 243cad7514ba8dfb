"""What several tests of collections use."""

import numpy as np
import pytest

from mnist_files import write_mnist


@pytest.fixture
def digits(tmp_path, monkeypatch) -> np.ndarray:
    """A data set in MNIST's form: 10 training images and 5 test images, bars at different heights."""
    images = np.zeros((15, 28, 28), np.uint8)
    for number in range(15):
        images[number, 1 + number : 9 + number, 4:24] = 200 + number
    write_mnist(tmp_path / "data/mnist", images, np.arange(15) % 10, 10)
    monkeypatch.setenv("LOOKALIKE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    return images
