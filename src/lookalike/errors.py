"""What can go wrong, as one tree: by remedy first, then by origin.

Every message names the thing, what was expected, and what came; what to do about it is the error's
`hint`, which each door tells in words of its own. The library raises from this tree only; ``cli`` prints
sentence and hint and exits with 2.

    LookalikeError                also Python's own   the remedy
    ├── NotFoundError             FileNotFoundError   name another, or make it first
    ├── ConflictError                                 what is there does not allow it: change that first
    │   └── MissingImagesError                        a root is gone, or more than half of its images
    ├── MissingExtraError         ImportError         install the extra: .extra
    ├── InvalidInputError         ValueError          ask otherwise: no call can accept this
    │   └── InvalidTypeError      TypeError           the same: what is there is no number, say
    ├── DamagedError                                  what lies there is not what was written: make it anew
    ├── BusyError                                     another process is at it: wait
    │   └── LockedError                               another process is writing
    ├── CancelledError                                who started it has stopped it: start it again
    ├── UnreachableError          ConnectionError     try again when the network, the server is there
    └── ResourceError                                 make room, give rights, or ask for less
        ├── CacheError                                others may write to what lies in the cache
        └── TooLittleMemoryError  MemoryError

Where it comes from is said by a second base, so that ``except ModelError`` catches whatever is wrong with a
model. Nothing is raised of an origin alone: the classes below join it with one remedy, called by both.

    CollectionError   a collection, or what is in it   Collection{NotFound, Conflict, Damaged, Resource}Error
    StoreError        the tables of a collection       Store{Damaged, Resource}Error
    QueryError        what is searched for             Query{NotFound, Conflict, Input, Unreachable}Error
    ModelError        a model, or its training         Model{NotFound, Conflict, Extra, Input, Damaged, Busy,
                                                       Unreachable, Resource}Error, ModelMemoryError
    DatasetError      a data set                       Dataset{NotFound, Damaged, Unreachable, Resource}Error
    ImageError        one image: .path, .reason        Image{Damaged, Extra, Resource}Error, FetchError
    IndexFileError    a saved search index             is damaged, always; IndexExtraError, of a kind of index

A `DamageWarning` is none of them: what was asked for is answered, from what was there before.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, ClassVar, Self

from lookalike.hints import Hint, Sentence, cut, join, way_out


class LookalikeError(Exception):
    """Base of all errors that lookalike raises on purpose.

    Parameters
    ----------
    sentence : str
        What happened: the thing, what was expected, what came. It is ``str(error)``.
    hint : Hint or str, optional
        What to do about it, where that depends on the door that one came by; a text is the same at each.
        Python shows it as a note below the sentence.
    field : str, optional
        The argument that is at fault.

    Attributes
    ----------
    code : str
        The remedy, as one word for programs.
    status : int
        What a server answers with, as in HTTP.
    hint : Hint or None
    field : str or None
    """

    code: ClassVar[str] = "failed"
    status: ClassVar[int] = 500

    _told: str | None = None  # the hint, as it is the first of the notes

    def __init__(
        self, sentence: str = "", *, hint: Hint | str | None = None, field: str | None = None
    ) -> None:
        super().__init__(cut(sentence))
        self._hint = join(hint)
        self._notes: list[str] = []
        self.field = field

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[type[LookalikeError]], dict[str, Any]]:
        """Pickle and copy the attributes; Python would call the class with the sentence alone."""
        state = {**self.__dict__, "args": self.args, "_hint": self.hint, "_notes": self._notes.copy()}
        return _blank, (type(self),), state

    @property
    def hint(self) -> Hint | None:
        """What to do about it. Where it comes of what the system refuses, it is what helps against that."""
        cause = self.__cause__
        while isinstance(cause, LookalikeError) and cause.__cause__ is not None:
            cause = cause.__cause__
        return way_out(cause) or self._hint

    @property
    def __notes__(self) -> list[str]:
        """What Python shows below the sentence: the hint, as it is once there is a cause, and others."""
        hint = self.hint
        told = None if hint is None else str(hint)
        if told != self._told:
            self._notes[: self._told is not None] = [] if told is None else [told]
            self._told = told
        if not self._notes:
            raise AttributeError("__notes__")  # as of an error that nobody added a note to
        return self._notes

    @__notes__.setter
    def __notes__(self, notes: list[str]) -> None:
        self._notes, self._told = notes, None

    @property
    def told(self) -> Sentence:
        """The sentence as a text that keeps its hint, for lists of what was passed over."""
        return Sentence(str(self), self.hint)

    def amended(self, *more: Sentence, before: str = "", hint: Hint | str | None = None) -> Self:
        """Return the same error with more to say.

        Parameters
        ----------
        *more : Sentence
            What is to follow the sentence.
        before : str, optional
            What is to stand in front of it.
        hint : Hint or str, optional
            What can be done beside what it says already.
        """
        made = copy.copy(self)
        made.args = (before + "; ".join([str(self), *more]),)
        made._hint = join(self.hint, *(sentence.hint for sentence in more), hint)
        made.__notes__ = []
        return made

    def to_dict(self, tell: Callable[[Hint], str] = str) -> dict[str, str | None]:
        """Return the error for programs.

        Parameters
        ----------
        tell : callable, optional
            Puts a hint into words; those for Python by default.

        Returns
        -------
        dict
            ``code``, ``detail``, ``hint`` and ``field``; the last two may be None.
        """
        hint = None if self.hint is None else tell(self.hint)
        return {"code": self.code, "detail": str(self), "hint": hint, "field": self.field}


def note_way_out(error: OSError) -> None:
    """Add to an error of the system what helps against it, as errors of ours have it; once."""
    hint = None if isinstance(error, LookalikeError) else way_out(error)
    if hint is not None and str(hint) not in getattr(error, "__notes__", ()):
        error.add_note(str(hint))


def is_panic(error: BaseException) -> bool:
    """Tell whether an error is what libraries in Rust raise where they give up, which is no Exception."""
    return type(error).__name__ == "PanicException"


def _blank(kind: type[Any]) -> Any:
    """Make an error without its attributes, as that one of Python's own would whose memory it shares."""
    builtin: Any = kind
    while builtin.__module__ != "builtins":
        builtin = builtin.__base__
    return builtin.__new__(kind)


