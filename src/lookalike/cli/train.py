"""``lookalike train``: networks that learn from the collection's own images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.cli.console import print_json, relative, say, watched
from lookalike.cli.hints import advise
from lookalike.cli.locate import open_named
from lookalike.cli.option_groups import Fields
from lookalike.cli.options import CollectionOption, Output, Picture, drawing_of, given, option
from lookalike.system.wording import count_images, count_of
from lookalike.train.base_networks import BASE_NETWORKS
from lookalike.train.loss_functions import LOSS_FUNCTIONS
from lookalike.train.settings import AutoencoderSettings, FinetuneSettings, Running

if TYPE_CHECKING:
    from lookalike.results.models import TrainedModel

_DETAILS = "How it learns"
_IMAGES = "What it learns from"


def _detail(help: str, **told: Any) -> Any:  # noqa: A002
    return typer.Option(help=help, rich_help_panel=_DETAILS, **told)


def _image(help: str, **told: Any) -> Any:  # noqa: A002
    return typer.Option(help=help, rich_help_panel=_IMAGES, **told)


Name = Annotated[str, typer.Option(metavar="NAME", help="What to call it: small letters, digits, - and _.")]
Epochs = Annotated[int, _detail("Passes over the images, at most.", min=1, metavar="N")]
Patience = Annotated[
    int,
    _detail(
        "Stop after so many epochs in which the loss on held-out images has not fallen.", min=1, metavar="N"
    ),
]
Rate = Annotated[float, _detail("How fast, at most.", metavar="RATE")]
Seed = Annotated[
    int,
    typer.Option(
        "--random-state",
        "--seed",
        min=0,
        metavar="SEED",
        help="The same number draws the same split, weights and order.",
        rich_help_panel=_DETAILS,
    ),
]

_AUTOENCODER = Fields(
    name=Name,
    dimension=Annotated[int, typer.Option(min=1, metavar="N", help="Numbers in a code.")],
    metric=Annotated[str, typer.Option(metavar="cosine|euclidean", help="How codes are compared.")],
    size=Annotated[
        int | None,
        option(
            "Pixels a side that it sees: 4 to 7 times a power of two, at most 512; by default what half of"
            " the images fill.",
            metavar="SIDE",
        ),
    ],
    epochs=Epochs,
    batch_size=Annotated[
        int | None,
        _detail(
            "Images a step; chosen by the size and number of the images by default.",
            min=1,
            metavar="N",
            show_default=False,
        ),
    ],
    learning_rate=Rate,
    patience=Patience,
    held_out=Annotated[float, _image("The share of the images that is never learned from.", metavar="SHARE")],
    random_state=Seed,
)
_FINETUNE = Fields(
    name=Name,
    base=Annotated[
        str,
        typer.Option(
            metavar="MODEL", help=f"What to go on with: {', '.join(row.name for row in BASE_NETWORKS)}."
        ),
    ],
    weights=Annotated[
        Path | None,
        option(
            "resnet50's weights; by default those of the Hugging Face hub, fetched once.",
            metavar="FILE.safetensors",
        ),
    ],
    loss=Annotated[
        str,
        _detail(
            f"What makes images of a class alike: {', '.join(row.name for row in LOSS_FUNCTIONS)}.",
            metavar="KIND",
        ),
    ],
    size=Annotated[
        int | None, option("Pixels a side that it sees; that of the base by default.", metavar="SIDE")
    ],
    epochs=Epochs,
    frozen_epochs=Annotated[
        int | None,
        _detail(
            "In the first so many epochs, only the last third of the network learns; 2, as far as there are"
            " so many, by default.",
            min=0,
            metavar="N",
            show_default=False,
        ),
    ],
    batch_size=Annotated[int, _detail("Images a step.", min=1, metavar="N")],
    learning_rate=Rate,
    patience=Patience,
    balance=Annotated[float, _image("0 shows every image equally often, 1 every class.", metavar="SHARE")],
    test=Annotated[
        float,
        _image(
            "How many images of each class are only measured with. A data set's own test split is taken"
            " instead.",
            metavar="SHARE",
        ),
    ],
    per_class=Annotated[
        int | None,
        _image(
            "Instead: learn from so many images of each class, and measure with the others.",
            min=1,
            metavar="N",
            show_default=False,
        ),
    ],
    validation=Annotated[
        float,
        _image(
            "How many of the images to learn from tell when to stop instead; 0 for none.", metavar="SHARE"
        ),
    ],
    min_images=Annotated[int, _image("Leave out classes of fewer images.", min=1, metavar="N")],
    random_state=Seed,
)


@dataclass(frozen=True, slots=True)
class Run:
    """How a training is run."""

    device: Annotated[
        str | None,
        option(
            "Where torch computes: cpu, cuda, cuda:1 or mps. By default a GPU that it can use, else the"
            " processor.",
            metavar="DEVICE",
        ),
    ] = None
    jobs: Annotated[
        int | None,
        option(
            "Threads that decode, and that torch computes with; by default the number of cores.",
            "-j",
            "--jobs",
            metavar="N",
            min=1,
        ),
    ] = None
    restart: Annotated[
        bool,
        typer.Option("--restart", help="Begin again, instead of going on where a training was cut off."),
    ] = False


def autoencoder(
    *,
    settings: Annotated[AutoencoderSettings, _AUTOENCODER],
    run: Run,
    picture: Annotated[Picture, drawing_of("Also save held-out images beside what it makes of them")],
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Train an autoencoder, which needs no labels: its codes become the model autoencoder-NAME.

    One that was cut off goes on where it was with the same command.
    """
    picture.check_drawn()
    made = _train(collection, settings, None, run, output)
    picture.save_drawn(made.trained.draw_examples)


def finetune(
    *,
    settings: Annotated[FinetuneSettings, _FINETUNE],
    labels: Annotated[
        str | None,
        _image(
            "A table with the columns path and label, or a clustering whose clusters have names; by default"
            " the names of folders.",
            metavar="FILE.csv|CLUSTERING",
            show_default=False,
        ),
    ] = None,
    run: Run,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Fine-tune a network on labelled images, as the model BASE-NAME.

    One that was cut off goes on where it was with the same command.
    """
    _train(collection, settings, labels, run, output)


def _train(
    at: Path | None,
    settings: AutoencoderSettings | FinetuneSettings,
    labels: str | None,
    run: Run,
    output: Output,
) -> TrainedModel:
    """Train, embed the collection with what came of it, and say so."""
    collection = open_named(at)
    with watched(quiet=output.quiet) as watch:
        made = collection.models.train_and_embed(settings, labels, Running(**given(run)), **watch.told)
    if output.json:
        print_json(made.to_dict(relative, advise))
    elif not output.quiet:
        _print_summary(made)
    return made


def _print_summary(made: TrainedModel) -> None:
    from lookalike.train.card import NOT_MEASURED

    card = made.trained.card
    held_out = "" if card.held_out_loss is None else f", held-out loss {card.held_out_loss:.5f}"
    epochs = count_of(len(card.epochs), "epoch")
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
    if card.int8 is not None and not card.is_int8_used:
        say(f"{card.int8} finds less well, and is not used")
    say(f"{made.synced.embedded:,} images embedded: search --model {card.used}")
    say(f"all about it: {relative(str(made.card_file))}")
