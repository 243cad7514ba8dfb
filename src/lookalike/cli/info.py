"""``lookalike info``: what a collection holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.cli.console import print_json, relative, say
from lookalike.cli.options import CollectionOption, JsonOption

if TYPE_CHECKING:
    from lookalike.answers import Info

_SHOWN = 12


def info(
    collection: CollectionOption = None,
    failures: Annotated[
        bool, typer.Option("--failures", help="List every image that could not be read, with the reason.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Say what the collection holds: images, models, labels, failures, size on the disk."""
    from lookalike.collection import Collection

    found = (Collection.open(collection, above=False) if collection else Collection.open()).info()
    if json:
        print_json(_document(found))
    elif failures:
        for row in found.failures:
            say(relative(row.path), row.reason)
    else:
        _print(found)


def _document(found: Info) -> dict[str, Any]:
    return {
        "collection": relative(str(found.folder)),
        "roots": [relative(str(root)) for root in found.roots],
        "datasets": list(found.datasets),
        "files": found.files,
        "images": found.images,
        "model": found.model,
        "models": found.models,
        "formats": found.formats,
        "labels": found.labels,
        "failed": len(found.failures),
        "failures": [{"path": relative(row.path), "reason": row.reason} for row in found.failures],
        "bytes": found.size,
    }


def _print(found: Info) -> None:
    say(f"collection  {relative(str(found.folder))}  ({found.size / 1e6:,.1f} MB)")
    for root in found.roots:
        say(f"root        {relative(str(root))}")
    for name in found.datasets:
        say(f"data set    {name}")
    copies = f" in {found.files:,} files" if found.files != found.images else ""
    say(f"images      {found.images:,}{copies}")
    say(f"formats     {_listing(found.formats)}")
    models = {f"{name}{' (default)' if name == found.model else ''}": n for name, n in found.models.items()}
    say(f"models      {_listing(models)}")
    if found.labels:
        say(f"labels      {len(found.labels):,}: {_listing(found.labels)}")
    if found.failures:
        say(f"failed      {len(found.failures):,}: lookalike info --failures")


def _listing(counts: dict[str, int]) -> str:
    shown = [f"{name} {count:,}" for name, count in list(counts.items())[:_SHOWN]]
    return ", ".join(shown) + (", …" if len(counts) > _SHOWN else "")