# By remedy.


class NotFoundError(LookalikeError, FileNotFoundError):
    """There is nothing of that name: no such file, folder, collection, clustering, model or data set."""

    code = "not_found"
    status = 404


class ConflictError(LookalikeError):
    """What is there does not allow what is asked for, until one of the two is changed."""

    code = "conflict"
    status = 409


class MissingExtraError(LookalikeError, ImportError):
    """A library is not installed that only some uses need.

    Parameters
    ----------
    extra : str or None
        The extra that brings it, as in ``pip install 'lookalike[extra]'``; None where none does.
    """

    code = "missing_extra"
    status = 501

    def __init__(self, sentence: str = "", *, extra: str | None = None, **others: Any) -> None:
        super().__init__(sentence, **others)
        self.extra = extra


class InvalidInputError(LookalikeError, ValueError):
    """An argument that no call can accept: a wrong shape, a k below one, a NaN."""

    code = "invalid_input"
    status = 422


class InvalidTypeError(InvalidInputError, TypeError):
    """An argument of a type that no call can accept: objects that are no numbers, where these should be."""


class DamagedError(LookalikeError):
    """What lies there is not what was written, or is something else."""

    code = "damaged"


class BusyError(LookalikeError):
    """Another process is at it; it will be possible once that ends."""

    code = "busy"
    status = 423


class CancelledError(LookalikeError):
    """Who started the work has stopped it; what was committed before is kept."""

    code = "cancelled"
    status = 499


class UnreachableError(LookalikeError, ConnectionError):
    """The network or a server does not give what it should; another time, it may."""

    code = "unreachable"
    status = 502


class ResourceError(LookalikeError):
    """The machine does not give it: no room, no rights, a disk that fails, too little memory."""

    code = "resources"
    status = 507


class CacheError(ResourceError):
    """The cache, or what lies in it, could be another user's doing; nothing of it was loaded."""


class TooLittleMemoryError(ResourceError, MemoryError):
    """What is asked for needs more memory than there is; found out before it is taken."""


# By origin: a collection and what lies in it.


class CollectionError(LookalikeError):
    """A collection, or something in it, is missing, or is not what the request supposes."""


class CollectionNotFoundError(CollectionError, NotFoundError):
    """There is no collection, or nothing of that name in it or to make it of."""


class CollectionConflictError(CollectionError, ConflictError):
    """A collection is not in the state that the request supposes."""


class CollectionDamagedError(CollectionError, DamagedError):
    """The file that says what a collection is cannot be understood."""


class CollectionResourceError(CollectionError, ResourceError):
    """A collection cannot be read or written, or is too large for what is asked of it."""


class MissingImagesError(CollectionConflictError):
    """A root is gone, or lost more than half of its images at once, or most files cannot be read.

    Nothing was taken out of the collection.
    """


class LockedError(CollectionError, BusyError):
    """Another process is writing to the collection."""


# The tables of a collection.


class StoreError(LookalikeError):
    """The tables of a collection, or its other files, cannot be read or written."""


class StoreDamagedError(StoreError, DamagedError):
    """What a collection keeps is not what was written."""


