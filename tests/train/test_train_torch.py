"""Training itself, which needs torch: it learns, goes on after a kill, and agrees with what it exports."""

import csv
import dataclasses
import itertools
import runpy
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: pip install 'lookalike[train]'")

from refusals import contents, fail  # noqa: E402

from lookalike import Collection  # noqa: E402
from lookalike.cli import main  # noqa: E402
from lookalike.embed import TrainedNetwork, get_model, read_packaged, resnet, unit_rows  # noqa: E402
from lookalike.embed.efficientnet_lite import VARIANTS, build  # noqa: E402
from lookalike.errors import CancelledError, CollectionError, ImageError, ModelError  # noqa: E402
from lookalike.system.progress import CancelToken, Watch  # noqa: E402
from lookalike.train import (  # noqa: E402
    AutoencoderSettings,
    FinetuneSettings,
    RunFolder,
    Running,
    TrainingImages,
    TrainingProgress,
    finetuning,
    train_autoencoder,
)
from lookalike.train import loop as loop_module  # noqa: E402
from lookalike.train.autoencoder_network import Autoencoder, AutoencoderLearner  # noqa: E402
from lookalike.train.autoencoder_shape import AutoencoderShape  # noqa: E402
from lookalike.train.bases import ResNetBase  # noqa: E402
from lookalike.train.device import choose_device, seeded  # noqa: E402
from lookalike.train.efficientnet_network import EfficientNetLite  # noqa: E402
from lookalike.train.finetuned_network import FinetunedNetwork, FinetuneLearner  # noqa: E402
from lookalike.train.interruption import interrupt_awaited  # noqa: E402
from lookalike.train.losses import make_loss  # noqa: E402
from lookalike.train.memory import bytes_an_image, check_memory  # noqa: E402
from lookalike.train.resnet_network import ResNet  # noqa: E402
from pictures import picture  # noqa: E402
from standin_models import document, resnet_tensors, safetensors_file, serve_hub, transformers_name  # noqa: E402

CPU = Running(device="cpu", jobs=1)


def waves(n=48, side=16):
    """Return grey images of waves, and how often each was read."""
    pixels = [np.asarray(picture(seed, side).convert("L")) for seed in range(n)]
    read: dict[int, int] = {}

    def open_(image):
        read[image] = read.get(image, 0) + 1
        return f"{image}.png", pixels[image]

    return TrainingImages(np.arange(n), open_), read


SETTINGS = AutoencoderSettings(name="waves", dimension=4, epochs=3, batch_size=16, learning_rate=0.01)


# The autoencoder


def test_autoencoder_learns_and_its_graph_agrees_with_torch(tmp_path):
    settings = dataclasses.replace(SETTINGS, epochs=12)
    trained = train_autoencoder(waves()[0], settings, RunFolder(tmp_path / "run"), CPU)
    card = trained.card
    assert card.epochs[-1].loss < 0.7 * card.epochs[0].loss
    assert card.held_out_loss == min(epoch.held_out_loss for epoch in card.epochs)
    assert (card.size, card.dimension, card.settings["channels"]) == (16, 4, 1)
    assert card.images == {"train": 43, "validation": 5, "test": 0}
    images, made = zip(*trained.examples, strict=True)
    assert np.shape(images) == np.shape(made) == (5, 16, 16, 3)
    # Directions are seen from the middle of the codes.
    learned = [waves()[0].open(row) for row in trained.images.split.train.tolist()]
    plain = dataclasses.replace(
        trained.local, model=dataclasses.replace(trained.local.model, metric="euclidean")
    )
    codes = plain.open().embed(np.stack([np.asarray(image) for image in learned]))
    np.testing.assert_allclose(codes.mean(axis=0), 0, atol=1e-3 * np.abs(codes).max())
    # What is drawn is what the loss is about.
    apart = np.subtract(images, made, dtype=float)[..., 0] / 255
    assert np.mean(apart**2) == pytest.approx(card.held_out_loss, rel=0.02)


@pytest.mark.parametrize("shape", [AutoencoderShape(28, 1, 5), AutoencoderShape(64, 3, 7)])
def test_decoder_mirrors_the_encoder(shape):
    network = Autoencoder(shape)
    images = torch.randint(0, 256, (2, shape.side, shape.side, 3), dtype=torch.uint8)
    assert network.encode(images).shape == (2, shape.dimension)
    assert (
        network(images).shape == network.picture(images).shape == (2, shape.channels, shape.side, shape.side)
    )


def test_held_out_and_test_images_teach_nothing(tmp_path):
    images, read = waves()
    is_test = np.arange(48) % 4 == 0
    images = dataclasses.replace(images, is_test=is_test)
    trained = train_autoencoder(images, SETTINGS, RunFolder(tmp_path / "run"), CPU)
    split = trained.images.split
    assert not set(read) & set(np.flatnonzero(is_test))  # not even opened
    # Gradients come from those of the training part alone: others could be anything.
    images, _ = waves()
    other = {row: np.full((16, 16), 255, np.uint8) for row in split.validation.tolist()}
    changed = TrainingImages(
        images.ids,
        lambda image: (str(image), other[image]) if image in other else images.read(image),
        is_test=is_test,
    )
    again = train_autoencoder(
        changed, dataclasses.replace(SETTINGS, patience=99), RunFolder(tmp_path / "other"), CPU
    )
    assert [epoch.loss for epoch in again.card.epochs] == [epoch.loss for epoch in trained.card.epochs]


