"""Training, as far as it needs no torch: splits, orders, batches, augmentation, the graph, what is kept."""

import re
import shutil
import sys
import threading

import numpy as np
import pytest
from refusals import contents, fail

from lookalike import Collection
from lookalike.embed import ModelRegistry, TrainedNetwork
from lookalike.errors import CollectionError, ImageError, InvalidInputError, LockedError, ModelError
from lookalike.system.installing import install_command
from lookalike.train import AutoencoderSettings, Card, Epoch, FinetuneSettings, RunFolder, TrainingImages
from lookalike.train.augment import augment
from lookalike.train.autoencoder_graph import build_encoder
from lookalike.train.autoencoder_shape import AutoencoderShape, sides
from lookalike.train.batches import first_pixels, read_batches
from lookalike.train.order import balanced, shuffled
from lookalike.train.run_folder import RunImages
from lookalike.train.split import Split, split_images, split_labelled
from pictures import picture


def some_images(n=10, broken=()):
    """Return images whose pixels are their row, and the rows that were opened."""
    opened = []

    def read(image):
        opened.append(image)
        if image in broken:
            raise ImageError(f"{image}.png", "the file is empty")
        return f"{image}.png", np.full((8, 8, 3), image, np.uint8)

    return TrainingImages(np.arange(n), read), opened


# Splits


def test_parts_of_a_split_have_no_image_in_common_and_leave_none_out():
    split = split_images(100, None, 0.1, random_state=0)
    assert sorted(np.concatenate(list(split.parts().values()))) == list(range(100))
    assert len(split.validation) == 10
    labels = [f"class {row % 7}" for row in range(100)]
    labelled = split_labelled(labels, None, 0.2, None, 0.1, random_state=0)
    assert sorted(np.concatenate(list(labelled.parts().values()))) == list(range(100))
    for part in (labelled.train, labelled.test):
        assert {labels[row] for row in part} == set(labels)


def test_split_is_that_of_its_seed():
    first, again, other = (split_images(100, None, 0.1, seed).validation for seed in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist()


def test_test_split_of_a_data_set_is_never_learned_from():
    is_test = np.arange(60) % 3 == 0
    split = split_images(60, is_test, 0.1, random_state=0)
    assert split.test.tolist() == np.flatnonzero(is_test).tolist()
    labels = ["a", "b"] * 30
    labelled = split_labelled(labels, is_test, 0.5, None, 0.0, random_state=0)
    assert labelled.test.tolist() == np.flatnonzero(is_test).tolist()
    assert len(labelled.train) == 40


def test_so_many_of_each_class_are_learned_from_and_a_small_class_keeps_one_for_the_test():
    labels = np.array(["large"] * 50 + ["small"] * 3)
    split = split_labelled(labels, None, 0.2, 30, 0.1, random_state=0)
    counts = {
        part: [int((labels[rows] == name).sum()) for name in ("large", "small")]
        for part, rows in split.parts().items()
    }
    assert counts == {"train": [27, 2], "validation": [3, 0], "test": [20, 1]}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["a"] * 9, "all 9 images have the label 'a'; expected two classes or more"),
        (["a"] * 9 + ["b"], "the class 'b' has only one image; expected at least 2 in each class"),
        (["a"] * 9 + list("bcde"), r"4 classes \('b', 'c', 'd', …\) have only one image"),
        ([], "no image has a label"),
    ],
)
def test_labels_that_do_not_suffice_are_told(labels, expected):
    with pytest.raises(CollectionError, match=expected):
        split_labelled(labels, None, 0.2, None, 0.1, random_state=0)


def test_too_few_images_are_told():
    with pytest.raises(CollectionError, match="there are 19 images to learn from; expected at least 20"):
        split_images(19, None, 0.1, random_state=0)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_share_that_is_none_is_told(share):
    with pytest.raises(InvalidInputError, match="held-out share"):
        split_images(100, None, share, random_state=0)


# Orders


def test_each_epoch_has_an_order_of_its_own_that_can_be_had_again():
    rows = np.arange(50)
    first, again, next_ = (shuffled(rows, 0, epoch) for epoch in (0, 0, 1))
    assert first.tolist() == again.tolist() != next_.tolist()
    assert sorted(first) == rows.tolist()


@pytest.mark.parametrize(("balance", "expected"), [(0.0, [90, 9, 1]), (1.0, [34, 33, 33])])
def test_balance_decides_how_often_small_classes_come(balance, expected):
    classes = np.repeat([0, 1, 2], [90, 9, 1])
    drawn = balanced(np.arange(100), classes, 0, 0, balance)
    counts = np.bincount(classes[drawn])
    assert sorted(counts, reverse=True) == expected
    # Images of a class come in turn: none twice more often than another.
    for number in range(3):
        times = np.bincount(drawn, minlength=100)[classes == number]
        assert times.max() - times.min() <= 1


