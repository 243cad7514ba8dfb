"""What a search may start from: each kind a frozen value of its own, checked, with its JSON.

A file, a URL, words, an image of the collection by its id, one of a data set, pixels, a vector. Each has a
weight; those that are pictures may be about a region of it. `TERMS` is the table.
"""

from __future__ import annotations

import base64
import binascii
import io
import math
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.as_numbers import as_numbers
from lookalike.errors import InvalidInputError, QueryInputError
from lookalike.query.checking import check_document, check_switch, check_text, is_list, is_number
from lookalike.query.pictures import as_pixels, is_file_in_memory, read_in_memory
from lookalike.system.checked_calls import check_path, checked, shown
from lookalike.types import ImageId, PixelArray, format_id

if TYPE_CHECKING:
    from PIL.Image import Image

Region: TypeAlias = tuple[float, float, float, float]
"""Left, top, width and height of a part of a picture, as shares of the whole, upright."""

LEAST_WEIGHT, GREATEST_WEIGHT = 1e-6, 1e6

_N_IDS = 1 << 63
_ROUNDING = 1e-6  # by which a region may leave the picture: 0.7 + 0.3 is more than 1


@checked
@dataclass(frozen=True, slots=True)
class Term(ABC):
    """One of the things that a search starts from.

    Attributes
    ----------
    weight : float
        How much it counts beside the others; a millionth to a million.
    """

    kind: ClassVar[str]
    """What it is called in JSON."""

    has_region: ClassVar[bool] = False
    is_local: ClassVar[bool] = False
    """Whether it means something only to the process that made it, or on its machine."""

    weight: float = field(default=1.0, kw_only=True)

    def __post_init__(self) -> None:
        weight = self.weight
        if not is_number(weight) or not LEAST_WEIGHT <= weight <= GREATEST_WEIGHT:
            raise InvalidInputError(
                f"the weight is {shown(weight)}; expected a number from {LEAST_WEIGHT:f} to"
                f" {GREATEST_WEIGHT:.0f}",
                field="weight",
            )
        object.__setattr__(self, "weight", float(weight))

    @abstractmethod
    def _content(self) -> Any:
        """Return what stands in JSON under the name of its kind."""

    @classmethod
    def _from_content(cls, content: Any, options: Mapping[str, Any]) -> Term:
        """Make one of what stands in JSON under the name of its kind, and of weight and region."""
        made: Any = cls  # every kind takes its content first
        return made(content, **options)  # type: ignore[no-any-return]

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON.

        Examples
        --------
        >>> Words("a red car", weight=2).to_dict()
        {'words': 'a red car', 'weight': 2.0}
        """
        return {self.kind: self._content(), "weight": self.weight}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], *, is_local: bool = True) -> Term:
        """Make one of a document of JSON, as `to_dict` writes it.

        Parameters
        ----------
        document : mapping
        is_local : bool
            Whether who wrote it may name files of this machine, and hand over pixels.

        Raises
        ------
        InvalidInputError
            If it is none; its `field` says what is wrong.

        Examples
        --------
        >>> Term.from_dict({"id": "00000000000000ff", "region": [0, 0, 0.5, 0.5]})
        ImageRef(weight=1.0, region=(0.0, 0.0, 0.5, 0.5), id=255)
        """
        kinds = {kind: made for kind, made in TERMS.items() if issubclass(made, cls)}
        check_document("a query", document, [*kinds, "weight", "region"])
        named = [kind for kind in kinds if kind in document]
        if len(named) != 1:
            raise InvalidInputError(
                f"a query has {' and '.join(named) or 'nothing to start from'}; expected one of"
                f" {', '.join(kinds)}",
                field=named[1] if named else None,
            )
        made = kinds[named[0]]
        if made.is_local and not is_local:
            allowed = ", ".join(kind for kind, other in kinds.items() if not other.is_local)
            raise InvalidInputError(
                f"a query by {made.kind} is for the machine that the collection is on; expected one of"
                f" {allowed}",
                field=made.kind,
            )
        options = {
            name: document[name]
            for name in ("weight", "region")
            if name in document and not (name == "region" and document[name] is None)
        }
        if "region" in options and not made.has_region:
            raise InvalidInputError(f"a query by {made.kind} has no region", field="region")
        return made._from_content(document[made.kind], options)


@dataclass(frozen=True, slots=True)
class PictureTerm(Term):
    """A picture that a search starts from.

    Attributes
    ----------
    region : (float, float, float, float) or None
        The part that it is about, from the left and the top, width and height, as shares of the upright
        picture; None for the whole.
    """

    has_region: ClassVar[bool] = True

    region: Region | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        Term.__post_init__(self)
        object.__setattr__(self, "region", _check_region(self.region))

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON; see `Term.to_dict`."""
        document = Term.to_dict(self)
        return document if self.region is None else {**document, "region": list(self.region)}


