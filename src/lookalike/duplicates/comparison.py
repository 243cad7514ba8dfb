"""What two pictures are to each other, in words, in numbers, and as a picture."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.duplicates.differing import Laid, differences, lay
from lookalike.duplicates.kinds import DuplicateKind
from lookalike.system.checked_calls import checked
from lookalike.system.tables import escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

    from lookalike.duplicates.verifying import Alignment

_WHOLE = 0.97  # a share from which on it counts as all
_TURNS = {
    2: "mirrored",
    3: "turned by 180°",
    4: "mirrored upside down",
    5: "mirrored and turned by 90°",
    6: "turned by 90° to the left",
    7: "mirrored and turned by 90°",
    8: "turned by 90° to the right",
}
"""What became of a picture that is to be turned so to stand as it did."""


@dataclass(frozen=True, slots=True, eq=False)
class ComparedImage:
    """One of two pictures that are compared.

    Attributes
    ----------
    name : str
        What to call it: the name of its file or address; what is none is "the first" or "the second".
    format : str or None
        A row of `lookalike.images.FORMATS`; None for pixels.
    width, height : int
        Upright, pixels.
    n_bytes : int or None
        Of its file.
    image : PIL.Image.Image
        RGB, upright, its longer side at most 1,024 pixels.
    """

    name: str
    format: str | None
    width: int
    height: int
    n_bytes: int | None
    image: Image = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON, without its pixels."""
        return {
            "name": self.name,
            "format": self.format,
            "width": self.width,
            "height": self.height,
            "bytes": self.n_bytes,
        }


