import numpy as np
import pytest
from PIL import Image

from lookalike.datasets import digits
from lookalike.errors import DatasetError


def test_all_digits_are_written_in_their_class_folders():
    folder = digits.fetch()
    assert sorted(path.name for path in folder.root.iterdir()) == list("0123456789")
    assert len(list(folder.root.glob("*/*.png"))) == 1797
    assert len(list((folder.root / "0").iterdir())) == 178  # as scikit-learn's own description says
    assert folder.labels


def test_picture_is_the_scan_enlarged():
    from sklearn.datasets import load_digits

    with Image.open(digits.fetch().root / "0" / "0000.png") as image:
        pixels = np.asarray(image)
    assert pixels.shape == (64, 64)
    blocks = pixels.reshape(8, 8, 8, 8).mean(axis=(1, 3))
    scan = load_digits().images[0] * 255 / 16
    assert np.corrcoef(blocks.ravel(), scan.ravel())[0, 1] > 0.97


def test_second_call_writes_nothing():
    first = digits.fetch()
    (first.root / "0" / "0000.png").unlink()
    assert digits.fetch() == first
    assert not (first.root / "0" / "0000.png").exists()


def test_interruption_leaves_no_half(monkeypatch, cache):
    def interrupt(folder):
        (folder / "0").mkdir()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(digits, "_write", interrupt)
        with pytest.raises(KeyboardInterrupt):
            digits.fetch()
    assert not (cache / "datasets" / "digits").exists()
    assert len(list(digits.fetch().root.glob("*/*.png"))) == 1797


def test_cache_that_cannot_be_written_is_an_error_of_ours(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "file"))
    with pytest.raises(DatasetError, match="set LOOKALIKE_CACHE"):
        digits.fetch()
