"""Public functions and commands with absurd values: a short share of the campaign `faults.absurd_calls`."""

import random
import warnings

import numpy as np
import pytest
from faults.absurd_calls import Call, choose, try_call, try_calls
from faults.absurd_commands import LEFT_OUT as COMMANDS_LEFT_OUT
from faults.absurd_commands import command_doors, try_commands
from faults.absurd_values import KINDS, Absurd
from faults.public_doors import LEFT_OUT, Door, doors, public_paths
from faults.report import Asked, Report
from faults.scene import Scene

import lookalike
from lookalike.cli.commands import COMMANDS, Command


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return Scene(tmp_path_factory.mktemp("absurd"))


@pytest.fixture(autouse=True)
def somewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # and back, from where calls were tried


def test_every_public_function_is_in_the_table():
    found, untold = doors()
    assert untold == []
    there = {path for path, _ in public_paths()}
    assert {path.split("()")[0] for path in LEFT_OUT if "." not in path} <= there
    called = {door.path.split("(")[0].removesuffix("()") for door in found}
    classes = {path.rpartition(".")[0] for path in called}
    for path, thing in public_paths():
        if callable(thing) and not isinstance(thing, type) and hasattr(thing, "__code__"):
            assert path in called or path in LEFT_OUT, path
    assert {"Collection", "cluster.KMeans", "index.Exact", "Clusterings", "PCA"} <= classes


def test_every_command_and_option_is_in_the_table():
    there = {door.command for door in command_doors()}
    for name, row in COMMANDS.items():
        if isinstance(row, Command):
            assert name in there
        else:
            assert {f"{name} {each}" for each in row.commands} <= there
    assert set(COMMANDS_LEFT_OUT) <= set(COMMANDS)
    options = {(door.command, door.option) for door in command_doors()}
    assert ("search", "--json") in options
    assert ("cluster make", "--eps") in options


def test_absurd_calls_get_an_answer_or_an_error_of_ours(scene):
    report = Report("absurd_calls", Asked(0.01, seed=7))
    quick = [
        door for door in doors()[0] if not door.path.startswith(("bench", "Evaluations", "drawing", "plots"))
    ]
    try_calls(choose(quick, report.asked), scene, report)
    assert report.faults == []
    assert sum(report.counts.values()) > 30


def test_absurd_commands_end_in_one_line(scene):
    report = Report("absurd_calls", Asked(0.004, seed=3))
    try_commands(report.asked, scene, report)
    assert report.faults == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_has_values_with_names_of_their_own(kind):
    names = [each.name for each in KINDS[kind]]
    assert len(set(names)) == len(names) > 3


def tried(function, scene, verdict="either"):
    """Return what the campaign says of a function that gets a 1."""
    door = Door("f", lambda at: function, {"value": "whole"}, {"value": 1})
    return try_call(Call(door, {"value": Absurd("one", lambda plain, folder: 1, verdict)}), scene, {})


def test_the_campaign_finds_what_is_wrong(scene, capfd):
    def warn(value):
        warnings.warn("careful", RuntimeWarning, stacklevel=1)

    def say(value):
        import os

        os.write(2, b"oh\n")

    def refuse(value):
        raise lookalike.InvalidInputError("no")

    chance = random.Random(0)
    assert tried(lambda value: value, scene) == ""
    assert tried(refuse, scene) == ""
    assert "took" in tried(lambda value: value, scene, "refused")
    assert "RuntimeWarning" in tried(warn, scene)
    assert "said" in tried(say, scene)
    assert "KeyError" in tried(lambda value: {}[value], scene)
    assert "NaN" in tried(lambda value: {"a": [np.float32("nan")]}, scene)
    assert "another answer" in tried(lambda value: chance.random(), scene, "same")
