"""What a collection answers, by subject."""
