import dataclasses
import gzip
import hashlib
import os
import struct
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lookalike.datasets import apt, idx, mnist
from lookalike.datasets.idx import read_idx
from lookalike.datasets.locate import Place
from lookalike.datasets.mnist import FASHION_MNIST, FILES, MNIST, Published
from lookalike.errors import DatasetError

REAL_DATA = os.environ.get("LOOKALIKE_DATA")
CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}


def encode(array):
    header = bytes([0, 0, CODES[array.dtype.name], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def images(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28), np.uint8)


def contents(n_train=5, n_test=3):
    """The four files of a tiny data set: labels 0, 1, 2 … in both splits."""
    parts = (
        images(n_train),
        np.arange(n_train, dtype=np.uint8),
        images(n_test, 1),
        np.arange(n_test, dtype="u1"),
    )
    return dict(zip(FILES, map(encode, parts), strict=True))


def write(folder, parts=None, spelling=lambda name: name):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (parts or contents()).items():
        file = folder / spelling(name)
        file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
    return Place(folder, f"found in {folder}")


def test_header_worked_by_hand(tmp_path):
    file = tmp_path / "numbers"
    file.write_bytes(
        b"\0\0\x0b\x02" + b"\0\0\0\x02" + b"\0\0\0\x03" + bytes.fromhex("0001 0002 0003 ff00 ffff 7fff")
    )
    array = read_idx(file)
    assert array.tolist() == [[1, 2, 3], [-256, -1, 32767]]
    assert array.dtype == np.int16
    assert array.dtype.isnative


@given(
    st.sampled_from(sorted(CODES)).flatmap(
        lambda name: arrays.arrays(name, arrays.array_shapes(max_dims=4, min_side=0, max_side=5))
    ),
    st.booleans(),
)
def test_what_is_written_is_read(tmp_path_factory, array, compressed):
    file = tmp_path_factory.mktemp("idx") / "file"
    file.write_bytes(gzip.compress(encode(array)) if compressed else encode(array))
    read = read_idx(file)
    assert read.dtype == array.dtype
    assert read.shape == array.shape
    assert read.tobytes() == array.tobytes()


def test_array_beyond_one_chunk_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(idx, "_CHUNK", 1000)
    for spelling in ("file", "file.gz"):
        write(tmp_path, {spelling: encode(images(5))}, lambda name: name)
        assert (read_idx(tmp_path / spelling) == images(5)).all()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "got nothing"),
        (b"\0\0", "got 00 00"),
        (b"\x89PNG\r\n", "got 89 50 4e 47"),
        (b"\0\0\x07\x01\0\0\0\x01\0", "got 00 00 07 01"),
        (b"\0\0\x08\x00", "got 00 00 08 00"),
        (b"\0\0\x08\x03\0\0\0\x01", "cut short within its header"),
        (
            b"\0\0\x08\x01\0\0\0\x03\1\2",
            r"uint8 of shape \(3,\), 3 bytes, more than the file can hold|only 2 came",
        ),
        (b"\0\0\x08\x01\0\0\0\x01\1\2", "but there are more"),
        (b"\0\0\x0e\x03" + b"\xff" * 12, "more than the file can hold"),
        (b"\0\0\x0e\x04" + b"\xff" * 12 + b"\0" * 4, "does not fit into memory"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_file_is_named_with_what_was_expected(tmp_path, content, said, compressed):
    file = tmp_path / "labels"
    file.write_bytes(gzip.compress(content) if compressed else content)
    with pytest.raises(DatasetError, match=said) as caught:
        read_idx(file)
    assert str(caught.value).startswith(f"{file}: ")


def test_every_truncation_is_an_error(tmp_path):
    file = tmp_path / "file"
    for whole in (encode(images(1)), gzip.compress(encode(images(1)))):
        for kept in {*range(40), *range(40, len(whole), 37), len(whole) - 1, len(whole) - 4, len(whole) - 8}:
            file.write_bytes(whole[:kept])
            with pytest.raises(DatasetError, match="file: "):
                read_idx(file)


def test_damaged_gzip_is_an_error(tmp_path):
    file = tmp_path / "file.gz"
    whole = bytearray(gzip.compress(encode(images(1))))
    for position in (20, len(whole) // 2, len(whole) - 6):  # the last is in the check sum
        damaged = whole.copy()
        damaged[position] ^= 0xFF
        file.write_bytes(damaged)
        with pytest.raises(DatasetError, match=r"file\.gz: "):
            read_idx(file)


def test_missing_file_is_an_error(tmp_path):
    with pytest.raises(DatasetError, match="nowhere: expected an idx file, but: No such file"):
        read_idx(tmp_path / "nowhere")


@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_every_spelling_of_the_names_is_read(tmp_path, monkeypatch, dotted, suffix):
    write(tmp_path / "mnist", spelling=lambda n: (n.replace("-idx", ".idx") if dotted else n) + suffix)
    monkeypatch.setenv("LOOKALIKE_DATA", str(tmp_path))
    dataset = mnist.load(MNIST, download=False)
    assert (dataset.train_X == images(5)).all()
    assert dataset.train_y.tolist() == [0, 1, 2, 3, 4]
    assert dataset.train_y.dtype == np.int64
    assert (dataset.test_X == images(3, 1)).all()
    assert dataset.test_y.tolist() == [0, 1, 2]
    assert dataset.class_names == tuple("0123456789")
    assert dataset.image_shape == (28, 28)
    assert dataset.origin == f"found in {tmp_path / 'mnist'}"


@pytest.mark.parametrize(
    ("file", "array", "said"),
    [
        (
            1,
            np.arange(4, dtype=np.uint8),
            "expected 5 labels, one for each image of train-images-idx3-ubyte, got 4",
        ),
        (1, np.array([0, 1, 2, 10, 4], np.uint8), "expected labels from 0 to 9, but label 3 is 10"),
        (1, images(5), r"expected labels as uint8 of shape \(n,\), got uint8 of shape \(5, 28, 28\)"),
        (3, np.zeros(3, np.int32), "expected labels as uint8"),
        (0, np.zeros((5, 28, 27), np.uint8), r"shape \(n, 28, 28\), got uint8 of shape \(5, 28, 27\)"),
        (2, np.arange(3, dtype=np.uint8), r"expected images as uint8"),
        (2, np.zeros((3, 28, 28), np.float32), "got float32"),
    ],
)
def test_files_that_do_not_fit_are_named(tmp_path, file, array, said):
    parts = contents()
    parts[FILES[file]] = encode(array)
    place = write(tmp_path, parts)
    with pytest.raises(DatasetError, match=said) as caught:
        mnist.read(MNIST, place)
    assert str(tmp_path / FILES[file]) in str(caught.value)


def test_missing_companion_is_named(tmp_path, monkeypatch):
    write(tmp_path / "mnist")
    (tmp_path / "mnist" / FILES[2]).unlink()
    monkeypatch.setenv("LOOKALIKE_DATA", str(tmp_path))
    with pytest.raises(DatasetError, match=r"mnist: expected t10k-images-idx3-ubyte or .*\.gz"):
        mnist.load(MNIST)


def test_folder_of_that_name_without_such_files_is_not_it(tmp_path, monkeypatch):
    (tmp_path / "mnist" / "0").mkdir(parents=True)
    write(tmp_path / "MNIST" / "raw")
    monkeypatch.setenv("LOOKALIKE_DATA", str(tmp_path))
    assert mnist.find(MNIST).root == tmp_path / "MNIST" / "raw"


def test_installed_package_is_found_after_the_data_folders(tmp_path, monkeypatch):
    assert mnist.find(FASHION_MNIST, system=tmp_path) is None
    installed = tmp_path / FASHION_MNIST.package_folder
    write(installed, spelling="{}.gz".format)
    assert mnist.find(FASHION_MNIST, system=tmp_path) == Place(installed, f"installed in {installed}")
    assert mnist.find(MNIST, system=tmp_path) is None
    write(tmp_path / "data" / "fashion-mnist")
    monkeypatch.setenv("LOOKALIKE_DATA", str(tmp_path / "data"))
    assert mnist.find(FASHION_MNIST, system=tmp_path).root == tmp_path / "data" / "fashion-mnist"


def test_without_permission_to_download_it_says_what_belongs_where(cache):
    with pytest.raises(DatasetError) as caught:
        mnist.load(MNIST, download=False)
    text = str(caught.value)
    assert "MNIST is not on this computer: expected mnist/train-images-idx3-ubyte.gz" in text
    assert str(cache / "datasets") in text
    assert "LOOKALIKE_DATA" in str(caught.value.hint)


@pytest.fixture
def published(site):
    """Tiny data sets on a web server of this computer."""

    def publish(idx_set, addresses=("/",)):
        files = []
        for name, content in contents().items():
            packed = gzip.compress(content)
            files.append(Published(f"{name}.gz", hashlib.sha256(packed).hexdigest(), len(packed)))
            site.pages[f"{addresses[-1]}{name}.gz"] = packed
        addresses = tuple(site.address + address for address in addresses)
        return dataclasses.replace(idx_set, files=tuple(files), addresses=addresses)

    return publish


def test_download_is_read_and_found_again(published, site, cache):
    tiny = published(MNIST)
    dataset = mnist.load(tiny)
    assert (dataset.train_X == images(5)).all()
    assert dataset.origin == f"downloaded from {site.address}/"
    again = mnist.load(tiny, download=False)
    assert again.origin == f"found in {cache / 'datasets' / 'mnist'}"
    assert len(site.asked) == 4


def test_second_address_serves_where_the_first_does_not(published, site):
    assert mnist.load(published(MNIST, ("/gone/", "/"))).origin == f"downloaded from {site.address}/"


def test_interrupted_download_goes_on_where_it_stopped(published, site):
    tiny = published(MNIST)
    missing = site.pages.pop(f"/{FILES[2]}.gz")
    with pytest.raises(
        DatasetError, match=r"MNIST, t10k-images-idx3-ubyte\.gz cannot be downloaded.*404.*\n.*mnist/t10k"
    ):
        mnist.load(tiny)
    assert mnist.find(tiny) is None
    site.pages[f"/{FILES[2]}.gz"] = missing
    assert len(mnist.load(tiny).test_X) == 3
    assert len(site.asked) == 3 + 2  # the first two are not asked for again


def test_wrong_content_is_refused(published, site):
    tiny = published(MNIST)
    site.pages[f"/{FILES[0]}.gz"] = gzip.compress(encode(images(5, 9)))
    with pytest.raises(DatasetError, match=r"expected sha256|cannot be downloaded"):
        mnist.load(tiny)


@pytest.mark.skipif(sys.platform == "win32", reason="no apt there")
def test_package_is_the_second_source(published, site, monkeypatch):
    fashion = published(FASHION_MNIST)
    site.pages.clear()
    monkeypatch.setattr(
        apt, "unpack_package", lambda package, folder, *told: write(folder / FASHION_MNIST.package_folder)
    )
    dataset = mnist.read(fashion, mnist.fetch(fashion))
    assert dataset.origin == "Debian's package dataset-fashion-mnist, downloaded with apt-get"
    assert dataset.class_names[9] == "Ankle boot"
    assert mnist.find(fashion).root.is_relative_to(os.environ["LOOKALIKE_CACHE"])


def test_when_both_sources_fail_both_are_named(published, site, monkeypatch):
    fashion = published(FASHION_MNIST)
    site.pages.clear()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        DatasetError, match=r"404.*needs apt-get.*\n.*fashion-mnist/train-images.*dpkg-deb -x"
    ):
        mnist.fetch(fashion)


REAL = {
    # Means of all train pixels: 0.1307 and 0.2860 of 255, as they are widely used for normalizing.
    "mnist": (MNIST, 33.31842145, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
    "fashion-mnist": (FASHION_MNIST, 72.94035223, [6000] * 10),
}


@pytest.mark.data
@pytest.mark.skipif(not REAL_DATA, reason="LOOKALIKE_DATA is not set")
@pytest.mark.parametrize("name", REAL)
def test_real_data_is_as_published(monkeypatch, name):
    idx_set, mean, counts = REAL[name]
    monkeypatch.setenv("LOOKALIKE_DATA", REAL_DATA)
    if mnist.find(idx_set) is None:
        pytest.skip(f"LOOKALIKE_DATA holds no {name}")
    train_X, train_y, test_X, test_y = mnist.load(idx_set, download=False)
    assert (train_X.shape, test_X.shape) == ((60_000, 28, 28), (10_000, 28, 28))
    assert train_X.mean() == pytest.approx(mean, abs=1e-6)
    assert np.bincount(train_y).tolist() == counts
    assert len(test_y) == 10_000
    assert set(test_y.tolist()) == set(range(10))