def test_half_a_balance_draws_by_the_root():
    classes = np.repeat([0, 1], [64, 4])
    counts = np.bincount(classes[balanced(np.arange(68), classes, 0, 0, 0.5)])
    np.testing.assert_allclose(counts, [68 * 8 / 10, 68 * 2 / 10], atol=1)


def test_images_of_a_class_come_in_groups():
    classes = np.repeat(np.arange(5), 8)
    drawn = classes[balanced(np.arange(40), classes, 0, 0, 1.0, group=4)].reshape(-1, 4)
    assert (drawn == drawn[:, :1]).all()


# Batches


def stamp(image, row):
    return np.asarray(image)


@pytest.mark.parametrize("jobs", [1, 3])
def test_batches_keep_the_order_whatever_the_number_of_threads(jobs):
    images, _ = some_images(10)
    order = np.array([3, 1, 4, 9, 5, 2, 6])
    batches = list(read_batches(images, order, 3, stamp, 8, jobs))
    assert [batch.rows.tolist() for batch in batches] == [[3, 1, 4], [9, 5, 2], [6]]
    assert [batch.pixels[:, 0, 0, 0].tolist() for batch in batches] == [[3, 1, 4], [9, 5, 2], [6]]


def test_image_that_cannot_be_read_is_missing_from_its_batch_and_named():
    images, _ = some_images(6, broken={1, 3, 4, 5})
    first, second = read_batches(images, np.arange(6), 3, stamp, 8)
    assert first.rows.tolist() == [0, 2]
    assert first.failed == ("1.png: the file is empty",)
    assert len(second.rows) == len(second.pixels) == 0


def test_first_images_that_can_be_read_are_taken():
    images, opened = some_images(1000, broken=range(8))
    pixels = first_pixels(read_batches(images, np.arange(1000), 3, stamp, 8), 4)
    assert pixels[:, 0, 0, 0].tolist() == [8, 9, 10, 11]
    assert len(opened) < 24
    images, _ = some_images(4, broken=range(4))
    with pytest.raises(ModelError, match=r"can be read: 0.png: the file is empty; the same command goes on"):
        first_pixels(read_batches(images, np.arange(4), 3, stamp, 8), 4)


def test_batches_are_read_only_a_little_ahead():
    images, opened = some_images(1000)
    batches = read_batches(images, np.arange(1000), 5, stamp, 8, jobs=2)
    next(batches)
    batches.close()
    assert len(opened) <= 15


def test_leaving_early_leaves_no_threads():
    before = threading.active_count()
    batches = read_batches(some_images(100)[0], np.arange(100), 5, stamp, 8, jobs=2)
    next(batches)
    batches.close()
    assert threading.active_count() == before


# Augmentation


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (400, 3), (64, 48)])
def test_augmentation_gives_the_size_asked_for_whatever_the_image(size):
    image = picture(0).resize(size)
    for seed in range(40):
        made = augment(image, 24, np.random.default_rng(seed))
        assert made.shape == (24, 24, 3)
        assert made.dtype == np.uint8


def test_augmentation_is_that_of_its_seed():
    image = picture(0)
    first, again, other = (augment(image, 24, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_augmentation_leaves_what_the_picture_shows():
    image = picture(3)
    plain = np.asarray(image.resize((24, 24)), float)
    others = [np.asarray(picture(seed).resize((24, 24)), float) for seed in range(4, 12)]
    near = 0
    for seed in range(20):
        colour = augment(image, 24, np.random.default_rng(seed)).mean(axis=(0, 1))
        apart = [np.abs(colour - each.mean(axis=(0, 1))).sum() for each in (plain, *others)]
        near += int(np.argmin(apart) == 0)
    assert near >= 14


# The autoencoder's shape and graph


def test_all_sides_come_down_to_4_to_7():
    assert {28, 32, 512} <= set(sides())
    for side in sides():
        shape = AutoencoderShape(side, 3, 8)
        assert 4 <= shape.bottom <= 7
        assert shape.bottom << len(shape.widths) == side


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((30, 1, 8), "the size is 30"),
        ((28, 2, 8), "channels"),
        ((28, 1, 0), "dimension is 0"),
        ((8, 1, 65), "at most 64"),
    ],
)
def test_shape_that_cannot_be_is_told(values, expected):
    with pytest.raises(InvalidInputError, match=expected):
        AutoencoderShape(*values)


