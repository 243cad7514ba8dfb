import dataclasses
import hashlib
import io
import os
import pickle
import struct
import tarfile

import numpy as np
import pytest

from lookalike.datasets import cifar
from lookalike.datasets.cifar import CIFAR_10, CIFAR_100
from lookalike.datasets.download import RemoteFile
from lookalike.datasets.locate import Place
from lookalike.errors import DatasetError

REAL_DATA = os.environ.get("LOOKALIKE_DATA")
NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
N = 4  # images in each file


def rows(seed):
    return np.random.default_rng(seed).integers(0, 256, (N, 3072), np.uint8)


def expected(seed):
    """The images of a file, told pixel by pixel."""
    images = np.empty((N, 32, 32, 3), np.uint8)
    for i, row in enumerate(rows(seed)):
        for channel in range(3):
            images[i, :, :, channel] = row[1024 * channel : 1024 * (channel + 1)].reshape(32, 32)
    return images


def labels(seed, n_classes=10):
    return [(seed + i) % n_classes for i in range(N)]


def python2(value, multiarray=b"numpy.core.multiarray"):
    """Pickle as Python 2 did for the official files: byte strings, and arrays with their state."""
    if isinstance(value, bytes):
        return b"T" + struct.pack("<i", len(value)) + value
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, list):
        return b"](" + b"".join(map(python2, value)) + b"e"
    if isinstance(value, dict):
        return b"}(" + b"".join(python2(k) + python2(v, multiarray) for k, v in value.items()) + b"u"
    shape = b"(" + b"".join(map(python2, value.shape)) + b"t"
    dtype = value.dtype.str[1:].encode()
    return (
        b"c" + multiarray + b"\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01" + shape + b"cnumpy\ndtype\nU" + bytes([len(dtype)]) + dtype + b"K\x00K\x01\x87R"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" + python2(value.tobytes()) + b"tb"
    )  # fmt: skip


def pickled(value, **options):
    return b"\x80\x02" + python2(value, **options) + b"."


def batch(seed):
    return {
        b"batch_label": b"batch",
        b"labels": labels(seed),
        b"data": rows(seed),
        b"filenames": [b"x.png"] * N,
    }


def write_python(folder, **changes):
    """CIFAR-10's python layout; `changes` are files' contents."""
    files = {f"data_batch_{n}": pickled(batch(n)) for n in range(1, 6)}
    files["test_batch"] = pickled(batch(6))
    files["batches.meta"] = pickled({b"label_names": [name.encode() for name in NAMES], b"num_vis": 3072})
    return write(folder / CIFAR_10.python.folder, files, changes)


def write_binary(folder, **changes):
    files = {
        f"data_batch_{n}.bin" if n < 6 else "test_batch.bin": b"".join(
            bytes([label]) + row.tobytes() for label, row in zip(labels(n), rows(n), strict=True)
        )
        for n in range(1, 7)
    }
    files["batches.meta.txt"] = ("\n".join(NAMES) + "\n\n").encode()
    return write(folder / CIFAR_10.binary.folder, files, changes)


def write(folder, files, changes):
    folder.mkdir(parents=True)
    for name, content in {**files, **changes}.items():
        (folder / name).write_bytes(content)
    return Place(folder, f"found in {folder}")


@pytest.mark.parametrize("write_layout", [write_python, write_binary])
def test_both_layouts_of_cifar_10_give_the_same(tmp_path, monkeypatch, write_layout):
    write_layout(tmp_path)
    monkeypatch.setenv("LOOKALIKE_DATA", str(tmp_path))
    dataset = cifar.load(CIFAR_10, download=False)
    assert (dataset.train_X == np.concatenate([expected(seed) for seed in range(1, 6)])).all()
    assert dataset.train_y.tolist() == [label for seed in range(1, 6) for label in labels(seed)]
    assert (dataset.test_X == expected(6)).all()
    assert dataset.test_y.tolist() == labels(6)
    assert dataset.test_y.dtype == np.int64
    assert dataset.class_names == tuple(NAMES)
    assert dataset.image_shape == (32, 32, 3)
    assert dataset.train_X.flags.c_contiguous
    assert type(dataset.test_X) is np.ndarray
    assert dataset.train_X.flags.writeable


def cifar_100_names():
    return [f"thing_{n}" for n in range(100)]


def test_cifar_100_gives_the_fine_labels_of_both_layouts(tmp_path):
    python = {
        split: pickled(
            {
                b"data": rows(seed),
                b"fine_labels": labels(seed + 90, 100),
                b"coarse_labels": [19] * N,
            }
        )
        for split, seed in (("train", 1), ("test", 2))
    }
    meta = {b"fine_label_names": [n.encode() for n in cifar_100_names()], b"coarse_label_names": [b"x"] * 20}
    binary = {
        f"{split}.bin": b"".join(
            bytes([19, label]) + row.tobytes()
            for label, row in zip(labels(seed + 90, 100), rows(seed), strict=True)
        )
        for split, seed in (("train", 1), ("test", 2))
    }
    binary["fine_label_names.txt"] = "\n".join(cifar_100_names()).encode()
    for place in (
        write(tmp_path / CIFAR_100.python.folder, {**python, "meta": pickled(meta)}, {}),
        write(tmp_path / CIFAR_100.binary.folder, binary, {}),
    ):
        dataset = cifar.read(CIFAR_100, place)
        assert (dataset.train_X == expected(1)).all()
        assert dataset.train_y.tolist() == [91, 92, 93, 94]
        assert dataset.test_y.tolist() == [92, 93, 94, 95]
        assert dataset.class_names[99] == "thing_99"


