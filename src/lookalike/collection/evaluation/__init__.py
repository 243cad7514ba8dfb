"""A collection measured: `evaluation` is what users have in hand, a module for each measuring beside it."""
