"""What is mounted that is no usual disk.

On some disks the time of a status change and the number of a file (the inode) say nothing of its content.

Network disks make them up, or take them from a server that renumbers; FAT has neither, so that the system
invents them anew at each mount. File systems in user space number files as they like, unless told otherwise
(libfuse: "use_ino"). Git trusts neither there: ``core.checkStat=minimal``.

Others are no disks at all, but what the system says of itself, in the form of files. Many of these call
themselves plain and empty, and to read one may wait for ever, or change something.
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

SYSTEM_FILE_SYSTEMS = frozenset(
    {
        *("proc", "sysfs", "devtmpfs", "devpts", "debugfs", "tracefs", "securityfs", "configfs", "efivarfs"),
        *("cgroup", "cgroup2", "cpuset", "pstore", "bpf", "mqueue", "hugetlbfs", "binfmt_misc", "fusectl"),
        *("selinuxfs", "smackfs", "apparmorfs", "rpc_pipefs", "nfsd", "nsfs", "resctrl"),
    }
)
"""Those that hold no files of anybody's."""

_TABLE = Path("/proc/self/mountinfo")
_USER_SPACE = "fuse."
_MOUNT = re.compile(r"^\S+ \S+ (\d+):(\d+) .* - (\S+) ", re.MULTILINE)


def weak_devices(table: Path = _TABLE) -> frozenset[int]:
    """Return the devices (``st_dev``) of such disks that are mounted now; none where the system is no Linux.

    Parameters
    ----------
    table : Path
        The mounts, as proc(5) describes them.
    """
    kinds = _mounted(table)
    return frozenset(
        device for device, kind in kinds.items() if kind in WEAK_FILE_SYSTEMS or kind.startswith(_USER_SPACE)
    )


def system_devices(table: Path = _TABLE) -> dict[int, str]:
    """Return the devices of the system's own file systems, and the type of each; see `weak_devices`."""
    return {device: kind for device, kind in _mounted(table).items() if kind in SYSTEM_FILE_SYSTEMS}


def _mounted(table: Path) -> dict[int, str]:
    """Return the types of what is mounted, by device."""
    try:
        mounts = table.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return {os.makedev(int(major), int(minor)): kind for major, minor, kind in _MOUNT.findall(mounts)}
