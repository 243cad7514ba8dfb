"""A collection measured: `evaluation` is what users have in hand, each kind of measuring a module beside it."""