@pytest.mark.parametrize(
    "content",
    [
        pickled(batch(1), multiarray=b"numpy._core.multiarray"),
        pickle.dumps(batch(1), protocol=4),
        pickle.dumps({key.decode(): value for key, value in batch(1).items()}, protocol=3),
        pickle.dumps(batch(1) | {b"data": np.asfortranarray(rows(1))}, 4),
    ],
    ids=["numpy-2-name", "python-3", "text-keys", "fortran-order"],
)
def test_pickles_of_other_pythons_are_read_too(tmp_path, content):
    dataset = cifar.read(CIFAR_10, write_python(tmp_path, data_batch_1=content))
    assert (dataset.train_X[:N] == expected(1)).all()


@pytest.mark.parametrize("parent", ["", "cifar-10", "cifar10"])
@pytest.mark.parametrize("write_layout", [write_python, write_binary])
def test_each_place_is_found(tmp_path, monkeypatch, parent, write_layout):
    place = write_layout(tmp_path / parent)
    monkeypatch.setenv("LOOKALIKE_DATA", str(tmp_path))
    assert cifar.find(CIFAR_10) == place
    assert cifar.find(CIFAR_100) is None


class Evil:
    def __reduce__(self):
        return os.system, ("echo harm > harmed",)


EVIL = {
    "function": pickle.dumps(Evil()),
    "inside": pickle.dumps({b"data": Evil()}),
    "numpy-function": b"cnumpy\nload\n(U\x06harmedtR.",
    "numpy-internals": b"cnumpy.core.multiarray\nfromstring\n.",
    "builtin": b"cbuiltins\neval\n(U\x041+1!tR.",
    "attribute-path": b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
}


@pytest.mark.parametrize("content", EVIL.values(), ids=EVIL.keys())
def test_pickle_that_asks_for_anything_else_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    place = write_python(tmp_path / "data", data_batch_2=content)
    with pytest.raises(
        DatasetError, match=r"data_batch_2: .*it asks for .*, which is refused\ndo not trust it"
    ):
        cifar.read(CIFAR_10, place)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Ran out of input"),
        (b"not a pickle", "data_batch_3"),
        (pickled(batch(3))[:5000], "truncated"),
        (pickled([1, 2]), "data_batch_3"),
        (pickled({b"data": [1]}), r"expected 'data' to be an array of shape \(n, 3072\), got list"),
        (pickled(batch(3) | {b"data": rows(3)[:, :3000]}), r"array of shape \(4, 3000\)"),
        (pickled(batch(3) | {b"data": rows(3)[:0]}), r"array of shape \(0, 3072\)"),
        (pickled(batch(3) | {b"data": rows(3).astype(np.float32)}), "something other than bytes"),
        (pickled(batch(3) | {b"data": rows(3)}).replace(b"J\x00\x0c\0\0", b"J\x01\x0c\0\0"), "reshape"),
        (pickle.dumps(batch(3) | {b"data": np.array([None] * 4)}, 4), "something other than bytes"),
        (
            pickled(batch(3) | {b"data": rows(3)[:3], b"labels": [0, 1, 2]}),
            "expected 4 images, as in data_batch_1",
        ),
        (pickled(batch(3) | {b"labels": [0, 1, 2]}), "expected 4 labels"),
        (pickled(batch(3) | {b"labels": [0, 1, 2, 10]}), "expected labels from 0 to 9, but label 3 is 10"),
        (pickled(batch(3) | {b"labels": [0, 1, 2, -1]}), "label 3 is -1"),
        (pickle.dumps(batch(3) | {b"labels": [0, 1, 2, 1 << 90]}, 4), "expected labels from 0 to 9"),
        (pickle.dumps(batch(3) | {b"labels": [0, 1, 2, "x"]}, 4), "list of whole numbers"),
        (pickled({b"data": rows(3), b"fine_labels": [0] * 4}), "list of whole numbers"),
    ],
)
def test_damaged_batch_is_named_with_what_was_expected(tmp_path, content, said):
    with pytest.raises(DatasetError, match=said) as caught:
        cifar.read(CIFAR_10, write_python(tmp_path, data_batch_3=content))
    assert "data_batch_3: " in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data_batch_2.bin": b""}, "data_batch_2.bin: expected records of 3,073 bytes, got 0 and 0"),
        ({"data_batch_2.bin": bytes(3073 * 3 + 5)}, "got 3 and 5 bytes more: it is cut short"),
        (
            {"data_batch_2.bin": bytes(3073 * 3)},
            r"data_batch_2\.bin: expected 4 images, as in data_batch_1\.bin, got 3",
        ),
        (
            {"test_batch.bin": b"\x0a" + bytes(3072)},
            r"test_batch\.bin: expected labels from 0 to 9, but label 0 is 10",
        ),
        ({"batches.meta.txt": b"cat\ndog\n"}, r"batches\.meta\.txt: expected the names of 10 classes, got 2"),
        ({"batches.meta.txt": b"\xff\xfe"}, r"batches\.meta\.txt: "),
    ],
)
def test_damaged_binary_file_is_named_with_what_was_expected(tmp_path, changes, said):
    with pytest.raises(DatasetError, match=said):
        cifar.read(CIFAR_10, write_binary(tmp_path, **changes))


