"""In what order images are listed: against Python's own sort, of a collection at random."""

import math

import numpy as np
import pytest
from plain_filter import passes
from random_collection import CLUSTER_NAMES, random_collection

from lookalike import ClusterRef, Collection, CollectionError, Filter, SearchRequest, Words
from lookalike.collection import facets, orders
from lookalike.collection.browsing import browse
from lookalike.collection.resources import Resources
from lookalike.errors import InvalidInputError, QueryError, StoreError
from lookalike.query.sorts import SORTS, check_sort
from lookalike.store import PinnedStore, Store
from pictures import picture


@pytest.fixture(params=range(2))
def made(request, tmp_path, monkeypatch):
    folder = tmp_path / ".lookalike"
    folder.mkdir()
    places, images = random_collection(folder, request.param, monkeypatch)
    return Resources(places, None, None, None, None, None, None), images, str(folder / "photos")


def listed(resources, **options):
    return browse(resources, SearchRequest(k=None, **options)).ids.tolist()


def first(image):
    return min(image.files, key=lambda file: file.path)


def label_of(image):
    by_cluster = CLUSTER_NAMES.get(image.cluster)
    return image.label_by_hand or first(image).label or by_cluster


def hue(image):
    lightness, a, b = image.color
    if math.hypot(a, b) < 10:
        return 100 + lightness
    return (math.atan2(b, a) - math.radians(15)) % (2 * math.pi)


def none_if_missing(get):
    return lambda image: None if (value := get(image)) is None else (value.casefold(), value)


KEYS = {
    "path": lambda image: first(image).path,
    "date": lambda image: image.said.taken,
    "label": none_if_missing(label_of),
    "size": lambda image: (min(image.width, image.height), max(image.width, image.height)),
    "sharpness": lambda image: image.sharpness,
    "color": lambda image: round(hue(image), 4),
    "rating": lambda image: image.said.rating,
    "field:price": lambda image: first(image).price,
    "field:sold": lambda image: first(image).sold,
    "field:good": lambda image: first(image).good,
}


@pytest.mark.parametrize("sort", KEYS)
def test_an_order_is_that_of_python_and_what_is_not_known_comes_last(made, sort):
    resources, images, _ = made
    there = sorted((image for image in images if image.files), key=lambda image: first(image).path)
    known = sorted((image for image in there if KEYS[sort](image) is not None), key=KEYS[sort])
    unknown = [image for image in there if KEYS[sort](image) is None]
    assert listed(resources, sort=sort) == [image.id for image in known + unknown]
    assert listed(resources, sort=sort, descending=True) == [image.id for image in known[::-1] + unknown]


@pytest.mark.parametrize("sort", [*KEYS, "random"])
def test_what_a_filter_lets_pass_comes_in_the_order_of_all(made, sort):
    resources, images, root = made
    where = Filter(min_size=30, excluding=Filter(shape="square"))
    kept = {image.id for image in images if passes(image, where, root)}
    expected = [image for image in listed(resources, sort=sort) if image in kept]
    assert listed(resources, sort=sort, where=where) == expected
    assert 0 < len(expected) < len(images)
    part = browse(resources, SearchRequest(sort=sort, where=where, k=4), offset=3)
    assert part.ids.tolist() == expected[3:7]
    assert part.total == len(expected)
    assert [hit.rank for hit in part.hits] == list(range(4, 4 + len(part.hits)))
    assert {hit.score for hit in part.hits} == {None}


def test_by_path_the_first_place_that_counts_is_meant(made):
    resources, images, root = made
    where = Filter(folders=[f"{root}/a"])

    def within(image):
        return min((file.path for file in image.files if file.path.startswith("r:a/")), default=None)

    expected = sorted((image for image in images if within(image)), key=within)
    found = browse(resources, SearchRequest(sort="path", where=where, k=None))
    assert found.ids.tolist() == [image.id for image in expected]
    assert [hit.path for hit in found.hits] == [f"{root}/{within(image)[2:]}" for image in expected]