class Killed(BaseException):
    pass


def die(*_):
    raise Killed


def killed_after(monkeypatch, steps):
    """Let the training be killed after so many steps, as a power cut would: without a last word."""
    learn = loop_module._Loop._learn
    left = iter(range(steps, -1, -1))

    def learn_or_die(self, batch, epoch):
        if not next(left, 1):
            raise Killed
        learn(self, batch, epoch)

    monkeypatch.setattr(loop_module._Loop, "_learn", learn_or_die)


@pytest.mark.parametrize("steps", [0, 1, 3, 4, 8])
def test_training_killed_at_any_step_ends_as_if_nothing_had_happened(tmp_path, monkeypatch, steps):
    whole = train_autoencoder(waves()[0], SETTINGS, RunFolder(tmp_path / "whole"), CPU)
    eager = dataclasses.replace(CPU, checkpoint_seconds=0)  # a checkpoint at each step
    run = RunFolder(tmp_path / "run")
    with monkeypatch.context() as patch:
        killed_after(patch, steps)
        with pytest.raises(Killed):
            train_autoencoder(waves()[0], SETTINGS, run, eager)
    torch.rand(7)  # what else draws must not matter
    resumed = train_autoencoder(waves()[0], SETTINGS, run, eager)
    strip = [dataclasses.replace(epoch, seconds=0) for epoch in whole.card.epochs]
    assert [dataclasses.replace(epoch, seconds=0) for epoch in resumed.card.epochs] == strip
    assert resumed.local.graph == whole.local.graph


def test_kill_loses_no_more_than_since_the_last_checkpoint(tmp_path, monkeypatch):
    run = RunFolder(tmp_path / "run")
    eager = dataclasses.replace(CPU, checkpoint_seconds=0)
    with monkeypatch.context() as patch:
        killed_after(patch, 7)  # in the third epoch of three steps each
        with pytest.raises(Killed):
            train_autoencoder(waves()[0], SETTINGS, run, eager)
    assert (len(run.load()["epochs"]), run.load()["step"]) == (2, 1)
    steps = []

    def tell(progress):
        if isinstance(progress, TrainingProgress):
            steps.append(progress.epoch)

    train_autoencoder(waves()[0], SETTINGS, run, CPU, Watch(tell))
    assert set(steps) == {3}


