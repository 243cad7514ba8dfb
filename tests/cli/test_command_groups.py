"""Commands in groups: their helps, and what a word is taken for."""

import importlib
import inspect
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from running import run

from lookalike import Collection
from lookalike.cli.commands import COMMANDS, Command, Group

ALL = {name: row for name, row in COMMANDS.items() if isinstance(row, Command)} | {
    f"{name} {each}": command
    for name, row in COMMANDS.items()
    if isinstance(row, Group)
    for each, command in row.commands.items()
}
GROUPS = [name for name, row in COMMANDS.items() if isinstance(row, Group)]


@pytest.fixture
def pixels(call, photos):
    """The photos, indexed by their pixels."""
    assert call("index", photos, "--model", "pixels-8-grey", "-q", cwd=photos)[0] == 0
    return photos


@pytest.mark.parametrize("words", ALL)
def test_the_line_of_a_command_is_the_first_of_its_own_help(call, words):
    module, _, function = ALL[words].home.partition(":")
    command = getattr(importlib.import_module(f"lookalike.cli.{module}"), function)
    assert inspect.getdoc(command).split("\n\n")[0].replace("\n", " ") == ALL[words].help
    code, out, err = call(*words.split(), "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: lookalike {words} [OPTIONS]")
    assert ALL[words].help in " ".join(out.split())


@pytest.mark.parametrize("name", GROUPS)
def test_the_help_of_a_group_has_its_commands_and_an_example(call, name):
    group = COMMANDS[name]
    code, out, err = call(name, "--help")
    told = " ".join(out.split())
    assert (code, err) == (0, "")
    assert group.help.split("\n\n")[0] in told
    for each, command in group.commands.items():
        assert f"{each} {command.help}" in told
    assert " ".join(group.example.split()) in told
    assert call(name, "-h")[:2] == (code, out)


@pytest.mark.parametrize("words", [["cluster", "-k", "3", "--help"], ["map", "-o", "x.png", "-h"]])
def test_help_behind_options_is_that_of_the_group(call, words):
    assert call(*words)[1] == call(words[0], "--help")[1]


def test_the_first_line_of_a_group_is_what_the_help_of_all_says(call):
    told = " ".join(call("--help")[1].split())
    for name, row in COMMANDS.items():
        assert f"{name} {row.help.splitlines()[0]}" in told


def test_help_has_frames_where_it_is_seen_and_none_in_a_pipe(call, monkeypatch):
    assert "╭" not in call("search", "--help")[1]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    for words, heading in ((["search"], "Filters"), (["cluster"], "Commands"), ([], "Commands")):
        framed = re.sub(r"\x1b\[[0-9;]*m", "", call(*words, "--help")[1])
        assert f"╭─ {heading} ─" in framed


def test_options_stand_under_their_headings_in_a_pipe_too(call):
    out = call("search", "--help")[1]
    headings = [line for line in out.splitlines() if line.endswith(":") and line[0] != " "]
    assert headings == ["Arguments:", "Options:", "Query:", "Filters:", "Search index:", "For example:"]


