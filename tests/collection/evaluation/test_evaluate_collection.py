"""A collection measured: retrieval and clusterings, against folders, tables, named clusters; the command."""

import csv
import functools
import json
import shutil

import pytest
from indexed_copy import folder, photos
from PIL import Image

from lookalike import Collection
from lookalike.collection.evaluation.ground_truth import read_ground_truth
from lookalike.errors import CollectionError, InvalidInputError, ModelError, StoreError
from lookalike.evaluate import MEASURES, compare_with_labels, rank_others, silhouette
from lookalike.evaluate.measures import columns
from pictures import folders_of_shades, picture, shade

__all__ = ["folder", "photos"]  # fixtures

MODEL = "pixels-8-grey"


@pytest.fixture(scope="module")
def indexed(tmp_path_factory):
    """Give an indexed folder to copy: 5 dark pictures, 6 light ones, one of them dark, 1 alone, 2 of none."""
    place = tmp_path_factory.mktemp("indexed") / "photos"
    folders_of_shades(place, {"dark": (20, 5), "light": (230, 5), "alone": (120, 1)})
    shade(20, 99).save(place / "light/wrong.png")
    shade(20, 50).save(place / "no-label.png")
    shade(230, 50).save(place / "no-label-either.png")
    Collection.create(place, model=MODEL).sync()
    return place


@pytest.fixture
def evaluate(call):
    """Run `lookalike evaluate` among the photos; give (exit code, output, complaints)."""
    return functools.partial(call, "evaluate")


def write_table(file, rows, head=("path", "label")):
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([head, *rows])
    return file


def test_measures_are_those_of_the_vectors_and_what_is_left_out_is_counted(photos):
    found = photos.evaluation.retrieval([1, 3])
    images, vectors = photos.vectors()
    rows = [row for row, image in enumerate(images) if image.label is not None]
    labels = [images[row].label for row in rows]
    expected = rank_others(vectors[rows], labels, [1, 3], "euclidean").means()
    assert {name: each.mean for name, each in found.scores.items()} == pytest.approx(expected, abs=1e-12)
    assert (found.n_images, found.n_queries, found.n_drawn_from) == (12, 11, 11)
    assert (found.n_unlabelled, found.n_without_relevant, found.n_not_in_all) == (2, 1, 0)
    assert (found.model, found.index, found.metric, found.ks) == (MODEL, "exact", "euclidean", (1, 3))
    assert found.labels_from == "folders"
    assert all(each.low <= each.mean <= each.high for each in found.scores.values())
    assert len(found.ids) == len(found.values["mAP"]) == 11


def test_classes_confusions_and_worst_queries_point_to_the_wrong_picture(photos, folder):
    found = photos.evaluation.retrieval(3, n_worst=2)
    assert [(each.label, each.n_images, each.n_queries) for each in found.classes] == [
        ("dark", 5, 5),
        ("light", 6, 6),
    ]
    # Each light picture finds three light ones, the wrong one three dark ones.
    light = found.classes[1].means
    assert light["P@3"] == pytest.approx(5 / 6)
    worst = found.confusions.pairs(5)[0]
    assert (worst.label, worst.found) in {("light", "dark"), ("dark", "light")}
    pairs = {(pair.label, pair.found): pair.share for pair in found.confusions.pairs(5)}
    assert pairs["light", "dark"] == pytest.approx(1 / 6)
    first = found.worst[0]
    assert first.image.path == str(folder / "light/wrong.png")
    assert (first.image.label, {hit.label for hit in first.hits}) == ("light", {"dark"})
    hits = [hit for hit in photos.search(folder / "light/wrong.png", k=4).hits if hit.label]
    assert [hit.id for hit in first.hits] == [hit.id for hit in hits[:3]]
    assert [hit.distance for hit in first.hits] == pytest.approx([hit.distance for hit in hits[:3]], rel=1e-5)
    assert first.values["P@3"] == 0
    assert first.values["mAP"] <= found.worst[1].values["mAP"]


def test_table_of_confusions_holds_the_most_confused_classes(photos):
    confusions = photos.evaluation.retrieval(3).confusions
    labels, shares = confusions.table(24)
    assert labels == ["alone", "dark", "light"]
    assert shares[1:].sum(axis=1) == pytest.approx([1, 1])
    assert shares[0].sum() == 0  # alone: no query
    labels, shares = confusions.table(2)
    assert labels == ["dark", "light"]
    assert shares[1, 0] == pytest.approx(1 / 6)
    assert confusions.table(1)[1].shape == (1, 1)


