"""``lookalike demo``."""


def demo() -> None:
    """Show."""
