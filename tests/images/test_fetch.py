"""Every server here is a thread on the loopback interface; nothing else is ever connected to."""

import gzip
import importlib
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from ipaddress import ip_address
from itertools import takewhile

import httpx
import pytest

from lookalike import __version__
from lookalike.errors import FetchError, InvalidInputError
from lookalike.images.fetch import MAX_REDIRECTS, fetch

# By its name: `lookalike.images.fetch` may also be the function.
fetching = importlib.import_module("lookalike.images.fetch")

IMAGE = b"\x89PNG\r\n\x1a\n and so on"

Answer = Callable[[str], bytes | Iterable[bytes]]
"""From a request's path to what is sent back, in one piece or several."""


class Server(socketserver.ThreadingTCPServer):
    """Answers each connection once, and remembers what it was asked."""

    allow_reuse_address = True

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.tls = tls
        self.heads: list[str] = []
        self.port = self.server_address[1]

    def url(self, path="/", host="127.0.0.1", user=""):
        return f"http{'s' if self.tls else ''}://{user}{host}:{self.port}{path}"

    def handle_error(self, request, client_address):
        """Say nothing: clients that hang up are what these tests are about."""


class Handler(socketserver.BaseRequestHandler):
    server: Server

    def handle(self):
        with ExitStack() as stack:
            connection = self.request
            if self.server.tls:
                connection = stack.enter_context(self.server.tls.wrap_socket(self.request, server_side=True))
            connection.settimeout(2)
            with connection.makefile("rb") as lines:
                head = b"".join(takewhile(lambda line: line not in {b"\r\n", b""}, lines)).decode()
            self.server.heads.append(head)
            answer = self.server.answer(head.split(" ")[1])
            with suppress(OSError):
                for piece in [answer] if isinstance(answer, bytes) else answer:
                    connection.sendall(piece)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with ExitStack() as stack:

        def start(answer: bytes | Answer, tls: ssl.SSLContext | None = None) -> Server:
            answers = (lambda path: answer) if isinstance(answer, bytes) else answer
            server = Server(answers, tls)
            stack.enter_context(server)  # closing waits for the handlers
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return server

        yield start


def answer(body=IMAGE, status="200 OK", **fields) -> bytes:
    fields = {"Content_Length": len(body)} | fields
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


def redirect(location: str, status="302 Found", **fields) -> bytes:
    return answer(b"", status, Location=location, **fields)


def refusal(url: str, **limits) -> str:
    with pytest.raises(FetchError) as caught:
        fetch(url, **limits)
    return caught.value.reason


@pytest.fixture(autouse=True)
def connections(monkeypatch) -> list[str]:
    """The addresses connected to; any beyond the loopback interface fails the test."""
    connect = socket.create_connection
    made = []

    def checked(address, *arguments, **options):
        assert ip_address(address[0]).is_loopback
        made.append(address[0])
        return connect(address, *arguments, **options)

    monkeypatch.setattr(socket, "create_connection", checked)
    return made


class Names:
    """A resolver: each look-up of a name takes the next of its answers, the last one for ever.

    All else is left to the real one, which reads every spelling of an address but asks no name server.
    """

    def __init__(self):
        self.answers: dict[str, list[list[str]]] = {"localhost": [["127.0.0.1"]]}
        self.asked: list[str] = []
        self._resolve = socket.getaddrinfo

    def getaddrinfo(self, host, port, *arguments, **options):
        if host not in self.answers:
            return self._resolve(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        self.asked.append(host)
        answers = self.answers[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port),
            )
            for address in addresses
        ]


@pytest.fixture(autouse=True)
def names(monkeypatch) -> Names:
    resolver = Names()
    monkeypatch.setattr(socket, "getaddrinfo", resolver.getaddrinfo)
    return resolver


@pytest.fixture
def only_127_0_0_1_is_public(monkeypatch):
    """Stand-in for the policy, so that a public server can be had on the loopback interface."""
    monkeypatch.setattr(fetching, "_is_public", lambda address: str(address) == "127.0.0.1")


# What comes back


