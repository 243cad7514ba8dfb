"""Disks that are small, full, read-only, or pulled out: in memory or in a file, mounted by root.

Each is unmounted when its `with` ends, also by Ctrl-C and SIGTERM (see `faults.report`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_SHUT_DOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32)
_BLOCK = 1 << 12


def can_mount() -> bool:
    """Tell whether this process may mount disks."""
    programs = ("mount", "umount", "losetup", "mkfs.ext4")
    return sys.platform == "linux" and os.geteuid() == 0 and all(map(shutil.which, programs))


@contextlib.contextmanager
def in_memory(place: Path, megabytes: int) -> Iterator[Path]:
    """Mount a disk in memory at `place`, which is made; it takes 100,000 files and folders."""
    place.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m,nr_inodes=100000"
    _run("mount", "-t", "tmpfs", "-o", options, "lookalike-faults", place)
    try:
        yield place
    finally:
        _unmount(place)


@contextlib.contextmanager
def in_file(place: Path, file: Path, megabytes: int) -> Iterator[Path]:
    """Mount an ext4 disk in a file at `place`; both are made."""
    place.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        stream.truncate(megabytes << 20)
    try:
        _run("mkfs.ext4", "-q", "-F", "-m", "0", file)
        _run("mount", "-o", "loop", file, place)
        try:
            yield place
        finally:
            _unmount(place)
    finally:
        file.unlink()


def fill(place: Path, leave: int) -> Path:
    """Fill a disk until `leave` bytes of it are free; return the ballast, which may be removed."""
    ballast = place / "ballast"
    facts = os.statvfs(place)
    size = max(0, facts.f_bavail * facts.f_frsize - leave) // _BLOCK * _BLOCK
    with ballast.open("wb") as stream:
        try:
            os.posix_fallocate(stream.fileno(), 0, size)
        except OSError:  # by some kilobytes of its own
            with contextlib.suppress(OSError):
                while True:
                    os.write(stream.fileno(), bytes(_BLOCK))
    return ballast


def set_inodes(place: Path, leave: int) -> None:
    """Let a disk in memory take `leave` files and folders more than it holds."""
    facts = os.statvfs(place)
    _run("mount", "-o", f"remount,nr_inodes={facts.f_files - facts.f_ffree + leave}", place)


def make_read_only(place: Path, seconds: float = 5.0) -> bool:
    """Mount a disk read-only as soon as no file is open for writing; return whether that came."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if subprocess.run(["mount", "-o", "remount,ro", str(place)], capture_output=True).returncode == 0:
            return True
    return False


def make_writable(place: Path) -> None:
    """Take that back."""
    _run("mount", "-o", "remount,rw", place)


def flush(place: Path) -> None:
    """Return once all that a disk holds is on it."""
    _run("sync", "--file-system", place)


def pull_out(place: Path) -> None:
    """Let an ext4 disk fail from now on, whatever is asked of it; `flush` it before."""
    handle = os.open(place, os.O_RDONLY)
    try:
        fcntl.ioctl(handle, _SHUT_DOWN, struct.pack("I", 1))  # what is in the journal is still written
    finally:
        os.close(handle)


def put_back(place: Path, file: Path) -> None:
    """Mount a disk again that was pulled out."""
    _unmount(place)
    _run("mount", "-o", "loop", file, place)


def _unmount(place: Path) -> None:
    for _ in range(50):
        if subprocess.run(["umount", str(place)], capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    _run("umount", "--lazy", place)


def _run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True, timeout=60)
