"""``lookalike labels``: labels given by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from lookalike.cli.console import print_json, say, tell
from lookalike.cli.locate import open_named, open_near
from lookalike.cli.options import CollectionOption, Output
from lookalike.cli.sets import ImagesArgument, named_images, tell_change
from lookalike.system.wording import count_images


def list_(*, collection: CollectionOption = None, output: Output) -> None:
    """List the labels that were given by hand, and how many images have each."""
    counts = open_named(collection).labels.counts()
    if output.json:
        print_json({"labels": dict(counts)})
        return
    for label, count in counts.items():
        say(label, count_images(count))
    if not counts and not output.quiet:
        tell("no labels were given by hand; for example: lookalike labels give owl night.jpg")


def give(
    *,
    label: Annotated[str, typer.Argument(metavar="LABEL", help="What they are to be called.")],
    images: ImagesArgument,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Give images a label; it goes before that of their folder."""
    names = named_images(images)
    tell_change(open_near(names, collection).labels.give(names, label), output)


def remove(*, images: ImagesArgument, collection: CollectionOption = None, output: Output) -> None:
    """Take away the labels that images were given by hand; those of their folders show again."""
    names = named_images(images)
    tell_change(open_near(names, collection).labels.remove(names), output)
