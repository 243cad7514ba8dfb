"""The program, run as a user runs it: in a process of its own."""

import os
import subprocess
import sys

PROGRAM = [sys.executable, "-m", "lookalike"]


def run(*words, cwd=None, **options):
    """Run the program in a process of its own."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", **options.pop("env", {})}
    return subprocess.run(
        [*PROGRAM, *map(str, words)], cwd=cwd, env=environment, capture_output=True, timeout=120, **options
    )


def shell(command, cwd):
    """Run a line of bash in which `lookalike` is the program."""
    line = f"set -o pipefail; {command.replace('lookalike', f'{sys.executable} -m lookalike')}"
    return subprocess.run(["bash", "-c", line], cwd=cwd, capture_output=True, text=True, timeout=120)
