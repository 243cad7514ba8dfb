"""A collection measured: `evaluation` is what users have in hand, what is measured a module beside it."""
