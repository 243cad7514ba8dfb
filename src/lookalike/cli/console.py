"""How the commands speak: results on standard output, progress and complaints on standard error."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from lookalike.cli.hints import advise
from lookalike.errors import DamageWarning, InvalidInputError, LookalikeError
from lookalike.hints import Sentence, way_out

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lookalike.system.progress import Watch
    from lookalike.types import Hit

_MISSING = 8  # characters that are named
_OUTPUT = "standard output"
_DELAY = 0.2  # seconds of work before there is a bar: what is there already takes no time


def quieten_readers() -> None:
    """Keep what Pillow has to say about odd files off the terminal: `failures` says what matters.

    Here, not in the library: warnings and logs belong to the whole process.
    """
    import logging
    import warnings

    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").setLevel(logging.CRITICAL)


def tell_of_damage() -> None:
    """Have one line printed for each table whose newest version is passed over, as it is not whole.

    Here, not in the library, which warns: how that is shown belongs to the whole process.
    """
    import warnings

    warnings.simplefilter("always", DamageWarning)
    others = getattr(warnings.showwarning, "others", warnings.showwarning)

    def show(message: Warning | str, *rest: Any, **named: Any) -> None:
        complain(message.told) if isinstance(message, DamageWarning) else others(message, *rest, **named)

    show.others = others  # type: ignore[attr-defined]
    warnings.showwarning = show


def spare_memory() -> None:
    """Let the allocator of Lance and Arrow, mimalloc, reserve addresses by 64 MiB instead of by a gibibyte.

    Where a process may have little more than that (``ulimit -v``, a batch system), nothing would be left for
    pictures. It looks at the variable as they are loaded; whoever knows better sets it.
    """
    os.environ.setdefault("MIMALLOC_ARENA_RESERVE", "65536")  # KiB


def hold_streams() -> None:
    """Open the standard streams that whoever started us has closed, on nothing.

    The next file to be opened would get a closed one's number, and be written to by what libraries print.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it takes the lowest number that is free, which is this


def complain(said: LookalikeError | str) -> None:
    """Print one line on standard error, that names the program; with the hint, if there is one."""
    tell(f"lookalike: {' '.join(advise(said).split(chr(10)))}")


def say_spelling(before: str, command: str) -> None:
    """Say on standard error how a command is spelled that was an option."""
    complain(f"`lookalike {before}` is the old spelling of `{command}`")


def tell(line: str) -> None:
    """Print one line on standard error; where that is closed, or full, there is nobody to be told."""
    if sys.stderr is None:  # print would take standard output for it
        return
    try:
        print(printable(line), file=sys.stderr, flush=True)
    except (OSError, ValueError):
        let_go(sys.stderr)


def let_go(stream: TextIO | None) -> None:
    """Send to nowhere what a stream still holds; Python would complain of it, once more, when it ends."""
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):  # some that stand in for a stream have no number
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def complain_of_output(error: OSError) -> int:
    """Say why standard output, or a file, could not be written; return the exit code.

    That nobody reads on, `| head`, is nothing to complain of: 141, as of a program that the signal ends.
    """
    let_go(sys.stdout)
    if isinstance(error, BrokenPipeError):
        return 141
    reason = error.strerror or str(error)
    if error.filename == _OUTPUT:
        complain(f"{_OUTPUT}: {reason}")
    else:
        complain(Sentence(f"{error.filename}: {reason}" if error.filename else reason, way_out(error)))
    return 2


def print_json(document: dict[str, Any]) -> None:
    """Print one JSON document on standard output."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # a file name that is not UTF-8: escaped, it can still be carried
        text = json.dumps(document, indent=2)
    _write(text.encode("utf-8"))


def printable(text: str) -> str:
    """Replace what a terminal cannot show: bytes that are not UTF-8, and control characters."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def say(*columns: str) -> None:
    """Print one line on standard output; several columns are separated by tabs."""
    line = "\t".join(map(printable, columns))
    _write(line.encode(getattr(sys.stdout, "encoding", None) or "utf-8", "replace"))


def relative(path: str) -> str:
    """Return a path relative to the working directory."""
    try:
        return os.path.relpath(path)
    except (ValueError, OSError):  # another drive; or the working directory is gone
        return path


def place_of(hit: Hit) -> str:
    """Say where a hit lies, for people: its path, or ``added:KEY`` where only the collection keeps it."""
    if hit.kept_key is not None:
        place, n_others = f"added:{hit.kept_key}", len(hit.keys) - 1
    else:
        place, n_others = relative(hit.path), len(hit.paths) - 1
    return f"{place}  (and {n_others} more)" if n_others else place


def print_raw(path: str) -> None:
    """Print a path byte for byte, so that another program can open it."""
    _write(os.fsencode(path))


def _write(line: bytes) -> None:
    if sys.stdout is None:  # closed by whoever started us
        return
    with naming_output():
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.flush()


@contextlib.contextmanager
def naming_output() -> Iterator[None]:
    """Have errors of what is printed within say that it is about standard output."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = _OUTPUT
        raise


def announce(*, quiet: bool) -> Callable[[str], None]:
    """Give a callback that says on standard error what is going to take its time."""
    return (lambda words: None) if quiet else tell


@contextlib.contextmanager
def watched(*, quiet: bool = False) -> Iterator[Watch]:
    """Give long work who watches it: a bar on standard error, on a terminal only; and Ctrl-C."""
    from lookalike.cli.interruption import cancelled_by_interrupt
    from lookalike.system.bars import TerminalBar
    from lookalike.system.progress import Watch, silent

    with cancelled_by_interrupt() as cancel:
        if quiet or sys.stderr is None or not sys.stderr.isatty():
            yield Watch(silent, cancel)
            return
        bar = TerminalBar(_DELAY)
        try:
            yield Watch(bar.show, cancel)
        finally:
            bar.close()


def check_dark(dark: bool, *pictures: Path | None) -> None:
    """Raise InvalidInputError if a picture is to be dark, and none is asked for."""
    if dark and not any(pictures):
        raise InvalidInputError("--dark is for pictures; name the file of one, or leave it out")


def save_picture(draw: Callable[[], Figure], path: Path, dark: bool) -> None:
    """Draw a picture, on dark paper if asked, save it, and say so, and what it lacks for want of a font."""
    from lookalike.plots import gather_missing, save_figure, use_theme

    with use_theme(dark=dark), gather_missing() as missing:
        figure = draw()
    save_figure(figure, path)
    tell(f"saved {path}")
    if missing:
        shown = " ".join(sorted(missing)[:_MISSING]) + (" …" if len(missing) > _MISSING else "")
        complain(
            f"{path} has \N{REPLACEMENT CHARACTER} in place of characters that no font here has: {shown};"
            " pictures take DejaVu Sans and, where they are installed, Noto Sans CJK, Noto Sans Devanagari,"
            " Noto Sans Thai and Noto Emoji"
        )
