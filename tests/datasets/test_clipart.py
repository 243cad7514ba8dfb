import shutil
import stat
import sys
import time

import pytest

from lookalike.datasets import apt, clipart
from lookalike.errors import DatasetError

if sys.platform == "win32":
    pytest.skip("no apt there", allow_module_level=True)

DOWNLOADS = 'case "$*" in *download*) echo package > openclipart-png_1_all.deb ;; esac\n'
UNPACKS = f"""\
test "$1" = --extract && test -s "$2" || exit 1
mkdir -p "$3/{clipart.FOLDER}/animals"
echo picture > "$3/{clipart.FOLDER}/animals/cat.png"
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a stand-in for a program on the path; only stand-ins and the shell's own tools are there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("mkdir", "sleep"):
        (folder / tool).symlink_to(shutil.which(tool))
    monkeypatch.setenv("PATH", str(folder))

    def write(name, script):
        file = folder / name
        file.write_text(f"#!/bin/sh\n{script}")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    return write


@pytest.fixture
def working(program, tmp_path):
    """Stand-ins that do what is asked, and note it."""
    program("apt-get", f'echo "$@" >> "{tmp_path}/asked"\n{DOWNLOADS}')
    program("dpkg-deb", UNPACKS)


def left(cache):
    return {path.name for path in (cache / "datasets").iterdir() if not path.name.endswith(".lock")}


def test_without_the_package_nothing_is_found(tmp_path):
    assert clipart.find(system=tmp_path) is None


def test_installed_package_is_found(tmp_path):
    (tmp_path / clipart.FOLDER).mkdir(parents=True)
    found = clipart.find(system=tmp_path)
    assert found.root == tmp_path / clipart.FOLDER
    assert "installed" in found.origin


def test_package_is_fetched_once_and_found_again(working, tmp_path, cache):
    fetched = clipart.fetch()
    assert (fetched.root / "animals" / "cat.png").exists()
    assert fetched.labels
    assert left(cache) == {"openclipart-png"}
    assert [path.name for path in (cache / "datasets" / "openclipart-png").iterdir()] == ["usr"]
    assert clipart.find(system=tmp_path).root == fetched.root
    clipart.fetch()
    assert len((tmp_path / "asked").read_text().splitlines()) == 2  # one update, one download


def test_all_that_apt_writes_lies_in_the_cache(working, tmp_path, cache):
    clipart.fetch()
    for asked in (tmp_path / "asked").read_text().splitlines():
        for setting in ("Dir::State::lists", "Dir::Cache", "Dir::Cache::archives"):
            assert f"--option={setting}={cache}/" in asked


def test_class_of_a_picture_is_the_first_folder(working, tmp_path, cache):
    clipart.fetch()
    dataset = clipart.load()
    if clipart.find().root.is_relative_to(cache):  # else the real package is installed
        assert dataset.class_names == ("animals",)
    assert dataset.image_shape is None
    assert len(dataset.test_y) == 0


@pytest.mark.parametrize("missing", ["apt-get", "dpkg-deb"])
def test_missing_program_is_named(program, cache, missing):
    for name in {"apt-get", "dpkg-deb"} - {missing}:
        program(name, "exit 0\n")
    with pytest.raises(DatasetError, match=rf"needs {missing}.*\n.*dpkg-deb -x openclipart-png"):
        clipart.fetch()
    assert left(cache) == set()


def test_failing_download_gives_apts_last_words_in_one_line(program, cache):
    program(
        "apt-get",
        'case "$*" in\n'
        '*update) echo "W: Failed to fetch http://x/InRelease  Could not connect" >&2\n'
        '  echo "W: Some index files failed to download. They have been ignored." >&2 ;;\n'
        '*download*) echo "E: Unable to locate package openclipart-png" >&2; exit 100 ;;\n'
        "esac\n",
    )
    program("dpkg-deb", "exit 1\n")
    with pytest.raises(DatasetError) as caught:
        clipart.fetch()
    text = str(caught.value)
    assert "Unable to locate package openclipart-png; Failed to fetch http://x/InRelease Could not" in text
    assert str(cache / "datasets" / "openclipart-png") in text  # where to unpack it by hand
    assert "\n" not in text
    assert left(cache) == set()


def test_failing_update_does_not_matter_when_the_package_comes(program, cache):
    program("apt-get", 'case "$*" in *update) echo "E: dead" >&2; exit 100 ;; esac\n' + DOWNLOADS)
    program("dpkg-deb", UNPACKS)
    assert clipart.fetch().root.is_dir()


def test_damaged_package_is_an_error_and_leaves_nothing(program, cache):
    program("apt-get", DOWNLOADS)
    program("dpkg-deb", 'echo "dpkg-deb: error: not a Debian format archive" >&2; exit 2\n')
    with pytest.raises(DatasetError, match=r"cannot unpack openclipart-png: .*not a Debian format archive"):
        clipart.fetch()
    assert left(cache) == set()


def test_package_without_the_folder_is_an_error(program, cache):
    program("apt-get", DOWNLOADS)
    program("dpkg-deb", "exit 0\n")
    with pytest.raises(DatasetError, match=clipart.FOLDER):
        clipart.fetch()
    assert left(cache) == set()


def test_apt_that_hangs_is_ended(program, cache, monkeypatch):
    monkeypatch.setattr(apt, "UPDATE_PATIENCE", 0.3)
    monkeypatch.setattr(apt, "DOWNLOAD_PATIENCE", 0.3)
    program("apt-get", "exec sleep 60\n")
    program("dpkg-deb", "exit 0\n")
    start = time.monotonic()
    with pytest.raises(DatasetError, match=r"nothing came for 0\.3 seconds"):
        clipart.fetch()
    assert time.monotonic() - start < 20
    assert left(cache) == set()
