"""What work may take where nobody gives it more: numbers that help texts say, for which nothing is loaded."""

PICTURE_SECONDS = 30.0
"""An image that takes longer to decode is stopped."""
