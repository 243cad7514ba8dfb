"""The demo's page: one HTML file with everything in it, pictures too, so that it opens from anywhere."""

from __future__ import annotations

import html
from pathlib import Path

from lookalike.demo import sections
from lookalike.demo.run import DemoResult
from lookalike.demo.style import STYLE
from lookalike.errors import CollectionResourceError
from lookalike.hints import Hint


def write_page(result: DemoResult, file: Path, command: str) -> None:
    """Write the page.

    Parameters
    ----------
    result : DemoResult
    file : Path
        Replaced if it is there.
    command : str
        How ``lookalike`` is run from here.

    Raises
    ------
    CollectionError
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
        f"<title>lookalike: {html.escape(result.source.images.title)}</title>\n<style>{STYLE}</style>"
        f"</head>\n<body><main>\n{body}\n</main></body></html>\n"
    )
    try:
        file.write_text(document, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise CollectionResourceError(
            f"cannot write {file}: {error.strerror or error}", hint=Hint("another_demo_folder")
        ) from error
