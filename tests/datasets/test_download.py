import hashlib
import socket
import threading
import time

import pytest

from lookalike.datasets import download as module
from lookalike.datasets.download import RemoteFile, download
from lookalike.errors import CancelledError, DatasetError, InvalidInputError
from lookalike.system.progress import CancelToken, Progress, Watch

CONTENT = b"pictures" * 1000


def remote(url, content=CONTENT):
    return RemoteFile("The data", url, hashlib.sha256(content).hexdigest(), len(content))


def test_file_arrives(site, tmp_path, capfd):
    site.pages["/data.zip"] = CONTENT
    download(remote(f"{site.address}/data.zip"), tmp_path / "new" / "data.zip")
    assert (tmp_path / "new" / "data.zip").read_bytes() == CONTENT
    assert capfd.readouterr() == ("", "")  # no terminal, no bar; and pooch keeps silent


def test_file_that_is_there_is_not_asked_for_again(site, tmp_path):
    (tmp_path / "data.zip").write_bytes(CONTENT)
    download(remote(f"{site.address}/data.zip"), tmp_path / "data.zip")
    assert site.asked == []


def test_damaged_file_that_is_there_is_replaced(site, tmp_path):
    (tmp_path / "data.zip").write_bytes(CONTENT[:-1])
    site.pages["/data.zip"] = CONTENT
    download(remote(f"{site.address}/data.zip"), tmp_path / "data.zip")
    assert (tmp_path / "data.zip").read_bytes() == CONTENT


def test_redirects_are_followed(site, tmp_path):
    def elsewhere(request):
        request.send_response(302)
        request.send_header("Location", "/there")
        request.send_header("Content-Length", "0")
        request.end_headers()

    site.pages.update({"/here": elsewhere, "/there": CONTENT})
    download(remote(f"{site.address}/here"), tmp_path / "data.zip")
    assert (tmp_path / "data.zip").read_bytes() == CONTENT


def test_wrong_hash_names_both_and_leaves_nothing(site, tmp_path):
    other = CONTENT[::-1]
    site.pages["/data.zip"] = other
    with pytest.raises(DatasetError) as caught:
        download(remote(f"{site.address}/data.zip"), tmp_path / "data.zip")
    assert hashlib.sha256(CONTENT).hexdigest() in str(caught.value)
    assert hashlib.sha256(other).hexdigest() in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_error_page_says_the_status_and_what_to_do(site, tmp_path):
    with pytest.raises(DatasetError) as caught:
        download(remote(f"{site.address}/gone"), tmp_path / "data.zip", otherwise="set LOOKALIKE_DATA to X")
    text = f"{caught.value}; {caught.value.hint}"
    assert "The data cannot be downloaded" in text
    assert f"{site.address}/gone" in text
    assert "404" in text
    assert "set LOOKALIKE_DATA to X, or carry the file" in text
    assert str(tmp_path / "data.zip") in text
    assert list(tmp_path.iterdir()) == []


def test_nobody_there_is_an_error_of_ours(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(DatasetError, match="refused"):
        download(remote(f"http://127.0.0.1:{port}/data.zip"), tmp_path / "data.zip")


def test_name_server_that_never_answers_costs_no_more_than_the_limit(tmp_path, monkeypatch):
    asked_enough = threading.Event()

    def silence(*args, **kwargs):
        asked_enough.wait(20)
        raise socket.gaierror("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", silence)
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.2)
    start = time.monotonic()
    with pytest.raises(DatasetError, match=r"no connection within 0\.2 seconds"):
        download(remote("http://pictures.invalid/data.zip"), tmp_path / "data.zip")
    assert time.monotonic() - start < 10
    asked_enough.set()