class StoreResourceError(StoreError, ResourceError):
    """What a collection keeps cannot be read or written for want of room, rights or memory."""


# What is searched for.


class QueryError(LookalikeError):
    """A query that cannot be answered."""


class QueryNotFoundError(QueryError, NotFoundError):
    """There is nothing of the name that a query or a filter gives."""


class QueryConflictError(QueryError, ConflictError):
    """The collection cannot answer this query as it is: what is asked about is not in it yet."""


class QueryInputError(QueryError, InvalidInputError):
    """A query that no collection can answer: an image that cannot be read, words for a model without."""


class QueryUnreachableError(QueryError, UnreachableError):
    """The image that a query gives the address of cannot be fetched."""


# Models and their training.


class ModelError(LookalikeError):
    """A model is unknown, cannot be reached, is damaged, or does not fit the collection."""


class ModelNotFoundError(ModelError, NotFoundError):
    """No model, no file of one has that name."""


class ModelConflictError(ModelError, ConflictError):
    """A model is not the one that the collection, or the training, was begun with."""


class ModelExtraError(ModelError, MissingExtraError):
    """A model, or training one, needs a library that is not installed."""


class ModelInputError(ModelError, InvalidInputError):
    """A model that lookalike cannot use, or cannot use for this."""


class ModelDamagedError(ModelError, DamagedError):
    """A model's files are not what was written."""


class ModelBusyError(ModelError, BusyError):
    """Another process is fetching the model."""


class ModelUnreachableError(ModelError, UnreachableError):
    """A model cannot be fetched."""


class ModelResourceError(ModelError, ResourceError):
    """A model's files cannot be read or written, or this machine cannot run it."""


class ModelMemoryError(ModelResourceError, TooLittleMemoryError):
    """There is not enough memory to embed an image."""


# Data sets.


class DatasetError(LookalikeError):
    """A data set is not there, cannot be downloaded, or its files are damaged."""


class DatasetNotFoundError(DatasetError, NotFoundError):
    """No data set has that name, or its files are not on this computer."""


class DatasetDamagedError(DatasetError, DamagedError):
    """The files of a data set are not what they should be."""


class DatasetUnreachableError(DatasetError, UnreachableError):
    """A data set cannot be downloaded."""


class DatasetResourceError(DatasetError, ResourceError):
    """The files of a data set cannot be read or written, or do not fit into memory."""


# Images.


class ImageError(LookalikeError):
    """One image cannot be read.

    Parameters
    ----------
    path : str
        The file or address, as the user knows it.
    reason : str
        Why, in a few words, without the path: the text that a row of ``failures`` keeps.
    is_permanent : bool
        Whether the cause lies in the file, so that trying again is no use before the file or the reader
        changes. Otherwise it is the machine's: too little memory, a reader that is not installed.
    others
        As of the remedy.
    """

    def __init__(self, path: str, reason: str, *, is_permanent: bool = True, **others: Any) -> None:
        super().__init__(f"{path}: {reason}", **others)
        self.path = path
        self.reason = reason
        self.is_permanent = is_permanent


class ImageDamagedError(ImageError, DamagedError):
    """A file is not there, is no image, or is damaged, or one of a kind that is not read."""


class ImageExtraError(ImageError, MissingExtraError):  # type: ignore[misc]  # ImportError has a path, too
    """An image is of a kind whose reader is not installed."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[type[LookalikeError]], dict[str, Any]]:
        """Add the path, which Python keeps where it keeps an ImportError's."""
        make, kind, state = super().__reduce__()
        return make, kind, {**state, "path": self.path}


class ImageResourceError(ImageError, ResourceError):
    """There is not enough memory to read an image."""


class FetchError(ImageError, UnreachableError):
    """One URL cannot be fetched: refused address, too large, too slow, not there."""


# Search indexes.


class IndexFileError(DamagedError):
    """A saved search index is damaged, or its folder holds something else."""


class IndexExtraError(MissingExtraError, InvalidInputError):
    """A kind of index, or of map, needs a library that is not installed.

    Also an InvalidInputError: the kind is an argument, and another could be given.
    """


# What is no error: the call goes on.


class DamageWarning(UserWarning):
    """What a collection keeps was cut off or has rotted, and what was there before is taken instead.

    Attributes
    ----------
    told : Sentence
    """

    def __init__(self, told: Sentence) -> None:
        super().__init__(f"{told}; {told.hint}" if told.hint is not None else told)
        self.told = told

    def __reduce__(self) -> tuple[type[DamageWarning], tuple[Sentence]]:
        """Pickle the sentence with its hint; Python would call the class with the text alone."""
        return DamageWarning, (self.told,)
