"""The models of a collection: `models` is what users have in hand."""
