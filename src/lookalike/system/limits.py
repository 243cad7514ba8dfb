"""What work may take, how large thumbnails are: numbers that help texts say, for which nothing is loaded."""

PICTURE_SECONDS = 30.0
"""An image that takes longer to decode is stopped, where nobody gives it more."""

THUMBNAIL_SIDE = 256
"""Longest side of a thumbnail that was shrunk, pixels, where nobody wants another."""

LEAST_THUMBNAIL_SIDE, MOST_THUMBNAIL_SIDE = 64, 1024
"""What one may want: what pictures are compared at (`lookalike.registration`), and four times the usual."""
