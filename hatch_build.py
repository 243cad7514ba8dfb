"""Compile the kernels, src/lookalike/native/*.cpp, as part of making a wheel or installing from a clone.

    python hatch_build.py       the same in place, for a checkout that runs with PYTHONPATH=src

The kernels are plain functions on arrays behind a C interface, called with ctypes: neither Python's headers
nor NumPy's are needed, and one library serves every Python. They are compiled by `CXX`, by a C++ compiler
that is found, or else by Zig, which pip brings from the package index and which needs nothing of the machine.
On x86-64 there is one library for each level of the instruction set; which one suits is seen when they are
loaded (`lookalike.system.native`).
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, where only the compiler is needed
    BuildHookInterface = object

SOURCES = Path("src", "lookalike", "native")
ZIG = "ziglang>=0.13"
IS_X86_64 = platform.machine().lower() in ("x86_64", "amd64")
LEVELS = ("x86-64-v2", "x86-64-v3", "x86-64-v4") if IS_X86_64 else ("",)
MADE = "kernels.json"  # beside the libraries: what they were made of, with what, in how many seconds
SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")

# Sums may be taken in any order and fused; NaN and infinity keep their meaning.
FLAGS = (
    "-std=c++17",
    "-O3",
    "-fPIC",
    "-fno-exceptions",
    "-fno-rtti",
    "-fvisibility=hidden",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fassociative-math",
    "-fno-signed-zeros",
    "-ffp-contract=fast",
    "-Wall",
    "-Wextra",
)
IN_ORDER = ["-fno-associative-math", "-fsigned-zeros", "-ffp-contract=off"]
SEPARATE = ["-ffp-contract=off"]
FLAGS_OF = {
    "merging.cpp": IN_ORDER,  # costs that are equal have to stay equal
    "kmeans_tree.cpp": SEPARATE,  # distances are NumPy's, so that equal ones come in the order of rows
    "kdtree.cpp": SEPARATE,
    "graph.cpp": SEPARATE,
}


class KernelsHook(BuildHookInterface):
    """Hatchling asks it what a build needs, and to compile."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what pip is to bring for the build: Zig, where there is no compiler."""
        return [] if self.target_name != "wheel" or found_compiler() else [ZIG]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and let the wheel carry what was made."""
        if self.target_name != "wheel":
            return
        made = build(Path(self.root))
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag()}"
        build_data["artifacts"] += [f"/{path.relative_to(self.root).as_posix()}" for path in made]


@cache
def found_compiler() -> tuple[str, ...] | None:
    """Return the words that start a C++ compiler of this machine; None where none does what is needed."""
    named = os.environ.get("CXX")
    for words in [shlex.split(named)] if named else [["clang++"], ["g++"], ["c++"]]:
        if shutil.which(words[0]) and can_compile(words):
            return tuple(words)
    return None


def can_compile(words: Sequence[str]) -> bool:
    """Tell whether a compiler makes a library for the newest level."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "try.cpp")
        source.write_text('#include <math.h>\nextern "C" double f(double x) { return sqrt(x); }\n')
        try:
            compile_object(words, source, LEVELS[-1], Path(folder, "try.o"))
            link(words, [Path(folder, "try.o")], LEVELS[-1], Path(folder, "try" + SUFFIX))
        except (OSError, subprocess.CalledProcessError):
            return False
    return True


def compiler() -> tuple[str, ...]:
    """Return the compiler of this machine, or Zig; as `c++`, it would first compile a standard library."""
    return found_compiler() or (sys.executable, "-m", "ziglang", "cc", *zig_target())


def zig_target() -> tuple[str, ...]:
    """Return for which systems Zig compiles: on Linux for those with glibc 2.17 and newer."""
    if sys.platform != "linux":
        return ()
    is_glibc = platform.libc_ver()[0] == "glibc"
    return ("-target", f"{platform.machine()}-linux-{'gnu.2.17' if is_glibc else 'musl'}")


def platform_tag() -> str:
    """Return the platform that the wheel is for."""
    if zig_target() and zig_target()[1].endswith("gnu.2.17") and not found_compiler():
        return f"manylinux_2_17_{platform.machine()}"
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


def build(root: Path) -> list[Path]:
    """Compile what is not compiled yet, on all cores; return the libraries.

    Raises
    ------
    SystemExit
        Where it does not compile.
    """
    folder = root / SOURCES
    libraries = {level: folder / f"kernels{level and '-' + level}{SUFFIX}" for level in LEVELS}
    digest, start = digest_of(root), time.monotonic()
    if made_of(folder) != digest or not all(path.exists() for path in libraries.values()):
        try:
            compile_all(compiler(), folder, libraries)
        except OSError as error:
            sys.exit(f"no C++ compiler: install one, or Zig (pip install '{ZIG}'): {error}")
        except subprocess.CalledProcessError as error:
            sys.exit(f"lookalike's kernels do not compile: {told(error)}\n{error.stderr}")
        made = {
            "of": digest,
            "with": (found_compiler() or ["zig"])[0],
            "seconds": round(time.monotonic() - start, 1),
        }
        (folder / MADE).write_text(json.dumps(made))
    return list(libraries.values())


def digest_of(root: Path) -> str:
    """Return what the libraries depend on, in short: their sources, and how they are compiled."""
    digest = hashlib.sha256()
    for path in (root / "hatch_build.py", *sorted((root / SOURCES).glob("*.[ch]pp"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def made_of(folder: Path) -> str:
    """Return the digest that the libraries in a folder were made of, or nothing."""
    try:
        return str(json.loads((folder / MADE).read_text())["of"])
    except (OSError, ValueError, LookupError):
        return ""


def told(error: subprocess.CalledProcessError) -> str:
    """Return the line that says what a compiler complains of."""
    lines = [line for line in error.stderr.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line), lines[0] if lines else str(error))


def compile_all(words: Sequence[str], folder: Path, libraries: dict[str, Path]) -> None:
    """Compile the sources for each level; libraries take the place of older ones when they are whole."""
    sources = sorted(folder.glob("*.cpp"), key=lambda path: -path.stat().st_size)  # the longest first
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = {
            (level, source): Path(scratch, f"{source.stem}{level}.o")
            for level in LEVELS
            for source in sources
        }
        list(pool.map(lambda each: compile_object(words, each[0][1], each[0][0], each[1]), objects.items()))
        for level, library in libraries.items():
            own = [objects[level, source] for source in sorted(sources)]
            unfinished = library.with_suffix(f".unfinished{SUFFIX}")
            link(words, own, level, unfinished)
            unfinished.replace(library)


def march(words: Sequence[str], level: str) -> list[str]:
    """Return the option that asks for a level."""
    return [f"-march={level.replace('-', '_') if 'ziglang' in words else level}"] if level else []


def compile_object(words: Sequence[str], source: Path, level: str, out: Path) -> None:
    """Compile one source; its folder is not written down in what comes out."""
    flags = (*FLAGS, *FLAGS_OF.get(source.name, ()), *march(words, level))
    run(*words, *flags, f"-ffile-prefix-map={source.parent}=.", "-c", str(source), "-o", str(out))


def link(words: Sequence[str], objects: Sequence[Path], level: str, library: Path) -> None:
    """Make a library of what was compiled."""
    run(*words, "-shared", "-s", *march(words, level), *map(str, objects), "-o", str(library))


def run(*command: str) -> None:
    """Run a compiler, and keep what it says for the error."""
    subprocess.run(command, check=True, capture_output=True, text=True)


if __name__ == "__main__":
    for path in build(Path(__file__).resolve().parent):
        print(path)
