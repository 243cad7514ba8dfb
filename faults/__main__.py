"""``python -m faults [NAME...]``: run all campaigns, or those named; or one, with options.

Every one takes ``--share S``: 1 is what docs/reliability.md states, 0.1 a tenth of it, in about a tenth of
the time; or ``--minutes M``, for all together; and ``--seed N``. How far it has come is said on standard
error, what was found on standard output and in ``faults/results/NAME.json``. It ends with 1 if anything was
found, and with 130 by Ctrl-C or SIGTERM, once disks are unmounted and temporary folders removed.
"""

from __future__ import annotations

import argparse
import importlib
import sys

from faults import report

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
    "duplicates",
)


def main(words: list[str]) -> int:
    """Run what is named; return 1 if anything was found."""
    first = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    names, options = words[:first] or list(NAMES), words[first:]
    if options in (["--help"], ["-h"]) and not words[:first]:
        print(f"{__doc__}\n{', '.join(NAMES)}")
        return 0
    unknown = set(names) - set(NAMES)
    if unknown:
        print(f"there is no campaign {min(unknown)!r}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    if len(names) > 1:
        options = _shared(names, options)
    report.end_as_interrupted()
    try:
        found = [importlib.import_module(f"faults.{name}").main(options) for name in names]
    except KeyboardInterrupt:
        found = None
    if report.ENDED:
        print(f"\n{report.table(report.ENDED)}", file=sys.stderr)
    if found is None:
        print("interrupted", file=sys.stderr)
        return 130
    return int(any(found))


def _shared(names: list[str], options: list[str]) -> list[str]:
    """Turn minutes for several campaigns into the share of each."""
    parser = argparse.ArgumentParser(prog="python -m faults", add_help=False)
    parser.add_argument("--minutes", type=float)
    asked, rest = parser.parse_known_args(options)
    if asked.minutes is None:
        return rest
    return ["--share", f"{report.share_in(names, asked.minutes):.3g}", *rest]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
