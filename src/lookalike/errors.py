"""What can go wrong, as one tree.

Every message names the thing, what was expected, what came, and what to do. The library raises from
this tree only; ``cli`` prints the message and exits with 2.

    LookalikeError
    ├── InvalidInputError      an argument that no call can accept (also a ValueError)
    ├── ImageError             one image cannot be read: .path, .reason
    │   └── FetchError         one URL cannot be fetched
    ├── DatasetError           a data set is not there, or its files are damaged
    ├── CacheError             what lies in the cache could be another user's doing
    ├── ModelError             a model is unknown, unreachable or damaged
    │   └── ModelMemoryError   not enough memory to embed an image (also a MemoryError)
    ├── QueryError             a query that cannot be answered
    ├── IndexFileError         a saved search index is damaged, or is something else
    ├── TooLittleMemoryError   what is asked for does not fit into memory (also a MemoryError)
    ├── StoreError             the tables of a collection cannot be read or written
    └── CollectionError        a collection is missing, or not what the request supposes
        ├── MissingImagesError a root is gone, or more than half of its images are, or cannot be read
        └── LockedError        another process is writing
"""


class LookalikeError(Exception):
    """Base of all errors that lookalike raises on purpose."""


class InvalidInputError(LookalikeError, ValueError):
    """An argument that no call can accept: a wrong shape, a k below one, a NaN."""


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
    """

    def __init__(self, path: str, reason: str, *, is_permanent: bool = True) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
        self.is_permanent = is_permanent


class FetchError(ImageError):
    """One URL cannot be fetched: refused address, too large, too slow, not there."""


class DatasetError(LookalikeError):
    """A data set is not there, cannot be downloaded, or its files are damaged."""


class CacheError(LookalikeError):
    """The cache, or what lies in it, could be another user's doing; nothing of it was loaded."""


class ModelError(LookalikeError):
    """A model is unknown, cannot be reached, is damaged, or does not fit the collection."""


class ModelMemoryError(ModelError, MemoryError):
    """There is not enough memory to embed an image."""


class QueryError(LookalikeError):
    """A query that cannot be answered: no such file, or text for a model that has no text tower."""


class IndexFileError(LookalikeError):
    """A saved search index is damaged, or its folder holds something else."""


class TooLittleMemoryError(LookalikeError, MemoryError):
    """What is asked for needs more memory than there is; found out before it is taken."""


class StoreError(LookalikeError):
    """The tables of a collection cannot be read or written."""


class CollectionError(LookalikeError):
    """A collection is missing, or is not what the request supposes."""


class MissingImagesError(CollectionError):
    """A root is gone, or lost more than half of its images at once, or most files cannot be read.

    Nothing was taken out of the collection.
    """


class LockedError(CollectionError):
    """Another process is writing to the collection."""
