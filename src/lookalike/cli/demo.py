"""``lookalike demo``: the newcomer's first minute."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.cli.console import is_for_person, refuse_standard, relative, say, tell, watched
from lookalike.cli.hints import advise
from lookalike.cli.options import JobsOption, QuietOption, argument
from lookalike.system.wording import count_of

if TYPE_CHECKING:
    from lookalike.demo import Source


def demo(
    source: Annotated[
        str | None,
        argument(
            "A folder of yours, or caltech-101, clipart or digits. By default the first within reach.",
            "SOURCE",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where the page and its collection go.")
    ] = Path("lookalike-demo"),
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Index all pictures. By default of many only 1,500, of all folders, to begin with."
        ),
    ] = False,
    jobs: JobsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Index real pictures, search, group and map them, and leave a page: lookalike-demo/index.html.

    The pictures are the first of these that can be had: Caltech-101 (photos), Debian's clip art, the digits
    that come with scikit-learn. It begins with some of them, and goes on with the rest where it is told to.
    """
    from lookalike.demo import check_page, choose_source

    def report_line(line: str) -> None:
        if not quiet:
            tell(line)

    refuse_standard(output, "a page with its pictures", "the name of a folder")
    page = output / "index.html"
    check_page(page)
    with watched(quiet=quiet) as watch:
        chosen = choose_source(source, report_line, **watch.told)
    while True:
        n_left, seconds = _show(chosen, page, jobs, quiet=quiet, everything=everything)
        if quiet or not n_left:
            return
        everything = _goes_on(n_left, seconds)
        if not everything:
            named = "" if source is None else f"{shlex.quote(source)} "
            place = "" if output == Path("lookalike-demo") else f" -o {shlex.quote(str(output))}"
            say(f"The other {n_left:,} pictures:", f"{how_to_run(relative)} demo {named}--all{place}")
            return


def _show(
    source: Source, page: Path, jobs: int | None, *, quiet: bool, everything: bool
) -> tuple[int, float | None]:
    """Leave the page; return how many pictures are left, and how many seconds they will take, if known."""
    from lookalike.demo import index_source, run_demo, write_page

    with watched(quiet=quiet) as watch:
        indexed = index_source(source, page.parent, jobs, **watch.told, everything=everything)
        result = run_demo(source, indexed, **watch.told)
    write_page(result, page, how_to_run(os.path.abspath))
    collection, synced, n_left = indexed.collection, indexed.report, indexed.n_left
    each = synced.seconds / synced.embedded if synced.embedded else None
    if quiet:
        return n_left, each
    n_files = collection.info().files
    of_all = f"{n_files:,} of {n_files + n_left:,}" if n_left else f"{n_files:,}"
    done = f"{synced.embedded:,} embedded in {synced.seconds:.0f} s" if synced.embedded else "nothing new"
    say(f"{source.images.title}: {of_all} images, {done}")
    if result.clusters.found is not None:
        say(f"{result.clusters.found.n_clusters:,} groups of look-alikes")
    if collection.label_note is not None:
        say(advise(collection.label_note))
    say(f"Open this page: {page.resolve().as_uri()}")
    say("Then search from here:")
    query = result.searches[0].wanted[0].path
    place = relative(str(collection.folder.parent))
    say(f"  {how_to_run(relative)} search -c {shlex.quote(place)} {shlex.quote(query)}")
    return n_left, None if each is None else each * n_left


def _goes_on(n_left: int, seconds: float | None) -> bool:
    """Ask whether to go on with the rest, where there is somebody to answer."""
    if not (is_for_person() and sys.stdin is not None and sys.stdin.isatty()):
        return False
    time = "" if seconds is None else f" (about {count_of(max(1, round(seconds / 60)), 'minute')})"
    return typer.confirm(f"Go on with the other {n_left:,} pictures{time}?", default=False)


def how_to_run(named: Callable[[str], str]) -> str:
    """Return the words that start this program, its path named as by `relative` or by `os.path.abspath`."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return f"{shlex.quote(named(sys.executable))} -m lookalike"
    found = shutil.which("lookalike")
    if found and os.path.exists(program) and os.path.samefile(found, program):
        return "lookalike"
    return shlex.quote(named(str(program))) if os.path.exists(program) else "lookalike"
