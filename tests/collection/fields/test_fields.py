"""Own fields: said of files, by call or by a table; typed; and they go with their images."""

import datetime
import os
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lookalike import (
    Collection,
    CollectionConflictError,
    CollectionNotFoundError,
    InvalidInputError,
)
from lookalike.collection.columns import FileColumns
from lookalike.collection.own_fields import fields_of
from lookalike.types import format_id
from pictures import picture

MODEL = "pixels-8-grey"


@pytest.fixture
def collection(photos):
    made = Collection.create(photos, model=MODEL)
    made.sync()
    return made


def columns(collection):
    """Return what is known, by stored path."""
    snapshot = collection.snapshot()
    paths = snapshot.files.paths()
    values = {name: column.to_pylist() for name, column in snapshot.fields.columns.items()}
    return {
        path: {name: column[row] for name, column in values.items() if column[row] is not None}
        for row, path in enumerate(paths)
    }


def test_files_are_named_by_path_stored_path_or_id(collection, photos):
    image = collection.image_info(photos / "dogs/5.png")
    report = collection.set_fields(
        {
            photos / "cats/0.png": {"n": 0},
            str(photos / "cats/1.png"): {"n": 1},
            "cats/2.png": {"n": 2},
            "photos:dogs/3.png": {"n": 3},
            int(image.id): {"n": 5},
            collection.image_info(photos / "dogs/4.png").hex_id: {"n": 4},
            "nothing.png": {"n": 9},
            format_id(1): {"n": 9},
            5.5: {"n": 9},
        }
    )
    assert (report.files, report.changed, report.kinds) == (6, 6, {"n": "number"})
    assert report.unknown == ("nothing.png", format_id(1), "5.5")
    found = columns(collection)
    assert [found[f"photos:{'cats' if n < 3 else 'dogs'}/{n}.png"] for n in range(6)] == [
        {"n": n} for n in range(6)
    ]
    again = collection.set_fields({photos / "cats/0.png": {"n": 0}})
    assert (again.files, again.changed) == (1, 0)


def test_many_files_are_found_without_each_being_sought(collection, photos, monkeypatch):
    sought = []
    row_at = FileColumns.row_at
    monkeypatch.setattr(FileColumns, "row_at", lambda self, path: sought.append(path) or row_at(self, path))
    monkeypatch.setattr("lookalike.collection.references._SOUGHT", 2)
    stored = collection.snapshot().files.paths()
    fields = {path: {"n": n} for n, path in enumerate(stored)}
    report = collection.set_fields({**fields, "photos:nothing.png": {"n": 1}})
    assert (report.files, report.unknown) == (len(stored), ("photos:nothing.png",))
    assert columns(collection) == {path: {"n": n} for n, path in enumerate(stored)}
    assert sought == stored[:2]


def test_a_column_is_of_the_kind_of_its_first_value_and_of_no_other(collection, photos):
    file = photos / "cats/0.png"
    values = {
        "number": np.float32(0.5),
        "text": "é\n'\"",
        "date": np.datetime64("2019-05-04T12:00"),
        "boolean": np.bool_(True),
        "tags": ("b", "a", "b"),
    }
    collection.set_fields({file: values})
    assert collection.fields.kinds() == {kind: kind for kind in values}
    assert collection.fields.of(file) == {
        "number": 0.5,
        "text": "é\n'\"",
        "date": datetime.datetime(2019, 5, 4, 12),
        "boolean": True,
        "tags": ["b", "a"],
    }
    snapshot = collection.snapshot().fields.columns
    assert {name: str(column.type) for name, column in snapshot.items()} == {
        "number": "double",
        "text": "dictionary<values=string, indices=int32, ordered=0>",
        "date": "timestamp[us]",
        "boolean": "bool",
        "tags": "list<item: dictionary<values=string, indices=int32, ordered=0>>",
    }
    wrong = {"number": "1", "text": 1, "date": "yesterday", "boolean": 1, "tags": "a"}
    for name, value in wrong.items():
        with pytest.raises(InvalidInputError, match=f"'{name}' holds"):
            collection.set_fields({file: {name: value}})
    for value in (float("inf"), float("nan"), True, "x", [1]):
        with pytest.raises(InvalidInputError, match="number"):
            collection.set_fields({file: {"number": value}})
    for value in (b"x", object(), 1j, {"a": 1}, [1], ["\ud800"]):
        with pytest.raises(InvalidInputError, match="field"):
            collection.set_fields({file: {"new": value}})
    assert "new" not in collection.fields


