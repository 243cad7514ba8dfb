"""What is noted of files tells damage from what was cut off."""

import json

import pytest

from lookalike.system import sums
from lookalike.system.sums import check_noted, read_document, replace_noted, summed


def test_a_file_that_is_not_what_was_noted_is_damaged(tmp_path):
    file = tmp_path / "a.npz"
    replace_noted(file, b"old")
    assert check_noted(file, b"old")
    with pytest.raises(ValueError, match="its checksum is another"):
        check_noted(file, b"odd")


@pytest.mark.parametrize("n_written", [0, 1])
def test_who_is_cut_off_while_a_file_is_replaced_leaves_nothing_that_looks_damaged(
    tmp_path, monkeypatch, n_written
):
    file = tmp_path / "a.npz"
    replace_noted(file, b"old")
    left = [sums.replace_file] * n_written

    def cut_off(*given, **named):
        if not left:
            raise KeyboardInterrupt
        left.pop()(*given, **named)

    monkeypatch.setattr(sums, "replace_file", cut_off)
    with pytest.raises(KeyboardInterrupt):
        replace_noted(file, b"new")
    assert file.read_bytes() == [b"old", b"new"][n_written]
    assert not check_noted(file, file.read_bytes())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"\0" * 4096, "it holds nothing but zeros"),
        (b'{"roots": [1, 2', "it is cut off"),
        (b'{"roots": [1, 2]', "it is cut off"),
        (b'{"roots": "pho', "it is cut off"),
        ('{"roots": "fotó'.encode()[:-1], "it is cut off"),
        (b'{"roots": "fot\xf3"}', "it is no text"),
        (b"\x89PNG\r\n", "it is no text"),
        (b'{\n"roots": [1 2]}', "it is no JSON from line 2 on"),
        (b'{"a": 1}{"a": 1}', "it is no JSON from line 1 on"),
        (b"[" * 100_000, "it is no JSON that lookalike wrote"),
        (b"9" * 5_000, "it is no JSON that lookalike wrote"),
        (b"[1]", "it is no JSON object"),
        (json.dumps({**summed({"a": 1}), "a": 2}).encode(), "it is not what was written: its checksum"),
    ],
)
def test_a_document_that_is_none_is_described_for_people(content, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        read_document(content)
