"""What shells and `man` are given: completions, the manual page, examples; from the table of commands."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from lookalike.cli.command_group import load
from lookalike.cli.commands import COMMANDS
from lookalike.cli.examples import EXAMPLES
from lookalike.cli.manual import all_commands

ALL = dict(all_commands(COMMANDS))


@pytest.mark.parametrize("words", ALL)
def test_each_help_has_two_examples_of_that_command_with_options_that_it_takes(call, words):
    row = ALL[words]
    told = call(*words.split(), "--help")[1]
    command = load("", row, lambda function: function)
    options = {each for parameter in command.params for each in (*parameter.opts, *parameter.secondary_opts)}
    first, second = EXAMPLES[row.home]
    assert first != second
    for each in (first, second):
        assert each == words or each.startswith(f"{words} ")
        assert f"\n  lookalike {each}\n" in told
        assert set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", each)) <= options


def test_helps_have_words_for_types_where_they_are_seen(call, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    for words in ALL:
        assert not re.search(
            r"<\w+|x>=|range\b\]", re.sub(r"\x1b\[[0-9;]*m", "", call(*words.split(), "-h")[1])
        ), words


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["search", "x", "-k", "many"], "'--top': expected a whole number; `lookalike search --help`"),
        (["search", "x", "-k", "0"], "'--top': expected 1 or more; "),
        (["search", "x", "--recall", "all"], "'--recall': expected a number; "),
    ],
)
def test_wrong_values_are_told_in_words(call, words, told):
    code, _, err = call(*words)
    assert (code, told in err) == (2, True)


@pytest.mark.parametrize(
    ("typed", "offered", "not_offered"),
    [
        ("lookalike se", {"search", "sets"}, {"cluster"}),
        ("lookalike search --min-s", {"--min-size", "--min-sharpness"}, {"--max-size"}),
        ("lookalike cluster e", {"edit", "export"}, {"make"}),
        ("lookalike cluster make --al", {"--algorithm"}, {"--name"}),
    ],
)
def test_shells_complete_commands_and_options(tmp_path, typed, offered, not_offered):
    words = typed.split(" ")
    environment = {
        **os.environ,
        "_LOOKALIKE_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) - 1),
    }
    program = [sys.executable, "-m", "lookalike"]
    done = subprocess.run(program, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    found = set(done.stdout.split())
    assert (offered <= found, found & not_offered, done.stderr) == (True, set(), "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_shown_for_each_shell(call, monkeypatch, shell):
    monkeypatch.setattr("shellingham.detect_shell", lambda *_: (shell, f"/bin/{shell}"))
    code, out, _ = call("--show-completion")
    assert (code, "_LOOKALIKE_COMPLETE" in out, f"complete_{shell}" in out) == (0, True, True)


def test_the_manual_has_every_command_and_option(call):
    code, page, err = call("--manual")
    assert (code, err) == (0, "")
    for words, row in ALL.items():
        assert f'.SS "lookalike {words}' in page
        for parameter in load("", row, lambda function: function).params:
            for name in parameter.opts if parameter.param_type_name == "option" else ():
                assert name.replace("-", r"\-") in page
    assert not [line for line in page.splitlines() if re.match(r"\.(?!TH|SH|SS|TP|PP|nf|fi)", line)]


@pytest.mark.skipif(shutil.which("man") is None, reason="no man here")
def test_man_reads_the_manual(call):
    page = call("--manual")[1].encode()
    done = subprocess.run(["man", "--warnings", "-l", "-"], input=page, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