def test_a_date_with_a_zone_is_the_moment_in_utc(collection, photos):
    collection.set_fields({photos / "cats/0.png": {"at": datetime.datetime(2019, 5, 4, tzinfo=datetime.UTC)}})
    collection.set_fields({photos / "cats/1.png": {"at": "2019-05-04T02:00:00+02:00"}})
    assert collection.fields.of(photos / "cats/1.png") == collection.fields.of(photos / "cats/0.png")


@pytest.mark.parametrize("name", ["", " a", "a" * 65, "a\nb", 5, None, "\ud800"])
def test_a_name_is_a_text_that_one_can_print(collection, photos, name):
    with pytest.raises(InvalidInputError, match="name of a field"):
        collection.set_fields({photos / "cats/0.png": {name: 1}})


@pytest.mark.parametrize(
    "name", ["a b", "ratio 16:9", "é", "日本", "select", "a.b", "`x`", "_", "A-1", "path", "id"]
)
def test_any_such_text_is_a_name(collection, photos, name):
    collection.set_fields({photos / "cats/0.png": {name: 1}})
    assert collection.fields.names() == [name]
    assert collection.fields.of(photos / "cats/0.png") == {name: 1}


def test_names_that_differ_in_case_only_are_one(collection, photos):
    collection.set_fields({photos / "cats/0.png": {"Price": 1}})
    with pytest.raises(InvalidInputError, match="already"):
        collection.set_fields({photos / "cats/0.png": {"price": 1}})


def test_none_takes_back_what_was_said_and_what_is_not_named_stays(collection, photos):
    file = photos / "cats/0.png"
    collection.set_fields({file: {"a": 1, "b": 2}})
    collection.set_fields({file: {"a": None, "c": 3, "never": None}})
    assert collection.fields.of(file) == {"b": 2, "c": 3}
    assert collection.fields.names() == ["a", "b", "c"]


def test_fields_go_with_a_renamed_image_and_stay_with_an_edited_one(collection, photos):
    collection.set_fields({photos / "cats/0.png": {"n": 0}, photos / "cats/1.png": {"n": 1}})
    (photos / "cats/0.png").rename(photos / "dogs/moved.png")
    picture(77).save(photos / "cats/1.png")
    shutil.copy(photos / "cats/2.png", photos / "cats/copy.png")
    collection.set_fields({photos / "cats/2.png": {"n": 2}})
    collection.sync()
    assert collection.fields.of(photos / "dogs/moved.png") == {"n": 0}
    assert collection.fields.of(photos / "cats/1.png") == {"n": 1}
    assert collection.fields.of(photos / "cats/copy.png") == {"n": 2}
    # What is said of a copy is said of it alone.
    collection.set_fields({photos / "cats/copy.png": {"m": 3}})
    assert collection.fields.of(photos / "cats/copy.png") == {"n": 2, "m": 3}
    assert collection.fields.of(photos / "cats/2.png") == {"n": 2}
    found = columns(collection)
    assert found["photos:dogs/moved.png"] == {"n": 0}
    assert found["photos:cats/1.png"] == {"n": 1}
    assert found["photos:cats/copy.png"] == {"n": 2, "m": 3}
    assert found["photos:dogs/3.png"] == {}


def test_columns_and_the_table_say_the_same_of_every_file(collection, photos):
    """The two ways to a field: of all files at once, and of one."""
    random = np.random.default_rng(0)
    files = sorted(photos.rglob("*.png"))
    for step in range(12):
        some = random.choice(files, 3, replace=False)
        collection.set_fields({file: {"n": float(step), f"c{step % 3}": f"{step}"} for file in some})
        file = files[step % len(files)]
        if step % 2:
            picture(500 + step % 4).save(file)
        else:
            shutil.copy(files[(step + 1) % len(files)], file)
        collection.sync()
        for path, values in columns(collection).items():
            fresh = Collection.open(photos)
            assert fresh.snapshot().fields_at(path, fresh.snapshot().image_at(path)) == values, path
            from lookalike.collection.own_fields import fields_of

            key = (path, fresh.snapshot().image_at(path))
            assert fields_of(fresh.snapshot().store.fields, [key]).get(key, {}) == values, path


