"""A search as the query string of a URL: the same names as its JSON, and short enough to be read and sent.

What is as by default is left out. Lists are repeated: ``labels=cats&labels=dogs``. What a search starts from
is ``KIND:WHAT``, with its weight and region, if it has any, between the two: ``like=id*2@0,0,0.5,1:00c0ff…``
is the left half of an image, twice as heavy. What filters hold together, ``where`` in JSON, stands beside the
rest; what is neither text, nor a list of texts, is written as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote

import numpy as np

from lookalike.errors import InvalidInputError

_TERMS = ("like", "unlike")
_CLUSTER = ("same_cluster", "same_cluster_number")
_TEXTS = frozenset({"index", "max_date", "min_date", "mode", "model", "sort"})
_LISTS = frozenset(
    {
        *("cameras", "colors", "folders", "formats", "ids", "keywords", "labels", "lenses"),
        *("sets", "shapes", "splits", "tags"),
    }
)
_NEAR = ("lat", "lon", "km")
_READABLE = "/:,*@"  # what may stand in a query string as it is, beside letters and digits
_TERM = re.compile(r"([a-z]+)(?:\*([^@:]*))?(?:@([^:]*))?:(.*)", re.DOTALL)


def write_query_string(document: Mapping[str, Any], default: Mapping[str, Any]) -> str:
    """Write a search.

    Parameters
    ----------
    document : mapping
        Its JSON, with all fields.
    default : mapping
        The JSON of a search of which nothing is said.

    Examples
    --------
    >>> document = {"like": [{"words": "a red car", "weight": 1.0}], "where": {"min_size": 600.0}, "k": 10}
    >>> write_query_string(document, {"like": [], "where": {}, "k": 10})
    'like=words:a%20red%20car&min_size=600'
    """
    said = {name: value for name, value in document.items() if value != default[name]}
    pairs = [pair for name, value in said.items() for pair in _pairs(name, value)]
    return "&".join(f"{name}={quote(text, _READABLE, errors='surrogatepass')}" for name, text in pairs)


def read_query_string(text: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON of a search, not checked further, from what `write_query_string` wrote.

    Parameters
    ----------
    text : str
        With or without its question mark.
    fields : mapping
        The JSON of a search of which nothing is said: all else is a part of ``where``.

    Raises
    ------
    InvalidInputError
        If it cannot be read, or says something twice.

    Examples
    --------
    >>> read_query_string("?k=3&labels=cats&labels=dogs", {"k": 10, "where": {}})
    {'k': 3, 'where': {'labels': ['cats', 'dogs']}}
    """
    try:
        pairs = parse_qsl(text.removeprefix("?"), keep_blank_values=True, errors="surrogatepass")
    except ValueError as error:  # bytes that are no UTF-8
        raise InvalidInputError(f"the query string cannot be read: {error}") from error
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in _TERMS:
            found.setdefault(name, []).append(_read_term(name, value))
        elif name in _LISTS:
            found.setdefault(name, []).append(value)
        elif name in found:
            raise InvalidInputError(f"{name} is given twice", field=name)
        else:
            found[name] = _read_near(value) if name == "near" else _read_value(name, value)
    if any(name in found for name in _CLUSTER):
        clustering, number = (found.pop(name, None) for name in _CLUSTER)
        found["same_cluster"] = {"clustering": clustering, "number": number}
    document = {name: found.pop(name) for name in list(found) if name in fields and name != "where"}
    return document | ({"where": found} if found else {})


def _pairs(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Give name and text of what a field says."""
    if name == "where":
        for each, said in value.items():
            yield from _pairs(each, said)
    elif name in _TERMS:
        yield from ((name, _write_term(term)) for term in value)
    elif name == "same_cluster":
        yield name, value["clustering"]
        if value["number"] is not None:
            yield _CLUSTER[1], str(value["number"])
    elif name in _LISTS:
        yield from ((name, text) for text in value)
    elif name == "near":
        yield name, ",".join(_number(value[each]) for each in _NEAR)
    elif name in _TEXTS:
        yield name, value
    elif isinstance(value, float):
        yield name, _number(value)
    else:
        yield name, json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _write_term(term: Mapping[str, Any]) -> str:
    (kind, content), *_ = ((name, said) for name, said in term.items() if name not in ("weight", "region"))
    weight = "" if term["weight"] == 1 else f"*{_number(term['weight'])}"
    region = f"@{','.join(map(_number, term['region']))}" if "region" in term else ""
    if kind == "vector":
        content = ",".join(str(np.float32(number)) for number in content)
    return f"{kind}{weight}{region}:{content}"


def _read_term(name: str, text: str) -> dict[str, Any]:
    found = _TERM.fullmatch(text)
    if found is None:
        raise InvalidInputError(
            f"{name} is {text!r}; expected what it is, and which, as in id:00000000000000ff or words:a red"
            " car",
            field=name,
        )
    kind, weight, region, content = found.groups()
    term: dict[str, Any] = {kind: _read_numbers(name, content) if kind == "vector" else content}
    if weight is not None:
        (term["weight"],) = _read_numbers("weight", weight, 1)
    if region is not None:
        term["region"] = _read_numbers("region", region, 4)
    return term


def _read_near(text: str) -> dict[str, float]:
    return dict(zip(_NEAR, _read_numbers("near", text, len(_NEAR)), strict=True))


def _read_numbers(name: str, text: str, n: int | None = None) -> list[float]:
    try:
        numbers = [float(each) for each in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or n not in (None, len(numbers)):
        expected = "numbers" if n is None else "a number" if n == 1 else f"{n} numbers"
        raise InvalidInputError(f"{name} is {text!r}; expected {expected}, as in 0.25,0.5", field=name)
    return numbers


def _read_value(name: str, text: str) -> Any:
    if name in (*_TEXTS, _CLUSTER[0]):
        return text
    try:
        return json.loads(text)
    except ValueError:  # whoever knows the field says what is expected of it
        return text


def _number(value: float) -> str:
    """Write a number as short as it can be read back.

    >>> _number(2.0), _number(0.1), _number(1e22)
    ('2', '0.1', '1e+22')
    """
    return repr(float(value)).removesuffix(".0")
