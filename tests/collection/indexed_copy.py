"""Fixtures of tests that index a folder once, as `indexed`, and each change a copy of it."""

import shutil
from pathlib import Path

import pytest

from lookalike import Collection


@pytest.fixture
def folder(indexed: Path, tmp_path: Path) -> Path:
    """A copy of the module's indexed folder, with its collection."""
    return shutil.copytree(indexed, tmp_path / "photos")


@pytest.fixture
def photos(folder: Path) -> Collection:
    """The collection of that copy."""
    return Collection.open(folder)
