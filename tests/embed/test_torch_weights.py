"""The weight files here are written byte by byte, from pickle's opcodes; there is no torch."""

import pickle
import struct

import numpy as np
import pytest

from lookalike.embed.torch_weights import read_state_dict
from lookalike.errors import ModelError

MAGIC = 0x1950A86A20F9469CFC6C


def text(value):
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def integer(value):
    content = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(content)]) + content


def tuple_of(*items):
    return b"(" + b"".join(items) + b"t"


def name_of(module, name):
    return f"c{module}\n{name}\n".encode()


def call(function, *arguments):
    return function + tuple_of(*arguments) + b"R"


def dictionary(items):
    ordered = call(name_of("collections", "OrderedDict"))
    return ordered + b"(" + b"".join(text(key) + value for key, value in items.items()) + b"u"


def pickled(body):
    return b"\x80\x02" + body + b"."


def storage(key, count, kind="FloatStorage"):
    return (
        tuple_of(text("storage"), name_of("torch", kind), text(key), text("cpu"), integer(count), b"N") + b"Q"
    )


def tensor(stored, offset, shape, stride):
    return call(
        name_of("torch._utils", "_rebuild_tensor_v2"),
        stored,
        integer(offset),
        tuple_of(*map(integer, shape)),
        tuple_of(*map(integer, stride)),
        b"\x89",  # requires_grad: False
        call(name_of("collections", "OrderedDict")),  # its hooks: none
    )


def weight_file(views, storages, magic=MAGIC, protocol=1001):
    """A file of `views`, pickled tensors by name, over `storages`, arrays by key."""
    system = pickle.dumps({"little_endian": True, "protocol_version": 1001}, 2)
    head = pickled(integer(magic)) + pickled(integer(protocol)) + system
    keys = pickle.dumps(list(storages), 2)
    raw = b"".join(struct.pack("<q", len(values)) + values.tobytes() for values in storages.values())
    return head + pickled(dictionary(views)) + keys + raw


def read(views, storages):
    return read_state_dict(weight_file(views, storages), "w.pth")


def reason(data):
    with pytest.raises(ModelError, match=r"^the weights w\.pth cannot be read: ") as caught:
        read_state_dict(data, "w.pth")
    return str(caught.value)


ONE_TO_SIX = np.arange(1, 7, dtype="<f4")
PLAIN = weight_file({"w": tensor(storage("0", 6), 0, (2, 3), (3, 1))}, {"0": ONE_TO_SIX})


def test_a_matrix_in_row_order():
    weights = read_state_dict(PLAIN, "w.pth")
    assert weights["w"].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert weights["w"].dtype == np.float32


def test_the_stride_is_honoured():
    # The same numbers, column after column.
    weights = read({"w": tensor(storage("0", 6), 0, (2, 3), (1, 2))}, {"0": ONE_TO_SIX})
    assert weights["w"].tolist() == [[1, 3, 5], [2, 4, 6]]
    assert weights["w"].flags.c_contiguous


def test_channels_last_kernels_come_out_channels_first():
    # As TensorFlow stores a kernel: (height, width, in, out).
    stored = np.arange(3 * 3 * 2 * 4, dtype="<f4")
    kernel = stored.reshape(3, 3, 2, 4)
    view = tensor(storage("0", stored.size), 0, (4, 2, 3, 3), (1, 4, 24, 8))
    weights = read({"w": view}, {"0": stored})
    assert np.array_equal(weights["w"], kernel.transpose(3, 2, 0, 1))


def test_tensors_share_a_storage():
    stored = storage("0", 6)
    views = {"head": tensor(stored, 0, (2,), (1,)), "tail": tensor(stored, 2, (2, 2), (2, 1))}
    weights = read(views, {"0": ONE_TO_SIX})
    assert weights["head"].tolist() == [1, 2]
    assert weights["tail"].tolist() == [[3, 4], [5, 6]]


