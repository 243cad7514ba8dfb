"""Searches by typed queries and by requests: ids, vectors, weights, regions, documents."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike import (
    ClusterRef,
    Collection,
    Example,
    Filter,
    ImageFile,
    ImageRef,
    InvalidInputError,
    Pixels,
    QueryConflictError,
    QueryError,
    QueryNotFoundError,
    SearchRequest,
    Vector,
    Words,
)
from lookalike.drawing import draw_search
from lookalike.images import content_id
from lookalike.index import Exact

MODEL = "pixels-28-grey"


def halves(upper: int, lower: int) -> Image.Image:
    """Return a picture of 120 × 200 whose halves are of two greys."""
    made = Image.new("L", (120, 200), upper)
    made.paste(lower, (0, 100, 120, 200))
    return made.convert("RGB")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Pictures of one grey, 0, 20, …, 240, and one that is bright above and dark below."""
    place = tmp_path / "greys"
    place.mkdir()
    for level in range(0, 250, 20):
        Image.new("RGB", (60, 60), (level,) * 3).save(place / f"{level}.png")
    halves(238, 3).save(place / "halves.png")
    return place


@pytest.fixture
def collection(folder) -> Collection:
    made = Collection.create(folder, MODEL)
    assert made.sync().embedded == 14
    return made


def ask(collection, *queries, **options):
    """Return the names of the hits."""
    return [Path(hit.path).name for hit in collection.search(*queries, **options).hits]


def image_of(path: Path) -> int:
    return content_id(path.read_bytes())[0]


def test_an_id_finds_what_its_file_finds(collection, folder):
    image = image_of(folder / "100.png")
    for term in (ImageRef(image), ImageRef(f"{image:016x}")):
        result = collection.search(term, k=5)
        assert result.hits == collection.search(folder / "100.png", k=5).hits
        assert (result.queries[0].name, result.queries[0].id) == ("100.png", image)
    assert ask(collection, ImageRef(image), k=1, include_self=True) == ["100.png"]
    assert collection.query_thumbnails(result.queries) == [collection.thumbnails([image])[image]]


def test_an_id_that_is_not_here_is_an_error_that_says_so(collection, folder):
    with pytest.raises(QueryNotFoundError, match=r"there is no image 00000000000000ff in this collection"):
        collection.search(ImageRef(255))
    image = image_of(folder / "100.png")
    (folder / "100.png").unlink()
    collection.sync()
    with pytest.raises(QueryNotFoundError, match="there is no image"):
        collection.search(ImageRef(image))


def test_an_image_that_a_model_has_not_embedded_is_no_query_of_it(collection, folder):
    collection.sync(model="pixels-14-grey")
    Image.new("RGB", (60, 60), (90,) * 3).save(folder / "new.png")
    collection.sync(model=MODEL)
    with pytest.raises(QueryConflictError, match=r"new\.png is not embedded with pixels-14-grey yet"):
        collection.search(ImageRef(image_of(folder / "new.png")), model="pixels-14-grey")
    assert ask(collection, ImageRef(image_of(folder / "new.png")), k=1) in (["80.png"], ["100.png"])


def test_a_vector_finds_what_the_image_finds_that_it_is_of(collection, folder):
    images, vectors = collection.vectors()
    row = [Path(image.path).name for image in images].index("100.png")
    by_vector = collection.search(Vector(vectors[row]), k=6).hits
    by_file = collection.search(folder / "100.png", k=6, include_self=True).hits
    assert by_vector == by_file
    with pytest.raises(QueryError, match="the vector has 2 dimensions; the model pixels-28-grey has 784"):
        collection.search(Vector([1, 2]))


def test_a_vector_is_answered_with_proof_and_drawn_without_a_picture(collection, folder, monkeypatch):
    recalls = []
    real = Exact.search
    monkeypatch.setattr(
        Exact, "search", lambda *given, **how: recalls.append(how["recall"]) or real(*given, **how)
    )
    result = collection.search(Vector(np.full(784, 100.0)), k=3, recall=0.5)
    collection.search(folder / "100.png", k=3, recall=0.5)
    assert recalls == [1.0, 0.5]
    assert Path(result.hits[0].path).name == "100.png"
    assert collection.query_thumbnails(result.queries) == [None]
    draw_search(collection, result)


