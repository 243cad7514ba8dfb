"""Fetch models from the Hugging Face hub once, and find them again: here, or in a folder carried by hand.

A model lies in a folder of its name, its files under the paths that they have in their repository. Beside
them a first fetch leaves ``lookalike.json``, which says what they are: the repository, the commit that was
resolved, and size and sha256 of each file. From then on the files are checked against it.

The protocol is plain HTTP. Asked for the head of ``repository/resolve/revision/path``, the hub states the
commit and what the file's content must hash to: the sha256 for large files, git's blob id for small ones.
The bytes then come in as many pieces as it takes: what has arrived lies in a ``.part`` file, and the next
attempt asks for the rest. (The hub's own client, in version 2, starts every file anew after a kill.)
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin

from lookalike.embed.models import HubFile, HubFiles, Model
from lookalike.errors import (
    ConflictError,
    LookalikeError,
    ModelBusyError,
    ModelDamagedError,
    ModelError,
    ModelInputError,
    ModelResourceError,
    ModelUnreachableError,
)
from lookalike.hints import Hint
from lookalike.system.cache import cache_folder, check_trusted, make_folder, shut
from lookalike.system.download import CONNECT_SECONDS, STALL_SECONDS, bytes_told, connect, hanging_up, reason
from lookalike.system.output import refuse_collections
from lookalike.system.plain_files import read_plain
from lookalike.system.progress import UNWATCHED, CancelToken, ProgressReport, Watch
from lookalike.system.renaming import rename
from lookalike.system.replace_file import replace_file
from lookalike.system.sums import read_document, why_unread
from lookalike.system.watching import watching

if TYPE_CHECKING:
    import httpx

PIN_NAME = "lookalike.json"
ENDPOINT = "https://huggingface.co"

_REDIRECTS = 5
_ATTEMPTS = 5  # that bring nothing new, in a row
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class _Stated:
    """What the hub says of a file."""

    commit: str
    etag: str
    size: int


@dataclass(frozen=True, slots=True)
class _Pin:
    """The content of ``lookalike.json``."""

    repository: str
    revision: str
    commit: str
    files: dict[str, dict[str, Any]]


def model_folders() -> list[Path]:
    """Return where models are looked for: ``$LOOKALIKE_MODELS``, separated as in ``PATH``, then the cache."""
    named = os.environ.get("LOOKALIKE_MODELS", "").split(os.pathsep)
    places = [Path(os.path.abspath(os.path.expanduser(place))) for place in named if place]
    return [*places, cache_folder() / "models"]


def find(model: Model) -> Path | None:
    """Return the folder that holds all files of a model of the hub, or None if there is none."""
    assert isinstance(model.weights, HubFiles)
    for place in model_folders():
        folder = place / model.name
        if all((folder / file.path).is_file() for file in model.weights.files):
            return folder
    return None


def seems_whole(model: Model, folder: Path) -> bool:
    """Tell whether the files of a model's folder have the sizes that its pin states; reads none of them."""
    assert isinstance(model.weights, HubFiles)
    try:
        pin = _read_pin(folder)
        sizes = {file: (folder / file.path).stat().st_size for file in model.weights.files}
    except (ModelError, OSError):
        return False
    if pin is None:
        return all(sizes.values())
    return all(size == pin.files.get(file.path, {}).get("size", size) for file, size in sizes.items())


def read_image_file(model: Model, watch: Watch = UNWATCHED) -> tuple[bytes, Path]:
    """Return the checked file that embeds images, and the model's folder; fetch the model if need be.

    Raises
    ------
    ModelError
        If it is not on this machine and cannot be fetched, or its content is not what it should be.
    """
    assert isinstance(model.weights, HubFiles)
    folder = find(model) or fetch(model, **watch.told)
    file = folder / model.weights.image.path
    check_trusted(file)
    try:
        content = read_plain(file)
    except OSError as error:
        raise ModelResourceError(f"cannot read {file}: {error.strerror or error}") from error
    _compare(model, folder, model.weights.image, len(content), hashlib.sha256(content).hexdigest())
    return content, folder


