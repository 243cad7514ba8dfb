"""Words without a model that knows text: by what the network says of the pictures, colours and names."""

import json

import numpy as np
import pytest

from lookalike import Collection, Filter, QueryError, Words
from lookalike.embed import load_model
from lookalike.embed.onnx import OnnxEmbedder
from lookalike.embed.sides.classes import encode
from pictures import folders_of_shades

DOGS, AIRLINER, STRAWBERRY = (162, 254), 404, 949


@pytest.fixture
def collection(tmp_path, monkeypatch):
    """Four pictures of each of three greys, of which the network is made to say what they are."""
    place = folders_of_shades(tmp_path / "photos", {"a": (20, 4), "summer": (120, 4), "c": (220, 4)})
    (place / "c/0.png").rename(place / "c/my dog.png")
    asked = OnnxEmbedder.embed_with_sides

    def told(self, images):
        logits = np.zeros((len(images), 1_000), np.float32)
        for row, level in zip(logits, images.mean(axis=(1, 2, 3)), strict=True):
            if level < 70:
                row[list(DOGS)] = 9 + level / 1_000
            elif level < 170:
                row[AIRLINER] = 12
        return asked(self, images)._replace(sides={"classes": encode(logits)})

    monkeypatch.setattr(OnnxEmbedder, "embed_with_sides", told)
    made = Collection.create(place, model="lite0-int8")
    made.sync()
    return made


def paths(result):
    return ["/".join(hit.path.replace("\\", "/").split("/")[-2:]) for hit in result]


def test_a_noun_finds_what_shows_it_and_then_nothing_else(collection):
    result = collection.search("airplane", k=12)
    assert sorted(paths(result)) == [f"summer/{number}.png" for number in range(4)]
    assert (result.model, result.index, result.is_proved, result.total) == ("words", "words", True, 4)
    assert result.scores == pytest.approx(np.exp(12) / (np.exp(12) + 999), abs=0.01)


def test_probabilities_of_all_classes_under_a_noun_are_added(collection):
    dogs = [hit for hit in collection.search("dogs", k=12) if hit.path.endswith("a/1.png")]
    assert dogs[0].score == pytest.approx(2 * np.exp(9) / (2 * np.exp(9) + 998), abs=0.03)


def test_names_count_too_and_the_answer_says_how(collection):
    result = collection.search(Words("dog"), k=12)
    assert sorted(paths(result)) == ["a/0.png", "a/1.png", "a/2.png", "a/3.png", "c/my dog.png"]
    assert result.understood.named == 1 and len(result.understood.nouns["dog"]) > 100
    assert "1 image by their names" in result.understood.told()
    assert dict(zip(paths(result), result.scores, strict=True))["c/my dog.png"] == pytest.approx(0.9)
    assert json.loads(json.dumps(result.to_dict()))["understood"]["named"] == 1


def test_a_word_that_only_names_know_finds_these(collection):
    result = collection.search("summers", k=12)
    assert sorted(paths(result)) == [f"summer/{number}.png" for number in range(4)]
    assert result.understood.nouns == {"summers": ()}


def test_labels_and_keywords_are_names(collection):
    (hit,) = [hit for hit in collection if hit.path.endswith("c/1.png")]
    collection.labels.give([hit.path], "gloomy evening")
    assert paths(collection.search("gloomy evening")) == ["c/1.png"]


@pytest.mark.parametrize("words", ["sunset", "angry dog", "xyzzy", "sunset dog"])
def test_what_is_unknown_gets_no_answer(collection, words):
    with pytest.raises(QueryError, match="none of the words that are known"):
        collection.search(words)


def test_a_relative_is_asked_for_and_never_the_answer(collection):
    with pytest.raises(QueryError, match="did you mean 'church'"):
        collection.search("abbey")


@pytest.mark.parametrize("words", ["", "  "])
def test_no_words_are_refused(collection, words):
    with pytest.raises(QueryError):
        collection.search(words)


def test_several_words_are_all_to_be_seen_and_unlike_takes_away(collection):
    assert not len(collection.search("a dog beside an airplane"))
    assert len(collection.search("dog", without=Words("airplane"), k=12)) == 5
    assert not len(collection.search("airplane", without=Words("airplane")))


def test_filters_and_colors_hold(collection):
    assert paths(collection.search("dog", where=Filter(folders=[str(collection.roots[0] / "c")]))) == [
        "c/my dog.png"
    ]
    assert not len(collection.search("red dog"))
    assert len(collection.search("black dog", k=12)) >= 1


def test_a_collection_without_classes_has_names_only(tmp_path):
    place = folders_of_shades(tmp_path / "photos", {"dogs": (20, 2), "c": (220, 2)})
    made = Collection.create(place, model="pixels-8-grey")
    made.sync()
    assert sorted(paths(made.search("dog"))) == ["dogs/0.png", "dogs/1.png"]
    with pytest.raises(QueryError, match="the model pixels-8-grey knows only images"):
        made.search("cat")


def test_tags_of_images_collections_facets_and_clusters(collection):
    (hit,) = [hit for hit in collection if hit.path.endswith("summer/1.png")]
    (tag,) = collection.image_info(hit.path).tags
    assert (tag.name, str(tag)) == ("airliner", "airliner 99%")
    assert collection.info().tags == {"airliner": 4}
    assert collection.facets(names="shows")["shows"].counts == {"airliner": 4}
    clustering = collection.clusterings.make(k=3, name="shades")
    by_tag = {cluster.tags[0].name: cluster for cluster in clustering if cluster.tags}
    assert set(by_tag) == {"dog", "airliner"}
    assert by_tag["dog"].tags[0].probability == pytest.approx(0.94, abs=0.03)
    assert by_tag["dog"].to_dict()["tags"][0]["name"] == "dog"


def test_the_real_network_says_something_of_a_picture():
    outputs = load_model("lite0-int8").embed_with_sides(np.full((1, 224, 224, 3), 127, np.uint8))
    assert outputs.sides["classes"].any()
