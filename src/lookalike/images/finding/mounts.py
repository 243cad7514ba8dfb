"""On which disks the time of a status change and the number of a file (the inode) say nothing of its content.

Network disks make them up, or take them from a server that renumbers; FAT has neither, so that the system
invents them anew at each mount. File systems in user space number files as they like, unless told otherwise
(libfuse: "use_ino"). Git trusts neither there: ``core.checkStat=minimal``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

WEAK_FILE_SYSTEMS = frozenset(
    {
        # over a network
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "coda",
        "ncpfs",
        "ceph",
        "lustre",
        "gpfs",
        "beegfs",
        "orangefs",
        "davfs",
        # a folder of the machine around a virtual one
        "9p",
        "virtiofs",
        "vboxsf",
        "vmhgfs",
        "prl_fs",
        "drvfs",
        # without inodes
        "vfat",
        "msdos",
        "exfat",
        # in user space: NTFS, exFAT; the others are called fuse.sshfs, fuse.rclone and so on
        "fuse",
        "fuseblk",
    }
)
"""As Linux names their types."""

_USER_SPACE = "fuse."
_MOUNT = re.compile(r"^\S+ \S+ (\d+):(\d+) .* - (\S+) ", re.MULTILINE)


def weak_devices(table: Path = Path("/proc/self/mountinfo")) -> frozenset[int]:
    """Return the devices (``st_dev``) of such disks that are mounted now; none where the system is no Linux.

    Parameters
    ----------
    table : Path
        The mounts, as proc(5) describes them.
    """
    try:
        mounts = table.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    return frozenset(
        os.makedev(int(major), int(minor))
        for major, minor, kind in _MOUNT.findall(mounts)
        if kind in WEAK_FILE_SYSTEMS or kind.startswith(_USER_SPACE)
    )
