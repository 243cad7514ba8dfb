import os
from pathlib import Path

from lookalike.datasets import data_folders, find
from lookalike.system.cache import cache_folder


def test_cache_is_where_the_user_says(monkeypatch, tmp_path):
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"


def test_empty_setting_means_the_usual_cache(monkeypatch):
    monkeypatch.setenv("LOOKALIKE_CACHE", "")
    assert cache_folder().is_absolute()
    assert "lookalike" in cache_folder().parts


def test_cache_relative_to_home_is_understood(monkeypatch):
    monkeypatch.setenv("LOOKALIKE_CACHE", "~/pictures")
    assert cache_folder() == Path.home() / "pictures"


def test_without_a_setting_only_the_cache_is_looked_into(cache):
    assert data_folders() == (cache / "datasets",)


def test_named_folders_come_first_in_order_and_empty_parts_are_ignored(monkeypatch, tmp_path, cache):
    monkeypatch.setenv("LOOKALIKE_DATA", os.pathsep.join(["", str(tmp_path / "b"), "", str(tmp_path / "a")]))
    assert data_folders() == (tmp_path / "b", tmp_path / "a", cache / "datasets")


def test_find_prefers_the_first_folder_then_the_first_name(monkeypatch, tmp_path, cache):
    for path in ("a/second", "b/first", "b/second"):
        (tmp_path / path).mkdir(parents=True)
    (cache / "datasets" / "third").mkdir(parents=True)
    monkeypatch.setenv("LOOKALIKE_DATA", os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b")]))
    assert find("first", "second") == tmp_path / "a" / "second"
    assert find("first") == tmp_path / "b" / "first"
    assert find("third") == cache / "datasets" / "third"
    assert find("fourth") is None