def check(model: Model, folder: Path, file: HubFile) -> Path:
    """Return a file of a model's folder, its content checked.

    Raises
    ------
    ModelError
        If it cannot be read, or is not what it should be.
    """
    place = folder / file.path
    check_trusted(place)
    try:
        _compare(model, folder, file, place.stat().st_size, _sha256(place))
    except OSError as error:
        raise ModelResourceError(f"cannot read {place}: {error.strerror or error}") from error
    return place


def sha256_of(folder: Path, file: HubFile) -> str:
    """Return the sha256 of a file of a model's folder that `check` has looked at."""
    pin = _read_pin(folder)
    stated = pin.files.get(file.path, {}) if pin else {}
    return stated.get("sha256") or file.sha256 or _sha256(folder / file.path)


def _compare(model: Model, folder: Path, file: HubFile, size: int, sha256: str) -> None:
    check_trusted(folder / PIN_NAME)
    pin = _read_pin(folder)
    stated = pin.files.get(file.path, {}) if pin else {}
    # A folder that was cloned by hand has no pin: then what the table says counts.
    expected = stated.get("sha256") or file.sha256
    if expected and sha256 != expected:
        was = f" of {stated['size']:,} bytes" if "size" in stated else ""
        raise ModelDamagedError(
            f"{folder / file.path} is damaged or of another commit: expected sha256 {expected}{was}, got"
            f" {sha256} of {size:,} bytes",
            hint=Hint("fetch_again", folder=folder, model=model.name),
        )


def fetch(
    model: Model,
    destination: Path | None = None,
    revision: str | None = None,
    *,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
) -> Path:
    """Bring a model of the hub to this machine; what is there already, and whole, is not fetched again.

    So is what was carried here by hand, unless a destination or a revision is asked for.

    Parameters
    ----------
    model : Model
        Whose weights are `HubFiles`.
    destination : Path, optional
        The folder that is to hold ``<model name>/…``; the cache by default.
    revision : str, optional
        A commit or branch, in place of the one that the table of models, or an earlier fetch, names.
    report, cancel : optional
        Who is told how far it has come, and may stop it; see `Collection.sync`.

    Returns
    -------
    Path
        The model's folder.

    Raises
    ------
    ModelError
        If the hub cannot be reached, has no such repository or file, or sends other content than it states,
        or the files cannot be written.
    ConflictError
        If there are files at the destination that are not what would be put there, and that no fetch has put
        there either; they are left as they are.
    """
    import filelock

    if not isinstance(model.weights, HubFiles):
        raise ModelInputError(
            f"the model {model.name} is not fetched: it comes with a Python package, or needs none"
        )
    folder = (destination or cache_folder() / "models") / model.name
    is_users = destination is not None
    if is_users:
        for file in model.weights.files:
            refuse_collections(folder / file.path)
    if destination is None and revision is None:
        carried = find(model)
        if carried is not None and carried != folder and _is_what_it_should_be(model, carried):
            return carried
    lock = folder / ".lookalike.lock"
    check_trusted(folder)  # before the long wait
    try:
        make_folder(folder)
        with filelock.FileLock(lock, timeout=1):
            try:
                with watching(report, cancel) as watch:
                    _Fetch(model, model.weights, folder, revision, is_users, watch).run()
                for name in (PIN_NAME, *(file.path for file in model.weights.files)):
                    shut(folder / name)
            finally:
                with contextlib.suppress(OSError):  # Windows removes it itself, on release
                    lock.unlink()
    except filelock.Timeout as error:
        raise ModelBusyError(
            f"another lookalike is fetching {model.name} to {folder}", hint="let it end"
        ) from error
    except LookalikeError:  # some are OSErrors, too
        raise
    except OSError as error:
        raise ModelResourceError(
            f"the model {model.name} cannot be written to {folder}: {error.strerror or error}",
            hint="make room or set LOOKALIKE_CACHE to a folder that can be written to",
        ) from error
    finally:
        with contextlib.suppress(OSError):  # it is not empty, unless nothing came
            folder.rmdir()
    return folder


