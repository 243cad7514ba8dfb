"""``python -m lookalike``, and where the command ``lookalike`` starts."""

import sys


def main() -> None:
    """Run the command line; exits the process."""
    try:
        from lookalike.cli import main as run

        run()
    except KeyboardInterrupt:  # while it was still starting
        print("lookalike: interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
