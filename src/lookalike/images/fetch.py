"""The bytes of an image at a URL, from a server that nobody vouches for.

Whoever chooses the URL chooses where the program connects, and the inside of a network often trusts its own
machines more than it should. So every address of the host is checked before a connection is opened, and the
connection goes to a checked address, not to the name: looked up a second time, the name could have come to
mean another machine. Each redirect is a new URL, under the same rules. Whoever answers is bounded in bytes
and in seconds.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import socket
import textwrap
import threading
import time
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

from lookalike.errors import FetchError, InvalidInputError
from lookalike.hints import Hint

if TYPE_CHECKING:
    import httpx

MAX_BYTES = 50 << 20
"""Answers larger than this are not read, unless the caller allows more: 50 MiB."""

MAX_REDIRECTS = 5

_IPV6_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: how IPv6-only networks name every IPv4 address
_PROTOCOL_ASSIGNMENTS = IPv4Network("192.0.0.0/24")  # RFC 6890; Python before 3.12.4 knows only parts of it
_WEB_PAGES = {"text/html", "application/xhtml+xml"}


def fetch(
    url: str,
    *,
    max_bytes: int = MAX_BYTES,
    timeout: float = 30.0,
    connect_timeout: float = 5.0,
    allow_private: bool = False,
) -> bytes:
    """Fetch what lies at a URL; whether it is an image is for the decoder to say.

    Proxies named in the environment are not used: a proxy would look the host up again, and the address
    that it connects to would be one that nobody checked.

    Parameters
    ----------
    url : str
        ``http`` or ``https``; user and password in it are sent to its own host only.
    max_bytes : int
        Largest answer, in bytes, compressed or not.
    timeout : float
        For everything together, redirects included, in seconds. Only two things can outlast it: the
        resolver's own patience, and a TLS handshake under way, by at most `connect_timeout`.
    connect_timeout : float
        For the connection to one address, in seconds; where a host has several, the next is tried.
    allow_private : bool
        Also connect to addresses that are not on the public internet: private, loopback, link-local,
        shared (carrier-grade NAT), multicast, reserved, or an IPv6 form of one of these.

    Returns
    -------
    bytes
        At least one, at most `max_bytes`.

    Raises
    ------
    FetchError
        Whatever is wrong with the URL, its host's addresses, the connection or the answer.
    InvalidInputError
        When a limit is not positive, or is no finite time.

    Examples
    --------
    >>> fetch("ftp://example.org/cat.jpg")
    Traceback (most recent call last):
    lookalike.errors.FetchError: ftp://example.org/cat.jpg: only http and https addresses are fetched
    """
    import httpx

    if max_bytes < 1:
        raise InvalidInputError(f"max_bytes must be at least 1, not {max_bytes}")
    for name, seconds in (("timeout", timeout), ("connect_timeout", connect_timeout)):
        if not 0 < seconds <= threading.TIMEOUT_MAX:
            raise InvalidInputError(f"{name} must be a positive number of seconds, not {seconds}")

    hops: list[httpx.URL] = []
    deadline = _Deadline(timeout)
    try:
        with deadline:
            hops.append(httpx.URL(url))
            while True:
                _check_hop(hops)
                addresses = _addresses(hops[-1], allow_private)
                with _answer(hops[-1], addresses, deadline, connect_timeout) as response:
                    if not response.has_redirect_location:
                        body = _body(response, max_bytes)
                        deadline.left()  # a body without a stated length ends where the connection was cut
                        return body
                    hops.append(_redirected(hops[-1], response.headers["Location"]))
    except (
        _RefusedError,
        httpx.HTTPError,
        httpx.InvalidURL,
        httpx.StreamError,
        OSError,
        ValueError,
        zlib.error,
    ) as error:
        reason = deadline.reason if deadline.is_over else _reason(error)
        if len(hops) > 1:
            reason = f"redirected to {hops[-1].scheme}://{hops[-1].raw_host.decode()}: {reason}"
        # No cause: its message may quote the URL, password and all.
        hint = error.hint if isinstance(error, _RefusedError) and not deadline.is_over else None
        raise FetchError(_without_userinfo(url, well_formed=bool(hops)), reason, hint=hint) from None


class _RefusedError(Exception):
    """Why a URL is not fetched: the reason, and the hint, of the FetchError that it becomes."""

    def __init__(self, reason: str, hint: Hint | None = None) -> None:
        super().__init__(reason)
        self.hint = hint


class _Deadline:
    """Cuts the connection when the time is up.

    httpx bounds each read from the network, not their sum: a server that sends one byte a second would
    hold the caller for as long as it likes, already while it sends headers, when no code of ours runs.
    """

    def __init__(self, seconds: float) -> None:
        self.reason = f"no complete answer within {seconds:g} seconds"
        self._end = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *exception: object) -> None:
        self._timer.cancel()

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._end

    def left(self) -> float:
        """Return the seconds that are left.

        Raises
        ------
        _RefusedError
            When there are none.
        """
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise _RefusedError(self.reason)
        return seconds

    def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Note the socket of each new connection; httpx calls this as ``trace``, at every step it takes."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._socket = info["return_value"].get_extra_info("socket")
            if self.is_over:  # the timer has run out already, and will not come again
                self._cut()

    def _cut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # closed in the meantime
                # Not SSLSocket.shutdown: it takes the TLS state away from under the thread that reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _check_hop(hops: list[httpx.URL]) -> None:
    """Refuse the last of the URLs visited when it is none to go to from the others."""
    *before, url = hops
    if url.scheme not in {"http", "https"}:
        raise _RefusedError("only http and https addresses are fetched")
    if not url.raw_host or (url.port is not None and not 0 < url.port < 1 << 16):
        raise _RefusedError("not a valid address")
    if url in before:
        raise _RefusedError("the redirects go round in a loop")
    if len(before) > MAX_REDIRECTS:
        raise _RefusedError(f"more than {MAX_REDIRECTS} redirects")
    # Who asks for https wants to know whom the bytes come from; after one step in the clear nobody does.
    if before and before[-1].scheme == "https" and url.scheme == "http":
        raise _RefusedError("a redirect from https to http is not followed")


def _addresses(url: httpx.URL, allow_private: bool) -> list[str]:
    """Look the host up, once, and refuse it for any address that is not to be reached.

    What counts is what the resolver makes of the name, so that ``0x7f.1`` and ``2130706433`` are seen for
    the 127.0.0.1 that they are.
    """
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(url.raw_host.decode(), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _RefusedError(f"cannot find the host: {_said(error)}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses:
        raise _RefusedError("cannot find the host: it has no address")
    if not allow_private:
        for address in addresses:
            if not _is_public(ip_address(address)):
                raise _RefusedError(f"address {address} is private", Hint("allow_private"))
    return addresses


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    """Say whether an address belongs to the public internet; an IPv4 one inside an IPv6 one decides."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            inner: IPv4Address | None = IPv4Address(int(address) & 0xFFFFFFFF)
        else:
            inner = address.ipv4_mapped or address.sixtofour
        if inner is None:  # Teredo, 2001::/32, is never global
            return address in _IPV6_GLOBAL_UNICAST and address.is_global
        address = inner
    return address.is_global and not address.is_multicast and address not in _PROTOCOL_ASSIGNMENTS