def test_central_is_by_the_distance_to_the_center_of_the_cluster_that_is_asked_for(made):
    resources, images, _ = made
    members = sorted(
        (each for each in images if each.cluster == 1 and each.files), key=lambda each: each.distance
    )
    found = browse(
        resources, SearchRequest(sort="central", where=Filter(clusters=[ClusterRef("groups", 1)]), k=None)
    )
    assert found.ids.tolist() == [each.id for each in members]
    assert [hit.distance for hit in found.hits] == [each.distance for each in members]
    same = SearchRequest(sort="central", same_cluster=ClusterRef("groups", 1), k=None)
    assert browse(resources, same).ids.tolist() == found.ids.tolist()


def test_a_random_order_is_that_of_its_seed_and_stays_when_others_come(made):
    resources, images, _ = made
    one = listed(resources, sort="random", random_state=7)
    assert one == listed(resources, sort="random", random_state=7)
    assert one != listed(resources, sort="random", random_state=8)
    assert sorted(one) == sorted(image.id for image in images if image.files)
    some = Filter(max_width=60)
    kept = set(listed(resources, where=some))
    assert [image for image in one if image in kept] == listed(
        resources, sort="random", random_state=7, where=some
    )


@pytest.fixture
def collection(photos):
    made = Collection.create(photos, model="pixels-8-grey")
    made.sync()
    return made


def test_central_is_else_by_the_distance_to_the_mean_of_all(collection):
    images, vectors = collection.vectors()
    away = np.linalg.norm(vectors - vectors.mean(axis=0), axis=1)
    found = collection.browse(sort="central")
    assert found.ids.tolist() == [images[row].id for row in np.argsort(away)]
    np.testing.assert_allclose(found.hits.distances, np.sort(away), rtol=1e-5)


def test_central_is_kept_while_neither_images_nor_vectors_change(collection, photos, monkeypatch):
    made, from_mean = [], orders._from_mean
    monkeypatch.setattr(orders, "_from_mean", lambda resources: made.append(1) or from_mean(resources))
    before = collection.browse(sort="central").ids.tolist()
    collection.set_fields({photos / "cats/1.png": {"n": 1}})
    for sort in ("date", "size", "sharpness", "color", "random", "central"):
        found = collection.browse(sort=sort)
    assert (found.ids.tolist(), made) == (before, [1])
    picture(50).save(photos / "cats/new.png")
    collection.sync()
    assert (len(collection.browse(sort="central").hits), made) == (len(before) + 1, [1, 1])


def test_who_asks_how_images_look_does_not_look_at_all_rows_again(collection, photos, monkeypatch):
    looked, look = [], Store._not_looked_at
    monkeypatch.setattr(PinnedStore, "_not_looked_at", lambda self: looked.append(1) or look(self))
    for _ in range(3):
        collection.browse(sort="sharpness")
    collection.set_fields({photos / "cats/1.png": {"n": 1}})
    collection.browse(sort="color")
    assert looked == [1]


def test_of_many_values_the_most_frequent_are_listed_and_of_these_the_first(monkeypatch):
    monkeypatch.setattr(facets, "MOST", 3)
    words = ("e", "d", "c", "b", "a", "f")
    assert list(facets._of_words(words, np.array([2, 2, 5, 0, 2, 1]), 7).counts.items()) == [
        ("c", 5),
        ("a", 2),
        ("d", 2),
    ]
    assert facets._of_words(words, np.array([2, 2, 5, 0, 2, 1]), 7).n_values == 5


def test_a_collection_says_what_it_lists_and_counts(collection, photos):
    found = collection.browse(k=2, offset=1)
    assert (len(found.hits), found.total, found.sort) == (2, 6, "path")
    assert found.hits[0].path == str(photos / "cats/1.png")
    assert len(collection.browse().hits) == collection.count() == 6
    assert collection.browse(SearchRequest(sort="path")).ids.tolist() == collection.browse().ids.tolist()
    assert collection.count(Filter(labels=["cats"])) == 3
    assert collection.facets(names="labels")["labels"].counts == {"cats": 3, "dogs": 3}
    assert [*collection.facets(names=["shapes", "formats"])] == ["shapes", "formats"]
    assert len(collection.browse(offset=99).hits) == 0


