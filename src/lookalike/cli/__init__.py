"""The command line: one file a command. It parses, calls `Collection`, and prints.

Exit codes: 0 done; 1 done, but images failed, with ``--strict``; 2 the request cannot be met; 130
interrupted; 141 nobody reads the output on.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, cast

import typer

from lookalike.cli.command_group import group_class, new_typer, tell_if_there
from lookalike.cli.commands import COMMANDS
from lookalike.cli.console import (
    complain,
    complain_of_library,
    complain_of_output,
    have_handles,
    hold_streams,
    naming_output,
    print_bytes,
    quieten_readers,
    spare_memory,
    tell_of_damage,
)
from lookalike.errors import CancelledError, LookalikeError, is_panic

# Typer brings click's errors along or imports click, by its version; BadParameter is what it names of them.
_USAGE_ERROR = cast("type[typer.BadParameter]", typer.BadParameter.__base__)

# Types, as typer says them by way of pydantic.
_PLAIN = (
    (r"Input should be a valid integer\b[^;]*", "expected a whole number"),
    (r"Input should be a valid number\b[^;]*", "expected a number"),
    (r"Input should be greater than or equal to (\S+)", r"expected \1 or more"),
    (r"Input should be less than or equal to (\S+)", r"expected \1 or less"),
)

_INTERRUPTED = "interrupted; what was done is kept"


def _answering(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command end in one line on standard error, never in a traceback, for what its user did."""

    @functools.wraps(command)
    def answer(*arguments: object, **options: object) -> None:
        try:
            have_handles()
            spare_memory()
            quieten_readers()
            tell_of_damage()
            command(*arguments, **options)
        except CancelledError as error:
            complain(_INTERRUPTED if str(error) == "cancelled" else error)
            raise typer.Exit(130) from error
        except LookalikeError as error:
            complain(error)
            raise typer.Exit(2) from error
        except OSError as error:
            # Whatever the system refuses that the library did not foresee, a deleted working directory, say.
            raise typer.Exit(complain_of_output(error)) from error
        except MemoryError as error:
            complain(
                f"there is too little memory for this{f' ({error})' if str(error) else ''}; close other"
                " programs, or ask for less"
            )
            raise typer.Exit(2) from error
        except ImportError as error:
            raise typer.Exit(complain_of_library(error)) from error
        except KeyboardInterrupt as interrupt:
            complain(_INTERRUPTED)
            raise typer.Exit(130) from interrupt
        except BaseException as error:
            # Rust code does so where it cannot have a thread or a handle.
            if not is_panic(error) and "start new thread" not in str(error):
                raise
            raise typer.Exit(complain_of_library(error)) from error

    return answer


def _show_version(wanted: bool) -> None:
    if wanted:
        from lookalike import __version__

        print(f"lookalike {__version__}")
        raise typer.Exit


def _show_manual(wanted: bool) -> None:
    if wanted:
        from lookalike.cli.manual import manual_page

        print_bytes(manual_page().encode())
        raise typer.Exit


def _program() -> typer.Typer:
    program = new_typer(
        name="lookalike",
        cls=group_class(COMMANDS, _answering),
        help="Point it at images: it finds look-alikes.",
        epilog="First: lookalike index PHOTOS. Then: lookalike search PHOTOS/one.jpg. Or just look:"
        " lookalike demo.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    program.callback()(_root)
    return program


def _root(
    version: Annotated[
        bool, typer.Option("-V", "--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    manual: Annotated[
        bool,
        typer.Option(
            "--manual",
            callback=_show_manual,
            is_eager=True,
            help="Print the manual page, for man: lookalike --manual | man -l -",
        ),
    ] = False,
) -> None: ...


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits the process."""
    hold_streams()
    words = _as_options(list(sys.argv[1:] if arguments is None else arguments))
    if words and words[0] in COMMANDS:
        tell_if_there(words[0], os.path.isfile, "file")
    elif words and not words[0].startswith("-") and _is_bare_query(words[0]):
        words.insert(0, "search")
    try:
        with naming_output():  # of help and version; commands see to theirs
            code = _program()(words, prog_name="lookalike", standalone_mode=False)
            if sys.stdout is not None:
                sys.stdout.flush()
    except OSError as error:
        code = complain_of_output(error)
    except SystemExit as left:  # rich and typer leave with 1 when nobody reads on
        code = left.code
        if isinstance(left.__context__, BrokenPipeError):
            code = complain_of_output(left.__context__)
    except (ImportError, MemoryError) as error:  # of a command that could not even be loaded
        code = complain_of_library(error)
    except _USAGE_ERROR as error:
        _complain_of_usage(error)
        code = 2
    except LookalikeError as error:
        complain(error)
        code = 2
    except typer.Abort:  # ctrl-C before the command itself has begun, by some versions of typer
        complain("interrupted")
        code = 130
    sys.exit(code or 0)


def _as_options(words: list[str]) -> list[str]:
    """Return ``help …`` and ``version`` as the options that they are here."""
    if words[:1] == ["help"]:
        return [*words[1:], "--help"]
    return ["--version", *words[1:]] if words[:1] == ["version"] else words


def _is_bare_query(word: str) -> bool:
    from lookalike.query.reading import is_bare_query  # which needs numpy; help and version do without

    return is_bare_query(word)


def _meaning_of_option(error: typer.BadParameter) -> str:
    """Say what is meant by an option that is none; nothing if that is not known, or it is another error."""
    from lookalike.cli.meanings import explain_option

    name = getattr(error, "option_name", None)
    if type(error).__name__ != "NoSuchOption" or name is None or error.ctx is None:
        return ""
    options = [option for each in error.ctx.command.params for option in each.opts]
    meant = explain_option(name, options)
    return meant and f"{error.message}; {meant}"


def _complain_of_usage(error: typer.BadParameter) -> None:
    """Say what typer found wrong in one line, as commands say what they find wrong."""
    if type(error).__name__ == "NoArgsIsHelpError":
        if error.message:  # the help; nothing where it has been printed already, with frames
            with naming_output():
                print(error.message)
        return
    words = _meaning_of_option(error) or error.format_message()
    for pattern, plain in _PLAIN:
        words = re.sub(pattern, plain, words)
    words = words[:1].lower() + words[1:].removesuffix(".")
    end = " " if words.endswith("?") else "; "
    complain(
        f"{words}{end}`{error.ctx.command_path.strip()} --help` says what there is" if error.ctx else words
    )
