"""The newcomer's first minute, whatever is within reach."""

import re
from pathlib import Path

import pytest

from lookalike.cli import main
from lookalike.datasets import ImageFolder, caltech101, clipart
from lookalike.demo import choose_source
from lookalike.errors import DatasetError


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """No data on this machine, and no network."""
    monkeypatch.delenv("LOOKALIKE_DATA", raising=False)
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(clipart, "find", lambda *_: None)

    def unreachable(**_):
        raise DatasetError("no network")

    monkeypatch.setattr(caltech101, "fetch", unreachable)
    monkeypatch.setattr(clipart, "fetch", unreachable)
    return monkeypatch


def folder_of(name: str, root: Path) -> ImageFolder:
    return ImageFolder(name, name, root, "public domain", f"made up in {root}", labels=True)


def test_the_sources_are_tried_in_order_and_what_was_missing_is_told(bare, photos):
    told = []
    digits = choose_source(tell=told.append)
    assert digits.images.name == "digits"
    assert "no network" in " ".join(digits.reasons)
    assert told[-1].startswith("Took the scanned digits")
    bare.setattr(clipart, "fetch", lambda **_: folder_of("clipart", photos))
    assert choose_source().images.name == "clipart"
    bare.setattr(caltech101, "fetch", lambda **_: folder_of("caltech-101", photos))
    assert choose_source().images.name == "caltech-101"
    place = photos.parent / "data/caltech-101/101_ObjectCategories/cup"
    place.mkdir(parents=True)
    bare.setenv("LOOKALIKE_DATA", str(photos.parent / "data"))
    found = choose_source()
    assert found.images.root == place.parent
    assert len(found.reasons) == 1


def test_what_is_named_is_taken_or_refused(bare, photos):
    assert choose_source(str(photos)).images.root == photos
    assert choose_source("digits").images.name == "digits"
    with pytest.raises(DatasetError, match="no network"):
        choose_source("clipart")
    with pytest.raises(DatasetError, match="neither a folder nor one of caltech-101, clipart, digits"):
        choose_source("imagenet")


def run(capsys, *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main(["demo", *words])
    out, err = capsys.readouterr()
    return left.value.code or 0, out, err


def test_the_page_holds_every_picture_and_command(bare, photos, tmp_path, capsys):
    bare.chdir(tmp_path)
    code, out, err = run(capsys, str(photos), "-o", "shown")
    assert (code, err) == (0, "")
    page = (tmp_path / "shown/index.html").read_text(encoding="utf-8")
    assert "6 pictures of" in page
    assert "http" not in re.sub(r"<pre>.*?</pre>", "", page)  # nothing is loaded from elsewhere
    sources = re.findall(r'<img src="([^"]{30})', page)
    assert len(sources) > 6
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    command = out.splitlines()[-1]
    assert "search -c shown/photos" in command
    assert (tmp_path / "shown/index.html").as_uri() in out


def test_a_second_demo_finds_its_collection_again(bare, photos, tmp_path, capsys):
    bare.chdir(tmp_path)
    run(capsys, str(photos))
    first = (tmp_path / "lookalike-demo/index.html").read_text(encoding="utf-8")
    code, out, _ = run(capsys, str(photos))
    assert (code, "nothing new" in out) == (0, True)
    second = (tmp_path / "lookalike-demo/index.html").read_text(encoding="utf-8")
    assert re.findall(r"<h2>.*?</h2>", first) == re.findall(r"<h2>.*?</h2>", second)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_pictures_are_one_line(bare, tmp_path, photos, capsys, count):
    folder = tmp_path / "few"
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.png").write_bytes((photos / f"cats/{number}.png").read_bytes())
    bare.chdir(tmp_path)
    code, out, err = run(capsys, str(folder), "-q")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"holds {count} readable images; the demo needs at least 2" in err


def test_two_pictures_without_labels_are_enough(bare, tmp_path, photos, capsys):
    folder = tmp_path / "two"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.png").write_bytes((photos / f"cats/{number}.png").read_bytes())
    bare.chdir(tmp_path)
    code, _, _ = run(capsys, str(folder))
    assert code == 0
    page = (tmp_path / "lookalike-demo/index.html").read_text(encoding="utf-8")
    assert "has a label" in page


def test_the_digits_make_a_page_without_any_network(bare, tmp_path, capsys):
    bare.chdir(tmp_path)
    code, out, err = run(capsys)
    assert code == 0
    assert "Tried the clip art" in err
    assert "1,797 images" in out
    precision = float(re.search(r"P@1 ([0-9.]+)", out)[1])
    assert precision > 0.85  # measured: 0.870