@contextlib.contextmanager
def _answer(
    url: httpx.URL, addresses: list[str], deadline: _Deadline, connect_timeout: float
) -> Iterator[httpx.Response]:
    """Ask the first of the checked addresses that can be connected to; the body is still to be read.

    A transport instead of a client, which would add cookies, follow `Location` in its own way, and write
    the URL to its log. One for each hop: where two hosts share an address, a connection that was proved to
    be with the one must not serve for the other.
    """
    import httpx

    name = url.raw_host.decode()
    headers = {
        "Host": url.netloc.decode(),
        # By name: as an import it would be an arrow from here to all that the package exports.
        "User-Agent": f"lookalike/{importlib.import_module('lookalike').__version__}",
        "Accept": "*/*",
        "Accept-Encoding": "identity",  # images are compressed already
        "Connection": "close",
    }
    if url.userinfo:
        headers["Authorization"] = f"Basic {b64encode(f'{url.username}:{url.password}'.encode()).decode()}"
    with httpx.HTTPTransport(trust_env=False) as transport:
        for address in addresses:
            left = deadline.left()
            extensions = {
                "timeout": httpx.Timeout(left, connect=min(connect_timeout, left)).as_dict(),
                "sni_hostname": name.rstrip("."),  # the certificate must be the name's, not the address's
                "trace": deadline.watch,
            }
            request = httpx.Request(
                "GET", url.copy_with(host=address), headers=headers, extensions=extensions
            )
            try:
                response = transport.handle_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if address == addresses[-1]:
                    raise
                continue
            with contextlib.closing(response):
                yield response
            return


