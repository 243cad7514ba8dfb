"""Give files and folders other names; what has the name of a file already goes.

On Windows that fails for a moment where another program, one that looks for viruses, say, has the file open:
so it is tried again, for a second. Where it is mapped, it fails for good.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from lookalike.system import this_system

_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.3)  # seconds


def rename(source: Path, target: Path) -> None:
    """Give a file another name, in the place of a file that has it; or a folder one that nothing has.

    Raises
    ------
    OSError
        If that cannot be.
    """
    for pause in _PAUSES if this_system.WINDOWS else ():
        try:
            os.replace(source, target)
            return
        except PermissionError:
            time.sleep(pause)
    os.replace(source, target)
