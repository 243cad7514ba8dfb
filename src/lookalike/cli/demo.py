"""``lookalike demo``: the newcomer's first minute."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from lookalike.cli.console import printable, relative, say, sync_progress
from lookalike.cli.options import JobsOption, QuietOption


def demo(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[SOURCE]",
            help="A folder of yours, or caltech-101, clipart or digits. By default the first within reach.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where the page and its collection go.")
    ] = Path("lookalike-demo"),
    jobs: JobsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Index real pictures, search them, and leave a page to look at: lookalike-demo/index.html.

    The pictures are the first of these that can be had: Caltech-101 (photos), Debian's clip art, the digits
    that come with scikit-learn.
    """
    from lookalike.demo import choose_source, run_demo, write_page
    from lookalike.errors import CollectionError

    def tell(line: str) -> None:
        if not quiet:
            print(printable(line), file=sys.stderr)

    chosen = choose_source(source, quiet=quiet, tell=tell)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CollectionError(
            f"cannot make the folder {output}: {error.strerror}; name another with -o"
        ) from error
    with sync_progress(quiet=quiet) as report:
        result = run_demo(chosen, output, jobs, report)
    page = output / "index.html"
    command = how_to_run()
    try:
        write_page(result, page, command)
    except OSError as error:
        raise CollectionError(
            f"cannot write {page}: {error.strerror}; name another folder with -o"
        ) from error
    if quiet:
        return
    report_ = result.report
    done = f"{report_.embedded:,} embedded in {report_.seconds:.0f} s" if report_.embedded else "nothing new"
    say(f"{chosen.images.title}: {len(result.collection):,} images, {done}")
    if result.scores is not None:
        precision = result.scores.precision
        say(f"precision at 1: {precision[1]:.3f}, at 10: {precision[10]:.3f}")
    say(f"Open this page: {page.resolve().as_uri()}")
    say("Then search from here:")
    query = result.searches[0].wanted[0].path
    place = relative(str(output / chosen.images.name))
    say(f"  {command} search -c {shlex.quote(place)} {shlex.quote(query)}")


def how_to_run() -> str:
    """Return the words that start this program from the working directory."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return f"{shlex.quote(relative(sys.executable))} -m lookalike"
    found = shutil.which("lookalike")
    if found and os.path.exists(program) and os.path.samefile(found, program):
        return "lookalike"
    return shlex.quote(relative(str(program))) if os.path.exists(program) else "lookalike"
