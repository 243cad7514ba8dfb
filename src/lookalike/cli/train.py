"""``lookalike train``: networks that learn from the collection's own images."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.cli.console import (
    check_dark,
    print_json,
    printable,
    relative,
    save_picture,
    say,
    sync_progress,
)
from lookalike.cli.options import CollectionOption, DarkOption, JsonOption, QuietOption

if TYPE_CHECKING:
    from lookalike.collection import Collection
    from lookalike.train import (
        AutoencoderSettings,
        FinetuneSettings,
        Trained,
        TrainingProgress,
    )

_DETAILS = "How it learns"
_IMAGES = "What it learns from"

NameOption = Annotated[str, typer.Option(help="What to call it: small letters, digits, - and _.")]
EpochsOption = Annotated[
    int, typer.Option(min=1, help="Passes over the images, at most.", rich_help_panel=_DETAILS)
]
PatienceOption = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="N",
        help="Stop after so many epochs in which the loss on held-out images has not fallen.",
        rich_help_panel=_DETAILS,
    ),
]
RateOption = Annotated[float, typer.Option(help="How fast, at most.", rich_help_panel=_DETAILS)]
SeedOption = Annotated[
    int,
    typer.Option(
        "--random-state",
        "--seed",
        min=0,
        help="The same number draws the same split, weights and order.",
        rich_help_panel=_DETAILS,
    ),
]
RestartOption = Annotated[
    bool, typer.Option("--restart", help="Begin again, instead of going on where a training was cut off.")
]
TrainDeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="DEVICE",
        help="Where torch computes: cpu, cuda, cuda:1 or mps. By default a GPU that it can use, else the"
        " processor.",
        show_default=False,
    ),
]
TrainJobsOption = Annotated[
    int | None,
    typer.Option(
        "-j",
        "--jobs",
        min=1,
        help="Threads that decode, and that torch computes with; by default the number of cores.",
        show_default=False,
    ),
]


def autoencoder(
    name: NameOption,
    dimension: Annotated[int, typer.Option(min=1, metavar="N", help="Numbers in a code.")] = 32,
    metric: Annotated[
        str, typer.Option(metavar="cosine|euclidean", help="How codes are compared.")
    ] = "cosine",
    size: Annotated[
        int | None,
        typer.Option(
            metavar="SIDE",
            help="Pixels a side that it sees: 4 to 7 times a power of two, at most 512; by default what half"
            " of the images fill.",
            show_default=False,
        ),
    ] = None,
    collection: CollectionOption = None,
    epochs: EpochsOption = 50,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Images a step; chosen by the size and number of the images by default.",
            rich_help_panel=_DETAILS,
            show_default=False,
        ),
    ] = None,
    learning_rate: RateOption = 2e-3,
    patience: PatienceOption = 5,
    held_out: Annotated[
        float,
        typer.Option(
            metavar="SHARE", help="How many images are never learned from.", rich_help_panel=_IMAGES
        ),
    ] = 0.1,
    random_state: SeedOption = 0,
    device: TrainDeviceOption = "auto",
    jobs: TrainJobsOption = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also save held-out images beside what it makes of them (.png, .svg, .pdf, .jpg).",
            show_default=False,
        ),
    ] = None,
    dark: DarkOption = False,
    restart: RestartOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train an autoencoder, which needs no labels: its codes become the model autoencoder-NAME.

    Cut off, the same command goes on where it was.
    """
    from typing import cast

    from lookalike.plots import check_ending
    from lookalike.train import AutoencoderSettings
    from lookalike.types import Metric

    check_dark(dark, plot)
    if plot is not None:
        check_ending(plot)
    settings = AutoencoderSettings(
        name=name,
        dimension=dimension,
        metric=cast(Metric, metric),
        size=size,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        patience=patience,
        held_out=held_out,
        random_state=random_state,
    )
    trained = _train(collection, settings, None, device, jobs, restart, json, quiet)
    if plot is not None:
        save_picture(trained.draw_examples, plot, dark)


