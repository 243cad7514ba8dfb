from hypothesis import given
from hypothesis import strategies as st

from lookalike.system.cells import as_cell, from_cell


@given(st.text(alphabet="=+-@\t\r\n'＝ab ", max_size=6))
def test_every_text_comes_back_and_no_cell_is_a_formula(text):
    cell = as_cell(text)
    assert from_cell(cell) == text
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
