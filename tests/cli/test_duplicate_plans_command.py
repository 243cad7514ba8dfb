"""What is done about duplicates, as a person does it on the command line."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from pictures import scene

SOURCE = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture
def folder(tmp_path, monkeypatch, call):
    """Three scenes, a copy of the first with a side file, and a smaller one of the second; indexed."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    place = tmp_path / "photos"
    (place / "copies").mkdir(parents=True)
    for number in range(3):
        scene(number).save(place / f"{number}.jpg", quality=95)
    shutil.copy(place / "0.jpg", place / "copies" / "0.jpg")
    (place / "copies" / "0.xmp").write_text("<x/>")
    Image.open(place / "1.jpg").resize((180, 120)).save(place / "copies" / "1.jpg", quality=90)
    assert call("index", ".", "--model", "pixels-8-grey", "-q", cwd=place)[0] == 0
    return place


@pytest.fixture
def plan(folder, call):
    """A plan of it."""
    code, _, complaints = call("duplicates", "plan", "-o", "../plan.json", "-q")
    assert code == 0, complaints
    return folder.parent / "plan.json"


def names(folder):
    return {
        each.relative_to(folder).as_posix() for each in folder.rglob("*.*") if ".lookalike" not in each.parts
    }


def test_a_plan_is_written_and_said_in_a_line(folder, call):
    code, output, complaints = call("duplicates", "plan", "-o", "../plan.json")
    assert code == 0
    assert "2 files (1 identical, 1 same) and 1 file that belongs to them" in output
    assert "lookalike duplicates apply ../plan.json --trash" in complaints
    code, _, complaints = call("duplicates", "plan", "-o", "../plan.json")
    assert code == 2
    assert "is there already" in complaints


def test_a_plan_takes_the_filters_that_the_groups_take(folder, call):
    code, output, _ = call("duplicates", "plan", "-o", "../p.json", "--kind", "identical", "--json")
    assert code == 0
    assert [row["kind"] for row in json.loads(output)["rows"]] == ["identical"]


@pytest.mark.parametrize("way", [("--trash",), ("--move", "../away"), ("--hardlink",)])
def test_a_plan_is_followed_and_undone(folder, plan, call, way):
    before = {name: (folder / name).read_bytes() for name in names(folder)}
    code, output, _ = call("duplicates", "apply", plan, *way)
    assert code == 0
    assert "put away" in output
    assert "undo takes it back" in output
    code, output, complaints = call("duplicates", "undo")
    assert code == 0, complaints
    assert "put back" in output
    assert {name: (folder / name).read_bytes() for name in names(folder)} == before
    code, output, _ = call("index")
    assert code == 0


def test_a_dry_run_names_every_file_and_touches_none(folder, plan, call):
    before = names(folder)
    code, output, _ = call("duplicates", "apply", plan, "--move", "../away", "--dry-run")
    assert code == 0
    assert "move: copies/0.jpg → ../away/photos/copies/0.jpg" in output
    assert "3 files would be put away" in output
    assert names(folder) == before


def test_what_is_left_is_named_with_its_reason(folder, plan, call):
    (folder / "copies" / "1.jpg").write_bytes(b"edited")
    code, output, _ = call("duplicates", "apply", plan, "--trash")
    assert code == 0
    assert "left: copies/1.jpg: it has another content than the plan says" in output
    code, output, _ = call("duplicates", "apply", plan, "--trash", "--json")
    document = json.loads(output)
    assert (document["act"], document["done"], document["skipped"]) == (None, 0, 2)


@pytest.mark.parametrize("ways", [(), ("--trash", "--hardlink"), ("--trash", "--move", "x")])
def test_one_way_has_to_be_named(folder, plan, call, ways):
    code, _, complaints = call("duplicates", "apply", plan, *ways)
    assert code == 2
    assert "one of --trash, --move DIR and --hardlink" in complaints


@pytest.mark.parametrize("content", ["", "{}", '{"format": "lookalike duplicate plan", "version": 1}'])
def test_a_bad_plan_is_a_sentence(folder, call, content):
    (folder.parent / "bad.json").write_text(content)
    code, output, complaints = call("duplicates", "apply", "../bad.json", "--trash")
    assert (code, output) == (2, "")
    assert complaints.startswith("lookalike: ../bad.json")
    assert len(complaints.splitlines()) == 1


def test_an_undo_of_nothing_is_a_sentence(folder, call):
    code, _, complaints = call("duplicates", "undo")
    assert (code, len(complaints.splitlines())) == (2, 1)


@pytest.mark.parametrize("form", ["csv", "json", "sh"])
def test_a_list_is_written_by_its_ending_or_as_is_said(folder, call, form):
    assert call("duplicates", "export", "-o", f"../list.{form}")[0] == 0
    assert call("duplicates", "export", "-o", "../list", "--form", form)[0] == 0
    assert (folder.parent / "list").read_bytes() == (folder.parent / f"list.{form}").read_bytes()
    assert "copies/0.jpg" in (folder.parent / "list").read_text()
    assert (folder / "copies" / "0.jpg").exists()


def on_terminal(folder, words, answer):
    """Run a command on a terminal, and answer what it asks."""
    main, other = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    process = subprocess.Popen(
        [sys.executable, "-m", "lookalike", *map(str, words)],
        cwd=folder, env=environment, stdin=other, stdout=other, stderr=other,
    )  # fmt: skip
    os.close(other)
    os.write(main, answer)
    said = b""
    while True:
        try:
            block = os.read(main, 4096)
        except OSError:
            break
        if not block:
            break
        said += block
    os.close(main)
    assert process.wait(60) == 0, said
    return said.decode()


def test_on_a_terminal_it_asks_before_and_no_is_no(folder, plan):
    assert "nothing was done" in on_terminal(folder, ["duplicates", "apply", plan, "--trash"], b"n\n")
    assert (folder / "copies" / "0.jpg").exists()
    assert "Go on?" in on_terminal(folder, ["duplicates", "apply", plan, "--trash"], b"y\n")
    assert not (folder / "copies" / "0.jpg").exists()


def test_yes_is_not_asked_again(folder, plan):
    assert "Go on?" not in on_terminal(folder, ["duplicates", "apply", plan, "--trash", "--yes"], b"")
    assert not (folder / "copies" / "0.jpg").exists()
