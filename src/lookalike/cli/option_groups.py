"""Options that belong together, as one value of a command: a frozen dataclass, a field an option.

>>> from dataclasses import make_dataclass
>>> import typer
>>> pixels = typer.Option(help="Pixels.")
>>> fields = [("width", Annotated[int, pixels], 4), ("height", Annotated[int, pixels], 3)]
>>> Size = make_dataclass("Size", fields, frozen=True)
>>> def draw(file, *, size):
...     print(f"{file}: {size.width} × {size.height}")
>>> draw.__annotations__ = {"file": str, "size": Size}
>>> takes_groups(draw)("map.png", width=16)
map.png: 16 × 3

Typer sees `width` and `height`; the command sees `size`. What a field has by default is the dataclass's to
say, once.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints


class Fields(dict[str, Any]):
    """The annotations, by field, of a dataclass that has none for typer, or others than a command wants.

    As ``settings: Annotated[Settings, Fields(epochs=Annotated[int, typer.Option(…)])]``: `Settings` may know
    nothing of the command line. Its other fields are no options, and keep their defaults.
    """


def takes_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Let typer see the fields of a command's dataclasses as options, and the command the dataclasses."""
    signature = inspect.signature(command)
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, tuple[type, tuple[str, ...]]] = {}
    parameters: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        kind, annotations = _read(hints[name])
        if annotations is None:
            parameters.append(parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY))
        else:
            options = list(_options(kind, annotations))
            groups[name] = kind, tuple(option.name for option in options)
            parameters += options

    taken = {field for _, fields in groups.values() for field in fields}

    @functools.wraps(command)
    def grouped(*arguments: object, **options: object) -> None:
        values = {
            name: kind(**{field: options[field] for field in fields if field in options})
            for name, (kind, fields) in groups.items()
        }
        alone = {name: value for name, value in options.items() if name not in taken}
        command(*arguments, **alone, **values)

    # Typer asks for these two, and looks behind `__wrapped__` otherwise.
    grouped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    grouped.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return grouped


def _read(hint: Any) -> tuple[Any, Mapping[str, Any] | None]:
    """Return a parameter's dataclass and its fields' annotations; None where it is an option of its own."""
    kind, *told = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    if not dataclasses.is_dataclass(kind) or not isinstance(kind, type):
        return kind, None
    for each in told:
        if isinstance(each, Fields):
            return kind, each
    found = get_type_hints(kind, include_extras=True)
    return kind, {name: each for name, each in found.items() if get_origin(each) is Annotated}


def _options(kind: type, annotations: Mapping[str, Any]) -> Iterator[inspect.Parameter]:
    for field in dataclasses.fields(kind):
        if field.name in annotations:
            required = field.default is dataclasses.MISSING
            yield inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if required else field.default,
                annotation=annotations[field.name],
            )