@pytest.mark.parametrize("content", [pickled({b"names": []}), pickled({b"label_names": [1, 2]})])
def test_damaged_names_are_named(tmp_path, content):
    with pytest.raises(
        DatasetError, match=r"batches\.meta: expected 'label_names' to be a list of class names"
    ):
        cifar.read(CIFAR_10, write_python(tmp_path, **{"batches.meta": content}))


def test_missing_file_is_named(tmp_path):
    place = write_python(tmp_path)
    (place.root / "data_batch_4").unlink()
    with pytest.raises(
        DatasetError, match=r"cifar-10-batches-py: expected the file data_batch_4 of CIFAR-10"
    ):
        cifar.read(CIFAR_10, place)


def test_without_permission_to_download_it_says_what_belongs_where():
    with pytest.raises(
        DatasetError, match="CIFAR-100 is not on this computer: expected cifar-100-python or cifar-100"
    ):
        cifar.load(CIFAR_100, download=False)


@pytest.fixture
def published(site):
    def publish(content):
        site.pages["/cifar-10-binary.tar.gz"] = content
        url = f"{site.address}/cifar-10-binary.tar.gz"
        remote = RemoteFile("CIFAR-10", url, hashlib.sha256(content).hexdigest(), len(content))
        return dataclasses.replace(CIFAR_10, archive=remote)

    return publish


def test_archive_is_downloaded_unpacked_and_found_again(tmp_path, published, cache, site):
    folder = write_binary(tmp_path).root
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        archive.add(folder, folder.name)
    cifar_set = published(stream.getvalue())
    dataset = cifar.load(cifar_set)
    assert (dataset.test_X == expected(6)).all()
    assert dataset.origin == f"downloaded from {cifar_set.archive.url}"
    again = cifar.load(cifar_set, download=False)
    assert again.origin == f"found in {cache / 'datasets' / 'cifar-10' / 'cifar-10-batches-bin'}"
    assert len(site.asked) == 1


@pytest.mark.parametrize("damage", ["escape", "truncated"])
def test_bad_archive_is_named_and_leaves_nothing(published, tar, cache, damage):
    content = tar(("../escaped", b"x" * 10_000)).getvalue()
    cifar_set = published(content if damage == "escape" else content[:-50])
    said = "the archive holds '../escaped'" if damage == "escape" else "tar archive|escaped"
    with pytest.raises(DatasetError, match=rf"cifar-10-binary\.tar\.gz: .*({said})"):
        cifar.load(cifar_set)
    assert list(cache.rglob("*escaped*")) == []
    assert cifar.find(cifar_set) is None


def test_out_of_reach_says_where_to_put_what(published, site, cache):
    cifar_set = published(b"archive")
    site.pages.clear()
    with pytest.raises(DatasetError) as caught:
        cifar.load(cifar_set)
    assert "set LOOKALIKE_DATA to a folder that holds cifar-10-batches-py" in str(caught.value.hint)
    assert str(cache / "datasets" / "downloads" / "cifar-10-binary.tar.gz") in str(caught.value.hint)


@pytest.mark.data
@pytest.mark.skipif(not REAL_DATA, reason="LOOKALIKE_DATA is not set")
@pytest.mark.parametrize(("cifar_set", "per_class"), [(CIFAR_10, 5000), (CIFAR_100, 500)])
def test_real_data_is_as_published(monkeypatch, cifar_set, per_class):
    monkeypatch.setenv("LOOKALIKE_DATA", REAL_DATA)
    if cifar.find(cifar_set) is None:
        pytest.skip(f"LOOKALIKE_DATA holds no {cifar_set.title}")
    dataset = cifar.load(cifar_set, download=False)
    train_X, train_y, test_X, test_y = dataset
    assert (train_X.shape, test_X.shape) == ((50_000, 32, 32, 3), (10_000, 32, 32, 3))
    assert set(np.bincount(train_y)) == {per_class}
    assert set(np.bincount(test_y)) == {per_class // 5}
    if cifar_set is CIFAR_10:
        assert dataset.class_names == tuple(NAMES)
        # The official files have 125.307, 122.950 and 113.865; a copy that was JPEG once, 0.04 less.
        assert train_X.mean(axis=(0, 1, 2)) == pytest.approx([125.307, 122.950, 113.865], abs=0.1)
