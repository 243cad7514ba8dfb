"""The figure that all pictures are drawn on: one of matplotlib's that a notebook shows by itself."""

from __future__ import annotations

import io
import sys
from typing import Any

from matplotlib.figure import Figure

from lookalike.errors import ConflictError

_DOTS = 96  # an inch, as browsers count them


class ShownFigure(Figure):
    """A figure of matplotlib's that shows itself in a notebook, without ``%matplotlib inline``.

    Its PNG has more dots than it takes up there, so that it is sharp on fine screens.
    """

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        content = io.BytesIO()
        self.savefig(content, format="png", facecolor=self.get_facecolor())
        width, height = (round(inches * _DOTS) for inches in self.get_size_inches())
        return content.getvalue(), {"width": width, "height": height}

    def show(self, warn: bool = True) -> None:
        """Show it in the notebook now, as Jupyter does by itself at the end of a cell.

        Raises
        ------
        ConflictError
            Where there is no notebook.
        """
        ipython: Any = sys.modules.get("IPython")
        if ipython is None or ipython.get_ipython() is None:
            raise ConflictError(
                "a figure is shown in a notebook, and this is none",
                hint="save it with lookalike.plots.save_figure(figure, path)",
            )
        ipython.display.display(self)
