"""The demo's page: one HTML file with everything in it, pictures too, so that it opens from anywhere."""

from __future__ import annotations

import html
from pathlib import Path

from lookalike.demo import sections
from lookalike.demo.frame import Frame
from lookalike.demo.measured import measures
from lookalike.demo.run import DemoResult
from lookalike.demo.script import SCRIPT
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
        How ``lookalike`` is run from anywhere.

    Raises
    ------
    ConflictError
        If something else is there.
    ResourceError
        If it cannot be written.
    """
    frame = Frame(result, command)
    parts = {
        "like-one": sections.like_one(frame),
        "like-both": sections.like_both(frame),
        "unlike": sections.unlike(frame),
        "groups": sections.groups(frame),
        "map": sections.image_map(frame),
        "go-on": sections.next_steps(frame),
        "measured": measures(frame),
    }
    shown = [name for name, part in parts.items() if part]
    body = "\n".join(
        [sections.header(frame, shown), sections.sample(frame), *parts.values(), sections.footer(frame)]
    )
    document = (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="generator" content="{own_mark()}">'
        f"<title>lookalike: {html.escape(result.source.images.title)}</title>\n<style>{STYLE}</style>"
        f"</head>\n<body><main>\n{body}\n</main><script>{SCRIPT}</script></body></html>\n"
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
