r"""One name in several spellings: composed or not, upper or lower case, escaped or not.

Unicode writes é as one character or as two, and disks keep what they are given: Linux tells the two apart,
macOS does not, and its older disks take all names apart. FAT, exFAT, NTFS, and macOS do not tell upper from
lower case either. So names are compared in normal form C (Unicode Standard Annex 15), and files are opened
by the very name that the disk has.
"""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from lookalike.system.file_names import unescape

_ESCAPED = re.compile(r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})")


def composed(text: str) -> str:
    r"""Return a text in normal form C, in which texts that look the same are the same.

    >>> composed("Cafe\u0301") == "Caf\u00e9"
    True
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def as_label(name: str) -> str:
    r"""Return the label that a folder gives its images.

    Parameters
    ----------
    name : str
        As `images.finding.scan.escape` wrote it. Only bytes that are not UTF-8 stay escaped: a label is text.

    Examples
    --------
    >>> print(as_label(r"a\\b"), as_label(r"caf\xe9"))
    a\b caf\xe9
    """
    return composed(name.replace("\\\\", "\\"))


def as_typed(label: str) -> str:
    r"""Return a label as `as_label` writes it, of what somebody typed.

    >>> import os
    >>> print(as_typed(os.fsdecode(b"caf\xe9")))
    caf\xe9
    """
    return composed(re.sub("[\udc80-\udcff]", lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", label))


def label_spellings(label: str) -> tuple[str, ...]:
    """Return how tables may hold a label: composed, or as earlier versions took it from macOS.

    >>> label_spellings("owls")
    ('owls',)
    """
    return tuple(dict.fromkeys((label, unicodedata.normalize("NFD", label))))


def as_spelled(path: Path) -> Path:
    """Return an absolute path with every name in it as the disk has it, as far as it is there.

    Device and inode would not do: what FUSE mounts has other ones for each spelling. A folder is listed only
    where a name in it answers to another spelling, too, or is not there as it was written.
    """
    place = path.anchor
    for name in path.parts[1:]:
        place = os.path.join(place, _spelled_in(place, name))
    return Path(place)


def as_spelled_file(file: str) -> str:
    """Return a file that somebody typed as the disk spells it, or else as it was typed.

    They may have typed what the terminal shows them, where control characters, those that turn the direction
    of writing, and bytes that are not UTF-8 are escaped.
    """
    if os.path.lexists(file):
        return file
    if "\\" in file:
        unescaped = _ESCAPED.sub(_unescape, file)
        for name in (unescaped, unescape(file)):  # as terminals show it, and as it is exported
            if "\0" not in name and os.path.lexists(name):
                return name
    return file if file.isascii() else str(as_spelled(Path(os.path.abspath(file))))


def _unescape(found: re.Match[str]) -> str:
    code = int(found[1] or found[2], 16)
    return chr(code + 0xDC00) if found[1] and code >= 0x80 else chr(code)


def _spelled_in(folder: str, name: str) -> str:
    """Return how a folder spells a name; the name itself where nothing there answers to it, or several do."""
    forms = {unicodedata.normalize(form, name) for form in ("NFC", "NFD")}
    is_there = os.path.lexists(os.path.join(folder, name))
    others = (forms | {name.swapcase()}) - {name}
    if is_there and not any(os.path.lexists(os.path.join(folder, other)) for other in others):
        return name
    if not is_there and name.isascii():
        return name
    try:
        names = os.listdir(folder)
    except OSError:
        return name
    if name in names:
        return name
    if is_there:
        alike = [each for each in names if composed(each).casefold() == composed(name).casefold()]
    else:
        alike = [each for each in names if composed(each) == composed(name)]
    return alike[0] if len(alike) == 1 else name


def is_same_folder(one: Path, other: Path) -> bool:
    """Tell whether two absolute paths are one folder: through links, in other spellings, by two mounts."""
    return _real(one) == _real(other) or _is_one(one, other)


def path_within(folder: Path, path: Path) -> Path | None:
    """Return a path relative to a folder, as the disk spells it; None if it lies elsewhere. Both absolute.

    A folder that is reached by a link is the same folder: the path may go through the link and the folder
    not, or the other way round. The path need not be there.
    """
    if path == folder or folder in path.parents:
        return as_spelled(path).relative_to(as_spelled(folder))
    for spell in (as_spelled, _real):
        inside, around = spell(path), spell(folder)
        if inside == around or around in inside.parents:
            return inside.relative_to(around)
    real = _real(path)
    return next((real.relative_to(above) for above in (real, *real.parents) if _is_one(above, folder)), None)


def spelled_name(folder: Path, name: str) -> str:
    """Return how a folder spells a name, if it has it."""
    return _spelled_in(str(folder), name)


def _is_one(folder: Path, other: Path) -> bool:
    try:
        status, other_status = folder.stat(), other.stat()
    except OSError:
        return False
    return status.st_ino != 0 and os.path.samestat(status, other_status)


def _real(path: Path) -> Path:
    return as_spelled(Path(os.path.realpath(path)))
