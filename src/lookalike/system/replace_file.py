"""Write a file so that no reader ever sees half of it."""

from __future__ import annotations

import os
import threading
from pathlib import Path


def replace_file(file: Path, content: bytes, *, durable: bool = False) -> None:
    """Put a file in its place, whole, or leave what was there. What is no file, a pipe, say, is written to.

    Parameters
    ----------
    file : Path
        Its folder is there.
    content : bytes
    durable : bool
        Whether it is on the disk, not only on its way there, before it takes its place: for what cannot be
        made again after a power cut.

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
    # Processes and threads that write it at once each have their own. The name is cut: it may be the longest
    # that the system takes.
    partial = file.with_name(f"{file.name[:40]}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        partial.write_bytes(content)
        if durable:
            with partial.open("rb+") as stream:
                os.fsync(stream.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
