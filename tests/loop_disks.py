"""Disks that are not POSIX, in a file: FAT32 and exFAT, mounted by root where there are programs for it."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


def _run(*words: object) -> str:
    line = [str(word) for word in words]
    return subprocess.run(line, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


@contextlib.contextmanager
def _exfat(file: Path, place: Path) -> Iterator[None]:
    _run("mkfs.exfat", file)
    device = _run("losetup", "-f", "--show", file)
    try:
        _run("mount.exfat-fuse", device, place)
        yield
    finally:
        _run("losetup", "-d", device)


@contextlib.contextmanager
def _fat32(file: Path, place: Path) -> Iterator[None]:
    _run("mkfs.vfat", "-F", "32", file)
    _run("fusefat", "-o", "rw+", file, place)
    yield


_KINDS: dict[str, tuple[tuple[str, ...], Callable[[Path, Path], contextlib.AbstractContextManager[None]]]] = {
    "exfat": (("mkfs.exfat", "mount.exfat-fuse", "losetup"), _exfat),
    "fat32": (("mkfs.vfat", "fusefat"), _fat32),
}
KINDS = tuple(_KINDS)


@contextlib.contextmanager
def loop_disk(kind: str, folder: Path, megabytes: int = 300) -> Iterator[Path]:
    """A disk of this kind, mounted below `folder`; skips the test where there can be none."""
    programs, mount = _KINDS[kind]
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not all(map(shutil.which, programs)):
        pytest.skip(f"root, {' and '.join(programs)} are needed")
    file, place = folder / "disk", folder / "mounted"
    place.mkdir()
    with file.open("wb") as stream:
        stream.truncate(megabytes << 20)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(mount(file, place))
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"no disk can be mounted here: {error}")
        stack.callback(_run, "umount", place)
        yield place
