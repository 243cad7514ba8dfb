"""How the commands speak: results on standard output, progress and complaints on standard error."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TextIO

from lookalike.cli.hints import advise
from lookalike.errors import DamageWarning, InvalidInputError, LookalikeError, ResourceError
from lookalike.hints import Sentence, way_out

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lookalike.store import Wait
    from lookalike.system.progress import Progress, ProgressReport, Watch
    from lookalike.types import Hit

STANDARD = "-"
"""What stands for standard input, or output, in place of a file."""

_TURNING = "\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"  # and that end lines, and that are none
_UNSAFE = re.compile(f"[\x00-\x1f\x7f-\x9f{_TURNING}]")
_UNSAFE_IN_JSON = re.compile(f"[\x7f-\x9f{_TURNING}]")  # it has escaped the others
_HANDLES = 1_024  # files open at once
_FEWEST_HANDLES = 32
_MISSING = 8  # characters that are named
_NAMED = 3  # places of an image
_OUTPUT = "standard output"
_DELAY = 0.2  # seconds of work before there is a bar: what is there already takes no time


def quieten_readers() -> None:
    """Keep what Pillow has to say about odd files off the terminal: `failures` says what matters.

    And what Lance says of a disk that refuses: the command's one line is to say it; and Matplotlib, of a home
    that cannot be written to, for which it has another place. Here, not in the library:
    warnings and logs belong to the whole process.
    """
    import logging
    import warnings

    os.environ.setdefault("LANCE_LOG", "error")  # it looks as it is loaded
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


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


def have_handles() -> None:
    """Let this process open as many files as the system allows it to.

    Raises
    ------
    ResourceError
        If these are too few: what reads the tables would end the process.
    """
    try:
        import resource
    except ImportError:  # Windows has other limits
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _HANDLES if hard == resource.RLIM_INFINITY else min(hard, _HANDLES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < _FEWEST_HANDLES:
        raise ResourceError(
            f"this process may have {most} files open at once; lookalike needs {_FEWEST_HANDLES}",
            hint=f"allow more: ulimit -n {_HANDLES}",
        )


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
    if error.filename is None and error.errno == errno.ENOENT and not is_working_folder_there():
        reason = "the working directory is not there any more; go to one that is"
    hint = None if error.filename == _OUTPUT else way_out(error)
    complain(Sentence(f"{error.filename}: {reason}" if error.filename else reason, hint))
    return 2


def is_working_folder_there() -> bool:
    """Tell whether the working directory was not deleted meanwhile."""
    try:
        os.getcwd()
    except OSError:
        return False
    return True


def complain_of_library(error: BaseException) -> int:
    """Say why a library that we stand on failed; return the exit code.

    Where there is too little room in memory for its code, or too few handles, that is what it is about.
    """
    first = error
    while isinstance(first.__cause__ or first.__context__, ImportError):  # others say more, and less
        first = first.__cause__ or first.__context__ or first
    words = " ".join(str(first).split()) or type(first).__name__
    if isinstance(first, ImportError) and first.name == "lookalike.native":  # which says what to do
        complain(words)
        return 2
    happened = "cannot be loaded" if isinstance(error, ImportError) else "gave up"
    complain(
        f"a library {happened} ({words}); is there too little memory, or room for open files (ulimit -a)?"
    )
    return 2


def print_json(document: dict[str, Any]) -> None:
    """Print one JSON document on standard output."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    # Only texts hold such characters, and there JSON lets any be escaped; what decodes it has the very name.
    escaped = _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    print_bytes(f"{escaped}\n".encode())


def printable(text: str) -> str:
    r"""Return a text as a line for people has it: as it is, but for what could change more than one place.

    That are control characters, which move and recolor what a terminal shows and end lines, and those that
    turn the direction of writing: they are escaped. So are bytes that are not UTF-8. Spaces of all kinds,
    joiners and soft hyphens stay: without, a path that is copied would lead nowhere.

    >>> print(printable("\x1b[31m \x9b31m \u202egpj.exe \udce9"))
    \x1b[31m \u009b31m \u202egpj.exe \xe9
    """
    return _UNSAFE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries bytes that are not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"


def say(*columns: str) -> None:
    """Print one line on standard output; several columns are separated by tabs."""
    line = "\t".join(map(printable, columns))
    print_bytes(f"{line}\n".encode(getattr(sys.stdout, "encoding", None) or "utf-8", "backslashreplace"))


def relative(path: str) -> str:
    """Return a path relative to the working directory."""
    try:
        return os.path.relpath(path)
    except (ValueError, OSError):  # another drive; or the working directory is gone
        return path


