"""What belongs to an image file: found by the names in its folder, which is all that programs go by.

    side files    say something of a picture: IMG_1.xmp, IMG_1.JPG.xmp, IMG_1.AAE, IMG_1.THM, IMG_1.JPG.pp3,
                  IMG_1.JPG.dop, Google Takeout's IMG_1.JPG.json. They go with it.
    films         of a Live Photo or Motion Photo: IMG_1.MOV beside IMG_1.HEIC. They are pictures in their own
                  right: one goes only if another of the same content stays beside the picture that is kept.
    companions    other pictures of the same shot: IMG_1.CR2 and IMG_1.JPG; Apple's edited IMG_E1234 and
                  IMG_1234. None of them goes because another does.

A side file of IMG_1 belongs to all pictures and films called so, and goes when the last of them goes: the XMP
stays with a RAW whose JPEG went. Names are compared as case-insensitive disks do, in Unicode's form C.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lookalike.images.finding.passed_over import KINDS
from lookalike.images.finding.spelling import composed
from lookalike.images.formats import EXTENSIONS

BelongingKind = Literal["side file", "film"]

_RAW = frozenset(ending for kind in KINDS if kind.one == "RAW" for ending in kind.endings)
_PICTURES = EXTENSIONS | _RAW
_FILMS = frozenset({".mov", ".mp4", ".m4v"})
_WITH_FILMS = frozenset({".heic", ".heif", ".hif", ".jpg", ".jpeg"})
_IN_PLACE = frozenset({".xmp", ".aae", ".thm", ".cos", ".nksc", ".on1", ".arp", ".exv", ".dop", ".pp3"})
"""Endings of side files that stand in place of the picture's, or behind it."""

_TAKEOUT = ".supplemental-metadata"
_EDITED_OF = re.compile(r"^(img_)(\d{4,})$")
_APPLE = re.compile(r"(img_)[eo](\d{4,})")
_COPY = re.compile(r"^(?P<stem>.*)(?P<number>\(\d+\))$")


@dataclass(frozen=True, slots=True)
class Belonging:
    """A file that belongs to a picture.

    Attributes
    ----------
    name : str
        In the folder of the picture, as the disk spells it.
    kind : {"side file", "film"}
    owners : tuple of str
        The names of all pictures and films to which it belongs.
    """

    name: str
    kind: BelongingKind
    owners: tuple[str, ...]


class FolderNames:
    """The names in a folder, and what belongs to what.

    Parameters
    ----------
    names : sequence of str
        Of its files, as the disk spells them.

    Examples
    --------
    >>> names = FolderNames(["IMG_1.CR2", "IMG_1.JPG", "img_1.xmp", "IMG_1.JPG.xmp"])
    >>> [(each.name, each.owners) for each in names.belonging_to("IMG_1.JPG")]
    [('IMG_1.JPG.xmp', ('IMG_1.JPG',)), ('img_1.xmp', ('IMG_1.CR2', 'IMG_1.JPG'))]
    >>> names.companions_of("IMG_1.JPG")
    ['IMG_1.CR2']
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._belongings: dict[str, list[str]] = defaultdict(list)
        for name in sorted(names):
            stem, ending = _parts(name)
            if ending in _PICTURES or ending in _FILMS:
                self._by_stem[stem].append(name)
                self._by_name[folded(name)].append(name)
        for name in sorted(names):
            for owner in self.owners_of(name):
                self._belongings[owner].append(name)

    @classmethod
    def of(cls, folder: Path, *more: str) -> FolderNames:
        """Read a folder, with more names than it has; one that cannot be read has no names."""
        try:
            return cls([*{*os.listdir(folder), *more}])
        except OSError:
            return cls(more)

    def belonging_to(self, name: str) -> list[Belonging]:
        """Return what belongs to a picture, by name."""
        return [
            Belonging(each, "film" if _parts(each)[1] in _FILMS else "side file", self.owners_of(each))
            for each in self._belongings.get(name, ())
        ]

    def companions_of(self, name: str) -> list[str]:
        """Return the other pictures of the same shot, by name: RAW and JPEG, edited and not."""
        stem, ending = _parts(name)
        found = {
            each
            for each in self._by_stem.get(stem, ())
            if _parts(each)[1] in _PICTURES and (ending in _RAW) != (_parts(each)[1] in _RAW)
        }
        for other, names in self._by_stem.items() if stem.startswith("img_") else ():
            if other != stem and _apple(other) == _apple(stem):
                found.update(each for each in names if _parts(each)[1] in _PICTURES)
        return sorted(found - {name})

    def owners_of(self, name: str) -> tuple[str, ...]:
        """Return the pictures and films to which a side file, or a film, belongs; none of a picture."""
        stem, ending = _parts(name)
        if ending in _PICTURES:
            return ()
        if ending in _FILMS:
            return tuple(each for each in self._by_stem.get(stem, ()) if _parts(each)[1] in _WITH_FILMS)
        if ending == ".json":
            return self._of_takeout(stem)
        if ending not in _IN_PLACE:
            return ()
        whole = self._by_name.get(stem)
        if whole:
            return tuple(whole)
        found = list(self._by_stem.get(stem, ()))
        if ending == ".aae" and not found and _APPLE.fullmatch(stem):
            found = list(self._by_stem.get(_apple(stem), ()))
        elif ending == ".aae" and found:
            edited = _EDITED_OF.sub(r"\1e\2", stem)
            found += self._by_stem.get(edited, ()) if edited != stem else ()
        return tuple(sorted(found))

    def _of_takeout(self, stem: str) -> tuple[str, ...]:
        """Return the owners of a ``.json`` by what stands before that.

        Takeout writes IMG_1.JPG.json or IMG_1.JPG.supplemental-metadata.json, whose middle it may cut short,
        and of a second IMG_1(1).JPG it writes IMG_1.JPG(1).json.
        """
        tries = [stem]
        numbered = _COPY.match(stem)
        cut = re.match(r"^(?P<name>.*\.[a-z0-9]+)(?P<mark>\.s[a-z-]*)(?P<number>\(\d+\))?$", stem)
        if cut and _TAKEOUT.startswith(cut["mark"]):
            tries.append(cut["name"])
            if cut["number"]:
                tries = [_numbered(cut["name"], cut["number"])]
        elif numbered and "." in numbered["stem"]:
            tries = [_numbered(numbered["stem"], numbered["number"])]
        return tuple(name for each in tries for name in self._by_name.get(each, ()))


def are_companions(one: Path, other: Path, names: FolderNames) -> bool:
    """Tell whether two pictures are of one shot, and in one folder: RAW and JPEG, or edited and not."""
    return one.parent == other.parent and other.name in names.companions_of(one.name)


def folded(name: str) -> str:
    r"""Return a name as disks compare it that tell neither case nor Unicode's forms apart.

    >>> folded("IMG_É.JPG") == folded("img_e\u0301.jpg")
    True
    """
    return composed(composed(name).casefold())


def _parts(name: str) -> tuple[str, str]:
    stem, ending = os.path.splitext(folded(name))
    return stem, ending


def _numbered(name: str, number: str) -> str:
    stem, ending = os.path.splitext(name)
    return f"{stem}{number}{ending}"


def _apple(stem: str) -> str:
    return _APPLE.sub(r"\1\2", stem) if _APPLE.fullmatch(stem) else stem
