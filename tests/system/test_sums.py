"""What is noted of files tells damage from what was cut off."""

import pytest

from lookalike.system import sums
from lookalike.system.sums import check_noted, replace_noted


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