def test_by_default_rankings_are_cut_at_ten_or_at_what_there_is(photos, tmp_path):
    assert photos.evaluation.retrieval().ks == (1, 10)
    few = tmp_path / "few"
    for number, label in enumerate(["a", "a", "b"]):
        (few / label).mkdir(parents=True, exist_ok=True)
        picture(number).save(few / label / f"{number}.png")
    small = Collection.create(few, model=MODEL)
    small.sync()
    assert small.evaluation.retrieval().ks == (1, 2)


def test_queries_are_drawn_the_same_each_time(photos):
    some = photos.evaluation.retrieval(1, n_queries=4)
    assert (some.n_queries, some.n_drawn_from) == (4, 11)
    assert (some.ids == photos.evaluation.retrieval(1, n_queries=4).ids).all()
    others = [photos.evaluation.retrieval(1, n_queries=4, random_state=seed).ids for seed in range(1, 6)]
    assert any((some.ids != other).any() for other in others)
    assert photos.evaluation.retrieval(1, n_queries=100).n_queries == 11


def test_models_are_compared_on_the_same_queries_query_by_query(photos, folder):
    reduced = photos.models.reduce(1)
    found = photos.evaluation.retrieval([1, 5], compare=reduced)
    (other,) = found.comparisons
    assert (other.model, other.index) == (reduced, "exact")
    alone = photos.evaluation.retrieval([1, 5], model=reduced)
    for name, each in other.measures.items():
        assert each.first == found.scores[name]
        assert each.second.mean == pytest.approx(alone.scores[name].mean)
        assert each.difference.mean == pytest.approx(each.second.mean - each.first.mean)
        assert 0 < each.p <= 1


def test_an_index_is_asked_with_its_own_models_vectors_whatever_was_compared_before(photos):
    reduced = photos.models.reduce(1)
    _, tree = photos.evaluation.retrieval([1, 5], compare=[reduced, "kdtree"], recall=1.0).comparisons
    assert (tree.model, tree.index) == (MODEL, "kdtree")
    assert {each.difference.mean for each in tree.measures.values()} == {0}


def test_images_that_not_all_models_have_are_left_out_and_counted(photos, folder):
    photos.sync(model="pixels-16-grey")
    shade(20, 77).save(folder / "dark/later.png")
    photos.sync(model=MODEL)
    found = photos.evaluation.retrieval(1, compare="pixels-16-grey")
    assert (found.n_images, found.n_not_in_all) == (12, 1)
    assert photos.evaluation.retrieval(1).n_images == 13


@pytest.mark.parametrize(
    "asked",
    [
        {"compare": "exact"},
        {"compare": MODEL},
        {"compare": "auto"},  # which is exact for so few
        {"compare": ["kdtree", "exact"]},
        {"compare": MODEL, "model": MODEL},
        {"compare": "exact", "index": "auto"},
        {"compare": MODEL, "index": "kdtree"},
        {"compare": "kdtree", "index": "kdtree"},
    ],
)
def test_nothing_is_compared_with_itself(photos, asked):
    index = "kdtree" if asked.get("index") == "kdtree" else "exact"
    with pytest.raises(InvalidInputError, match=f"itself, {MODEL} by the index {index}; expected another"):
        photos.evaluation.retrieval(1, **asked)


@pytest.mark.parametrize("kind", ["kmeans-tree", "kdtree"])
def test_index_finds_what_exact_search_does_and_knows_so_many_hits(photos, kind):
    found = photos.evaluation.retrieval([1, 5], index=kind, compare="exact", recall=1.0)
    (exact,) = found.comparisons
    assert (found.index, exact.index) == (kind, "exact")
    assert "mAP@5" in found.scores
    assert "mAP" not in found.scores
    whole = photos.evaluation.retrieval([1, 5])
    for name in ("P@1", "P@5", "R@5", "nDCG@5"):
        assert exact.measures[name].difference.mean == 0
        assert found.scores[name].mean == pytest.approx(whole.scores[name].mean)
    # The pictures without a label are in the index, and are passed over.
    assert [hit.id for hit in found.worst[0].hits] == [hit.id for hit in whole.worst[0].hits]


