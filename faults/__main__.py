"""``python -m faults [NAME...]``: run all campaigns, or those named; or one, with options.

Every one takes ``--share S``: 1 is what docs/reliability.md states, 0.1 a tenth of it, in about a tenth of
the time; and ``--seed N``. It ends with 1 if anything was found.
"""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "power_cuts",
    "damages",
    "bombs",
    "full_disks",
    "absurd_calls",
    "clusterings",
    "many_files",
    "crowd",
    "outages",
)


def main(words: list[str]) -> int:
    """Run what is named; return 1 if anything was found."""
    first = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    names, options = words[:first], words[first:]
    if options in (["--help"], ["-h"]) and not names:
        print(f"{__doc__}\n{', '.join(NAMES)}")
        return 0
    unknown = set(names) - set(NAMES)
    if unknown:
        print(f"there is no campaign {min(unknown)!r}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    found = [importlib.import_module(f"faults.{name}").main(options) for name in names or NAMES]
    return int(any(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