def finetune(
    name: NameOption,
    base: Annotated[
        str, typer.Option(metavar="MODEL", help="What to go on with: lite0, lite1, lite2 or resnet50.")
    ] = "lite0",
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.safetensors",
            help="resnet50's weights; by default those of the Hugging Face hub, fetched once.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.csv|CLUSTERING",
            help="A table with the columns path and label, or a clustering whose clusters have names; by"
            " default the names of folders.",
            rich_help_panel=_IMAGES,
            show_default=False,
        ),
    ] = None,
    loss: Annotated[
        str,
        typer.Option(
            help="What makes images of a class alike: normalised-softmax, contrastive or cross-entropy.",
            rich_help_panel=_DETAILS,
        ),
    ] = "normalised-softmax",
    size: Annotated[
        int | None,
        typer.Option(
            metavar="SIDE",
            help="Pixels a side that it sees; that of the base by default.",
            show_default=False,
        ),
    ] = None,
    collection: CollectionOption = None,
    epochs: EpochsOption = 20,
    frozen_epochs: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="In the first so many epochs, only the last third of the network learns; 2, as far as there"
            " are so many, by default.",
            rich_help_panel=_DETAILS,
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Images a step.", rich_help_panel=_DETAILS)] = 32,
    learning_rate: RateOption = 5e-4,
    patience: PatienceOption = 4,
    balance: Annotated[
        float,
        typer.Option(help="0 shows every image equally often, 1 every class.", rich_help_panel=_IMAGES),
    ] = 0.5,
    test: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="How many images of each class are only measured with. A data set's test split goes before.",
            rich_help_panel=_IMAGES,
        ),
    ] = 0.2,
    per_class: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Instead: learn from so many images of each class, and measure with the others.",
            rich_help_panel=_IMAGES,
            show_default=False,
        ),
    ] = None,
    validation: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="How many of the images to learn from tell when to stop instead; 0 for none.",
            rich_help_panel=_IMAGES,
        ),
    ] = 0.1,
    min_images: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Leave out classes of fewer images.", rich_help_panel=_IMAGES),
    ] = 1,
    random_state: SeedOption = 0,
    device: TrainDeviceOption = "auto",
    jobs: TrainJobsOption = None,
    restart: RestartOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Fine-tune a network on labelled images, as the model BASE-NAME.

    Cut off, the same command goes on where it was.
    """
    from lookalike.train import FinetuneSettings

    settings = FinetuneSettings(
        name=name,
        base=base,
        weights=weights,
        loss=loss,
        size=size,
        epochs=epochs,
        frozen_epochs=frozen_epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        patience=patience,
        balance=balance,
        test=test,
        per_class=per_class,
        validation=validation,
        min_images=min_images,
        random_state=random_state,
    )
    _train(collection, settings, labels, device, jobs, restart, json, quiet)


TRAININGS: dict[str, Callable[..., None]] = {"autoencoder": autoencoder, "finetune": finetune}


def _train(
    at: Path | None,
    settings: AutoencoderSettings | FinetuneSettings,
    labels: str | None,
    device: str,
    jobs: int | None,
    restart: bool,
    json: bool,
    quiet: bool,
) -> Trained:
    """Train, embed the collection with what came of it, and say so."""
    from lookalike.cli.locate import open_named
    from lookalike.system.cores import usable_cores
    from lookalike.train import Running

    collection = open_named(at)
    with _training_progress(quiet=quiet) as (report, tell):
        running = Running(device, jobs or usable_cores(), restart, report=report, say=tell)
        trained = collection.train(settings, labels, running)
    name = trained.card.model
    with sync_progress(quiet=quiet) as show:
        embedded = collection.sync(
            model=name, jobs=jobs, device="cpu" if device == "cpu" else "auto", report=show
        ).embedded
    if json:
        print_json(
            {**trained.card.document(), "embedded": embedded, "card": relative(str(_card(collection, name)))}
        )
    elif not quiet:
        _print_summary(collection, trained, embedded)
    return trained


def _card(collection: Collection, name: str) -> Path:
    return collection.folder / "models" / f"{name}.card.md"


def _print_summary(collection: Collection, trained: Trained, embedded: int) -> None:
    from lookalike.system.wording import count_images
    from lookalike.train.card import NOT_MEASURED

    card = trained.card
    held_out = "" if card.held_out_loss is None else f", held-out loss {card.held_out_loss:.5f}"
    epochs = "1 epoch" if len(card.epochs) == 1 else f"{len(card.epochs)} epochs"
    say(
        f"{card.model}: {card.title}; {epochs} in {card.seconds:,.0f} s, kept the weights of epoch"
        f" {card.best_epoch}{held_out}"
    )
    if card.classes is not None:
        say(f"{sum(card.images.values()):,} images have a label, from {card.labels}")
        if not card.measures:
            say(NOT_MEASURED)
    if card.unreadable:
        say(f"{count_images(card.unreadable)} could not be read:")
        for failure in card.failures:
            say(f"  {failure}")
    for model, found in card.measures.items():
        figures = "  ".join(f"{name} {value:.4f}" for name, value in found.items())
        say(f"{model} on {card.queries:,} images kept for it: {figures}")
    say(f"{embedded:,} images embedded: search --model {card.model}")
    say(f"all about it: {relative(str(_card(collection, card.model)))}")


@contextlib.contextmanager
def _training_progress(
    *, quiet: bool
) -> Iterator[tuple[Callable[[TrainingProgress], None], Callable[[str], None]]]:
    """Give two callbacks: one draws a bar with the losses and the time left, one says what else is done.

    On a terminal only.
    """
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda progress: None, lambda words: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[facts]}"))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Training", total=None, facts="")

        def report(progress: TrainingProgress) -> None:
            held_out = "" if progress.held_out_loss is None else f", held out {progress.held_out_loss:.4f}"
            left = "" if progress.seconds_left is None else f", about {_time(progress.seconds_left)} left"
            bar.update(
                task,
                description=f"Epoch {progress.epoch} of {progress.epochs}",
                total=progress.epochs * progress.steps,
                completed=(progress.epoch - 1) * progress.steps + progress.step,
                facts=f"loss {progress.loss:.4f}{held_out}{left}",
            )

        def tell(words: str) -> None:
            bar.update(task, description=printable(words[:1].upper() + words[1:]), facts="", total=None)

        yield report, tell


def _time(seconds: float) -> str:
    """Write a span of time.

    >>> _time(42), _time(200), _time(9000)
    ('42 s', '3 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