def test_splits_of_a_data_set_are_query_and_gallery(digits, tmp_path):
    made = Collection.create(tmp_path / "c", model="pixels-28-grey", with_root=False)
    made.add_dataset("mnist")
    made.sync()
    found = made.evaluation.retrieval([1, 10], query_split="test", gallery_split="train")
    assert (found.n_images, found.n_queries, found.labels_from) == (10, 5, "data sets")
    # Bar 10 overlaps with 7 others, 3 to 9; then come those that it does not touch, the darkest, 0, first.
    # Bar 11 overlaps with 6 others, 4 to 9; then comes 0, then 1: the only one of its label is 8th each time.
    assert found.values["mAP"].tolist() == [1 / 8] * 5
    assert all(path.image.path.startswith("mnist:test/") for path in found.worst)
    assert (
        made.evaluation.retrieval(1, query_split="test").values["mAP"].tolist()
        == found.values["mAP"].tolist()
    )
    assert made.evaluation.retrieval(1).n_queries == 10  # 0 to 4 of both splits
    for splits in ({"gallery_split": "train"}, {"query_split": "test", "gallery_split": "test"}):
        with pytest.raises(InvalidInputError, match="no image has another of its label"):
            made.evaluation.retrieval(1, **splits)
    with pytest.raises(InvalidInputError, match="expected train or test"):
        made.evaluation.retrieval(1, query_split="holdout")


def test_labels_of_a_table_count_in_place_of_folders(photos, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder / "dark")
    rows = [[f"{number}.png", "night"] for number in range(3)]  # from the working directory
    rows += [[f"light/{number}.png", "day"] for number in range(2)]  # from the collection's root
    rows += [[str(folder / "no-label.png"), "night"], ["light/4.png", ""]]
    rows += [["nowhere.png", "day"], ["dark/77.png", "day"]]
    table = write_table(tmp_path / "labels.csv", rows)
    found = photos.evaluation.retrieval(1, labels=table)
    assert (found.n_images, found.n_queries, found.n_unlabelled) == (6, 6, 8)
    assert found.unknown == ("nowhere.png", "dark/77.png")
    assert found.labels_from == str(table)
    assert [each.label for each in found.classes] == ["day", "night"]
    assert found.worst[0].image.label in {"day", "night"}
    # From the folder of the table itself; a byte order mark, as spreadsheets write it; other columns.
    beside = folder / "light/labels.csv"
    beside.write_text("\ufeffPath , note,Label\n0.png,x,one\n1.png,x,one\n2.png,x,two\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert photos.evaluation.retrieval(1, labels=beside).n_queries == 2


def test_table_that_a_clustering_was_exported_to_can_be_read(photos, tmp_path):
    photos.clusterings.make(k=3)
    photos.clusterings.export("kmeans", tmp_path / "clusters.csv", "csv")
    assert photos.evaluation.retrieval(1, labels=tmp_path / "clusters.csv").n_images == 12


def test_copies_are_one_image_and_a_table_gives_them_one_label(photos, folder, tmp_path):
    shutil.copy(folder / "dark/0.png", folder / "light/copy.png")
    photos.sync()
    assert photos.evaluation.retrieval(1).n_images == 12
    rows = [["dark/0.png", "a"], ["light/copy.png", "b"]]
    with pytest.raises(InvalidInputError, match=r"line 3: light/copy.png .* 'b', but in line 2 .* 'a'"):
        photos.evaluation.retrieval(1, labels=write_table(tmp_path / "labels.csv", rows))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "the columns of .* are none; expected path and label"),
        ("path;label\na;b\n", "are path;label; expected path and label"),
        ("path,label\nnowhere.png,cup\n", "no image of this collection a label: nowhere.png, say"),
        ("path,label\n", "gives no image of this collection a label; expected paths"),
        ("path,label\ndark/0.png,\n", "gives no image of this collection a label"),
        ("path,label\ndark/0.png\n", "gives no image of this collection a label"),
        ("path,label\n" + "x" * 200_000, "no table of comma-separated values"),
    ],
)
def test_table_that_cannot_be_used_is_an_error(photos, tmp_path, content, words):
    table = tmp_path / "labels.csv"
    table.write_text(content)
    with pytest.raises(InvalidInputError, match=words):
        photos.evaluation.retrieval(1, labels=table)


