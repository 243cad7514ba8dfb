"""What a file says of its picture beside the pixels: when, with what and where it was taken, keywords."""

from __future__ import annotations

import datetime
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file says of its picture beside the pixels; None, or nothing, where it says nothing.

    Attributes
    ----------
    taken : datetime.datetime or None
        As the camera's clock showed it, without a time zone; to the microsecond where the file says so.
    offset : int or None
        Minutes east of UTC of that clock.
    camera, lens : str or None
        Maker and model, each once.
    latitude, longitude : float or None
        Degrees, WGS 84; north and east are positive.
    keywords : tuple of str
        Each once, in the file's order.
    rating : int or None
        Stars, 1 to 5; -1 for what was rejected.
    caption : str or None
    """

    taken: datetime.datetime | None = None
    offset: int | None = None
    camera: str | None = None
    lens: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    keywords: tuple[str, ...] = ()
    rating: int | None = None
    caption: str | None = None


NO_METADATA = Metadata()
