"""A disk that fails at a chosen moment, without root: the C library's calls below a folder, by LD_PRELOAD.

Python, Lance (which is Rust), numpy and ONNX Runtime all write by way of the C library. The n-th call of some
kinds fails, and as many after it as are asked for: the same moment each time, as far as threads allow.
"""

from __future__ import annotations

import errno
import mmap
import os
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

KINDS = "wscmlrou"
"""Write, sync, create, make a folder, link or rename, read, open to read, unlink."""

FOR_GOOD = 1 << 62
_OF_KINDS = slice(4, 4 + len(KINDS))
_N_WORDS = _OF_KINDS.stop + 2
_SOURCE = Path(__file__).with_name("failing_calls.c")


def can_fail() -> bool:
    """Tell whether there is a compiler, and a system, to make calls fail with."""
    return sys.platform == "linux" and shutil.which("gcc") is not None


@dataclass(frozen=True, slots=True)
class Fault:
    """What fails, from when on.

    Attributes
    ----------
    code : int
        Of `errno`.
    kinds : str
        Of `KINDS`.
    first : int
        How many calls of these kinds succeed before.
    number : int
        How many fail.
    """

    code: int
    kinds: str
    first: int = FOR_GOOD
    number: int = FOR_GOOD

    def __str__(self) -> str:
        name = errno.errorcode.get(self.code, "nothing")
        lasting = "on" if self.number == FOR_GOOD else f"on, {self.number} calls"
        return f"{name} of {self.kinds} from call {self.first} {lasting}"


NOTHING = Fault(0, "")


class FailingCalls:
    """The library, compiled into a folder, and what it counts there."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._library, self._state = folder / "failing_calls.so", folder / "failing_calls.state"
        if self._library.exists():  # whoever runs in it
            return
        words = ["gcc", "-shared", "-fPIC", "-O1", "-o", str(self._library), str(_SOURCE), "-ldl"]
        subprocess.run(words, check=True, capture_output=True)

    def environment(self, below: Path, fault: Fault = NOTHING) -> dict[str, str]:
        """Return what the next process needs, as in `set`.

        Parameters
        ----------
        below : Path
            Outside of it nothing fails.
        fault : Fault
        """
        if not self._state.exists():
            self._state.write_bytes(bytes(8 * _N_WORDS))
        self.set(fault)
        return {
            "LD_PRELOAD": str(self._library),
            "FAILING_BELOW": os.path.realpath(below),
            "FAILING_STATE": str(self._state),
        }

    def set(self, fault: Fault = NOTHING) -> None:
        """Have the calls fail so from now on, also of processes that run; counting begins anew."""
        first, number = (fault.first, fault.number) if fault.kinds else (FOR_GOOD, 0)
        bits = sum(1 << KINDS.index(kind) for kind in fault.kinds)
        words = (0, first, number, *([0] * (1 + len(KINDS))), fault.code, bits)
        with self._state.open("rb+") as stream:
            stream.write(struct.pack(f"={_N_WORDS}q", *words))

    def counted(self) -> dict[str, int]:
        """Return how many calls there were of each kind."""
        return dict(zip(KINDS, self._words()[_OF_KINDS], strict=True))

    def n_failed(self) -> int:
        """Return how many calls have failed."""
        return self._words()[3]

    def _words(self) -> tuple[int, ...]:
        with self._state.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as seen:
            return struct.unpack(f"={_N_WORDS}q", seen[:])