def test_names_of_clusters_are_labels(photos):
    clustered = photos.clusterings.make(k=3)
    with pytest.raises(CollectionError, match="no cluster of 'kmeans' has a name to take as label"):
        photos.evaluation.retrieval(1, labels="kmeans")
    for cluster in clustered.clusters[:2]:
        name = (
            "light"
            if any("light" in hit.path and "wrong" not in hit.path for hit in cluster.central)
            else "dark"
        )
        photos.clusterings.rename("kmeans", cluster.number, name)
    found = photos.evaluation.retrieval(1, labels="kmeans")
    assert found.labels_from == "named clusters of kmeans"
    assert (found.n_images, found.n_unlabelled) == (13, 1)
    assert found.scores["mAP"].mean == 1  # the wrong picture is in the right cluster
    assert photos.evaluation.retrieval(1).n_images == 12  # unasked, folders are the truth


def test_clusterings_are_measured_against_labels_and_by_themselves(photos):
    photos.clusterings.make(k=3)
    photos.clusterings.make("agglomerative", k=2, name="halves")
    first, second = photos.evaluation.clusterings().clusterings
    assert (first.name, second.name) == ("halves", "kmeans")
    images, vectors = photos.vectors()
    kept = photos.clusterings.get("kmeans")
    numbers = dict(zip(kept.ids.tolist(), kept.numbers.tolist(), strict=True))
    labelled = [image for image in images if image.label]
    expected = compare_with_labels(
        [numbers[image.id] for image in labelled], [image.label for image in labelled]
    )
    assert second.scores == expected
    assert second.silhouette == pytest.approx(
        silhouette(vectors, [numbers[image.id] for image in images], "euclidean"), abs=1e-9
    )
    assert (second.n_images, second.n_clusters, second.noise) == (14, 3, 0)
    assert photos.evaluation.clusterings(["halves"]).clusterings == (first,)
    with pytest.raises(CollectionError, match="there is no clustering 'nothing'"):
        photos.evaluation.clusterings(["nothing"])


def test_clustering_without_labels_still_has_a_silhouette(tmp_path):
    for number in range(4):
        shade(20 + 200 * (number % 2), number).save(tmp_path / f"{number}.png")
    made = Collection.create(tmp_path, model=MODEL)
    made.sync()
    made.clusterings.make(k=2)
    made.clusterings.make(k=4, name="each")
    each, pairs = made.evaluation.clusterings().clusterings
    assert pairs.scores is None
    assert pairs.silhouette > 0.8
    assert (each.scores, each.silhouette) == (None, None)  # as many clusters as images
    with pytest.raises(CollectionError, match=r"has a label\ngive a table"):
        made.evaluation.retrieval()


def test_command_prints_measures_classes_and_what_fails(evaluate):
    code, out, err = evaluate("-k", "1,3", "--worst", 1)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith(f"{MODEL}, index exact: 12 images, 3 labels from folders; 11 queries, each")
    assert "left out: 2 images without label" in lines
    assert "left out: 1 image as queries, since no other image searched has their label" in lines
    (line,) = (line for line in lines if line.startswith("P@1 "))
    assert line.split()[1] == "0.8182"  # 9 of 11: the wrong one, and one of the dark that finds it first
    assert any(line.split()[:4] == ["light", "16.7%", "are", "dark"] for line in lines)
    # Five dark ones, the one that is alone, then the light ones: (1/7 + 2/8 + 3/9 + 4/10 + 5/11) / 5.
    assert lines[-1].split()[:4] == ["AP", "0.316", "light:", "found"]
    assert lines[-1].endswith("dark ×3  light/wrong.png")


def test_command_lists_five_queries_unless_told_otherwise(evaluate):
    def listed(*words):
        lines = evaluate("-k", "1", *words)[1].splitlines()
        return len([line for line in lines if line.startswith("  AP ")])

    assert [listed(), listed("--worst", 0), listed("--worst", 7)] == [5, 0, 7]


