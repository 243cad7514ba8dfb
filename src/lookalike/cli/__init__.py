"""The command line: one file a command. It parses, calls `Collection`, and prints.

Exit codes: 0 done; 1 done, but images failed, with ``--strict``; 2 the request cannot be met; 130
interrupted; 141 nobody reads the output on.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, cast

import typer

from lookalike.cli.bench import bench
from lookalike.cli.cluster import cluster
from lookalike.cli.console import (
    complain,
    complain_of_output,
    hold_streams,
    naming_output,
    quieten_readers,
    spare_memory,
)
from lookalike.cli.datasets import datasets
from lookalike.cli.demo import demo
from lookalike.cli.evaluate import evaluate
from lookalike.cli.index import index
from lookalike.cli.info import info
from lookalike.cli.map import draw_map
from lookalike.cli.models import models
from lookalike.cli.reduce import reduce
from lookalike.cli.roots import roots
from lookalike.cli.search import search
from lookalike.cli.train import TRAININGS
from lookalike.errors import LookalikeError

# Typer brings click's errors along or imports click, by its version; BadParameter is what it names of them.
_USAGE_ERROR = cast("type[typer.BadParameter]", typer.BadParameter.__base__)

app = typer.Typer(
    name="lookalike",
    help="Point it at images: it finds look-alikes.",
    epilog="First: lookalike index PHOTOS. Then: lookalike search PHOTOS/one.jpg. Or just look:"
    " lookalike demo.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS: dict[str, Callable[..., None]] = {
    "index": index,
    "search": search,
    "cluster": cluster,
    "map": draw_map,
    "reduce": reduce,
    "evaluate": evaluate,
    "bench": bench,
    "info": info,
    "roots": roots,
    "models": models,
    "datasets": datasets,
    "demo": demo,
}


def _answering(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command end in one line on standard error, never in a traceback, for what its user did."""

    @functools.wraps(command)
    def answer(*arguments: object, **options: object) -> None:
        try:
            spare_memory()
            quieten_readers()
            command(*arguments, **options)
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
        except KeyboardInterrupt as interrupt:
            complain("interrupted; what was done is kept")
            raise typer.Exit(130) from interrupt

    return answer


_trainings = typer.Typer(no_args_is_help=True)
for _name, _command in COMMANDS.items():
    app.command(_name)(_answering(_command))
for _name, _command in TRAININGS.items():
    _trainings.command(_name)(_answering(_command))
app.add_typer(_trainings, name="train", help="Train a network on the collection's own images; needs torch.")


def _show_version(wanted: bool) -> None:
    if wanted:
        from lookalike import __version__

        print(f"lookalike {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None: ...


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits the process."""
    hold_streams()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] not in (*COMMANDS, "train") and (os.path.isfile(words[0]) or "://" in words[0]):
        words.insert(0, "search")  # a bare query
    try:
        with naming_output():  # of help and version; commands see to theirs
            code = app(words, prog_name="lookalike", standalone_mode=False)
            if sys.stdout is not None:
                sys.stdout.flush()
    except OSError as error:
        code = complain_of_output(error)
    except SystemExit as left:  # rich and typer leave with 1 when nobody reads on
        code = left.code
        if isinstance(left.__context__, BrokenPipeError):
            code = complain_of_output(left.__context__)
    except _USAGE_ERROR as error:
        _complain_of_usage(error)
        code = 2
    except typer.Abort:  # ctrl-C before the command itself has begun, by some versions of typer
        complain("interrupted")
        code = 130
    sys.exit(code or 0)


def _complain_of_usage(error: typer.BadParameter) -> None:
    """Say what typer found wrong in one line, as commands say what they find wrong."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return  # it has printed the help
    words = error.format_message()
    words = words[:1].lower() + words[1:].removesuffix(".")
    end = " " if words.endswith("?") else "; "
    complain(f"{words}{end}`{error.ctx.command_path} --help` says what there is" if error.ctx else words)
