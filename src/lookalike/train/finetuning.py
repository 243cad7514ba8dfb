"""Fine-tune a network on labelled images: like images of one class come to lie together."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.embed import LocalModel, Model, TrainedNetwork, fit_image
from lookalike.errors import CollectionConflictError
from lookalike.evaluate.measures import MOST_QUERIES
from lookalike.hints import Hint
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.train.augment import augment
from lookalike.train.bases import Base, Start, get_base
from lookalike.train.batches import Batch, first_pixels, read_batches
from lookalike.train.card import Card
from lookalike.train.device import choose_device, import_torch, made_with, seeded
from lookalike.train.images import TrainingImages
from lookalike.train.integer_form import N_IMAGES, integer_form, is_as_good
from lookalike.train.loss_functions import get_loss_function
from lookalike.train.measuring import measure_models
from lookalike.train.order import balanced
from lookalike.train.run_folder import RunFolder, RunImages
from lookalike.train.schedule import Schedule
from lookalike.train.settings import FinetuneSettings, Running
from lookalike.train.split import Rows, split_labelled
from lookalike.train.trained import Trained, check_agreement

if TYPE_CHECKING:
    from lookalike.train.backbone_network import Backbone

_WEIGHT_DECAY = 0.05
_GROUP = 4  # images of a class that come together, for a loss that compares them with each other
_DETAIL = 1.6  # how many times the pixels of a side a crop is taken from
_CHECKED = 8  # images on which ONNX and torch must agree


def finetune(
    images: TrainingImages,
    settings: FinetuneSettings,
    run: RunFolder,
    running: Running,
    watch: Watch = UNWATCHED,
) -> Trained:
    """Fine-tune a network, or go on with a run that is there.

    Parameters
    ----------
    images : TrainingImages
        With labels. A data set's own test split is the test part, and never learned from.
    settings : FinetuneSettings
    run : RunFolder
    running : Running
    watch : Watch

    Returns
    -------
    Trained
        Its card compares it with the network that it was made of.

    Raises
    ------
    ModelError
        If torch or the weights are missing, the device or memory does not suffice, or the run that is there
        is damaged or was begun with other settings.
    CollectionError
        If the images do not suffice, or are of one class only.
    """
    import_torch()
    device = choose_device(running.device)
    base = get_base(settings.base)
    start = base.read(settings.weights, watch)
    with run.held(), seeded(settings.random_state, running.jobs):
        from lookalike.train.finetuned_network import FinetunedNetwork, FinetuneLearner
        from lookalike.train.loop import fit
        from lookalike.train.memory import check_memory, free_memory_of

        # Not where the file of the weights lies, but what is in it, must be the same.
        n_frozen = settings.n_frozen_epochs
        asked = {
            "kind": "finetune",
            **asdict(settings),
            "frozen_epochs": n_frozen,
            "weights": start.sha256,
            "labels": images.asked_labels,
        }
        there = None if running.restart else run.resume(asked)
        source = images.labels_from
        if there is None:
            chosen = _choose(images, settings)
        else:
            chosen, found = there
            source = found["source"]  # more may be indexed, and labelled otherwise, by now
        images = images.only(chosen.ids)
        names, classes = np.unique(np.asarray(chosen.labels, str), return_inverse=True)
        size = settings.size or base.model.size
        backbone = base.network(size)
        backbone.take(start.weights)
        network = FinetunedNetwork(backbone, settings.loss, len(names))
        schedule = Schedule(
            settings.epochs,
            settings.batch_size,
            settings.learning_rate,
            _WEIGHT_DECAY,
            settings.patience,
            warm_up=0.05,
            checkpoint_seconds=running.checkpoint_seconds,
        )
        check_memory(network, size, schedule.batch_size, free_memory_of(device))
        if there is None:  # only now, so that a request that cannot be met ends no earlier run
            run.begin(asked, {"source": source}, chosen)
        name = settings.model_name
        seen = _network(base, start, name, "", size, b"").as_model().model
        feed = _Feed(images, chosen, classes, seen, settings, running.jobs)
        learner = FinetuneLearner(network, classes, n_frozen)
        result = fit(learner, feed, schedule, run, device, watch)

        watch.say("checking", "checking the model")
        n_train = len(chosen.split.train)
        title = f"{start.title}, fine-tuned on {n_train:,} images of {len(names):,} classes"
        made = _network(base, start, name, title, size, base.build(backbone.give(), size))
        local, integer = made.as_model(), None
        _check(backbone, local, feed)
        if base.has_integer_form:
            watch.say("rounding", "making its 8-bit form")
            learned = _draw(chosen.split.train, N_IMAGES, settings.random_state)
            integer = integer_form(made, first_pixels(feed.plain(learned), N_IMAGES))
        watch.say("measuring", "measuring it against what it was made of")
        tested = chosen.split.test
        tested = np.sort(_draw(tested, MOST_QUERIES, settings.random_state))
        own = base.model.size
        before = _network(base, start, base.model.name, start.title, own, base.build(start.weights, own))
        forms = [before.as_model(), local, *([] if integer is None else [integer])]
        compared = [form.open() for form in forms]
        measured = measure_models(images, tested, classes[tested], compared, running.jobs, watch)
        card = Card(
            model=name,
            title=title,
            dimension=local.model.dimension,
            metric=local.model.metric,
            size=size,
            made_with=made_with(device),
            settings={
                **asdict(settings),
                "frozen_epochs": n_frozen,
                "size": size,
                "weights": start.source,
            },
            images={part: len(rows) for part, rows in chosen.split.parts().items()},
            classes=len(names),
            labels=source,
            epochs=result.epochs,
            best_epoch=result.best,
            measures=measured.values,
            queries=measured.queries,
            unreadable=result.n_failed,
            failures=result.failed,
            int8=None if integer is None else integer.model.name,
            is_int8_used=integer is not None and is_as_good(measured.values, name),
        )
        return Trained(local, card, chosen, integer=integer)


def _draw(rows: Rows, most: int, seed: int) -> Rows:
    """Return some rows drawn at random; all, in their order, where they are no more."""
    if len(rows) <= most:
        return rows
    drawn: Rows = np.random.default_rng((seed, 3)).choice(rows, most, replace=False)
    return drawn


def _choose(images: TrainingImages, settings: FinetuneSettings) -> RunImages:
    """Return the images of a new run."""
    assert images.labels is not None
    _, classes, counts = np.unique(np.asarray(images.labels, str), return_inverse=True, return_counts=True)
    kept = np.flatnonzero(counts[classes] >= settings.min_images)
    if not len(kept):
        raise CollectionConflictError(
            f"no class has {settings.min_images:,} images, the largest {counts.max(initial=0):,}",
            hint=Hint("fewer_a_class"),
        )
    labels = [images.labels[row] for row in kept.tolist()]
    split = split_labelled(
        labels,
        None if images.is_test is None else images.is_test[kept],
        settings.test,
        settings.per_class,
        settings.validation,
        settings.random_state,
    )
    learned = [labels[row] for row in split.train.tolist()]
    if get_loss_function(settings.loss).compares_images and len(set(learned)) == len(learned):
        raise CollectionConflictError(
            f"no class has two images to learn from, which the {settings.loss} loss compares with each other",
            hint=Hint("another_loss"),
        )
    return RunImages(images.ids[kept], labels, split)


class _Feed:
    """Batches to learn from, changed by chance; and batches held out, as they are."""

    def __init__(
        self,
        images: TrainingImages,
        chosen: RunImages,
        classes: npt.NDArray[np.int64],
        model: Model,
        settings: FinetuneSettings,
        jobs: int,
    ) -> None:
        self._split, self._settings, self._model, self._classes = chosen.split, settings, model, classes
        self._group = _GROUP if get_loss_function(settings.loss).compares_images else 1
        self._read = partial(read_batches, images, batch_size=settings.batch_size, jobs=jobs)
        self.n_held_out = len(chosen.split.validation)

    def order(self, epoch: int) -> Rows:
        return self._order(self._split.train, epoch, self._settings.balance)

    def _order(self, rows: Rows, epoch: int, balance: float) -> Rows:
        seed = self._settings.random_state
        return balanced(rows, self._classes[rows], seed, epoch, balance, self._group)

    def train(self, order: Rows, epoch: int) -> Generator[Batch]:
        size, seed = self._model.size, self._settings.random_state
        return self._read(
            order,
            prepare=lambda image, row: augment(image, size, np.random.default_rng((seed, 4, epoch, row))),
            shorter_side=round(size * _DETAIL),
        )

    def held_out(self) -> Generator[Batch]:
        # The same order each time, so that losses which compare images with each other can be compared.
        return self.plain(self._order(self._split.validation, 0, balance=0.0))

    def plain(self, rows: Rows) -> Generator[Batch]:
        """Read images as a search does."""
        return self._read(
            rows,
            prepare=lambda image, row: fit_image(image, self._model),
            shorter_side=self._model.resize,
        )

    @property
    def checked(self) -> Rows:
        """Rows to try the exported graph on: the first that can be read."""
        return np.concatenate([self._split.test, self._split.validation, self._split.train])


def _network(base: Base, start: Start, name: str, title: str, size: int, graph: bytes) -> TrainedNetwork:
    return TrainedNetwork(
        name=name,
        title=title,
        graph=graph,
        size=size,
        resize=round(size * base.model.resize / base.model.size),
        dimension=base.model.dimension,
        metric=base.model.metric,
        licence=start.licence,
        fit="crop",
    )


def _check(backbone: Backbone, local: LocalModel, feed: _Feed) -> None:
    import torch

    pixels = first_pixels(feed.plain(feed.checked), _CHECKED)
    with torch.no_grad():
        features = backbone.cpu().eval()(torch.from_numpy(pixels))
    check_agreement(local, pixels, features.numpy())