def test_a_scalar_has_no_dimensions():
    view = tensor(storage("n", 1, "LongStorage"), 0, (), ())
    count = read({"num_batches_tracked": view}, {"n": np.array([7], "<i8")})["num_batches_tracked"]
    assert count.shape == ()
    assert count == 7


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("FloatStorage", "<f4"),
        ("DoubleStorage", "<f8"),
        ("HalfStorage", "<f2"),
        ("LongStorage", "<i8"),
        ("IntStorage", "<i4"),
    ],
)
def test_each_number_type_keeps_its_values(kind, dtype):
    values = np.array([0, 1, -2, 100], dtype)
    read_back = read({"w": tensor(storage("0", 4, kind), 0, (4,), (1,))}, {"0": values})["w"]
    assert read_back.dtype == values.dtype
    assert read_back.tolist() == values.tolist()


def test_names_come_in_the_order_of_the_file():
    views = {name: tensor(storage("0", 6), 0, (1,), (1,)) for name in ("z", "a", "m")}
    assert list(read(views, {"0": ONE_TO_SIX})) == ["z", "a", "m"]


def test_a_file_of_no_tensors_has_none():
    assert dict(read({}, {})) == {}


def test_storages_lie_in_the_order_of_their_list_not_of_their_use():
    views = {
        "a": tensor(storage("late", 2), 0, (2,), (1,)),
        "b": tensor(storage("early", 1), 0, (1,), (1,)),
    }
    early, late = np.array([5], "<f4"), np.array([6, 7], "<f4")
    weights = read(views, {"early": early, "late": late})
    assert weights["a"].tolist() == [6, 7]
    assert weights["b"].tolist() == [5]


def test_random_views_agree_with_numpy():
    rng = np.random.default_rng(0)
    stored = rng.normal(size=360).astype("<f4")
    for _ in range(30):
        axes = rng.permutation(4)
        view = stored.reshape(3, 4, 5, 6).transpose(axes)
        steps = [step // 4 for step in view.strides]
        weights = read({"w": tensor(storage("0", 360), 0, view.shape, steps)}, {"0": stored})
        assert np.array_equal(weights["w"], view)


# --- damaged


def test_every_cut_is_noticed():
    for length in range(len(PLAIN)):
        reason(PLAIN[:length])


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04 the newer format is a zip file", b"\x80\x02.", bytes(100)]
)
def test_other_files_are_refused(data):
    reason(data)


def test_another_magic_number_or_protocol_is_refused():
    assert "not in torch's pickled format" in reason(weight_file({}, {}, magic=1))
    assert "not in torch's pickled format" in reason(weight_file({}, {}, protocol=1002))


@pytest.mark.parametrize(
    ("offset", "shape", "stride"),
    [
        (1, (2, 3), (3, 1)),
        (0, (2, 4), (3, 1)),
        (0, (2, 3), (4, 1)),
        (0, (7,), (1,)),
        (6, (), ()),
        (-1, (2,), (1,)),
        (5, (2,), (-1,)),
        (0, (-2,), (1,)),
        (0, (2, 3), (1,)),
        (0, (2**62,), (1,)),
        (2**63, (1,), (1,)),
        (0, (2**40,), (0,)),  # one number, shown a million million times
        (0, (2**21, 2**21), (0, 0)),
    ],
)
def test_a_tensor_that_reaches_beyond_its_storage_is_refused(offset, shape, stride):
    view = tensor(storage("0", 6), offset, shape, stride)
    reason(weight_file({"w": view}, {"0": ONE_TO_SIX}))


@pytest.mark.parametrize("count", [0, 5, 7, 2**40, 2**63 - 1, -1])
def test_a_storage_of_another_count_than_was_said_is_refused(count):
    data = PLAIN[: -8 - ONE_TO_SIX.nbytes] + struct.pack("<q", count) + ONE_TO_SIX.tobytes()
    assert "cut short" in reason(data)


@pytest.mark.parametrize("count", [2**40, 2**62, 2**100, -1])
def test_huge_counts_that_agree_are_refused_without_their_memory(count):
    view = tensor(storage("0", count), 0, (6,), (1,))
    head = weight_file({"w": view}, {"0": ONE_TO_SIX})[: -8 - ONE_TO_SIX.nbytes]
    reason(head + (count % 2**64).to_bytes(8, "little") + ONE_TO_SIX.tobytes())


def test_a_storage_that_is_not_there_is_refused():
    view = tensor(storage("0", 6), 0, (6,), (1,))
    assert "storage is missing" in reason(weight_file({"w": view}, {}))


def test_a_storage_that_no_tensor_named_is_refused():
    reason(weight_file({}, {"0": ONE_TO_SIX}))


