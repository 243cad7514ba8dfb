"""``lookalike cluster`` with options and no command: it makes clusters.

What the options of other commands do here is how these commands were spelled before there were any; a line
says how it is spelled now.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from lookalike.cli import cluster as commands
from lookalike.cli.cluster_try import Trial, try_
from lookalike.cli.console import refuse_standard, say_spelling
from lookalike.cli.locate import open_named
from lookalike.cli.options import (
    ClusterChanges,
    ClusterMaking,
    CollectionOption,
    Output,
    Picture,
    flag_of,
    given,
    option,
    spelled,
)
from lookalike.cluster.algorithms import DEFAULT_ALGORITHM
from lookalike.collection.export.forms import DEFAULT_FORM, form_names
from lookalike.errors import InvalidInputError

_TRIED = ("algorithm", "k", "min_samples", "model", "random_state")


@dataclass(frozen=True, slots=True)
class Spellings:
    """Options that are commands now, and what they take along."""

    trial: Annotated[bool, typer.Option("--try", help="lookalike cluster try.")] = False
    list_: Annotated[bool, typer.Option("--list", help="lookalike cluster list.")] = False
    delete: Annotated[bool, typer.Option("--delete", help="lookalike cluster delete.")] = False
    export: Annotated[Path | None, option("lookalike cluster export.", metavar="DEST")] = None
    form: Annotated[str | None, option("Of an export.", "--as", metavar="|".join(form_names()))] = None


def cluster(
    *,
    making: ClusterMaking,
    changes: ClusterChanges,
    spellings: Spellings,
    name: Annotated[str | None, option("Of the clusters.", metavar="NAME")] = None,
    picture: Picture,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Make clusters, or do what a command does, as it was spelled before."""
    _refuse_mixtures(making, changes, spellings, name, picture)
    given_to_all: dict[str, Any] = {"c": collection, "json": output.json, "q": output.quiet}
    drawn = given(picture) | given_to_all
    if spellings.trial:
        trial = Trial(**{each: getattr(making, each) for each in _TRIED})
        try_(trial=trial, picture=picture, collection=collection, output=output)
        say_spelling("cluster --try", spelled("cluster", "try", **given(trial), **drawn))
        return
    if spellings.list_:
        commands.list_(collection=collection, output=output)
        say_spelling("cluster --list", spelled("cluster", "list", **given_to_all))
        return
    if spellings.delete:
        if name is None:
            raise InvalidInputError("--delete cannot be taken back; say which clusters with --name")
        commands.delete(name=name, collection=collection, output=output)
        say_spelling("cluster --delete", spelled("cluster", "delete", name, **given_to_all))
        return
    if spellings.export is not None:
        from lookalike.collection.export.exporting import check_export

        refuse_standard(
            spellings.export, "what --export names", "a file, or `lookalike cluster export --to -`"
        )
        check_export(spellings.export, spellings.form or DEFAULT_FORM)
    named = [] if name is None else [name]
    if given(changes):
        commands.edit(name=name, changes=changes, picture=picture, collection=collection, output=output)
        option_ = _flags(changes)[0]
        say_spelling(f"cluster {option_}", spelled("cluster", "edit", *named, **given(changes), **drawn))
    elif _shows_what_is_there(making, spellings, name, picture, collection):
        commands.show(name=name, picture=picture, collection=collection, output=output)
        if spellings.export is None and (name or picture.plot):
            option_ = "--name" if name else "--plot"
            say_spelling(f"cluster {option_}", spelled("cluster", "show", *named, **drawn))
    else:
        commands.make(making=making, name=name, picture=picture, collection=collection, output=output)
        named = [name or making.algorithm or DEFAULT_ALGORITHM]
    if spellings.export is not None:
        commands.export(
            name=named[0] if named else None,
            to=spellings.export,
            form=spellings.form or DEFAULT_FORM,
            collection=collection,
            output=Output(quiet=output.is_silent),
        )
        how = {"to": spellings.export, "as": spellings.form, **given_to_all}
        say_spelling("cluster --export", spelled("cluster", "export", *named, **how))


def _shows_what_is_there(
    making: ClusterMaking,
    spellings: Spellings,
    name: str | None,
    picture: Picture,
    collection: Path | None,
) -> bool:
    """Whether clusters are only to be shown: none are asked for, and there are some of that name."""
    if given(making) or not (name or spellings.export or picture.plot or picture.output):
        return False
    return (name or DEFAULT_ALGORITHM) in open_named(collection).clusterings


def _refuse_mixtures(
    making: ClusterMaking, changes: ClusterChanges, spellings: Spellings, name: str | None, picture: Picture
) -> None:
    """Raise InvalidInputError if what is asked for are several commands that do not go together."""
    to_make, to_change = _flags(making), _flags(changes)
    others = {
        "--delete": spellings.delete,
        "--export": spellings.export,
        "--plot": picture.plot,
        "--output": picture.output,
    }
    more = [flag for flag, value in others.items() if value]
    refused: list[str] = []
    if spellings.trial:
        refused = [flag for flag in to_make if flag not in map(flag_of, _TRIED)] + to_change
        refused += ["--name"] if name is not None else []
        refused += [flag for flag in more if flag not in ("--plot", "--output")]
        refused += ["--list"] if spellings.list_ else []
        what = "--try keeps nothing"
    elif spellings.list_:
        refused, what = to_make + to_change + more, "--list says what there is"
    elif spellings.delete:
        refused = [flag for flag in to_make + to_change + more if flag != "--delete"]
        what = "--delete goes alone"
    if refused:
        raise InvalidInputError(f"{what}, and takes no {refused[0]}; leave one of them out")
    if to_make and to_change:
        raise InvalidInputError(
            f"{to_make[0]} makes clusters, {to_change[0]} changes those that are there; run them one after"
            " the other"
        )
    if spellings.form is not None and spellings.export is None:
        raise InvalidInputError("--as is for --export; say where to")


def _flags(group: ClusterMaking | ClusterChanges) -> list[str]:
    return [flag_of(name) for name in given(group)]
