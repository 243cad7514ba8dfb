"""``python -m lookalike``, and where the command ``lookalike`` starts."""

import contextlib
import gc
import sys

# A command makes more than a hundred thousand objects while it starts, and nearly all of them stay: to look
# for garbage among them after each 700 takes a twentieth of the processor time of a search.
_BETWEEN_COLLECTIONS = 200_000


def main() -> None:
    """Run the command line; exits the process."""
    gc.set_threshold(_BETWEEN_COLLECTIONS)
    try:
        from lookalike.cli import main as run

        run()
    except KeyboardInterrupt:  # while it was still starting
        if sys.stderr is not None:  # print would take standard output for it
            with contextlib.suppress(OSError):
                print("lookalike: interrupted", file=sys.stderr, flush=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