def test_what_came_later_is_listed_and_counted(collection, photos):
    assert collection.facets(names=["labels"])["labels"].counts == {"cats": 3, "dogs": 3}
    before = collection.browse(sort="size")
    picture(50).save(photos / "cats/new.png")
    collection.sync()
    assert collection.browse(sort="size").total == 7
    assert collection.facets(names=["labels"])["labels"].counts == {"cats": 4, "dogs": 3}
    assert len(before.hits) == 6


def test_a_collection_without_images_has_nothing_to_list(tmp_path):
    empty = Collection.create(tmp_path, model="pixels-8-grey")
    for sort in SORTS:
        if sort != "central":
            assert len(empty.browse(sort=sort).hits) == 0
    with pytest.raises(CollectionError, match="holds no images"):
        empty.browse(sort="central")
    assert empty.count() == 0
    assert {sum(facet.counts.values()) for facet in empty.facets().values()} <= {0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sort": "colour"}, r"sort is 'colour'; expected path, .* or field:NAME\ndid you mean color\?"),
        ({"sort": "foo"}, "sort is 'foo'; expected path, .* or field:NAME$"),
        ({"sort": "xyz"}, "sort is 'xyz'; expected path, date"),
        ({"sort": 5}, "sort is 5; expected a text"),
        ({"sort": "field:"}, "sort is 'field:'"),
        ({"descending": "yes"}, "descending is 'yes'; expected true or false"),
        ({"random_state": -1}, "random_state is -1; expected a whole number, 0 or more"),
        ({"k": 0}, "k is 0; expected a whole number, 1 or more"),
        ({"offset": -1}, "offset is -1; expected a whole number, 0 or more"),
        ({"offset": 1.5}, "offset is 1.5; expected a whole number"),
        ({"where": {"labels": ["cats"]}}, r"expected a lookalike\.Filter"),
        ({"request": SearchRequest(), "k": 3}, "a SearchRequest says all that is listed"),
        ({"request": Filter()}, r"request is Filter\(.*; expected a lookalike\.SearchRequest"),
    ],
)
def test_what_makes_no_sense_is_refused(collection, options, message):
    with pytest.raises(InvalidInputError, match=message):
        collection.browse(**options)


def test_what_is_not_known_yet_says_so():
    for sort in ("doubtful-label", "outlier", "diverse"):
        with pytest.raises(QueryError, match=f"cannot be sorted by {sort} yet"):
            check_sort(sort)


def test_a_query_is_searched_for_and_not_listed(collection):
    with pytest.raises(QueryError, match="images are listed without a query"):
        collection.browse(SearchRequest(like=[Words("red")]))
    with pytest.raises(QueryError, match="what is not wanted is taken from a query"):
        collection.browse(SearchRequest(unlike=[Words("red")]))
    with pytest.raises(QueryError, match="the query's own cluster is asked for, and there is no query"):
        collection.browse(SearchRequest(same_cluster=ClusterRef("groups")))
    with pytest.raises(InvalidInputError, match="sort is 'date', but what a query finds comes nearest first"):
        SearchRequest(like=[Words("red")], sort="date")
    with pytest.raises(InvalidInputError, match="descending is True, but"):
        SearchRequest(colors=["red"], descending=True)
    with pytest.raises(InvalidInputError, match="k is None; expected a whole number"):
        SearchRequest(like=[Words("red")], k=None)


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"sets": ["bets"]}, r"there is no set 'bets' .*best.*\ndid you mean best"),
        ({"fields": {"prize": 3}}, r"there is no field 'prize' .*\ndid you mean price"),
        ({"fields": {"price": "cheap"}}, "the field 'price' holds numbers, and is asked for 'cheap'"),
        ({"fields": {"price": True}}, "the field 'price' holds numbers, and is asked for True"),
        ({"fields": {"shop": "Osol"}}, r"no image here has 'Osol' in the field 'shop'\ndid you mean Oslo"),
        ({"fields": {"shop": {"min": "a"}}}, "the field 'shop' holds texts; expected no range"),
        ({"fields": {"sold": "soon"}}, "the field 'sold' holds dates, and is asked for 'soon'"),
        ({"fields": {"good": "maybe"}}, "the field 'good' holds true or false, and is asked for 'maybe'"),
        ({"fields": {"good": {"min": 0}}}, "the field 'good' holds true or false; expected no range"),
        ({"tags": ["rde"]}, r"no image here has 'rde' in its tags\ndid you mean (red|RED)"),
        ({"clusters": [ClusterRef("groups", 9)]}, r"'groups' has no cluster 9 \(there are -1 to 2\)"),
        ({"labels": ["by hnad"]}, r"no image here is labelled 'by hnad'\ndid you mean by hand"),
        ({"excluding": Filter(labels=["ctas"])}, r"no image here is labelled 'ctas'\ndid you mean cat"),
    ],
)
def test_a_name_of_nothing_is_told_with_what_may_be_meant(made, conditions, message):
    with pytest.raises(QueryError, match=f"(?s){message}"):
        listed(made[0], where=Filter(**conditions))


