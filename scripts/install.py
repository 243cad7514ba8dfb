"""Install this project, editable, into .venv; say in one line why when that fails.

    .venv/bin/python scripts/install.py [EXTRA ...]

What pip prints goes to .venv/install.log. When all is in place, .venv/.installed (or .installed-dev, or
.installed-dev-docs: the extras in order) is written, and that file is what make looks at. It holds digests
of pyproject.toml and of the kernels' sources, so that a new date on an unchanged pyproject.toml asks nothing
of the network. Where only the kernels changed, as after a pull, they are compiled in place, without pip.
"""

import contextlib
import hashlib
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
LOG = VENV / "install.log"


@dataclass(frozen=True)
class Failure:
    """A way in which pip fails: how its output tells, and what to do about it."""

    sign: str  # a regular expression; its group, if it has one, fills the {} of the advice
    advice: str


NETWORK = (
    "pip cannot reach a package index: connect, or point pip at a mirror (PIP_INDEX_URL) "
    "or at a folder of wheels (PIP_FIND_LINKS)"
)
# In this order: a full disk also breaks builds, and a dead network also looks like a missing version.
FAILURES = (
    Failure(r"No space left on device", "the disk is full: make room"),
    Failure(
        r"CERTIFICATE_VERIFY_FAILED|problem confirming the ssl certificate",
        "pip does not trust the certificate of the package index: name yours (PIP_CERT=/path/to/bundle.pem)",
    ),
    Failure(r"Retry\(total=0|Max retries exceeded", NETWORK),
    Failure(
        r"requires a different Python: (.*)",
        "this Python does not suit ({}): name another (make PYTHON=python3.12 demo)",
    ),
    Failure(
        r"No matching distribution found for (\S+)",
        "the package index has no {} for this Python and system, or cannot be reached: name another Python "
        "(make PYTHON=python3.12 demo) or another index (PIP_INDEX_URL)",
    ),
    Failure(r"(lookalike's kernels do not compile: .*)", "{}"),
    Failure(r"(no C\+\+ compiler: .*)", "{}"),
    Failure(
        r"Failed (?:building wheel for|to build) '?(?!file:)([^'\s]+)",
        "{} could not be built here, as there is no ready-made wheel of it for this Python and system: "
        "name another Python (make PYTHON=python3.12 demo)",
    ),
    Failure(r"(Permission denied: .*)", "{}: files here belong to someone else"),
    Failure(r"^ERROR: Exception:\n(?:.*\n)*(\S.*)", "pip says: {}"),  # a traceback; its end names the reason
    Failure(r"^(?:ERROR|error): (.*)", "pip says: {}"),
)


def explain(printed: str) -> str:
    """Return what to do about a failed installation, in one line, from what pip printed."""
    for failure in FAILURES:
        if found := re.search(failure.sign, printed, re.MULTILINE):
            return failure.advice.format(*found.groups())
    return "pip failed"


def stamp_of(extras: list[str]) -> Path:
    """Return the file that says that the project with these extras is installed."""
    return VENV / "-".join([".installed", *extras])


def digests() -> list[str]:
    """Return what an installation depends on, in short: of pyproject.toml, and of the kernels' sources."""
    kernels = hashlib.sha256()
    for path in (ROOT / "hatch_build.py", *sorted((ROOT / "src/lookalike/native").glob("*.[ch]pp"))):
        kernels.update(path.read_bytes() if path.exists() else b"")
    return [hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest(), kernels.hexdigest()]


def environment() -> dict[str, str]:
    """Return the environment for pip: without a network it gives up early, unless the user said how early."""
    chosen = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    early = {"retries": "2", "timeout": "10"}  # pip's own, 5 and 15 s, come to minutes
    ours = {f"PIP_{name.upper()}": early[name] for name in early if not re.search(rf"[.-]{name}=", chosen)}
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    return os.environ | ours | quiet | {"PIP_USER": "0", "PYTHONUNBUFFERED": "1"}


def pip_install(extras: list[str]) -> tuple[int, str]:
    """Run pip and show where it is, on a terminal; return its exit code and all that it printed."""
    what = f".[{','.join(extras)}]" if extras else "."
    command = [sys.executable, "-m", "pip", "install", "--editable", what]
    printed = []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as pip:
        for line in pip.stdout or ():
            printed.append(line)
            show(line.strip())
            if line.startswith("Installing collected packages"):  # from here on, .venv is in pieces
                for stamp in VENV.glob(".installed*"):
                    stamp.unlink()
    show("")
    return pip.returncode, "".join(printed)


def compile_kernels() -> bool:
    """Compile the kernels beside their sources; return False if pip has to, which may bring a compiler."""
    start = time.monotonic()
    done = subprocess.run([sys.executable, "hatch_build.py"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode == 0:
        print(f"Compiled the kernels anew in {time.monotonic() - start:.0f} s")
    return done.returncode == 0


def show(line: str) -> None:
    """Show a line in place of the last one, on a terminal."""
    if sys.stderr.isatty():
        width = os.get_terminal_size(sys.stderr.fileno()).columns - 1
        print(f"\r\x1b[K{line[:width]}", end="", file=sys.stderr, flush=True)


def main(extras: list[str]) -> int:
    """Install what is not installed; return the exit code."""
    stamp, now = stamp_of(extras), digests()
    before = stamp.read_text().split() if stamp.exists() else []
    if before == now or (before[:1] == now[:1] and compile_kernels()):
        stamp.write_text("\n".join(now))
        return 0
    name = "lookalike" + (f" with its extras {', '.join(extras)}" if extras else "")
    print(f"Installing {name} into .venv; its kernels are compiled, which takes some 20 s", flush=True)
    start = time.monotonic()
    try:
        code, printed = pip_install(extras)
    except KeyboardInterrupt:
        print("\nInterrupted; the next make goes on", file=sys.stderr)
        return 130
    with contextlib.suppress(OSError):  # such as a full disk, which is then what there is to say
        LOG.write_text(printed, encoding="utf-8")
    if code:
        print(f"{name} is not installed: {explain(printed)}. Log: .venv/install.log", file=sys.stderr)
        return 1
    for count in range(len(extras) + 1):  # dev brings all that the project itself needs
        stamp_of(extras[:count]).write_text("\n".join(now))
    print(f"Installed in {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
