"""What several tests use."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import settings

from lookalike.cli import main
from pictures import picture

collect_ignore_glob = ["*conftest.py"]  # they have no doctests, and all of them have one name

settings.register_profile("untimed", deadline=None)  # a machine that is busy is no fault
settings.load_profile("untimed")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of 6 pictures in 2 class folders, and a text file."""
    folder = tmp_path / "photos"
    for number in range(6):
        place = folder / ("cats" if number < 3 else "dogs")
        place.mkdir(parents=True, exist_ok=True)
        picture(number).save(place / f"{number}.png")
    (folder / "notes.txt").write_text("not a picture")
    return folder


@pytest.fixture
def call(capfdbinary, monkeypatch, request):
    """Run the command line in this process, which is quicker; give (exit code, output, complaints).

    It runs in `cwd`, or in the `folder` of the tests where they have one.
    """

    def call_(*words, cwd=None):
        if cwd is None:
            with contextlib.suppress(pytest.FixtureLookupError):
                cwd = request.getfixturevalue("folder")
        if cwd is not None:
            monkeypatch.chdir(cwd)
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        out, err = capfdbinary.readouterr()
        return left.value.code or 0, out.decode(errors="surrogateescape"), err.decode()

    return call_
