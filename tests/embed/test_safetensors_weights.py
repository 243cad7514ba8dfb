"""Reading safetensors files, which the tests write by the format's own description."""

import sys

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="pip install 'lookalike[train]'")

from lookalike.embed.safetensors_weights import read_safetensors
from lookalike.errors import ModelError
from standin_models import safetensors_file

VALUES = np.array([[1.5, -2.25, 0.0], [3.0, 65504.0, 2.0**-14]])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_floats_of_any_precision_are_read_as_float32(dtype):
    found = read_safetensors(safetensors_file({"a": VALUES.astype(dtype), "n": np.array(7)}), "x")
    assert found["a"].dtype == np.float32
    assert found["a"].tolist() == VALUES.tolist()
    assert found["n"].dtype == np.int64
    assert found["n"].tolist() == 7


def test_bfloat16_is_the_upper_half_of_a_float32():
    # 1 = 0x3F80, -2.5 = 0xC020, 3.140625 = 0x4049
    halves = np.array([0x3F80, 0xC020, 0x4049], np.uint16)
    found = read_safetensors(safetensors_file({"a": halves}, {"a": "BF16"}), "x")
    assert found["a"].dtype == np.float32
    assert found["a"].tolist() == [1.0, -2.5, 3.140625]


def test_numbers_of_other_types_are_told():
    with pytest.raises(ModelError, match=r"a in x is of the type F8_E4M3; expected one of F64, F32, F16"):
        read_safetensors(safetensors_file({"a": np.zeros(3, np.int8)}, {"a": "F8_E4M3"}), "x")


WHOLE = safetensors_file({"a": VALUES})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        WHOLE[:5],
        WHOLE[:60],
        WHOLE[:-1],
        b"version https://git-lfs.github.com/spec/v1",
        b"\x80\x02\x8a\n" * 9,
    ],
    ids=["empty", "length", "header", "numbers", "pointer", "pickle"],
)
def test_what_is_no_whole_safetensors_file_is_told(content):
    with pytest.raises(ModelError, match=r"x is not a safetensors file, or is cut short \(.*\)$"):
        read_safetensors(content, "x")


def test_package_that_is_missing_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ModelError, match=r"reading x needs safetensors.*\npip install .*\[train\]'"):
        read_safetensors(WHOLE, "x")
