"""How sure an answer is: how likely a hit is of the query's kind, and whether anything is like the query."""
