"""How sure a collection's answers are: learned when it is needed, kept, and learned again."""

import json

import numpy as np
import pytest
from PIL import Image

from lookalike import Collection, SearchRequest
from lookalike.collection.stored.sureness import (
    encode_sureness,
    file_of,
    parse_sureness,
    read_sureness,
    wrong_with_sureness,
)
from lookalike.errors import InvalidInputError, QueryConflictError, QueryInputError
from lookalike.query.terms import ImageFile, Words
from lookalike.results.hits import Hits

MODEL = "pixels-8-grey"
N_KINDS, N_EACH = 8, 12


def draw(kind, number, noise=45):
    """Return a picture of a kind: its own pattern of 8 × 8, and noise that is the number's."""
    pattern = np.random.default_rng(1000 + kind).integers(0, 256, (8, 8))
    pixels = pattern + np.random.default_rng((kind, number)).normal(0, noise, (8, 8))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def fill(folder, n_each=N_EACH, kinds=range(N_KINDS), first=0):
    for kind in kinds:
        place = folder / f"kind-{kind}"
        place.mkdir(parents=True, exist_ok=True)
        for number in range(first, first + n_each):
            draw(kind, number).save(place / f"{number}.png")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sure") / "pictures"
    fill(folder)
    collection = Collection.create(folder, model=MODEL)
    collection.sync()
    return folder


@pytest.fixture
def collection(filled):
    return Collection.open(filled)


@pytest.fixture
def own(tmp_path):
    fill(tmp_path / "own")
    collection = Collection.create(tmp_path / "own", model=MODEL)
    collection.sync()
    return collection


@pytest.fixture
def like_it(tmp_path):
    draw(3, 99).save(tmp_path / "like.png")
    return tmp_path / "like.png"


@pytest.fixture
def unlike_it(tmp_path):
    draw(77, 1).save(tmp_path / "unlike.png")
    return tmp_path / "unlike.png"


