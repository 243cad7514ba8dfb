"""Names of any bytes are written in one way, and come back."""

import os

from hypothesis import given
from hypothesis import strategies as st

from lookalike.system.file_names import escape, storable, unescape


@given(st.binary(max_size=20))
def test_any_name_comes_back_and_is_utf8(name):
    text = os.fsdecode(name)
    assert unescape(escape(text)) == text
    written = storable(text)
    written.encode("utf-8")
    assert text in (written, unescape(written))


def test_what_is_no_name_of_a_file_is_utf8_all_the_same():
    assert storable("a\ud800") == r"a\ud800"
    assert storable("a\\b") == "a\\b"
    assert storable("a\\b\udce9") == r"a\\b\xe9"
