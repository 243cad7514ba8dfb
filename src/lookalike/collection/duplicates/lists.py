"""Groups of duplicates as lists for other programs: nothing is done with any file.

A shell script is a list, too: it moves what is not to be kept into a folder that whoever runs it names, file
by file, never over a file that is there, and only while what is kept is there; identical files only once they
were compared. It is POSIX but for ``mv -n`` and ``-ef``, which GNU, BSD, macOS and BusyBox have.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from lookalike.errors import InvalidInputError
from lookalike.results.duplicates import DuplicateGroup, DuplicateGroups
from lookalike.system.cells import as_cell
from lookalike.system.checked_calls import shown
from lookalike.system.file_names import storable
from lookalike.system.output import write_output
from lookalike.types import format_id

_NEAR = {"together": "taken together with it", "series": "of a series with it"}
_COLUMNS = ("group", "kind", "probability", "id", "turn", "keep", "path")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_SCRIPT = r"""#!/bin/sh
# What lookalike takes for duplicates. Read it; then, to move what goes into a folder:
#
#     TRASH=/a/folder sh THIS_FILE
#
# Nothing is deleted, and nothing is written over. Lines may be taken out.
set -u
if [ -z "${TRASH:-}" ]; then
    echo 'nothing was moved; name a folder for what goes: TRASH=/a/folder sh THIS_FILE' >&2
    exit 2
fi
case $TRASH in
    /*) ;;
    *) TRASH=$PWD/$TRASH ;;
esac
mkdir -p -- "$TRASH" || exit 1
n=0

# goes KEPT FILE: moves FILE into a new folder of TRASH, if KEPT is another file that is there.
goes() {
    n=$((n + 1))
    if [ ! -f "$2" ] || [ -L "$2" ]; then
        printf '%s\n' "left: $2 is no file any more" >&2
    elif [ ! -f "$1" ] || [ -L "$1" ]; then
        printf '%s\n' "left: $2, as $1 is no file any more" >&2
    elif [ "$1" -ef "$2" ]; then
        printf '%s\n' "left: $2 is $1 itself" >&2
    else
        while [ -e "$TRASH/$n" ]; do n=$((n + 1)); done
        mkdir -- "$TRASH/$n" && mv -n -- "$2" "$TRASH/$n/"
    fi
}

# same KEPT FILE: the same, if both have one content.
same() {
    if cmp -s -- "$1" "$2"; then
        goes "$1" "$2"
    else
        printf '%s\n' "left: $2 is not the same as $1 any more" >&2
    fi
}

"""


def export(
    groups: DuplicateGroups | Sequence[DuplicateGroup],
    file: str | os.PathLike[str],
    form: str | None = None,
    *,
    force: bool = False,
) -> int:
    """Write groups to a file; return how many files of pictures it names.

    Parameters
    ----------
    groups : DuplicateGroups
    file : path
    form : {"csv", "json", "sh"}, optional
        By default, what the ending says.
    force : bool
        Whether to write over a file that is there.

    Raises
    ------
    InvalidInputError
        If there is no such form.
    ConflictError
        If something is there.
    ResourceError
        If the file cannot be written.
    """
    path = Path(file)
    write = FORMS[choose_form(path, form)]
    write_output(path, write(groups), force=force)
    return sum(len(image.files) for group in groups for image in group.images)


def choose_form(file: Path, form: str | None = None) -> str:
    """Return the form that is named, or that the ending of a file says.

    Raises
    ------
    InvalidInputError
        If there is none.

    >>> choose_form(Path("twice.CSV")), choose_form(Path("twice"), "sh")
    ('csv', 'sh')
    """
    names = ", ".join(FORMS)
    if form is not None:
        if form not in FORMS:
            raise InvalidInputError(f"form is {shown(form)}; expected {names}", field="form")
        return form
    ending = file.suffix.lower().removeprefix(".")
    if ending not in FORMS:
        raise InvalidInputError(
            f"the ending of {file} says no form of a list; expected .csv, .json, .sh, or that one is named:"
            f" {names}",
            field="file",
        )
    return ending


def as_csv(groups: Sequence[DuplicateGroup]) -> bytes:
    """Return groups as a table, a row a file, safe for spreadsheets."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for number, group in enumerate(groups, start=1):
        for image in group.images:
            for each in image.files:
                facts = (f"{image.probability:.4f}", format_id(image.id), image.turn)
                keep = "yes" if each.keep else "no"
                writer.writerow([number, image.kind, *facts, keep, as_cell(storable(each.path))])
    return text.getvalue().encode()


def as_json(groups: Sequence[DuplicateGroup]) -> bytes:
    """Return groups as a document."""
    document = {"groups": [each.to_dict(storable) for each in groups]}
    return f"{json.dumps(document, ensure_ascii=False, indent=1)}\n".encode()


def as_script(groups: Sequence[DuplicateGroup]) -> bytes:
    """Return groups as a shell script; names are written byte for byte."""
    lines = [_SCRIPT.encode()]
    for number, group in enumerate(groups, start=1):
        files = [(image, each) for image in group.images for each in image.files]
        kept = [(image, each) for image, each in files if each.keep]
        said = f"# group {number}: {group.kind}, probability {group.probability:.3f}\n"
        lines.append(said.encode())
        lines += [f"#   kept: {_in_comment(each.path)}\n".encode() for _, each in kept]
        for image, each in files:
            if each.keep:
                continue
            same = [other for for_it, other in kept if for_it.id == image.id]
            near = "" if same else _NEAR.get(image.kind, "")
            if not kept or near:
                why = f"it is only {near}" if near else "nothing is kept"
                lines.append(f"#   left, as {why}: {_in_comment(each.path)}\n".encode())
                continue
            word = b"same" if same else b"goes"
            keep = same[0] if same else kept[0][1]
            lines.append(b" ".join((word, quoted(keep.path), quoted(each.path))) + b"\n")
    return b"".join(lines)


def quoted(path: str) -> bytes:
    r"""Return a path as a word of a shell's: between quotes, whatever it has, and never an option.

    >>> quoted("/a/it's\n"), quoted("-rf")
    (b"'/a/it'\\''s\n'", b"'./-rf'")
    """
    name = os.fsencode(path)
    if not os.path.isabs(path):
        name = b"./" + name
    return b"'" + name.replace(b"'", b"'\\''") + b"'"


def _in_comment(path: str) -> str:
    """Return a path as one line, which cannot end the comment."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", path)


FORMS: Mapping[str, Callable[[Sequence[DuplicateGroup]], bytes]] = MappingProxyType(
    {"csv": as_csv, "json": as_json, "sh": as_script}
)
"""The forms, by name and ending."""