def test_kill_after_the_last_epoch_costs_no_epoch(tmp_path, monkeypatch):
    run = RunFolder(tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr("lookalike.train.autoencoder.build_encoder", die)
        with pytest.raises(Killed):
            train_autoencoder(waves()[0], SETTINGS, run, CPU)
    read = waves()
    train_autoencoder(read[0], SETTINGS, run, CPU)
    assert max(read[1].values()) == 1  # only to check the graph


@pytest.fixture
def default_handler():
    """Python's own, which a runner of tests may have replaced."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("during", ["_learn", "_loss"])  # `_loss` is computed for held-out images as well
@pytest.mark.parametrize("call", [1, 4, 8])
def test_interrupted_training_loses_nothing(tmp_path, monkeypatch, default_handler, during, call):
    whole = train_autoencoder(waves()[0], SETTINGS, RunFolder(tmp_path / "whole"), CPU)
    run = RunFolder(tmp_path / "run")
    done = getattr(loop_module._Loop, during)
    calls = itertools.count(1)

    def interrupted(self, *arguments):
        found = done(self, *arguments)
        if next(calls) == call:
            signal.raise_signal(signal.SIGINT)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(loop_module._Loop, during, interrupted)
        with pytest.raises(KeyboardInterrupt):
            train_autoencoder(
                waves()[0], SETTINGS, run, CPU
            )  # a checkpoint each minute, which none has come to
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert next(calls) == call + 1  # it ended at once
    state = run.load()
    assert len(state["epochs"]) * 3 + state["step"] == {"_learn": call, "_loss": call - call // 4}[during]
    assert train_autoencoder(waves()[0], SETTINGS, run, CPU).local.graph == whole.local.graph


@pytest.mark.parametrize("call", [1, 4, 8])
@pytest.mark.parametrize("during", ["_learn", "_loss"])
def test_cancelled_training_loses_nothing(tmp_path, monkeypatch, during, call):
    whole = train_autoencoder(waves()[0], SETTINGS, RunFolder(tmp_path / "whole"), CPU)
    run, token = RunFolder(tmp_path / "run"), CancelToken()
    done = getattr(loop_module._Loop, during)
    calls = itertools.count(1)

    def cancelled(self, *arguments):
        found = done(self, *arguments)
        if next(calls) == call:
            token.cancel()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(loop_module._Loop, during, cancelled)
        with pytest.raises(CancelledError):
            train_autoencoder(waves()[0], SETTINGS, run, CPU, Watch(cancel=token))
    assert next(calls) == call + 1  # it ended at once
    state = run.load()
    assert len(state["epochs"]) * 3 + state["step"] == {"_learn": call, "_loss": call - call // 4}[during]
    assert train_autoencoder(waves()[0], SETTINGS, run, CPU).local.graph == whole.local.graph


def test_training_that_is_stopped_at_any_report_goes_on_where_it_was(classes):
    settings = FinetuneSettings(name="patterns", size=32, epochs=2, frozen_epochs=1, batch_size=8)
    phases = []
    for n in range(1, 40):
        token, told = CancelToken(), []

        def tell(progress, token=token, told=told, n=n):
            told.append(progress.phase)
            if len(told) == n:
                token.cancel()

        try:
            classes.models.train_and_embed(settings, running=CPU, report=tell, cancel=token)
            break
        except CancelledError:
            phases.append(told[-1])
        except ModelError:  # it is trained; what is left is to embed with it
            assert classes.sync(model="lite0-patterns").embedded + len(classes) >= 16
            break
    assert "training" in phases
    assert "lite0-patterns" in classes.models


def test_second_interrupt_does_not_wait(default_handler):
    with pytest.raises(KeyboardInterrupt), interrupt_awaited() as is_interrupted:
        assert not is_interrupted()
        signal.raise_signal(signal.SIGINT)
        assert is_interrupted()
        signal.raise_signal(signal.SIGINT)


def test_training_in_a_thread_leaves_signals_alone(tmp_path, default_handler):
    thread = threading.Thread(
        target=train_autoencoder, args=(waves()[0], SETTINGS, RunFolder(tmp_path / "run"), CPU)
    )
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_training_stops_once_held_out_images_gain_nothing(tmp_path):
    settings = dataclasses.replace(SETTINGS, epochs=50, patience=2, learning_rate=1e-9)
    trained = train_autoencoder(waves()[0], settings, RunFolder(tmp_path / "run"), CPU)
    assert len(trained.card.epochs) < 50
    assert len(trained.card.epochs) - trained.card.best_epoch == 2


def test_runaway_weights_are_told(tmp_path):
    settings = dataclasses.replace(SETTINGS, learning_rate=1e30)
    with pytest.raises(ModelError, match=r"no longer a number.*\n.*learning_rate below 1e"):
        train_autoencoder(waves()[0], settings, RunFolder(tmp_path / "run"), CPU)


def test_images_that_cannot_be_read_are_passed_over_and_counted(tmp_path):
    images, _ = waves()

    def read(image):
        if image % 7 == 0:
            raise ImageError(f"{image}.png", "the file is empty")
        return images.read(image)

    trained = train_autoencoder(TrainingImages(images.ids, read), SETTINGS, RunFolder(tmp_path / "run"), CPU)
    assert trained.card.unreadable == len(trained.card.failures) == 7
    assert "- 0.png: the file is empty\n" in trained.card.to_markdown().decode()


def test_colours_are_learned_where_there_are_any(tmp_path):
    pixels = [np.asarray(picture(seed, 20)) for seed in range(24)]
    images = TrainingImages(np.arange(24), lambda image: (str(image), pixels[image]))
    settings = dataclasses.replace(SETTINGS, epochs=1)
    card = train_autoencoder(images, settings, RunFolder(tmp_path / "run"), CPU).card
    assert (card.settings["channels"], card.size) == (3, 20)


def test_half_precision_takes_the_same_path(tmp_path):
    images, _ = waves()
    network = Autoencoder(AutoencoderShape(16, 1, 4))
    from lookalike.train import autoencoder
    from lookalike.train.run_folder import RunImages
    from lookalike.train.schedule import Schedule
    from lookalike.train.split import split_images

    chosen = RunImages(images.ids, None, split_images(48, None, 0.1, 0))
    schedule = Schedule(epochs=3, batch_size=16, learning_rate=0.01)
    feed = autoencoder._Feed(images, chosen, network.shape, schedule, 0, 1)
    run = RunFolder(tmp_path / "run")
    run.folder.mkdir()
    with seeded(0, 1):
        result = loop_module.fit(
            AutoencoderLearner(network), feed, schedule, run, torch.device("cpu"), mixed_precision=True
        )
    assert result.epochs[-1].loss < result.epochs[0].loss


# Memory and devices


def test_memory_that_does_not_suffice_is_told_before_anything_is_done():
    network = Autoencoder(AutoencoderShape(64, 3, 8))
    each = bytes_an_image(network, 64)
    # The first halving alone keeps three maps of 32 × 32 × 32 floats.
    assert 3 * 32**3 * 4 < each < 40e6
    check_memory(network, 64, 32, 100 * 10**9)
    with pytest.raises(
        ModelError, match=r"batches of 32 images of 64 × 64 pixels take about .*\ntake a batch_size of \d+"
    ):
        check_memory(network, 64, 32, 20 * each)
    with pytest.raises(ModelError, match="take a smaller size"):
        check_memory(network, 64, 32, 1000)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory"), torch.OutOfMemoryError()],
)
def test_memory_that_runs_out_later_is_told_in_one_line(error):
    expected = pytest.raises(
        ModelError, match=r"does not suffice for 8 images a batch\ntake a batch_size of 4"
    )
    with expected, loop_module._clear_about_memory(8, torch.device("cpu")):
        raise error


def test_device_that_is_not_there_is_told():
    assert choose_device("cpu").type == "cpu"
    with pytest.raises(ModelError, match="the device cuda:99 is not available"):
        choose_device("cuda:99")


# EfficientNet-Lite


@pytest.fixture(scope="module")
def lite0():
    return read_packaged(get_model("lite0").weights)


def as_model(graph, side, dimension):
    """Return the model of a graph that sees the middle of an image."""
    return TrainedNetwork(
        graph=graph,
        name="x",
        title="",
        size=side,
        resize=side,
        dimension=dimension,
        metric="cosine",
        licence="",
        fit="crop",
    ).as_model()


@pytest.mark.parametrize("side", [64, 75])
def test_torch_network_gives_the_vectors_of_the_onnx_graph(lite0, side):
    variant = dataclasses.replace(VARIANTS["lite0"], size=side)
    network = EfficientNetLite(variant).eval()
    network.take(lite0)
    images = np.stack([np.asarray(picture(seed, side)) for seed in range(3)])
    with torch.no_grad():
        found = unit_rows(network(torch.from_numpy(images)).numpy())
    graph = build(network.give(), variant)
    assert graph == build(lite0, variant)
    local = as_model(graph, side, 1280)
    np.testing.assert_allclose(found, local.open().embed(images), atol=1e-4)


def test_weights_of_another_network_are_told(lite0):
    network = EfficientNetLite(VARIANTS["lite1"])
    with pytest.raises(ModelError, match="not those of this network"):
        network.take(lite0)


def test_what_rests_does_not_change_and_statistics_never_do(lite0):
    backbone = EfficientNetLite(dataclasses.replace(VARIANTS["lite0"], size=32))
    backbone.take(lite0)
    network = FinetunedNetwork(backbone, "normalised-softmax", 2)
    learner = FinetuneLearner(network, np.array([0, 1]), frozen_epochs=1)
    optimiser = torch.optim.SGD([{**group, "lr": 0.1} for group in learner.parameter_groups()])
    pixels = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    for epoch, rests in ((0, True), (1, False)):
        before = backbone.give()
        before = {name: value.copy() for name, value in before.items()}
        learner.begin_epoch(epoch)
        optimiser.zero_grad(set_to_none=True)
        learner.loss(pixels, np.array([0, 1])).backward()
        optimiser.step()
        after = backbone.give()
        moved = {name for name in before if (before[name] != after[name]).any()}
        assert "_blocks.15._project_conv.weight" in moved
        assert ("_conv_stem.weight" in moved) is not rests
        assert ("_blocks.3._expand_conv.weight" in moved) is not rests
        assert not any("running" in name for name in moved)


# ResNet


TINY = resnet.Shape((1, 2), width=4)


@pytest.mark.parametrize("side", [64, 75])
def test_resnet_in_torch_gives_the_vectors_of_the_onnx_graph(side):
    weights = resnet.take_weights(resnet_tensors(TINY.depths, TINY.width), "x", TINY)
    network = ResNet(TINY).eval()
    network.take(weights)
    images = np.stack([np.asarray(picture(seed, side)) for seed in range(3)])
    with torch.no_grad():
        found = unit_rows(network(torch.from_numpy(images)).numpy())
    graph = resnet.build(network.give(), TINY, side)
    assert graph == resnet.build(weights, TINY, side)
    local = as_model(graph, side, TINY.dimension)
    np.testing.assert_allclose(found, local.open().embed(images), atol=1e-4)


def test_resting_blocks_of_a_resnet_do_not_change_and_statistics_never_do():
    backbone = ResNet(TINY)
    backbone.take(resnet_tensors(TINY.depths, TINY.width))
    before = {name: value.copy() for name, value in backbone.give().items()}
    optimiser = torch.optim.SGD(backbone.parameters(), lr=0.1)
    backbone.train()
    backbone.freeze(2)
    backbone(torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)).square().mean().backward()
    optimiser.step()
    moved = {name for name, value in backbone.give().items() if (before[name] != value).any()}
    learnable = ("conv1.weight", "bn1.weight", "bn1.bias", "conv3.weight", "bn3.bias")
    assert moved >= {f"layer2.1.{name}" for name in learnable}
    assert all(name.startswith("layer2.1.") and "running" not in name for name in moved)


# Losses


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    return random.normal(size=(6, 5)).astype(np.float32), np.array([0, 1, 0, 2, 1, 0])


def test_normalised_softmax_is_what_its_paper_says(batch):
    features, classes = batch
    loss = make_loss("normalised-softmax", 5, 3)
    directions = unit_rows(loss.directions.detach().numpy())
    scores = unit_rows(features) @ directions.T / 0.05
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    expected = -np.log(shares[np.arange(6), classes]).mean()
    found = loss(torch.from_numpy(features), torch.from_numpy(classes)).item()
    assert found == pytest.approx(expected, rel=1e-4)


def test_supervised_contrastive_is_what_its_paper_says(batch):
    features, classes = batch
    rows = unit_rows(features).astype(float)
    losses = []
    for i in range(6):
        others = [a for a in range(6) if a != i]
        alike = [p for p in others if classes[p] == classes[i]]
        if alike:
            below = sum(np.exp(rows[i] @ rows[a] / 0.1) for a in others)
            losses.append(-np.mean([np.log(np.exp(rows[i] @ rows[p] / 0.1) / below) for p in alike]))
    found = make_loss("contrastive", 5, 3)(torch.from_numpy(features), torch.from_numpy(classes))
    assert found.item() == pytest.approx(np.mean(losses), rel=1e-4)
    assert len(losses) == 5


def test_batch_without_two_of_a_class_teaches_a_contrastive_loss_nothing():
    for n in (1, 3):
        features = torch.randn(n, 5, requires_grad=True)
        loss = make_loss("contrastive", 5, 3)(features, torch.arange(n))
        loss.backward()
        assert loss.item() == 0
        assert not features.grad.any()


# Fine-tuning, in a collection


@pytest.fixture
def classes(tmp_path):
    """A collection of 2 classes of 8 pictures: waves, and their negatives."""
    for seed in range(8):
        for name in ("waves", "walls"):
            place = tmp_path / "photos" / name
            place.mkdir(parents=True, exist_ok=True)
            image = picture(seed, 40) if name == "waves" else picture(100 + seed, 2).resize((40, 40))
            image.save(place / f"{seed}.png")
    collection = Collection.create(tmp_path / "photos", "pixels-8-rgb")
    collection.sync()
    return collection


def document_rows(file):
    return list(csv.DictReader(file.read_text().splitlines()))


@pytest.mark.parametrize("loss", ["normalised-softmax", "contrastive", "cross-entropy"])
def test_finetuned_model_is_kept_with_its_card_and_searched_without_torch(classes, monkeypatch, loss):
    settings = FinetuneSettings(
        name="patterns", loss=loss, size=32, epochs=2, frozen_epochs=1, batch_size=8, test=0.4, validation=0.2
    )
    trained = classes.models.train(settings, running=CPU)
    assert trained.card.classes == 2
    assert trained.card.images == {"train": 8, "validation": 2, "test": 6}
    assert set(trained.card.measures) == {"lite0", "lite0-patterns", "lite0-patterns-int8"}
    assert set(trained.card.measures["lite0"]) == {"P@1", "mAP"}
    assert len(trained.card.epochs) == 2
    kept = {path.name for path in (classes.folder / "models").iterdir()}
    assert kept >= {f"lite0-patterns.{end}" for end in ("onnx", "json", "card.json", "card.md", "split.csv")}
    assert not (classes.folder / "training/lite0-patterns").exists()
    monkeypatch.setitem(sys.modules, "torch", None)
    again = Collection.open(classes.folder)
    assert again.sync(model="lite0-patterns").embedded == 16
    hits = again.search(classes.roots[0] / "waves/0.png", k=3, model="lite0-patterns").hits
    assert all(-1 <= hit.score <= 1 for hit in hits)


def test_a_model_is_trained_and_embeds_the_collection_at_once(classes):
    settings = FinetuneSettings(name="patterns", size=32, epochs=1, frozen_epochs=1, batch_size=8)
    told = []
    found = classes.models.train_and_embed(settings, running=CPU, report=told.append)
    assert (found.trained.card.model, found.synced.embedded) == ("lite0-patterns", 16)
    assert 16 in [progress.done for progress in told if progress.phase == "embedding"]
    assert found.card_file.read_text() == found.trained.card.to_markdown().decode()
    card = found.trained.card
    assert card.used in classes.models and len(classes.models.names()) == 2  # the other form has no vectors
    assert card.int8 == "lite0-patterns-int8" and card.used == (
        card.int8 if card.is_int8_used else card.model
    )
    assert len(classes.search(classes.roots[0] / "waves/0.png", k=3, model=card.used).hits) == 3
    assert classes.info().models == {"pixels-8-rgb": 16, card.used: 16}


def test_the_8_bit_form_gives_nearly_the_vectors_of_the_network(classes):
    settings = FinetuneSettings(name="patterns", size=64, epochs=2, frozen_epochs=1, batch_size=8)
    trained = classes.models.train(settings, running=CPU)
    assert trained.integer is not None
    again = Collection.open(classes.folder)  # as it is kept
    names = "lite0-patterns", "lite0-patterns-int8"
    assert [again.models.get(name).precision for name in names] == ["float32", "int8"]
    for name in names:
        again.sync(model=name)
    exact, rounded = (again.vectors(name)[1] for name in names)
    assert (exact * rounded).sum(axis=1).mean() > 0.98  # 0.989, of pictures of 64 pixels; of photos 0.997
    assert not np.array_equal(exact, rounded)


def test_what_a_kill_left_of_the_8_bit_form_is_written_again(classes, monkeypatch):
    settings = FinetuneSettings(name="patterns", size=32, epochs=1, frozen_epochs=1, batch_size=8)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr("lookalike.embed.registry.ModelRegistry.add_trained", die)
        classes.models.train(settings, running=CPU)
    assert classes.models.get("lite0-patterns-int8").precision == "int8"
    with pytest.raises(ModelError):
        classes.models.get("lite0-patterns")
    classes.models.train(settings, running=CPU)
    assert classes.models.get("lite0-patterns").precision == "float32"


def test_a_model_of_the_name_of_the_8_bit_form_is_not_written_over(classes):
    first = FinetuneSettings(name="patterns-int8", size=32, epochs=1, frozen_epochs=1, batch_size=8)
    classes.models.train(first, running=CPU)
    with pytest.raises(ModelError, match="there is a model lite0-patterns-int8 already"):
        classes.models.train(dataclasses.replace(first, name="patterns"), running=CPU)


def test_an_8_bit_form_that_finds_less_well_is_not_used(classes, monkeypatch):
    monkeypatch.setattr(finetuning, "is_as_good", lambda *given: False)
    settings = FinetuneSettings(name="patterns", size=32, epochs=1, frozen_epochs=1, batch_size=8)
    found = classes.models.train_and_embed(settings, running=CPU)
    assert found.trained.card.used == "lite0-patterns" and "lite0-patterns" in classes.info().models
    assert "it finds less well, and lite0-patterns is used" in found.card_file.read_text()


def test_labels_come_from_a_table_too(classes, tmp_path):
    table = tmp_path / "labels.csv"
    rows = [
        f"photos/{name}/{seed}.png,{'even' if seed % 2 else 'odd'}"
        for name in ("waves", "walls")
        for seed in range(6)
    ]
    table.write_text("path,label\n" + "\n".join([*rows, "photos/gone.png,even"]))
    settings = FinetuneSettings(name="odd", size=32, epochs=1, frozen_epochs=1, batch_size=8)
    card = classes.models.train(settings, labels=table, running=CPU).card
    assert sum(card.images.values()) == 12
    assert card.labels == f"{table}, 1 path of which not in this collection (photos/gone.png, say)"


def test_test_images_that_cannot_be_read_do_not_cost_the_training(classes):
    settings = FinetuneSettings(name="x", size=32, epochs=1, frozen_epochs=1, batch_size=8, test=0.5)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(finetuning, "_check", die)
        classes.models.train(settings, running=CPU)
    rows = document_rows(classes.folder / "training/lite0-x/split.csv")
    tested = {row["id"] for row in rows if row["part"] == "test"}
    images = classes.vectors()[0]
    for image in images:
        if f"{image.id:016x}" in tested and image.label == "walls":
            Path(image.path).write_bytes(b"")
    card = classes.models.train(settings, running=CPU).card
    assert (card.images["test"], card.queries) == (8, 4)
    assert card.measures["lite0"]["mAP"] == 1  # only waves are left


def test_training_goes_on_with_the_same_labels_only(classes, tmp_path):
    tables = []
    for name, rows in (("first", ("even", "odd")), ("second", ("odd", "even"))):
        table = tmp_path / f"{name}.csv"
        paths = [(seed, f"photos/{kind}/{seed}.png") for kind in ("waves", "walls") for seed in range(4)]
        table.write_text("path,label\n" + "".join(f"{path},{rows[seed % 2]}\n" for seed, path in paths))
        tables.append(table)
    settings = FinetuneSettings(name="x", size=32, epochs=1, frozen_epochs=1, batch_size=8)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(finetuning, "_check", die)
        classes.models.train(settings, tables[0], CPU)
    for other in (tables[1], None):
        with pytest.raises(
            ModelError, match=r"was begun with labels = '.*first.csv', not .*\n.*restart=True"
        ):
            classes.models.train(settings, other, CPU)
    assert classes.models.train(settings, tables[0], CPU).card.labels == str(tables[0])


def test_request_that_cannot_be_met_ends_no_earlier_run(classes, monkeypatch, capsys):
    monkeypatch.setattr("lookalike.train.split.FEWEST_IMAGES", 10)
    run = classes.folder / "training/autoencoder-x"
    settings = AutoencoderSettings(name="x", size=32, epochs=1)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr("lookalike.train.autoencoder.build_encoder", die)
        classes.models.train(settings, running=CPU)
    before = contents(run)
    assert "checkpoint.pt" in before
    words = ["train", "autoencoder", "--name", "x", "--size", "32", "--restart", "-c", classes.folder]
    assert "expected a number above 0" in fail(capsys, *words, "--learning-rate", "-1")
    monkeypatch.setattr("lookalike.train.memory.free_memory", lambda: 10**6)
    assert "take a smaller --size" in fail(capsys, *words, "--batch-size", "8")
    assert contents(run) == before


def test_loss_that_has_nothing_to_compare_is_told(classes):
    settings = FinetuneSettings(name="x", loss="contrastive", size=32, per_class=1)
    with pytest.raises(CollectionError, match="no class has two images to learn from, which the contrastive"):
        classes.models.train(settings, running=CPU)
    assert not (classes.folder / "training").exists()


def test_one_epoch_can_be_asked_for(classes, capsys):
    words = ["train", "finetune", "--name", "x", "--size", "32", "--epochs", "1", "-j", "1"]
    assert "1 epoch in" in succeed(capsys, [*words, "--device", "cpu", "-c", str(classes.folder)])


@pytest.fixture
def tiny_resnet(monkeypatch):
    """A ResNet with two stages in place of ResNet-50, and two sorts of files of the same weights."""
    pytest.importorskip("safetensors", reason="pip install 'lookalike[train]'")
    model = dataclasses.replace(get_model("resnet50"), dimension=TINY.dimension, size=64, resize=73)
    monkeypatch.setattr(finetuning, "get_base", lambda name: ResNetBase(model, TINY))
    tensors = resnet_tensors(TINY.depths, TINY.width)
    renamed = {
        transformers_name(name): value.astype(np.float16) if value.ndim else value
        for name, value in tensors.items()
    }
    halves = {name: value.astype(np.float16) if value.ndim else value for name, value in tensors.items()}
    return safetensors_file(halves), safetensors_file(renamed)


def resnet_words(collection, name, *more):
    words = ["train", "finetune", "--name", name, "--base", "resnet50", "--size", "32", "--epochs", "1"]
    words += ["--frozen-epochs", "0", "--batch-size", "8", "-j", "1", "--device", "cpu", *more]
    return [*words, "-c", str(collection.folder.parent)]


def succeed(capsys, words):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert not end.value.code
    return capsys.readouterr().out


def test_resnet_learns_from_a_file_of_weights_by_either_sort_of_names(
    classes, tiny_resnet, tmp_path, capsys, monkeypatch
):
    measures, graphs = [], []
    for name, content in zip(("ours", "theirs"), tiny_resnet, strict=True):
        file = tmp_path / f"{name}.safetensors"
        file.write_bytes(content)
        out = succeed(capsys, resnet_words(classes, name, "--weights", str(file)))
        assert f"ResNet-50 with the weights of {name}.safetensors, fine-tuned on" in out
        card = document(classes.folder / f"models/resnet50-{name}.card.json")
        assert set(card["measures"]) == {"resnet50", f"resnet50-{name}"}
        assert card["settings"]["weights"].startswith(f"{name}.safetensors, sha256 ")
        measures.append(card["measures"]["resnet50"])
        graphs.append((classes.folder / f"models/resnet50-{name}.onnx").read_bytes())
    assert measures[0] == measures[1]
    assert graphs[0] == graphs[1]
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    images, vectors = Collection.open(classes.folder).vectors("resnet50-ours")
    assert vectors.shape == (len(images), TINY.dimension)
    hits = Collection.open(classes.folder).search(
        classes.roots[0] / "waves/0.png", k=3, model="resnet50-ours"
    )
    assert len(hits.hits) == 3


def test_training_goes_on_with_the_same_weights_only(classes, tiny_resnet, tmp_path, capsys):
    file = tmp_path / "net.safetensors"
    file.write_bytes(tiny_resnet[0])
    words = resnet_words(classes, "x", "--weights", str(file))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(finetuning, "_check", die)
        main(words)
    moved = tmp_path / "moved.safetensors"
    file.rename(moved)
    other = resnet_tensors(TINY.depths, TINY.width, seed=1)
    file.write_bytes(safetensors_file(other))
    line = fail(capsys, *words)
    assert "was begun with weights = '" in line and "--restart" in line
    words[words.index(str(file))] = str(moved)  # where it lies does not matter
    assert "1 epoch" in succeed(capsys, words)


def test_weights_of_resnet_come_from_the_hub_once(classes, tiny_resnet, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LOOKALIKE_MODELS", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    before = contents(classes.folder)
    line = fail(capsys, *resnet_words(classes, "x"))
    assert "model.safetensors cannot be had from http://127.0.0.1:9" in line
    assert "lookalike models --fetch weights-resnet50 --to DIR" in line
    assert line.endswith("or name a file that you have with --weights")
    assert contents(classes.folder) == before
    with serve_hub() as served:
        served.publish("microsoft/resnet-50", {"model.safetensors": tiny_resnet[1]})
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        assert "weights-resnet50 is in" in succeed(capsys, ["models", "--fetch", "weights-resnet50"])
        asked = len(served.asked)
        out = succeed(capsys, resnet_words(classes, "x"))
        assert "ResNet-50, trained on ImageNet, fine-tuned on" in out
        assert len(served.asked) == asked
    card = document(classes.folder / "models/resnet50-x.card.json")
    assert card["settings"]["weights"].startswith("microsoft/resnet-50/model.safetensors, sha256 ")
    assert document(classes.folder / "models/resnet50-x.json")["licence"] == "Apache-2.0"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "there is no model file"),
        (b"half of", "is not a safetensors file, or is cut short"),
        (safetensors_file({"a": np.zeros(3)}), "does not hold a ResNet-50: its first tensor is a; expected"),
    ],
)
def test_weights_that_cannot_be_used_are_one_line(classes, tiny_resnet, tmp_path, capsys, content, expected):
    file = tmp_path / "net.safetensors"
    if content is not None:
        file.write_bytes(content)
    before = contents(classes.folder)
    line = fail(capsys, *resnet_words(classes, "x", "--weights", str(file)))
    assert str(file) in line
    assert expected in line
    assert contents(classes.folder) == before


# The command line


def test_autoencoder_from_the_command_line(tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    for seed in range(24):
        picture(seed, 20).save(tmp_path / f"photos/{seed}.png")
    collection = Collection.create(tmp_path / "photos", "pixels-8-rgb")
    collection.sync()
    words = ["train", "autoencoder", "--name", "waves", "--dimension", "4", "--epochs", "1", "-j", "1"]
    words += ["--device", "cpu", "-c", str(tmp_path / "photos")]
    # A checkpoint that was damaged is told, nothing is lost by it, and --restart goes on.
    run = collection.folder / "training/autoencoder-waves"
    before = contents(collection.folder)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr("lookalike.train.autoencoder.build_encoder", die)
        collection.models.train(AutoencoderSettings(name="waves", dimension=4, epochs=1), running=CPU)
    (run / "checkpoint.pt").write_bytes(b"half of")
    assert "is damaged" in fail(capsys, *words)
    left = {name: content for name, content in contents(collection.folder).items() if "training" not in name}
    assert left == before
    with pytest.raises(SystemExit) as end:
        main([*words, "--restart", "--plot", str(tmp_path / "made.png")])
    out = capsys.readouterr().out
    assert not end.value.code
    assert "autoencoder-waves: Autoencoder of 22 images, 20 × 20, in colour; 1 epoch" in out
    assert "24 images embedded: search --model autoencoder-waves" in out
    assert (tmp_path / "made.png").stat().st_size > 5000
    assert "there is a model autoencoder-waves already" in fail(capsys, *words)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (
            lambda photos: [(photos / f"walls/{seed}.png").unlink() for seed in range(8)],
            "have the label 'waves'",
        ),
        (
            lambda photos: [(photos / f"walls/{seed}.png").unlink() for seed in range(7)],
            "'walls' has only one",
        ),
    ],
)
def test_classes_that_do_not_suffice_are_one_line(classes, capsys, make, expected):
    make(classes.roots[0])
    classes.sync(prune=True)
    before = contents(classes.folder)
    line = fail(capsys, "train", "finetune", "--name", "x", "--size", "32", "-c", classes.folder)
    assert expected in line
    assert contents(classes.folder) == before
    assert "too few" not in line


def test_too_few_images_are_one_line(classes, capsys):
    before = contents(classes.folder)
    line = fail(capsys, "train", "autoencoder", "--name", "x", "-c", classes.folder)
    assert "there are 16 images to learn from; expected at least 20" in line
    assert contents(classes.folder) == before


@pytest.mark.parametrize("kind", ["autoencoder", "finetune"])
def test_too_little_memory_is_one_line(classes, capsys, monkeypatch, kind):
    for seed in range(8, 20):
        picture(seed, 40).save(classes.roots[0] / f"waves/{seed}.png")
    classes.sync()
    monkeypatch.setattr("lookalike.train.memory.free_memory", lambda: 10**6)
    before = contents(classes.folder)
    line = fail(capsys, "train", kind, "--name", "x", "--size", "32", "-c", classes.folder)
    assert "take a smaller --size" in line
    assert contents(classes.folder) == before
    assert not (classes.folder / "training").exists()


def test_example_goes_the_whole_way(tmp_path, monkeypatch, capsys):
    photos = tmp_path / "photos"
    photos.mkdir()
    for seed in range(24):
        picture(seed, 40).save(photos / f"{seed}.png")
    example = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "autoencoder_photos.py"))
    monkeypatch.setitem(example["main"].__globals__, "SIZE", 32)
    example["main"](photos, str(photos / "0.png"), epochs=1)
    printed = capsys.readouterr().out
    assert "k-means of the codes, k = 4" in printed
    by_file, by_address = (part.splitlines()[1:9] for part in printed.split("of cluster")[1:])
    assert by_file == by_address and len(set(by_file)) == 8
    assert not any("/0.png" in line for line in by_file)  # what was asked with
    for what in ("reconstructed", "map", "alike"):
        assert (tmp_path / f"photos-{what}.png").stat().st_size > 1000