@checked
@dataclass(frozen=True, eq=False)
class Comparison:
    """What two pictures are to each other.

    Attributes
    ----------
    a, b : ComparedImage
    kind : str or None
        One of `lookalike.duplicates.KINDS`; None where they are more likely two pictures than one.
    probability : float
        That they are one picture, or were taken together.
    turn : int
        EXIF's orientation, 1 to 8: how b is to be turned to stand as a does.
    alignment : Alignment or None
        How b, turned, lies on a; None where they are different pictures, or of one color.
    share_of_b : float
        The share of b that lies on a.
    has_same_bytes, has_same_pixels : bool
        Whether the files are the same to the last bit; whether the pictures in them are.
    differing : float
        The share of what both show in which they differ, once their brightness is evened out.
    """

    a: ComparedImage
    b: ComparedImage
    kind: DuplicateKind | None
    probability: float
    turn: int = 1
    alignment: Alignment | None = field(default=None, repr=False)
    share_of_b: float = 0.0
    has_same_bytes: bool = False
    has_same_pixels: bool = False
    differing: float = 0.0

    @property
    def share_of_a(self) -> float:
        """The share of a that lies on b."""
        return self.share_of_b if self.alignment is None else self.alignment.overlap

    @property
    def verdict(self) -> str:
        """What they are, and how surely: "edited, 97 %"."""
        if self.kind is None:
            return f"different; one picture: {_percent(self.probability)}"
        return f"{self.kind}, {_percent(self.probability)}"

    @property
    def relation(self) -> str:
        """What b is to a, in a sentence.

        >>> from PIL import Image
        >>> from lookalike.duplicates import compare
        >>> compare(Image.new("RGB", (80, 60), "teal"), Image.new("RGB", (80, 60), "teal")).relation
        'the second is the first, pixel by pixel'
        """
        a, b = self.a.name, self.b.name
        if a == b:
            a, b = f"the first {a}", f"the second {b}"
        if self.kind is None:
            return f"{b} and {a} are different pictures"
        if self.has_same_bytes:
            return f"{b} is {a}, byte by byte"
        if self.has_same_pixels:
            return f"{b} is {a}, pixel by pixel"
        if self.kind == "together":
            return f"{b} and {a} were taken one after the other"
        if self.kind == "series":
            return f"{b} and {a} are of one series"
        *first, last = self.changes or ["encoded anew"]
        return f"{b} is {a}, {', '.join(first)}{' and ' if first else ''}{last}"

    @property
    def words(self) -> str:
        """What they are to each other, and how surely, in a sentence."""
        if self.kind is None:
            return f"{self.relation}; that they are one has a probability of {_percent(self.probability)}"
        return f"{self.relation}: {self.verdict}"

    @property
    def changes(self) -> list[str]:
        """What was done to a to make it b, as far as that is seen: that it was cropped, say, or turned."""
        if self.alignment is None:
            return []
        done = []
        is_all = self.share_of_a >= _WHOLE
        if not is_all:
            done.append(f"cropped to {_percent(self.share_of_a)} of it")
        if self.turn in _TURNS:
            done.append(_TURNS[self.turn])
        if self.share_of_b < _WHOLE:
            done.append(f"within a picture of which it fills {_percent(self.share_of_b)}")
        scale = self._scale
        if not 0.95 < scale < 1.05:
            done.append(f"{'enlarged' if scale > 1 else 'scaled'} to {_percent(scale)}")
        done += self._tones
        if self.differing >= 0.002:
            done.append(f"with something else on {_percent(self.differing)} of it")
        if self.a.format != self.b.format and self.b.format is not None:
            done.append(f"as {self.b.format}")
        return done

    @property
    def _scale(self) -> float:
        """How large what both show is in b against a, along a side."""
        assert self.alignment is not None
        of_a = self.share_of_a * self.a.width * self.a.height
        of_b = self.share_of_b * self.b.width * self.b.height
        return math.sqrt(of_b / of_a) if of_a else 1.0

    @property
    def _tones(self) -> list[str]:
        """What became of brightness and color."""
        pair = self._pair
        if pair is None:
            return []
        if not pair.both.any():
            return []
        here, there = (each[pair.both].astype(np.float64) for each in (pair.a, pair.b))
        colors = [np.ptp(each, axis=1).mean() for each in (here, there)]
        said = []
        if colors[0] > 12 and colors[1] < 0.25 * colors[0]:
            said.append("without its colors")
        lighter = there.mean() - here.mean()
        if abs(lighter) > 10:
            said.append("lighter" if lighter > 0 else "darker")
        return said

    def laid(self) -> Image | None:
        """Return b turned and laid on a, RGBA of the size of ``a.image``, transparent where it shows nothing.

        None where nothing is alike.
        """
        from PIL import Image as Pillow

        pair = self._pair
        if pair is None:
            return None
        return Pillow.fromarray(np.dstack([pair.b, pair.both.astype(np.uint8) * 255]))

    def differences(self) -> npt.NDArray[np.float32]:
        """Return how much they differ at each pixel of ``a.image``: (h, w) float32, 0 to 1, NaN off b.

        Brightness and contrast are evened out before.
        """
        pair = self._pair
        if pair is None:
            return np.full((self.a.image.height, self.a.image.width), np.nan, np.float32)
        return differences(pair)

    def difference(self) -> Image:
        """Return a in pale grey, red where b differs from it, blank where b shows nothing."""
        from PIL import Image as Pillow

        grey = np.asarray(self.a.image.convert("L"), np.float32)
        pale = np.repeat((255 - (255 - grey) * 0.35)[..., None], 3, axis=2)
        differs = self.differences()
        strength = np.clip(np.nan_to_num(differs, nan=0.0) * 3, 0, 1)[..., None]
        shown = pale * (1 - strength) + np.array([200, 0, 0], np.float32) * strength
        shown[np.isnan(differs)] = 255
        return Pillow.fromarray(shown.round().astype(np.uint8))

    @cached_property
    def _pair(self) -> Laid | None:
        """The two pictures in a's frame."""
        if self.alignment is None:
            return None
        return lay(self.a.image, self.b.image, self.alignment)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON."""
        laid = self.alignment
        return {
            "kind": self.kind,
            "probability": round(self.probability, 6),
            "turn": self.turn,
            "same_bytes": self.has_same_bytes,
            "same_pixels": self.has_same_pixels,
            "share_of_a": round(self.share_of_a, 6),
            "share_of_b": round(self.share_of_b, 6),
            "differing": round(self.differing, 6),
            "verdict": self.verdict,
            "relation": self.relation,
            "alignment": None
            if laid is None
            else {
                "score": round(laid.score, 6),
                "matrix": [[round(number, 6) for number in row] for row in laid.matrix.tolist()],
                "gain": round(laid.gain, 6),
                "bias": round(laid.bias, 6),
            },
            "changes": self.changes if self.kind is not None else [],
            "a": self.a.to_dict(),
            "b": self.b.to_dict(),
        }

    def __repr__(self) -> str:
        return f"<Comparison: {self.words}>"

    def _repr_html_(self) -> str:
        """Show the two in a notebook, and where they differ."""
        from lookalike.plots import figure_bytes

        png = base64.b64encode(figure_bytes(self.draw(), "png")).decode("ascii")
        shown = f'<img src="data:image/png;base64,{png}" alt="{escape(self.words)}" style="max-width:100%">'
        return f"<p>{escape(self.words)}</p>{shown}"

    def draw(self) -> Figure:
        """Draw a, b laid on it, and where they differ, as a figure; of strangers just both."""
        from lookalike.plots import draw_difference

        laid = self.laid()
        return draw_difference(
            np.asarray(self.a.image),
            np.asarray(self.b.image if laid is None else laid),
            None if laid is None else self.differences(),
            title=self.verdict,
            note=self.relation,
            captions=[(each.name, _size_words(each)) for each in (self.a, self.b)],
        )


def _size_words(image: ComparedImage) -> str:
    size = f"{image.width:,} × {image.height:,}"
    return size if image.format is None else f"{size}, {image.format}"


def _percent(share: float) -> str:
    """Return a share in percent; one that is not all is not called so.

    >>> _percent(1.0), _percent(0.9991), _percent(0.78), _percent(0.002), _percent(1e-5)
    ('100 %', '99.9 %', '78 %', '0.2 %', 'less than 0.1 %')
    """
    if 0 < share < 0.0005:
        return "less than 0.1 %"
    digits = 1 if 0 < share < 0.01 or 0.99 < share < 1 else 0
    return f"{min(100 * share, 99.9) if share < 1 else 100 * share:.{digits}f} %"
