import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.images.finding import spelling
from lookalike.images.finding.spelling import (
    as_label,
    as_spelled,
    as_typed,
    is_same_folder,
    label_spellings,
    path_within,
)
from lookalike.system.file_names import escape

NFC, NFD = "Caf\u00e9", "Cafe\u0301"


@pytest.fixture
def blind(tmp_path, monkeypatch):
    """A disk that tells neither upper from lower case nor the normal forms; inodes differ by spelling."""
    real = os.path.lexists

    def lexists(path):
        found = Path(tmp_path.anchor)
        for name in Path(path).parts[1:]:
            names = os.listdir(found) if os.path.isdir(found) else []
            if name not in names and found.is_relative_to(tmp_path):
                fold = unicodedata.normalize("NFC", name).casefold()
                names = [each for each in names if unicodedata.normalize("NFC", each).casefold() == fold]
                name = names[0] if names else name
            found /= name
        return real(found)

    monkeypatch.setattr(spelling.os.path, "lexists", lexists)
    return tmp_path


def test_names_are_given_as_the_disk_has_them(blind):
    (blind / "Photos" / NFD).mkdir(parents=True)
    wanted = blind / "Photos" / NFD
    for name in (f"photos/{NFC}", f"PHOTOS/{NFD}", f"Photos/{NFC.upper()}"):
        assert as_spelled(blind / name) == wanted
        assert is_same_folder(blind / name, wanted)
    assert as_spelled(blind / "photos" / "not there") == blind / "Photos" / "not there"
    assert path_within(blind / "PHOTOS", blind / "photos" / NFC / "a.jpg") == Path(NFD, "a.jpg")


def test_where_case_counts_nothing_is_taken_for_another(tmp_path):
    for name in ("photos", "Photos"):
        (tmp_path / name).mkdir()
        assert as_spelled(tmp_path / name) == tmp_path / name
    assert as_spelled(tmp_path / "PHOTOS") == tmp_path / "PHOTOS"
    assert not is_same_folder(tmp_path / "photos", tmp_path / "Photos")


def test_the_only_name_that_looks_the_same_is_meant(tmp_path):
    (tmp_path / NFD).mkdir()
    assert as_spelled(tmp_path / NFC) == tmp_path / NFD
    (tmp_path / NFC).mkdir()
    assert as_spelled(tmp_path / NFC) == tmp_path / NFC
    assert as_spelled(tmp_path / NFD) == tmp_path / NFD


def test_a_folder_reached_by_a_link_is_the_same_folder(tmp_path):
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    assert is_same_folder(tmp_path / "link", tmp_path / "real")
    assert path_within(tmp_path / "real", tmp_path / "link" / "sub" / "a.jpg") == Path("sub", "a.jpg")
    assert path_within(tmp_path / "link", tmp_path / "real" / "sub") == Path("sub")
    assert path_within(tmp_path / "real" / "sub", tmp_path / "link") is None
    assert path_within(tmp_path / "link", tmp_path / "link") == Path()


def test_a_link_inside_a_folder_is_not_followed_out_of_it(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "real")
    assert path_within(tmp_path / "root", tmp_path / "root" / "link" / "a.jpg") == Path("link", "a.jpg")


def test_two_mounts_of_one_folder_are_one(tmp_path, monkeypatch):
    (tmp_path / "one" / "sub").mkdir(parents=True)
    (tmp_path / "two").mkdir()
    seen = {tmp_path / "two": tmp_path / "one"}
    real = Path.stat
    monkeypatch.setattr(Path, "stat", lambda self, **options: real(seen.get(self, self), **options))
    assert is_same_folder(tmp_path / "two", tmp_path / "one")
    assert path_within(tmp_path / "two", tmp_path / "one" / "sub") == Path("sub")


def test_a_label_is_text_whatever_the_name_is():
    assert as_label(escape("a\\b")) == "a\\b"
    assert as_label(escape(NFD)) == NFC
    raw = os.fsdecode(b"caf\xe9")
    assert as_label(escape(raw)) == as_typed(raw) == r"caf\xe9"
    assert as_typed(NFD) == NFC
    assert label_spellings(NFC) == (NFC, NFD)


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1))
def test_what_is_typed_is_the_label_of_the_folder_of_that_name(name):
    assert as_typed(name) == as_label(escape(name))
