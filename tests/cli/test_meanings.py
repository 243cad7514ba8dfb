"""Words that are no command are answered by what they mean, from the table of the commands that exist."""

import json
import re

import pytest

import lookalike
from lookalike import Collection
from lookalike.cli.command_group import load
from lookalike.cli.commands import COMMANDS, Command, Group
from lookalike.cli.meanings import ELSEWHERE

GROUPS = {name: row for name, row in COMMANDS.items() if isinstance(row, Group)}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("find x.jpg", "no such command 'find'; that is `lookalike search` here; `lookalike --help` says"),
        ("Find x.jpg", "that is `lookalike search` here"),
        ("ls", "that is `lookalike list` here"),
        ("scan photos", "that is `lookalike index` here"),
        ("group", "that is `lookalike cluster` here"),
        ("pca 64", "that is `lookalike reduce` here"),
        ("finetune", "that is `lookalike train` here"),
        ("backup there", "that is `lookalike copy` here"),
        ("dedupe", "that is `lookalike duplicates` here"),
        ("gui", "there is no window: `lookalike search IMAGE --plot found.png`"),
        ("config", "there are no settings but a collection's: `lookalike info`"),
        ("delete x.jpg", "`lookalike index` lets go of files that are gone"),
        ("serch x.jpg", "no such command 'serch'. Did you mean 'search'? `lookalike --help`"),
        ("findd", "that is `lookalike search` here"),
        ("cluster rename 0=owls", "that is `lookalike cluster edit` here; `lookalike cluster --help`"),
        ("search x.jpg -n 3", "no such option: -n; how many is said with -k; `lookalike search --help`"),
        ("search x.jpg --threshold 0.8", "how like a hit has to be is said with --min-score"),
        ("map make --csv", "a file is said with -o"),
        ("info --limit 3", "no such option: --limit"),
        ("cluster search x.jpg", "that is `lookalike search`"),
        ("map map.png", "no such command 'map.png'; a file to be written goes behind -o"),
        (
            "sets photos",
            "photos is a folder, and no command: it goes behind one, as in `lookalike sets list photos`",
        ),
        ("photos", "photos is a folder, and no command: `lookalike index photos` makes it searchable"),
        ("xyzzy", "no such command 'xyzzy'; `lookalike --help` says what there is"),
    ],
)
def test_what_is_no_command_is_answered_by_what_it_means(call, tmp_path, words, told):
    (tmp_path / "photos").mkdir()
    code, out, err = call(*words.split(), cwd=tmp_path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err


def test_words_are_a_search(call, tmp_path):
    assert "for words: `lookalike search 'a red car'`" in call("a red car", cwd=tmp_path)[2]


@pytest.mark.parametrize("word", ["dedupe", "dedup", "duplicates"])
def test_duplicates_are_never_taken_for_a_reduction(call, tmp_path, word):
    assert "reduce" not in call(word, cwd=tmp_path)[2]


@pytest.mark.parametrize("rows", [COMMANDS, *(row.commands for row in GROUPS.values())])
def test_no_word_that_is_a_command_is_said_to_mean_another(rows):
    said = [word for row in rows.values() for word in row.also.split()]
    assert set(said).isdisjoint(rows)
    if rows is COMMANDS:
        assert set(ELSEWHERE).isdisjoint({*rows, *said})


@pytest.mark.parametrize(
    "line", sorted({line for said in ELSEWHERE.values() for line in re.findall("`(look[^`]*)`", said)})
)
def test_what_is_named_instead_can_be_typed(line):
    _, first, *rest = line.split()
    row = COMMANDS[first]
    if not isinstance(row, Command):
        row = row.commands.get(rest[0], row.bare)
    options = {each for parameter in load("", row, lambda command: command).params for each in parameter.opts}
    assert set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", " ".join(rest))) <= options


def test_help_and_version_are_taken_as_words_too(call):
    version = (0, f"lookalike {lookalike.__version__}\n", "")
    assert call("version") == call("-V") == call("--version") == version
    assert call("help") == call("--help")
    assert call("help", "search") == call("search", "--help")
    assert call("help", "cluster", "make") == call("cluster", "make", "--help")
    assert "that is `lookalike search` here" in call("help", "find")[2]


def test_the_default_model_is_chosen(call, photos):
    call("index", photos, "--model", "pixels-8-grey", "-q", cwd=photos)
    code, _, err = call("models", "--default", "pixels-16-rgb")
    assert (code, "run `lookalike index --model pixels-16-rgb` first" in err) == (2, True)
    call("index", "--model", "pixels-16-rgb", "-q")
    told = "pixels-16-rgb is the default model now; it was pixels-8-grey\n"
    assert call("models", "--default", "pixels-16-rgb") == (0, told, "")
    assert Collection.open(photos).model == "pixels-16-rgb"
    assert json.loads(call("search", "cats/0.png", "--json")[1])["model"] == "pixels-16-rgb"
    assert "pixels-16-rgb (default) 6, pixels-8-grey 6" in call("info")[1]
    # From outside, where the folder is the collection, and with what indexes afterwards.
    done = call("models", photos, "--default", "pixels-8-grey", "--json", cwd=photos.parent)[1]
    assert json.loads(done) == {"default": "pixels-8-grey", "before": "pixels-16-rgb"}
    (photos / "cats/0.png").unlink()
    call("index", photos, "-q")
    assert Collection.open(photos).models.names() == ["pixels-8-grey", "pixels-16-rgb"]
    for words in (
        ["--default", "nonsense"],
        ["--default", "pixels-8-grey", "--fetch", "lite0"],
        ["-c", photos],
    ):
        assert call("models", *words)[0] == 2