def test_the_bytes_of_a_file_find_what_the_file_finds(collection, folder, tmp_path):
    elsewhere = tmp_path / "elsewhere.jpg"
    halves(200, 40).resize((1200, 2000)).save(elsewhere)
    for file in (folder / "100.png", elsewhere):
        by_file = collection.search(file, k=5)
        data = file.read_bytes()
        written = io.BytesIO()
        written.write(data)  # and ends there
        with open(file, "rb") as opened:
            opened.read(10)
            for query in (data, bytearray(data), memoryview(data), written, opened):
                found = collection.search(query, k=5)
                assert found.hits == by_file.hits
                assert found.queries[0].id == by_file.queries[0].id
                again = collection.search(SearchRequest.from_dict(found.request.to_dict()))
                assert again.hits == by_file.hits
    assert ask(collection, (folder / "100.png").read_bytes(), k=1) != ["100.png"]  # it is the query itself


def test_a_picture_has_one_vector_whether_it_is_an_array_or_a_file(collection, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (300, 500, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "PNG")
    found = [collection.search(query, k=1).queries[0].vector for query in (noise, stream, Image.open(stream))]
    assert (found[0] == found[1]).all()
    assert (found[0] == found[2]).all()


def test_hits_ids_vectors_and_lists_of_them_are_queries(collection, folder):
    found = collection.search(folder / "100.png", k=3)
    hit = found[0]
    by_id = collection.search(ImageRef(hit.id), k=4).hits
    for query in (hit, hit.id, [hit], found.ids[:1], found.hits[:1], [ImageRef(hit.id)]):
        assert collection.search(query, k=4).hits == by_id
    images, vectors = collection.vectors()
    row = [image.id for image in images].index(hit.id)
    for query in (vectors[row], vectors[row].tolist(), list(vectors[row : row + 1])):
        assert collection.search(query, k=1)[0].id == hit.id
    mixed = [folder / "40.png", hit, vectors[row], (folder / "0.png").read_bytes()]
    assert ask(collection, mixed) == ask(collection, *mixed)
    assert collection.search(found, k=2).hits == collection.search(*found, k=2).hits
    against = {"without": mixed, "k": 3}
    assert ask(collection, folder / "240.png", **against) == ask(collection, [folder / "240.png"], **against)


NO_QUERIES = (
    *(None, [], [None], 3.5, {}, b"", b"no picture", io.BytesIO(), io.StringIO("text"), [[b"a"]], 255),
    *(np.zeros((3, 3), "i8"), np.full((3, 3), 7.5), np.zeros((0, 3, 3)), np.zeros(5), [0.5], object()),
    *(np.eye(784), np.full((4, 784), np.nan), [255, "nothing.png"], Image.new("RGB", (0, 5)), range(3)),
)


def test_every_refusal_of_a_query_is_an_error_of_ours(collection):
    for query in NO_QUERIES:
        with pytest.raises(QueryError):
            collection.search(query)
        if query is not None and not (isinstance(query, list) and query == []):
            with pytest.raises(QueryError):
                collection.search(Vector(np.ones(784)), without=query)


def test_a_list_of_nothing_is_nothing_to_search_for(collection):
    with pytest.raises(QueryError, match="there is nothing to search for"):
        collection.search([])


def test_several_queries_count_by_their_weights(collection, folder):
    def found(dark, bright):
        terms = [
            ImageFile(folder / "40.png", weight=dark),
            ImageRef(image_of(folder / "200.png"), weight=bright),
        ]
        return ask(collection, *terms, k=1)

    assert found(1, 1) == found(7, 7) == ask(collection, folder / "40.png", folder / "200.png", k=1)
    assert found(1, 1) == ["120.png"]
    assert found(3, 1) == ["80.png"]
    assert found(1, 3) == ["160.png"]


def test_what_is_not_wanted_pushes_by_its_weight(collection, folder):
    def found(weight):
        return ask(collection, folder / "120.png", without=ImageFile(folder / "160.png", weight=weight), k=1)

    assert found(1) == ask(collection, folder / "120.png", without=folder / "160.png", k=1) == ["100.png"]
    assert found(3) == ["60.png"]


def test_a_region_is_what_is_compared(collection, folder, tmp_path):
    halves(158, 43).save(tmp_path / "elsewhere.png")
    upper, lower = (0, 0, 1, 0.5), (0, 0.5, 1, 0.5)
    for path, bright, dark in (
        (folder / "halves.png", "240.png", "0.png"),
        (tmp_path / "elsewhere.png", "160.png", "40.png"),
    ):
        assert ask(collection, ImageFile(path, region=upper), k=1) == [bright]
        assert ask(collection, ImageFile(path, region=lower), k=1) == [dark]
        with Image.open(path) as opened:
            pixels = np.asarray(opened)
        assert ask(collection, Pixels(pixels, region=upper), k=1) == [bright]
    result = collection.search(
        ImageFile(tmp_path / "elsewhere.png", region=upper), ImageFile(folder / "0.png")
    )
    assert [query.cut_from for query in result.queries] == ["picture", None]
    assert result.queries[0].thumbnail.size == (120, 100)


def test_a_region_of_a_stored_image_is_cut_from_its_file_else_from_its_thumbnail(collection, folder):
    term = ImageRef(image_of(folder / "halves.png"), region=(0, 0.5, 1, 0.5))

    def found():
        result = collection.search(term, k=1)
        return Path(result.hits[0].path).name, result.queries[0].cut_from

    assert found() == ("0.png", "picture")
    (folder / "halves.png").rename(folder.parent / "away.png")
    assert found() == ("0.png", "thumbnail")
    halves(0, 255).save(folder / "halves.png")  # another picture under the old name
    assert found() == ("0.png", "thumbnail")


def test_an_example_is_a_query_and_its_region_is_of_the_thumbnail(digits, tmp_path):
    made = Collection.create(tmp_path / "c", model=MODEL, with_root=False)
    made.add_dataset("mnist")
    made.sync()
    assert made.search(Example("mnist:test/0"), k=3).hits == made.search("mnist:test/0", k=3).hits
    result = made.search(Example("mnist:test/0", region=(0, 0, 1, 1)), k=1)
    assert result.queries[0].cut_from == "thumbnail"
    assert result.queries[0].name == "mnist:test/0"
    assert result.hits[0].path in ("mnist:train/9", "mnist:test/1")
    for name, message in (
        ("mnist:test/99", "there is no image mnist:test/99 in this collection"),
        ("fashion-mnist:test/1", "fashion-mnist:test/1: the data set is not in this collection"),
    ):
        for query in (name, Example(name)):
            with pytest.raises(QueryNotFoundError, match=message):
                made.search(query)


def test_a_request_finds_what_the_call_finds(collection, folder):
    request = SearchRequest(
        like=[ImageFile(folder / "100.png")], unlike=[ImageFile(folder / "240.png")], k=4, include_self=True
    )
    expected = collection.search(folder / "100.png", without=folder / "240.png", k=4, include_self=True)
    assert collection.search(request).hits == expected.hits
    document = json.loads(json.dumps(request.to_dict()))
    assert collection.search(SearchRequest.from_dict(document)).hits == expected.hits
    in_color = SearchRequest(colors=["#c8c8c8"], where=Filter(min_size=50), k=2)
    assert (
        collection.search(in_color).hits
        == collection.search(color="#c8c8c8", where=Filter(min_size=50), k=2).hits
    )


def test_a_document_from_elsewhere_is_a_search(collection, folder):
    image = image_of(folder / "100.png")
    document = {"like": [{"id": f"{image:016x}"}], "k": 2, "where": {"formats": ["png"]}}
    request = SearchRequest.from_dict(document, is_local=False)
    assert sorted(hit.path for hit in collection.search(request).hits) == [
        str(folder / "120.png"),
        str(folder / "80.png"),
    ]


def test_beside_a_request_there_are_no_queries_and_options(collection, folder):
    request = SearchRequest(like=[ImageFile(folder / "100.png")])
    for queries, options in (
        ((request, folder / "0.png"), {}),
        ((request, request), {}),
        ((request,), {"k": 3}),
        ((request,), {"without": "red"}),
        ((request,), {"split": "test"}),
        ((request,), {"where": Filter(min_size=3)}),
    ):
        with pytest.raises(InvalidInputError, match="a SearchRequest says all that is searched for"):
            collection.search(*queries, **options)
    assert collection.search(request, device="cpu", allow_private=True, report=print).hits


def test_a_request_that_asks_for_nothing_is_an_error_of_the_collection(collection):
    with pytest.raises(QueryError, match="nothing to search for"):
        collection.search(SearchRequest())
    with pytest.raises(QueryError, match=r"^words cannot be searched for: the model pixels-28-grey"):
        collection.search(Words("a red car"))


def test_a_cluster_may_be_named_by_its_number(collection, folder):
    made = collection.clusterings.make(k=2, name="shades")
    by_number = {cluster.number: cluster.size for cluster in made.clusters}
    request = SearchRequest(like=[ImageFile(folder / "0.png")], k=50, include_self=True)
    for number, size in by_number.items():
        result = collection.search(replace(request, same_cluster=ClusterRef("shades", number)))
        assert (len(result.hits), result.cluster.number) == (size, number)
    own = collection.search(replace(request, same_cluster=ClusterRef("shades")))
    assert (
        own.hits == collection.search(folder / "0.png", k=50, include_self=True, same_cluster="shades").hits
    )
    with pytest.raises(QueryNotFoundError, match="the clustering 'shades' has no cluster 99"):
        collection.search(replace(request, same_cluster=ClusterRef("shades", 99)))