def place_of(hit: Hit) -> str:
    """Say where a hit lies, for people: its path, or ``added:KEY`` where only the collection keeps it.

    And which other files hold the same image.
    """
    keys = [f"added:{key}" for key in hit.keys]
    files = [relative(path) for path in hit.paths if not is_kept(path)]
    places = [*keys, *files] if hit.kept_key is not None else [*files, *keys]
    return places[0] if len(places) == 1 else f"{places[0]}  (also {in_short(places[1:])})"


def is_kept(path: str) -> bool:
    """Tell whether a file is one that the collection keeps itself, as it was added by call."""
    from lookalike.store import ADDED, FOLDER_NAME

    return PurePath(path).parts[-4:-2] == (FOLDER_NAME, ADDED)


def in_short(places: Sequence[str]) -> str:
    """Name some places; of many the first ones, and how many more there are.

    >>> in_short(["a.png", "b.png"]), in_short(["a.png", "b.png", "c.png", "d.png"])
    ('a.png, b.png', 'a.png, b.png, c.png and 1 more')
    """
    more = f" and {len(places) - _NAMED:,} more" if len(places) > _NAMED else ""
    return ", ".join(places[:_NAMED]) + more


def is_for_person() -> bool:
    """Tell whether standard output is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def print_raw(path: str) -> None:
    """Print a path byte for byte, for other programs to open; on a terminal as `printable` has it."""
    if is_for_person():
        say(path)
    else:
        print_bytes(os.fsencode(path) + b"\n")


def print_bytes(content: bytes) -> None:
    """Print what is text already, on standard output."""
    if sys.stdout is None:  # closed by whoever started us
        return
    with naming_output():
        sys.stdout.buffer.write(content)
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


def is_terminal() -> bool:
    """Tell whether somebody reads standard error as it comes."""
    return sys.stderr is not None and sys.stderr.isatty()


def how_long(wait: bool | None) -> Wait:
    """Return how long to wait for another writer; where nobody says, it is for ever on a terminal alone."""
    if wait is None:
        return None if is_terminal() else "threads"
    return None if wait else 0.0


@contextlib.contextmanager
def watched(*, quiet: bool = False) -> Iterator[Watch]:
    """Give long work who watches it: a bar on standard error, on a terminal only; and Ctrl-C.

    For whom it waits is said everywhere, in one line.
    """
    from lookalike.cli.interruption import cancelled_by_interrupt
    from lookalike.system.bars import TerminalBar
    from lookalike.system.progress import Watch, silent

    with cancelled_by_interrupt() as cancel:
        if quiet or not is_terminal():
            yield Watch(_saying_waits(silent), cancel)
            return
        bar = TerminalBar(_DELAY)
        try:
            yield Watch(_saying_waits(bar.show), cancel)
        finally:
            bar.close()


def _saying_waits(show: ProgressReport) -> ProgressReport:
    """Give a report that also says, in a line of its own, for whom is waited; of each once."""
    said = set()

    def tell_and_show(progress: Progress) -> None:
        if progress.phase == "waiting" and progress.words not in said:
            said.add(progress.words)
            complain(progress.words)
        show(progress)

    return tell_and_show


def refuse_standard(place: Path, what: str, expected: str) -> None:
    """Raise InvalidInputError if what cannot be written to standard output is to go there."""
    if str(place) == STANDARD:
        raise InvalidInputError(f"{what} cannot be written to standard output (-); expected {expected}")


def check_pictures(*pictures: Path | None, dark: bool, force: bool) -> None:
    """Raise LookalikeError if pictures cannot be saved so, or if they are told how, and there are none."""
    for option, is_given in (("--dark", dark), ("--force", force)):
        if is_given and not any(pictures):
            raise InvalidInputError(f"{option} is for pictures; name the file of one, or leave it out")
    named = [picture for picture in pictures if picture is not None]
    for picture in named:
        refuse_standard(picture, "a picture", "the name of a file")
    if named:
        from lookalike.plots import check_picture

        for picture in named:
            check_picture(picture, force=force)


def save_picture(draw: Callable[[], Figure], path: Path, *, dark: bool, force: bool) -> None:
    """Draw a picture, on dark paper if asked, save it, and say so, and what it lacks for want of a font.

    Over a file that lookalike did not draw only by `force`.
    """
    from lookalike.plots import gather_missing, save_figure, use_theme

    with use_theme(dark=dark), gather_missing() as missing:
        figure = draw()
    save_figure(figure, path, force=force)
    tell(f"saved {path}")
    if missing:
        shown = " ".join(sorted(missing)[:_MISSING]) + (" …" if len(missing) > _MISSING else "")
        complain(
            f"{path} has \N{REPLACEMENT CHARACTER} in place of characters that no font here has: {shown};"
            " pictures take DejaVu Sans and, where they are installed, Noto Sans CJK, Noto Sans Devanagari,"
            " Noto Sans Thai and Noto Emoji"
        )