def test_a_column_is_renamed_and_taken_away(collection, photos):
    file = photos / "cats/0.png"
    collection.set_fields({file: {"a": 1, "b": "x"}})
    held = collection.snapshot()
    collection.fields.rename("a", "prix €")
    assert collection.fields.of(file) == {"prix €": 1, "b": "x"}
    collection.fields.rename("b", "B")
    with pytest.raises(CollectionConflictError, match="already"):
        collection.fields.rename("prix €", "b")
    with pytest.raises(CollectionNotFoundError, match="no field 'a'"):
        collection.fields.rename("a", "c")
    collection.fields.remove("B")
    with pytest.raises(CollectionNotFoundError, match="no field 'B'"):
        collection.fields.remove("B")
    assert collection.fields.kinds() == {"prix €": "number"}
    collection.set_fields({file: {"b": 2}})
    assert collection.fields.of(file) == {"prix €": 1, "b": 2}
    # Whoever held the state before still has it.
    assert set(held.fields.columns) == {"a", "b"}
    assert [each for each in held.fields.columns["b"].to_pylist() if each] == ["x"]


def test_hits_say_their_fields_and_are_pickled_with_them(collection, photos):
    import pickle

    collection.set_fields({photos / "cats/1.png": {"n": 1}})
    hits = collection.search(photos / "cats/0.png", k=6).hits
    by_name = {hit.path.rpartition("/")[2]: hit for hit in hits}
    assert by_name["1.png"].fields == {"n": 1}
    assert by_name["2.png"].fields == {}
    again = pickle.loads(pickle.dumps(by_name["1.png"]))
    assert again == by_name["1.png"]
    assert again.fields == {"n": 1}
    assert collection.image_info(photos / "cats/1.png").fields == {"n": 1}


TABLE = """file,price,zip,seen,sold,tags,note,stars:text,day:date
cats/0.png,3.5,01067,2019-05-04,yes,red; blue,,1,2020-01-01
{absolute},,,,,,,,
2.png,-1e3,10115,2019-05-04 12:30,no,,x,2,
nowhere.png,1,1,2019-01-01,no,,,,
"""