def _is_what_it_should_be(model: Model, folder: Path) -> bool:
    """Tell whether the content of all files is that of the pin, or of the table where there is no pin."""
    assert isinstance(model.weights, HubFiles)
    try:
        for file in model.weights.files:
            check(model, folder, file)
    except ModelError:
        return False
    return True


class _Fetch:
    """One fetch of one model."""

    def __init__(
        self,
        model: Model,
        weights: HubFiles,
        folder: Path,
        revision: str | None,
        is_users: bool,
        watch: Watch,
    ) -> None:
        self._model = model
        self._weights = weights
        self._folder = folder
        self._is_users = is_users  # whether the user has named it: then there may be files of theirs
        self._pinned: dict[str, dict[str, Any]] = {}  # what an earlier fetch has put there
        self._watch = watch
        self._asked = revision
        self._is_rows = False  # whether it is the revision that the table names, and has hashes of
        self._endpoint = os.environ.get("HF_ENDPOINT", ENDPOINT).rstrip("/")

    def run(self) -> None:
        import httpx

        pin = _read_pin(self._folder)
        if pin and pin.repository != self._weights.repository:
            pin = None
        self._pinned = pin.files if pin else {}
        revision = self._asked or (pin.commit if pin else self._weights.revision)
        if pin and pin.commit == revision and self._is_whole(pin):
            return
        self._is_rows = revision == self._weights.revision
        if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
            raise self._failed("HF_HUB_OFFLINE says that the hub is not to be asked")
        with httpx.Client(
            timeout=httpx.Timeout(STALL_SECONDS, connect=CONNECT_SECONDS),
            # The size and the hash are those of the file as it was published.
            headers={"Accept-Encoding": "identity", "User-Agent": "lookalike"},
        ) as client:
            stated: dict[str, _Stated] = {}
            for file in self._weights.files:  # all first: one that is missing is known before the long wait
                stated[file.path] = self._state(client, file, revision)
                revision = stated[file.path].commit  # so that all files are of one commit
            for file in self._weights.files:
                self._refuse_to_replace(file, stated[file.path])
            files = {file.path: self._bring(client, file, stated[file.path]) for file in self._weights.files}
        named = self._asked or (pin.revision if pin else self._weights.revision)
        _write_pin(self._folder, _Pin(self._weights.repository, named, revision, files))

    def _is_whole(self, pin: _Pin) -> bool:
        return all(self._is_there(file, pin) for file in self._weights.files)

    def _is_there(self, file: HubFile, pin: _Pin) -> bool:
        place, stated = self._folder / file.path, pin.files.get(file.path)
        if stated is None or not place.is_file() or place.stat().st_size != stated.get("size"):
            return False
        return _sha256(place) == stated.get("sha256")

    def _url(self, file: HubFile, revision: str) -> str:
        path = f"{self._weights.repository}/resolve/{quote(revision, safe='')}/{quote(file.path)}"
        return f"{self._endpoint}/{path}"

    def _state(self, client: httpx.Client, file: HubFile, revision: str) -> _Stated:
        """Ask the hub what a file is."""
        url, stated = self._url(file, revision), None
        with self._errors(file):
            for _ in range(_REDIRECTS):
                response = connect(client, client.build_request("HEAD", url), CONNECT_SECONDS)
                response.close()
                if response.is_error:
                    raise self._refused(response, file, revision)
                # A large file is a redirect to where it is stored; the facts are in the redirect itself.
                stated = _stated(response)
                if stated is not None or not response.has_redirect_location:
                    break
                url = urljoin(url, response.headers["location"])  # a repository that was renamed, say
        if stated is None:
            raise self._failed(f"{self._endpoint} does not answer as a hub does; is it one?")
        if len(stated.etag) == 64:
            self._check_table(file, stated.etag)
        return stated

    def _check_table(self, file: HubFile, sha256: str) -> None:
        """Refuse content that the table does not know, unless the user has asked for another commit's."""
        if self._is_rows and file.sha256 and sha256 != file.sha256:
            raise self._failed(
                f"the hub has sha256 {sha256} for {file.path}; expected {file.sha256}",
                Hint("upgrade_or_commit"),
            )

    def _refused(self, response: httpx.Response, file: HubFile, revision: str) -> ModelError:
        repository, code = self._weights.repository, response.headers.get("x-error-code", "")
        if code == "RevisionNotFound":
            return self._failed(f"{repository} has no revision {revision!r}", Hint("name_revision"))
        if code == "EntryNotFound":
            return self._failed(f"{repository} has no file {file.path} at {revision}", Hint("name_commit"))
        # The hub also answers 401 for repositories that do not exist.
        if code == "RepoNotFound" or response.status_code == 401:
            return self._failed(f"{self._endpoint} has no public repository {repository}")
        return self._failed(
            f"{self._endpoint} answered {response.status_code} {response.reason_phrase}".rstrip(),
            "try again later",
        )

    def _bring(self, client: httpx.Client, file: HubFile, stated: _Stated) -> dict[str, Any]:
        """Fetch one file, unless it is there; return its row of the pin."""
        place = self._folder / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        # The name tells the content: parts of another commit are never gone on from.
        part = place.with_name(f"{place.name}.{stated.etag[:12]}.part")
        is_there = place.is_file() and place.stat().st_size == stated.size and _matches(place, stated.etag)
        if not is_there:
            self._download(client, file, stated, part)
            if not _matches(part, stated.etag):
                found = _sha256(part) if len(stated.etag) == 64 else _blob_id(part)
                part.unlink()
                raise self._failed(
                    f"{file.path} came damaged: expected {stated.etag}, got {found}", "run this again"
                )
            self._refuse_to_replace(file, stated)
            rename(part, place)
        for leftover in place.parent.glob(f"{_escape(place.name)}.{'[0-9a-f]' * 12}.part"):
            leftover.unlink()
        sha256 = stated.etag if len(stated.etag) == 64 else _sha256(place)
        self._check_table(file, sha256)
        return {"size": stated.size, "sha256": sha256, "etag": stated.etag}

    def _refuse_to_replace(self, file: HubFile, stated: _Stated) -> None:
        """Raise ConflictError if what is in a file's place is the user's: neither this file nor a fetch's."""
        place = self._folder / file.path
        if not self._is_users or not os.path.lexists(place):
            return
        if place.is_file():
            pinned = None if place.is_symlink() else self._pinned.get(file.path, {}).get("sha256")
            if _matches(place, stated.etag) or _sha256(place) == pinned:
                return
        raise ConflictError(
            f"{place} is there already, and not what the hub has under that name; it is left as it is",
            hint="move it away, or name another folder",
            field="destination",
        )

    def _download(self, client: httpx.Client, file: HubFile, stated: _Stated, part: Path) -> None:
        """Go on with a part file until it is as long as the whole."""
        import httpx

        title = f"{self._model.name} {file.path}"
        fruitless = 0
        show = bytes_told(self._watch, title, stated.size)
        while (come := part.stat().st_size if part.exists() else 0) < stated.size:
            show(come)
            try:
                with self._errors(file, f"run this again: it goes on from {come / 1e6:,.1f} MB"):
                    self._go_on(client, self._url(file, stated.commit), stated, part, come, show)
            except ModelError as error:
                now = part.stat().st_size if part.exists() else 0
                fruitless = 0 if now > come else fruitless + 1
                # A line that breaks is taken up again; one that never stood, or a refusal, is not.
                broke = isinstance(error.__cause__, httpx.RemoteProtocolError | httpx.ReadError)
                if not broke or fruitless >= _ATTEMPTS:
                    raise
        if come > stated.size:
            part.unlink()
            raise self._failed(f"{file.path} came with more than {stated.size:,} bytes", "run this again")

    def _go_on(
        self, client: httpx.Client, url: str, stated: _Stated, part: Path, come: int, show: Any
    ) -> None:
        """Ask for what is still missing, and append what comes."""
        import httpx

        for _ in range(_REDIRECTS):
            request = client.build_request("GET", url, headers={"Range": f"bytes={come}-"} if come else {})
            response = connect(client, request, CONNECT_SECONDS, self._watch)
            if not response.has_redirect_location:
                break
            response.close()
            url = urljoin(url, response.headers["location"])
        with contextlib.closing(response), hanging_up(response, self._watch):
            if response.status_code == 416:  # what is there is no beginning of this file
                part.unlink(missing_ok=True)
                raise httpx.RemoteProtocolError("the server has no such range")
            response.raise_for_status()
            goes_on = response.status_code == 206 and response.headers.get("content-range", "").startswith(
                f"bytes {come}-"
            )
            with part.open("ab" if goes_on else "wb") as stream:
                come = come if goes_on else 0
                for chunk in response.iter_bytes():
                    stream.write(chunk)
                    come += len(chunk)
                    show(come)
                    if come > stated.size:  # the hash cannot fit any more: do not fill the disk
                        break
        if come < stated.size:
            raise httpx.RemoteProtocolError(f"the line broke after {come:,} of {stated.size:,} bytes")

    @contextlib.contextmanager
    def _errors(self, file: HubFile, remedy: Hint | str | None = None) -> Iterator[None]:
        import httpx

        try:
            yield
        # ImportError: httpx's word for a proxy from the environment that it cannot use.
        except (httpx.HTTPError, httpx.InvalidURL, ImportError) as error:
            why = reason(error, CONNECT_SECONDS, STALL_SECONDS)
            raise self._failed(f"{file.path} cannot be had from {self._endpoint}: {why}", remedy) from error

    def _failed(self, why: str, remedy: Hint | str | None = None) -> ModelError:
        name = self._model.name
        carry = Hint("carry_model", model=name)
        return ModelUnreachableError(
            f"the model {name} cannot be fetched: {why}",
            hint=Hint("either", first=remedy, second=carry) if remedy else carry,
        )


