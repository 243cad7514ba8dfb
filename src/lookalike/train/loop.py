"""The training loop: one for every network, on the processor and on a GPU.

An epoch is a pass over the images in an order of its own, then the loss on those held out. The weights that
are kept are those of the lowest held-out loss. Every minute a checkpoint holds all that the rest depends on:
weights, the optimiser's moments, the scale of half-precision gradients, torch's random state, the epoch and
the batch in it, and the sums so far. Orders and augmentations are drawn from the seed, epoch and row, so that
they need no state. A run that was killed goes on from there and ends, on a processor, with the same numbers
as one that was not.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import torch

from lookalike.errors import ModelConflictError, ModelInputError, ModelResourceError
from lookalike.hints import Hint
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.train.allocation import memory_kept
from lookalike.train.batches import Batch
from lookalike.train.interruption import interrupt_awaited
from lookalike.train.progress import Epoch, Result, TrainingProgress
from lookalike.train.run_folder import RunFolder
from lookalike.train.schedule import Schedule
from lookalike.train.split import Rows

_LEAST_GAIN = 1e-3  # share of the held-out loss; less is no progress
_REPORT_SECONDS = 0.2  # reading the loss makes a GPU wait


class Learner(Protocol):
    """A network with what it is to learn."""

    network: torch.nn.Module
    """All that has weights, those of the loss included."""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return torch's parameter groups; ``factor`` scales the learning rate of one."""
        ...

    def begin_epoch(self, epoch: int) -> None:
        """Put the network into the mode in which it learns, and freeze what rests in this epoch."""
        ...

    def loss(self, pixels: torch.Tensor, rows: Rows) -> torch.Tensor:
        """Return the mean loss of a batch, (b, side, side, 3) uint8, whose images have these rows."""
        ...


class Feed(Protocol):
    """Where the batches come from."""

    def order(self, epoch: int) -> Rows:
        """Return the rows of an epoch."""
        ...

    def train(self, order: Rows, epoch: int) -> Generator[Batch]:
        """Read those rows, as they are to be learned from in this epoch."""
        ...

    def held_out(self) -> Generator[Batch]:
        """Read the rows that are never learned from."""
        ...

    n_held_out: int


def fit(
    learner: Learner,
    feed: Feed,
    schedule: Schedule,
    run: RunFolder,
    device: torch.device,
    watch: Watch = UNWATCHED,
    mixed_precision: bool | None = None,
) -> Result:
    """Train a network, or go on with it where the run's checkpoint says.

    Parameters
    ----------
    learner : Learner
        Its network is brought to the device, and ends with the best weights.
    feed : Feed
    schedule : Schedule
    run : RunFolder
    device : torch.device
    watch : Watch
        Told of the `TrainingProgress`, a few times a second at most.
    mixed_precision : bool, optional
        Whether the products are taken in half precision; on an Nvidia GPU, by default.

    Raises
    ------
    ModelError
        If memory does not suffice, the loss is no longer a number, or no image can be read.
    CancelledError, KeyboardInterrupt
        When it is cancelled, or for Ctrl-C, once the step under way and a checkpoint are done.
    """
    with (
        _clear_about_memory(schedule.batch_size, device),
        memory_kept(),
        interrupt_awaited() as is_interrupted,
    ):
        is_mixed = device.type == "cuda" if mixed_precision is None else mixed_precision
        arithmetic = _Arithmetic(device, is_mixed)
        loop = _Loop(learner, feed, schedule, run, arithmetic, watch, is_interrupted)
        loop.restore()
        return loop.run()


@dataclass(frozen=True, slots=True)
class _Arithmetic:
    """Where it is computed, and whether products are taken in half precision."""

    device: torch.device
    is_mixed: bool

    @property
    def half(self) -> torch.dtype:
        """The kind of number that half precision is here."""
        kind = self.device.type
        has_bfloat = kind == "cpu" or (kind == "cuda" and torch.cuda.is_bf16_supported())
        return torch.bfloat16 if has_bfloat else torch.float16