@dataclass(frozen=True, slots=True)
class ImageFile(PictureTerm):
    """An image file.

    Attributes
    ----------
    path : str
    """

    kind: ClassVar[str] = "file"
    is_local: ClassVar[bool] = True

    path: str | os.PathLike[str]

    def __post_init__(self) -> None:
        PictureTerm.__post_init__(self)
        path = check_path("file", self.path) if isinstance(self.path, str | os.PathLike) else self.path
        object.__setattr__(self, "path", check_text("file", path, "the path of an image file"))

    def _content(self) -> str:
        return os.fspath(self.path)


@dataclass(frozen=True, slots=True)
class Url(PictureTerm):
    """An image in the web.

    Attributes
    ----------
    url : str
        With its scheme: ``https://…``.
    """

    kind: ClassVar[str] = "url"

    url: str

    def __post_init__(self) -> None:
        PictureTerm.__post_init__(self)
        if "://" not in check_text("url", self.url, "an address such as https://example.org/a.jpg"):
            raise InvalidInputError(
                f"url is {shown(self.url)}; expected an address such as https://example.org/a.jpg",
                field="url",
            )

    def _content(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class Words(Term):
    """Words, for a model that knows text.

    Attributes
    ----------
    words : str
    is_guess : bool
        Whether they were a plain string, which may as well be a file with a slip of the pen in its name: the
        errors say so. It is no part of the JSON, nor does it make two of the same words different.
    """

    kind: ClassVar[str] = "words"

    words: str
    is_guess: bool = field(default=False, kw_only=True, compare=False, repr=False)

    def __post_init__(self) -> None:
        Term.__post_init__(self)
        object.__setattr__(self, "is_guess", check_switch("is_guess", self.is_guess))
        if not isinstance(self.words, str) or not (self.is_guess or self.words.strip()):
            raise InvalidInputError(
                f"words is {shown(self.words)}; expected a text that is not empty", field="words"
            )

    def _content(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True)
class ImageRef(PictureTerm):
    """An image of the collection.

    Attributes
    ----------
    id : ImageId
        As `Hit.id`; it may be given as 16 hexadecimal digits, too, which is how JSON has it.
    """

    kind: ClassVar[str] = "id"

    id: ImageId | str

    def __post_init__(self) -> None:
        PictureTerm.__post_init__(self)
        object.__setattr__(self, "id", read_id(self.id))

    def _content(self) -> str:
        return format_id(int(self.id))

    @classmethod
    def _from_content(cls, content: Any, options: Mapping[str, Any]) -> Term:
        # A number in JSON is no id: beyond 53 bits JavaScript rounds it.
        return cls(check_text("id", content, "16 hexadecimal digits"), **options)


@dataclass(frozen=True, slots=True)
class Example(PictureTerm):
    """An image of a data set that was added to the collection; or one that was added under a key.

    Attributes
    ----------
    name : str
        Such as ``mnist:test/42``, or ``added:KEY``.
    """

    kind: ClassVar[str] = "example"

    name: str

    def __post_init__(self) -> None:
        PictureTerm.__post_init__(self)
        check_text("example", self.name, "an image of a data set, such as mnist:test/42")

    def _content(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, eq=False)
class Pixels(PictureTerm):
    """A picture in memory.

    Attributes
    ----------
    pixels : (height, width, 3) uint8
        RGB, a copy that cannot be written to. It may be given grey, (height, width), or with alpha as the
        last of 2 or 4 channels; as truth values, or floats from 0 to 1; as an image of Pillow's, the bytes of
        an image file, or one open to be read: these are brought to sRGB and turned upright. What is
        transparent is laid on white, or on a ground that shows it.
    file : bytes or None
        The file that it was given as: one that the collection holds is known by it.
    """

    kind: ClassVar[str] = "pixels"
    is_local: ClassVar[bool] = True

    pixels: npt.NDArray[Any] | Image | bytes | IO[bytes] = field(repr=False)
    file: bytes | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        PictureTerm.__post_init__(self)
        if is_file_in_memory(self.pixels):
            object.__setattr__(self, "file", read_in_memory(self.pixels))
        object.__setattr__(self, "pixels", as_pixels(self.pixels if self.file is None else self.file))

    @property
    def array(self) -> PixelArray:
        """The pixels, (height, width, 3) uint8."""
        return np.asarray(self.pixels)

    def as_file(self) -> bytes:
        """Return the file that it was given as; else a PNG."""
        from PIL import Image as Pillow

        if self.file is not None:
            return self.file
        stream = io.BytesIO()
        Pillow.fromarray(self.array).save(stream, "PNG")
        return stream.getvalue()

    def _content(self) -> str:
        return base64.b64encode(self.as_file()).decode("ascii")

    @classmethod
    def _from_content(cls, content: Any, options: Mapping[str, Any]) -> Term:
        text = check_text("pixels", content, "a PNG file in base64")
        try:
            return cls(base64.b64decode(text, validate=True), **options)
        except (binascii.Error, ValueError, QueryInputError) as error:
            if isinstance(error, InvalidInputError) and not isinstance(error, QueryInputError):
                raise  # of weight or region
            raise InvalidInputError(
                f"pixels cannot be read ({error}); expected a PNG file in base64", field="pixels"
            ) from error

    def __eq__(self, other: object) -> bool:
        return _are_same(self, other)

    def __hash__(self) -> int:
        return _hash(self)


@dataclass(frozen=True, slots=True, eq=False)
class Vector(Term):
    """A vector as the model gives them, of an image or of something else.

    Attributes
    ----------
    vector : (d,) float32
        A copy that cannot be written to. Its length is of no account where vectors are compared by cosine.
    """

    kind: ClassVar[str] = "vector"

    vector: npt.ArrayLike = field(repr=False)

    def __post_init__(self) -> None:
        Term.__post_init__(self)
        given = as_numbers(self.vector, "the numbers of a vector")
        with np.errstate(over="ignore"):
            vector = np.array(given, np.float32)
        if vector.ndim != 1 or not len(vector) or given.dtype.kind == "b" or not np.isfinite(vector).all():
            raise InvalidInputError(
                f"the vector is {given.dtype} of shape {given.shape}; expected finite numbers, of shape (d,)",
                field="vector",
            )
        vector.setflags(write=False)
        object.__setattr__(self, "vector", vector)

    @property
    def array(self) -> npt.NDArray[np.float32]:
        """The numbers, (d,) float32."""
        return np.asarray(self.vector, np.float32)

    def _content(self) -> list[float]:
        return [float(each) for each in self.array]

    def __eq__(self, other: object) -> bool:
        return _are_same(self, other)

    def __hash__(self) -> int:
        return _hash(self)


TERMS: Mapping[str, type[Term]] = MappingProxyType(
    {made.kind: made for made in (ImageRef, Words, Url, Example, Vector, ImageFile, Pixels)}
)
"""The kinds, by their names in JSON."""


def read_id(value: object) -> ImageId:
    """Return an id that was given as a number or as 16 hexadecimal digits.

    >>> read_id("00000000000000ff")
    255
    """
    number = -1
    if isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F]{16}", value, re.ASCII):
        number = int(value, 16)
    elif isinstance(value, int | np.integer) and not isinstance(value, bool):
        number = int(value)
    if not 0 <= number < _N_IDS:
        raise InvalidInputError(
            f"id is {shown(value)}; expected that of an image, as Hit.id or as 16 hexadecimal digits",
            field="id",
        )
    return ImageId(number)


def _check_region(region: object) -> Region | None:
    if region is None:
        return None
    given = tuple(region) if is_list(region) else ()
    is_one = len(given) == 4 and all(is_number(each) and math.isfinite(each) for each in given)
    if is_one:
        x, y, width, height = map(float, given)
        is_one = min(x, y) >= 0 and min(width, height) > 0
        is_one &= max(x + width, y + height) <= 1 + _ROUNDING and max(x, y) < 1
    if not is_one:
        raise InvalidInputError(
            f"the region is {shown(region)}; expected left, top, width and height as shares of the upright"
            " picture, such as (0.25, 0, 0.5, 1)",
            field="region",
        )
    return x, y, width, height


def _key(term: Pixels | Vector) -> tuple[object, ...]:
    region = term.region if isinstance(term, Pixels) else None
    return type(term), term.weight, region, term.array.shape, term.array.tobytes()


def _are_same(term: Pixels | Vector, other: object) -> bool:
    return isinstance(other, Pixels | Vector) and _key(term) == _key(other)


def _hash(term: Pixels | Vector) -> int:
    return hash(_key(term))
