"""The compiled kernels: what is loaded, what is refused."""

import numpy as np
import pytest

from lookalike.cli.console import complain_of_library
from lookalike.system import native


def test_without_libraries_one_line_says_what_to_do(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(native, "_FOLDER", tmp_path)
    with pytest.raises(ImportError, match="were not compiled") as caught:
        native.library.__wrapped__()
    assert complain_of_library(caught.value) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "python hatch_build.py" in line
    assert "memory" not in line


def test_addresses_are_those_of_the_numbers():
    rows = np.arange(6.0).reshape(2, 3)
    sealed = rows[1:]
    sealed.setflags(write=False)
    assert native.at(rows, np.float64) == rows.ctypes.data
    assert native.at(sealed, np.float64) == rows.ctypes.data + 24
    assert native.at(rows[:0], np.float64) > 0


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4))[:, ::2], np.zeros((4, 4)).T[:2], np.zeros(3, ">f8"), np.zeros(3, "f4")]
)
def test_what_a_kernel_would_misread_is_refused(array):
    with pytest.raises(TypeError, match="a kernel takes float64 in C order"):
        native.at(array, np.float64)
