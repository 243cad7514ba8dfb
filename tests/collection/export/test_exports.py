"""What an export holds, in each form: all of a result, every place, and nothing that was there is lost."""

import csv
import io
import json
import os
import re
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from lookalike import Collection, CollectionError, Filter, InvalidInputError, LookalikeError
from lookalike.collection.export.folders import LISTING
from lookalike.collection.export.groups import FolderNames, safe_name
from lookalike.collection.export.tables import _as_cells
from lookalike.system.file_names import unescape
from pictures import picture

MODEL = "pixels-8-rgb"


@pytest.fixture
def collection(photos):
    """Six images in two folders, one of them in both, a label that a spreadsheet would run."""
    (photos / "=1+1").mkdir()
    picture(7).save(photos / "=1+1/=2+2.png")
    shutil.copy(photos / "cats/1.png", photos / "dogs/copy.png")
    made = Collection.create(photos, model=MODEL)
    made.sync()
    return made


def read_csv(file):
    """Read a table, as UTF-8."""
    with open(file, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_whole_collection_is_a_row_a_file_by_path(collection, photos, tmp_path):
    assert collection.export(None, tmp_path / "all.csv") == 7
    rows = read_csv(tmp_path / "all.csv")
    assert len(rows) == 8
    assert {row["path"] for row in rows} == {str(file) for file in photos.glob("*/*.png")}
    twice = [
        row for row in rows if row["path"] in (str(photos / "cats/1.png"), str(photos / "dogs/copy.png"))
    ]
    assert [row["label"] for row in twice] == ["cats", "dogs"]
    assert len({row["id"] for row in twice}) == 1
    assert {row["width"] for row in rows} == {str(picture(0).width)}
    assert {row["format"] for row in rows} == {"PNG"}


def test_cells_run_nothing_in_a_spreadsheet_and_paths_come_back(collection, photos, tmp_path):
    collection.export(None, tmp_path / "all.csv")
    (row,) = [row for row in read_csv(tmp_path / "all.csv") if row["path"].endswith("=2+2.png")]
    assert row["path"] == str(photos / "=1+1/=2+2.png")
    assert row["label"] == "'=1+1"


@given(st.text())
def test_no_text_begins_as_a_formula_and_each_comes_back(text):
    cell = _as_cells({"label": text})["label"]
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert (cell[1:] if cell.startswith("'") else cell) == text


def test_numbers_are_numbers_also_below_zero():
    assert _as_cells({"x": -0.5, "rank": 3, "score": None}) == {"x": -0.5, "rank": 3, "score": None}


def test_a_search_is_exported_with_ranks_and_scores(collection, photos, tmp_path):
    result = collection.search(photos / "cats/0.png", k=3)
    assert collection.export(result, tmp_path / "hits.csv") == 3
    rows = read_csv(tmp_path / "hits.csv")
    assert [row["path"] for row in rows] == [path for hit in result for path in hit.paths]
    assert [int(row["rank"]) for row in rows] == [hit.rank for hit in result for _ in hit.paths]
    distances = {hit.hex_id: hit.distance for hit in result}
    for row in rows:
        assert float(row["distance"]) == pytest.approx(distances[row["id"]], abs=1e-6)
        assert row["score"] == ""  # the model is compared by euclidean distances


def test_of_a_filtered_search_only_the_places_that_pass_are_exported(collection, photos, tmp_path):
    result = collection.search(photos / "cats/0.png", where=Filter(labels=["dogs"]))
    collection.export(result, tmp_path / "hits.csv")
    assert {row["label"] for row in read_csv(tmp_path / "hits.csv")} == {"dogs"}


def test_a_filter_is_exported_as_the_images_that_pass(collection, tmp_path):
    assert collection.export(Filter(labels=["dogs"]), tmp_path / "dogs.jsonl") == 4
    rows = [json.loads(line) for line in (tmp_path / "dogs.jsonl").read_text("utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == len(rows) == 4
    assert {row["label"] for row in rows} == {"dogs"}
    assert "vector" not in rows[0]


def test_a_map_is_exported_with_its_points(collection, tmp_path):
    found = collection.maps.make("pca")
    assert collection.export(found, tmp_path / "map.csv") == 7
    points = {image.hex_id: point for image, point in zip(found.images, found.points, strict=True)}
    for row in read_csv(tmp_path / "map.csv"):
        assert (float(row["x"]), float(row["y"])) == pytest.approx(points[row["id"]], abs=1e-5)


def test_a_clustering_is_exported_by_any_door_with_its_clusters(collection, tmp_path):
    found = collection.clusterings.make(k=2)
    assert collection.export(found, tmp_path / "a.csv") == 7
    collection.clusterings.export("kmeans", tmp_path / "b.csv", "csv")
    rows, plain = read_csv(tmp_path / "a.csv"), read_csv(tmp_path / "b.csv")
    assert list(plain[0]) == ["path", "id", "cluster", "name", "distance", "label"]
    assert [[row[name] for name in plain[0]] for row in rows] == [list(row.values()) for row in plain]
    numbers = dict(
        zip([f"{image:016x}" for image in found.ids.tolist()], found.numbers.tolist(), strict=True)
    )
    assert {row["id"]: int(row["cluster"]) for row in rows} == numbers


def test_vectors_are_those_of_the_collection_row_for_row(collection, tmp_path):
    images, vectors = collection.vectors()
    known = {image.hex_id: vector for image, vector in zip(images, vectors, strict=True)}
    collection.export(None, tmp_path / "all.npy")
    collection.export(None, tmp_path / "all.parquet")
    collection.export(None, tmp_path / "all.jsonl", vectors=True)
    table, rows = parquet.read_table(tmp_path / "all.parquet"), read_csv(tmp_path / "all.csv")
    exported = np.load(tmp_path / "all.npy")
    assert exported.dtype == np.float32
    assert exported.shape == (8, vectors.shape[1])
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text("utf-8").splitlines()]
    others = zip(table.to_pylist(), lines, strict=True)
    for row, vector, (of_table, of_line) in zip(rows, exported, others, strict=True):
        assert row["id"] == of_table["id"] == of_line["id"]
        assert row["path"] == of_table["path"] == of_line["path"]
        assert (vector == known[row["id"]]).all()
        assert of_table["vector"] == of_line["vector"] == vector.tolist()


def test_images_without_a_vector_say_so(collection, photos, tmp_path):
    picture(9).save(photos / "cats/9.png")
    collection.sync(model="pixels-4-grey")
    collection.export(None, tmp_path / "all.npy", model=MODEL)
    collection.export(None, tmp_path / "all.parquet", model=MODEL)
    rows = read_csv(tmp_path / "all.csv")
    (at,) = [number for number, row in enumerate(rows) if row["path"].endswith("cats/9.png")]
    assert np.isnan(np.load(tmp_path / "all.npy")[at]).all()
    assert parquet.read_table(tmp_path / "all.parquet")["vector"][at].as_py() is None


def test_coco_has_images_categories_and_an_annotation_of_each(collection, photos, tmp_path):
    assert collection.export(None, tmp_path / "all.coco.json") == 7
    document = json.loads((tmp_path / "all.coco.json").read_text("utf-8"))
    names = {each["id"]: each["name"] for each in document["categories"]}
    assert sorted(names.values()) == ["=1+1", "cats", "dogs"]
    images = {each["id"]: each for each in document["images"]}
    assert len(images) == len(document["annotations"]) == 7
    for each in document["annotations"]:
        image = images[each["image_id"]]
        assert os.path.basename(os.path.dirname(image["file_name"])) == names[each["category_id"]]
        assert each["bbox"] == [0, 0, image["width"], image["height"]]
        assert os.path.isfile(image["file_name"])
    collection.clusterings.make(k=2)
    collection.export(collection.clusterings.get("kmeans"), tmp_path / "groups.coco.json")
    document = json.loads((tmp_path / "groups.coco.json").read_text("utf-8"))
    assert {each["name"] for each in document["categories"]} == {"cluster-000", "cluster-001"}


@pytest.mark.parametrize("form", ["copy", "hardlink", "symlink"])
def test_a_folder_has_the_images_of_each_label(collection, photos, tmp_path, form):
    assert collection.export(None, tmp_path / "out", form=form) == 7
    found = {file.relative_to(tmp_path / "out").as_posix() for file in (tmp_path / "out").glob("*/*.png")}
    assert found == {f"cats/{n}.png" for n in range(3)} | {f"dogs/{n}.png" for n in (3, 4, 5)} | {
        "=1+1/=2+2.png"
    }
    assert all(file.is_symlink() == (form == "symlink") for file in (tmp_path / "out").glob("*/*.png"))


def test_a_form_is_told_by_the_ending_and_what_tells_none_is_refused(collection, tmp_path):
    with pytest.raises(InvalidInputError, match=r"out.xlsx says no form of an export; expected one of .csv"):
        collection.export(None, tmp_path / "out.xlsx")
    assert collection.export(None, tmp_path / "out.xlsx", form="csv") == 7
    with pytest.raises(InvalidInputError, match="no export as 'xml'"):
        collection.export(None, tmp_path / "out", form="xml")


def test_what_is_there_is_written_over_only_where_an_export_has_put_it(collection, tmp_path):
    table, folder = tmp_path / "all.csv", tmp_path / "out"
    collection.export(None, table)
    collection.export(None, folder)
    for to in (table, folder):
        with pytest.raises(CollectionError, match=r"is there already|holds an export already") as caught:
            collection.export(None, to)
        assert "force=True" in str(caught.value.hint)
        assert collection.export(Filter(labels=["dogs"]), to, force=True) == 4
    assert len(read_csv(table)) == 4
    assert sorted(place.name for place in folder.iterdir()) == [LISTING, "dogs"]
    (folder / "dogs/mine.txt").write_text("mine")
    with pytest.raises(CollectionError, match=r"out holds dogs/mine.txt, which no export has put there"):
        collection.export(None, folder, force=True)
    assert (folder / "dogs/mine.txt").read_text() == "mine"


def test_force_takes_no_copy_that_was_changed_since(collection, tmp_path):
    folder = tmp_path / "out"
    collection.export(None, folder)
    collection.export(None, folder, force=True)
    edited = next(file for file in sorted(folder.rglob("*.png")))
    edited.write_bytes(edited.read_bytes() + b"edited by hand")
    with pytest.raises(CollectionError, match=re.escape(edited.name)):
        collection.export(None, folder, force=True)
    assert edited.read_bytes().endswith(b"edited by hand")


def test_force_takes_no_folder_that_was_not_exported_and_no_link(collection, photos, tmp_path):
    with pytest.raises(CollectionError, match="not an empty folder"):
        collection.export(None, photos / "cats", force=True)
    (tmp_path / "link").symlink_to(photos)
    with pytest.raises(CollectionError, match="not an empty folder"):
        collection.export(None, tmp_path / "link", force=True)
    target = tmp_path / "mine.csv"
    target.write_text("mine")
    (tmp_path / "link.csv").symlink_to(target)
    with pytest.raises(CollectionError, match="is a link; an export is written to a plain file"):
        collection.export(None, tmp_path / "link.csv", force=True)
    assert target.read_text() == "mine"
    assert len(list((photos / "cats").iterdir())) == 3


def test_a_device_is_refused_in_the_same_words_with_force(collection):
    for force in (False, True):
        with pytest.raises(CollectionError, match="is a pipe or a device; an export is written") as caught:
            collection.export(None, "/dev/null", form="csv", force=force)
        assert "force" not in str(caught.value.hint)  # which would not help


def test_nothing_is_left_of_half_an_export(collection, photos, tmp_path):
    (photos / "cats/0.png").unlink()
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(CollectionError, match="is gone"):
        collection.export(None, tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == before
    collection.export(None, tmp_path / "v.csv")
    with pytest.raises(CollectionError, match=r"v.csv is there already"):
        collection.export(None, tmp_path / "v.npy")
    assert not (tmp_path / "v.npy").exists()


@pytest.mark.parametrize(
    ("to", "options", "said"),
    [
        ("a.csv", {"by": "label"}, "an export as csv has no groups"),
        ("out", {"by": "color"}, "by is 'color'; expected one of label, split, cluster"),
        ("out", {"by": "cluster"}, "only a clustering is exported by cluster"),
        ("a.csv", {"vectors": True}, "an export as csv has no vectors"),
        ("a.npy", {"vectors": False}, "is of vectors"),
        ("a.npy", {"model": "none"}, "no model"),
    ],
)
def test_options_that_a_form_cannot_have_are_refused(collection, tmp_path, to, options, said):
    with pytest.raises(LookalikeError, match=said):
        collection.export(None, tmp_path / to, **options)
    assert not (tmp_path / to).exists()


def test_what_is_no_result_is_refused(collection, tmp_path):
    with pytest.raises(InvalidInputError, match=r"result is 'all'; expected a lookalike.SearchResult"):
        collection.export("all", tmp_path / "a.csv")


def test_a_name_that_is_not_utf8_is_escaped_and_comes_back(photos, tmp_path):
    name = os.fsdecode(b"caf\xe9.png")
    picture(8).save(photos / "cats" / name)
    made = Collection.create(photos, model=MODEL)
    made.sync()
    made.export(None, tmp_path / "all.csv")
    made.export(None, tmp_path / "all.parquet")
    made.export(None, tmp_path / "all.jsonl")
    found = {unescape(row["path"]) for row in read_csv(tmp_path / "all.csv")}
    assert str(photos / "cats" / name) in found
    assert {
        unescape(path) for path in parquet.read_table(tmp_path / "all.parquet")["path"].to_pylist()
    } == found
    lines = (tmp_path / "all.jsonl").read_text("utf-8").splitlines()
    assert {unescape(json.loads(line)["path"]) for line in lines} == found


def test_splits_are_folders_with_their_labels_in_them(digits, tmp_path):
    (tmp_path / "set").mkdir()
    made = Collection.create(tmp_path / "set", model=MODEL, with_root=False)
    made.add_dataset("mnist")
    made.sync()
    made.export(None, tmp_path / "all.csv")
    splits = {row["path"]: row["split"] for row in read_csv(tmp_path / "all.csv")}
    assert sorted(splits.values()) == ["test"] * 5 + ["train"] * 10
    made.export(None, tmp_path / "all.coco.json", by="split")
    document = json.loads((tmp_path / "all.coco.json").read_text("utf-8"))
    assert {each["name"] for each in document["categories"]} == {"train", "test"}
    with pytest.raises(CollectionError, match="is an image of a data set, no file"):
        made.export(None, tmp_path / "out", by="split")


@settings(max_examples=200)
@given(st.lists(st.text(), unique=True, max_size=6))
def test_each_group_has_a_folder_of_its_own_inside(groups):
    name_of = FolderNames()
    names = [name_of(group) for group in groups]
    assert len({name.casefold() for name in names}) == len(groups)
    for name in names:
        assert name not in ("", ".", "..")
        assert os.sep not in name
        assert name == safe_name(name)


def test_an_empty_collection_is_an_empty_table(tmp_path):
    (tmp_path / "none").mkdir()
    made = Collection.create(tmp_path / "none", model=MODEL)
    assert made.export(None, tmp_path / "all.csv") == 0
    assert read_csv(tmp_path / "all.csv") == []
    assert made.export(None, tmp_path / "all.parquet", vectors=False) == 0
    assert parquet.read_table(tmp_path / "all.parquet").num_rows == 0
    assert made.export(None, tmp_path / "out") == 0


def test_own_fields_are_columns_of_their_kinds(collection, photos, tmp_path):
    collection.fields.set(
        {
            str(photos / "cats/0.png"): {"price": 2.5, "label": "=mine", "tags": ["a", "b"], "sold": True},
            str(photos / "dogs/copy.png"): {"price": 3},
        }
    )
    collection.export(None, tmp_path / "all.csv")
    rows = {row["path"]: row for row in read_csv(tmp_path / "all.csv")}
    first = rows[str(photos / "cats/0.png")]
    assert (first["price"], first["label_"], first["tags"], first["sold"]) == (
        "2.5",
        "'=mine",
        "a; b",
        "True",
    )
    assert first["label"] == "cats"
    assert rows[str(photos / "dogs/copy.png")]["price"] == "3.0"
    assert rows[str(photos / "dogs/3.png")]["price"] == ""
    collection.export(None, tmp_path / "all.parquet", vectors=False)
    table = parquet.read_table(tmp_path / "all.parquet")
    assert [str(table.schema.field(name).type) for name in ("price", "sold")] == ["double", "bool"]
    of_path = dict(zip(table["path"].to_pylist(), table["tags"].to_pylist(), strict=True))
    assert of_path[str(photos / "cats/0.png")] == ["a", "b"]


def test_what_was_added_by_call_is_exported_by_its_key(collection, tmp_path):
    stream = io.BytesIO()
    picture(20).save(stream, "PNG")
    collection.add([(stream.getvalue(), "shop/1", {"price": 5}), (stream.getvalue(), "shop/2", {"price": 7})])
    collection.export(None, tmp_path / "all.csv")
    added = {row["key"]: row for row in read_csv(tmp_path / "all.csv") if row["key"]}
    assert {key: row["price"] for key, row in added.items()} == {"shop/1": "5.0", "shop/2": "7.0"}
    collection.export(None, tmp_path / "out")
    assert [file.name for file in (tmp_path / "out/unlabelled").iterdir()] == ["shop_1.png"]
    copied = tmp_path / "out/unlabelled/shop_1.png"
    assert copied.read_bytes() == stream.getvalue()


@pytest.mark.parametrize("sort", ["path", "size", "sharpness", "date", "label"])
def test_a_list_is_exported_in_its_order_in_every_form(collection, tmp_path, sort):
    listed = collection.browse(sort=sort, descending=True)
    assert collection.export(listed, tmp_path / "list.csv") == 7
    collection.export(listed, tmp_path / "list.parquet")
    collection.export(listed, tmp_path / "list.jsonl")
    rows = read_csv(tmp_path / "list.csv")
    assert list(dict.fromkeys(row["id"] for row in rows)) == [hit.hex_id for hit in listed]
    table = parquet.read_table(tmp_path / "list.parquet")
    assert table["id"].to_pylist() == [row["id"] for row in rows]
    assert len((tmp_path / "list.jsonl").read_text("utf-8").splitlines()) == len(rows)
