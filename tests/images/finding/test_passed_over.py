from collections import Counter

import pytest

from lookalike.images.finding.passed_over import FOLDERS, KINDS, count_kinds, find_left_folder, takes_up
from lookalike.images.formats import EXTENSIONS


def test_each_ending_is_of_one_kind():
    endings = [ending for kind in KINDS for ending in kind.endings]
    assert len(set(endings)) == len(endings)
    assert all(ending == ending.lower() and ending.startswith(".") for ending in endings)


def test_each_folder_is_found_by_its_own_row():
    for row in FOLDERS:
        assert find_left_folder(row.glob.replace("*", "x")) == row
    assert find_left_folder("photos") is None


def test_kinds_are_counted_with_their_endings_and_told_in_words():
    files = {".mp4": 10, ".mov": 2, ".psd": 2, "": 30, ".zzz": 1_010, ".xmp": 1}
    found = count_kinds(files, {"@eaDir": 1, "#recycle": 2}, 1)
    assert [each.words for each in found.values()] == [
        "12 videos (.mp4, .mov)",
        "2 PSD",
        "1 side file (.xmp)",
        "1,040 other files",
        "3 folders of other programs (#recycle, @eaDir)",
        "1 picture that lookalike drew",
    ]
    assert list(found)[:2] == ["videos", "PSD"]
    assert (found["videos"].count, found["videos"].names) == (12, (".mp4", ".mov"))


def test_of_many_endings_some_are_named():
    found = count_kinds({f".{ending}": 1 for ending in ("mp4", "mov", "avi", "mkv", "webm")}, {}, 0)
    assert found["videos"].words == "5 videos (.avi, .mkv, .mov, .mp4, …)"


def test_nothing_passed_over_is_nothing_said():
    assert count_kinds(Counter({".mp4": 0}), {}, 0) == {}


@pytest.mark.parametrize("ending", sorted(EXTENSIONS))
def test_what_is_installed_here_reads_every_format(ending):
    assert takes_up(ending)
