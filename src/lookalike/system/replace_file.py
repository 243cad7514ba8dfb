"""Write a file so that no reader ever sees half of it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from lookalike.system.flush import flush_file, flush_folder
from lookalike.system.renaming import rename


def replace_file(
    file: Path, content: bytes, *, durable: bool = False, names_flushed_later: bool = False
) -> None:
    """Put a file in its place, whole, or leave what was there. What is no file, a pipe, say, is written to.

    Parameters
    ----------
    file : Path
        Its folder is there.
    content : bytes
    durable : bool
        Whether it is on the disk, not only on its way there, before it takes its place, and its name is
        before this returns: for what is to be there after a power cut.

    names_flushed_later : bool
        Whether the caller sees to the name, once for many files in a folder.

    Raises
    ------
    OSError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     replace_file(Path(folder, "a.txt"), b"new")
    ...     print([(file.name, file.read_bytes()) for file in Path(folder).iterdir()])
    [('a.txt', b'new')]
    """
    if file.exists() and not file.is_file() and not file.is_dir():
        file.write_bytes(content)  # a pipe or a device stays what it is
        return
    partial = partial_of(file)
    try:
        partial.write_bytes(content)
        if durable:
            flush_file(partial)
        rename(partial, file)
        if durable and not names_flushed_later:
            flush_folder(file.parent)
    finally:
        partial.unlink(missing_ok=True)


def partial_of(file: Path) -> Path:
    """Return where to write a file, beside its place, before it takes that.

    Processes and threads that write it at once each have their own. The name is cut: it may be the longest
    that the system takes.
    """
    return file.with_name(f"{file.name[:40]}.{os.getpid()}-{threading.get_ident()}.part")
