"""Train an autoencoder: its codes are vectors made for these very images, and no labels are needed."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from lookalike.embed import LocalModel, TrainedNetwork, fit_image
from lookalike.errors import (
    CollectionConflictError,
    ImageError,
    ModelConflictError,
)
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.train.autoencoder_graph import build_encoder
from lookalike.train.autoencoder_shape import AutoencoderShape, suit
from lookalike.train.batches import Batch, first_pixels, read_batches
from lookalike.train.card import Card
from lookalike.train.device import choose_device, import_torch, made_with, seeded
from lookalike.train.images import TrainingImages
from lookalike.train.order import shuffled
from lookalike.train.run_folder import RunFolder, RunImages
from lookalike.train.schedule import Schedule
from lookalike.train.settings import AutoencoderSettings, Running
from lookalike.train.split import Rows, split_images
from lookalike.train.trained import Trained, check_agreement
from lookalike.types import Metric, PixelArray, Vectors

if TYPE_CHECKING:
    from PIL.Image import Image

    from lookalike.train.autoencoder_network import Autoencoder

_LOOKED_AT = 64  # images whose size and colours decide on the network's shape
_EXAMPLES = 24
_AVERAGED = 2_000


def train_autoencoder(
    images: TrainingImages,
    settings: AutoencoderSettings,
    run: RunFolder,
    running: Running,
    watch: Watch = UNWATCHED,
) -> Trained:
    """Train an autoencoder, or go on with a run that is there.

    Parameters
    ----------
    images : TrainingImages
        Those of a data set's test split are not learned from.
    settings : AutoencoderSettings
    run : RunFolder
    running : Running
    watch : Watch

    Returns
    -------
    Trained
        The encoder as a model.

    Raises
    ------
    ModelError
        If torch is missing, the device or memory does not suffice, or the run that is there is damaged or was
        begun with other settings.
    CollectionError
        If there are too few images.
    """
    import_torch()
    device = choose_device(running.device)
    with run.held(), seeded(settings.random_state, running.jobs):
        from lookalike.train.autoencoder_network import Autoencoder, AutoencoderLearner
        from lookalike.train.loop import fit
        from lookalike.train.memory import check_memory, free_memory_of

        asked = {"kind": "autoencoder", **asdict(settings)}
        there = None if running.restart else run.resume(asked)
        if there is None:
            chosen, shape = _choose(images, settings, watch)
        else:
            chosen, found = there
            shape = AutoencoderShape(found["side"], found["channels"], settings.dimension)
        network = Autoencoder(shape)
        schedule = Schedule(
            settings.epochs,
            settings.batch_size or shape.batch_size(len(chosen.split.train)),
            settings.learning_rate,
            patience=settings.patience,
            checkpoint_seconds=running.checkpoint_seconds,
        )
        check_memory(network, shape.side, schedule.batch_size, free_memory_of(device))
        if there is None:  # only now, so that a request that cannot be met ends no earlier run
            run.begin(asked, {"side": shape.side, "channels": shape.channels}, chosen)
        feed = _Feed(images.only(chosen.ids), chosen, shape, schedule, settings.random_state, running.jobs)
        result = fit(AutoencoderLearner(network), feed, schedule, run, device, watch)
        watch.say("checking", "checking the model")
        card = Card(
            model=settings.model_name,
            title=f"Autoencoder of {len(chosen.split.train):,} images, "
            f"{shape.side} × {shape.side}, {'grey' if shape.channels == 1 else 'in colour'}",
            dimension=shape.dimension,
            metric=settings.metric,
            size=shape.side,
            made_with=made_with(device),
            settings={**asdict(settings), "batch_size": schedule.batch_size, "channels": shape.channels},
            images={part: len(rows) for part, rows in chosen.split.parts().items()},
            classes=None,
            labels="",
            epochs=result.epochs,
            best_epoch=result.best,
            unreadable=result.n_failed,
            failures=result.failed,
        )
        return _finish(network.cpu(), card, chosen, feed, watch)


def _choose(
    images: TrainingImages, settings: AutoencoderSettings, watch: Watch
) -> tuple[RunImages, AutoencoderShape]:
    """Return the images and the shape of a new run."""
    split = split_images(len(images), images.is_test, settings.held_out, settings.random_state)
    watch.say("looking", "looking at the images")
    return RunImages(images.ids, None, split), _shape_for(images, split.train, settings)


def _shape_for(images: TrainingImages, rows: Rows, settings: AutoencoderSettings) -> AutoencoderShape:
    """Choose a shape by some of the images: how large they are, and whether all are grey."""
    random = np.random.default_rng((settings.random_state, 2))
    shorter_sides, is_grey, reason = [], True, ""
    for row in random.choice(rows, min(_LOOKED_AT, len(rows)), replace=False).tolist():
        try:
            image = images.open(row)
        except ImageError as error:
            reason = str(error)
            continue
        shorter_sides.append(min(image.size))
        red, green, blue = (np.asarray(channel) for channel in image.reduce(_thinning(image)).split())
        is_grey = is_grey and bool((red == green).all() and (green == blue).all())
    if not shorter_sides:
        raise CollectionConflictError(f"none of the images to learn from can be read: {reason}")
    side = suit(shorter_sides) if settings.size is None else settings.size
    return AutoencoderShape(side, 1 if is_grey else 3, settings.dimension)


def _thinning(image: Image) -> int:
    return max(1, min(image.size) // 256)


class _Feed:
    """Batches of images as they are: no augmentation."""

    def __init__(
        self,
        images: TrainingImages,
        chosen: RunImages,
        shape: AutoencoderShape,
        schedule: Schedule,
        random_state: int,
        jobs: int,
    ) -> None:
        self._split = chosen.split
        self._random_state = random_state
        model = _as_model("", "", b"", shape, "cosine").model
        self._read = partial(
            read_batches,
            images,
            batch_size=schedule.batch_size,
            prepare=lambda image, row: fit_image(image, model),
            shorter_side=shape.side,
            jobs=jobs,
        )
        self.n_held_out = len(chosen.split.validation)

    def order(self, epoch: int) -> Rows:
        return shuffled(self._split.train, self._random_state, epoch)

    def train(self, order: Rows, epoch: int) -> Generator[Batch]:
        return self._read(order)

    def held_out(self) -> Generator[Batch]:
        return self._read(self._split.validation)

    def some_learned(self) -> Generator[Batch]:
        """Read some images learned from; their rows are in the order of ids, which is as good as chance."""
        return self._read(self._split.train[:_AVERAGED])


def _as_model(name: str, title: str, graph: bytes, shape: AutoencoderShape, metric: Metric) -> LocalModel:
    return TrainedNetwork(
        name=name,
        title=title,
        graph=graph,
        size=shape.side,
        resize=shape.side,
        dimension=shape.dimension,
        metric=metric,
        licence="",
        fit="squash",  # the whole image: what is cut off could not be reconstructed
    ).as_model()


def _finish(network: Autoencoder, card: Card, chosen: RunImages, feed: _Feed, watch: Watch) -> Trained:
    """Export the encoder, check it against torch, and reconstruct some held-out images."""
    import torch

    shape = network.shape
    weights = {key: value.numpy() for key, value in network.state_dict().items()}
    # Codes lie about any point that training found; directions mean something seen from their middle.
    middle = _mean_code(network, feed, watch)
    graph = build_encoder({**weights, "to_code.bias": weights["to_code.bias"] - middle}, shape)
    local = _as_model(card.model, card.title, graph, shape, card.metric)
    pixels = first_pixels(feed.held_out(), _EXAMPLES)
    with torch.no_grad():
        codes = network.encode(torch.from_numpy(pixels))
        pictures = (network.decode(codes) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    check_agreement(local, pixels, codes.numpy() - middle)
    examples = tuple(zip(pixels, _coloured(pictures), strict=True))
    return Trained(local, card, chosen, examples)


def _mean_code(network: Autoencoder, feed: _Feed, watch: Watch) -> Vectors:
    """Return the mean code of some images learned from: (dimension,)."""
    import torch

    with torch.no_grad():
        codes = [
            network.encode(torch.from_numpy(batch.pixels))
            for batch in watch.each(feed.some_learned())
            if len(batch.rows)
        ]
    if not codes:
        raise ModelConflictError(
            "none of the images learned from can be read any more; the same command goes on once they are"
            " there again"
        )
    mean: Vectors = torch.cat(codes).mean(dim=0).numpy()
    return mean


def _coloured(pictures: PixelArray) -> PixelArray:
    """Return (n, s, s, 1 or 3) as (n, s, s, 3)."""
    return np.broadcast_to(pictures, (*pictures.shape[:3], 3))