def encoder_weights(shape, seed=0):
    random = np.random.default_rng(seed)
    weights, before = {}, shape.channels
    for number, after in enumerate(shape.widths):
        norm = f"halvings.{3 * number + 1}"
        weights[f"halvings.{3 * number}.weight"] = random.normal(size=(after, before, 3, 3)) / 4
        weights[f"{norm}.weight"] = random.uniform(0.5, 2, after)
        weights[f"{norm}.bias"] = random.normal(size=after)
        weights[f"{norm}.running_mean"] = random.normal(size=after)
        weights[f"{norm}.running_var"] = random.uniform(0.5, 2, after)
        before = after
    weights["to_code.weight"] = random.normal(size=(shape.dimension, before * shape.bottom**2)) / 20
    weights["to_code.bias"] = random.normal(size=shape.dimension)
    return {name: np.asarray(value, np.float32) for name, value in weights.items()}


def encode_plainly(weights, shape, images):
    """Do what the graph says, a sum at a time."""
    x = images.astype(float) / 255
    x = x @ [[0.299], [0.587], [0.114]] if shape.channels == 1 else x  # (n, h, w, c)
    for number in range(len(shape.widths)):
        kernel = weights[f"halvings.{3 * number}.weight"]
        gamma, beta, mean, variance = (
            weights[f"halvings.{3 * number + 1}.{part}"]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        out = sum(
            padded[:, i : i + x.shape[1] : 2, j : j + x.shape[2] : 2] @ kernel[:, :, i, j].T
            for i in range(3)
            for j in range(3)
        )
        x = np.maximum((out - mean) / np.sqrt(variance + 1e-5) * gamma + beta, 0)
    flat = x.transpose(0, 3, 1, 2).reshape(len(x), -1)
    return flat @ weights["to_code.weight"].T + weights["to_code.bias"]


def encoder(shape, name="autoencoder-test"):
    graph = build_encoder(encoder_weights(shape), shape)
    return TrainedNetwork(
        graph=graph,
        name=name,
        title="A test",
        size=shape.side,
        resize=shape.side,
        dimension=shape.dimension,
        metric="euclidean",
        licence="",
        fit="squash",
    ).as_model()


@pytest.mark.parametrize("shape", [AutoencoderShape(28, 1, 5), AutoencoderShape(16, 3, 7)])
def test_encoder_graph_computes_what_its_layers_say(shape):
    images = np.random.default_rng(1).integers(0, 256, (3, shape.side, shape.side, 3), np.uint8)
    found = encoder(shape).open().embed(images)
    np.testing.assert_allclose(found, encode_plainly(encoder_weights(shape), shape, images), atol=1e-4)


# What is kept


def test_trained_model_is_a_model_of_the_collection_like_any_other(photos):
    collection = Collection.create(photos, "pixels-8-rgb")
    collection.sync()
    local = encoder(AutoencoderShape(16, 3, 7))
    ModelRegistry(collection.folder / "models").add_trained(local, {".card.md": b"# A card"})
    again = Collection.open(photos)
    assert again.sync(model="autoencoder-test").embedded == 6
    found = again.search(photos / "cats/0.png", k=2, model="autoencoder-test")
    assert len(found.hits) == 2
    assert found.hits[0].score is None  # euclidean, as it was kept
    images, vectors = again.vectors("autoencoder-test")
    assert vectors.shape == (len(images), 7)
    assert again.sync().embedded == 0


def test_name_that_is_taken_is_told_and_its_model_stays(photos):
    registry = ModelRegistry(photos / "models")
    local = encoder(AutoencoderShape(16, 3, 7))
    registry.add_trained(local, {})
    before = contents(photos)
    with pytest.raises(ModelError, match="there is a model autoencoder-test already"):
        registry.add_trained(local, {".card.md": b"another"})
    with pytest.raises(ModelError, match="there is a model lite0-int8 already"):
        registry.check_free("lite0-int8")
    assert contents(photos) == before


@pytest.mark.parametrize(
    "kept", ["vectors/autoencoder-test.lance", "models/autoencoder-test+pca2.npz", "indexes"]
)
def test_vectors_of_a_model_that_is_gone_are_not_taken_for_those_of_the_next(photos, kept):
    collection = Collection.create(photos, "pixels-8-rgb")
    local = encoder(AutoencoderShape(16, 3, 7))
    ModelRegistry(collection.folder / "models").add_trained(local, {})
    collection.sync(model="autoencoder-test")
    collection.models.reduce(2, "autoencoder-test")
    collection.search(photos / "cats/0.png", k=2, model="autoencoder-test")
    for made in ("models/autoencoder-test*", "vectors/autoencoder-test*", "indexes/autoencoder-test*"):
        for path in sorted(collection.folder.glob(made)):
            if not str(path.relative_to(collection.folder)).startswith(kept):
                path.unlink() if path.is_file() else shutil.rmtree(path)
    before = contents(photos)
    with pytest.raises(
        CollectionError, match=rf"autoencoder-test is gone, but .*: {re.escape(kept)}[^,]*\ndelete"
    ):
        Collection.open(photos).models.train(AutoencoderSettings(name="test"))
    assert contents(photos) == before


def test_card_says_what_each_part_was_for_and_what_could_not_be_measured():
    def written(**facts):
        card = Card(
            "m", "A test", 8, "cosine", 32, {}, {}, epochs=(Epoch(0.5, None, 1),), best_epoch=1, **facts
        )
        return card.to_markdown().decode()

    labelled = written(images={"train": 7, "validation": 0, "test": 2}, classes=2, labels="folders")
    assert "Images: 7 to learn from, 2 to measure with." in labelled
    assert "Not measured: no two test images that can be read are of one class." in labelled
    plain = written(images={"train": 7, "validation": 1, "test": 2}, classes=None, labels="")
    assert "1 to tell when to stop, 2 to leave alone, a data set's test split." in plain
    assert "measured" not in plain


def test_split_of_a_run_is_kept_to_the_image_and_label():
    ids = np.array([3, 5, 2**62, 7])
    split = Split(np.array([0, 3]), np.array([1]), np.array([2]))
    for labels in (["a", "b,\n'c'", "ü", "d\udcff"], None):
        again = RunImages.from_csv(RunImages(ids, labels, split).to_csv())
        assert again.ids.tolist() == ids.tolist()
        assert again.labels == labels
        assert [rows.tolist() for rows in again.split.parts().values()] == [[0, 3], [1], [2]]


def small_run(folder):
    run = RunFolder(folder / "run")
    images = RunImages(np.arange(3), None, Split(np.array([0, 1]), np.array([2]), np.array([], int)))
    with run.held():
        run.begin({"epochs": 3, "size": None}, {"side": 28}, images)
        (run.folder / "checkpoint.pt").write_bytes(b"the network")
    return run


def test_run_is_gone_on_with_by_the_same_settings_only(tmp_path):
    run = small_run(tmp_path)
    images, found = run.resume({"epochs": 3, "size": None})
    assert (len(images.ids), found) == (3, {"side": 28})
    with pytest.raises(ModelError, match=r"begun with epochs = 3, not 4\ngo on with the same.*restart=True"):
        run.resume({"epochs": 4, "size": None})


def test_run_that_has_not_come_to_a_checkpoint_binds_nobody(tmp_path):
    run = small_run(tmp_path)
    (run.folder / "checkpoint.pt").unlink()
    assert run.resume({"epochs": 4}) is None
    with run.held():
        pass
    assert not run.folder.exists()


@pytest.mark.parametrize("file", ["run.json", "split.csv"])
def test_damaged_run_is_told(tmp_path, file):
    run = small_run(tmp_path)
    (run.folder / file).write_bytes(b"id,part\nzz")
    with pytest.raises(ModelError, match=r"is damaged: .*\n.*restart=True"):
        run.resume({"epochs": 3, "size": None})


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [("split.csv", b"train", b"test"), ("run.json", b'"side": 28', b'"side": 32')],
)
def test_run_that_was_changed_is_told(tmp_path, file, before, after):
    run = small_run(tmp_path)
    content = (run.folder / file).read_bytes()
    assert before in content
    (run.folder / file).write_bytes(content.replace(before, after))
    with pytest.raises(ModelError, match=r"is damaged: it is not what was written\n.*restart=True"):
        run.resume({"epochs": 3, "size": None})


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"lookalike checkpoint 1\n" + bytes(50)])
def test_damaged_checkpoint_is_told(tmp_path, content):
    run = small_run(tmp_path)
    (run.folder / "checkpoint.pt").write_bytes(content)
    with pytest.raises(ModelError, match=r"checkpoint\.pt is damaged: .*\n.*restart=True"):
        run.load()


