import os
from pathlib import Path

import pytest

from lookalike.images import scan
from lookalike.images.finding.mounts import system_devices, weak_devices
from lookalike.images.finding.scan import FileStat

MOUNTS = """\
22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p1 rw
40 22 0:35 / /mnt/nas rw,relatime shared:2 master:3 - nfs4 server:/photos rw,vers=4.2
41 22 0:36 / /mnt/with\\040space rw - cifs //server/photos rw
42 22 8:17 / /media/stick rw - exfat /dev/sdb1 rw
43 22 0:40 / /mnt/ssh rw - fuse.sshfs me@server:/ rw
44 22 0:41 /photos /srv rw - btrfs /dev/sda2 rw
45 22 8:33 / /media/disk rw - fuseblk /dev/sdc1 rw
"""


def test_network_disks_fat_and_user_space_have_no_evidence(tmp_path):
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTS)
    expected = {(0, 35), (0, 36), (8, 17), (0, 40), (8, 33)}
    assert weak_devices(table) == {os.makedev(*each) for each in expected}


def test_what_is_no_disk_is_known_by_its_type(tmp_path):
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTS + "23 22 0:5 / /proc rw - proc proc rw\n24 22 0:6 / /sys rw - sysfs sysfs rw\n")
    assert system_devices(table) == {os.makedev(0, 5): "proc", os.makedev(0, 6): "sysfs"}


def test_where_there_is_no_list_of_mounts_no_disk_is_weak(tmp_path):
    assert weak_devices(tmp_path / "nothing") == frozenset()


def status(**changes):
    fields = {"st_mode": 0o100644, "st_ino": 7, "st_dev": 3, "st_nlink": 1, "st_uid": 0, "st_gid": 0}
    fields |= {"st_size": 5, "st_atime": 0, "st_mtime": 0, "st_ctime": 0}
    fields |= {"st_mtime_ns": 11, "st_ctime_ns": 12, **changes}
    return type("Status", (), fields)()


def test_a_weak_device_gives_size_and_time_alone():
    assert FileStat.of(status()) == FileStat(5, 11, 12, 7)
    assert FileStat.of(status(), frozenset({3})) == FileStat(5, 11)


@pytest.mark.parametrize(
    ("inode", "stored"), [(0, None), (2**63 - 1, 2**63 - 1), (2**63, -(2**63)), (2**64 - 1, -1)]
)
def test_any_inode_fits_a_signed_column(inode, stored):
    assert FileStat.of(status(st_ino=inode)).inode == stored


def test_times_beyond_any_table_are_clipped():
    assert FileStat.of(status(st_ctime_ns=2**70)).ctime_ns == 2**63 - 1


@pytest.mark.skipif(os.name != "posix", reason="only there they mean this")
def test_a_scan_sees_ctime_and_inode(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"x")
    found = scan(Path(tmp_path))
    if tmp_path.stat().st_dev in found.weak:
        pytest.skip("the tests lie on a disk that makes them up")
    seen = (tmp_path / "a.jpg").stat()
    assert (found.files["a.jpg"].ctime_ns, found.files["a.jpg"].inode) == (seen.st_ctime_ns, seen.st_ino)
