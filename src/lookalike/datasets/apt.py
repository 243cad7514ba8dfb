"""Fetch and unpack a Debian package without root and without touching the system.

apt's sources, keys and proxies are the system's own, so a mirror or an offline copy that the administrator
set up serves here as well. Everything that is written lies below one folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lookalike.datasets.locate import cached_data_folder
from lookalike.datasets.staging import build_folder
from lookalike.errors import DatasetDamagedError, DatasetError, DatasetResourceError, DatasetUnreachableError
from lookalike.system.download import bytes_told
from lookalike.system.progress import UNWATCHED, Watch

UPDATE_PATIENCE = 10.0
"""Seconds without a byte, then the lists are taken as they are: many dead sources cost no more than this."""

DOWNLOAD_PATIENCE = 30.0
"""Seconds without a byte, then the download has failed."""

CONFIGURATION = """\
// The system's hooks refresh its own caches: not ours to run.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
// Nothing but the lists of packages: no icons, no descriptions, no tables of contents.
#clear Acquire::IndexTargets;
Acquire::IndexTargets::deb::Packages {
  MetaKey "$(COMPONENT)/binary-$(ARCHITECTURE)/Packages"; flatMetaKey "Packages";
  ShortDescription "Packages";
  Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Packages"; flatDescription "$(RELEASE) Packages";
};
Acquire::Languages "none";
Acquire::Retries "0";
Acquire::http::Timeout "5";
Acquire::https::Timeout "5";
"""


def fetch_package(package: str, size: int, inside: str, *, watch: Watch) -> Path:
    """Unpack a package into the cache, unless it is there, and return one of its folders.

    Parameters
    ----------
    package : str
    size : int
        Bytes of the package; for the progress bar.
    inside : str
        The folder of the package that is wanted, as in ``usr/share/…``.
    watch : Watch

    Raises
    ------
    DatasetError
        If this is no Debian system, the package cannot be reached, or the cache cannot be written to.
    """
    folder = cached_data_folder() / package

    def fill(staging: Path) -> None:
        try:
            unpack_package(package, staging, bytes_told(watch, f"Debian's {package}", size), watch)
        except DatasetError as error:
            raise error.amended(
                hint=f"where you can get the package, run `dpkg-deb -x {package}*.deb {folder}`"
            ) from error
        if not (staging / inside).is_dir():
            raise DatasetDamagedError(
                f"the package {package} has no folder {inside}, where pictures were expected"
            )

    build_folder(folder, fill)
    return folder / inside


def unpack_package(
    package: str, folder: Path, advance: Callable[[int], None], watch: Watch = UNWATCHED
) -> None:
    """Download a package with ``apt-get`` and write its files below a folder with ``dpkg-deb``.

    Parameters
    ----------
    package : str
    folder : Path
        Gets the package's own tree: ``usr/share/…``.
    advance : callable
        Called with the bytes of the package that have come so far.
    watch : Watch

    Raises
    ------
    DatasetError
        If a program is missing or fails: one line, with the last thing that it had to say.
    """
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise DatasetResourceError(
                f"the package {package} needs {program} to be fetched and unpacked, and there is none here; "
                "it belongs to Debian, Ubuntu and their kin"
            )
    work = folder / "apt"
    try:
        lists, archives = work / "lists", work / "archives"
        for needed in (lists / "partial", archives / "partial"):
            needed.mkdir(parents=True)
        (work / "apt.conf").write_text(CONFIGURATION)
        apt = ["apt-get", "-qq", f"--config-file={work / 'apt.conf'}", *_settings(work)]

        # A source that is down must not matter when another one has the package: the download will tell.
        _, update_said = _run([*apt, "update"], lists, UPDATE_PATIENCE, watch=watch)
        code, said = _run([*apt, "download", package], archives, DOWNLOAD_PATIENCE, advance, watch)
        found = next(archives.glob("*.deb"), None)
        if code or found is None:
            # Of several sources that cannot be reached, apt says why of the first only.
            reasons = "; ".join([*_reasons(said)[-1:], *_reasons(update_said)[:1]])
            raise DatasetUnreachableError(
                f"apt-get cannot download {package}: {reasons or f'exit code {code}'}"
            )
        code, said = _run(["dpkg-deb", "--extract", str(found), str(folder)], archives, watch=watch)
        if code:
            reasons = "; ".join(_reasons(said)[-1:])
            raise DatasetDamagedError(f"dpkg-deb cannot unpack {package}: {reasons or f'exit code {code}'}")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _settings(work: Path) -> list[str]:
    settings = {
        "Dir::State::lists": f"{work}/lists",
        "Dir::State::status": "/dev/null",  # what is installed does not matter here
        "Dir::Cache": f"{work}",
        "Dir::Cache::archives": f"{work}/archives",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        # To root only: apt's own user cannot enter the cache of ours.
        "APT::Sandbox::User": "root",
    }
    return [f"--option={name}={value}" for name, value in settings.items()]


def _run(
    command: Sequence[str],
    folder: Path,
    patience: float = float("inf"),
    advance: Callable[[int], None] = lambda done: None,
    watch: Watch = UNWATCHED,
) -> tuple[int, str]:
    """Run a program in a folder; return its exit code and what it said on standard error.

    It is ended when the folder has not grown for `patience` seconds.
    """
    environment = {**os.environ, "LC_ALL": "C"}  # the messages are looked into
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        ) as process,
    ):
        stalled = ""
        size, grown_at = _bytes_below(folder), time.monotonic()
        try:
            while process.poll() is None and not stalled:
                time.sleep(0.1)
                watch.check()
                if (now_size := _bytes_below(folder)) != size:
                    size, grown_at = now_size, time.monotonic()
                    advance(size)
                elif time.monotonic() - grown_at > patience:
                    stalled = f"E: nothing came for {patience:g} seconds\n"
        finally:
            if process.poll() is None:
                process.kill()  # it leaves nothing outside the folder that is thrown away
        code = process.wait()
        errors.seek(0)
        return code, errors.read() + stalled


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:  # renamed while we looked
            continue
    return total


def _reasons(said: str) -> list[str]:
    r"""Return the lines that say something, without apt's marks.

    >>> _reasons("W: Failed to fetch X  Could not connect\nW: Some index files failed to download.\n")
    ['Failed to fetch X Could not connect']
    """
    lines = [" ".join(line.split()).removeprefix("E: ").removeprefix("W: ") for line in said.splitlines()]
    return [line.rstrip(" .:") for line in lines if line and not line.startswith("Some index files failed")]
