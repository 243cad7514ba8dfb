"""Whether two pictures are one, edited: one is laid on the other, and what does not fit is measured."""

from lookalike.registration.registering import SAME, Fit, picture_of, register

__all__ = ["SAME", "Fit", "picture_of", "register"]
