"""What every section of the page needs: thumbnails, pictures that are drawn, and commands."""

from __future__ import annotations

import base64
import html
import io
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.demo.run import PICTURES, DemoResult
from lookalike.plots import figure_bytes, use_theme
from lookalike.types import Hit, ImageId

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Frame:
    """The result, the thumbnails of all that is shown, and how ``lookalike`` is run.

    Parameters
    ----------
    result : DemoResult
    command : str
        How ``lookalike`` is run from anywhere.
    """

    def __init__(self, result: DemoResult, command: str) -> None:
        self.result = result
        self.worst = result.evaluation.found.worst if result.evaluation.found else ()
        self.program = "lookalike" if os.name == "posix" else command
        self._command = command
        self._root = result.source.images.root
        self._folder = result.collection.folder.parent
        link = self._folder / PICTURES
        self._is_linked = link.is_symlink() and os.path.exists(link) and os.path.samefile(link, self._root)
        self._jpegs = result.collection.thumbnails(self._shown())

    def _shown(self) -> list[ImageId]:
        shown = {image.id for image in self.result.sample}
        for each in self.result.searches:
            shown |= {image.id for image in (*each.wanted, *each.unwanted, *each.result.hits)}
        for group in self.result.groups:
            shown |= {image.id for image in group.images}
        for query in self.worst:
            shown |= {image.id for image in (query.image, *query.hits)}
        return sorted(shown)

    def name(self, image: Hit) -> str:
        """Return how an image is called: its place below the folder."""
        path = Path(image.path)
        return path.relative_to(self._root).as_posix() if self._root in path.parents else path.name

    def place(self, image: Hit) -> str:
        """Return the path of an image as a command takes it, from the folder of the collection."""
        is_inside = self._root in Path(image.path).parents
        return f"{PICTURES}/{self.name(image)}" if self._is_linked and is_inside else image.path

    @property
    def pictures(self) -> str:
        """The folder of the pictures as a command takes it."""
        return PICTURES if self._is_linked else str(self._root)

    def tag(self, image: Hit) -> str:
        """Return an image's thumbnail as HTML; a click shows the image itself."""
        encoded = base64.b64encode(self._jpegs[image.id]).decode()
        name = html.escape(self.name(image))
        shown = f'<img src="data:image/jpeg;base64,{encoded}" alt="{name}" title="{name}">'
        if not os.path.isabs(image.path):
            return f"<a class='zoom'>{shown}</a>"
        return f"<a class='zoom' href='{html.escape(Path(image.path).as_uri(), quote=True)}'>{shown}</a>"

    def shaped_tag(self, image: Hit) -> str:
        """Return a thumbnail that is as high as its neighbors in a row, whatever its shape."""
        from PIL import Image

        with Image.open(io.BytesIO(self._jpegs[image.id])) as opened:
            shape = min(max(opened.width / opened.height, 0.4), 3.0)
        return f"<span style='--shape:{shape:.3f}'>{self.tag(image)}</span>"

    def tile(self, image: Hit, caption: str, kind: str = "") -> str:
        """Return a thumbnail with a caption and its label."""
        label = f"<span>{html.escape(image.label)}</span>" if image.label else ""
        return (
            f"<figure class='{kind}'><div>{self.tag(image)}</div>"
            f"<figcaption><b>{caption}</b>{label}</figcaption></figure>"
        )

    def command(self, *words: str) -> str:
        """Return a command, for a reader to run in the folder of the collection."""
        return self.lines(f"{self.program} {shlex.join(words)}")

    def lines(self, *lines: str) -> str:
        """Return lines for a shell, with a button that copies them."""
        told = html.escape("\n".join(lines))
        return f"<div class='command'><pre>{told}</pre><button type='button' hidden>Copy</button></div>"

    def once(self) -> str:
        """Return what has to be said to the shell once, so that all commands are short."""
        lines = [f"cd {shlex.quote(str(self._folder))}"]
        if self.program not in (self._command, ""):
            lines.append(f"alias lookalike={shlex.quote(self._command)}")
        return self.lines(*lines)


def picture(draw: Callable[[], Figure], words: str, form: str = "png") -> str:
    """Draw for light pages and for dark ones; a click shows it in full size."""
    light, dark = (_drawn(draw, form, dark=dark) for dark in (False, True))
    return (
        f"<a class='zoom'><picture><source media='(prefers-color-scheme: dark)' srcset='{dark}'>"
        f"<img class='drawn' src='{light}' alt='{html.escape(words, quote=True)}'></picture></a>"
    )


def _drawn(draw: Callable[[], Figure], form: str, *, dark: bool) -> str:
    with use_theme(dark=dark):
        content = figure_bytes(draw(), form)
    return f"data:image/{form};base64,{base64.b64encode(content).decode()}"