def _redirected(url: httpx.URL, location: str) -> httpx.URL:
    import httpx

    try:
        return url.join(location)
    except (httpx.InvalidURL, ValueError):
        raise _RefusedError("the server redirects to something that is not a valid address") from None


def _body(response: httpx.Response, max_bytes: int) -> bytes:
    """Read the answer, and stop at the limit.

    Decompressed here, not by httpx, which unpacks each piece whole: a few kilobytes can be gigabytes.
    """
    import httpx

    if response.status_code != httpx.codes.OK:
        phrase = httpx.codes.get_reason_phrase(response.status_code)
        raise _RefusedError(f"the server answered {response.status_code} {phrase}".rstrip())
    length = int(response.headers.get("Content-Length", 0))
    if length > max_bytes:
        raise _RefusedError(f"the answer has {length:,} bytes, and the limit is {max_bytes:,}")
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        raise _RefusedError(
            f"the answer is compressed, as {encoding[:20]!a}, although that was not asked for"
        )
    gzip = zlib.decompressobj(wbits=31) if "gzip" in encoding else None

    body = bytearray()
    received = 0
    for piece in response.iter_raw():
        received += len(piece)
        body += gzip.decompress(piece, max_bytes + 1 - len(body)) if gzip else piece
        if max(received, len(body)) > max_bytes:
            raise _RefusedError(f"the answer has more than {max_bytes:,} bytes, the limit")
        if gzip and gzip.eof:
            break  # what comes behind the end is not looked at
    if gzip and received and not gzip.eof:
        raise _RefusedError("the answer's compressed data end too early")
    if not body:
        raise _RefusedError("the answer is empty")
    # Scripts that send images often leave the type at text/html, so the bytes must agree.
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type in _WEB_PAGES and body[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        raise _RefusedError(f"the server sent a web page ({media_type}), not an image")
    return bytes(body)


def _reason(error: Exception) -> str:
    """Say in a few words, without the URL, what became of it."""
    import ssl

    import httpx

    if isinstance(error, _RefusedError):
        return str(error)
    if isinstance(error, httpx.InvalidURL | ValueError):
        return "not a valid address"
    if isinstance(error, zlib.error):
        return "the answer's compressed data are damaged"
    cause = _innermost(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the server's certificate is not valid: {cause.verify_message}"
    connecting = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    return f"{'cannot connect' if connecting else 'the connection failed'}: {_said(cause)}"


def _innermost(error: BaseException) -> BaseException:
    """Return what the operating system said; httpcore hides it from the causes, but not from the contexts."""
    while not isinstance(error, OSError) and (inner := error.__cause__ or error.__context__):
        error = inner
    return error


def _said(error: BaseException) -> str:
    text = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
    return textwrap.shorten(text[:1].lower() + text[1:].rstrip("."), 100)


def _without_userinfo(url: str, *, well_formed: bool = True) -> str:
    """Return the URL fit to be shown: without user and password.

    >>> _without_userinfo("https://ada:secret@example.org/cat@home.jpg")
    'https://example.org/cat@home.jpg'
    >>> _without_userinfo("https://ada:sec/ret@example.org/cat.jpg", well_formed=False)
    'https://example.org/cat.jpg'
    """
    # In a malformed URL nobody knows where the password ends: a few characters too many go with it.
    userinfo = "[^/?#]*@" if well_formed else ".*@"
    return re.sub(rf"^([a-z][a-z0-9+.-]*:)?(/*){userinfo}", r"\1\2", url, flags=re.IGNORECASE | re.DOTALL)