def test_two_trainings_of_one_name_do_not_run_at_once(tmp_path):
    first, second = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "run")
    with first.held(), pytest.raises(LockedError, match="another lookalike is training"), second.held():
        pass
    assert not (tmp_path / "run").exists()  # nothing came of either


# The command line


@pytest.fixture
def without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)


@pytest.fixture(scope="module")
def indexed(tmp_path_factory):
    """A collection that requests are made of which cannot be met: it stays as it is."""
    folder = tmp_path_factory.mktemp("indexed")
    for number in range(6):
        place = folder / ("cats" if number < 3 else "dogs")
        place.mkdir(exist_ok=True)
        picture(number).save(place / f"{number}.png")
    Collection.create(folder, "pixels-8-rgb").sync()
    return folder


@pytest.mark.parametrize("kind", ["autoencoder", "finetune"])
def test_training_without_torch_says_how_to_get_it_and_changes_nothing(indexed, capsys, without_torch, kind):
    before = contents(indexed)
    line = fail(capsys, "train", kind, "--name", "x", "-c", indexed)
    assert "needs torch" in line
    assert install_command("train") in line
    assert contents(indexed) == before


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["autoencoder", "--name", "../x"], "the name is '../x'; expected up to 40 small letters"),
        (["autoencoder", "--name", "x", "--metric", "l1"], "the metric is 'l1'; expected one of cosine"),
        (["autoencoder", "--name", "x", "--plot", "x.gif"], "a figure is saved as one of"),
        (["autoencoder", "--name", "x", "--device", "tpu"], "the device is 'tpu'; expected one of auto, cpu"),
        (["finetune", "--name", "x", "--base", "vgg"], "the base is 'vgg'; expected one of lite0"),
        (["finetune", "--name", "x", "--weights", "x.safetensors"], "weights are given for lite0, which has"),
        (["finetune", "--name", "x", "--loss", "hinge"], "the loss is 'hinge'; expected one of normalised"),
        (["finetune", "--name", "x", "--frozen-epochs", "99"], "frozen for 99 epochs; expected 0 to 20"),
        (["finetune", "--name", "x", "--balance", "2"], "the balance is 2.0; expected a number from 0 to 1"),
        (["finetune", "--name", "x", "--size", "8"], "the size is 8; expected pixels a side"),
        (["finetune", "--name", "int8"], "there is a model lite0-int8 already"),
        (["finetune", "--name", "x", "--labels", "no.csv"], "neither such a file nor a clustering"),
    ],
)
def test_bad_requests_are_one_line(indexed, capsys, words, expected):
    before = contents(indexed)
    assert expected in fail(capsys, "train", *words, "-c", indexed)
    assert contents(indexed) == before


