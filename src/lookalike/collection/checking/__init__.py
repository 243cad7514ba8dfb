"""Whether all that a collection keeps is what was written, and its repair.

`parts` says what a finding is; `tables`, `manifest`, `kept_files`, `named`, `models` and `indexes` each look
at one kind of thing, and mend it; `rows` holds the tables against one another; `checking` is the order in
which all this is done.
"""
