"""Data sets in a collection: paths such as mnist:test/3, splits, labels."""

import json

import pytest

from lookalike import Collection, Filter
from lookalike.cli import main
from lookalike.errors import CollectionError, DatasetError, InvalidInputError, QueryError
from lookalike.plots import result_strip


@pytest.fixture
def collection(digits, tmp_path) -> Collection:
    made = Collection.create(tmp_path / "c", model="pixels-28-grey", with_root=False)
    assert made.add_dataset("mnist") == ()
    assert made.sync().added == 15
    return made


def test_images_of_a_data_set_have_a_path_a_label_and_their_pixels_as_vector(collection, digits):
    images, vectors = collection.vectors()
    by_path = {image.path: (image.label, vector) for image, vector in zip(images, vectors, strict=True)}
    assert set(by_path) == {f"mnist:train/{n}" for n in range(10)} | {f"mnist:test/{n}" for n in range(5)}
    label, vector = by_path["mnist:test/3"]
    assert label == "3"
    assert (vector == digits[13].ravel()).all()


def test_a_path_in_a_data_set_is_a_query_and_splits_are_kept(collection):
    hits = collection.search("mnist:test/0", k=3).hits
    assert hits[0].path in ("mnist:train/9", "mnist:test/1")
    assert hits[0].score is None
    train = collection.search("mnist:test/0", k=3, split="train").hits
    assert [hit.path for hit in train] == ["mnist:train/9", "mnist:train/8", "mnist:train/7"]
    assert len(collection.search("mnist:test/0", k=50, split="test").hits) == 4
    with pytest.raises(InvalidInputError, match="split is 'validation'"):
        collection.search("mnist:test/0", split="validation")


def test_images_of_a_data_set_are_filtered_and_told_about(collection):
    threes = collection.search("mnist:test/0", k=50, where=Filter(labels=["3"])).hits
    assert sorted(hit.path for hit in threes) == ["mnist:test/3", "mnist:train/3"]
    both = collection.search("mnist:test/0", split="train", where=Filter(labels=["3"], formats=["pixels"]))
    assert [hit.path for hit in both.hits] == ["mnist:train/3"]
    image = collection.image_info("mnist:test/3")
    assert (image.paths, image.labels, image.splits) == (("mnist:test/3",), ("3",), ("test",))
    assert (image.width, image.height, image.format, image.shape) == (28, 28, "PIXELS", "square")
    assert [color.hex for color in image.colors] == ["#000000", "#d5d5d5"]
    with pytest.raises(QueryError, match="there is no image mnist:test/99"):
        collection.image_info("mnist:test/99")


def test_a_second_sync_of_a_data_set_does_nothing(collection):
    report = Collection.open(collection.folder.parent).sync()
    assert (report.unchanged, report.added, report.embedded) == (15, 0, 0)


def test_a_data_set_that_is_gone_or_damaged_changes_nothing(collection, tmp_path):
    labels = tmp_path / "data/mnist/train-labels-idx1-ubyte.gz"
    labels.write_bytes(labels.read_bytes()[:-12])
    with pytest.raises(DatasetError, match="train-labels-idx1-ubyte"):
        collection.sync()
    assert len(collection) == 15


def test_what_is_not_in_the_data_set_is_a_clear_error(collection):
    with pytest.raises(QueryError, match="there is no image mnist:test/99"):
        collection.search("mnist:test/99")
    with pytest.raises(DatasetError, match="no data set is called 'minst'; there are: mnist"):
        collection.add_dataset("minst")
    with pytest.raises(CollectionError, match="is not in this collection"):
        collection.sync(datasets=["cifar-10"])


def test_a_data_set_and_a_folder_lie_side_by_side(collection, photos):
    collection.add_root(photos)
    assert collection.sync().added == 6
    assert collection.sync([photos]).unchanged == 6
    assert collection.sync(datasets=["mnist"]).unchanged == 15
    assert collection.info().datasets == ("mnist",)
    assert collection.roots == (photos,)


