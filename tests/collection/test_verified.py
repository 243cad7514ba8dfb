"""`search(verify=True)`: what shows the same thing comes first, whatever its vector says."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from edited_pictures import scene
from lookalike import Collection, ImageRef, InvalidInputError, SearchRequest, Vector, Words
from lookalike.collection import verified
from lookalike.collection.verified import same_first

MODEL = "pixels-8-grey"
N = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve scenes; the query is one of them, cut to half of its area, and lighter."""
    place = tmp_path_factory.mktemp("verified")
    (place / "photos").mkdir()
    for number in range(N):
        scene(number).save(place / "photos" / f"{number:02}.jpg", quality=92)
    cut = scene(8).crop((90, 60, 320, 240))
    ImageEnhance.Brightness(cut).enhance(1.25).save(place / "asked.jpg", quality=80)
    made = Collection.create(place / "photos", MODEL)
    made.sync()
    return place


@pytest.fixture
def collection(folder):
    return Collection.open(folder / "photos")


def names(result):
    return [hit.path[-6:-4] for hit in result.hits]


def test_the_picture_that_it_was_cut_from_comes_first(collection, folder):
    plain = collection.search(folder / "asked.jpg", k=N)
    found = collection.search(folder / "asked.jpg", k=N, verify=True)
    assert names(plain)[0] != "08"  # by 64 grey levels, others look more like it
    assert names(found)[0] == "08"
    others = [name for name in names(plain) if name != "08"]
    assert names(found)[1:] == others  # as they came
    distances = {hit.id: hit.distance for hit in plain.hits}
    assert all(hit.distance == distances[hit.id] for hit in found.hits)
    assert [hit.rank for hit in found.hits] == list(range(1, N + 1))
    assert found.request.verify and plain.is_proved and not found.is_proved


def test_an_image_of_the_collection_is_laid_on_the_others(collection, folder):
    image = collection.image_info(folder / "photos/03.jpg").id
    found = collection.search(ImageRef(int(image)), k=N, verify=True)
    assert len(found.hits) == N - 1 and "03" not in names(found)
    assert names(found) == names(collection.search(ImageRef(int(image)), k=N))  # none shows the same
    itself = collection.search(ImageRef(int(image)), k=3, verify=True, include_self=True)
    assert names(itself)[0] == "03"


def test_what_is_one_picture_comes_before_what_only_fits_and_that_before_others(monkeypatch):
    from lookalike.duplicates.evidence import DETAILS, EVIDENCE

    evidence = np.zeros(3, EVIDENCE)
    evidence["b"] = [2, 3, 5]  # rows 1, 2 and 4
    evidence["score"] = [0.7, 0.3, 0.6]
    evidence["details"][:, list(DETAILS).index("coarse_score")] = [0.1, 0.1, 0.9]
    said = verified.verdicts(evidence)._replace(
        probabilities=np.array([0.2, 0.8, 0.1], np.float32), kinds=np.array([2, 2, 2], np.uint8)
    )
    monkeypatch.setattr(verified, "verdicts", lambda evidence: said)
    assert verified._order(6, evidence).tolist() == [2, 4, 1, 0, 3, 5]
    series = said._replace(kinds=np.array([2, 4, 2], np.uint8))
    monkeypatch.setattr(verified, "verdicts", lambda evidence: series)
    assert verified._order(6, evidence).tolist() == [4, 1, 0, 2, 3, 5]
    assert verified._order(3, None).tolist() == [0, 1, 2]


def test_more_than_are_laid_follow_as_they_come(monkeypatch):
    monkeypatch.setattr(verified, "N_LAID", 3)
    every = np.arange(10, 20), np.linspace(0, 1, 10)
    asked = []

    def nearest(n):
        asked.append(n)
        return every[0][:n], every[1][:n]

    found = same_first(nearest, lambda ids: np.arange(len(ids))[::-1])
    assert found(2)[0].tolist() == [12, 11]
    assert found(6)[0].tolist() == [12, 11, 10, 13, 14, 15]
    assert found(6)[1].tolist() == pytest.approx([2 / 9, 1 / 9, 0, 3 / 9, 4 / 9, 5 / 9])
    assert asked == [3, 6, 6]


@pytest.mark.parametrize(
    "given",
    [
        {"like": [Words("a cat")]},
        {"like": [Vector([1.0, 2.0])]},
        {"like": [ImageRef(1), ImageRef(2)]},
        {"like": [ImageRef(1)], "unlike": [ImageRef(2)]},
    ],
)
def test_only_one_picture_can_be_laid_on_others(given):
    with pytest.raises(InvalidInputError, match="expected one picture, and nothing else"):
        SearchRequest(verify=True, **given)


def test_a_thumbnail_that_is_damaged_costs_its_image_only(collection, folder, monkeypatch):
    real = verified.thumbnails
    broken = collection.image_info(folder / "photos/05.jpg").id

    def some(store, ids):
        return real(store, ids) | {broken: b"no picture"}

    monkeypatch.setattr(verified, "thumbnails", some)
    found = collection.search(folder / "asked.jpg", k=N, verify=True)
    assert names(found)[0] == "08" and len(found.hits) == N


def test_the_command_takes_it(collection, folder, call):
    words = "search", folder / "asked.jpg", "--verify", "-f", "-k", 1
    code, out, err = call(*words, cwd=folder / "photos")
    assert code == 0, err
    assert out.strip().endswith("08.jpg")


def test_pixels_in_memory_are_laid_on_others(collection, folder):
    with Image.open(folder / "asked.jpg") as image:
        assert names(collection.search(image, k=1, verify=True)) == ["08"]
