import pytest

from lookalike.datasets.staging import build_folder
from lookalike.errors import DatasetError


def names(folder):
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


def test_folder_appears_complete(tmp_path):
    final = tmp_path / "deep" / "data"

    def fill(folder):
        (folder / "file").write_text("x")
        assert not final.exists()

    build_folder(final, fill)
    assert (final / "file").read_text() == "x"
    assert names(final.parent) == {"data"}


def test_interrupted_work_leaves_nothing(tmp_path):
    def fill(folder):
        (folder / "file").write_text("x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_folder(tmp_path / "data", fill)
    assert names(tmp_path) == set()


def test_what_a_killed_process_left_is_not_taken_for_data(tmp_path):
    (tmp_path / ".data.partial").mkdir()
    (tmp_path / ".data.partial" / "half").touch()
    build_folder(tmp_path / "data", lambda folder: (folder / "whole").touch())
    assert names(tmp_path / "data") == {"whole"}


def test_existing_folder_is_not_made_again(tmp_path):
    (tmp_path / "data").mkdir()
    build_folder(tmp_path / "data", lambda folder: pytest.fail("made again"))


def test_place_that_cannot_be_written_is_named_with_what_to_do(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match=r"data.*\n.*set LOOKALIKE_CACHE"):
        build_folder(tmp_path / "file" / "data", lambda folder: None)