def test_the_command_line_indexes_a_data_set_and_searches_it(digits, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*words):
        with pytest.raises(SystemExit) as left:
            main([*words, "--json"])
        assert not left.value.code
        return json.loads(capsys.readouterr().out)

    assert run("index", "--dataset", "mnist", "--model", "pixels-28-grey")["added"] == 15
    assert run("index", "--dataset", "mnist")["unchanged"] == 15
    found = run("search", "mnist:test/0", "-k", "2", "--split", "train")
    assert [hit["path"] for hit in found["hits"]] == ["mnist:train/9", "mnist:train/8"]
    listed = {row["name"]: row["path"] for row in run("datasets")["datasets"]}
    assert listed["mnist"] == "data/mnist"
    assert listed["cifar-10"] is None
    assert run("info", "-c", "mnist")["datasets"] == ["mnist"]
    names = [row["name"] for row in run("models")["models"]]
    assert names[0] == "lite0-deep"


def test_the_picture_of_a_result_names_hits_of_a_data_set_in_full_and_says_where_there_are_none(
    collection, tmp_path, capsys, monkeypatch
):
    drawn = []

    def strip(queries, hits, title):
        drawn.append(hits)
        return result_strip(queries, hits)

    monkeypatch.setattr("lookalike.drawing.result_strip", strip)
    for words in ((), ("--min-size", "99")):
        with pytest.raises(SystemExit) as left:
            main(
                [
                    "search",
                    "mnist:test/0",
                    "-c",
                    str(collection.folder),
                    "--plot",
                    f"{tmp_path}/a.png",
                    *words,
                ]
            )
        assert not left.value.code
    assert drawn[0][0].subtitle == "mnist:train/9"
    assert [(tile.jpeg, tile.words) for tile in drawn[1]] == [(None, "nothing found")]


def test_a_data_set_of_files_is_indexed_as_its_folder(digits, tmp_path, photos, monkeypatch):
    cups = tmp_path / "data/caltech-101/101_ObjectCategories"
    (photos / "cats").rename(photos / "cup")
    photos.rename(tmp_path / "classes")
    cups.parent.mkdir(parents=True)
    (tmp_path / "classes").rename(cups)
    collection = Collection.create(tmp_path / "files", with_root=False)
    assert collection.add_dataset("caltech-101") == (cups,)
    assert collection.sync().added == 6
    assert collection.info().labels == {"cup": 3, "dogs": 3}


@pytest.mark.parametrize("name", ["nonsense", "cifar-10"])
def test_a_data_set_that_cannot_be_had_leaves_no_collection(call, name, tmp_path, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    code, _, err = call("index", "--dataset", name, "--dry-run", cwd=tmp_path)
    assert (code, name in err) == (2, True)
    (tmp_path / "photos").mkdir()
    if name == "nonsense":
        assert call("index", "photos", "--dataset", name, cwd=tmp_path)[0] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_a_damaged_data_set_leaves_no_collection(call, digits, tmp_path):
    (next((tmp_path / "data/mnist").glob("train-labels*"))).write_bytes(b"nothing")
    code, _, err = call("index", "--dataset", "mnist", "--model", "pixels-28-grey", cwd=tmp_path)
    assert (code, "train-labels" in err) == (2, True)
    assert not (tmp_path / "mnist/.lookalike").exists()


def test_indexes_are_compared_with_one_split_asking_and_the_other_searched(collection):
    kinds = ["exact"]
    found = collection.evaluation.indexes(k=3, kinds=kinds, query_split="test", gallery_split="train")
    assert (found.n_queries, found.n_vectors, found.dimension, found.metric) == (5, 10, 784, "euclidean")
    assert collection.evaluation.indexes(kinds=kinds, query_split="test", n_queries=2).n_queries == 2
    within = collection.evaluation.indexes(kinds=kinds, gallery_split="train", n_queries=4)
    assert (within.n_queries, within.n_vectors) == (4, 6)
    with pytest.raises(InvalidInputError, match="no image is left to be searched"):
        collection.evaluation.indexes(query_split="test", gallery_split="test")
