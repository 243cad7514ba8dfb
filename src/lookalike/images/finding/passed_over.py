"""What a scan passes over, as two tables: folders of other programs, and files of kinds that are not read."""

from __future__ import annotations

import fnmatch
import functools
import importlib.util
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lookalike.images.formats import EXTENSIONS
from lookalike.system.installing import install_command


@dataclass(frozen=True, slots=True)
class LeftFolder:
    """A folder that holds other programs' copies and leavings, never the user's own pictures.

    Attributes
    ----------
    glob : str
        Of its name.
    of : str
        What makes it.
    any_case : bool
        Whether the system that makes it does not tell upper from lower case.
    read : frozenset of str
        Names of folders in it, in lower case, that do hold the user's pictures.
    """

    glob: str
    of: str
    any_case: bool = False
    read: frozenset[str] = frozenset()


_ORIGINALS = frozenset({"originals", "masters"})

FOLDERS: tuple[LeftFolder, ...] = (
    LeftFolder("@eaDir", "Synology: previews"),
    LeftFolder("@SynoEAStream", "Synology: attributes"),
    LeftFolder("@tmp", "Synology: what is under way"),
    LeftFolder("#recycle", "Synology: recycle bin"),
    LeftFolder("#snapshot", "Synology: snapshots"),
    LeftFolder("@Recycle", "QNAP: recycle bin"),
    LeftFolder("@Recently-Snapshot", "QNAP: snapshots"),
    LeftFolder("~snapshot", "NetApp: snapshots"),
    LeftFolder(".snapshot", "NetApp, Isilon: snapshots"),
    LeftFolder(".Trash*", "freedesktop.org, macOS: recycle bins"),
    LeftFolder(".thumbnails", "freedesktop.org, Android: previews"),
    LeftFolder("lost+found", "fsck: what it found"),
    LeftFolder("System Volume Information", "Windows: restore points", any_case=True),
    LeftFolder("$RECYCLE.BIN", "Windows: recycle bin", any_case=True),
    LeftFolder("RECYCLER", "Windows before Vista: recycle bin", any_case=True),
    LeftFolder("__MACOSX", "macOS: attributes, in archives", any_case=True),
    LeftFolder("*.lrdata", "Lightroom: previews", any_case=True),
    LeftFolder("*.photoslibrary", "Apple Photos", any_case=True, read=_ORIGINALS),
    LeftFolder("*.photolibrary", "iPhoto", any_case=True, read=_ORIGINALS),
    LeftFolder("*.aplibrary", "Aperture", any_case=True, read=_ORIGINALS),
    LeftFolder("node_modules", "npm: libraries"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that is not taken up.

    Attributes
    ----------
    one, several : str
        What one such file and several are called.
    endings : tuple of str
        In lower case, with the dot. Those that a format of `images.formats` has are none of it.
    extra : str
        What reads them, as in ``pip install 'lookalike[jxl]'``, by way of `module`; empty where nothing does.
    """

    one: str
    several: str
    endings: tuple[str, ...]
    extra: str = ""
    module: str = ""


OTHER = Kind("other file", "other files", ())
OTHER_PROGRAMS = Kind("folder of other programs", "folders of other programs", ())
OWN = Kind("picture that lookalike drew", "pictures that lookalike drew", ())

KINDS: tuple[Kind, ...] = (
    Kind(
        "video",
        "videos",
        (
            ".mov", ".mp4", ".m4v", ".avi", ".mkv", ".webm", ".mts", ".m2ts", ".3gp", ".wmv", ".mpg", ".mpeg",
            ".flv", ".ogv", ".vob", ".lrv", ".insv", ".360",
        ),
    ),
    Kind(
        "RAW",
        "RAW",
        (
            ".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".raf", ".rw2", ".crw", ".nrw", ".srf", ".sr2",
            ".rwl", ".raw", ".pef", ".srw", ".x3f", ".3fr", ".fff", ".iiq", ".erf", ".mef", ".mos", ".mrw",
            ".kdc", ".dcr", ".gpr", ".bay", ".cap", ".eip",
        ),
    ),
    Kind("JPEG XL", "JPEG XL", (".jxl",), "jxl", "pillow_jxl"),
    Kind("PSD", "PSD", (".psd", ".psb")),
    Kind(
        "image of another kind",
        "images of other kinds",
        (
            ".jp2", ".j2k", ".jpf", ".jpx", ".jxr", ".wdp", ".hdp", ".exr", ".hdr", ".dds", ".tga", ".pcx",
            ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".qoi", ".ico", ".icns", ".cur", ".xpm", ".xbm", ".sgi",
            ".dcm", ".fit", ".fits", ".mpo", ".jps", ".flif", ".bpg", ".djvu", ".xcf", ".kra", ".ora",
            ".afphoto", ".clip", ".procreate", ".pdn",
        ),
    ),
    Kind("drawing", "drawings", (".svg", ".svgz", ".ai", ".eps", ".ps", ".cdr", ".wmf", ".emf", ".afdesign")),
    Kind(
        "document",
        "documents",
        (
            ".pdf", ".txt", ".md", ".rtf", ".doc", ".docx", ".odt", ".pages", ".xls", ".xlsx", ".ods", ".csv",
            ".numbers", ".ppt", ".pptx", ".odp", ".key", ".htm", ".html", ".epub",
        ),
    ),
    Kind(
        "sound",
        "sounds",
        (".mp3", ".m4a", ".wav", ".flac", ".ogg", ".opus", ".aac", ".wma", ".aif", ".aiff"),
    ),
    Kind(
        "archive",
        "archives",
        (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".cbz", ".cbr", ".iso", ".dmg"),
    ),
    Kind(
        "side file",
        "side files",
        (".xmp", ".aae", ".thm", ".pp3", ".dop", ".cos", ".nksc", ".on1", ".arp", ".exv"),
    ),
)  # fmt: skip

_KIND_OF = {ending: kind for kind in KINDS for ending in kind.endings}
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class PassedOver:
    """How many files or folders of one kind were passed over.

    Attributes
    ----------
    kind : Kind
    count : int
    names : tuple of str
        The endings of the files, or the names of the folders, the most frequent first.
    """

    kind: Kind
    count: int
    names: tuple[str, ...] = ()

    @property
    def read_with(self) -> str:
        """The command that brings what reads them; empty where nothing does."""
        return install_command(self.kind.extra) if self.kind.extra else ""

    @property
    def words(self) -> str:
        """How many of what, in words.

        >>> PassedOver(KINDS[0], 12, (".mov", ".mp4")).words
        '12 videos (.mov, .mp4)'
        """
        said = f"{self.count:,} {self.kind.one if self.count == 1 else self.kind.several}"
        is_plain = self.kind is OTHER or self.names == (f".{self.kind.one.lower()}",)
        inside = [] if is_plain else [", ".join(self.names[:_SHOWN]) + ", …" * (len(self.names) > _SHOWN)]
        inside += [f"{self.read_with} reads them"] if self.read_with else []
        return f"{said} ({'; '.join(inside)})" if any(inside) else said


def takes_up(ending: str) -> bool:
    """Tell whether a scan takes up files whose name ends so, in lower case: whether there is a reader."""
    return ending in EXTENSIONS and ending not in _without_reader()


@functools.cache
def _without_reader() -> frozenset[str]:
    return frozenset(
        ending
        for kind in KINDS
        if kind.module and importlib.util.find_spec(kind.module) is None
        for ending in kind.endings
    )


@functools.cache
def _pattern(any_case: bool) -> re.Pattern[str]:
    globs = [fnmatch.translate(row.glob) for row in FOLDERS if row.any_case == any_case]
    return re.compile("|".join(globs), re.IGNORECASE if any_case else 0)


def find_left_folder(name: str) -> LeftFolder | None:
    """Return the row of a folder that is passed over, by its name; None for the user's own.

    >>> find_left_folder("My.photoslibrary").of, find_left_folder("@Eadir")
    ('Apple Photos', None)
    """
    if not _pattern(False).match(name) and not _pattern(True).match(name):
        return None
    return next(
        row
        for row in FOLDERS
        if fnmatch.fnmatchcase(name.lower(), row.glob.lower())
        and (row.any_case or fnmatch.fnmatchcase(name, row.glob))
    )


def first_left_folder(folders: Sequence[str]) -> str | None:
    """Return the first of nested folders, outermost first, that is passed over; None if none is.

    >>> first_left_folder(["2019", "x.photoslibrary", "resources"])
    'x.photoslibrary'
    >>> first_left_folder(["2019", "x.photoslibrary", "originals"])
    """
    for number, name in enumerate(folders):
        row = find_left_folder(name)
        inside = {each.lower() for each in folders[number + 1 :][:1]}
        if row is not None and not inside & row.read:
            return name
    return None


def count_kinds(files: Mapping[str, int], folders: Mapping[str, int], n_own: int) -> dict[str, PassedOver]:
    """Count what was passed over by kind.

    Parameters
    ----------
    files : mapping of str to int
        How many files of each ending.
    folders : mapping of str to int
        How many folders of each name.
    n_own : int
        How many pictures that lookalike drew itself.

    Returns
    -------
    dict of str to PassedOver
        By what several of a kind are called, in the order of `KINDS`.
    """
    endings: dict[Kind, Counter[str]] = {kind: Counter() for kind in (*KINDS, OTHER)}
    for ending, count in files.items():
        endings[_KIND_OF.get(ending, OTHER)][ending] += count
    counts = {**endings, OTHER_PROGRAMS: Counter(folders), OWN: Counter({"": n_own})}
    return {
        kind.several: PassedOver(kind, count.total(), _most_frequent(count))
        for kind, count in counts.items()
        if count.total() > 0
    }


def _most_frequent(counts: Counter[str]) -> tuple[str, ...]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(name for name, count in ordered if name and count > 0)
