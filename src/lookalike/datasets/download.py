"""Download one file of known content.

pooch decides (already here? the right hash?), keeps the partial file under another name, checks the hash
and renames; httpx carries the bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from lookalike.errors import DatasetResourceError, DatasetUnreachableError, InvalidInputError
from lookalike.system.download import CONNECT_SECONDS, STALL_SECONDS, bytes_told, connect, hanging_up, reason
from lookalike.system.progress import UNWATCHED, Watch


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that never changes, and where it is published.

    Attributes
    ----------
    name : str
        What it holds, for people.
    url : str
        http or https.
    sha256 : str
        64 hexadecimal digits.
    size : int
        Bytes.
    """

    name: str
    url: str
    sha256: str
    size: int


def download(remote: RemoteFile, destination: Path, *, otherwise: str = "", watch: Watch = UNWATCHED) -> None:
    """Fetch a file, unless it is there already with the right content.

    Parameters
    ----------
    remote : RemoteFile
    destination : Path
        Where to put it. The name appears only when the content is complete and right.
    otherwise : str
        What else the user can do when this fails, as in ``set LOOKALIKE_DATA to …``.
    watch : Watch

    Raises
    ------
    InvalidInputError
        If the address is not http or https.
    DatasetError
        If the file cannot be reached, stalls, has another content, or cannot be written.
    """
    if not remote.url.lower().startswith(("http://", "https://")):
        raise InvalidInputError(f"{remote.url!r} cannot be downloaded; expected an http or https address")

    import httpx
    import pooch

    pooch.get_logger().setLevel("WARNING")  # it announces every download on standard error
    fetcher = _Fetcher(remote, watch)
    carry = f"carry the file ({remote.size / 1e6:,.0f} MB) to {destination}"
    remedy = f"{otherwise}, or {carry}" if otherwise else carry
    try:
        pooch.retrieve(
            url=remote.url,
            known_hash=f"sha256:{remote.sha256}",
            fname=destination.name,
            path=destination.parent,
            downloader=fetcher,
        )
    # ImportError: httpx's word for a proxy from the environment that it cannot use.
    except (httpx.HTTPError, httpx.InvalidURL, ImportError) as error:
        why = f"{remote.url}: {reason(error, CONNECT_SECONDS, STALL_SECONDS)}"
        raise DatasetUnreachableError(
            f"{remote.name} cannot be downloaded from {why}", hint=remedy
        ) from error
    except ValueError as error:  # pooch's word for another hash
        raise DatasetUnreachableError(
            f"{remote.name} from {remote.url} is not what it should be: "
            f"expected sha256 {remote.sha256}, got {fetcher.sha256}",
            hint=remedy,
        ) from error
    except OSError as error:
        raise DatasetResourceError(
            f"{remote.name} cannot be written to {destination}: {error.strerror or error}",
            hint="make room or set LOOKALIKE_CACHE to a folder that can be written to",
        ) from error


class _Fetcher:
    """What pooch calls to carry the bytes of one address into a file."""

    def __init__(self, remote: RemoteFile, watch: Watch) -> None:
        self.remote = remote
        self.watch = watch
        self.sha256 = ""  # of what came

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        import httpx

        digest = hashlib.sha256()
        come = 0
        with (
            httpx.Client(
                timeout=httpx.Timeout(STALL_SECONDS, connect=CONNECT_SECONDS),
                headers={"Accept-Encoding": "identity"},  # the hash is that of the file as published
                follow_redirects=True,
            ) as client,
            Path(output_file).open("wb") as file,
        ):
            show = bytes_told(self.watch, self.remote.name, self.remote.size)
            response = connect(client, client.build_request("GET", url), CONNECT_SECONDS, self.watch)
            response.raise_for_status()
            with hanging_up(response, self.watch):
                for chunk in response.iter_bytes():
                    file.write(chunk)
                    digest.update(chunk)
                    come += len(chunk)
                    show(come)
                    if come > self.remote.size:  # the hash cannot fit any more: do not fill the disk
                        raise httpx.DecodingError(f"expected {self.remote.size:,} bytes, but more came")
        self.sha256 = digest.hexdigest()