def test_command_gives_one_document(evaluate, photos):
    photos.clusterings.make(k=2)
    reduced = photos.models.reduce(2)
    code, out, err = evaluate(
        "--json", "-k", "2", "--compare", reduced, "--compare", "kdtree", "--queries", "all"
    )
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert (document["model"], document["index"], document["k"]) == (MODEL, "exact", [2])
    assert list(document["scores"]) == [name for name, _, _ in columns([2], is_whole=False)]
    assert set(document["scores"]["mAP@2"]) == {"mean", "low", "high"}
    others = [(other["model"], other["index"]) for other in document["comparisons"]]
    assert others == [(reduced, "exact"), (MODEL, "kdtree")]
    assert set(document["comparisons"][0]["scores"]["P@2"]) == {"mean", "low", "high", "difference", "p"}
    assert [each["label"] for each in document["classes"]] == ["dark", "light"]
    assert document["confused"][0].keys() == {"label", "found", "share"}
    assert document["worst"][0]["path"] == "light/wrong.png"
    assert len(document["worst"][0]["hits"]) == 2
    assert document["left_out"] == {
        "without_label": 2,
        "without_relevant_image": 1,
        "not_in_all_models": 0,
    }
    assert [each["name"] for each in document["clusterings"]] == ["kmeans"]


def test_command_measures_one_clustering_alone(evaluate, photos):
    photos.clusterings.make(k=3)
    photos.clusterings.make("agglomerative", k=2, name="halves")
    code, out, _ = evaluate("--clustering", "halves")
    assert code == 0
    head, row = out.splitlines()
    assert head.split() == ["clustering", "model", "clusters", "noise", "NMI", "ARI", "purity", "silhouette"]
    assert row.split()[:4] == ["halves", MODEL, "2", "0.0%"]
    document = json.loads(evaluate("--clustering", "halves", "--clustering", "kmeans", "--json")[1])
    assert list(document) == ["clusterings"]
    assert [each["name"] for each in document["clusterings"]] == ["halves", "kmeans"]
    assert "kmeans" in evaluate("-k", 1)[1]  # unasked, all that are kept


def test_damaged_clustering_is_named_and_the_others_are_measured(evaluate, photos, folder):
    photos.clusterings.make(k=3)
    photos.clusterings.make("agglomerative", k=2, name="halves")
    (folder / ".lookalike/clusterings/halves/clustering.json").write_text("{")
    code, out, err = evaluate("-k", 1)
    assert (code, out.splitlines()[-1].split()[0], err.count("\n")) == (0, "kmeans", 1)
    assert "halves" in err
    kmeans, halves = json.loads(evaluate("-k", 1, "--json")[1])["clusterings"]
    assert kmeans["clusters"] == 3
    assert halves.keys() == {"name", "damaged"}
    assert evaluate("--clustering", "halves")[0] == 2


def test_clusterings_are_measured_with_labels_read_once_and_damaged_ones_told(photos, folder, monkeypatch):
    photos.clusterings.make(k=3)
    for name in ("halves", "others"):
        photos.clusterings.make("agglomerative", k=2, name=name)
    (folder / ".lookalike/clusterings/halves/clustering.json").write_text("{")
    read = []

    def spy(*given):
        read.append(given)
        return read_ground_truth(*given)

    monkeypatch.setattr("lookalike.collection.evaluation.clusterings.read_ground_truth", spy)
    found = photos.evaluation.clusterings()
    assert len(read) == 1
    assert [each.name for each in found.clusterings] == ["kmeans", "others"]
    assert list(found.damaged) == ["halves"]
    assert "check(repair=True)" in str(found.damaged["halves"].hint)
    with pytest.raises(StoreError, match="halves"):
        photos.evaluation.clusterings(["kmeans", "halves"])


