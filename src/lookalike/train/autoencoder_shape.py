"""How large an autoencoder is: read off the images that it is to learn.

The encoder halves the image until 4 to 7 positions a side are left, so the image's side is 4 to 7 times a
power of two: 28 is 7 × 2², 512 is 4 × 2⁷. Each halving doubles the channels, up to 256.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lookalike.errors import InvalidInputError
from lookalike.system.checked_calls import shown

SMALLEST, LARGEST = 8, 512
_BOTTOM = range(4, 8)
_MOST_CHANNELS = 256


@dataclass(frozen=True, slots=True)
class AutoencoderShape:
    """The measures of an autoencoder.

    Attributes
    ----------
    side : int
        Of the image that it sees, pixels: 4 to 7 times a power of two.
    channels : {1, 3}
        1 for grey, 3 for colours.
    dimension : int
        Numbers in a code.
    """

    side: int
    channels: int
    dimension: int

    def __post_init__(self) -> None:
        if self.side not in sides():
            raise InvalidInputError(
                f"the size is {shown(self.side)}; expected one of {', '.join(map(str, sides()))} pixels a"
                " side"
            )
        if self.channels not in (1, 3):
            raise InvalidInputError(f"there are to be {shown(self.channels)} channels; expected 1 or 3")
        if isinstance(self.dimension, bool) or not isinstance(self.dimension, int) or self.dimension < 1:
            raise InvalidInputError(
                f"the dimension is {shown(self.dimension)}; expected a whole number, 1 or more",
                field="dimension",
            )
        if self.dimension > self.side**2 * self.channels:
            raise InvalidInputError(
                f"the dimension is {self.dimension:,}; expected at most {self.side**2 * self.channels:,}, the"
                " numbers of an image",
                field="dimension",
            )

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels behind each halving.

        >>> AutoencoderShape(28, 1, 32).widths, AutoencoderShape(512, 3, 32).widths
        ((32, 64), (16, 32, 64, 128, 256, 256, 256))
        """
        halvings = 0
        while self.side >> halvings > _BOTTOM[-1]:
            halvings += 1
        first = 32 if halvings <= 4 else 16
        return tuple(min(first << i, _MOST_CHANNELS) for i in range(halvings))

    @property
    def bottom(self) -> int:
        """Positions a side that are left."""
        return self.side >> len(self.widths)

    def batch_size(self, n: int) -> int:
        """Return how many of `n` images a batch takes, so that memory holds it and an epoch has some steps.

        >>> [AutoencoderShape(side, 3, 32).batch_size(60_000) for side in (28, 128, 512)]
        [128, 64, 16]
        >>> AutoencoderShape(28, 3, 32).batch_size(600)
        37
        """
        return max(8, min(128, 8192 // self.side, n // 16))


def sides() -> list[int]:
    """Return the sides that an autoencoder may have."""
    return sorted(
        bottom << halvings
        for bottom in _BOTTOM
        for halvings in range(1, 8)
        if SMALLEST <= bottom << halvings <= LARGEST
    )


def suit(shorter_sides: Sequence[int]) -> int:
    """Return the side for images whose shorter sides are these: the largest that half of them fill.

    >>> suit([28] * 9), suit([3024, 3024, 600]), suit([300, 200, 250]), suit([5])
    (28, 512, 224, 8)
    """
    middle = sorted(shorter_sides)[len(shorter_sides) // 2]
    return max((side for side in sides() if side <= middle), default=SMALLEST)
