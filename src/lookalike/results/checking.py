"""What a check of a collection's files found, and what a repair made of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lookalike.results.documents import Result
from lookalike.system.tables import html_table
from lookalike.system.wording import count_of

_SHOWN = 20  # images that are named


@dataclass(frozen=True, slots=True)
class Damage:
    """Something in a collection that is not what was written.

    Attributes
    ----------
    part : str
        What it is: ``manifest``, ``table``, ``thumbnails``, ``index``, ``clustering``, ``map``, ``model``,
        ``added``, ``said``, ``training`` or ``duplicates``.
    place : str
        The file or folder, in the ``.lookalike`` folder.
    reason : str
        What is wrong with it.
    costs : str
        What cannot be had while it is so.
    remedy : str
        What a repair does about it; a `Sentence`, whose hint says what else is to be done.
    images : tuple of str
        The images that it is about, where these are known, by their stored paths.
    is_mended : bool
        Whether a repair has brought all back.
    """

    part: str
    place: str
    reason: str
    costs: str
    remedy: str
    images: tuple[str, ...] = ()
    is_mended: bool = False

    def to_dict(self, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "part": self.part,
            "place": self.place,
            "reason": tell(self.reason),
            "costs": self.costs,
            "remedy": tell(self.remedy),
            "images": list(self.images),
            "mended": self.is_mended,
        }


@dataclass(frozen=True, slots=True)
class CheckReport(Result, Sequence[Damage]):
    """What a check found; a sequence of what is damaged.

    Attributes
    ----------
    damages : tuple of Damage
        Empty where all is whole.
    files : int
        How many files were read through.
    size : int
        Bytes of these.
    unverified : int
        How many of them have no checksum, as earlier versions wrote none: these could only be read.
    is_repair : bool
        Whether what can be mended was.
    seconds : float

    Examples
    --------
    >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
    >>> report = photos.sync()
    >>> photos.check().is_whole
    True
    """

    damages: tuple[Damage, ...]
    files: int
    size: int
    unverified: int
    is_repair: bool
    seconds: float

    @property
    def is_whole(self) -> bool:
        """Whether nothing is damaged, or all that was is mended."""
        return all(each.is_mended for each in self.damages)

    def __getitem__(self, at: Any) -> Any:
        """Return a damage, or some of them."""
        return self.damages[at]

    def __len__(self) -> int:
        return len(self.damages)

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        return {
            "whole": self.is_whole,
            "repaired": self.is_repair,
            "files": self.files,
            "bytes": self.size,
            "unverified": self.unverified,
            "damages": [each.to_dict(tell) for each in self.damages],
            "seconds": round(self.seconds, 3),
        }

    def __repr__(self) -> str:
        found = count_of(len(self), "damage") if self.damages else "whole"
        mended = f", {sum(each.is_mended for each in self.damages)} mended" if self.is_repair else ""
        return f"<CheckReport: {count_of(self.files, 'file')}, {found}{mended}>"

    def _repr_html_(self) -> str:
        """Show what is damaged in a notebook."""
        rows = [[each.place, each.reason, each.costs, each.remedy] for each in self.damages[:_SHOWN]]
        return html_table(["damaged", "reason", "costs", "repair"], rows) if rows else repr(self)[1:-1]
