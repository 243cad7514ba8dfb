"""The clusterings of a collection: `clusterings` is what users have in hand, each verb a module beside it."""