def test_a_clustering_or_map_that_is_not_there_is_told(made):
    for where in (
        Filter(clusters=[ClusterRef("group", 1)]),
        Filter.from_dict({"polygon": {"map": "plain", "points": [[0, 0], [1, 0], [1, 1]]}}),
    ):
        with pytest.raises(CollectionError, match=r"there is no (clustering 'group'|map 'plain')"):
            listed(made[0], where=where)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["label"], r"there is no facet 'label'; did you mean labels\?"),
        (["xyz"], "there is no facet 'xyz'; expected labels, folders"),
        (5, "names is 5; expected a text or a list of text"),
        ([5], r"names is \[5\]; expected a text or a list of text"),
    ],
)
def test_a_facet_that_is_not_known_is_refused(collection, names, message):
    with pytest.raises(InvalidInputError, match=message):
        collection.facets(names=names)
    with pytest.raises(QueryError, match="there is no field 'price'"):
        collection.facets(names=["field:price"])
    with pytest.raises(CollectionError, match="there is no clustering 'groups'"):
        collection.facets(names=["cluster:groups"])


def test_clusterings_that_cannot_be_read_are_told_and_cost_the_other_facets_nothing(collection):
    for name in ("whole", "damaged", "torn"):
        collection.clusterings.make(k=2, name=name)
    folder = collection.folder / "clusterings"
    (folder / "damaged/clustering.json").write_text("no JSON")
    (arrays,) = (folder / "torn").glob("*.npz")
    arrays.write_bytes(arrays.read_bytes()[:100])
    found = collection.facets()
    assert found["labels"].counts
    assert [name for name in found if name.startswith("cluster:")] == ["cluster:whole"]
    assert len(found.warnings) == 2
    for name, warning in zip(("damaged", "torn"), found.warnings, strict=True):
        assert f"{name} cannot be read" in warning
        with pytest.raises(StoreError, match="cannot be read"):
            collection.facets(names=[f"cluster:{name}"])


@pytest.mark.parametrize(
    "numbers",
    [
        [-1.7e308, 0.0, 1.7e308],
        [0.0, 5e-324],
        [1_234_567_890_123_456.0, 1_234_567_890_123_457.0],
        [1_234_567_890_123.0 + number for number in range(100)],
        [0.1, 0.3, 0.7],
        [5.0, 5.0, np.nan],
    ],
)
def test_numbers_of_any_size_fall_into_parts_that_hold_them(collection, photos, numbers):
    files = [stored for stored, _, _ in collection.snapshot().files.facts()]
    collection.set_fields({file: {"n": n} for file, n in zip(files, numbers, strict=False) if n == n})
    (facet,) = collection.facets(names=["field:n"]).values()
    known = [n for n, _ in zip(numbers, files, strict=False) if n == n]
    assert facet.ends[0] <= min(known) <= max(known) <= facet.ends[-1]
    ends = list(facet.ends)
    is_last = [False] * (len(ends) - 2) + [True]
    for (start, count), end, last in zip(facet.counts.items(), ends[1:], is_last, strict=True):
        assert count == sum(start <= n < end or (last and n == end) for n in known)