class _Loop:
    """A training under way."""

    def __init__(
        self,
        learner: Learner,
        feed: Feed,
        schedule: Schedule,
        run: RunFolder,
        arithmetic: _Arithmetic,
        watch: Watch,
        is_interrupted: Callable[[], bool],
    ) -> None:
        self.is_interrupted = is_interrupted
        self.learner, self.feed, self.schedule, self.folder = learner, feed, schedule, run
        self.device, self.watch = arithmetic.device, watch
        # Channels last: what convolutions on processors and GPUs are quickest with.
        learner.network.to(self.device, memory_format=torch.channels_last)
        groups = [
            {**group, "lr": schedule.learning_rate * group.get("factor", 1.0)}
            for group in learner.parameter_groups()
        ]
        self.rates = [group["lr"] for group in groups]
        self.optimiser = torch.optim.AdamW(groups, schedule.learning_rate, weight_decay=schedule.weight_decay)
        self.is_mixed, self.half = arithmetic.is_mixed, arithmetic.half
        needs_scale = self.is_mixed and self.half == torch.float16
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=needs_scale)
        self.epochs: list[Epoch] = []
        self.step = 0  # batches of the epoch under way that are done
        self.n_seen = 0  # their images
        self.total = torch.zeros((), device=self.device)  # the sum of their losses
        self.spent = 0.0  # seconds of this epoch before this process
        self.best_epoch = 0
        self.best_loss: float | None = None
        self.best: dict[str, torch.Tensor] = {}
        self.failed: dict[str, None] = {}  # in the order in which they came
        self.started = self.saved = self.told = self.epoch_began = time.monotonic()
        self.steps_here = 0  # done by this process
        self.steps_an_epoch = 1

    def run(self) -> Result:
        while not self._is_over():
            self._epoch(len(self.epochs))
        self.learner.network.load_state_dict(self.best)
        self.learner.network.eval()
        return Result(tuple(self.epochs), self.best_epoch, tuple(list(self.failed)[:10]), len(self.failed))

    def _is_over(self) -> bool:
        is_stale = len(self.epochs) - self.best_epoch >= self.schedule.patience
        return len(self.epochs) == self.schedule.epochs or (self.best_loss is not None and is_stale)

    def _is_late(self) -> bool:
        return time.monotonic() - self.saved >= self.schedule.checkpoint_seconds

    def _epoch(self, epoch: int) -> None:
        self.epoch_began = time.monotonic()
        order = self.feed.order(epoch)
        size = self.schedule.batch_size
        self.steps_an_epoch = -(-len(order) // size)
        self.learner.begin_epoch(epoch)
        batches = self.feed.train(order[self.step * size :], epoch)
        with contextlib.closing(batches):
            for batch in batches:
                self._learn(batch, epoch)
                self.step += 1
                self.steps_here += 1
                self._tell(epoch)
                # Not at the end of an epoch, of which the held-out loss is a part.
                if self._is_late() and self.step < self.steps_an_epoch:
                    self._save()
                self._end_if_stopped()
        if not self.n_seen:
            raise ModelConflictError(
                f"none of the images to learn from can be read: {next(iter(self.failed), 'none came')}"
            )
        loss = self._mean_loss(epoch)
        held_out = self._held_out_loss()
        seconds = self.spent + time.monotonic() - self.epoch_began
        self.epochs.append(Epoch(loss, held_out, seconds))
        is_best = held_out is None or self.best_loss is None or held_out < self.best_loss * (1 - _LEAST_GAIN)
        if is_best:
            self.best_epoch, self.best_loss = len(self.epochs), held_out
            self.best = {
                key: value.detach().to("cpu", copy=True)
                for key, value in self.learner.network.state_dict().items()
            }
        self.step = self.n_seen = 0
        self.total = torch.zeros((), device=self.device)
        self.spent = 0.0
        self.epoch_began = time.monotonic()
        if self._is_late() or self._is_over():
            self._save()

    def _end_if_stopped(self) -> None:
        if self.is_interrupted() or self.watch.is_cancelled:
            self._save()
            self.watch.check()
            raise KeyboardInterrupt

    def _learn(self, batch: Batch, epoch: int) -> None:
        self.failed.update(dict.fromkeys(batch.failed))
        if not len(batch.rows):
            return
        done = (epoch + (self.step + 0.5) / self.steps_an_epoch) / self.schedule.epochs
        for group, rate in zip(self.optimiser.param_groups, self.rates, strict=True):
            group["lr"] = rate * self.schedule.rate(done)
        loss = self._loss(batch)
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.total += loss.detach().float() * len(batch.rows)
        self.n_seen += len(batch.rows)

    def _loss(self, batch: Batch) -> torch.Tensor:
        pixels = torch.from_numpy(batch.pixels).to(self.device, non_blocking=True)
        with torch.autocast(self.device.type, self.half, enabled=self.is_mixed):
            return self.learner.loss(pixels, batch.rows)

    def _held_out_loss(self) -> float | None:
        if not self.feed.n_held_out:
            return None
        self.learner.network.eval()
        total, n = 0.0, 0
        batches = self.feed.held_out()
        with torch.no_grad(), contextlib.closing(batches):
            for batch in batches:
                self.failed.update(dict.fromkeys(batch.failed))
                if len(batch.rows):
                    total += float(self._loss(batch)) * len(batch.rows)
                    n += len(batch.rows)
                self._end_if_stopped()
        if not n:
            raise ModelConflictError(
                f"none of the held-out images can be read: {next(iter(self.failed), '')}"
            )
        return self._checked(total / n, len(self.epochs))

    def _mean_loss(self, epoch: int) -> float:
        """Return the mean loss of the epoch so far, once it is sure that it is a number."""
        return self._checked(float(self.total) / max(self.n_seen, 1), epoch)

    def _checked(self, loss: float, epoch: int) -> float:
        if not np.isfinite(loss):
            raise ModelInputError(
                f"in epoch {epoch + 1} the loss is no longer a number: the weights have run away",
                hint=Hint("slower", rate=self.schedule.learning_rate),
            )
        return loss

    def _tell(self, epoch: int) -> None:
        now = time.monotonic()
        if now - self.told < _REPORT_SECONDS and self.step < self.steps_an_epoch:
            return
        self.told = now
        left = (self.schedule.epochs - epoch) * self.steps_an_epoch - self.step
        self.watch.report(  # and no more: where it is to stop, what was learned is written down first
            TrainingProgress.of(
                epoch=epoch + 1,
                epochs=self.schedule.epochs,
                step=self.step,
                steps=self.steps_an_epoch,
                loss=self._mean_loss(epoch),
                held_out_loss=self.epochs[-1].held_out_loss if self.epochs else None,
                seconds_left=(now - self.started) / self.steps_here * left,
            )
        )

    def _save(self) -> None:
        self._mean_loss(len(self.epochs))
        self.folder.save(
            {
                "network": self.learner.network.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "scaler": self.scaler.state_dict(),
                "random": torch.get_rng_state(),
                "random_cuda": torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None,
                "epochs": [asdict(epoch) for epoch in self.epochs],
                "step": self.step,
                "n_seen": self.n_seen,
                "total": self.total,
                "spent": self.spent + time.monotonic() - self.epoch_began,
                "best_epoch": self.best_epoch,
                "best_loss": self.best_loss,
                "best": self.best,
                "failed": list(self.failed),
            }
        )
        self.saved = time.monotonic()

    def restore(self) -> None:
        """Take up the run's checkpoint, if there is one."""
        state = self.folder.load()
        if state is None:
            return
        try:
            self.learner.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.scaler.load_state_dict(state["scaler"])
            torch.set_rng_state(state["random"])
            if state["random_cuda"] is not None and self.device.type == "cuda":
                torch.cuda.set_rng_state(state["random_cuda"], self.device)
            self.epochs = [Epoch(**epoch) for epoch in state["epochs"]]
            self.step, self.n_seen, self.spent = state["step"], state["n_seen"], state["spent"]
            self.total = state["total"].to(self.device)
            self.best_epoch, self.best_loss = state["best_epoch"], state["best_loss"]
            self.best, self.failed = state["best"], dict.fromkeys(state["failed"])
        except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:100]
            raise ModelConflictError(
                f"the checkpoint in {self.folder.folder} is of another training ({reason})",
                hint=Hint("begin_again"),
            ) from error


@contextlib.contextmanager
def _clear_about_memory(batch_size: int, device: torch.device) -> Iterator[None]:
    """Say in one line that memory did not suffice, whatever torch calls that."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        is_memory = isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
            sign in str(error).lower() for sign in ("out of memory", "can't allocate memory", "bad_alloc")
        )
        if not is_memory:
            raise
        raise ModelResourceError(
            f"the memory of {device} does not suffice for {batch_size} images a batch",
            hint=Hint("smaller_batches", n=max(1, batch_size // 2)),
        ) from error
