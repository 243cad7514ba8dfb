"""A collection measured: `evaluation` is what users have in hand, with a module for each kind of measuring."""
