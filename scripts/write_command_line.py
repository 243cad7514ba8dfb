"""Write the tables of options in docs/command-line.md, as the commands declare them.

    python scripts/write_command_line.py

A table stands between ``<!-- options of lookalike COMMAND -->`` and ``<!-- end -->``; all else is as it was.
What nearly all commands take stands once, without COMMAND.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lookalike.cli.command_group import load
from lookalike.cli.commands import COMMANDS, Command

PAGE = Path(__file__).parents[1] / "docs" / "command-line.md"
TABLE = re.compile(r"(<!-- options of lookalike([a-z ]*) -->\n).*?(<!-- end -->)", re.DOTALL)
COMMON = ("collection", "json", "quiet")


def main() -> None:
    """Write them."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def written(page: str) -> str:
    """Return the page with its tables as they should be."""
    return TABLE.sub(lambda found: f"{found[1]}\n{tables(found[2].strip())}\n{found[3]}", page)


def commands() -> dict[str, Command]:
    """Return all commands by their words, groups opened."""
    found: dict[str, Command] = {}
    for name, row in COMMANDS.items():
        if isinstance(row, Command):
            found[name] = row
        else:
            found |= {f"{name} {each}": command for each, command in row.commands.items()}
    return found


def tables(words: str) -> str:
    """Return the options of a command, a table for each of their headings; without words the common ones."""
    command = load("", commands()[words or "roots"], lambda function: function)
    by_heading: dict[str, list[str]] = {}
    for parameter in command.params:
        if (parameter.name in COMMON) == bool(words):
            continue
        heading = getattr(parameter, "rich_help_panel", None) or parameter.param_type_name.capitalize()
        by_heading.setdefault(heading, []).append(row(parameter))
    headings = sorted(by_heading, key=lambda heading: ("Argument", "Option", heading).index(heading))
    return "\n".join(
        "\n".join([f"| {heading.lower()} | |", "|---|---|", *by_heading[heading], ""]) for heading in headings
    )


def row(parameter: Any) -> str:
    """Return the row of an option or argument."""
    takes = "" if getattr(parameter, "is_flag", False) else str(parameter.metavar)
    names = ", ".join(parameter.opts) if parameter.param_type_name == "option" else ""
    told = parameter.help
    if parameter.required and names:
        told += " It has to be given."
    elif parameter.show_default and takes and parameter.default is not None:
        told += f" By default {parameter.default}."
    return "| `{}` | {} |".format(*(each.replace("|", r"\|") for each in (f"{names} {takes}".strip(), told)))


if __name__ == "__main__":
    main()
