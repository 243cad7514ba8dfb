"""Options that belong together reach a command as one value, and typer one by one."""

import inspect
from dataclasses import dataclass, field
from typing import Annotated

import pytest
import typer

from lookalike.cli.option_groups import Fields, takes_groups
from lookalike.cli.options import ClusterMaking, MapDrawing, given, spelled
from lookalike.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Size:
    width: Annotated[int, typer.Option(metavar="PIXELS")] = 4
    height: Annotated[int, typer.Option(metavar="PIXELS")] = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    name: str
    epochs: int = 20
    report: list[str] = field(default_factory=list)


EPOCHS = Annotated[int, typer.Option(min=1)]
found: list[object] = []


def draw(
    *,
    file: Annotated[str, typer.Argument()],
    size: Size,
    settings: Annotated[Settings, Fields(name=Annotated[str, typer.Option()], epochs=EPOCHS)],
    dark: Annotated[bool, typer.Option("--dark")] = False,
) -> None:
    found[:] = [file, size, settings, dark]


def run(*words: str) -> None:
    program = typer.Typer(add_completion=False)
    program.command()(takes_groups(draw))
    program(words, standalone_mode=False)


def test_typer_sees_the_fields_in_the_place_of_the_group():
    parameters = inspect.signature(takes_groups(draw)).parameters
    assert list(parameters) == ["file", "width", "height", "name", "epochs", "dark"]
    assert parameters["width"].default == 4
    assert parameters["name"].default is inspect.Parameter.empty


def test_what_is_given_and_what_is_not_make_one_value():
    run("a.png", "--height", "9", "--name", "x")
    assert found == ["a.png", Size(4, 9), Settings(name="x"), False]
    run("a.png", "--epochs", "2", "--name", "y", "--dark")
    assert found == ["a.png", Size(), Settings(name="y", epochs=2), True]


def test_a_field_that_has_to_be_given_is_asked_for():
    with pytest.raises(typer.BadParameter.__base__, match="name"):
        run("a.png")


def test_fields_without_an_option_keep_their_defaults():
    with pytest.raises(typer.BadParameter.__base__, match="report"):
        run("a.png", "--name", "x", "--report", "y")


def test_a_group_and_a_field_of_another_may_have_the_same_name():
    @dataclass(frozen=True)
    class Paper:
        size: Annotated[str, typer.Option()] = "a4"

    def print_(*, size: Size, paper: Paper) -> None:
        found[:] = [size, paper]

    takes_groups(print_)(width=7, height=8, size="a3")
    assert found == [Size(7, 8), Paper("a3")]


def test_zero_is_given_and_false_is_not():
    assert given(ClusterMaking(random_state=0, eps=0.0)) == {"eps": 0.0, "random_state": 0}


def test_numbers_are_read_where_the_library_takes_numbers():
    assert ClusterMaking(k="12", algorithm="spectral").arguments() == {"algorithm": "spectral", "k": 12}
    with pytest.raises(
        InvalidInputError, match="-k is '2,3'; expected a whole number; several are tried with"
    ):
        ClusterMaking(k="2,3").arguments()


def test_a_command_is_spelled_so_that_a_shell_reads_it_back():
    assert spelled("map", "draw", "a b", o="x.png", dark=False, style=None) == (
        "lookalike map draw 'a b' -o x.png"
    )


def test_tiles_are_counted_only_where_there_are_tiles():
    with pytest.raises(InvalidInputError, match="--max-tiles is for --style tiles"):
        MapDrawing(max_tiles=9).check()