def test_a_table_of_commas_is_read_by_its_words_and_headers(collection, photos, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text(TABLE.format(absolute=photos / "cats/1.png"))
    report = collection.fields.read(table)
    assert report.kinds == {
        "price": "number",
        "zip": "text",
        "seen": "date",
        "sold": "boolean",
        "tags": "tags",
        "note": "text",
        "stars": "text",
        "day": "date",
    }
    assert (report.files, report.changed, report.unknown) == (3, 2, ("nowhere.png",))
    assert collection.fields.of(photos / "cats/0.png") == {
        "price": 3.5,
        "zip": "01067",
        "seen": datetime.datetime(2019, 5, 4),
        "sold": True,
        "tags": ["red", "blue"],
        "stars": "1",
        "day": datetime.datetime(2020, 1, 1),
    }
    assert collection.fields.of(photos / "cats/1.png") == {}
    assert collection.fields.of(photos / "cats/2.png")["price"] == -1000
    # A column that is there holds what it holds.
    table.write_text("key,zip\n,\n")
    assert collection.fields.read(table).kinds == {"zip": "text"}


def test_a_table_may_name_files_by_id_key_or_path(collection, photos, tmp_path):
    collection.add([(photos / "cats/0.png", "k")])
    info = collection.image_info(photos / "cats/1.png")
    for column, name, file in (
        ("id", info.hex_id, photos / "cats/1.png"),
        ("ID", str(int(info.id)), photos / "cats/1.png"),
        ("key", "k", "added:k"),
        ("path", "photos:dogs/3.png", photos / "dogs/3.png"),
        ("Path", "dogs/4.png", photos / "dogs/4.png"),
    ):
        (tmp_path / "t.csv").write_text(f"{column},{column.lower()}-said\n{name},yes\n")
        assert collection.fields.read(tmp_path / "t.csv").unknown == (), column
        assert collection.fields.of(file)[f"{column.lower()}-said"] is True


def test_a_parquet_file_has_kinds_of_its_own(collection, photos, tmp_path):
    table = pa.table(
        {
            "path": ["cats/0.png", "cats/1.png", "cats/9.png"],
            "n": pa.array([1, None, 2], pa.int32()),
            "x": ["a", "b", None],
            "at": pa.array([datetime.datetime(2019, 5, 4), None, None], pa.timestamp("ns", "UTC")),
            "day": pa.array([None, datetime.date(2020, 1, 2), None], pa.date32()),
            "ok": [True, None, False],
            "words": [["a"], None, []],
            "empty": pa.nulls(3),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    report = collection.fields.read(tmp_path / "t.parquet")
    assert report.unknown == ("cats/9.png",)
    assert report.kinds == {
        "n": "number",
        "x": "text",
        "at": "date",
        "day": "date",
        "ok": "boolean",
        "words": "tags",
        "empty": "text",
    }
    assert collection.fields.of(photos / "cats/0.png") == {
        "n": 1,
        "x": "a",
        "at": datetime.datetime(2019, 5, 4),
        "ok": True,
        "words": ["a"],
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the columns"),
        (b"name,price\na,1\n", "expected one of path, file, id, key"),
        (b"path\na\n", "no column beside"),
        (b"path,price:number\ncats/0.png,dear\n", "line 2"),
        (b"path,price\ncats/0.png,1,2\n", "line 2"),
        (b"path,a,a\ncats/0.png,1,2\n", "two columns"),
        (b"path,sold:boolean\ncats/0.png,perhaps\n", "true or false"),
        (b'path,a\n"cats/0.png,1\n' + b"x" * 200_000, "t.csv"),
        (b"path,a\x00b\ncats/0.png,1\n", "cannot be printed"),
    ],
)
def test_a_table_that_cannot_be_understood_changes_nothing(collection, tmp_path, content, said):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InvalidInputError, match=said):
        collection.fields.read(tmp_path / "t.csv")
    assert collection.fields.kinds() == {}


def test_bytes_that_are_not_utf_8_are_kept_as_labels_keep_them(collection, photos, tmp_path):
    shutil.copy(photos / "cats/0.png", os.fsencode(photos / "cats") + b"/caf\xe9.png")
    collection.sync()
    (tmp_path / "t.csv").write_bytes(b"path,a\ncats/caf\xe9.png,caf\xe9\ncats/1.png,plain\n")
    assert collection.fields.read(tmp_path / "t.csv").unknown == ()
    assert collection.fields.of("photos:cats/caf\\xe9.png") == {"a": "caf\\xe9"}


def test_what_is_no_table_is_refused(collection, tmp_path):
    with pytest.raises(InvalidInputError, match="cannot read"):
        collection.fields.read(tmp_path / "nothing.csv")
    with pytest.raises(InvalidInputError, match="is a folder; expected a file"):
        collection.fields.read(tmp_path)
    (tmp_path / "t.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(InvalidInputError, match="Parquet"):
        collection.fields.read(tmp_path / "t.parquet")
    with pytest.raises(InvalidInputError, match="mapping"):
        collection.set_fields([("a", {})])
    with pytest.raises(InvalidInputError, match="mapping"):
        collection.set_fields({"a": 5})


def test_a_type_conflict_with_what_is_there_is_an_error_that_names_the_line(collection, photos, tmp_path):
    collection.set_fields({photos / "cats/0.png": {"price": 1}})
    (tmp_path / "t.csv").write_text("path,price\ncats/0.png,2\ncats/1.png,dear\n")
    with pytest.raises(InvalidInputError, match=r"line 3: .*holds numbers"):
        collection.fields.read(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("path,price:text\ncats/0.png,2\n")
    with pytest.raises(InvalidInputError, match="holds numbers"):
        collection.fields.read(tmp_path / "t.csv")
    assert collection.fields.of(photos / "cats/0.png") == {"price": 1}


def test_fields_of_what_is_not_there_are_no_error_of_python(collection):
    with pytest.raises(CollectionNotFoundError, match=r"nothing\.png"):
        collection.fields.of("nothing.png")
    assert list(collection.fields) == []
    assert len(collection.snapshot().fields) == 0


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_a_copy_of_files_of_which_one_call_said_different_things_has_one_value(collection, photos, names):
    first, second = (photos / f"cats/{name}.png" for name in names)
    for copy in (first, second):
        shutil.copy(photos / "cats/0.png", copy)
    collection.sync()
    collection.set_fields({first: {"n": 1}, second: {"n": 2}})
    shutil.copy(first, photos / "cats/c.png")
    collection.sync()
    expected = {"n": 1 if names == "ab" else 2}  # as it is of a.png
    assert columns(collection)["photos:cats/c.png"] == expected
    snapshot = collection.snapshot()
    image = snapshot.files.image_at("photos:cats/c.png")
    place = "photos:cats/c.png", image
    assert fields_of(snapshot.store.fields, [place]) == {place: expected}
