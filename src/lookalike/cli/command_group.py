"""Groups of commands for typer, each of which is loaded when it is called: the help knows their lines."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import typer
import typer.core
import typer.main

from lookalike.cli.commands import Command, Group
from lookalike.cli.console import complain, is_for_person
from lookalike.cli.examples import EXAMPLES
from lookalike.cli.option_groups import takes_groups
from lookalike.errors import InvalidInputError
from lookalike.system import on_demand

Answering = Callable[[Callable[..., None]], Callable[..., None]]

_BARE = ""  # the name of what a group's own name does; nobody can type it
_HELP = ("-h", "--help")
_FILES = frozenset({"FILE", "DIR", "DEST", "OUT", "FOLDER", "PATH", "IMAGE", "OLD NEW", "QUERY"})
"""What stands in a metavar where the name of a file or folder is expected."""


class CommandGroup(typer.core.TyperGroup):
    """A group of `Command` and `Group` rows."""

    rows: ClassVar[Mapping[str, Command | Group]] = {}
    bare: ClassVar[Command | None] = None
    answering: ClassVar[Answering]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name, row in self.rows.items():  # as far as a list of them needs it
            self.commands[name] = typer.core.TyperCommand(name, help=row.help)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give words that no command of the group begins to the one that needs no name."""
        is_typed_yet = ctx.resilient_parsing  # and a shell is to complete it
        return super().parse_args(ctx, args if self.bare is None or is_typed_yet else self._named(args))

    def _named(self, args: list[str]) -> list[str]:
        first = args[0] if args else ""
        if first in self.commands:
            tell_if_there(first, os.path.isdir, "folder")
            return args
        if first and first[:1] != "-":  # a folder, or a mistake
            return [_BARE, *args] if os.path.isdir(first) else args
        return [_HELP[0]] if any(word in _HELP for word in args) else [_BARE, *args]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands and all that their lines say."""
        lines = [(name, row.help.split("\n\n")[0]) for name, row in self.rows.items()]
        with formatter.section("Commands"):
            formatter.write_dl(lines)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command as the help needs it; `resolve_command` loads it."""
        if cmd_name == _BARE and self.bare is not None:
            return typer.core.TyperCommand(_BARE)
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the words name, loaded, and the words that are left."""
        is_known = not args or args[0] == _BARE or args[0] in self.commands or args[0][:1] == "-"
        if not is_known and not ctx.resilient_parsing:
            from lookalike.cli.meanings import explain

            ctx.fail(explain(args[0], self.rows, ctx.command_path))
        name, command, rest = super().resolve_command(ctx, args)
        row = self.bare if name == _BARE else self.rows[name or ""]
        return name, command if row is None else load(name or "", row, type(self).answering), rest


def tell_if_there(word: str, is_there: Callable[[str], bool], kind: str) -> None:
    """Say that a word is taken as a command, where it could have been a file or folder instead."""
    if is_there(word):
        complain(f"{word} is taken as a command here; the {kind} of that name is .{os.sep}{word}")


def load(name: str, row: Command | Group, answering: Answering) -> Any:
    """Return a command, or a group of them, for typer to run."""
    if isinstance(row, Command):
        command = on_demand.load(f"lookalike.cli.{row.home}")
        program = new_typer()
        examples = [f"lookalike {each}" for each in EXAMPLES.get(row.home, ())]
        epilog = "\n\n".join(["For example:", *examples]) if examples else None
        program.command(name, cls=SectionedCommand, epilog=epilog)(answering(takes_groups(command)))
        return typer.main.get_command(program)
    return typer.main.get_group(
        new_typer(
            name=name,
            help=row.help,
            epilog=row.example,
            cls=group_class(row.commands, answering, row.bare),
            no_args_is_help=row.bare is None,
        )
    )


def new_typer(**options: Any) -> typer.Typer:
    """Return a typer application whose help has frames and colors where it is seen, and none in a pipe."""
    # Rich takes as long to load as all else that help needs, and its frames are for eyes.
    told: dict[str, Any] = {"add_completion": False, "rich_markup_mode": "rich" if is_for_person() else None}
    return typer.Typer(**told | options)


def group_class(
    rows: Mapping[str, Command | Group], answering: Answering, bare: Command | None = None
) -> type[CommandGroup]:
    """Return the class of a group of these commands, as typer wants it."""
    return type(
        "Commands", (CommandGroup,), {"rows": rows, "bare": bare, "answering": staticmethod(answering)}
    )


class SectionedCommand(typer.core.TyperCommand):
    """A command whose options stand under their headings in a plain help, too, as they do in rich's.

    Where it expects the name of a file or folder, it takes no empty text: Python would take that for the
    working directory.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options and arguments, also the option that shows the help."""
        params = list(super().get_params(ctx))
        for each in params:
            _say_in_words(each)
        return params

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words; raise InvalidInputError if the name of a file or folder is empty.

        A folder among them is the collection.
        """
        from lookalike.cli.folder_words import name_collection

        if ctx.resilient_parsing:  # what is being typed yet, for a shell to complete
            return super().parse_args(ctx, args)
        args = name_collection(self, ctx, args)
        words, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in self.params:
            metavar = parameter.metavar or ""
            if _FILES.intersection((*re.findall("[A-Za-z]+", metavar), metavar)) and parameter.name:
                given = words.get(parameter.name)
                if given == "" or (isinstance(given, list | tuple) and "" in given):
                    is_option = parameter.param_type_name == "option"
                    name = max(parameter.opts, key=len) if is_option else parameter.metavar
                    raise InvalidInputError(f"{name} is empty; expected the name of a file or folder")
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples, each on a line of its own, to be copied."""
        head, *examples = (self.epilog or "").split("\n\n")
        if examples:
            formatter.write(f"\n{head}\n")
            for each in examples:
                formatter.write(f"  {each}\n")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, by heading."""
        sections: dict[str, list[Any]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                kind = f"{parameter.param_type_name.capitalize()}s"
                heading = getattr(parameter, "rich_help_panel", None) or kind
                # Some versions of typer write the type behind an argument's name, which tells nobody more.
                name = parameter.metavar if kind == "Arguments" else None
                sections.setdefault(heading, []).append((name or record[0], record[1]))
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


def _say_in_words(parameter: Any) -> None:
    """Let a help with frames say what an option takes as a plain one does, and not by a type of Python's."""
    is_option = parameter.param_type_name == "option"
    takes = parameter.metavar if is_option and not parameter.is_flag else None
    # By some versions of typer; others say nothing beside the metavar.
    parameter.display_type_rich = lambda ctx=None: takes
    parameter._get_number_range_help_str = lambda: None