def test_hits_of_the_kind_are_likely_and_others_are_below_chance(collection, like_it):
    result = collection.search(like_it, k=30)
    of_kind = [hit.label == "kind-3" for hit in result]
    assert of_kind == [True] * N_EACH + [False] * (30 - N_EACH)
    assert result.probabilities[: N_EACH // 2].min() > 0.8
    assert result.probabilities[N_EACH + 3 :].max() < 0.4
    assert (np.diff(result.probabilities) <= 0).all()
    assert result.below_chance > N_EACH
    assert not result.is_nothing_like_it
    assert [hit.probability for hit in result] == result.probabilities.tolist()


def test_nothing_looks_like_what_is_of_no_kind_that_is_there(collection, unlike_it):
    result = collection.search(unlike_it)
    assert result.is_nothing_like_it and result.hits.below_chance == 1
    assert len(result) == 10
    assert result.to_dict()["below_chance"] == 1
    assert "Nothing here looks like this" in result._repr_html_()


def test_a_query_of_the_collection_is_asked_among_the_others(collection, filled):
    result = collection.search(filled / "kind-2" / "3.png", include_self=True)
    assert result[0].distance == 0
    assert not result.is_nothing_like_it
    without = collection.search(filled / "kind-2" / "3.png")
    assert without[0].probability == result[1].probability


def test_the_least_probability_cuts_off(collection, like_it):
    every = collection.search(like_it, k=30)
    some = collection.search(like_it, k=30, min_probability=0.5)
    assert some.ids.tolist() == every.ids[every.probabilities >= 0.5].tolist()
    assert 0 < len(some) < 30
    assert len(collection.search(like_it, k=30, min_probability=1)) <= len(some)


def test_a_filter_leaves_probabilities_as_they_are(collection, like_it):
    from lookalike import Filter

    every = {hit.id: hit.probability for hit in collection.search(like_it, k=96)}
    some = collection.search(like_it, k=96, where=Filter(labels=["kind-5", "kind-3"]))
    assert len(some) == 2 * N_EACH
    assert all(every[hit.id] == hit.probability for hit in some)


def test_slices_pickles_and_tables_keep_probabilities(collection, like_it):
    import pickle

    result = collection.search(like_it, k=5)
    again = pickle.loads(pickle.dumps(result))
    assert again.probabilities.tolist() == result.probabilities.tolist()
    assert again.below_chance == result.below_chance
    assert result.hits[2:4].probabilities.tolist() == result.probabilities[2:4].tolist()
    assert Hits.of(list(result.hits)).probabilities.tolist() == result.probabilities.tolist()
    assert result.to_arrow()["probability"].to_pylist() == result.probabilities.tolist()
    with pytest.raises(ValueError, match="read-only"):
        result.probabilities[0] = 1
    document = json.loads(json.dumps(result.to_dict()))
    assert [hit["probability"] for hit in document["hits"]] == [round(p, 6) for p in result.probabilities]


def test_a_least_score_is_refused_where_there_is_none(collection, like_it):
    with pytest.raises(QueryConflictError, match="no scores"):
        collection.search(like_it, min_score=0.5)


def test_a_least_score_of_a_color_is_a_share_of_it(tmp_path):
    for name, color in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        Image.new("RGB", (40, 40), color).save(tmp_path / f"{name}.png")
    half = Image.new("RGB", (40, 40), (255, 0, 0))
    half.paste((0, 0, 255), (0, 0, 40, 30))
    half.save(tmp_path / "half.png")
    collection = Collection.create(tmp_path, model=MODEL)
    collection.sync()
    every = collection.search(color="#ff0000")
    assert len(every) == 2 and every.probabilities is None and every.below_chance is None
    assert len(collection.search(color="#ff0000", min_score=0.9)) == 1
    with pytest.raises(QueryConflictError, match="how likely"):
        collection.search(color="#ff0000", min_probability=0.5)


def test_few_images_tell_nothing(tmp_path, like_it):
    fill(tmp_path / "few", n_each=6)
    collection = Collection.create(tmp_path / "few", model=MODEL)
    collection.sync()
    result = collection.search(like_it)
    assert result.probabilities is None and result.below_chance is None
    assert result[0].probability is None
    with pytest.raises(QueryConflictError, match="fifty images"):
        collection.search(like_it, min_probability=0.5)


def test_verified_hits_have_probabilities_and_no_line(collection, like_it):
    result = collection.search(like_it, k=40, verify=True)
    assert result.probabilities is not None and result.below_chance is None


def test_where_something_is_not_wanted_no_probability_is_known(collection, like_it, unlike_it):
    assert collection.search(like_it, without=unlike_it).probabilities is None


@pytest.mark.parametrize("name, least", [("min_probability", 0), ("min_score", -1)])
@pytest.mark.parametrize("value", [1.01, -1.01, float("nan"), "0.5", True])
def test_a_least_that_none_could_have_is_refused(name, least, value):
    with pytest.raises(InvalidInputError, match=f"{name} is .* expected a number from {least} to 1"):
        SearchRequest(like=[ImageFile("a.png")], **{name: value})


@pytest.mark.parametrize("name", ["min_probability", "min_score"])
def test_what_is_listed_answers_no_query(collection, name):
    with pytest.raises(QueryInputError, match=f"{name} is of hits of a query"):
        collection.browse(SearchRequest(**{name: 0.5}))


def test_a_request_keeps_the_least():
    request = SearchRequest(like=[Words("owl")], min_probability=0.5, min_score=-0.25)
    assert SearchRequest.from_dict(request.to_dict()) == request
    assert SearchRequest.from_query_string(request.to_query_string()) == request


def test_it_is_kept_and_not_learned_twice(own, like_it, monkeypatch):
    before = own.search(like_it)
    file = file_of(own.folder, MODEL)
    assert file.exists()
    from lookalike.collection import sureness

    def learn(*given, **named):
        raise AssertionError("it was learned again")

    monkeypatch.setattr(sureness, "learn", learn)
    again = Collection.open(own.folder.parent).search(like_it)
    assert again.probabilities == pytest.approx(before.probabilities, abs=1e-9)


def test_it_is_learned_again_when_a_tenth_has_come(own, like_it):
    own.search(like_it)
    file = file_of(own.folder, MODEL)
    first = file.read_bytes()
    fill(own.folder.parent, n_each=1, kinds=range(4), first=50)
    own.sync()
    own.search(like_it)
    assert file.read_bytes() == first  # 4 of 96
    fill(own.folder.parent, n_each=1, first=60)
    own.sync()
    own.search(like_it)
    assert read_sureness(file).of.n == N_KINDS * N_EACH + 12


def test_it_is_learned_again_when_labels_change(own, like_it):
    before = own.search(like_it, k=96)
    assert before.probabilities[0] > 0.8
    random = np.random.default_rng(0)
    ids = random.permutation(before.ids).tolist()
    own.labels.give_each({ids[0]: "another"})
    assert own.search(like_it, k=96).probabilities.tolist() == before.probabilities.tolist()
    own.labels.give_each({image: f"other-{number % 8}" for number, image in enumerate(ids)})
    assert own.search(like_it).probabilities[0] < 0.4  # labels are at random now


@pytest.mark.parametrize("cut", [0, 10, 2_000, -10])
def test_a_damaged_file_is_made_again(own, like_it, cut):
    before = own.search(like_it).probabilities
    file = file_of(own.folder, MODEL)
    whole = file.read_bytes()
    file.write_bytes(whole[:cut])
    assert wrong_with_sureness(file) is not None and read_sureness(file) is None
    found = Collection.open(own.folder.parent).search(like_it)
    assert found.probabilities == pytest.approx(before, abs=1e-9)
    assert wrong_with_sureness(file) is None


def test_a_flipped_bit_is_noticed_by_a_check_and_mended(own, like_it):
    own.search(like_it)
    assert own.check().is_whole
    file = file_of(own.folder, MODEL)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)
    found = own.check()
    assert [(damage.part, damage.place) for damage in found.damages] == [("index", f"indexes/{file.name}")]
    own.check(repair=True)
    assert own.check().is_whole
    assert own.search(like_it).probabilities is not None


def test_what_is_kept_is_read_as_it_was(own, like_it):
    own.search(like_it)
    kept = read_sureness(file_of(own.folder, MODEL))
    again = parse_sureness(encode_sureness(kept))
    assert again.of.n == kept.of.n == N_KINDS * N_EACH
    assert (again.learned.familiarity.space.rows == kept.learned.familiarity.space.rows).all()
    assert (again.learned.likelihood.curve.knots == kept.learned.likelihood.curve.knots).all()


def test_without_labels_a_least_probability_is_said_to_be_a_guess(tmp_path, like_it, collection):
    for kind in range(N_KINDS):
        for number in range(N_EACH):
            (tmp_path / "all").mkdir(exist_ok=True)
            draw(kind, number).save(tmp_path / "all" / f"{kind}-{number}.png")
    unlabeled = Collection.create(tmp_path / "all", model=MODEL, labels="none")
    unlabeled.sync()
    assert not unlabeled.search(like_it).warnings
    guessed = unlabeled.search(like_it, min_probability=0.1)
    assert [str(warning) for warning in guessed.warnings] == [
        "how likely hits are is only a guess, of other collections, as too few images have labels"
    ]
    assert guessed.probabilities[0] > 0.5
    assert not collection.search(like_it, min_probability=0.1).warnings
