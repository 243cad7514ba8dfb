"""``lookalike add`` and ``lookalike remove``: images that the collection keeps itself, under keys."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from lookalike.cli.console import how_long, print_json, say, watched
from lookalike.cli.locate import open_named
from lookalike.cli.options import (
    CollectionOption,
    DeviceOption,
    JobsOption,
    Output,
    PictureSecondsOption,
    WaitOption,
    argument,
    option,
)
from lookalike.errors import InvalidInputError, QueryNotFoundError
from lookalike.system.wording import count_of

if TYPE_CHECKING:
    from lookalike.results.adding import AddReport

_FAILURES_SHOWN = 20
_STDIN = "-"


def add(
    *,
    files: Annotated[list[str], argument("Image files; - for one on standard input.", "FILE")],
    collection: CollectionOption = None,
    key: Annotated[
        str | None,
        option("The key of the one file. By default each has its path, as it is typed.", metavar="KEY"),
    ] = None,
    label: Annotated[str | None, option("The label of all of them.", metavar="LABEL")] = None,
    field: Annotated[
        list[str] | None,
        option(
            "Say something of all of them in a field of your own; may be repeated.",
            metavar="NAME[:KIND]=VALUE",
        ),
    ] = None,
    jobs: JobsOption = None,
    picture_seconds: PictureSecondsOption = None,
    device: DeviceOption = None,
    wait: WaitOption = None,
    output: Output,
) -> None:
    """Keep images in the collection itself, under keys, whatever becomes of their files.

    They are searched as all others are, as added:KEY. Who adds another image under a key replaces it; index
    leaves them alone, and `lookalike remove` takes them away.
    """
    from lookalike.collection.adding import Addition

    if key is not None and len(files) != 1:
        raise InvalidInputError(f"--key is for one file; there are {len(files)}")
    if _STDIN in files and key is None:
        raise InvalidInputError("what is read from standard input has no name; give it a --key")
    chosen = open_named(collection)
    values = _read_fields(field or [], dict(chosen.fields.kinds()))
    keys = [_key_of(file) for file in files] if key is None else [key]
    additions = (
        Addition(_standard_input() if file == _STDIN else file, under, values, label)
        for file, under in zip(files, keys, strict=True)
    )
    given: dict[str, Any] = {"jobs": jobs} if device is None else {"jobs": jobs, "device": device}
    if picture_seconds is not None:
        given["picture_seconds"] = picture_seconds
    with watched(quiet=output.is_silent) as watch:
        result = chosen.add(additions, wait=how_long(wait), **given, **watch.told)
    if output.json:
        print_json(result.to_dict())
    elif not output.quiet:
        _print(result)
    if result.failed:
        raise typer.Exit(1)


def remove(
    *,
    keys: Annotated[list[str], argument("Keys, without the added: before them.", "KEY")],
    collection: CollectionOption = None,
    wait: WaitOption = None,
    output: Output,
) -> None:
    """Remove images that were added under keys."""
    chosen = open_named(collection)
    with watched(quiet=output.is_silent) as watch:
        n = chosen.remove(keys, wait=how_long(wait), **watch.told)
    n_missing = len(set(keys)) - n
    if not n:
        raise QueryNotFoundError(f"nothing was added under {', '.join(keys[:3])}{', …' if keys[3:] else ''}")
    if output.json:
        print_json({"removed": n, "missing": n_missing})
    elif not output.quiet:
        say(f"{n:,} removed" + (f", {n_missing:,} not there" if n_missing else ""))


def _standard_input() -> BinaryIO:
    return io.BytesIO() if sys.stdin is None else sys.stdin.buffer


def _key_of(file: str) -> str:
    return Path(file).as_posix()


def _read_fields(given: list[str], kinds: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that options like ``price=3`` and ``tags:tags=a;b`` say."""
    from lookalike.collection.fields.values import KINDS, kind_of_words, read_words

    values = {}
    for each in given:
        name, equals, words = each.partition("=")
        if not equals or not name.strip():
            raise InvalidInputError(f"--field is {each!r}; expected NAME=VALUE, or NAME:KIND=VALUE")
        before, colon, kind = name.rpartition(":")
        if colon and kind not in KINDS and name.strip() not in kinds:
            raise InvalidInputError(
                f"--field is {each!r}, and {kind!r} is no kind; expected one of {', '.join(KINDS)}"
            )
        name, kind = (before.strip(), kind) if colon and kind in KINDS else (name.strip(), "")
        kind = kind or kinds.get(name) or kind_of_words(name, [words.strip()])
        values[name] = read_words(name, words, kind)  # type: ignore[arg-type]
    return values


def _print(result: AddReport) -> None:
    counts = ("added", "changed", "unchanged", "failed")
    say(
        ", ".join(f"{getattr(result, name):,} {name}" for name in counts if getattr(result, name))
        or "nothing"
    )
    for row in result.failures[:_FAILURES_SHOWN]:
        say(f"  {row.key}: {row.reason}")
    if result.failed > _FAILURES_SHOWN:
        say(f"  … and {count_of(result.failed - _FAILURES_SHOWN, 'other')}")