def test_empty_collection_is_told(tmp_path, capsys):
    Collection.create(tmp_path, "pixels-8-rgb")
    assert "holds no images" in fail(capsys, "train", "autoencoder", "--name", "x", "-c", tmp_path)


@pytest.mark.parametrize(
    "make",
    [
        lambda: AutoencoderSettings(name="x", dimension=True),
        lambda: AutoencoderSettings(name="x", epochs=0),
        lambda: AutoencoderSettings(name="x", random_state=-1),
        lambda: FinetuneSettings(name="X"),
        lambda: FinetuneSettings(name="x", batch_size=1.5),
        lambda: AutoencoderSettings(name="x", learning_rate=-1),
        lambda: AutoencoderSettings(name="x", learning_rate=np.complex64(0.1)),
        lambda: AutoencoderSettings(name="x", held_out="half"),
        lambda: FinetuneSettings(name="x", learning_rate=float("nan")),
        lambda: FinetuneSettings(name="x", size="64"),
        lambda: FinetuneSettings(name="x", frozen_epochs="1"),
        lambda: FinetuneSettings(name="x", balance=None),
        lambda: FinetuneSettings(name="x", test=1),
        lambda: FinetuneSettings(name="x", validation=True),
        lambda: FinetuneSettings(name="x", per_class=1.5),
        lambda: FinetuneSettings(name="x", base="resnet50", weights=3),
    ],
)
def test_settings_are_checked_at_the_door(make):
    with pytest.raises(InvalidInputError, match="expected"):
        make()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((None,), "settings is None; expected a lookalike.AutoencoderSettings or a lookalike.Fine"),
        ((AutoencoderSettings(name="x"), None, 3), "running is 3; expected a lookalike.Running"),
        ((AutoencoderSettings(name="x"), "table.csv"), "an autoencoder learns without"),
        ((FinetuneSettings(name="x"), 3), "labels is 3; expected a path"),
    ],
)
def test_training_is_asked_for_in_the_right_types(indexed, arguments, expected):
    with pytest.raises(InvalidInputError, match=expected):
        Collection.open(indexed).models.train(*arguments)
