"""Bombs are refused, stopped or read, and those who ask are many."""

import io
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from faults.bomb_files import every
from PIL import Image

from lookalike.errors import CancelledError, ImageError
from lookalike.images import apart
from lookalike.images.cost import Cost
from lookalike.images.decode import decode
from lookalike.images.metadata.reading import read_metadata
from lookalike.images.own import is_own_picture
from lookalike.system.children import StoppedError
from lookalike.system.progress import UNWATCHED, CancelToken, Watch

SMALL = [bomb for bomb in every() if bomb.is_small]


@pytest.mark.parametrize("bomb", SMALL, ids=[bomb.name for bomb in SMALL])
def test_a_bomb_is_what_it_is_at_every_door(bomb, capfd):
    data = bomb.make()
    read_metadata(data)
    is_own_picture(data)
    for side in (224, None):
        try:
            decode(data, bomb.name, side)
        except ImageError as error:
            assert not bomb.is_read
            assert error.is_permanent
            assert bomb.reason in error.reason
            assert "\n" not in error.reason
        else:
            assert bomb.is_read is not False
    assert capfd.readouterr() == ("", "")


def lzw(size=(1200, 900)) -> bytes:
    stream = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(stream, "TIFF", compression="tiff_lzw")
    return stream.getvalue()


def test_what_libtiff_prints_is_part_of_the_reason(capfd):
    damaged = bytearray(lzw())
    damaged[2000:9000] = bytes(7000)
    with pytest.raises(ImageError, match=r"damaged TIFF file.*: .*LZW") as caught:
        decode(bytes(damaged), "it")
    assert caught.value.is_permanent
    assert capfd.readouterr() == ("", "")


def test_pixels_from_a_child_are_those_that_the_thread_would_give(monkeypatch):
    data = lzw()
    apart_, whole = decode(data, "it", 100), decode(data, "it")
    monkeypatch.setattr(apart, "is_for_thread", lambda cost: True)
    for other, side in ((apart_, 100), (whole, None)):
        here = decode(data, "it", side)
        assert np.array_equal(np.asarray(here.image), np.asarray(other.image))
        assert (here.format, here.width, here.height, here.note) == (
            other.format, other.width, other.height, other.note,
        )  # fmt: skip


def test_a_picture_that_takes_too_long_is_stopped_and_the_next_one_is_read():
    with pytest.raises(ImageError, match=r"to decode it (took|would take) longer than 0.001 s"):
        decode(lzw(), "it", seconds=0.001)
    assert decode(lzw((60, 40)), "it").width == 60


def test_who_waits_or_decodes_is_cancelled_at_once():
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        decode(lzw((3000, 2000)), "it", watch=Watch(cancel=token))
    with (
        apart.room_for(Cost(1, 1, apart.ROOM, 1), "first", 0, UNWATCHED),
        pytest.raises(CancelledError),
        apart.room_for(Cost(1, 1, 5, 1), "it", 0, Watch(cancel=token)),
    ):
        pass
    with apart.room_for(Cost(1, 1, 5, 1), "it", 0, UNWATCHED):
        pass


def test_pictures_beside_each_other_never_take_more_than_the_room():
    taken, most, lock = [0], [0], threading.Lock()

    def take(n_bytes: int) -> None:
        with apart.room_for(Cost(1, 1, n_bytes, 1), "it", 0, UNWATCHED):
            with lock:
                taken[0] += n_bytes
                most[0] = max(most[0], taken[0])
            with lock:
                taken[0] -= n_bytes

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, [apart.ROOM // 3] * 200 + [apart.ROOM] * 5))
    assert 0 < most[0] <= apart.ROOM


def test_what_needs_more_than_half_of_the_free_memory_is_tried_another_time(monkeypatch):
    monkeypatch.setattr(apart, "free_memory", lambda: 4_000_000_000)
    with (
        pytest.raises(
            ImageError, match=r"about 3\.0 GB of memory, and half of what is free is 2\.0 GB"
        ) as caught,
        apart.room_for(Cost(1, 1, 3_000_000_000, 1), "it", 0, UNWATCHED),
    ):
        pass
    assert not caught.value.is_permanent


def test_without_a_child_what_is_cheap_is_decoded_all_the_same(monkeypatch):
    def call(*words, **others):
        raise StoppedError("no process can be started", "start")

    monkeypatch.setattr(apart._children, "call", call)
    assert decode(lzw((60, 40)), "it").width == 60
    monkeypatch.setattr(apart, "can_do_without_child", lambda cost: False)
    with pytest.raises(ImageError, match="no process can be started") as caught:
        decode(lzw((60, 40)), "it")
    assert not caught.value.is_permanent


def test_a_crash_is_a_reason_and_costs_nobody_else(monkeypatch):
    def call(*words, **others):
        raise StoppedError("it crashed (SIGABRT)", "crash", "odd data\n")

    monkeypatch.setattr(apart._children, "call", call)
    with pytest.raises(ImageError, match=r"its decoder failed: it crashed \(SIGABRT\): odd data") as caught:
        decode(lzw((60, 40)), "it")
    assert caught.value.is_permanent


def test_a_child_of_decoding_imports_neither_tables_nor_networks():
    program = "import sys; from lookalike.images.decode import decode; print(sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert not {"lance", "pyarrow", "onnxruntime", "scipy", "typer"} & set(eval(found))