def test_command_quiet_prints_the_measures_alone(evaluate):
    lines = evaluate("-q", "-k", "1", "--compare", "kmeans-tree")[1].splitlines()
    assert lines[0].split() == ["mean", "95", "%", "interval"]
    n = len(MEASURES)
    assert lines[n + 2].split()[:3] == ["exact", "kmeans-tree", "difference"]
    assert len(lines) == 2 * (n + 1) + 1


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_command_draws_the_worst_queries_and_the_confusion(evaluate, tmp_path, ending):
    worst, confusion = tmp_path / f"worst.{ending}", tmp_path / f"confusion.{ending}"
    code, out, err = evaluate("--plot", worst, "--confusion", confusion, "--worst", 3, "--dark", "--json")
    assert code == 0
    assert json.loads(out)
    assert err.splitlines() == [f"saved {worst}", f"saved {confusion}"]
    for file in (worst, confusion):
        if ending == "png":
            with Image.open(file) as opened:
                assert min(opened.size) > 300
        else:
            assert "wrong.png" in worst.read_text()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-k", "12"], "k is 12; expected 1 to 11, the number of other images with a label"),
        (["-k", "0"], "k is 0; expected 1 to 11"),
        (["-k", "one"], "-k is 'one'; expected whole numbers, such as 1,10"),
        (["--model", "nothing"], "nothing"),
        (["--model", "lite0"], "is embedded with lite0"),
        (["--compare", "lite0"], "is embedded with lite0"),
        (["--compare", "exact"], f"compare names what is measured itself, {MODEL} by the index exact"),
        (["--compare", "kmaens-tree"], "kmaens-tree"),
        (["--index", "nothing"], "there is no index 'nothing'"),
        (["--recall", "0"], "recall is 0.0; expected above 0"),
        (["--clustering", "nothing"], "there is no clustering 'nothing'"),
        (["--clustering", "kmeans", "--compare", "exact"], "--compare is about retrieval"),
        (["--labels", "nothing.csv"], "labels is 'nothing.csv', but there is neither such a file"),
        (["--labels", "."], "there is neither such a file nor a clustering"),
        (["--queries", "some"], "--queries is 'some'; expected a number, 1 or more, or all"),
        (["--queries", "0"], "--queries is '0'"),
        (["--query-split", "test"], "is of the split 'test'"),
        (["--plot", "worst.txt"], "a figure is saved as one of"),
        (["--confusion", "no/such/folder.png"], "there is no folder"),
        (["--plot", "worst.png", "--worst", "0"], "nothing to draw"),
    ],
)
def test_bad_request_is_one_line(evaluate, words, complaint):
    code, out, err = evaluate(*words)
    assert (code, out) == (2, "")
    assert complaint in err
    assert err.count("\n") == 1


def test_collections_too_small_or_too_alike_to_measure_say_so_in_one_line(tmp_path, evaluate):
    """Of 1, 2 and 5 images, all identical, without labels, all alone: an answer, or one line."""
    cases = {
        "one": ({"a": [0]}, "there is only 1 image with a label"),
        "two": ({"a": [0], "b": [1]}, "no image has another of its label: 2 images, 2 labels"),
        "two-alike": ({"a": [0, 1]}, "all 2 images with a label are 'a'"),
        "five": ({"a": [0, 1, 2], "b": [3, 4]}, None),
        "copies": ({"a": [0, 0], "b": [0]}, "there is only 1 image with a label, copies being one"),
        "plain": ({"": [0, 1, 2]}, "has a label; give"),
        "alone": ({"a": [0], "b": [1], "c": [2]}, "no image has another of its label: 3 images, 3 labels"),
        "none": ({}, "holds no images; run `lookalike index` first"),
    }
    for name, (folders, complaint) in cases.items():
        for label, seeds in {"": [], **folders}.items():
            (tmp_path / name / label).mkdir(parents=True, exist_ok=True)
            for number, seed in enumerate(seeds):
                picture(seed).save(tmp_path / name / label / f"{number}.png")
        Collection.create(tmp_path / name, model=MODEL).sync()
        code, out, err = evaluate("-c", tmp_path / name)
        if complaint is None:
            assert (code, err) == (0, ""), name
            assert "P@4" in out
        else:
            assert (code, out) == (2, ""), name
            assert complaint in err
            assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"n_queries": 0}, InvalidInputError, "n_queries is 0"),
        ({"n_worst": -1}, InvalidInputError, "n_worst is -1"),
        ({"k": []}, InvalidInputError, "expected 1 to 11"),
        ({"k": True}, InvalidInputError, "k is True; expected a whole number"),
        ({"k": 1.5}, InvalidInputError, r"k is 1.5"),
        ({"compare": "nothing"}, ModelError, "nothing"),
    ],
)
def test_what_the_library_cannot_measure_is_an_error(photos, options, error, words):
    with pytest.raises(error, match=words):
        photos.evaluation.retrieval(**options)
