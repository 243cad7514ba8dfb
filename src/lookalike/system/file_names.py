r"""Names of files as text that UTF-8 can hold, whatever bytes they are of.

Linux takes any bytes for a name. Python carries those that are not UTF-8 as half a surrogate pair, which no
file in UTF-8 may hold. So there is one way to write them, in tables and in all that is exported: each such
byte as ``\xe9``, and in a name that has one, a backslash as ``\\``. `unescape` is the exact way back; names
are taken in that spelling wherever they are typed or imported.
"""

from __future__ import annotations

import re


def escape(name: str) -> str:
    r"""Write a file name as printable, storable text; a backslash as two, whatever else is in it.

    >>> import os
    >>> print(escape(os.fsdecode(b"caf\xe9.jpg")))
    caf\xe9.jpg
    """
    if name.isascii() and "\\" not in name:  # nearly all, and there may be a million
        return name
    return "".join(_escape_character(character) for character in name)


def _escape_character(character: str) -> str:
    code = ord(character)
    if character == "\\":
        return "\\\\"
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries bytes that are not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return character


def unescape(text: str) -> str:
    r"""Return the file name that `escape` wrote.

    >>> print(unescape(escape(r"a\b")))
    a\b
    """
    return re.sub(
        r"\\(\\|x[0-9a-f]{2})",
        lambda found: "\\" if found[1] == "\\" else chr(0xDC00 + int(found[1][1:], 16)),
        text,
    )


def storable(name: str) -> str:
    r"""Return a name as it is, or escaped where UTF-8 cannot hold it.

    >>> import os
    >>> print(storable(os.fsdecode(b"/photos/caf\xe9.jpg")), storable("/photos/café.jpg"), storable(r"a\b"))
    /photos/caf\xe9.jpg /photos/café.jpg a\b
    """
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        # Halves of pairs that stand for no byte cannot come from a file's name.
        return escape(name).encode("utf-8", "backslashreplace").decode("utf-8")
    return name