def test_help_loads_no_command(photos):
    code = "import sys; from lookalike.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "print(*[name for name in sys.modules if name.startswith(('lookalike.cli', 'rich', 'pydantic'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1].split()
    assert set(loaded) <= {
        "lookalike.cli",
        *(
            f"lookalike.cli.{each}"
            for each in ("commands", "command_group", "console", "examples", "option_groups")
        ),
        "lookalike.cli.hints",
    }


def test_the_bare_group_makes_clusters_and_says_nothing_of_spellings(call, pixels):
    code, out, err = call("cluster", "-k", "2", "--json", cwd=pixels)
    assert (code, err, json.loads(out)["parameters"]) == (0, "", {"k": 2})
    assert call("cluster", "make", "-k", "2", "--json")[1].count("cluster") == out.count("cluster")
    code, out, err = call("cluster", "--plot", "sheet.png", "--name", "mine", "-q")
    assert (code, out, err) == (0, "", "saved sheet.png\n")
    assert "mine" in Collection.open(pixels).clusterings


def test_a_folder_behind_a_group_is_the_collection(call, pixels, tmp_path):
    code, out, err = call("cluster", "photos", "-k", "2", "--json", cwd=tmp_path)
    assert (code, err, json.loads(out)["name"]) == (0, "", "kmeans")
    code, _, err = call("map", "photos", "--method", "pca", "-q", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert Collection.open(pixels).maps.names() == ["pca"]


def test_a_command_wins_over_a_folder_of_its_name_and_says_so(call, pixels):
    for name in ("list", "draw"):
        shutil.copytree(pixels, pixels.parent / "two" / name)
    pixels.rename(pixels.parent / "two" / "photos")
    cwd = pixels.parent / "two"
    code, out, err = call("cluster", "list", "-c", "photos", cwd=cwd)
    told = f"lookalike: list is taken as a command here; the folder of that name is .{os.sep}list\n"
    assert (code, out, err.partition("there is no clustering")[0]) == (0, "", told)
    code, out, err = call("cluster", f".{os.sep}list", "-k", "2", "-q")
    assert (code, err) == (0, "")
    assert Collection.open(cwd / "list").clusterings.names() == ["kmeans"]
    assert Collection.open(cwd / "photos").clusterings.names() == []
    assert "draw is taken as a command" in call("map", "draw", "-c", "photos")[2]


def test_a_command_wins_over_a_file_of_its_name_and_says_so(call, pixels):
    shutil.copy(pixels / "cats/0.png", pixels / "search")
    code, out, err = call("search", "cats/1.png", "-k", "1", "-f", cwd=pixels)
    assert (code, out.count("\n")) == (0, 1)
    assert err == f"lookalike: search is taken as a command here; the file of that name is .{os.sep}search\n"
    code, out, err = call(f".{os.sep}search", "-k", "1", "-f")
    assert (code, out.count("\n")) == (0, 1)
    assert err == f"lookalike: .{os.sep}search is already here as cats/0.png\n"


@pytest.mark.parametrize(
    "words", [["cluster", "list"], ["map", "list"], ["search", "cats/1.png"], ["train", "--help"], ["info"]]
)
def test_a_word_that_can_only_be_a_command_needs_no_line(call, pixels, words):
    # A folder is no query, and there is nothing else that `train` could be told.
    (pixels / words[0]).mkdir()
    assert "is taken as a command" not in call(*words, cwd=pixels)[2]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["cluster", "nowhere"], "no such command 'nowhere'; `lookalike cluster --help` says what there is"),
        (["cluster", "shw"], "no such command 'shw'. Did you mean 'show'? `lookalike cluster --help`"),
        (
            ["cluster", "-k"],
            "option '-k' requires an argument",
        ),
        (["cluster", "delete"], "missing argument 'NAME'; `lookalike cluster delete --help`"),
        (["cluster", "export"], "missing option '--to'; `lookalike cluster export --help`"),
        (["cluster", "edit"], "nothing is to be changed; expected --rename, --merge, --move or --assign"),
        (["cluster", "show"], "there is no clustering in this collection yet"),
        (["cluster", "show", "x"], "there is no clustering 'x'"),
        (["map", "draw"], "there is no map in this collection yet"),
        (["map", "draw", "x"], "there is no map 'x'"),
        (["map", "delete", "x"], "there is no map 'x'"),
    ],
)
def test_what_a_group_cannot_do_is_one_line(call, pixels, words, message):
    code, out, err = call(*words, cwd=pixels)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_the_commands_of_clusters_go_together(call, pixels):
    assert "made kmeans" not in call("cluster", "make", "-k", "2", "-q", cwd=pixels)[1]
    shown = call("cluster", "show")
    assert shown == call("cluster", "show", "kmeans")
    assert len(shown[1].splitlines()) == 2
    code, out, _ = call("cluster", "edit", "--rename", "0=owls", "--json")
    assert (code, json.loads(out)["clusters"][0]["name"]) == (0, "owls")
    code, out, err = call("cluster", "export", "--to", "out.csv")
    assert (code, out, err) == (0, "exported 6 images to out.csv\n", "")
    assert "owls" in (pixels / "out.csv").read_text()
    code, out, _ = call("cluster", "export", "kmeans", "--to", "folders", "--as", "copy", "--json")
    assert json.loads(out) == {"name": "kmeans", "exported": 6, "to": "folders", "as": "copy"}
    assert call("cluster", "delete", "kmeans") == (0, "deleted kmeans\n", "")
    none = "there is no clustering in this collection yet; make one with `lookalike cluster make`\n"
    assert call("cluster", "list") == (0, "", none)


def test_the_commands_of_maps_go_together(call, pixels):
    code, out, _ = call("map", "make", "--method", "pca", cwd=pixels)
    assert (code, out.splitlines()[-1]) == (0, "to see it: lookalike map draw pca -o map.png")
    assert call("map", "draw", "-o", "map.png", "-q") == (0, "", "saved map.png\n")
    made = json.loads(call("map", "draw", "pca", "--json")[1])
    assert (made["made_now"], made["placed_now"]) == (False, 0)
    assert json.loads(call("map", "make", "--method", "pca", "--json")[1])["made_now"] is True
    assert call("map", "delete", "pca")[:2] == (0, "deleted pca\n")


def test_several_maps_of_which_none_is_usual_have_to_be_named(call, pixels):
    for name in ("one", "two"):
        assert call("map", "make", "--method", "pca", "--name", name, "-q", cwd=pixels)[0] == 0
    code, _, err = call("map", "draw")
    assert (code, "there are several maps: one, two" in err) == (2, True)


def test_the_real_program_lists_what_is_kept(pixels):
    assert run("cluster", "-k", "2", "-q", cwd=pixels).returncode == 0
    listed = run("cluster", "list", cwd=pixels)
    assert (listed.returncode, listed.stderr) == (0, b"")
    assert listed.stdout.startswith(b"kmeans\tkmeans\tk = 2\tpixels-8-grey\t2 clusters\t6 images\t")