def test_what_is_no_table_of_tensors_is_refused():
    head = pickled(integer(MAGIC)) + pickled(integer(1001)) + pickle.dumps({}, 2)
    reason(head + pickle.dumps([1, 2], 2) + pickle.dumps([], 2))
    reason(head + pickle.dumps({"w": 3}, 2) + pickle.dumps([], 2))


# --- hostile


def hostile(body, place):
    """A weight file of which one of the five pickles is another."""
    five = [pickled(integer(MAGIC)), pickled(integer(1001)), pickle.dumps({}, 2), pickled(dictionary({}))]
    five.append(pickle.dumps([], 2))
    five[place] = pickled(body)
    return b"".join(five)


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize(
    ("asked_for", "body"),
    [
        ("os.system", lambda file: call(name_of("os", "system"), text(f"touch {file}"))),
        ("posix.system", lambda file: call(name_of("posix", "system"), text(f"touch {file}"))),
        ("builtins.eval", lambda file: call(name_of("builtins", "eval"), text(f"open({file!r}, 'w')"))),
        ("builtins.exec", lambda file: call(name_of("builtins", "exec"), text(f"open({file!r}, 'w')"))),
        # Python 2's name of the same module, which pickles of protocol 2 may use.
        ("__builtin__.eval", lambda file: call(name_of("__builtin__", "eval"), text(f"open({file!r}, 'w')"))),
        ("builtins.open", lambda file: call(name_of("builtins", "open"), text(file), text("w"))),
        ("os.system", lambda file: f"(X\x07\0\0\0touch {file[0]}ios\nsystem\n".encode()),
        (
            "os.system",
            lambda file: text("os") + text("system") + b"\x93" + tuple_of(text(f"touch {file}")) + b"R",
        ),
    ],
)
def test_code_is_refused_by_name_and_never_run(tmp_path, place, asked_for, body):
    file = str(tmp_path / "ran")
    said = reason(hostile(body(file), place))
    module, _, name = asked_for.partition(".")
    known_as = {asked_for, f"builtins.{name}"} if module == "__builtin__" else {asked_for}
    assert any(f"it asks for {known}, which weights have no need of" in said for known in known_as)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "getattr"),
        ("torch", "load"),
        ("torch", "FloatStorage.tofile"),
        ("torch", "__builtins__"),
        ("torch._utils", "_rebuild_tensor"),
        ("torch._utils", "_rebuild_tensor_v2.__globals__"),
        ("torch.serialization", "load"),
        ("torch.storage", "_load_from_bytes"),
        ("collections", "OrderedDict.__reduce__"),
        ("collections", "Counter"),
        ("collections", "_sys"),
        ("numpy", "load"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("lookalike.embed.torch_weights", "pickle.loads"),
    ],
)
def test_names_that_look_like_the_admitted_ones_are_refused(module, name):
    plain = hostile(name_of(module, name), 3)
    stacked = hostile(text(module) + text(name) + b"\x93", 3)
    for data in (plain, stacked):
        assert f"it asks for {module}.{name}, which weights have no need of" in reason(data)


def test_attributes_cannot_be_reached_through_an_admitted_function():
    # getattr(_rebuild_tensor_v2, "__globals__"), were there a getattr.
    body = call(
        name_of("builtins", "getattr"),
        name_of("torch._utils", "_rebuild_tensor_v2"),
        text("__globals__"),
    )
    assert "builtins.getattr" in reason(hostile(body, 3))


def test_registered_extensions_are_refused_too():
    import copyreg

    copyreg.add_extension("os", "system", 240)
    try:
        assert "os.system" in reason(hostile(b"\x82\xf0" + tuple_of(text("true")) + b"R", 3))
    finally:
        copyreg.remove_extension("os", "system", 240)


@pytest.mark.parametrize(
    "reference",
    [
        tuple_of(text("module"), name_of("torch", "FloatStorage"), text("0"), text("cpu"), integer(1)),
        tuple_of(text("storage"), text("FloatStorage"), text("0"), text("cpu"), integer(1)),
        tuple_of(text("storage")),
        text("storage"),
    ],
)
def test_references_to_anything_but_a_storage_are_refused(reference):
    reason(hostile(reference + b"Q", 3))