def test_bytes_come_back_as_they_were_sent(serve):
    assert fetch(serve(answer()).url(), allow_private=True) == IMAGE


def test_request_names_host_and_program_and_asks_for_no_compression(serve):
    server = serve(answer())
    fetch(server.url("/cat.png?size=1#here", host="localhost"), allow_private=True)
    head = server.heads[0].lower()
    assert head.startswith("get /cat.png?size=1 http/1.1\r\n")
    assert f"\r\nhost: localhost:{server.port}\r\n" in head
    assert f"\r\nuser-agent: lookalike/{__version__}\r\n" in head
    assert "\r\naccept-encoding: identity\r\n" in head


def test_body_without_a_stated_length_is_read_to_its_end(serve):
    assert fetch(serve(answer(Content_Length=None)).url(), allow_private=True) == IMAGE


def test_gzip_that_was_not_asked_for_is_unpacked(serve):
    server = serve(answer(gzip.compress(IMAGE), Content_Encoding="gzip"))
    assert fetch(server.url(), allow_private=True) == IMAGE


def test_image_sent_as_text_html_is_an_image_all_the_same(serve):
    assert fetch(serve(answer(Content_Type="text/html")).url(), allow_private=True) == IMAGE


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (answer(b"gone", "404 Not Found"), "the server answered 404 Not Found"),
        (answer(b"", "204 No Content"), "the server answered 204 No Content"),
        (answer(IMAGE, "206 Partial Content"), "the server answered 206 Partial Content"),
        (answer(b"", "302 Found"), "the server answered 302 Found"),
        (answer(b"", "599 \x1b[31m"), "the server answered 599"),
        (answer(b""), "the answer is empty"),
        (answer(b"", Content_Encoding="gzip"), "the answer is empty"),
        (answer(gzip.compress(b""), Content_Encoding="gzip"), "the answer is empty"),
        (
            answer(b"\xef\xbb\xbf\n<!doctype html>", Content_Type="text/html; charset=utf-8"),
            "the server sent a web page (text/html), not an image",
        ),
        (
            answer(IMAGE, Content_Encoding="br"),
            "the answer is compressed, as 'br', although that was not asked for",
        ),
        (answer(IMAGE, Content_Encoding="gzip"), "the answer's compressed data are damaged"),
        (
            answer(gzip.compress(IMAGE)[:-9], Content_Encoding="gzip"),
            "the answer's compressed data end too early",
        ),
        (answer(IMAGE, Content_Length=99), "the connection failed: peer closed connection"),
        (b"", "the connection failed: server disconnected without sending a response"),
        (b"220 smtp.example ready\r\n\r\n", "the connection failed: "),
        (answer(Content_Length="many"), "the connection failed: "),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 300_000 + b"\r\n\r\n", "the connection failed: "),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_answer_that_is_no_image_says_what_it_is(serve, sent, reason):
    said = refusal(serve(sent).url(), allow_private=True)
    assert said.startswith(reason)
    assert len(said) < 150
    assert said.isprintable()


# Where it goes


@pytest.mark.parametrize("scheme", ["ftp", "file", "gopher", "data", "javascript", ""])
def test_only_http_and_https(scheme):
    assert refusal(f"{scheme}://127.0.0.1/") in {
        "only http and https addresses are fetched",
        "not a valid address",
    }


NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "100::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "4000::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_address_that_is_not_public_is_refused_before_connecting(address, connections):
    host = f"[{address}]" if ":" in address else address
    assert refusal(f"http://{host}/").endswith(" is private")
    assert refusal(f"https://{host}:8443/").endswith(" is private")
    assert not connections


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_public_name_of_such_an_address_is_refused(address, names, connections):
    names.answers["images.example"] = [[address]]
    assert refusal("http://images.example/") == f"address {address} is private"
    assert not connections


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "93.184.215.14",
        "100.63.255.255",
        "100.128.0.0",
        "172.32.0.1",
        "223.255.255.254",
        "::ffff:1.1.1.1",
        "64:ff9b::1.1.1.1",
        "2002:101:101::1",
        "2606:4700:4700::1111",
        "2a00:1450:4001:80b::200e",
    ],
)
def test_address_of_the_public_internet_is_public(address):
    assert fetching._is_public(ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0X7F.0x0.0x0.0x1",
        "017700000001",
        "0177.0.0.1",
        "0177.1",
        "0",
        "0x0",
        "127。0。0。1",
        "１２７.0.0.1",
        "①②⑦.0.0.1",
        "%31%32%37.0.0.1",
        "127.0.0.1%00.example.org",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:0001]",
        "[::1%lo]",
        "[::1%25lo]",
        "[fe80::1%1]",
        "[::1",
        "[127.0.0.1]",
        "good@127.0.0.1",
        "good:80@127.0.0.1",
        "good@good@127.0.0.1",
        "good\\@127.0.0.1",
        "127.0.0.1\\@good",
        "127.0.0.1#@good",
        "127.0.0.1?@good",
        "127.0.0.1:80:80",
        "127.0.0.1:99999",
        "127.0.0.1:-1",
        "127.0.0.1:0",
        " 127.0.0.1",
        "127.0.0.1\t",
        "127.0.0.1\r\nX: y",
        "good..127.0.0.1",
        "a" * 64,
        "",
        ":80",
        "\udce9",
        "a" * 70_000,
    ],
    ids=lambda host: ascii(host[:40]),
)
def test_odd_spelling_of_a_host_is_refused_before_connecting(host, names, connections):
    names.answers["good"] = [["10.0.0.1"]]
    reason = refusal(f"http://{host}/cat.png")
    assert reason.endswith("is private") or reason.startswith(
        ("not a valid address", "cannot find the host: ")
    )
    assert not connections


@pytest.mark.parametrize(
    "addresses", [["93.184.215.14", "10.0.0.1"], ["10.0.0.1", "93.184.215.14"], ["2606:4700::1", "::1"]]
)
def test_one_private_address_among_public_ones_refuses_the_host(addresses, names, connections):
    names.answers["images.example"] = [addresses]
    assert "is private" in refusal("http://images.example/")
    assert not connections


