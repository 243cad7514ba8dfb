"""Tables as a power cut leaves them, or rot, and processes that know nothing of them yet."""

from pathlib import Path

from lookalike.store import versions
from lookalike.store.checksums import CHECKSUMS


def forget_all() -> None:
    """Have this process know no more of any table than one that has just begun."""
    versions._whole.clear()
    versions._flaws.clear()


def forget_notes(table: Path, n_versions: int = 1) -> None:
    """Take away what was noted of the newest versions of a table, as that is done once all else is."""
    names = [name.encode() for name in versions.manifests(table)[:n_versions]]
    sums = table / CHECKSUMS
    lines = sums.read_bytes().splitlines(keepends=True)
    sums.write_bytes(b"".join(line for line in lines if not any(name in line for name in names)))
    forget_all()


def spoil(table: Path, n_versions: int = 1, is_cut: bool = True) -> None:
    """Empty the newest versions of a table, as a power cut does; or as rot does, of what was done."""
    if is_cut:
        forget_notes(table, n_versions)
    for name in versions.manifests(table)[:n_versions]:
        (table / versions.VERSIONS / name).write_bytes(b"")
    forget_all()
