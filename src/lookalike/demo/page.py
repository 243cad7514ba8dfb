"""The demo's page: one HTML file with everything in it, pictures too, so that it opens from anywhere."""

from __future__ import annotations

import html
from pathlib import Path

from lookalike.demo import sections
from lookalike.demo.run import DemoResult
from lookalike.demo.style import STYLE
from lookalike.errors import ConflictError
from lookalike.hints import Hint
from lookalike.images.own import own_mark
from lookalike.system.output import check_output, write_output


def write_page(result: DemoResult, file: Path, command: str) -> None:
    """Write the page.

    Parameters
    ----------
    result : DemoResult
    file : Path
        Replaced if it is such a page.
    command : str
        How ``lookalike`` is run from here.

    Raises
    ------
    ConflictError
        If something else is there.
    ResourceError
        If it cannot be written.
    """
    frame = sections.Frame(result, command)
    body = "\n".join(
        [
            sections.header(frame),
            sections.sample(frame),
            *(sections.search(frame, number) for number in range(1, len(result.searches) + 1)),
            sections.clusters(frame),
            sections.image_map(frame),
            sections.measures(frame),
            sections.next_steps(frame),
            sections.footer(frame),
        ]
    )
    document = (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="generator" content="{own_mark()}">'
        f"<title>lookalike: {html.escape(result.source.images.title)}</title>\n<style>{STYLE}</style>"
        f"</head>\n<body><main>\n{body}\n</main></body></html>\n"
    )
    write_output(file, document.encode("utf-8", "backslashreplace"), is_own_page)


def is_own_page(content: bytes) -> bool:
    """Tell by its beginning whether a file is a page of a demo, also of earlier versions'."""
    head = content.partition(b"<style>")[0]
    return head.startswith(b"<!doctype html>") and b"<title>lookalike: " in head


def check_page(file: Path) -> None:
    """Raise LookalikeError if a page cannot be written to a file: before all the work that it is about.

    Its folder need not be there.
    """
    if file.parent.exists():
        try:
            check_output(file, is_own_page)
        except ConflictError as error:
            raise ConflictError(str(error), hint=Hint("another_demo_folder")) from error