def test_connection_goes_to_the_address_that_was_checked(serve, names, connections, only_127_0_0_1_is_public):
    names.answers["rebinding.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    server = serve(answer())
    assert fetch(server.url(host="rebinding.example")) == IMAGE
    assert names.asked == ["rebinding.example"]
    assert connections == ["127.0.0.1"]
    assert f"\r\nhost: rebinding.example:{server.port}\r\n" in server.heads[0].lower()


def test_next_address_is_tried_when_one_does_not_answer(serve, names, connections):
    names.answers["images.example"] = [["::1", "127.0.0.1"]]
    assert fetch(serve(answer()).url(host="images.example"), allow_private=True) == IMAGE
    assert connections == ["::1", "127.0.0.1"]


def test_host_without_an_address_is_not_found(names):
    names.answers["images.example"] = [[]]
    assert refusal("http://images.example/") == "cannot find the host: it has no address"


def test_nobody_listening_is_a_refused_connection():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert refusal(f"http://127.0.0.1:{port}/", allow_private=True).startswith("cannot connect: connection")


def test_proxies_of_the_environment_are_not_used(serve, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetch(serve(answer()).url(), allow_private=True) == IMAGE


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_followed(serve, status):
    pages = {"/old": redirect("new?x=1", f"{status} Moved"), "/new?x=1": answer()}
    assert fetch(serve(pages.__getitem__).url("/old"), allow_private=True) == IMAGE


def test_redirect_to_a_private_address_is_refused(serve, connections, only_127_0_0_1_is_public):
    server = serve(lambda path: redirect(server.url("/secret", host="127.0.0.2")))
    assert refusal(server.url()) == ("redirected to http://127.0.0.2: address 127.0.0.2 is private")
    assert connections == ["127.0.0.1"]


def test_name_is_looked_up_and_checked_again_for_each_redirect(serve, names, only_127_0_0_1_is_public):
    names.answers["images.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    server = serve(redirect("/next"))
    assert "address 127.0.0.2 is private" in refusal(server.url(host="images.example"))
    assert names.asked == ["images.example"] * 2
    assert len(server.heads) == 1


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("file:///etc/passwd", "redirected to file://: only http and https addresses are fetched"),
        ("ftp://x.example/", "redirected to ftp://x.example: only http and https addresses are fetched"),
        ("https:///x", "redirected to https://: not a valid address"),
        ("http://x:y/", "the server redirects to something that is not a valid address"),
        ("//127.0.0.1:0/", "redirected to http://127.0.0.1: not a valid address"),
        ("/", "redirected to http://127.0.0.1: the redirects go round in a loop"),
        ("", "redirected to http://127.0.0.1: the redirects go round in a loop"),
    ],
)
def test_redirect_to_nowhere_says_where(serve, location, reason):
    assert refusal(serve(redirect(location)).url(), allow_private=True) == reason


def test_failure_after_a_redirect_names_the_server_that_failed(serve):
    pages = {"/old": redirect("/new"), "/new": answer(b"", "404 Not Found")}
    reason = refusal(serve(pages.__getitem__).url("/old"), allow_private=True)
    assert reason == "redirected to http://127.0.0.1: the server answered 404 Not Found"


def test_five_redirects_are_followed_and_not_six(serve):
    server = serve(lambda path: redirect(f"/{int(path[1:]) - 1}") if path != "/0" else answer())
    assert fetch(server.url(f"/{MAX_REDIRECTS}"), allow_private=True) == IMAGE
    assert refusal(server.url("/6"), allow_private=True).endswith(": more than 5 redirects")
    assert len(server.heads) == 2 * (MAX_REDIRECTS + 1)


def test_longer_loop_is_an_error(serve):
    server = serve({"/a": redirect("/b"), "/b": redirect("/a")}.__getitem__)
    assert refusal(server.url("/a"), allow_private=True).endswith(": the redirects go round in a loop")
    assert len(server.heads) == 2


def test_hosts_that_share_an_address_share_nothing_else(serve, names):
    names.answers |= {"one.example": [["127.0.0.1"]], "two.example": [["127.0.0.1"]]}
    server = serve(lambda path: answer() if path == "/two" else to_two)
    to_two = redirect(server.url("/two", host="two.example"), Set_Cookie="session=1")
    assert fetch(server.url(host="one.example", user="ada:secret@"), allow_private=True) == IMAGE
    first, second = (head.lower() for head in server.heads)
    assert "\r\nauthorization: basic " in first
    assert "\r\nauthorization: " not in second
    assert "\r\ncookie: " not in second
    assert "\r\nhost: two.example:" in second


def test_password_goes_with_a_redirect_inside_its_own_host(serve):
    server = serve({"/old": redirect("/new"), "/new": answer()}.__getitem__)
    fetch(server.url("/old", user="ada:secret@"), allow_private=True)
    assert all("\r\nauthorization: basic " in head.lower() for head in server.heads)


# Limits


@pytest.mark.parametrize("length", [len(IMAGE), None])
def test_answer_of_exactly_the_limit_is_read(serve, length):
    url = serve(answer(Content_Length=length)).url()
    assert fetch(url, max_bytes=len(IMAGE), allow_private=True) == IMAGE


def test_stated_length_over_the_limit_is_refused_before_reading(serve):
    url = serve(answer(b"", Content_Length=60_000_000)).url()
    reason = refusal(url, allow_private=True)
    assert reason == "the answer has 60,000,000 bytes, and the limit is 52,428,800"


def test_endless_answer_stops_at_the_limit(serve):
    sent = []

    def endless(path):
        yield answer(b"", Content_Length=None)
        for _ in range(2_000):
            sent.append(1 << 16)
            yield bytes(1 << 16)

    reason = refusal(serve(endless).url(), max_bytes=1_000_000, allow_private=True)
    assert reason == "the answer has more than 1,000,000 bytes, the limit"
    assert sum(sent) < 100_000_000


def test_gzip_bomb_stops_at_the_limit_and_is_never_unpacked(serve):
    bomb = answer(gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")
    url = serve(bomb).url()
    tracemalloc.start()
    try:
        reason = refusal(url, max_bytes=1_000_000, allow_private=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reason == "the answer has more than 1,000,000 bytes, the limit"
    assert peak < 10_000_000


def test_compressed_data_that_unpack_to_nothing_count_too(serve):
    nothing = gzip.compress(b"")[:10] + b"\x00\x00\x00\xff\xff" * 100_000  # empty deflate blocks
    url = serve(answer(nothing, Content_Encoding="gzip", Content_Length=None)).url()
    assert "more than 1,000 bytes" in refusal(url, max_bytes=1_000, allow_private=True)


def drip(start: bytes, drops: bytes) -> Answer:
    def answers(path):
        yield start
        for drop in drops * 40:
            time.sleep(0.02)
            yield bytes([drop])

    return answers


def silent(path: str) -> Iterator[bytes]:
    time.sleep(0.4)
    yield b""


SLOW = {
    "silent": silent,
    "status line": drip(b"HTTP/1.1 200 ", b"OK, go on"),
    "headers": drip(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    "body": drip(answer(b"", Content_Length=10_000), b"drop"),
    "body without a stated length": drip(answer(b"", Content_Length=None), b"drop"),
    "chunk size": drip(answer(b"", Content_Length=None, Transfer_Encoding="chunked"), b"0000"),
    "gzip file name": drip(
        answer(b"\x1f\x8b\x08\x08\0\0\0\0\0\x03", Content_Encoding="gzip", Content_Length=9_999), b"name"
    ),
    "announcements": drip(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
}


@pytest.mark.parametrize("answers", SLOW.values(), ids=SLOW.keys())
def test_slow_server_is_cut_off_when_the_time_is_up(serve, answers):
    began = time.monotonic()
    reason = refusal(serve(answers).url(), timeout=0.2, allow_private=True)
    assert reason == "no complete answer within 0.2 seconds"
    assert time.monotonic() - began < 2.5  # a drip takes more than 3 s


def test_connection_that_comes_too_late_is_cut_at_once(serve, monkeypatch):
    connect = socket.create_connection

    def late(*arguments, **options):
        time.sleep(0.3)
        return connect(*arguments, **options)

    monkeypatch.setattr(socket, "create_connection", late)
    began = time.monotonic()
    assert "no complete answer" in refusal(serve(SLOW["headers"]).url(), timeout=0.2, allow_private=True)
    assert time.monotonic() - began < 2.5


def test_what_follows_compressed_data_is_not_waited_for(serve):
    packed = answer(gzip.compress(IMAGE), Content_Encoding="gzip", Content_Length=None)
    assert fetch(serve(drip(packed, b"more")).url(), timeout=2, allow_private=True) == IMAGE


def test_time_limit_holds_for_all_redirects_together(serve):
    def slow_redirect(path):
        time.sleep(0.4)
        yield redirect(f"/{len(path) * 'x'}")

    began = time.monotonic()
    reason = refusal(serve(slow_redirect).url(), timeout=1.4, allow_private=True)
    assert reason == "redirected to http://127.0.0.1: no complete answer within 1.4 seconds"
    assert time.monotonic() - began < 4  # five redirects are let pass


def test_no_thread_outlives_the_call(serve):
    url = serve(answer()).url()
    fetch(url, allow_private=True)
    deadline = time.monotonic() + 2
    while any(  # others may have theirs
        isinstance(thread, threading.Timer) and thread.function.__module__ == fetching.__name__
        for thread in threading.enumerate()
    ):
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize(
    "limits",
    [
        {"max_bytes": 0},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"timeout": float("inf")},
        {"connect_timeout": -1},
    ],
)
def test_limit_that_is_none_is_an_invalid_input(limits):
    with pytest.raises(InvalidInputError, match=next(iter(limits))):
        fetch("http://127.0.0.1/", **limits)


# What is said


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://ada:secret@127.0.0.1/cat.png", "http://127.0.0.1/cat.png"),
        ("ftp://ada:secret@127.0.0.1/", "ftp://127.0.0.1/"),
        ("http://ada:secret@127.0.0.1:port/", "http://127.0.0.1:port/"),
        ("http://ada:sec/ret@127.0.0.1/", "http://127.0.0.1/"),
        ("http:ada:secret@127.0.0.1/", "http:127.0.0.1/"),
        ("http://127.0.0.1/@secret-cat.png", "http://127.0.0.1/@secret-cat.png"),
    ],
)
def test_error_names_the_url_without_its_password(url, shown):
    with pytest.raises(FetchError) as caught:
        fetch(url)
    assert caught.value.path == shown
    assert "sec" not in caught.value.reason
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_password_is_not_written_to_the_log(serve, caplog):
    with caplog.at_level("DEBUG"):
        fetch(serve(answer()).url(user="ada:verysecret@"), allow_private=True)
    assert "verysecret" not in caplog.text


# https


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for images.example that signs itself, with its key, in one file."""
    if not shutil.which("openssl"):
        pytest.skip("needs the openssl command")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    extensions = ["subjectAltName=DNS:images.example", "keyUsage=digitalSignature,keyCertSign"]
    made = subprocess.run(
        [*command.split(), "-subj", "/CN=images.example", "-keyout", "key.pem", "-out", "certificate.pem"]
        + [word for extension in extensions for word in ("-addext", extension)],
        cwd=folder,
        capture_output=True,
        timeout=10,
    )
    if made.returncode:
        pytest.skip("this openssl command is too old")
    both = folder / "both.pem"
    both.write_bytes((folder / "key.pem").read_bytes() + (folder / "certificate.pem").read_bytes())
    return both


@pytest.fixture
def tls(certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate, monkeypatch):
    """Add the certificate to those that are trusted; all checks stay on."""
    context = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr(httpx, "HTTPTransport", partial(httpx.HTTPTransport, verify=context))


@pytest.fixture
def images_example(names) -> str:
    names.answers |= {
        name: [["127.0.0.1"]] for name in ("images.example", "images.example.", "other.example")
    }
    return "images.example"


@pytest.mark.parametrize("host", ["images.example", "images.example."])
def test_certificate_is_checked_against_the_name_and_not_the_address(
    serve, tls, trusted, images_example, host
):
    announced = []
    tls.sni_callback = lambda connection, name, context: announced.append(name)
    assert fetch(serve(answer(), tls).url(host=host), allow_private=True) == IMAGE
    assert announced == ["images.example"]


@pytest.mark.parametrize("host", ["other.example", "127.0.0.1"])
def test_certificate_of_another_name_is_refused(serve, tls, trusted, images_example, host):
    reason = refusal(serve(answer(), tls).url(host=host), allow_private=True)
    assert reason.startswith("the server's certificate is not valid: ")
    assert host in reason


def test_redirect_to_another_name_at_the_same_address_checks_its_certificate(
    serve, tls, trusted, images_example
):
    server = serve(lambda path: redirect(server.url("/2", host="other.example")), tls)
    reason = refusal(server.url(host=images_example), allow_private=True)
    assert reason.startswith("redirected to https://other.example: the server's certificate is not valid: ")


def test_certificate_that_nobody_vouches_for_is_refused(serve, tls, images_example):
    reason = refusal(serve(answer(), tls).url(host=images_example), allow_private=True)
    assert reason == "the server's certificate is not valid: self-signed certificate"


def test_redirect_from_https_to_http_is_refused(serve, tls, trusted, images_example):
    server = serve(redirect("http://images.example/"), tls)
    reason = refusal(server.url(host=images_example), allow_private=True)
    assert reason == "redirected to http://images.example: a redirect from https to http is not followed"


def test_slow_server_is_cut_off_through_tls_too(serve, tls, trusted, images_example):
    server = serve(SLOW["headers"], tls)
    began = time.monotonic()
    reason = refusal(server.url(host=images_example), timeout=0.2, allow_private=True)
    assert reason == "no complete answer within 0.2 seconds"
    assert time.monotonic() - began < 2.5  # a drip takes more than 3 s


def test_https_asked_of_an_http_server_is_a_failed_connection(serve):
    url = serve(answer()).url().replace("http:", "https:")
    assert refusal(url, connect_timeout=0.2, allow_private=True).startswith("cannot connect: ")
