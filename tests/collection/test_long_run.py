"""A collection that stays open while others change it and are killed: the benchmark's long run, short."""

import os
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.long_run import (
    MODEL,
    Campaign,
    Expected,
    Truth,
    Watched,
    check,
    check_thumbnail,
    prepare,
    run,
)

from lookalike import ImageRef


@pytest.mark.skipif(os.name != "posix", reason="nothing is killed in this way elsewhere")
def test_every_answer_is_true_for_one_state_while_others_change_it_and_are_killed(tmp_path):
    campaign = Campaign(tmp_path / "run", pictures=60, threads=4, seconds=12, lives=(0.2, 4.0))
    record = run(campaign)
    assert not record.faults, record.report()
    assert record.counts["indexer: begun"] and record.counts["indexer: killed"]
    assert record.counts["snapshots checked"] > 1
    assert "search by id" in record.seconds and "thumbnails" in record.seconds


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A collection of 30 pictures, what is true of it, and a search that has found ten of them."""
    photos = prepare(Campaign(tmp_path_factory.mktemp("campaign") / "run", pictures=30))
    watched = Watched(photos)
    image = int(photos.snapshot().files.ids[0])
    result, snapshot = watched.ask(lambda: photos.search(ImageRef(image)))
    truth = Truth(snapshot)
    return watched, truth, list(result.hits), Expected(10, (image,), truth.vector(image))


def test_a_true_answer_passes(asked):
    check(*asked)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda hits: hits[:9], "9 hits; expected min\\(10, 29\\)"),
        (lambda hits: [*hits[:9], replace(hits[0], rank=10)], "an image comes twice"),
        (lambda hits: hits[::-1], "ranks are not 1 to n"),
        (lambda hits: [*hits[:9], replace(hits[9], distance=1e6)], "the distances are not the smallest"),
        (lambda hits: [replace(hits[0], id=hits[1].id), *hits[1:]], "an image comes twice"),
        (lambda hits: [replace(hits[0], id=7), *hits[1:]], "of its image|are not the paths"),
        (lambda hits: [replace(hits[0], paths=hits[1].paths), *hits[1:]], "are not the paths"),
        (lambda hits: [replace(hits[0], label="other"), *hits[1:]], "the label other"),
    ],
)
def test_an_answer_that_is_not_true_is_found_out(asked, change, words):
    watched, truth, hits, expected = asked
    with pytest.raises(AssertionError, match=words):
        check(watched, truth, change(hits), expected)


def test_a_picture_that_never_was_is_found_out(asked):
    watched, truth, hits, expected = asked
    watched.was_there(hits[0].path, hits[0].id)
    empty = Watched(watched.photos)
    empty.was_there = lambda path, image: False
    with pytest.raises(AssertionError, match="never held"):
        check(empty, truth, hits, expected)


def test_the_thumbnail_of_another_is_found_out(asked):
    _, truth, hits, _ = asked
    jpegs = truth.snapshot.thumbnails([hit.id for hit in hits])
    for hit in hits:
        check_thumbnail(truth, hit.id, jpegs[hit.id])
    with pytest.raises(AssertionError, match="a thumbnail"):
        check_thumbnail(truth, hits[0].id, jpegs[hits[1].id])


def test_a_file_without_its_vector_is_found_out(asked):
    watched, *_ = asked
    store = watched.photos.snapshot().store
    table = store.vectors(MODEL, 64).live()
    ids, vectors = table.read_vectors()
    table.delete(ids[:1].tolist())
    try:
        with pytest.raises(AssertionError, match="1 images of files have no vector"):
            Truth(watched.photos.snapshot())
    finally:
        watched.photos._store.write_vectors(ids[:1], np.ascontiguousarray(vectors[:1]), table)