def _stated(response: httpx.Response) -> _Stated | None:
    """Read what an answer of the hub states of a file; None where it does not state all."""
    headers = response.headers
    etag = (headers.get("x-linked-etag") or headers.get("etag") or "").removeprefix("W/").strip('"')
    own_size = "" if response.has_redirect_location else headers.get("content-length", "")
    size, commit = headers.get("x-linked-size") or own_size, headers.get("x-repo-commit", "")
    # They become parts of addresses and of file names: nothing else may be in them.
    is_sound = (
        size.isdecimal()
        and re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", etag)
        and re.fullmatch(r"[0-9a-f]{40}", commit)
    )
    return _Stated(commit, etag, int(size)) if is_sound else None


def _read_pin(folder: Path) -> _Pin | None:
    """Return what a fetch left; None where there was none, the folder having been cloned by hand, say."""
    file = folder / PIN_NAME
    try:
        content = read_document(read_plain(file))
        pin = _Pin(**{key: content[key] for key in ("repository", "revision", "commit", "files")})
        if not all(isinstance(row, dict) for row in pin.files.values()):
            raise TypeError("a file is no object")
        return pin
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ModelResourceError(f"cannot read {file}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelDamagedError(
            f"{file} is damaged: {why_unread(error)}", hint="delete it to take the files as they are"
        ) from error


def _write_pin(folder: Path, pin: _Pin) -> None:
    content = {
        "repository": pin.repository,
        "revision": pin.revision,
        "commit": pin.commit,
        "files": pin.files,
    }
    replace_file(folder / PIN_NAME, f"{json.dumps(content, indent=2)}\n".encode())


def _matches(file: Path, etag: str) -> bool:
    """Tell whether a file's content is what the hub states: by sha256, or by git's blob id."""
    return (_sha256(file) if len(etag) == 64 else _blob_id(file)) == etag


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _blob_id(file: Path) -> str:
    digest = hashlib.sha1(f"blob {file.stat().st_size}\0".encode(), usedforsecurity=False)
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _escape(name: str) -> str:
    """Return a name as a glob that means just it."""
    return re.sub(r"([*?[])", r"[\1]", name)
