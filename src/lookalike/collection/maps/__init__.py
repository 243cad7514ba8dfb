"""The maps of a collection: `maps` is what users have in hand."""
