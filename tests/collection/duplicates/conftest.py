"""What several tests of duplicates use."""

import pytest

from duplicate_scenes import Scene


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A collection with pictures that are there twice, and a trash of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return Scene(tmp_path)
