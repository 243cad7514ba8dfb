"""``lookalike demo``: the newcomer's first minute."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from lookalike.cli.console import refuse_standard, relative, say, tell, watched
from lookalike.cli.hints import advise
from lookalike.cli.options import JobsOption, QuietOption, argument


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
    jobs: JobsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Index real pictures, search, group and measure them, and leave a page: lookalike-demo/index.html.

    The pictures are the first of these that can be had: Caltech-101 (photos), Debian's clip art, the digits
    that come with scikit-learn.
    """
    from lookalike.demo import check_page, choose_source, index_source, run_demo, write_page

    def report_line(line: str) -> None:
        if not quiet:
            tell(line)

    refuse_standard(output, "a page with its pictures", "the name of a folder")
    page = output / "index.html"
    check_page(page)
    with watched(quiet=quiet) as watch:
        chosen = choose_source(source, report_line, **watch.told)
        collection, synced = index_source(chosen, output, jobs, **watch.told)
        result = run_demo(chosen, collection, synced, **watch.told)
    write_page(result, page, how_to_run(os.path.abspath))
    if quiet:
        return
    done = f"{synced.embedded:,} embedded in {synced.seconds:.0f} s" if synced.embedded else "nothing new"
    say(f"{chosen.images.title}: {len(collection):,} images, {done}")
    if result.clusters.found is not None:
        say(f"{result.clusters.found.n_clusters:,} groups of look-alikes")
    if result.evaluation.found is not None:
        scores = result.evaluation.found.scores
        say(", ".join(f"{name} {scores[name].mean:.3f}" for name in scores if name[:2] in ("P@", "mA")))
    elif collection.label_note is not None:
        say(advise(collection.label_note))
    say(f"Open this page: {page.resolve().as_uri()}")
    say("Then search from here:")
    query = result.searches[0].wanted[0].path
    place = relative(str(output / chosen.images.name))
    say(f"  {how_to_run(relative)} search -c {shlex.quote(place)} {shlex.quote(query)}")


def how_to_run(named: Callable[[str], str]) -> str:
    """Return the words that start this program, its path named as by `relative` or by `os.path.abspath`."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return f"{shlex.quote(named(sys.executable))} -m lookalike"
    found = shutil.which("lookalike")
    if found and os.path.exists(program) and os.path.samefile(found, program):
        return "lookalike"
    return shlex.quote(named(str(program))) if os.path.exists(program) else "lookalike"