def test_download_that_stalls_ends_and_leaves_nothing(site, tmp_path, monkeypatch):
    def stall(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(CONTENT)))
        request.end_headers()
        request.wfile.write(CONTENT[:100])
        request.wfile.flush()
        site.closing.wait(20)

    site.pages["/data.zip"] = stall
    monkeypatch.setattr(module, "STALL_SECONDS", 0.2)
    with pytest.raises(DatasetError, match=r"nothing came for 0\.2 seconds"):
        download(remote(f"{site.address}/data.zip"), tmp_path / "data.zip")
    assert list(tmp_path.iterdir()) == []


def test_download_cut_short_is_an_error_of_ours(site, tmp_path):
    def cut(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(CONTENT)))
        request.end_headers()
        request.wfile.write(CONTENT[:100])

    site.pages["/data.zip"] = cut
    with pytest.raises(DatasetError, match="cannot be downloaded"):
        download(remote(f"{site.address}/data.zip"), tmp_path / "data.zip")
    assert list(tmp_path.iterdir()) == []


def test_more_than_expected_is_not_taken_in(site, tmp_path):
    site.pages["/data.zip"] = CONTENT * 2
    with pytest.raises(DatasetError, match=r"expected 8,000 bytes, but more came"):
        download(remote(f"{site.address}/data.zip"), tmp_path / "data.zip")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://pictures.invalid/x", "doi:10.1/x", "data.zip"])
def test_only_web_addresses_are_taken(tmp_path, url):
    with pytest.raises(InvalidInputError, match="http or https"):
        download(remote(url), tmp_path / "data.zip")


def test_redirect_out_of_the_web_is_not_followed(site, tmp_path):
    def elsewhere(request):
        request.send_response(302)
        request.send_header("Location", "file:///etc/passwd")
        request.send_header("Content-Length", "0")
        request.end_headers()

    site.pages["/here"] = elsewhere
    with pytest.raises(DatasetError, match="cannot be downloaded"):
        download(remote(f"{site.address}/here"), tmp_path / "data.zip")


def test_folder_that_cannot_be_made_is_an_error_of_ours(site, tmp_path):
    (tmp_path / "file").touch()
    site.pages["/data.zip"] = CONTENT
    with pytest.raises(DatasetError, match="set LOOKALIKE_CACHE"):
        download(remote(f"{site.address}/data.zip"), tmp_path / "file" / "data.zip")


def test_how_much_has_come_is_told(site, tmp_path):
    site.pages["/data.zip"] = CONTENT
    told = []
    download(remote(f"{site.address}/data.zip"), tmp_path / "data.zip", watch=Watch(told.append))
    last = Progress("downloading", len(CONTENT), len(CONTENT), "downloading The data", unit="bytes")
    assert told[-1] == last
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)


def test_a_download_that_is_stopped_leaves_nothing_and_can_be_had_again(site, tmp_path):
    content = CONTENT * 500  # more than comes at once
    site.pages["/data.zip"] = content
    token = CancelToken()
    watch = Watch(lambda progress: token.cancel(), token)
    with pytest.raises(CancelledError):
        download(remote(f"{site.address}/data.zip", content), tmp_path / "data.zip", watch=watch)
    assert list(tmp_path.iterdir()) == []
    download(remote(f"{site.address}/data.zip", content), tmp_path / "data.zip")
    assert (tmp_path / "data.zip").read_bytes() == content


@pytest.mark.parametrize("begins", [False, True])
def test_a_download_that_stalls_is_stopped_at_once(site, tmp_path, begins):
    def stall(request):
        if begins:
            request.send_response(200)
            request.send_header("Content-Length", str(len(CONTENT)))
            request.end_headers()
            request.wfile.write(CONTENT[:100])
        site.closing.wait(60)

    site.pages["/data.zip"] = stall
    token = CancelToken()
    timer = threading.Timer(0.5, token.cancel)
    started = time.monotonic()
    timer.start()
    with pytest.raises(CancelledError):
        download(
            remote(f"{site.address}/data.zip"),
            tmp_path / "data.zip",
            watch=Watch(lambda progress: None, token),
        )
    assert time.monotonic() - started < 4
    assert list(tmp_path.iterdir()) == []
