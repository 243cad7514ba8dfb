"""``python -m lookalike``, and where the command ``lookalike`` starts."""

import contextlib
import sys


def main() -> None:
    """Run the command line; exits the process."""
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
